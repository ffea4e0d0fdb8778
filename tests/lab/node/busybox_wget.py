# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for BusyBox's wget: takes a few of its options and none of GNU's, and fails in its words.

It runs as a program of its own, with nothing but the standard library.
"""

from __future__ import annotations

import getopt
import http.client
import os
import sys
import urllib.parse

USAGE = "Usage: wget [-cq] [-O FILE] [--header STR] [-Y on/off] [-U AGENT] [-T SEC] URL..."


def main(arguments: list[str]) -> str | None:
    """Fetch one address; return what went wrong, if anything did."""
    try:
        options, urls = getopt.gnu_getopt(arguments, "qcO:T:U:Y:", ["header="])
    except getopt.GetoptError as error:
        return f"unrecognized option: {error.opt}\n{USAGE}"
    given = dict(options)
    headers = [value for name, value in options if name == "--header"]
    if len(urls) != 1:
        return "missing URL operand"
    try:
        body = fetch(urls[0], headers, float(given.get("-T", 900)))
        save(body, given.get("-O", os.path.basename(urllib.parse.urlsplit(urls[0]).path) or "index.html"))
    except FileExistsError as error:
        return f"can't open '{error.filename}': File exists"
    except (OSError, http.client.HTTPException, ValueError) as error:
        return str(error)
    return None


def fetch(url: str, headers: list[str], timeout: float) -> bytes:
    """Return what is at ``url``; ValueError if the server refuses, OSError if it isn't there."""
    parsed = urllib.parse.urlsplit(url)
    if parsed.scheme != "http" or not parsed.hostname:
        raise ValueError(f"not an http or ftp url: {url}")
    connection = http.client.HTTPConnection(parsed.hostname, parsed.port, timeout=timeout)
    try:
        connection.connect()
    except OSError as error:
        raise OSError(f"can't connect to remote host ({parsed.hostname}): {error.strerror or error}") from error
    target = parsed.path + (f"?{parsed.query}" if parsed.query else "") or "/"
    pairs = (header.partition(":") for header in headers)
    connection.request("GET", target, headers={name: value.strip() for name, _colon, value in pairs})
    answer = connection.getresponse()
    if answer.status != http.HTTPStatus.OK:
        raise ValueError(f"server returned error: HTTP/1.1 {answer.status} {answer.reason}")
    return answer.read()


def save(body: bytes, name: str) -> None:
    """Write to a file, or to standard output for ``-``."""
    if name == "-":
        sys.stdout.buffer.write(body)
        return
    with open(name, "xb") as file:
        file.write(body)


if __name__ == "__main__":
    said = main(sys.argv[1:])
    sys.exit(f"wget: {said}" if said else 0)
