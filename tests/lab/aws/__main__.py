# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one emulator: ``python -m ansible_collections.enbuild.eks.tests.lab.aws --config FILE``."""

from __future__ import annotations

import argparse
import sys

from .config import Config
from .server import Emulator


def main() -> None:
    """Serve until SIGTERM or SIGINT; a configuration that can't be used is named in one line."""
    parser = argparse.ArgumentParser(prog="lab.aws", description=__doc__)
    parser.add_argument("--config", required=True, help="JSON file written by the lab's supervisor")
    try:
        emulator = Emulator(Config.from_file(parser.parse_args().config))
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.exit(f"the AWS emulator can't start: {error!r}")
    emulator.start()
    try:
        emulator.wait()
    except KeyboardInterrupt:
        emulator.stop()


if __name__ == "__main__":
    main()
