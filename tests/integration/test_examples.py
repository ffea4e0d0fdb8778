# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples in the modules' documentation run as they are written."""

from __future__ import annotations

import json
import re
import typing as t
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT
from ansible_collections.enbuild.eks.tests.tools.playbook_run import run_playbook

CLUSTER = "production"
"""The cluster of all examples; its roles are of the lab's account."""
ROLE = re.compile(r"arn:aws:iam::123456789012:role/([\w-]+)")
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        }
    ],
}
MODULES = sorted(path.stem for path in (CHECKOUT / "plugins" / "modules").glob("*.py"))


@pytest.fixture
def production(lab: t.Any, aws_clean: t.Any) -> t.Any:
    """The lab with a second cluster, of the examples' name."""
    lab.aws("eks").create_cluster(
        name=CLUSTER, roleArn="arn:aws:iam::123456789012:role/cluster", resourcesVpcConfig={}, version="1.36"
    )
    return lab


@pytest.mark.lab
@pytest.mark.parametrize("module", MODULES)
def test_examples_run(production: t.Any, module: str, tmp_path: Path) -> None:
    examples = import_module(f"ansible_collections.enbuild.eks.plugins.modules.{module}").EXAMPLES
    for role in sorted(set(ROLE.findall(examples))):
        production.aws("iam").create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST))
    variables = {"eks_cluster_name": CLUSTER, "chart_repository_url": production.chart_repository_url}
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}", **variables},
        "tasks": yaml.safe_load(examples),
    }
    file = tmp_path / "playbook.json"
    file.write_text(json.dumps([play]))
    run = run_playbook(["-i", "localhost,", str(file)], production.environment())
    assert run.returncode == 0, run.output[-10_000:]
