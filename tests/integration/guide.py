# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide's job on the lab: the enbuild release, its roles and associations; how it is run, and what is then true."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.enbuild.eks.tests.integration import agent, namespaces
from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.tools.playbook_run import PlaybookRun, run_playbook

NAMESPACE = "enbuild"


def run_guide(
    lab: Lab,
    playbook: str,
    *arguments: str,
    environment: t.Mapping[str, str] | None = None,
    on_line: t.Callable[[str], bool | None] | None = None,
    **variables: t.Any,
) -> PlaybookRun:
    """Run a playbook of the collection on the lab's cluster, with its chart."""
    given = {
        "eks_cluster_name": lab.cluster_name,
        "eks_region": lab.region,
        "enbuild_release_chart_repository_url": lab.chart_repository_url,
        "pod_identity_verify_ask_pods": False,  # Each answer costs a start of Python; one run asks.
        **variables,
    }
    return run_playbook(
        [f"enbuild.eks.{playbook}", "-e", json.dumps(given), *arguments],
        {**lab.environment(), **(environment or {})},
        on_line,
    )


def start_over(lab: Lab, wait: bool = True) -> None:
    """Leave nothing of the job: no release, no agent, an empty account."""
    (namespaces.remove if wait else namespaces.leave)(lab, NAMESPACE)
    agent.remove(lab)
    lab.reset()


def associations(lab: Lab) -> dict[str, str]:
    """The name of the role of each service account."""
    eks = lab.aws("eks")
    listed = eks.list_pod_identity_associations(clusterName=lab.cluster_name)["associations"]
    return {
        f"{each['namespace']}/{each['serviceAccount']}": eks.describe_pod_identity_association(
            clusterName=lab.cluster_name, associationId=each["associationId"]
        )["association"]["roleArn"].rsplit("/")[-1]
        for each in listed
    }


def pods_with_credentials(lab: Lab) -> set[str]:
    pods = json.loads(lab.kubectl("get", "pods", "-n", NAMESPACE, "-o", "json"))["items"]
    return {
        pod["metadata"]["labels"]["app"]
        for pod in pods
        if "deletionTimestamp" not in pod["metadata"]
        and any(
            variable["name"] == "AWS_CONTAINER_CREDENTIALS_FULL_URI"
            for variable in pod["spec"]["containers"][0].get("env", [])
        )
    }


def assert_the_job_is_done(lab: Lab) -> None:
    assert associations(lab) == {
        "enbuild/enbuild-enbuild-ai": "enbuild-ai-bedrock",
        "enbuild/enbuild-enbuild-ctf": "enbuild-ctf-s3",
    }
    assert pods_with_credentials(lab) == {"ai", "ctf"}
    addon = lab.aws("eks").describe_addon(clusterName=lab.cluster_name, addonName=agent.AGENT)["addon"]
    assert addon["status"] == "ACTIVE"
