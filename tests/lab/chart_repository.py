# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Helm chart repository over HTTP: the stand-in chart, packaged under the versions that tests need."""

from __future__ import annotations

import argparse
import functools
import gzip
import hashlib
import http.server
import io
import tarfile
import typing as t
from pathlib import Path

import yaml

from .layout import SOURCE

CHART = SOURCE / "charts" / "enbuild"
VERSIONS = ("0.0.37", "0.0.38", "0.0.46")
"""The last one without service accounts, the first one with them, and the one that the facts were read in."""
WITHOUT_SERVICE_ACCOUNTS = {"0.0.37"}
READY = "/index.yaml"

_EPOCH = 1_700_000_000
_CREATED = "2023-11-14T22:13:20Z"


def write_repository(folder: Path, url: str) -> None:
    """Fill ``folder`` with an index and a package for each version; the same bytes each time."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for version in reversed(VERSIONS):
        package = pack(CHART, version)
        name = f"enbuild-{version}.tgz"
        (folder / name).write_bytes(package)
        digest = hashlib.sha256(package).hexdigest()
        entries.append({**metadata(version), "created": _CREATED, "digest": digest, "urls": [f"{url}/{name}"]})
    index = {"apiVersion": "v1", "entries": {"enbuild": entries}, "generated": _CREATED}
    (folder / "index.yaml").write_text(yaml.safe_dump(index), encoding="utf-8")


def metadata(version: str) -> dict[str, t.Any]:
    """Return the content of Chart.yaml under ``version``."""
    chart: dict[str, t.Any] = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    return {**chart, "version": version}


def pack(chart: Path, version: str) -> bytes:
    """Return the chart as ``helm package`` would put it, but without a trace of time, owner or file order."""
    files = {path.relative_to(chart): path.read_bytes() for path in sorted(chart.rglob("*")) if path.is_file()}
    files[Path("Chart.yaml")] = _dump(metadata(version))
    if version in WITHOUT_SERVICE_ACCOUNTS:
        files[Path("values.yaml")] = _without_service_accounts(files[Path("values.yaml")])
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(str(Path(chart.name) / name))
            entry.size, entry.mtime, entry.mode = len(content), _EPOCH, 0o644
            tar.addfile(entry, io.BytesIO(content))
    return gzip.compress(archive.getvalue(), mtime=_EPOCH)


def _without_service_accounts(values: bytes) -> bytes:
    content = yaml.safe_load(values)
    for service in ("enbuildAI", "enbuildCTF"):
        del content[service]["serviceAccount"]
    return _dump(content)


def _dump(content: t.Any) -> bytes:
    return yaml.safe_dump(content).encode()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


class _Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("port", type=int)
    options = parser.parse_args()
    write_repository(options.folder, f"http://127.0.0.1:{options.port}")
    handler = functools.partial(_Handler, directory=str(options.folder))
    _Server(("127.0.0.1", options.port), handler).serve_forever()


if __name__ == "__main__":
    main()
