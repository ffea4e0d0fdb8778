# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What lies about in a checkout doesn't get into the tarball, neither the release's nor one that a user builds."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.tests.tools import artifact
from ansible_collections.enbuild.eks.tests.tools.checkout import copy_as_collection, run

PLANTED = (
    ".env",
    ".aws/credentials",
    ".kube/config",
    ".vault_pass",
    "kubeconfig",
    "kubeconfig-production.yml",
    "production.kubeconfig",
    "inventory.yml",
    "inventory/production.yml",
    "hosts",
    "values.yaml",
    "values-production.yml",
    "terraform.tfstate",
    "tls.pem",
    "tls.key",
    "reports/production.json",
    "pod-identity-report.html",
    "roles/pod_identity_iam/files/tls.pem",
    "examples/.env",
    "playbooks/group_vars/all.yml",
    "playbooks/host_vars/production.yml",
    "playbooks/site.retry",
)
"""What people keep beside a playbook."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with all that is committed, and what isn't."""
    copy = copy_as_collection(tmp_path_factory.mktemp("checkout"))
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "all")):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *words], cwd=copy, check=True)
    for name in PLANTED:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text("planted")
    return copy


def names(tarball: Path) -> set[str]:
    with tarfile.open(tarball) as opened:
        return {member.name for member in opened.getmembers() if not member.isdir()}


def test_the_release_is_what_is_committed_and_listed(checkout: Path, tmp_path: Path) -> None:
    made = names(artifact.build(checkout, tmp_path))
    assert {"MANIFEST.json", "README.md", "plugins/modules/pod_identity_roles.py", "playbooks/site.yml"} <= made
    assert made & set(PLANTED) == set()
    assert artifact.unlisted(made) == []


def test_nothing_of_it_belongs_in_a_release_even_if_somebody_commits_it() -> None:
    assert artifact.unlisted(PLANTED) == sorted(PLANTED)


def test_what_a_user_builds_has_none_of_it_either(checkout: Path, tmp_path: Path) -> None:
    code, output = run("ansible-galaxy", "collection", "build", "--output-path", str(tmp_path), cwd=checkout)
    assert code == 0, output
    (tarball,) = tmp_path.glob("*.tar.gz")
    assert sorted(names(tarball) & set(PLANTED)) == []


def test_a_checkout_is_installed_without_distlib(checkout: Path, tmp_path: Path) -> None:
    """As a project update does it in AWX, and whoever installs from a Git URL: ``manifest`` in galaxy.yml needs it."""
    without = tmp_path / "distlib.py"
    without.write_text("raise ImportError")
    words = ("ansible-galaxy", "collection", "install", "--no-deps", "-p", str(tmp_path), f"git+file://{checkout}")
    code, output = run(*words, cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert code == 0, output
    assert (tmp_path / "ansible_collections" / "enbuild" / "eks" / "playbooks" / "site.yml").is_file()
