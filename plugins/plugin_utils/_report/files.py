# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of reports: for their owner alone, unless somebody opened the folder or the file before."""

from __future__ import annotations

import os
import stat
import tempfile
import typing as t

FOLDER_MODE = 0o700
FILE_MODE = 0o600


def write(folder: str, texts: t.Mapping[str, str]) -> list[str]:
    """Write ``texts`` by their files' names to ``folder`` and return their paths; "" writes nothing.

    A relative folder is meant from where Ansible was started. What is there already keeps its mode. Raises OSError.
    """
    if not folder or not texts:
        return []
    path = os.path.realpath(os.path.expanduser(folder))
    os.makedirs(path, mode=FOLDER_MODE, exist_ok=True)
    return [_write(os.path.join(path, name), text) for name, text in texts.items()]


def _write(path: str, text: str) -> str:
    """Replace a file as a whole, so that nobody reads half of it."""
    mode = stat.S_IMODE(os.stat(path).st_mode) if os.path.exists(path) else FILE_MODE
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".report-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return path
