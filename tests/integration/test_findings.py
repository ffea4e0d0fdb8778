# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every finding, provoked for real: found with its code and no other, and cured by its remedy as printed."""

from __future__ import annotations

import contextlib
import io
import json
import re
import subprocess
import time
import typing as t

import pytest
from ansible_collections.enbuild.eks.plugins.action.pod_identity_report import show
from ansible_collections.enbuild.eks.plugins.module_utils._identity.findings.codes import CODES
from ansible_collections.enbuild.eks.plugins.plugin_utils._report import identity
from ansible_collections.enbuild.eks.tests.integration import agent
from ansible_collections.enbuild.eks.tests.integration.shop import (
    LISTING,
    TRUST,
    Shop,
    policy,
    trust,
)
from ansible_collections.enbuild.eks.tests.lab.eventually import eventually

pytestmark = pytest.mark.lab

MOST_REMEDIES = 5

CASES: dict[str, tuple[str, t.Callable[[Shop], None]]] = {}
"""What to do wrong, by its name, and the code that it has to be found with."""
CURES: dict[str, t.Callable[[Shop], None]] = {}
"""What a person does, where the remedy is a sentence instead of a command."""


def case(code: str) -> t.Callable[[t.Callable[[Shop], None]], t.Callable[[Shop], None]]:
    def register(provoke: t.Callable[[Shop], None]) -> t.Callable[[Shop], None]:
        CASES[provoke.__name__] = (code, provoke)
        return provoke

    return register


@case("association_missing")
def no_association(shop: Shop) -> None:
    shop.role()
    shop.account()
    shop.deploy()


@case("service_account_mismatch")
def the_guides_name(shop: Shop) -> None:
    shop.role()
    shop.account("shop-orders")
    shop.deploy(spec={"serviceAccountName": "shop-orders"})
    shop.associate("orders")


@case("default_service_account")
def under_default(shop: Shop) -> None:
    shop.role()
    shop.associate("default")
    shop.deploy(spec={"serviceAccountName": "default"})


@case("service_account_missing")
def no_service_account(shop: Shop) -> None:
    shop.role()
    shop.associate()
    shop.deploy()


@case("wrong_role")
def another_role(shop: Shop) -> None:
    shop.healthy()
    shop.lab.aws("iam").create_role(RoleName=f"{shop.role_name}-old", AssumeRolePolicyDocument=trust())
    eks, cluster = shop.lab.aws("eks"), shop.lab.cluster_name
    (found,) = eks.list_pod_identity_associations(clusterName=cluster, namespace=shop.namespace)["associations"]
    old = f"{shop.role_arn}-old"
    eks.update_pod_identity_association(clusterName=cluster, associationId=found["associationId"], roleArn=old)


@case("irsa_annotation")
def annotated_for_irsa(shop: Shop) -> None:
    shop.healthy()
    shop.kubectl("annotate", "serviceaccount", "orders", f"eks.amazonaws.com/role-arn={shop.role_arn}")


@case("misspelt_annotation")
def copied_from_a_blog(shop: Shop) -> None:
    shop.healthy()
    shop.kubectl("annotate", "serviceaccount", "orders", "eks.amazonaws.com/pod-identity-association=a-1")


@case("stale_pods")
def the_guides_order(shop: Shop) -> None:
    shop.role()
    shop.account()
    shop.deploy()
    shop.settle()
    shop.associate()


@case("former_role")
def changed_under_a_running_pod(shop: Shop) -> None:
    another_role(shop)
    shop.settle()
    time.sleep(1.1)  # Kubernetes keeps times to the second.
    old = shop.asked["role_arn"] = f"{shop.role_arn}-old"
    shop.lab.aws("iam").put_role_policy(
        RoleName=old.rsplit("/", 1)[-1], PolicyName="use", PolicyDocument=policy(LISTING)
    )
    eks, cluster = shop.lab.aws("eks"), shop.lab.cluster_name
    (found,) = eks.list_pod_identity_associations(clusterName=cluster, namespace=shop.namespace)["associations"]
    eks.update_pod_identity_association(clusterName=cluster, associationId=found["associationId"], roleArn=old)


@case("webhook_cold")
def at_once(shop: Shop) -> None:
    shop.role()
    shop.account()
    shop.lab.weather(webhook_cold_seconds=60)
    shop.associate()
    shop.deploy()


WEBHOOK = ("mutatingwebhookconfiguration", "pod-identity-webhook")


@case("webhook_missing")
def webhook_deleted(shop: Shop) -> None:
    shop.healthy()
    shop.settle()
    shop.keep(*WEBHOOK)
    shop.lab.kubectl("delete", *WEBHOOK)
    assert eventually(lambda: not shop.injects())


@case("webhook_missing")
def webhook_altered(shop: Shop) -> None:
    shop.healthy()
    shop.settle()
    shop.keep(*WEBHOOK)
    narrowed = {"matchExpressions": [{"key": "team", "operator": "Exists"}]}
    change = [{"op": "replace", "path": "/webhooks/0/namespaceSelector", "value": narrowed}]
    shop.lab.kubectl("patch", *WEBHOOK, "--type=json", "-p", json.dumps(change))
    assert eventually(lambda: not shop.injects())


@case("skip_label")
def labelled_to_skip(shop: Shop) -> None:
    shop.healthy(labels={"eks.amazonaws.com/skip-pod-identity-webhook": "true"})


@case("skip_containers")
def annotated_to_skip(shop: Shop) -> None:
    second = {"name": "second", "image": "registry.example.com/second"}
    main = {"name": "main", "image": "registry.example.com/orders"}
    shop.healthy(spec={"containers": [main, second]}, annotations={"eks.amazonaws.com/skip-containers": "second"})


@case("container_variables")
def sets_the_agents_address_itself(shop: Shop) -> None:
    value = "http://169.254.170.23/v1/credentials"
    shop.healthy(container={"env": [{"name": "AWS_CONTAINER_CREDENTIALS_FULL_URI", "value": value}]})


@case("no_running_pods")
def scaled_to_nothing(shop: Shop) -> None:
    shop.healthy()
    shop.kubectl("scale", "deployment/orders", "--replicas=0")
    shop.kubectl("wait", "pod", "-l", "app=orders", "--for=delete", "--timeout=60s")


@case("pod_refused")
def over_quota(shop: Shop) -> None:
    shop.healthy()
    shop.settle()
    shop.kubectl("create", "quota", "few", "--hard=pods=1")
    assert eventually(lambda: "used" in shop.kubectl("get", "quota", "few", "-o", "json"))


@case("pod_untried")
def over_quota_without_a_surge(shop: Shop) -> None:
    shop.healthy()
    change = [{"op": "replace", "path": "/spec/strategy", "value": {"type": "Recreate"}}]
    shop.kubectl("patch", "deployment", "orders", "--type=json", "-p", json.dumps(change))
    shop.settle()
    shop.kubectl("create", "quota", "few", "--hard=pods=1")
    assert eventually(lambda: "used" in shop.kubectl("get", "quota", "few", "-o", "json"))


@case("pod_refused")
def below_the_namespaces_standard(shop: Shop) -> None:
    shop.healthy()
    shop.settle()
    shop.lab.kubectl("label", "namespace", shop.namespace, "pod-security.kubernetes.io/enforce=restricted")


def lower_the_standard(shop: Shop) -> None:
    shop.lab.kubectl("label", "namespace", shop.namespace, "pod-security.kubernetes.io/enforce-")


@case("pod_refused")
def another_webhook_fails(shop: Shop) -> None:
    shop.healthy()
    shop.settle()
    hook = {
        "name": "policy.example.com",
        "admissionReviewVersions": ["v1"],
        "clientConfig": {"url": "https://127.0.0.1:9/"},
        "failurePolicy": "Fail",
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": shop.namespace}},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
        "sideEffects": "None",
        "timeoutSeconds": 1,
    }
    kind = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration"}
    shop.lab.kubectl(
        "create", "-f", "-", input=json.dumps({**kind, "metadata": {"name": shop.namespace}, "webhooks": [hook]})
    )
    assert eventually(lambda: shop.refuses("failed calling webhook"))


def repair_the_webhook(shop: Shop) -> None:
    shop.lab.kubectl("delete", "validatingwebhookconfiguration", shop.namespace)
    assert eventually(shop.injects)


@case("irsa_variables")
def hard_coded_irsa(shop: Shop) -> None:
    file = "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"
    values = {"AWS_ROLE_ARN": shop.role_arn, "AWS_WEB_IDENTITY_TOKEN_FILE": file}
    shop.healthy(container={"env": [{"name": name, "value": value} for name, value in values.items()]})


@case("irsa_variables")
def hard_coded_irsa_with_the_webhooks_volume(shop: Shop) -> None:
    file = "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"
    values = {"AWS_ROLE_ARN": shop.role_arn, "AWS_WEB_IDENTITY_TOKEN_FILE": file}
    mounts = [{"name": "aws-iam-token", "mountPath": file.rpartition("/")[0]}]
    environment = [{"name": name, "value": value} for name, value in values.items()]
    shop.healthy(
        spec={"volumes": [{"name": "aws-iam-token", "emptyDir": {}}]},
        container={"env": environment, "volumeMounts": mounts},
    )


@case("other_source")
def copied_from_ecs(shop: Shop) -> None:
    shop.healthy(container={"env": [{"name": "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "value": "/v2/credentials/1"}]})


@case("other_source")
def a_file_for_single_sign_on(shop: Shop) -> None:
    text = "[default]\nregion = us-east-1\n[profile dev]\nsso_session = acme\n"
    shop.kubectl("create", "configmap", "aws", f"--from-literal=config={text}")
    shop.healthy(
        spec={"volumes": [{"name": "aws", "configMap": {"name": "aws"}}]},
        container={
            "env": [{"name": "AWS_PROFILE", "value": "dev"}],
            "volumeMounts": [{"name": "aws", "mountPath": "/app/.aws"}],
        },
    )


@case("profile_missing")
def a_profile_of_somebodys_laptop(shop: Shop) -> None:
    shop.healthy(container={"env": [{"name": "AWS_PROFILE", "value": "dev"}]})


KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-secret"}


@case("static_keys")
def keys_as_variables(shop: Shop) -> None:
    shop.healthy(container={"env": [{"name": name, "value": value} for name, value in KEYS.items()]})


@case("static_keys")
def keys_of_a_secret(shop: Shop) -> None:
    shop.kubectl("create", "secret", "generic", "aws", *(f"--from-literal={k}={v}" for k, v in KEYS.items()))
    shop.healthy(container={"envFrom": [{"secretRef": {"name": "aws"}}]})


@case("static_keys")
def keys_in_a_file(shop: Shop) -> None:
    shop.kubectl("create", "secret", "generic", "aws", "--from-literal=credentials=[default]\naws_access_key_id=AKIA")
    mounts = [{"name": "data", "mountPath": "/data"}, {"name": "aws", "mountPath": "/app/.aws"}]
    volumes = [{"name": "data", "emptyDir": {}}, {"name": "aws", "secret": {"secretName": "aws"}}]
    shop.healthy(spec={"volumes": volumes}, container={"volumeMounts": mounts})


@case("no_proxy")
def a_proxy_for_everything(shop: Shop) -> None:
    shop.kubectl("create", "configmap", "proxy", "--from-literal=HTTP_PROXY=http://proxy.example.com:3128")
    shop.healthy(
        container={
            "envFrom": [{"configMapRef": {"name": "proxy"}}],
            "env": [{"name": "NO_PROXY", "value": "10.0.0.0/8,.svc"}],
        }
    )


@case("host_network")
def in_the_nodes_network(shop: Shop) -> None:
    shop.healthy(spec={"hostNetwork": True})


def replaces(shop: Shop, module: str, text: str) -> None:
    """Let the Python of the pods import ``text`` under a name of ours, in place of a network policy or an old image."""
    shop.kubectl("create", "configmap", "code", f"--from-literal={module}={text}")
    shop.healthy(
        spec={"volumes": [{"name": "code", "configMap": {"name": "code"}}]},
        container={
            "volumeMounts": [{"name": "code", "mountPath": "/code"}],
            "env": [{"name": "PYTHONPATH", "value": "/code"}],
        },
    )
    shop.asking = True


@case("agent_unreachable")
def behind_a_network_policy(shop: Shop) -> None:
    cut = "import socket\n\ndef no(*words):\n    raise OSError('timed out')\n\nsocket.socket.connect = no"
    replaces(shop, "sitecustomize.py", cut)


@case("sdk_without_credentials")
def older_than_pod_identity(shop: Shop) -> None:
    old = "def client(*words, **more):\n    raise ValueError('Unsupported host')"
    replaces(shop, "boto3.py", old)


@case("role_missing")
def without_its_role(shop: Shop) -> None:
    shop.healthy()
    iam = shop.lab.aws("iam")
    iam.delete_role_policy(RoleName=shop.role_name, PolicyName="use")
    iam.delete_role(RoleName=shop.role_name)


@case("trust_excludes")
def trusts_ec2(shop: Shop) -> None:
    shop.healthy()
    shop.trust(trust(Principal={"Service": "ec2.amazonaws.com"}))


@case("trust_excludes")
def trusts_another_namespace(shop: Shop) -> None:
    shop.healthy()
    shop.trust(trust(Condition={"StringEquals": {"aws:RequestTag/kubernetes-namespace": "elsewhere"}}))


@case("trust_excludes")
def trust_denies(shop: Shop) -> None:
    shop.healthy()
    denial = {"Effect": "Deny", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    shop.trust(json.dumps({**TRUST, "Statement": [*TRUST["Statement"], denial]}))


def deny_no_more(shop: Shop) -> None:
    shop.trust(trust())


@case("session_tags_disabled")
def needs_tags_that_are_off(shop: Shop) -> None:
    shop.role(trust(Condition={"StringEquals": {"aws:RequestTag/kubernetes-namespace": shop.namespace}}))
    shop.account()
    shop.associate(disableSessionTags=True)
    shop.deploy()


@case("role_of_other_cluster")
def shared_with_another_cluster(shop: Shop) -> None:
    shop.healthy()
    other = f"arn:aws:eks:{shop.lab.region}:{shop.lab.account_id}:cluster/other"
    shop.trust(trust(Condition={"ArnEquals": {"aws:SourceArn": other}}))


@case("target_role_excludes")
def target_trusts_nobody_here(shop: Shop) -> None:
    iam, target = shop.lab.aws("iam"), f"{shop.role_name}-target"
    chaining = {"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": "*"}
    shop.role(statement=chaining)
    iam.create_role(RoleName=target, AssumeRolePolicyDocument=trust())
    iam.put_role_policy(RoleName=target, PolicyName="use", PolicyDocument=policy(LISTING))
    shop.account()
    shop.associate(targetRoleArn=f"{shop.role_arn}-target")
    shop.deploy()


@case("credentials_refused")
def may_not_assume_its_target(shop: Shop) -> None:
    iam, target = shop.lab.aws("iam"), f"{shop.role_name}-target"
    root = {"AWS": f"arn:aws:iam::{shop.lab.account_id}:root"}
    shop.role()
    iam.create_role(RoleName=target, AssumeRolePolicyDocument=trust(Principal=root))
    iam.put_role_policy(RoleName=target, PolicyName="use", PolicyDocument=policy(LISTING))
    shop.account()
    shop.associate(targetRoleArn=f"{shop.role_arn}-target")
    shop.deploy()


@case("no_policy")
def may_do_nothing(shop: Shop) -> None:
    shop.role(bare=True)
    shop.account()
    shop.associate()
    shop.deploy()


@case("check_denied")
def the_guides_own_statement(shop: Shop) -> None:
    models = {"Action": ["bedrock:InvokeModel", "bedrock:ListFoundationModels"]}
    shop.role(statement={"Effect": "Allow", **models, "Resource": "arn:aws:bedrock:*::foundation-model/*"})
    shop.account()
    shop.associate()
    shop.deploy()
    shop.asked["allowed"] = ["bedrock:ListFoundationModels"]


@case("check_denied")
def another_model_than_the_one_that_is_used(shop: Shop) -> None:
    """What costs money is simulated, by the role's policies."""
    models = "arn:aws:bedrock:us-east-1::foundation-model"
    shop.role(
        statement={"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": f"{models}/amazon.nova-pro-v1:0"}
    )
    shop.account()
    shop.associate()
    shop.deploy()
    shop.asked["allowed"] = {"action": "bedrock:InvokeModel", "resources": [f"{models}/amazon.nova-lite-v1:0"]}


@case("check_denied")
def one_region_of_a_profile_that_leads_to_several(shop: Shop) -> None:
    """The profile would choose a model in a region where the role may not invoke it."""
    home = f"arn:aws:bedrock:{shop.lab.region}"
    profile = f"{home}:{shop.lab.account_id}:inference-profile/us.amazon.nova-lite-v1:0"
    resources = [profile, f"{home}::foundation-model/amazon.nova-lite-v1:0"]
    shop.role(statement={"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": resources})
    shop.account()
    shop.associate()
    shop.deploy()
    shop.asked["allowed"] = {"action": "bedrock:InvokeModel", "resources": resources}


@case("check_denied")
def bucket_denied(shop: Shop) -> None:
    shop.lab.aws("s3").create_bucket(Bucket=shop.role_name)
    shop.healthy()
    shop.asked["allowed"] = {"bucket": shop.role_name, "write": True}


@case("check_denied")
def denied_by_a_deny(shop: Shop) -> None:
    shop.healthy()
    denial = policy({"Sid": "NoListing", "Effect": "Deny", "Action": "s3:List*", "Resource": "*"})
    shop.lab.aws("iam").put_role_policy(RoleName=shop.role_name, PolicyName="no", PolicyDocument=denial)


@case("check_failed")
def no_such_bucket(shop: Shop) -> None:
    shop.role(statement={"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    shop.account()
    shop.associate()
    shop.deploy()
    shop.asked["allowed"] = {"bucket": f"{shop.role_name}-nowhere"}


@case("association_orphan")
def service_account_gone(shop: Shop) -> None:
    shop.healthy()
    shop.associate("retired-long-ago")


@case("workload_missing")
def mistyped(shop: Shop) -> None:
    shop.healthy()
    shop.asked["deployment"] = "order"


@case("agent_missing")
def never_installed(shop: Shop) -> None:
    shop.healthy()
    shop.lab.aws("eks").delete_addon(clusterName=shop.lab.cluster_name, addonName=agent.AGENT)


@case("agent_unhealthy")
def its_daemonset_deleted(shop: Shop) -> None:
    shop.lab.weather(health_grace_seconds=0)
    shop.healthy()
    agent.remove(shop.lab)


@case("agent_not_on_node")
def not_ready_on_the_node(shop: Shop) -> None:
    shop.lab.weather(health_grace_seconds=600)  # Where the lab is new, it is looked for again, and meanwhile DEGRADED.
    shop.healthy()
    shop.settle()
    (pod,) = shop.pods()
    agents = json.loads(shop.lab.kubectl("get", "pods", "-n", "kube-system", "-o", "json"))["items"]
    (its_agent,) = [each for each in agents if each["spec"].get("nodeName") == pod["spec"]["nodeName"]]
    where = ("-n", "kube-system", f"pod/{its_agent['metadata']['name']}")
    shop.lab.kubectl("annotate", *where, "lab.enbuild.eks/unready=true")
    shop.lab.kubectl("wait", *where, "--for=condition=Ready=false", "--timeout=30s")


@case("node_unsupported")
def on_fargate(shop: Shop) -> None:
    node = {"metadata": {"name": "fargate-1", "annotations": {"kwok.x-k8s.io/node": "fake"}}}
    node["metadata"]["labels"] = {"eks.amazonaws.com/compute-type": "fargate", "kubernetes.io/os": "linux"}
    shop.lab.kubernetes_call("/api/v1/nodes", "POST", node)
    shop.lab.kubectl("wait", "node/fargate-1", "--for=condition=Ready", "--timeout=60s")
    shop.healthy(spec={"nodeSelector": {"eks.amazonaws.com/compute-type": "fargate"}})


def run_pods(shop: Shop) -> None:
    shop.kubectl("scale", "deployment/orders", "--replicas=1")


def leave_fargate(shop: Shop) -> None:
    removal = [{"op": "remove", "path": "/spec/template/spec/nodeSelector"}]
    shop.kubectl("patch", "deployment/orders", "--type=json", "-p", json.dumps(removal))
    shop.settle()
    agent.remove_node(shop.lab, "fargate-1")
    agent.await_ready(shop.lab)


def import_its_own_again(shop: Shop) -> None:
    shop.kubectl("set", "env", "deployment/orders", "PYTHONPATH-")
    shop.settle()


def let_it_chain(shop: Shop) -> None:
    chaining = policy({"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": "*"})
    shop.lab.aws("iam").put_role_policy(RoleName=shop.role_name, PolicyName="chain", PolicyDocument=chaining)


def take_the_denial_out(shop: Shop) -> None:
    shop.lab.aws("iam").delete_role_policy(RoleName=shop.role_name, PolicyName="no")


def correct_the_check(shop: Shop) -> None:
    shop.lab.aws("s3").create_bucket(Bucket=f"{shop.role_name}-nowhere")


def correct_the_name(shop: Shop) -> None:
    shop.asked["deployment"] = "orders"


def let_time_pass(shop: Shop) -> None:
    shop.lab.weather(webhook_cold_seconds=0)


CURES.update(
    webhook_deleted=Shop.restore,
    webhook_altered=Shop.restore,
    at_once=let_time_pass,
    scaled_to_nothing=run_pods,
    over_quota_without_a_surge=lambda shop: t.cast("None", shop.kubectl("delete", "quota", "few")),
    below_the_namespaces_standard=lower_the_standard,
    trust_denies=deny_no_more,
    another_webhook_fails=repair_the_webhook,
    over_quota=lambda shop: t.cast("None", shop.kubectl("delete", "quota", "few")),
    on_fargate=leave_fargate,
    behind_a_network_policy=import_its_own_again,
    older_than_pod_identity=import_its_own_again,
    may_not_assume_its_target=let_it_chain,
    denied_by_a_deny=take_the_denial_out,
    no_such_bucket=correct_the_check,
    mistyped=correct_the_name,
)


@pytest.mark.parametrize("name", CASES)
def test_found_with_its_code_and_no_other_and_cured(name: str, shop: Shop) -> None:
    code, provoke = CASES[name]
    provoke(shop)
    if name not in ("no_service_account", "scaled_to_nothing"):
        shop.settle()
    found, rung = shop.look()
    assert [each["code"] for each in found] == [code]
    assert (found[0]["severity"], rung) == (CODES[code].severity, expected_rung(code))
    if name in CURES:
        CURES[name](shop)
    else:
        paste(shop, found)
    assert code not in follow_up(shop), f"{found[0]['remedy']} doesn't cure {code}"


def expected_rung(code: str) -> str:
    """The rung below the one that the finding keeps the workload from."""
    rungs = ["none", "declared", "injected", "issued", "allowed"]
    of_cluster = code in ("association_orphan", "auto_mode")
    return "allowed" if of_cluster or not CODES[code].rung else rungs[rungs.index(CODES[code].rung) - 1]


def follow_up(shop: Shop) -> list[str]:
    """Apply what remedies the next findings print, up to a healthy workload; return their codes."""
    met: list[str] = []
    for _round in range(MOST_REMEDIES):
        shop.settle()
        agent.await_ready(shop.lab)
        found, rung = shop.look()
        if not found:
            assert rung == "allowed"
            return met
        met += [each["code"] for each in found]
        paste(shop, found)
    raise AssertionError(f"no end of findings: {met}")


def paste(shop: Shop, found: list[dict[str, str]]) -> None:
    """Paste what the terminal shows as the remedy of the first finding into a shell of the lab."""
    remedy = on_screen(found)
    done = subprocess.run(
        ["bash", "-ec", remedy], env=shop.lab.environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{remedy}\n{done.stderr}"


def on_screen(found: list[dict[str, str]]) -> str:
    """The remedy of the first finding, taken from the text that a run prints."""
    with contextlib.redirect_stdout(io.StringIO()) as screen:
        show(identity.summary_lines(identity.report({"workloads": [], "findings": found}, {"name": "lab"})))
    _above, there, below = screen.getvalue().partition(f"{found[0]['code']}: {found[0]['message']}\n  -> ")
    assert there, screen.getvalue()
    return re.split(r"^(?:ERROR|WARNING|INFO) ", below, maxsplit=1, flags=re.MULTILINE)[0]


def test_what_only_looks_like_keys(shop: Shop) -> None:
    """An optional key that isn't there, a folder that is written to, a file without keys, a name that isn't trimmed."""
    shop.kubectl("create", "configmap", "aws", "--from-literal=config=[default]\nregion=us-east-1")
    optional = {"secretKeyRef": {"name": "nowhere", "key": "id", "optional": True}}
    volumes = [{"name": "scratch", "emptyDir": {}}, {"name": "aws", "configMap": {"name": "aws"}}]
    mounts = [{"name": "scratch", "mountPath": "/srv/a/.aws"}, {"name": "aws", "mountPath": "/srv/b/.aws"}]
    shop.healthy(
        spec={"volumes": volumes},
        container={
            "env": [{"name": "AWS_ACCESS_KEY_ID", "valueFrom": optional}],
            "envFrom": [{"secretRef": {"name": "nowhere", "optional": True}}],
            "volumeMounts": mounts,
        },
        annotations={"eks.amazonaws.com/skip-containers": "side, main"},
    )
    shop.settle()
    assert shop.look() == ([], "allowed")


def test_a_service_account_is_tried_by_its_workloads_template(shop: Shop) -> None:
    """Where a pod that is made up would be refused."""
    shop.healthy(container={"resources": {"requests": {"cpu": "100m"}, "limits": {"cpu": "100m"}}})
    shop.settle()
    shop.kubectl("create", "quota", "cpu", "--hard=limits.cpu=10")
    assert eventually(lambda: "used" in shop.kubectl("get", "quota", "cpu", "-o", "json"))
    least = {"spec": {"limits": [{"type": "Pod", "min": {"cpu": "50m"}}]}}
    limits = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "least"}, **least}
    shop.kubectl("apply", "-f", "-", given=json.dumps(limits))
    assert eventually(lambda: shop.refuses("minimum cpu usage per Pod"))
    del shop.asked["deployment"]
    shop.asked["service_account"] = "orders"
    assert shop.look() == ([], "allowed")


def test_auto_mode_needs_no_addon(shop: Shop) -> None:
    lab = shop.lab
    lab.kubectl("label", "nodes", "--all", "eks.amazonaws.com/compute-type=auto")
    try:
        shop.healthy()
        shop.settle()
        assert shop.look() == ([], "allowed")
    finally:
        lab.kubectl("label", "nodes", "--all", "eks.amazonaws.com/compute-type-")


def test_every_code_is_provoked() -> None:
    elsewhere = {"auto_mode", "other_identity", "added_containers"}
    assert {code for code, _provoke in CASES.values()} | elsewhere == set(CODES)
