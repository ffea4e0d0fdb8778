# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's control plane: what it gives, and that it leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.tests.integration import agent, namespaces
from ansible_collections.enbuild.eks.tests.lab import binaries, webhook
from ansible_collections.enbuild.eks.tests.lab.eventually import eventually
from ansible_collections.enbuild.eks.tests.lab.kubernetes_api import KubernetesError
from ansible_collections.enbuild.eks.tests.lab.labs import Lab, find, remove, stop
from ansible_collections.enbuild.eks.tests.lab.layout import lab_folder
from ansible_collections.enbuild.eks.tests.lab.parts import PACKAGE

pytestmark = pytest.mark.lab

COMMAND = [sys.executable, "-m", PACKAGE]
SECRETS = "secrets"


def processes_of(folder: Path) -> list[str]:
    """The command lines that mention a lab's folder: every part's does."""
    listed = subprocess.run(["ps", "-axww", "-o", "command="], capture_output=True, text=True, check=True).stdout
    mentioned = re.compile(re.escape(str(folder)) + r"(?![\w.-])")
    return [line for line in listed.splitlines() if mentioned.search(line)]


def run(command: str, name: str, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {**os.environ, **environment}
    return subprocess.run([*COMMAND, command, "--name", name], capture_output=True, text=True, check=False, env=given)


@pytest.fixture
def other() -> t.Iterator[str]:
    """The name of a lab beside the session's."""
    name = f"test-{os.getpid()}-other"
    yield name
    stop(name)
    remove(name)


@pytest.fixture
def namespace(lab: Lab) -> t.Iterator[str]:
    """A namespace of the test's own; Kubernetes takes up to 16 s to end it, which nobody waits for."""
    created = lab.kubernetes_call("/api/v1/namespaces", "POST", {"metadata": {"generateName": "control-plane-"}})
    name = str(created["metadata"]["name"])
    yield name
    namespaces.leave(lab, name)


@pytest.fixture
def chart(lab: Lab, namespace: str) -> t.Callable[..., dict[str, t.Any]]:
    """Install the stand-in chart as the release ``enbuild``; gives its workloads by kind and name."""
    lab.helm("repo", "add", "enbuild", lab.chart_repository_url, "--force-update")

    def install(version: str, *switches: str) -> dict[str, t.Any]:
        given = [word for switch in switches for word in ("--set", switch)]
        lab.helm("install", "enbuild", "enbuild/enbuild", "--version", version, "-n", namespace, "--wait", *given)
        listed = json.loads(lab.kubectl("get", "deployment,statefulset,sa,pvc", "-n", namespace, "-o", "json"))
        return {f"{item['kind']}/{item['metadata']['name']}": item for item in listed["items"]}

    return install


AI = "lightning_features.deploy_lightning.ai_lightning=true"
CTF = "lightning_features.secure_lightning.ctf=true"


def account_of(workload: dict[str, t.Any]) -> str:
    return str(workload["spec"]["template"]["spec"].get("serviceAccountName", "default"))


def test_both_nodes_are_ready_and_look_like_a_node_group(lab: Lab) -> None:
    nodes = lab.kubernetes_call("/api/v1/nodes")["items"]
    ready = [{one["type"]: one["status"] for one in node["status"]["conditions"]}["Ready"] for node in nodes]
    assert ready == ["True", "True"]
    assert {node["metadata"]["labels"]["eks.amazonaws.com/nodegroup"] for node in nodes} == {"lab"}
    assert {node["status"]["nodeInfo"]["kubeletVersion"] for node in nodes} == {"v1.36.3"}


def test_the_chart_runs_with_service_accounts_of_its_own(chart: t.Callable[..., dict[str, t.Any]]) -> None:
    accounts = [f"{service}.serviceAccount.create=true" for service in ("enbuildAI", "enbuildCTF")]
    ignored = ["enbuildAI.serviceAccount.name=enbuild-ai", "enbuildCTF.hostNetwork=true"]
    annotated = "enbuildCTF.serviceAccount.annotations.team=red"
    found = chart("0.0.46", AI, CTF, *accounts, *ignored, annotated)
    assert account_of(found["Deployment/enbuild-enbuild-ai"]) == "enbuild-enbuild-ai"
    assert account_of(found["Deployment/enbuild-enbuild-ctf"]) == "enbuild-enbuild-ctf"
    assert "hostNetwork" not in found["Deployment/enbuild-enbuild-ctf"]["spec"]["template"]["spec"]
    assert found["ServiceAccount/enbuild-enbuild-ctf"]["metadata"]["annotations"]["team"] == "red"
    others = [
        account_of(item) for name, item in found.items() if name.split("-")[-1] in ("backend", "mq", "ui", "user")
    ]
    assert others == ["default"] * 4
    assert found["StatefulSet/enbuild-mongodb"]["status"]["readyReplicas"] == 1
    assert found["PersistentVolumeClaim/data-enbuild-mongodb-0"]["status"]["phase"] == "Bound"


def test_without_switches_neither_service_is_there(chart: t.Callable[..., dict[str, t.Any]]) -> None:
    assert not [name for name in chart("0.0.38") if name.endswith(("-ai", "-ctf"))]


def test_the_chart_before_service_accounts_ignores_them(chart: t.Callable[..., dict[str, t.Any]]) -> None:
    found = chart("0.0.37", AI, "enbuildAI.serviceAccount.create=true")
    assert account_of(found["Deployment/enbuild-enbuild-ai"]) == "default"
    assert "ServiceAccount/enbuild-enbuild-ai" not in found


def test_a_volume_goes_with_its_claim(lab: Lab, namespace: str) -> None:
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "disk"}}
    claim["spec"] = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    pod = pod_of("user")
    pod["spec"]["volumes"] = [{"name": "disk", "persistentVolumeClaim": {"claimName": "disk"}}]
    lab.kubectl("create", "-n", namespace, "-f", "-", input=json.dumps(claim))
    lab.kubectl("create", "-n", namespace, "-f", "-", input=json.dumps(pod))
    lab.kubectl("wait", "pod/user", "-n", namespace, "--for=condition=Ready", "--timeout=60s")
    volume = json.loads(lab.kubectl("get", "pvc", "disk", "-n", namespace, "-o", "json"))["spec"]["volumeName"]
    lab.kubectl("delete", "pod/user", "pvc/disk", "-n", namespace)
    assert eventually(lambda: volume not in lab.kubectl("get", "pv", "-o", "name"))


def pod_of(name: str, **annotations: str) -> dict[str, t.Any]:
    container = {"name": "main", "image": "registry.example.com/none"}
    metadata = {"name": name, "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}


def test_a_stuck_pod_stays_pending(lab: Lab, namespace: str) -> None:
    pods = f"/api/v1/namespaces/{namespace}/pods"
    stuck = {"lab.enbuild.eks/stuck": "true"}
    lab.kubernetes_call(pods, "POST", pod_of("stuck", **stuck))
    lab.kubernetes_call(pods, "POST", pod_of("well"))
    lab.kubectl("wait", "pod/well", "-n", namespace, "--for=condition=Ready", "--timeout=60s")
    assert lab.kubernetes_call(f"{pods}/stuck")["status"]["phase"] == "Pending"


UNREADY = "lab.enbuild.eks/unready"


def readiness(lab: Lab, namespace: str, name: str) -> tuple[str, str]:
    status = lab.kubernetes_call(f"/api/v1/namespaces/{namespace}/pods/{name}")["status"]
    return status["phase"], {one["type"]: one["status"] for one in status.get("conditions", [])}.get("Ready", "")


def test_a_pod_is_unready_as_long_as_its_annotation_says(lab: Lab, namespace: str) -> None:
    lab.kubernetes_call(f"/api/v1/namespaces/{namespace}/pods", "POST", pod_of("ill", **{UNREADY: "true"}))
    wait = ("wait", "pod/ill", "-n", namespace, "--timeout=60s")
    lab.kubectl(*wait, "--for=jsonpath={.status.phase}=Running")
    time.sleep(2)
    assert readiness(lab, namespace, "ill") == ("Running", "False")
    lab.kubectl("annotate", "pod/ill", f"{UNREADY}-", "-n", namespace)
    lab.kubectl(*wait, "--for=condition=Ready")
    lab.kubectl("annotate", "pod/ill", f"{UNREADY}=true", "-n", namespace)
    lab.kubectl(*wait, "--for=condition=Ready=false")
    status = lab.kubernetes_call(f"/api/v1/namespaces/{namespace}/pods/ill")["status"]
    assert [one["ready"] for one in status["containerStatuses"]] == [False]


def test_a_restricted_namespace_refuses_a_pod_that_is_not(lab: Lab, namespace: str) -> None:
    lab.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    pods = f"/api/v1/namespaces/{namespace}/pods"
    with pytest.raises(KubernetesError, match=r"403.*violates PodSecurity") as caught:
        lab.kubernetes_call(pods, "POST", pod_of("loose"))
    assert "runAsNonRoot" in str(caught.value)
    strict = pod_of("strict")
    strict["spec"]["securityContext"] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    limits = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    strict["spec"]["containers"][0]["securityContext"] = limits
    lab.kubernetes_call(pods, "POST", strict)


@pytest.mark.parametrize("harm", webhook.EFFECTS)
def test_the_webhook_is_harmed_for_a_while_and_restored(lab: Lab, harm: webhook.Harm) -> None:
    before = lab.kubernetes_call(webhook.PATH)
    with lab.webhook_harmed(harm):
        others = json.loads(lab.kubectl("get", "mutatingwebhookconfigurations", "-o", "json"))["items"]
        assert [one["webhooks"] for one in others] != [before["webhooks"]]
    after = lab.kubernetes_call(webhook.PATH)
    assert after["webhooks"] == before["webhooks"]


def test_the_agents_ports_keep_others_off_its_node(lab: Lab, namespace: str) -> None:
    lab.reset()
    agent.remove(lab)
    agent.install(lab)
    pod = pod_of("proxy")
    pod["spec"]["containers"][0]["ports"] = [{"containerPort": 8080, "hostPort": 80}]
    pods = f"/api/v1/namespaces/{namespace}/pods"
    lab.kubernetes_call(pods, "POST", pod)
    lab.kubectl("wait", "pod/proxy", "-n", namespace, "--for=condition=PodScheduled=false", "--timeout=60s")
    (said,) = [one["message"] for one in lab.kubernetes_call(f"{pods}/proxy")["status"]["conditions"]]
    assert "free ports" in said
    agent.remove(lab)
    lab.kubectl("wait", "pod/proxy", "-n", namespace, "--for=condition=Ready", "--timeout=60s")


def test_a_token_that_lapsed_is_nobodys(aws_clean: Lab) -> None:
    token = json.loads(
        subprocess.run(
            ["aws", "eks", "get-token", "--cluster-name", aws_clean.cluster_name],
            capture_output=True,
            text=True,
            check=True,
            env=aws_clean.environment(),
        ).stdout
    )["status"]["token"]
    ask = ("kubectl", "--kubeconfig=/dev/null", f"--token={token}", f"--server={aws_clean.kubernetes.host}")
    command = [*ask, f"--certificate-authority={aws_clean.kubernetes.ca_file}", "get", "--raw", "/api/v1/nodes"]

    def status() -> int:
        run = subprocess.run(command, capture_output=True, text=True, check=False, env=aws_clean.environment())
        return run.returncode

    assert status() == 0
    aws_clean.weather(cluster_token_seconds=1)
    assert eventually(lambda: status() != 0)  # The API server believes it for up to five seconds more.


def test_a_job_completes(lab: Lab, namespace: str) -> None:
    lab.kubectl("create", "job", "once", "-n", namespace, "--image=registry.example.com/none")
    lab.kubectl("wait", "job/once", "-n", namespace, "--for=condition=Complete", "--timeout=60s")


def test_a_shell_with_the_labs_environment_is_an_eks_user(aws_clean: Lab, lab: Lab) -> None:
    script = f"""
        eval "$({sys.executable} -m {PACKAGE} env --name {lab.name})" &&
        kubectl auth whoami -o json && helm list -n kube-public -o json && aws eks list-clusters --output json
    """
    hostile = {
        "AWS_PROFILE": "production",
        "KUBECONFIG": "/nowhere",
        "K8S_AUTH_HOST": "https://192.0.2.1",
        "HELM_NAMESPACE": "x",
    }
    answer = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, check=False, env={**os.environ, **hostile}
    )
    assert answer.returncode == 0, answer.stderr
    decoder, rest, found = json.JSONDecoder(), answer.stdout, []
    while rest.strip():
        value, end = decoder.raw_decode(rest.lstrip())
        found.append(value)
        rest = rest.lstrip()[end:]
    user = found[0]["status"]["userInfo"]
    assert user["username"] == f"arn:aws:iam::{lab.account_id}:user/operator"
    assert "system:masters" in user["groups"]
    assert found[1:] == [[], {"clusters": [lab.cluster_name]}]


def test_credentials_that_aws_does_not_know_are_nobody_in_the_cluster(lab: Lab) -> None:
    stranger = {**lab.environment(), "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"}
    command = ["kubectl", "get", "nodes"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env=stranger)
    assert answer.returncode != 0
    assert "Unauthorized" in answer.stderr or "logged in" in answer.stderr


def test_only_the_owner_reads_the_labs_files(lab: Lab) -> None:
    """Nobody else gets into the folder, whatever is written there with another umask."""
    assert lab.folder.stat().st_mode & 0o077 == 0
    assert lab.control_token_file.is_relative_to(lab.folder)
    assert lab.control_token_file.stat().st_mode & 0o177 == 0


def test_an_answer_other_than_success_is_an_error(lab: Lab) -> None:
    with pytest.raises(KubernetesError, match="404"):
        lab.kubernetes_call("/api/v1/namespaces/nowhere")


def test_up_status_up_again_down(other: str) -> None:
    started = time.monotonic()
    first = run("up", other)
    assert first.returncode == 0, first.stderr
    assert time.monotonic() - started < 60  # Alone on the machine it is 5 s; here it shares two cores.
    assert run("status", other).returncode == 0
    again = run("up", other)
    assert (again.returncode, "runs already" in again.stderr) == (0, True)
    assert len(processes_of(lab_folder(other))) >= 9
    assert run("down", other).returncode == 0
    assert processes_of(lab_folder(other)) == []
    assert not (lab_folder(other) / SECRETS / "tokens.csv").exists()
    gone = run("env", other)
    assert (gone.returncode, gone.stdout) == (1, "")
    assert "doesn't run" in gone.stderr


def test_two_labs_side_by_side_know_nothing_of_each_other(lab: Lab, other: str) -> None:
    with Lab.start(other, tied=True) as second:
        assert second.aws_endpoint_url != lab.aws_endpoint_url
        second.kubectl("create", "namespace", "only-here")
        assert "only-here" not in lab.kubectl("get", "namespaces", "-o", "name")
        second.aws("iam").create_user(UserName="only-here")
        assert "only-here" not in [user["UserName"] for user in lab.aws("iam").list_users()["Users"]]


def test_a_killed_supervisor_takes_everything_with_it(other: str) -> None:
    started = Lab.start(other, tied=True)
    os.kill(started.pid, signal.SIGKILL)
    assert eventually(lambda: not processes_of(started.folder))
    assert find(other) is None
    with Lab.start(other, tied=True) as restarted:
        assert restarted.kubernetes_call("/version")["gitVersion"] == "v1.36.3"


def test_a_part_that_ends_takes_the_lab_down_and_is_named(other: str) -> None:
    started = Lab.start(other, tied=True)
    (pid,) = [
        int(line.split()[0])
        for line in subprocess.run(
            ["ps", "-axww", "-o", "pid=,command="], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        if f"{started.folder}/bin/kwok" in line
    ]
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: not processes_of(started.folder))
    status = run("status", other)
    assert status.returncode == 1
    assert "kwok was killed by signal 9" in status.stderr
    assert len(status.stderr.splitlines()) == 1


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, -15), (signal.SIGKILL, -9)])
def test_an_interrupted_start_leaves_nothing(other: str, number: signal.Signals, status: int) -> None:
    # As in a terminal: a shell lets what it runs in the background ignore Ctrl-C, these tests included.
    listen = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
    command = [sys.executable, "-c", listen, *COMMAND, "up", "--name", other]
    starting = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert starting.stderr is not None
    for line in starting.stderr:
        if "kube-apiserver" in line:
            break
    assert processes_of(lab_folder(other))
    starting.send_signal(number)
    starting.stderr.read()
    assert starting.wait() == status
    assert eventually(lambda: not processes_of(lab_folder(other)))


def test_a_session_that_is_killed_takes_its_lab_with_it(other: str) -> None:
    code = f"""
        from ansible_collections.enbuild.eks.tests.lab.labs import Lab
        Lab.start({other!r}, tied=True)
        print("up", flush=True)
        input()
    """
    session = subprocess.Popen(
        [sys.executable, "-c", "\n".join(map(str.strip, code.splitlines()))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert session.stdout is not None
    assert session.stdout.readline() == b"up\n"
    session.kill()
    session.wait()
    assert eventually(lambda: not processes_of(lab_folder(other)))


def _cache_with(folder: Path, name: str, content: str | None) -> Path:
    """A cache whose programs are those of this machine's, but for one."""
    place = folder / binaries.key_folder().name / "bin"
    place.mkdir(parents=True)
    for program, path in binaries.provide(print).paths.items():
        (place / program).symlink_to(path)
    (place / name).unlink()
    if content is not None:
        (place / name).write_text(content)
        (place / name).chmod(0o755)
    return folder


BROKEN = {
    "no program at all": ("kwok", "not a program", "can't run", "Exec format error"),
    "ends at once": (
        "kube-scheduler",
        "#!/bin/sh\necho no luck today; exit 3\n",
        "ended with status 3",
        "no luck today",
    ),
    "ends before it serves": ("etcd", "#!/bin/sh\nexit 0\n", "etcd ended with status 0", "logs/etcd.log"),
}


@pytest.mark.parametrize(("program", "content", "what", "why"), BROKEN.values(), ids=BROKEN)
def test_a_broken_part_is_named_in_one_line(
    other: str, tmp_path: Path, program: str, content: str, what: str, why: str
) -> None:
    cache = _cache_with(tmp_path, program, content)
    failed = run("up", other, ENBUILD_LAB_CACHE=str(cache))
    assert failed.returncode == 1
    last = failed.stderr.splitlines()[-1]
    assert [word for word in (program, what, why) if word not in last] == []
    assert not [line for line in failed.stderr.splitlines()[:-1] if not line.startswith("-- ")]
    assert processes_of(lab_folder(other)) == []
