# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment in which AWS CLI, boto3, Helm, kubectl and Ansible talk to a lab, and to nothing else."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import typing as t
from pathlib import Path

from .layout import Layout
from .parts import CLUSTER, REGION, Plan, kubeconfig

if t.TYPE_CHECKING:
    from .labs import Lab

CLAIMED = ("ANSIBLE_INVENTORY", "AWS_", "BOTO_", "EKS_", "HELM_", "K8S_AUTH_", "KUBE")
"""Prefixes of variables that decide where such tools go: a lab's shell has the lab's own and no others."""
EKS_CONTEXT, ADMIN_CONTEXT = "lab", "lab-admin"


def variables(lab: Lab) -> dict[str, str]:
    """Return the lab's own variables, but for PATH."""
    home = Layout(lab.folder).home
    return {
        "AWS_ENDPOINT_URL": lab.aws_endpoint_url,
        "AWS_ACCESS_KEY_ID": lab.access_key_id,
        "AWS_SECRET_ACCESS_KEY": lab.secret_access_key,
        "AWS_REGION": lab.region,
        "AWS_DEFAULT_REGION": lab.region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        "EKS_CLUSTER_NAME": lab.cluster_name,
        "KUBECONFIG": str(lab.kubernetes.kubeconfig),
        "KUBECACHEDIR": str(home / "kube"),
        "HELM_CACHE_HOME": str(home / "helm" / "cache"),
        "HELM_CONFIG_HOME": str(home / "helm" / "config"),
        "HELM_DATA_HOME": str(home / "helm" / "data"),
        "ENBUILD_LAB_CHART_REPOSITORY_URL": lab.chart_repository_url,
    }


def merged(own: dict[str, str], base: t.Mapping[str, str], folders: t.Iterable[Path]) -> dict[str, str]:
    """Return ``base`` without what the lab claims, with its own variables, and its programs first on PATH."""
    rest = {name: value for name, value in base.items() if not name.startswith(CLAIMED)}
    return rest | own | {"PATH": _path(base.get("PATH", os.defpath), folders)} | _without_proxy(base)


def shell_lines(own: dict[str, str], base: t.Mapping[str, str], folders: t.Iterable[Path]) -> list[str]:
    """Return what turns a shell whose environment is ``base`` into the lab's."""
    wanted = merged(own, base, folders)
    gone = sorted(base.keys() - wanted.keys())
    lines = [f"unset {name}" for name in gone]
    changed = {name: value for name, value in wanted.items() if name in own or base.get(name) != value}
    return lines + [f"export {name}={shlex.quote(value)}" for name, value in sorted(changed.items())]


def program_folders(bin_dir: Path) -> list[Path]:
    """Return what belongs first on PATH: the lab's programs, then those beside this Python."""
    return [bin_dir, Path(sys.executable).parent]


def _path(before: str, folders: t.Iterable[Path]) -> str:
    first = [str(folder) for folder in folders]
    return os.pathsep.join(first + [part for part in before.split(os.pathsep) if part not in first])


def _without_proxy(base: t.Mapping[str, str]) -> dict[str, str]:
    """Return the variables that keep calls to 127.0.0.1 from a proxy, where one is set."""
    if not any(name.lower().endswith("_proxy") and name.lower() != "no_proxy" for name in base):
        return {}
    known = base.get("no_proxy") or base.get("NO_PROXY") or ""
    hosts = [host for host in known.split(",") if host]
    hosts += [host for host in ("127.0.0.1", "localhost") if host not in hosts]
    return dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join(hosts))


def user_kubeconfig(plan: Plan, ca: Path) -> dict[str, t.Any]:
    """Return what ``aws eks update-kubeconfig`` would write, and a context with the lab's own administrator beside it.

    Who the first context's user is, the credentials in the environment decide.
    """
    admin = {"name": ADMIN_CONTEXT, "user": {"tokenFile": str(plan.token_file("admin"))}}
    aws = aws_cli()
    users = [{"name": EKS_CONTEXT, "user": {"exec": _get_token(aws, plan.aws_url)}}, admin] if aws else [admin]
    return kubeconfig(plan.kubernetes_host, ca, users)


def user_inventory(plan: Plan) -> dict[str, t.Any]:
    """Return the inventory with which a playbook works on the lab without any option."""
    host = {
        "eks_cluster_name": CLUSTER,
        "eks_region": REGION,
        "enbuild_release_chart_repository_url": plan.chart_repository_url,
    }
    return {"all": {"hosts": {CLUSTER: host}}}


def _get_token(aws: str, endpoint: str) -> dict[str, t.Any]:
    return {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": aws,
        "args": ["eks", "get-token", "--cluster-name", CLUSTER, "--region", REGION],
        "env": [{"name": "AWS_ENDPOINT_URL", "value": endpoint}],
        "interactiveMode": "Never",
    }


def aws_cli() -> str | None:
    """Return the AWS CLI beside this Python, or else the one on PATH."""
    beside = Path(sys.executable).parent / "aws"
    return str(beside) if beside.exists() else shutil.which("aws")
