# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pages of docs/ that lead somewhere: their every command, in order, on the lab."""

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
HERE = "tests/integration/test_documentation.py::"
SHOWN = {
    "ansible-playbook enbuild.eks.site --check": "lab: would change 9 things",
    "ansible-playbook enbuild.eks.site": "lab: changed 9 things: created 1 release, 1 add-on, 2 roles, 1 policy and 2"
    " associations; restarted 2 workloads",
    "ansible-playbook enbuild.eks.diagnose": "ERROR no_policy: Role enbuild-ai-bedrock has no policy",
    "ansible-playbook enbuild.eks.site --tags pod_identity_iam,pod_identity_verify": "lab: changed 1 thing",
    "ansible-playbook enbuild.eks.site -e @orders.yml": "1 workload (1 allowed)",
}
"""What getting-started.md says that each playbook ends with."""


@pytest.fixture
def empty(lab: Lab) -> t.Iterator[Lab]:
    """The lab as ``make lab-up`` starts it."""
    start_over(lab)
    namespaces.remove(lab, "shop")
    yield lab
    namespaces.leave(lab, "shop")
    start_over(lab, wait=False)


def test_getting_started(empty: Lab, tmp_path: Path) -> None:
    outputs = _follow("getting-started.md", "orders.yml", empty, tmp_path)
    assert {line: text for line, text in SHOWN.items() if text not in outputs[line]} == {}
    assert not [line for line in outputs if line.startswith("ansible-playbook") and line not in SHOWN]


def test_on_your_cluster(empty: Lab, tmp_path: Path) -> None:
    namespaces.renew(empty, "shop")
    empty.kubectl("create", "serviceaccount", "orders", "-n", "shop")
    empty.kubectl("create", "deployment", "orders", "-n", "shop", "--image=registry.example.com/orders")
    empty.kubectl("set", "serviceaccount", "deployment/orders", "orders", "-n", "shop")
    here = ("-e", f"eks_cluster_name={empty.cluster_name}", "-e", f"eks_region={empty.region}")
    outputs = _follow("on-your-cluster.md", "inventory.yml", empty, tmp_path, *here)
    endings = ("would change", "1 allowed", "1 allowed", "lab: as declared")
    assert [text for text, output in zip(endings, outputs.values(), strict=True) if text not in output] == []


def _follow(page: str, file: str, lab: Lab, folder: Path, *more: str) -> dict[str, str]:
    """Do what the page's blocks say that name this file; return what each line printed. YAML is kept as ``file``."""
    environment = {**lab.environment(), **lab.shell_variables()}
    outputs: dict[str, str] = {}
    for block in documents.blocks((CHECKOUT / "docs" / page).read_text()):
        if not block.mark or not block.mark[1].startswith(HERE):
            continue
        if block.language == "yaml":
            (folder / file).write_text(block.text)
        else:
            outputs |= {line: _run(line, environment, folder, more) for line in block.text.splitlines()}
    return outputs


def _run(line: str, environment: t.Mapping[str, str], folder: Path, more: t.Sequence[str]) -> str:
    """Run one line, a playbook with ``more`` arguments; return what it printed."""
    if line.startswith("ansible-playbook "):
        run = run_playbook([*shlex.split(line)[1:], *more], environment, cwd=str(folder))
        assert run.returncode == 0, run.output
        return run.output
    done = subprocess.run(
        ["bash", "-c", line], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
    return done.stdout
