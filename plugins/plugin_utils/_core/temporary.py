# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files in Ansible's own temporary folder of this run, mode 0700, which goes when the run ends."""

from __future__ import annotations

import os
import tempfile

from ansible import constants


def path_of(name: str) -> str:
    """Path of a file ``name`` in that folder."""
    return os.path.join(constants.DEFAULT_LOCAL_TMP, name)


def write(path: str, data: bytes) -> None:
    """Write ``path`` at once, so that forks that write the same file don't read half of it; mode 0600."""
    handle, draft = tempfile.mkstemp(dir=os.path.dirname(path))
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    os.replace(draft, path)
