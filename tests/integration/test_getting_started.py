# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/getting-started.md, command by command, in a shell on the lab."""

from __future__ import annotations

import shlex
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.tests.integration import namespaces
from ansible_collections.enbuild.eks.tests.integration.guide import start_over
from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.tools import documents
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT
from ansible_collections.enbuild.eks.tests.tools.playbook_run import run_playbook

pytestmark = pytest.mark.lab
SHOWN = {
    "ansible-playbook enbuild.eks.site --check": "lab: would change 9 things",
    "ansible-playbook enbuild.eks.site": "2 workloads (2 allowed); no finding",
    "ansible-playbook enbuild.eks.diagnose": "ERROR no_policy: Role enbuild-ai-bedrock has no policy",
    "ansible-playbook enbuild.eks.site --tags pod_identity_iam,pod_identity_verify": "lab: changed 1 thing",
    "ansible-playbook enbuild.eks.site -e @orders.yml --skip-tags enbuild_release": "1 workload (1 allowed)",
}
"""What the page says that each playbook ends with."""


@pytest.fixture
def empty(lab: Lab) -> t.Iterator[Lab]:
    """The lab as ``make lab-up`` starts it."""
    start_over(lab)
    namespaces.remove(lab, "shop")
    yield lab
    namespaces.leave(lab, "shop")
    start_over(lab, wait=False)


def test_the_page_from_top_to_bottom(empty: Lab, tmp_path: Path) -> None:
    environment = {**empty.environment(), **empty.shell_variables()}
    outputs = {}
    for block in documents.blocks((CHECKOUT / "docs" / "getting-started.md").read_text()):
        if not block.mark or block.mark[0] != "run":
            continue
        if block.language == "yaml":
            (tmp_path / "orders.yml").write_text(block.text)
            continue
        for line in block.text.splitlines():
            outputs[line] = _run(line, environment, tmp_path)
    assert {line: text for line, text in SHOWN.items() if text not in outputs[line]} == {}
    assert not [line for line in outputs if line.startswith("ansible-playbook") and line not in SHOWN]


def _run(line: str, environment: t.Mapping[str, str], folder: Path) -> str:
    """Run one line; return what it printed."""
    if line.startswith("ansible-playbook "):
        run = run_playbook(shlex.split(line)[1:], environment, cwd=str(folder))
        assert run.returncode == 0, run.output
        return run.output
    done = subprocess.run(
        ["bash", "-c", line], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
    return done.stdout
