# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes in the lab's pods: which credentials they find by their SDK's own default chain, and why not."""

from __future__ import annotations

import base64
import functools
import json
import os
import ssl
import subprocess
import typing as t
import urllib.error
import urllib.request

import pytest
from ansible_collections.enbuild.eks.tests.integration import agent, namespaces
from ansible_collections.enbuild.eks.tests.lab.eventually import eventually
from ansible_collections.enbuild.eks.tests.lab.labs import Lab

pytestmark = pytest.mark.lab

TOOLS = "lab.enbuild.eks/tools"
TRUST = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "pods.eks.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    },
}
WHO = ("python3", "-c", "import boto3; print(boto3.client('sts', 'us-east-1').get_caller_identity()['Arn'])")
ROLE = ":assumed-role/ai/eks-lab-"
ASK_CURL = (
    'curl -sS -H "Authorization: $(cat $AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE)" $AWS_CONTAINER_CREDENTIALS_FULL_URI'
)
ASK_WGET = (
    'wget -q -O - --header "Authorization: $(cat $AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE)" '
    "$AWS_CONTAINER_CREDENTIALS_FULL_URI"
)

Document = dict[str, t.Any]


class Shop:
    """Pods in a namespace of their own, whose service account ``ai`` has a role that may look at Bedrock."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        created = lab.kubernetes_call("/api/v1/namespaces", "POST", {"metadata": {"generateName": "shop-"}})
        self.namespace = str(created["metadata"]["name"])
        self.path = f"/api/v1/namespaces/{self.namespace}"
        for account in ("ai", "other"):
            lab.kubernetes_call(f"{self.path}/serviceaccounts", "POST", {"metadata": {"name": account}})

    def associate(self, account: str = "ai") -> str:
        """Give a service account the role; return the association's id."""
        address = {"clusterName": self.lab.cluster_name, "namespace": self.namespace, "serviceAccount": account}
        role = f"arn:aws:iam::{self.lab.account_id}:role/ai"
        made = self.lab.aws("eks").create_pod_identity_association(**address, roleArn=role)
        return str(made["association"]["associationId"])

    def disassociate(self, association: str) -> None:
        """Take it back."""
        self.lab.aws("eks").delete_pod_identity_association(
            clusterName=self.lab.cluster_name, associationId=association
        )

    def run(self, name: str, *, account: str = "ai", tools: str | None = None, **container: t.Any) -> str:
        """Start a pod and return its name."""
        volumes = container.pop("volumes", [])
        spec = {
            "serviceAccountName": account,
            "containers": [{"name": "main", "image": "none", **container}],
            "volumes": volumes,
            "terminationGracePeriodSeconds": 0,
        }
        metadata = {"name": name, "annotations": {} if tools is None else {TOOLS: tools}}
        self.lab.kubernetes_call(f"{self.path}/pods", "POST", {"metadata": metadata, "spec": spec})
        self.lab.kubectl("wait", f"pod/{name}", "-n", self.namespace, "--for=condition=Ready", "--timeout=60s")
        return name

    def kubectl_exec(self, pod: str, *command: str, **options: t.Any) -> subprocess.CompletedProcess[str]:
        """Run a command in a pod as its user would; a failure is a result, too."""
        try:
            output = self.lab.kubectl(
                "exec", *options.pop("flags", ()), pod, "-n", self.namespace, "--", *command, **options
            )
        except subprocess.CalledProcessError as error:
            return subprocess.CompletedProcess(command, error.returncode, error.stdout, error.stderr)
        return subprocess.CompletedProcess(command, 0, output, "")


@pytest.fixture(scope="module")
def shop(prepared: Lab) -> t.Iterator[Shop]:
    """The shop, with the agent on every node."""
    iam = prepared.aws("iam")
    iam.create_role(RoleName="ai", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.attach_role_policy(RoleName="ai", PolicyArn="arn:aws:iam::aws:policy/AmazonBedrockReadOnly")
    made = Shop(prepared)
    yield made
    namespaces.leave(prepared, made.namespace)


@pytest.fixture(scope="module")
def stale(shop: Shop) -> str:
    """A pod that is older than the association."""
    return shop.run("stale")


@pytest.fixture(scope="module")
def associated(shop: Shop, stale: str) -> str:
    """The association."""
    return shop.associate()


@pytest.fixture(scope="module")
def ai(shop: Shop, associated: str) -> str:
    """A pod that was created with it."""
    return shop.run("ai")


def test_the_guides_own_commands(shop: Shop, ai: str) -> None:
    listed = shop.kubectl_exec(ai, "env").stdout.splitlines()
    names = {line.partition("=")[0] for line in listed if line.startswith("AWS")}
    assert names == {
        "AWS_STS_REGIONAL_ENDPOINTS",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_ENDPOINT_URL",
        "AWS_EC2_METADATA_DISABLED",
    }
    models = shop.kubectl_exec(ai, "aws", "bedrock", "list-foundation-models", "--region", "us-east-1")
    assert "anthropic.claude" in models.stdout, models.stderr
    denied = shop.kubectl_exec(ai, "aws", "s3", "ls")
    assert denied.returncode == 255
    assert "AccessDenied" in denied.stderr


def test_plain_boto3_is_the_role_of_its_pod(shop: Shop, ai: str) -> None:
    assert f"{ROLE}{ai}-" in shop.kubectl_exec(ai, *WHO).stdout


def test_a_pod_older_than_its_association_finds_nothing(shop: Shop, stale: str, associated: str) -> None:
    assert "NoCredentialsError" in shop.kubectl_exec(stale, *WHO).stderr
    assert "AWS_CONTAINER" not in shop.kubectl_exec(stale, "env").stdout


def test_after_the_association_is_gone_only_the_agents_memory_helps(shop: Shop) -> None:
    association = shop.associate("other")
    early, late = (shop.run(name, account="other") for name in ("early", "late"))
    before = shop.kubectl_exec(early, *WHO).stdout
    assert ROLE in before
    shop.disassociate(association)
    assert shop.kubectl_exec(early, *WHO).stdout == before
    answer = shop.kubectl_exec(late, "sh", "-c", ASK_CURL).stdout
    assert "(ResourceNotFoundException): " in answer
    assert answer.rstrip().endswith("fault: client")
    assert "CredentialRetrievalError" in shop.kubectl_exec(late, *WHO).stderr


def test_variables_of_irsa_win(shop: Shop, associated: str) -> None:
    env = [
        {"name": "AWS_ROLE_ARN", "value": f"arn:aws:iam::{shop.lab.account_id}:role/ai"},
        {"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"},
    ]
    said = shop.kubectl_exec(shop.run("irsa", env=env), *WHO)
    assert said.returncode == 1
    assert "No such file" in said.stderr, "nobody has mounted that token"


def test_static_keys_win_wherever_they_are(shop: Shop, associated: str) -> None:
    keys = {"AWS_ACCESS_KEY_ID": shop.lab.access_key_id, "AWS_SECRET_ACCESS_KEY": shop.lab.secret_access_key}
    profile = "[default]\n" + "".join(f"{name.lower()} = {value}\n" for name, value in keys.items())
    data = {name: base64.b64encode(value.encode()).decode() for name, value in {**keys, "file": profile}.items()}
    shop.lab.kubernetes_call(f"{shop.path}/secrets", "POST", {"metadata": {"name": "keys"}, "data": data})
    references = [{"name": name, "valueFrom": {"secretKeyRef": {"name": "keys", "key": name}}} for name in keys]
    secret = {"secretName": "keys", "items": [{"key": "file", "path": "credentials"}]}
    mounted: Document = {
        "volumes": [{"name": "aws", "secret": secret}],
        "volumeMounts": [{"name": "aws", "mountPath": "/app/.aws"}],
        "env": [{"name": "HOME", "value": "/app"}],
    }
    pods = [shop.run("by-env", env=references), shop.run("by-file", **mounted)]
    assert [shop.kubectl_exec(pod, *WHO).stdout.strip() for pod in pods] == 2 * [
        f"arn:aws:iam::{shop.lab.account_id}:user/operator"
    ]


def test_no_agent_on_the_node_no_credentials(shop: Shop, ai: str) -> None:
    shop.lab.aws("eks").delete_addon(clusterName=shop.lab.cluster_name, addonName=agent.AGENT)
    agent.remove(shop.lab)
    try:
        refused = shop.kubectl_exec(ai, "sh", "-c", ASK_CURL)
        assert refused.returncode == 7, refused.stderr
        assert "Error when retrieving credentials from container-role" in shop.kubectl_exec(ai, *WHO).stderr
    finally:
        agent.install(shop.lab)
    assert ROLE in shop.kubectl_exec(ai, *WHO).stdout


@pytest.mark.parametrize(
    ("tools", "command", "works"),
    [
        ("python", WHO, True),
        ("python", ("sh", "-c", "true"), False),
        ("none", ("env",), False),
        ("busybox", ("/bin/sh", "-c", ASK_WGET), True),
        ("busybox", ("wget", "--quiet", "http://127.0.0.1:9"), False),
        ("busybox", ("curl", "--version"), False),
        ("wget", ("sh", "-c", ASK_WGET), True),
        ("wget", ("python3", "--version"), False),
    ],
)
def test_an_image_has_its_tools_and_no_others(
    shop: Shop, associated: str, tools: str, command: tuple[str, ...], works: bool
) -> None:
    name = f"only-{tools}"
    if name not in shop.lab.kubectl("get", "pods", "-n", shop.namespace, "-o", "name"):
        shop.run(name, tools=tools)
    said = shop.kubectl_exec(name, *command)
    assert (said.returncode == 0) == works, said.stderr
    assert ROLE in said.stdout or "SecretAccessKey" in said.stdout or not works


def test_the_kubelets_words(shop: Shop, ai: str) -> None:
    assert 'exec: "ruby": executable file not found in $PATH: unknown' in shop.kubectl_exec(ai, "ruby").stderr
    odd = shop.run("odd", tools="perl")
    assert "lab.enbuild.eks/tools names perl" in shop.kubectl_exec(odd, "env").stderr
    assert shop.kubectl_exec(ai, "sh", "-c", "echo on stdout; echo on stderr >&2; exit 42").returncode == 42
    assert shop.kubectl_exec(ai, "cat", flags=("-i",), input="a line\n" * 20_000).stdout == "a line\n" * 20_000


def test_the_python_client_and_a_terminal(shop: Shop, ai: str) -> None:
    from kubernetes import client, config
    from kubernetes.stream import stream

    loaded = config.new_client_from_config(str(shop.lab.kubernetes.kubeconfig), "lab-admin")
    call = client.CoreV1Api(loaded).connect_get_namespaced_pod_exec
    command = ["sh", "-c", "test -t 0 && test -t 1 && echo $TERM; exit 3"]
    streams = {"stdin": True, "stdout": True, "stderr": False, "tty": True}
    shown = stream(call, ai, shop.namespace, command=command, **streams, _preload_content=False)
    shown.run_forever(timeout=20)
    assert shown.read_stdout().strip() == "xterm"
    assert shown.returncode == 3


def test_a_process_ends_with_its_client(shop: Shop, ai: str) -> None:
    command = [str(shop.lab.bin_dir / "kubectl"), "--context=lab-admin", "exec", ai, "-n", shop.namespace, "--"]
    command += ["sh", "-c", "echo $$; sleep 300; true"]
    with subprocess.Popen(command, env=shop.lab.environment(), stdout=subprocess.PIPE, text=True) as client:
        pid = int(t.cast("t.IO[str]", client.stdout).readline())
        os.kill(pid, 0)
        client.kill()
    assert eventually(lambda: not exists(pid), seconds=10), "it lives"


def add(shop: Shop, pod: str, name: str, image: str, command: list[str]) -> None:
    """Add an ephemeral container with the first container's injection."""
    path = f"{shop.path}/pods/{pod}"
    main = shop.lab.kubernetes_call(path)["spec"]["containers"][0]
    given = {key: main[key] for key in ("env", "volumeMounts") if key in main}
    added = {"name": name, "image": image, "command": command, **given}
    body = {"spec": {"ephemeralContainers": [added]}}
    patch = "application/strategic-merge-patch+json"
    shop.lab.kubernetes_api().call("PATCH", f"{path}/ephemeralcontainers", body, patch)


def states(shop: Shop, pod: str) -> dict[str, Document]:
    status = shop.lab.kubernetes_call(f"{shop.path}/pods/{pod}")["status"]
    return {one["name"]: one["state"] for one in status.get("ephemeralContainerStatuses", [])}


def test_an_ephemeral_container_runs_once_and_ends_with_its_pod(shop: Shop, associated: str) -> None:
    pod = shop.run("debugged", tools="none")
    logs = functools.partial(shop.lab.kubectl, "logs", pod, "-n", shop.namespace)
    add(shop, pod, "asks", "registry.example.com/curl:8", ["sh", "-c", f"{ASK_CURL} | tr ',' '\n' | grep Id; exit 3"])
    add(shop, pod, "stays", "busybox", ["sh", "-c", "echo $$$$; exec sleep 300"])
    add(shop, pod, "unknown", "registry.example.com/none-such:1", ["true"])
    add(shop, pod, "empty", "static", ["sh"])
    assert eventually(lambda: states(shop, pod).get("asks", {}).get("terminated"))
    assert eventually(lambda: {"stays", "unknown", "empty"} <= {*states(shop, pod)})
    found = states(shop, pod)
    assert (found["asks"]["terminated"]["exitCode"], found["asks"]["terminated"]["reason"]) == (3, "Error")
    assert found["unknown"]["waiting"]["reason"] == "ImagePullBackOff"
    assert (found["empty"]["terminated"]["exitCode"], found["empty"]["terminated"]["reason"]) == (128, "StartError")
    assert '"AccessKeyId":' in logs("-c", "asks")
    assert logs("-c", "main") == ""
    assert "AWS_CONTAINER_CREDENTIALS_FULL_URI" in shop.kubectl_exec(pod, "env", flags=("-c", "stays")).stdout
    assert "container not found" in shop.kubectl_exec(pod, "env", flags=("-c", "asks")).stderr
    shop.lab.kubectl("debug", "--image=busybox", pod, "-n", shop.namespace, "-c", "by-kubectl", "--", "echo", "hello")
    assert eventually(lambda: "terminated" in states(shop, pod).get("by-kubectl", {}))
    assert logs("-c", "by-kubectl") == "hello\n"
    assert eventually(lambda: logs("-c", "stays"))
    pid = int(logs("-c", "stays"))
    assert exists(pid)
    shop.lab.kubectl("delete", "pod", pod, "-n", shop.namespace)
    assert eventually(lambda: not exists(pid), seconds=10), "it lives"


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_nobody_but_the_api_server_may_start_processes(shop: Shop, ai: str) -> None:
    nodes = shop.lab.kubernetes_call("/api/v1/nodes")["items"]
    port = nodes[0]["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"]
    trust = ssl.create_default_context(cafile=str(shop.lab.kubernetes.ca_file))
    url = f"https://127.0.0.1:{port}/exec/{shop.namespace}/{ai}/main?command=env&output=1"
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(url, context=trust)
