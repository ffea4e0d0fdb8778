# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The execution environment of ee/, built as it is written, and an AWX job in it on the lab.

Another base than the one in the definition stands in for it, which no test can pull: Debian's, so packages for RPM
aren't proven. ``make test-ee`` runs this: it takes minutes.
"""

from __future__ import annotations

import os
import re
import shutil
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.enbuild.eks.tests.integration.guide import start_over
from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.runner import containers
from ansible_collections.enbuild.eks.tests.runner.containers import Podman
from ansible_collections.enbuild.eks.tests.runner.credentials import amazon_web_services
from ansible_collections.enbuild.eks.tests.runner.job import Job, run
from ansible_collections.enbuild.eks.tests.runner.project import Project
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif("ENBUILD_TEST_EE" not in os.environ, reason="an image is built in minutes: make test-ee"),
    pytest.mark.skipif(bool(containers.missing()), reason=containers.missing()),
]
DEFINITION = yaml.safe_load((CHECKOUT / "ee" / "execution-environment.yml").read_text())
BASE, IMAGE = "localhost/debian:bookworm", "localhost/enbuild-eks-ee:latest"
STEPS = " ".join(DEFINITION["additional_build_steps"]["append_final"])
HELM, PLACE = re.findall(r"--from=(\S+) /(\S+)", STEPS)[0]
DEBIAN = {
    "EE_BASE_IMAGE": BASE,
    "PKGMGR": "/usr/bin/apt-get",
    "PYCMD": "/usr/bin/python3",
    "PYPKG": "python3 python3-pip python3-venv",
}


@pytest.fixture(scope="module")
def image(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Podman]:
    """The image, built as the definition's first lines say."""
    podman = Podman.make(tmp_path_factory.mktemp("podman"))
    containers.debian(podman, BASE)
    containers.only(podman, lab.bin_dir / "helm", PLACE, HELM)
    source = podman.folder / "source"
    shutil.copytree(CHECKOUT / "ee", source / "ee")
    podman.run("ansible-galaxy", "collection", "build", "--output-path", str(source), cwd=CHECKOUT)
    arguments = [f"--build-arg={name}={value}" for name, value in DEBIAN.items()]
    more = "--extra-build-cli-args=--network=host --ulimit=nofile=1024:1024 --ulimit=nproc=2048:2048"
    build = ("ansible-builder", "build", "-f", "ee/execution-environment.yml", "-t", IMAGE, "-v", "3")
    podman.run(*build, "--container-runtime=podman", *arguments, more, cwd=source)
    yield podman
    podman.run("podman", "system", "reset", "--force")


def test_what_is_in_it(image: Podman) -> None:
    shell = "helm version --short; ansible-playbook --version; command -v kubectl aws || echo neither kubectl nor aws"
    said = image.run("podman", "run", "--rm", IMAGE, "sh", "-c", shell)
    for words in (f"v{HELM.partition(':')[2]}", "ansible-playbook [core 2.19.", "neither kubectl nor aws"):
        assert words in said


def test_a_thin_project_does_its_job_in_it(lab: Lab, image: Podman, tmp_path: Path) -> None:
    """The project only imports the collection's playbooks; the collection is the image's."""
    start_over(lab)
    (tmp_path / "none").mkdir()
    job = Job(
        playbook="site.yml",
        hosts={"production": {"eks_cluster_name": lab.cluster_name, "eks_region": lab.region}},
        extra_vars={"enbuild_release_chart_repository_url": lab.chart_repository_url},
        credentials=[amazon_web_services(lab.access_key_id, lab.secret_access_key)],
    )
    project = Project(CHECKOUT / "examples" / ".awx_project", tmp_path / "none")
    done = run(job, project, image.pod(IMAGE, {"AWS_ENDPOINT_URL": lab.aws_endpoint_url}), tmp_path)
    assert done.status == "successful", done.output
    assert done.artifacts["pod_identity_report"]["production"]["by_rung"]["allowed"] == 2
