# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The webhook returns what AWS's own returned, for each pod that was sent to it."""

from __future__ import annotations

import base64
import copy
import json
import ssl
import typing as t
import urllib.request
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.tests.lab.aws import pod_mutation
from ansible_collections.enbuild.eks.tests.unit.lab.aws.emulated import Lab

OBSERVED = json.loads((Path(__file__).parent / "data" / "webhook.json").read_text(encoding="utf-8"))
ANNOTATIONS = {(sa["namespace"], sa["name"]): sa["annotations"] for sa in OBSERVED["service_accounts"]}
ASSOCIATED = {(item["namespace"], item["serviceAccount"]) for item in OBSERVED["associations"]}
JITTER = "79200..86400"

Json = t.Any


def without_jitter(pod: Json) -> Json:
    """Replace each expiration in the jitter's range by the range, as the data has it."""
    pod = copy.deepcopy(pod)
    for volume in pod["spec"].get("volumes", []):
        for source in volume.get("projected", {}).get("sources", []):
            token = source["serviceAccountToken"]
            if token["expirationSeconds"] in range(79200, 86401):
                token["expirationSeconds"] = JITTER
    return pod


def mutate(pod: Json) -> Json:
    key = (pod["metadata"]["namespace"], pod["spec"].get("serviceAccountName"))
    return pod_mutation.mutate(pod, key in ASSOCIATED, ANNOTATIONS.get(key, {}), OBSERVED["region"])


@pytest.mark.parametrize("case", OBSERVED["cases"], ids=lambda case: case["case"])
def test_same_as_aws(case: Json) -> None:
    mutated = mutate(case["pod"])
    assert without_jitter(mutated) == case["mutated"]
    assert mutate(mutated) == mutated, "a second invocation changes nothing"


def test_jitter_spreads() -> None:
    pod = OBSERVED["cases"][0]["pod"]
    volumes = [mutate(pod)["spec"]["volumes"][0] for _unused in range(20)]
    assert (
        len({volume["projected"]["sources"][0]["serviceAccountToken"]["expirationSeconds"] for volume in volumes}) > 1
    )


@pytest.mark.parametrize(("wanted", "given"), [("60", 600), ("7200", 7200)])
def test_shortest_expiration(wanted: str, given: int) -> None:
    pod = copy.deepcopy(OBSERVED["cases"][0]["pod"])
    pod["metadata"]["annotations"] = {"eks.amazonaws.com/token-expiration": wanted}
    source = mutate(pod)["spec"]["volumes"][0]["projected"]["sources"][0]
    assert source["serviceAccountToken"]["expirationSeconds"] == given


@pytest.mark.parametrize(
    ("listed", "skipped"),
    [
        ("side,third", {"side", "third"}),
        ("side, third", {"side"}),
        (" side,third ", set()),
        ('"side","third"', {"side", "third"}),
        ('side,th"ird', set()),
        ('"side"x,third', set()),
        ('side,"third', set()),
        ("\nside\nthird", {"side"}),
        ("", set()),
    ],
)
def test_skipped_containers_are_read_as_csv_without_trimming(listed: str, skipped: set[str]) -> None:
    containers = [{"name": name} for name in ("main", "side", "third")]
    annotations = {"eks.amazonaws.com/skip-containers": listed}
    metadata = {"namespace": "shop", "annotations": annotations}
    mutated = mutate({"metadata": metadata, "spec": {"containers": containers, "serviceAccountName": "orders"}})
    assert {one["name"] for one in mutated["spec"]["containers"] if not one.get("env")} == skipped


def test_regional_endpoints_off() -> None:
    pod = {"metadata": {"namespace": "shop"}, "spec": {"containers": [{"name": "a"}], "serviceAccountName": "regional"}}
    names = {variable["name"] for variable in mutate(pod)["spec"]["containers"][0]["env"]}
    assert "AWS_STS_REGIONAL_ENDPOINTS" not in names
    assert "AWS_CONTAINER_CREDENTIALS_FULL_URI" in names


def ask(lab: Lab, pod: Json) -> Json:
    """Send a pod as the API server does, and apply the patch."""
    request = {"uid": "u1", "namespace": "shop", "object": pod}
    url = f"https://127.0.0.1:{lab.config.https_port}/mutate-pods"
    context = ssl.create_default_context(cafile=lab.config.tls_cert)
    with urllib.request.urlopen(url, json.dumps({"request": request}).encode(), timeout=10, context=context) as answer:
        response = json.load(answer)["response"]
    assert (response["uid"], response["allowed"]) == ("u1", True)
    patched = copy.deepcopy(pod)
    for change in json.loads(base64.b64decode(response.get("patch", "W10="))):
        _unused, section, name = change["path"].split("/")
        assert change["op"] == "add"
        patched[section][name] = change["value"]
    return patched


@pytest.mark.parametrize("cluster", ["lab", "auto"])
def test_over_tls_for_the_associations_of_every_cluster(lab: Lab, eks: t.Any, cluster: str) -> None:
    case = OBSERVED["cases"][0]
    assert ask(lab, case["pod"]) == case["pod"]
    role = lab.role("a")
    made = eks.create_pod_identity_association(
        clusterName=cluster, namespace="shop", serviceAccount="orders", roleArn=role
    )["association"]
    assert without_jitter(ask(lab, case["pod"])) == case["mutated"]
    eks.delete_pod_identity_association(clusterName=cluster, associationId=made["associationId"])
    assert ask(lab, case["pod"]) == case["pod"]


def test_annotations_are_read_from_the_cluster(lab: Lab) -> None:
    case = next(case for case in OBSERVED["cases"] if case["case"] == "own audience, IRSA")
    lab.kubernetes.add_service_account("shop", "audience", ANNOTATIONS["shop", "audience"])
    assert without_jitter(ask(lab, case["pod"])) == case["mutated"]


def test_stays_cold_after_each_change(lab: Lab, eks: t.Any) -> None:
    cold, warm = {"webhook_cold_seconds": 600}, {"webhook_cold_seconds": 0}
    lab.control("PUT", "weather", cold)
    pod = OBSERVED["cases"][0]["pod"]
    address = {"clusterName": "lab", "namespace": "shop", "serviceAccount": "orders"}
    made = eks.create_pod_identity_association(**address, roleArn=lab.role("a"))["association"]
    assert ask(lab, pod) == pod
    lab.control("PUT", "weather", warm)
    assert ask(lab, pod) != pod
    lab.control("PUT", "weather", cold)
    eks.delete_pod_identity_association(clusterName="lab", associationId=made["associationId"])
    assert ask(lab, pod) != pod
    lab.control("PUT", "weather", warm)
    assert ask(lab, pod) == pod
