# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""site.yml on the lab: predicted, done, done again; refused with one message."""

from __future__ import annotations

import functools
import json
import re
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.tests.integration.guide import (
    NAMESPACE,
    assert_the_job_is_done,
    associations,
    run_guide,
    start_over,
)
from ansible_collections.enbuild.eks.tests.integration.releases import set_status
from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT
from ansible_collections.enbuild.eks.tests.tools.playbook_run import PlaybookRun, run_playbook, warmed_by

Site = t.Callable[..., PlaybookRun]
PRIVATE_ROLE_VARS = {"ANSIBLE_PRIVATE_ROLE_VARS": "true"}
IAM_CALLS = 4
"""As many as the step needs for the guide's two roles when nothing changes."""
IAM_CALLS_OF = {"pod_identity_iam": IAM_CALLS, "pod_identity_associations": 0, "pod_identity_verify": 0}


def total(calls: dict[str, dict[str, int]]) -> int:
    """The number of calls; not those of STS, which a pod that is asked asks who it is, where its image has an SDK."""
    return sum(sum(operations.values()) for service, operations in calls.items() if service != "sts")


@pytest.fixture
def other_python(tmp_path: Path) -> Path:
    """The same interpreter under another name, for which Ansible starts a process for each module; it counts them."""
    program = tmp_path / "python"
    program.write_text(f'#!/bin/sh\necho started >> "{tmp_path}/started"\nexec "{sys.executable}" "$@"\n')
    program.chmod(0o755)
    return program


@pytest.fixture(scope="module")
def site(lab: Lab) -> t.Iterator[Site]:
    """Run site.yml; the module's tests begin with an empty account, and go on from one to the next."""
    start_over(lab)
    yield functools.partial(run_guide, lab, "site")
    start_over(lab, wait=False)


@pytest.fixture
def installed(lab: Lab, site: Site) -> None:
    """The guide's job, done."""
    if len(associations(lab)) < 2:
        assert site().returncode == 0


MOST_TASKS, MOST_SKIPPED, MOST_SAID = 30, 0, 5
"""Of a site run that changes nothing, and lines at the end of one that changes everything."""
MOST_CALLS = 17
"""Of a site run that changes nothing; docs/performance.md says what each call is for."""
MOST_CALLS_OF_VERIFY = 9
"""Of AWS, none of them IAM's, where everything is allowed."""

BAD = {
    "no such cluster": ({"eks_cluster_name": "prodution"}, {}, ["prodution", "cluster_name"]),
    "no cluster name": ({"eks_cluster_name": ""}, {}, ["eks_cluster_name is missing"]),
    "wrong region": ({"eks_region": "eu-west-1"}, {}, ["eu-west-1"]),
    "no credentials": (
        {},
        {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true"},
        ["credentials"],
    ),
    "unknown credentials": ({}, {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"}, ["credentials", "renew"]),
    "malformed policy": (
        {
            "pod_identity_workloads": [
                {"name": "x", "namespace": "n", "deployment": "d", "role_name": "r", "policy": "{nonsense"}
            ]
        },
        {},
        ["Workload x", "policy is not JSON"],
    ),
    "unknown chart": ({"enbuild_release_chart": "enbuilt"}, {}, ["enbuilt", "enbuild_release_chart"]),
    "old chart": ({"enbuild_release_chart_version": "0.0.37"}, {}, ["0.0.37", "0.0.38"]),
    "unreachable API server": (
        {"eks_cluster_host": "https://127.0.0.1:9", "eks_cluster_api_key": "x"},
        {},
        ["127.0.0.1:9"],
    ),
    "no Helm": ({"enbuild_release_helm": "/nowhere/helm"}, {}, ["/nowhere/helm", "missing", "Install Helm 3"]),
    "no Bedrock in the partition": (
        {"eks_cluster_name": "beijing", "eks_region": "cn-north-1"},
        {},
        ["aws-cn", "Bedrock"],
    ),
    "values file": ({"enbuild_release_values_files": ["/nowhere/values.yaml"]}, {}, ["/nowhere/values.yaml"]),
}


@pytest.fixture(scope="module")
def beijing(lab: Lab, site: Site) -> None:
    """A cluster in a partition that has no Bedrock."""
    lab.aws("eks", region_name="cn-north-1").create_cluster(
        name="beijing", roleArn="arn:aws-cn:iam::123456789012:role/cluster", resourcesVpcConfig={}
    )


@pytest.mark.parametrize(("variables", "environment", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_refused_before_anything_changes(
    lab: Lab, site: Site, beijing: None, variables: t.Any, environment: t.Any, words: t.Any
) -> None:
    run = site(environment=environment, **variables)
    assert run.returncode != 0, run.output
    assert [word for word in words if word not in run.output] == [], run.output
    assert run.changed == []


def test_a_tag_that_no_task_has_is_a_failure_that_names_those_that_exist(lab: Lab, tmp_path: Path) -> None:
    """And so is one that only another playbook has: this one would do nothing, and be green."""
    mine = tmp_path / "mine.yml"
    mine.write_text("- {hosts: localhost, gather_facts: false, tasks: [{ansible.builtin.meta: noop, tags: [mine]}]}")
    variables = json.dumps({"eks_cluster_name": lab.cluster_name, "eks_region": lab.region})
    tags = ["--tags", "pod_identity_imm,mine", "-e", variables]
    run = run_playbook(["enbuild.eks.site", str(mine), *tags], lab.environment())
    assert run.returncode == 2, run.output
    assert "Only other playbooks have the tag mine, so no task of this one would run." in run.failure
    assert "No task has the tag pod_identity_imm, so nothing was done. Did you mean pod_identity_iam?" in run.failure
    assert "enbuild_release, pod_identity_agent, pod_identity_associations" in run.failure
    assert [name for name in run.tasks if "Read" in name] == []


def test_tags_of_a_playbook_that_imports_ours_are_its_own(lab: Lab, site: Site, tmp_path: Path) -> None:
    own = {
        "name": "Own",
        "hosts": "localhost",
        "gather_facts": False,
        "tags": ["own"],
        "tasks": [{"ansible.builtin.meta": "noop"}],
    }
    wrapper = tmp_path / "all.yml"
    wrapper.write_text(json.dumps([own, {"name": "Ours", "ansible.builtin.import_playbook": "enbuild.eks.site"}]))
    variables = json.dumps({"eks_cluster_name": lab.cluster_name, "eks_region": lab.region})
    run = run_playbook([str(wrapper), "--tags", "own", "-e", variables], lab.environment())
    assert run.returncode == 0, run.output


def test_a_denied_action_says_who_may_not_do_what(lab: Lab, site: Site) -> None:
    iam = lab.aws("iam")
    iam.create_user(UserName="reader")
    iam.put_user_policy(
        UserName="reader",
        PolicyName="p",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}],
            }
        ),
    )
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    run = site(environment={"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]})
    assert "user/reader is not authorized to perform: eks:DescribeCluster" in run.failure
    assert "Allow DescribeCluster to the caller" in run.failure
    assert run.changed == []


def test_an_old_helm_is_refused(site: Site, tmp_path: Path) -> None:
    """Only the version is asked before the refusal, so a script that answers it stands for that Helm."""
    helm = tmp_path / "helm"
    helm.write_text("""#!/bin/sh\n[ "$1" = version ] && echo v3.9.4 || exit 1\n""")
    helm.chmod(0o755)
    run = site(enbuild_release_helm=str(helm))
    assert "is 3.9.4. This needs Helm 3.14 or newer" in run.failure
    assert run.changed == []


def test_the_playbook_runs_from_the_checkout_and_by_its_name(lab: Lab, site: Site) -> None:
    by_path = run_playbook(["playbooks/site.yml", "--list-tags"], lab.environment(), cwd=str(CHECKOUT))
    by_name = run_playbook(["enbuild.eks.site", "--list-tags"], lab.environment())
    tags = "enbuild_release, pod_identity_agent, pod_identity_associations, pod_identity_iam, pod_identity_rollout"
    assert tags in by_path.output
    assert tags in by_name.output


def test_predicted_done_and_done_again(lab: Lab, site: Site, other_python: Path) -> None:
    predicted = site("--check", "--diff")
    assert predicted.returncode == 0, predicted.output
    assert associations(lab) == {}
    assert "ERROR" not in predicted.output, predicted.output
    assert re.findall(r'^\+ +".*": (?:null|""|\[\]|\{\}),?$', predicted.output, re.MULTILINE) == []
    assert "run it without --check" in predicted.tasks["Report the run"]
    with warmed_by(None):  # As a user runs it, with each module packed for a Python of its own.
        real = site("--diff", "-e", f"ansible_python_interpreter={other_python}", environment=PRIVATE_ROLE_VARS)
    assert real.returncode == 0, real.output
    assert predicted.changed == real.changed
    ending = re.findall(r"^(?!ok: ).+$", real.tasks["Report the run"], re.MULTILINE)
    assert len(ending) <= MOST_SAID, ending
    assert f"+++ after: association {NAMESPACE}/enbuild-enbuild-ai" in real.output
    assert real.output.count("kubectl.kubernetes.io/restartedAt") == 2, real.output
    assert re.findall(r"^skipping: ", predicted.output + real.output, re.MULTILINE) == []
    assert_the_job_is_done(lab)
    lab.forget_calls()
    again = site("-vvv")
    assert (again.returncode, again.changed) == (0, []), again.output
    assert "AnsiballZ_" not in again.output
    assert other_python.with_name("started").read_text().count("\n") > 7
    assert len(re.findall(r"^TASK .* : Find the service accounts of", again.output, re.MULTILINE)) == 1
    tasks = re.findall(r"^TASK \[.*$", again.output, re.MULTILINE)
    assert len(tasks) <= MOST_TASKS, "\n".join(tasks)
    assert len(re.findall(r"^skipping: ", again.output, re.MULTILINE)) <= MOST_SKIPPED, again.output
    said = again.tasks["Report the run"]
    assert "lab: changed nothing" in said
    assert "(2 allowed); no finding; nothing to do" in said
    calls = lab.calls()["calls"]
    assert total(calls) <= MOST_CALLS, calls
    assert sum(calls["iam"].values()) <= IAM_CALLS, calls
    reads = ("Get", "List", "Describe", "AssumeRoleForPodIdentity")
    assert not [name for names in calls.values() for name in names if not name.startswith(reads)]
    check = site("--check", "--diff")
    assert (check.returncode, check.changed) == (0, []), check.output


def test_only_stale_workloads_are_restarted(lab: Lab, site: Site, installed: None, tmp_path: Path) -> None:
    before = lab.kubectl("get", "pods", "-n", NAMESPACE, "-l", "app=ai", "-o", "name")
    eks = lab.aws("eks")
    (found,) = eks.list_pod_identity_associations(
        clusterName=lab.cluster_name, namespace=NAMESPACE, serviceAccount="enbuild-enbuild-ctf"
    )["associations"]
    eks.delete_pod_identity_association(clusterName=lab.cluster_name, associationId=found["associationId"])
    without_shell = {"metadata": {"annotations": {"lab.enbuild.eks/tools": "none"}}}
    patch = json.dumps({"spec": {"template": without_shell}})
    lab.kubectl("patch", "deployment/enbuild-enbuild-ctf", "-n", NAMESPACE, "-p", patch)
    lab.kubectl("rollout", "status", "deployment/enbuild-enbuild-ctf", "-n", NAMESPACE, "--timeout=60s")
    image = {"pod_identity_verify_ephemeral_container_image": "registry.example.com/busybox"}
    run = site(pod_identity_verify_ask_pods=True, pod_identity_report_dir=str(tmp_path), **image)
    assert run.returncode == 0, run.output
    assert [change for change in run.changed if "estart" in change] == [
        "enbuild.eks.pod_identity_rollout : Restart Deployment enbuild/enbuild-enbuild-ctf"
    ]
    assert lab.kubectl("get", "pods", "-n", NAMESPACE, "-l", "app=ai", "-o", "name") == before
    made = json.loads((tmp_path / f"{lab.cluster_name}.json").read_text())
    asked = [(each["pod_asked"]["how"], each["pod_asked"]["agrees"]) for each in made["workloads"]]
    assert asked == [("exec", True), ("ephemeral_container", True)]
    assert "own answer is not known" not in run.output
    assert_the_job_is_done(lab)


BY_TAGS = {
    "pod_identity_iam": ("--tags", "pod_identity_iam"),
    "pod_identity_associations": (
        "--skip-tags",
        "enbuild_release,pod_identity_agent,pod_identity_iam,pod_identity_rollout,pod_identity_verify",
    ),
    "pod_identity_verify": ("--tags", "pod_identity_verify"),
}
"""How one step is run alone: by its own tag, or without those of all others."""


@pytest.mark.parametrize("step", BY_TAGS)
def test_each_step_runs_alone(lab: Lab, site: Site, installed: None, step: str) -> None:
    lab.forget_calls()
    run = site(*BY_TAGS[step])
    calls = lab.calls()["calls"]
    if step == "pod_identity_verify":
        assert total(calls) <= MOST_CALLS_OF_VERIFY, calls
    assert sum(calls.get("iam", {}).values()) <= IAM_CALLS_OF[step], calls
    assert (run.returncode, run.changed) == (0, []), run.output
    steps = {name.partition(" : ")[0].removeprefix("enbuild.eks.") for name in run.tasks if "Validating" not in name}
    assert steps & {*BY_TAGS, "enbuild_release", "pod_identity_agent", "pod_identity_rollout"} == {step}


def test_a_pending_release_is_named_with_the_way_out(lab: Lab, site: Site, installed: None) -> None:
    release = lab.helm("get", "metadata", "enbuild", "-n", NAMESPACE)
    assert "deployed" in release
    set_status(lab, NAMESPACE, "pending-upgrade")
    run = site()
    set_status(lab, NAMESPACE, "deployed")
    assert "Release enbuild/enbuild is pending-upgrade" in run.failure
    assert "run helm uninstall enbuild -n enbuild, then run this again" in run.failure


def test_values_of_the_release_and_of_the_user_are_kept(lab: Lab, site: Site, installed: None, tmp_path: Path) -> None:
    lab.helm(
        *("upgrade", "enbuild", "enbuild", "--repo", lab.chart_repository_url, "-n", NAMESPACE),
        *("--reuse-values", "--set", "enbuildCTF.aws_region=eu-west-1"),
    )
    values = tmp_path / "values.yaml"
    values.write_text("enbuildBackend: {replicas: 2}\n")
    run = site(enbuild_release_values_files=[str(values)], enbuild_release_values="enbuildUI: {replicas: 3}")
    assert run.returncode == 0, run.output
    kept = json.loads(lab.helm("get", "values", "enbuild", "-n", NAMESPACE, "-o", "json"))
    assert kept["enbuildCTF"] == {"aws_region": "eu-west-1", "serviceAccount": {"create": True}}
    assert (kept["enbuildBackend"]["replicas"], kept["enbuildUI"]["replicas"]) == (2, 3)


def web_server_on(node: str) -> dict[str, t.Any]:
    """A pod that holds port 80 of a node."""
    container = {"name": "web", "image": "web", "ports": [{"containerPort": 8080, "hostPort": 80}]}
    spec = {"nodeName": node, "containers": [container], "terminationGracePeriodSeconds": 0}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "default"}, "spec": spec}


def test_auto_mode_needs_the_add_on_for_other_nodes_alone(lab: Lab, site: Site) -> None:
    lab.aws("eks").create_cluster(
        name="auto",
        roleArn="arn:aws:iam::123456789012:role/cluster",
        resourcesVpcConfig={},
        computeConfig={"enabled": True, "nodePools": ["general-purpose"]},
    )
    access = {"eks_cluster_kubeconfig": str(lab.kubernetes.kubeconfig), "eks_cluster_context": "lab-admin"}
    label = "eks.amazonaws.com/compute-type"
    lab.kubectl("label", "nodes", "--all", f"{label}=auto")
    try:
        run = site("--tags", "pod_identity_agent", eks_cluster_name="auto", **access)
        assert run.returncode == 0, run.output
        assert "runs in EKS Auto Mode, which has the Pod Identity Agent built in" in run.output
        assert lab.aws("eks").list_addons(clusterName="auto")["addons"] == []
        node = lab.kubectl("get", "nodes", "-o", "name").split()[0]
        lab.kubectl("label", node, f"{label}-")
        lab.kubectl("apply", "-f", "-", input=json.dumps(web_server_on(node.removeprefix("node/"))))
        run = site("--tags", "pod_identity_agent", eks_cluster_name="auto", **access)
        assert f"other pods hold them: pod default/web (port 80 of {node.removeprefix('node/')})" in run.failure
        assert lab.aws("eks").list_addons(clusterName="auto")["addons"] == []
        evicting = {"pod_identity_agent_evict_pods": True, **access}
        run = site("--tags", "pod_identity_agent", eks_cluster_name="auto", **evicting)
        assert run.returncode == 0, run.output
        assert "runs in EKS Auto Mode" not in run.output
        assert lab.aws("eks").list_addons(clusterName="auto")["addons"] == ["eks-pod-identity-agent"]
    finally:
        lab.kubectl("label", "nodes", "--all", f"{label}-")
        lab.kubectl("delete", "pod", "web", "--ignore-not-found", "--wait=false")


@pytest.mark.parametrize("named", [False, True])
def test_the_service_account_default_is_refused_unless_asked_for_by_name(
    lab: Lab, site: Site, installed: None, named: t.Any
) -> None:
    which = {"service_account": "default"} if named else {"deployment": "enbuild-enbuild-backend"}
    run = site(
        "--tags",
        "pod_identity_iam,pod_identity_associations",
        pod_identity_workloads=[{"name": "backend", "namespace": NAMESPACE, **which, "role_name": "backend"}],
    )
    if named:
        assert run.returncode == 0, run.output
        assert associations(lab)["enbuild/default"] == "backend"
    else:
        assert "runs under the service account default" in run.failure
        assert "Remedy: kubectl create serviceaccount" in run.failure
        assert "enbuild/default" not in associations(lab)
