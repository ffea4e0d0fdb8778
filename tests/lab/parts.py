# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a lab: what each is started with, on what, and how it says that it is ready."""

from __future__ import annotations

import json
import secrets
import sys
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from . import certificates, chart_repository
from .certificates import Credentials
from .cluster import MANAGED
from .layout import SOURCE, Layout, write_private
from .ports import PortBlock
from .programs import kubernetes_version

REGION = "us-east-1"
ACCOUNT_ID = "123456789012"
CLUSTER = "lab"
NODE_ROLE = "lab-node"
PACKAGE = "ansible_collections.enbuild.eks.tests.lab"

ADMINS = "system:masters"
IDENTITIES = {
    "admin": ADMINS,
    "eks": ADMINS,
    "kubelet": ADMINS,
    "kwok": ADMINS,
    "volumes": ADMINS,
    "system:kube-controller-manager": ADMINS,
    "system:kube-scheduler": "",
}
"""Users with a token of their own, and the group that each is in."""

AUDITED = "lab:audited"
"""A group whose members' requests the API server logs; nobody is in it until a test puts them there."""

PORTS = (
    "etcd",
    "etcd_peer",
    "etcd_metrics",
    "kube_apiserver",
    "kube_controller_manager",
    "kube_scheduler",
    "kwok",
    "kubelet",
    "aws_http",
    "aws_https",
    "charts",
)
Command = list[str | Path]


@dataclass(frozen=True)
class Part:
    """A process of the lab."""

    name: str
    command: Command
    health: str
    """A URL that answers with success once it works; empty for one that serves nothing."""
    after: tuple[str, ...] = field(default=())
    """Parts that have to be ready first."""


class Plan:
    """Decides everything about a lab and writes it into its folder; starts nothing."""

    def __init__(self, layout: Layout, name: str, ports: PortBlock) -> None:
        self.layout, self.name = layout, name
        self.ports = dict(zip(PORTS, ports.ports, strict=True))
        self.access_key_id = "AKIA" + "".join(
            secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _unused in range(16)
        )
        self.secret_access_key = secrets.token_urlsafe(30)
        self.node_credentials = {
            "role_name": NODE_ROLE,
            "access_key_id": "ASIA" + self.access_key_id[:3:-1],
            "secret_access_key": secrets.token_urlsafe(30),
            "session_token": secrets.token_urlsafe(200),
        }
        self.issuer = f"https://oidc.eks.{REGION}.amazonaws.com/id/{secrets.token_hex(16).upper()}"

    @property
    def kubernetes_host(self) -> str:
        return f"https://127.0.0.1:{self.ports['kube_apiserver']}"

    @property
    def aws_url(self) -> str:
        return f"http://127.0.0.1:{self.ports['aws_http']}"

    @property
    def webhook_url(self) -> str:
        return f"https://127.0.0.1:{self.ports['aws_https']}"

    @property
    def chart_repository_url(self) -> str:
        return f"http://127.0.0.1:{self.ports['charts']}"

    def token_file(self, user: str) -> Path:
        """Return where the token of one of IDENTITIES is."""
        return self.layout.secrets / f"{user.removeprefix('system:')}.token"

    @property
    def control_token_file(self) -> Path:
        """Return where the token is that the emulator's control endpoints ask for."""
        return self.layout.secrets / "control.token"

    def write(self) -> Credentials:
        """Make keys, certificates, tokens and the configuration of every part."""
        credentials = certificates.create(self.layout)
        self._write_tokens()
        for user in ("kwok", "system:kube-controller-manager", "system:kube-scheduler"):
            self._write_kubeconfig(user, credentials.ca)
        self._write_token_webhook(credentials.ca)
        self._write_audit_policy()
        self._write_emulator_config(credentials)
        self._write_node_config(credentials)
        self._write_stages()
        return credentials

    def _write_tokens(self) -> None:
        rows = []
        for user, group in IDENTITIES.items():
            token = secrets.token_urlsafe(24)
            write_private(self.token_file(user), token)
            rows.append(f'{token},{user},{user},"{group}"\n')
        write_private(self.layout.secrets / "tokens.csv", "".join(rows))
        write_private(self.control_token_file, secrets.token_urlsafe(24))

    def kubeconfig_file(self, user: str) -> Path:
        """Return the kubeconfig of one of the parts."""
        return self.layout.config / f"{user.removeprefix('system:')}.kubeconfig"

    def _write_kubeconfig(self, user: str, ca: Path) -> None:
        users = [{"name": user, "user": {"tokenFile": str(self.token_file(user))}}]
        write_json(self.kubeconfig_file(user), kubeconfig(self.kubernetes_host, ca, users))

    def _write_token_webhook(self, ca: Path) -> None:
        server = f"{self.webhook_url}/token-review"
        write_json(self.layout.config / "token-webhook.kubeconfig", kubeconfig(server, ca, [{"name": "lab"}]))

    def _write_audit_policy(self) -> None:
        rules = [{"level": "Metadata", "userGroups": [AUDITED]}, {"level": "None"}]
        policy = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"], "rules": rules}
        write_json(self.layout.config / "audit-policy.yaml", policy)

    def _write_emulator_config(self, credentials: Credentials) -> None:
        state = self.layout.data / "aws"
        state.mkdir()
        config = {
            "name": self.name,
            "http_port": self.ports["aws_http"],
            "https_port": self.ports["aws_https"],
            "tls_cert": str(credentials.certificate),
            "tls_key": str(credentials.key),
            "state_dir": str(state),
            "control_token_file": str(self.control_token_file),
            "account_id": ACCOUNT_ID,
            "region": REGION,
            "issuer": self.issuer,
            **self._tenants(credentials.ca),
        }
        write_json(self.layout.config / "aws.json", config)

    def _write_node_config(self, credentials: Credentials) -> None:
        config = {
            "port": self.ports["kubelet"],
            "tls_cert": str(credentials.certificate),
            "tls_key": str(credentials.key),
            "folder": str(self.layout.data / "node"),
            "cluster": CLUSTER,
            "region": REGION,
            "aws_url": self.aws_url,
            "node": self.node_credentials,
            "kubernetes": self._kubernetes_access(credentials.ca, "kubelet"),
        }
        write_json(self.layout.config / "node.json", config)

    def _kubernetes_access(self, ca: Path, user: str) -> dict[str, str]:
        return {"host": self.kubernetes_host, "ca_file": str(ca), "token_file": str(self.token_file(user))}

    def _tenants(self, ca: Path) -> dict[str, t.Any]:
        """Return who is in the emulated account, and what: its operator, and its cluster."""
        return {
            "operator": {
                "user_name": "operator",
                "access_key_id": self.access_key_id,
                "secret_access_key": self.secret_access_key,
            },
            "clusters": [
                {
                    "name": CLUSTER,
                    "version": "{}.{}".format(*kubernetes_version()),
                    "region": REGION,
                    "auto_mode": False,
                }
            ],
            "node": self.node_credentials,
            "kubernetes": self._kubernetes_access(ca, "eks"),
        }

    def _write_stages(self) -> None:
        sources = sorted((SOURCE / "stages").glob("*.yaml"))
        text = "---\n".join(source.read_text(encoding="utf-8") for source in sources)
        text = text.replace("KUBELET_VERSION", "v{}.{}.{}".format(*kubernetes_version()))
        (self.layout.config / "stages.yaml").write_text(text, encoding="utf-8")


def kubeconfig(server: str, ca: Path, users: list[dict[str, t.Any]]) -> dict[str, t.Any]:
    """Return a kubeconfig with a context for each user, named as it; the first one is current."""
    contexts = [{"name": user["name"], "context": {"cluster": CLUSTER, "user": user["name"]}} for user in users]
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": CLUSTER, "cluster": {"server": server, "certificate-authority": str(ca)}}],
        "users": users,
        "contexts": contexts,
        "current-context": users[0]["name"],
    }


def write_json(path: Path, content: t.Any) -> None:
    """Write a private file; JSON is YAML too."""
    write_private(path, json.dumps(content, indent=2) + "\n")


def all_parts(plan: Plan, credentials: Credentials) -> list[Part]:
    """Return the parts in the order in which they are to be started."""
    return [
        _etcd(plan, credentials),
        _emulator(plan),
        _chart_repository(plan),
        _api_server(plan, credentials),
        _controller_manager(plan, credentials),
        _scheduler(plan, credentials),
        _node(plan),
        _kwok(plan, credentials),
        _volumes(plan, credentials),
    ]


def _etcd(plan: Plan, credentials: Credentials) -> Part:
    client = f"https://127.0.0.1:{plan.ports['etcd']}"
    peer = f"https://127.0.0.1:{plan.ports['etcd_peer']}"
    metrics = f"http://127.0.0.1:{plan.ports['etcd_metrics']}"
    command: Command = [
        plan.layout.bin / "etcd",
        f"--data-dir={plan.layout.data / 'etcd'}",
        "--name=lab",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=lab={peer}",
        f"--listen-metrics-urls={metrics}",
        *_for_api_server_alone("", credentials),
        *_for_api_server_alone("peer-", credentials),
        # It would call etcd with the server's certificate.
        "--enable-grpc-gateway=false",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]
    return Part("etcd", command, f"{metrics}/health")


def _for_api_server_alone(kind: str, credentials: Credentials) -> Command:
    """Whoever could write to etcd could give themselves any right in the cluster, and with that start processes."""
    return [
        f"--{kind}client-cert-auth",
        f"--{kind}trusted-ca-file={credentials.ca}",
        f"--{kind}cert-file={credentials.certificate}",
        f"--{kind}key-file={credentials.key}",
    ]


def _api_server(plan: Plan, credentials: Credentials) -> Part:
    port, config = plan.ports["kube_apiserver"], plan.layout.config
    command: Command = [
        plan.layout.bin / "kube-apiserver",
        f"--etcd-servers=https://127.0.0.1:{plan.ports['etcd']}",
        f"--etcd-cafile={credentials.ca}",
        f"--etcd-certfile={credentials.client_certificate}",
        f"--etcd-keyfile={credentials.client_key}",
        *_serving(port, credentials),
        f"--cert-dir={plan.layout.data / 'kube-apiserver'}",
        # Nothing in the lab dials the service address, and a machine without a network has none to advertise.
        "--advertise-address=192.0.2.1",
        "--endpoint-reconciler-type=none",
        "--service-cluster-ip-range=10.100.0.0/16",
        f"--service-account-issuer={plan.issuer}",
        f"--service-account-key-file={credentials.service_account_key}",
        f"--service-account-signing-key-file={credentials.service_account_key}",
        "--api-audiences=https://kubernetes.default.svc",
        f"--token-auth-file={plan.layout.secrets / 'tokens.csv'}",
        f"--authentication-token-webhook-config-file={config / 'token-webhook.kubeconfig'}",
        "--authentication-token-webhook-version=v1",
        "--authentication-token-webhook-cache-ttl=5s",
        "--authorization-mode=RBAC",
        f"--audit-policy-file={config / 'audit-policy.yaml'}",
        f"--audit-log-path={plan.layout.audit_log}",
        "--audit-log-mode=blocking",
        "--enable-admission-plugins=MutatingAdmissionWebhook",
        "--allow-privileged",
        "--kubelet-preferred-address-types=InternalIP",
        f"--kubelet-certificate-authority={credentials.ca}",
        f"--kubelet-client-certificate={credentials.client_certificate}",
        f"--kubelet-client-key={credentials.client_key}",
        "--profiling=false",
    ]
    return Part("kube-apiserver", command, f"{plan.kubernetes_host}/readyz", after=("etcd",))


def _controller_manager(plan: Plan, credentials: Credentials) -> Part:
    port = plan.ports["kube_controller_manager"]
    command: Command = [
        plan.layout.bin / "kube-controller-manager",
        f"--kubeconfig={plan.kubeconfig_file('system:kube-controller-manager')}",
        *_serving(port, credentials),
        "--leader-elect=false",
        f"--service-account-private-key-file={credentials.service_account_key}",
        f"--root-ca-file={credentials.ca}",
        "--profiling=false",
    ]
    health = f"https://127.0.0.1:{port}/healthz"
    return Part("kube-controller-manager", command, health, after=("kube-apiserver",))


def _scheduler(plan: Plan, credentials: Credentials) -> Part:
    port = plan.ports["kube_scheduler"]
    command: Command = [
        plan.layout.bin / "kube-scheduler",
        f"--kubeconfig={plan.kubeconfig_file('system:kube-scheduler')}",
        *_serving(port, credentials),
        "--leader-elect=false",
        "--profiling=false",
    ]
    return Part("kube-scheduler", command, f"https://127.0.0.1:{port}/healthz", after=("kube-apiserver",))


def _kwok(plan: Plan, credentials: Credentials) -> Part:
    port = plan.ports["kwok"]
    command: Command = [
        plan.layout.bin / "kwok",
        f"--kubeconfig={plan.kubeconfig_file('kwok')}",
        f"--config={plan.layout.config / 'stages.yaml'}",
        f"--manage-nodes-with-annotation-selector={MANAGED}=fake",
        "--node-ip=127.0.0.1",
        f"--node-port={plan.ports['kubelet']}",
        f"--server-address=127.0.0.1:{port}",
        f"--tls-cert-file={credentials.certificate}",
        f"--tls-private-key-file={credentials.key}",
        "--node-lease-duration-seconds=40",
    ]
    return Part("kwok", command, f"https://127.0.0.1:{port}/healthz", after=("kube-apiserver",))


def _serving(port: int, credentials: Credentials) -> Command:
    return [
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--tls-cert-file={credentials.certificate}",
        f"--tls-private-key-file={credentials.key}",
    ]


def _emulator(plan: Plan) -> Part:
    command = _python("aws", "--config", plan.layout.config / "aws.json")
    return Part("aws", command, f"{plan.aws_url}/_lab/ready")


def _chart_repository(plan: Plan) -> Part:
    command = _python("chart_repository", plan.layout.data / "charts", str(plan.ports["charts"]))
    return Part("charts", command, plan.chart_repository_url + chart_repository.READY)


def _node(plan: Plan) -> Part:
    command = _python("node", plan.layout.config / "node.json")
    return Part("node", command, f"https://127.0.0.1:{plan.ports['kubelet']}/healthz")


def _volumes(plan: Plan, credentials: Credentials) -> Part:
    token = plan.token_file("volumes")
    command = _python("volumes", plan.kubernetes_host, credentials.ca, token)
    return Part("volumes", command, "", after=("kube-apiserver",))


def _python(module: str, *arguments: str | Path) -> Command:
    return [sys.executable, "-m", f"{PACKAGE}.{module}", *arguments]
