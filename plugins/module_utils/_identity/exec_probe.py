# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Let a pod itself ask for its credentials, with what its image has; they never leave it. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._core.text import clean
from .evidence import Issued

PYTHON = r"""
import json, os
try:
    from urllib.request import ProxyHandler, Request, build_opener
except ImportError:
    from urllib2 import ProxyHandler, Request, build_opener

def say(name, value):
    print("proof.%s=%s" % (name, " ".join(str(value).split())))

say("tool", "python")
try:
    with open(os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]) as file:
        headers = {"Authorization": file.read().strip()}
    url = os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    answer = build_opener(ProxyHandler({})).open(Request(url, None, headers), timeout=5)
    given = json.loads(answer.read().decode())
    say("came", "yes" if given.get("AccessKeyId") else "no")
    say("account", given.get("AccountId", ""))
    say("expires", given.get("Expiration", ""))
except Exception as error:
    say("came", "no")
    say("error", "%s %s" % (type(error).__name__, getattr(error, "code", "")))
try:
    import boto3
    from botocore.config import Config
    quick = Config(connect_timeout=5, read_timeout=5, retries={"total_max_attempts": 1})
    say("arn", boto3.client("sts", region_name=os.environ.get("AWS_REGION"), config=quick).get_caller_identity()["Arn"])
    say("tool", "python with boto3")
except Exception as error:
    say("sdk", type(error).__name__)
"""
"""Asks the agent first, and then the SDK, by its own chain, who it is."""

SHELL = r"""
say() { echo "proof.$1=$2"; }
has() { command -v "$1" >/dev/null 2>&1; }
for python in python3 python; do
  has $python && exec $python -c "$1"
done
if has curl; then say tool curl
elif has wget; then say tool wget
elif has busybox; then say tool busybox
else say tool none; exit 0; fi
token=$(cat "$AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" 2>/dev/null)
url=$AWS_CONTAINER_CREDENTIALS_FULL_URI
within() { case $("$@" --help 2>&1) in *-T*) echo "-T 5" ;; esac; }
if has curl; then
  asked=$(printf 'header = "Authorization: %s"\nurl = "%s"\n' "$token" "$url")
  given=$(echo "$asked" | curl -s -S --noproxy '*' -m 5 -K - 2>/dev/null)
elif has wget; then
  given=$(no_proxy='*' http_proxy= wget -q -O - $(within wget) --header "Authorization: $token" "$url" 2>/dev/null)
else
  given=$(http_proxy= busybox wget -q -O - $(within busybox wget) --header "Authorization: $token" "$url" 2>/dev/null)
fi
field() { rest=${given#*\"$1\"}; rest=${rest#*\"}; echo "${rest%%\"*}"; }
case $given in
  *'"AccessKeyId"'*) say came yes; say account "$(field AccountId)"; say expires "$(field Expiration)" ;;
  *) say came no ;;
esac
if has aws; then
  arn=$(aws sts get-caller-identity --query Arn --output text 2>/dev/null) && say arn "$arn"
fi
exit 0
"""
"""The same without Python; its first argument is the program for Python.

Not every BusyBox is built with wget's -T, and Debian's falls over it.
"""

COMMANDS = (("sh", "-c", SHELL, "sh", PYTHON), ("python3", "-c", PYTHON))
"""What to try one after another: an image may have no shell."""
WITHOUT_CREDENTIALS = (
    "ConfigParseError",
    "CredentialRetrievalError",
    "NoCredentialsError",
    "PartialCredentialsError",
    "ProfileNotFound",
    "ValueError",
)
"""What boto3 raises where it finds no credentials; to a version older than Pod Identity, its address is a bad value."""
SURE = ("python", "curl")
"""Beginnings of tools whose failure is the agent's; a wget may not know the options."""
START = "proof."
"""What each line of the answer starts with."""


def read(printed: str, pod: str, how: str = "exec") -> Issued | None:
    """What a pod's answer says; None where its image has nothing to ask with.

    An SDK that can say who it is has credentials, also where the agent gave us none. With ``how``
    ``ephemeral_container``, the SDK isn't the workload's, and its troubles say nothing.
    """
    said = _said(printed)
    if said.get("tool", "none") == "none":
        return None
    arn = said.get("arn", "")
    tool = said["tool"] if how == "exec" else f"{said['tool']} in an ephemeral container"
    found = Issued(how, said.get("came") == "yes" or bool(arn), arn, tool, pod)
    if how == "exec" and said.get("sdk") in WITHOUT_CREDENTIALS:
        found = replace(found, sdk_error=said["sdk"])
    if found.good:
        return found
    why = f" ({said['error']})" if said.get("error") else ""
    return replace(found, message=f"Pod {pod} asked the agent by {found.tool}, and got no credentials{why}")


def _said(printed: str) -> dict[str, str]:
    """By name; the pod's image decides what each says, so that it is cleaned before it stands in a message."""
    lines = (line.removeprefix(START).partition("=") for line in printed.splitlines() if line.startswith(START))
    return {name: clean(value.strip()) for name, _equals, value in lines}


def is_sure(found: Issued) -> bool:
    """Whether no credentials in the pod's answer means that it gets none."""
    return found.tool.startswith(SURE)


def plays(assumed_role_arn: str, role_arn: str) -> bool:
    """Whether an ARN of STS (``…:assumed-role/NAME/SESSION``) is a session of the role."""
    assumed, role = assumed_role_arn.split(":"), role_arn.split(":")
    if len(assumed) < 6 or len(role) < 6 or assumed[4] != role[4]:
        return False
    return assumed[5].split("/")[:2] == ["assumed-role", role[5].rsplit("/", 1)[-1]]


def compared(found: Issued, association: t.Mapping[str, t.Any]) -> Issued:
    """``found``, bad if what was assumed is neither the association's role nor, where it has one, its target role."""
    wanted = association.get("target_role_arn") or association["role_arn"]
    if not found.assumed_role_arn or plays(found.assumed_role_arn, wanted):
        return found
    message = f"Pod {found.pod} acts as {found.assumed_role_arn} instead of {wanted}"
    return replace(found, good=False, message=message)
