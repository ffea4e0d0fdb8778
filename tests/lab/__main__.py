# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's command line: ``python -m ansible_collections.enbuild.eks.tests.lab {build,eksctl,up,down,status,env}``.

What a shell is to evaluate goes to standard output, what a person is to read to standard error.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

from . import binaries, programs
from .errors import LabError
from .labs import Lab, find, stop
from .layout import DEFAULT_NAME, lab_folder
from .parts import PACKAGE

COMMANDS = {
    "build": "build the programs that are missing",
    "eksctl": "build eksctl if it is missing, and print its path",
    "up": "start the lab",
    "down": "stop the lab",
    "status": "say whether the lab runs, and where",
    "env": "print exports for a shell",
}


def build(_unused: str) -> int:
    """Build what is missing."""
    found = binaries.provide(say)
    for program, path in found.paths.items():
        say(f"{program}: {path}")
    return 0


def eksctl(_unused: str) -> int:
    """Build eksctl, which no lab needs."""
    print(binaries.provide(say, programs.EKSCTL).paths["eksctl"])
    return 0


def up(name: str) -> int:
    """Start the lab, or say that it runs."""
    running = find(name)
    if running:
        say(f"lab {name} runs already: {running.folder}")
        return 0
    started = time.monotonic()
    lab = Lab.start(name, say=say)
    say(f"lab {name} is up after {time.monotonic() - started:.1f} s: cluster {lab.cluster_name}, {lab.folder}")
    return 0


def down(name: str) -> int:
    """Stop the lab, or say that it doesn't run."""
    say(f"lab {name} is stopped" if stop(name) else f"lab {name} doesn't run")
    return 0


def status(name: str) -> int:
    """Say where the lab is; 1 if it doesn't run."""
    lab = Lab.load(name)
    print(f"lab {name} runs: process {lab.pid}, folder {lab.folder}")
    print(f"  cluster     {lab.cluster_name} in {lab.region}, account {lab.account_id}")
    print(f"  Kubernetes  {lab.kubernetes.host}")
    print(f"  AWS         {lab.aws_endpoint_url}")
    print(f"  charts      {lab.chart_repository_url}")
    return 0


def env(name: str) -> int:
    """Print the lab's environment as shell code."""
    print("\n".join(Lab.load(name).shell_lines()))
    return 0


def say(text: str) -> None:
    """Tell a person."""
    print(f"-- {text}", file=sys.stderr, flush=True)


def main() -> int:
    """Run one command; return the exit status."""
    options = _parser().parse_args()
    try:
        lab_folder(options.name)
        return _run(options.command, options.name)
    except LabError as error:
        print(f"enbuild.eks: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("enbuild.eks: interrupted; nothing was left running", file=sys.stderr)
        return 130


def _run(command: str, name: str) -> int:
    run = {"build": build, "eksctl": eksctl, "up": up, "down": down, "status": status, "env": env}
    return run[command](name)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m {PACKAGE}", description="The cluster and AWS to test against.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command, purpose in COMMANDS.items():
        one = commands.add_parser(command, help=purpose, description=purpose)
        one.add_argument(
            "--name", default=os.environ.get("LAB") or DEFAULT_NAME, help="which lab (default: %(default)s)"
        )
    return parser


if __name__ == "__main__":
    sys.exit(main())
