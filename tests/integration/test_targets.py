# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the integration targets through ansible-playbook, on the lab or on a real cluster."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.tests.integration.where import Where, on_aws, on_lab
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT
from ansible_collections.enbuild.eks.tests.tools.playbook_run import run_playbook

TARGETS = Path(__file__).parent / "targets"
NAMES = sorted(path.name for path in TARGETS.iterdir() if (path / "aliases").is_file())

SETTINGS = {
    "ANSIBLE_ROLES_PATH": str(TARGETS),
    "ANSIBLE_INJECT_FACT_VARS": "false",
    "ANSIBLE_DEPRECATION_WARNINGS": "false",
    "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
    "ANSIBLE_RETRY_FILES_ENABLED": "false",
}


@pytest.fixture
def where(request: pytest.FixtureRequest) -> Where:
    """A real cluster if one is named, or else the lab with nothing in its AWS account."""
    if (aws := on_aws()) is not None:
        return aws
    request.getfixturevalue("aws_clean")
    return on_lab(request.getfixturevalue("lab"))


def playbook(target: str, where: Where) -> list[dict[str, t.Any]]:
    """A play of the target alone; region and group defaults as a user would set them."""
    region = {"region": where.region}
    control = {"headers": {"Authorization": "Bearer {{ lookup('file', test_lab_token_file) }}"}}
    return [
        {
            "name": target,
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "module_defaults": {
                "group/enbuild.eks.eks": region,
                "group/amazon.aws.aws": region,
                "ansible.builtin.uri": control,
            },
            "vars": {**where.variables, "ansible_python_interpreter": "{{ ansible_playbook_python }}"},
            "roles": [target],
        }
    ]


@pytest.mark.lab
@pytest.mark.parametrize("target", NAMES)
def test_target(target: str, where: Where, tmp_path: Path) -> None:
    file = tmp_path / "playbook.yml"
    file.write_text(json.dumps(playbook(target, where)))
    run = run_playbook(["-i", "localhost,", str(file)], {**where.environment, **SETTINGS})
    assert run.returncode == 0, run.output[-20_000:]
    assert run.recap("failed") == 0


def test_every_module_has_a_target() -> None:
    modules = {path.stem for path in (CHECKOUT / "plugins" / "modules").glob("*.py")}
    assert modules - set(NAMES) == set()
