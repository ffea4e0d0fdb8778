# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab that the integration tests share."""

from __future__ import annotations

import os
import typing as t

import pytest
from ansible_collections.enbuild.eks.tests.integration import agent, namespaces
from ansible_collections.enbuild.eks.tests.integration.shop import Shop
from ansible_collections.enbuild.eks.tests.lab.labs import Lab, remove
from ansible_collections.enbuild.eks.tests.tools.playbook_run import Warm, warmed_by
from ansible_collections.enbuild.eks.tests.tools.warm_python import WarmPython


@pytest.fixture(scope="session")
def lab(request: pytest.FixtureRequest) -> t.Iterator[Lab]:
    """One lab for the session (with pytest-xdist, for each of its workers); its logs are kept if a test fails."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def say(text: str) -> None:
        with capture.global_and_fixture_disabled():  # Programs may have to be built, in minutes.
            print(f"-- {text}", flush=True)

    with Lab.start(f"test-{os.getpid()}", tied=True, say=say if capture else print) as started:
        yield started
    if not request.session.testsfailed:
        remove(started.name)


@pytest.fixture(scope="session", autouse=True)
def warm() -> t.Iterator[None]:
    """Let playbooks and their modules begin with what they import, which otherwise is most of their work."""
    with (
        WarmPython.start("controller") as controller,
        WarmPython.start("modules") as modules,
        warmed_by(Warm(controller, modules)),
    ):
        yield


@pytest.fixture
def aws_clean(lab: Lab) -> Lab:
    """The lab with nothing in its AWS account but the operator and the cluster."""
    lab.reset()
    return lab


@pytest.fixture(scope="module")
def prepared(lab: Lab) -> t.Iterator[Lab]:
    """An account with nothing in it but a healthy agent."""
    lab.reset()
    agent.remove(lab)
    agent.install(lab)
    yield lab
    agent.remove(lab)
    lab.reset()


@pytest.fixture
def shop(prepared: Lab) -> t.Iterator[Shop]:
    """A namespace for a Deployment, and afterwards no association."""
    made = Shop(prepared)
    yield made
    made.restore()
    prepared.weather(webhook_cold_seconds=0, health_grace_seconds=10)
    namespaces.leave(prepared, made.namespace)
    eks = prepared.aws("eks")
    for each in eks.list_pod_identity_associations(clusterName=prepared.cluster_name)["associations"]:
        eks.delete_pod_identity_association(clusterName=prepared.cluster_name, associationId=each["associationId"])
