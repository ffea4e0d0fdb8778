# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that each playbook may have to do, done by an IAM user of its own: what it needs is what that user called.

``make permissions`` runs it as administrators and writes down what they called; a test runs it with what was written.
"""

from __future__ import annotations

import json
import os
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.enbuild.eks.plugins.module_utils._core.tags import MANAGED_BY
from ansible_collections.enbuild.eks.tests.integration import guide, irsa
from ansible_collections.enbuild.eks.tests.integration.shop import policy, trust
from ansible_collections.enbuild.eks.tests.lab.labs import Lab, remove
from ansible_collections.enbuild.eks.tests.lab.parts import AUDITED
from ansible_collections.enbuild.eks.tests.tools import permissions
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT
from ansible_collections.enbuild.eks.tests.tools.playbook_run import PlaybookRun, run_playbook

FOLDER = CHECKOUT / "permissions"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
SPACE = "enbuild"
AI, CTF = "enbuild-ai-bedrock", "enbuild-ctf-s3"
FAILED = 2
"""What ansible-playbook ends with when a task failed."""
DENYING_POLICY = "denying"
BUCKET = "acme-ctf-artifacts"
DENYING = {"Effect": "Deny", "Action": "s3:ListAllMyBuckets", "Resource": "*"}


def place_of(lab: Lab) -> permissions.Place:
    return permissions.Place("aws", lab.region, lab.account_id, lab.cluster_name)


class Operator:
    """An IAM user for one playbook, an administrator or with the permissions of its files alone."""

    def __init__(self, lab: Lab, playbook: str, administrator: bool = False) -> None:
        self.lab, self.playbook = lab, playbook
        self.group = f"enbuild-eks-{playbook}"
        self.arn = f"arn:aws:iam::{lab.account_id}:user/{self.group}"
        self.reports = lab.folder / "data" / "reports" / playbook
        iam = lab.aws("iam")
        iam.create_user(UserName=self.group)
        iam.attach_user_policy(UserName=self.group, PolicyArn=ADMINISTRATOR if administrator else self._own_policy())
        self._key = iam.create_access_key(UserName=self.group)["AccessKey"]
        groups = ["system:masters" if administrator else self.group, AUDITED]
        others = [each for each in lab.control("GET", "access_entries") if "cluster_arn" not in each]
        entry = {"principal_arn": self.arn, "username": self.arn, "groups": groups}
        lab.control("PUT", "access_entries", [*others, entry])

    def _own_policy(self) -> str:
        self.lab.kubectl("apply", "-f", str(rbac_file(self.playbook)))
        text = permissions.filled_in(iam_file(self.playbook).read_text(), place_of(self.lab))
        made = self.lab.aws("iam").create_policy(PolicyName=self.group, PolicyDocument=text)
        return str(made["Policy"]["Arn"])

    def run(self, *arguments: str, history: int = 10, **variables: t.Any) -> PlaybookRun:
        """Run the playbook."""
        given = {
            "eks_cluster_name": self.lab.cluster_name,
            "eks_region": self.lab.region,
            "pod_identity_report_dir": str(self.reports),
            "enbuild_release_chart_repository_url": self.lab.chart_repository_url,
            "pod_identity_verify_ask_pods": False,  # No file has pods/exec.
            "pod_identity_diagnose_ask_pods": False,
            **variables,
        }
        return run_playbook(
            [f"enbuild.eks.{self.playbook}", "-e", json.dumps(given), *arguments],
            {**self.environment(), "HELM_MAX_HISTORY": str(history)},
        )

    def environment(self) -> dict[str, str]:
        """The lab's, with this user's key."""
        key = {"AWS_ACCESS_KEY_ID": self._key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": self._key["SecretAccessKey"]}
        return {**self.lab.environment(), **key}

    def iam(self) -> permissions.Document:
        """The policy that grants what was called."""
        used = [permission for call in self._calls() for permission in call["permissions"]]
        return permissions.iam_policy(used, place_of(self.lab))

    def rbac(self) -> list[permissions.Document]:
        """The objects that grant what the API server was asked for."""
        return permissions.rbac(self.group, permissions.requests(self._events()), PLAYBOOKS[self.playbook].scope)

    def denials(self) -> list[str]:
        """Every call and request that was denied."""
        aws = [f"{call['service']}:{call['operation']}" for call in self._calls() if call["status"] == 403]
        events = [event for event in self._events() if event.get("responseStatus", {}).get("code") == 403]
        return aws + [f"{event['verb']} {event['requestURI']}" for event in events]

    def _calls(self) -> list[t.Any]:
        return [call for call in self.lab.calls()["log"] if call["access_key_id"] == self._key["AccessKeyId"]]

    def _events(self) -> list[t.Any]:
        return [event for event in self.lab.audited() if event["user"]["username"] == self.arn]


def iam_file(playbook: str) -> Path:
    return FOLDER / f"{playbook}.iam.json"


def rbac_file(playbook: str) -> Path:
    return FOLDER / f"{playbook}.rbac.yaml"


def _install(operator: Operator) -> list[PlaybookRun]:
    """Foretold, done, one service switched off, all that can differ made to differ, upgraded and mended."""
    runs = [operator.run("--check"), operator.run(enbuild_release_chart_version="0.0.38")]
    _spoil(operator.lab)
    runs.append(operator.run("--tags", "enbuild_release", enbuild_release_ai=False))
    mended = operator.run(
        history=2,
        enbuild_release_chart_version="0.0.46",
        pod_identity_agent_configuration_values={"resources": {"limits": {"memory": "64Mi"}}},
        pod_identity_iam_tags={"team": "ml"},
    )
    return [*runs, mended]


def _spoil(lab: Lab) -> None:
    """What is made to differ; and a policy, which nothing mends, denies what CTF is to be allowed."""
    iam, eks = lab.aws("iam"), lab.aws("eks")
    iam.update_assume_role_policy(RoleName=AI, PolicyDocument=trust())
    iam.delete_role_policy(RoleName=AI, PolicyName=AI)
    iam.detach_role_policy(RoleName=CTF, PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    denying = iam.create_policy(PolicyName=DENYING_POLICY, PolicyDocument=policy(DENYING))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=CTF, PolicyArn=denying)
    iam.put_role_policy(RoleName=CTF, PolicyName="other", PolicyDocument=policy(DENYING))
    for each in eks.list_pod_identity_associations(clusterName=lab.cluster_name)["associations"]:
        of = {"clusterName": lab.cluster_name, "associationId": each["associationId"]}
        if each["serviceAccount"].endswith("-ai"):
            eks.update_pod_identity_association(**of, roleArn=f"arn:aws:iam::{lab.account_id}:role/{CTF}")
            eks.tag_resource(resourceArn=each["associationArn"], tags={"extra": "yes"})
            eks.untag_resource(resourceArn=each["associationArn"], tagKeys=list(MANAGED_BY))
    lab.kubectl("create", "configmap", "settings", "--from-literal=COLOUR=blue", "-n", SPACE)
    container = {"name": "enbuild-ctf", "envFrom": [{"configMapRef": {"name": "settings"}}]}
    patch = {"spec": {"template": {"spec": {"containers": [container]}}}}
    lab.kubectl("patch", "deployment", "enbuild-enbuild-ctf", "-n", SPACE, "-p", json.dumps(patch))


def _take_away(operator: Operator) -> list[PlaybookRun]:
    """All that can be: what others gave the roles is gone before, and every association has its mark again."""
    lab, iam, eks = operator.lab, operator.lab.aws("iam"), operator.lab.aws("eks")
    iam.detach_role_policy(RoleName=CTF, PolicyArn=f"arn:aws:iam::{lab.account_id}:policy/{DENYING_POLICY}")
    iam.delete_role_policy(RoleName=CTF, PolicyName="other")
    for each in eks.list_pod_identity_associations(clusterName=lab.cluster_name)["associations"]:
        eks.tag_resource(resourceArn=each["associationArn"], tags=MANAGED_BY)
    return [operator.run(pod_identity_teardown_release=True, pod_identity_teardown_agent=True)]


def _move(operator: Operator) -> list[PlaybookRun]:
    """There, again, and back: AI has its role by IRSA, CTF its node's by the network, and its policy in both forms."""
    lab = operator.lab
    irsa.install_with_irsa(lab, SPACE, AI)
    lab.aws("s3").create_bucket(Bucket=BUCKET)
    act, finish = {"pod_identity_migrate_act": True}, {"pod_identity_migrate_finish": True}
    runs = [operator.run(**act)]
    eks = lab.aws("eks")
    account = {"clusterName": lab.cluster_name, "namespace": SPACE, "serviceAccount": f"{irsa.RELEASE}-enbuild-ctf"}
    for each in eks.list_pod_identity_associations(**account)["associations"]:
        eks.delete_pod_identity_association(clusterName=lab.cluster_name, associationId=each["associationId"])
    runs.append(operator.run(**act, **finish, enbuild_ctf_buckets=[BUCKET]))
    back = {"pod_identity_migrate_back": True, "pod_identity_migrate_back_associations": True}
    return [*runs, operator.run(**back)]


def _compare(operator: Operator) -> list[PlaybookRun]:
    """With an agent that is declared as closely as can be, in Auto Mode, which needs it for some nodes alone."""
    configuration = {"resources": {"limits": {"memory": "128Mi"}}}
    cluster, eks = operator.lab.cluster_name, operator.lab.aws("eks")
    eks.update_cluster_config(name=cluster, computeConfig={"enabled": True})
    run = operator.run(pod_identity_agent_version="latest", pod_identity_agent_configuration_values=configuration)
    eks.update_cluster_config(name=cluster, computeConfig={"enabled": False})
    return [run]


def _once(operator: Operator) -> list[PlaybookRun]:
    return [operator.run()]


def _diagnose(operator: Operator) -> list[PlaybookRun]:
    """With a declaration: what a service may lack isn't known without one."""
    names = {"ai": (AI, "bedrock:ListFoundationModels"), "ctf": (CTF, "s3:ListBuckets")}
    declared = [
        {"name": name, "namespace": SPACE, "deployment": f"enbuild-enbuild-{name}", "role_name": role, "allowed": check}
        for name, (role, check) in names.items()
    ]
    return [operator.run(pod_identity_workloads=declared)]


def _declare(operator: Operator) -> list[PlaybookRun]:
    return [operator.run(pod_identity_declare_dir=str(operator.reports), pod_identity_declare_overwrite=True)]


NAMED = permissions.Scope()
BY_NAME = permissions.Scope(named=NAMED.named | {"deployments"})


@dataclass(frozen=True)
class Playbook:
    """How everything that a playbook may have to do is brought about, and how far it reaches."""

    scenario: t.Callable[[Operator], list[PlaybookRun]]
    ends: tuple[int, ...]
    """The exit status of each run: one that proves what is denied fails, but for diagnose."""
    scope: permissions.Scope = NAMED


PLAYBOOKS = {
    "site": Playbook(_install, (0, 0, 0, FAILED)),
    "verify": Playbook(_once, (FAILED,)),
    "diagnose": Playbook(_diagnose, (0,), permissions.Scope(whole_cluster=True)),
    "drift": Playbook(_compare, (FAILED,)),
    "declare": Playbook(_declare, (0,), permissions.Scope(whole_cluster=True)),
    "rotate": Playbook(_once, (FAILED,), BY_NAME),
    "teardown": Playbook(_take_away, (0,)),
    "migrate": Playbook(_move, (0, 0, 0)),
}
TURNS = (("site",), ("verify", "diagnose", "declare"), ("drift",), ("rotate",), ("teardown",), ("migrate",))
"""The order in which they find what they need, those that only read side by side."""


def start_over(lab: Lab) -> None:
    """Leave nothing of an earlier test in the way: no release, no agent, no role."""
    guide.start_over(lab)
    lab.kubectl("create", "namespace", SPACE)


def act(lab: Lab, administrators: bool = False) -> dict[str, tuple[Operator, list[PlaybookRun]]]:
    """Run every scenario; return each playbook's operator and runs."""
    start_over(lab)
    done: dict[str, tuple[Operator, list[PlaybookRun]]] = {}
    for turn in TURNS:
        operators = [Operator(lab, playbook, administrators) for playbook in turn]
        with ThreadPoolExecutor(len(turn)) as together:
            runs = list(together.map(_play, operators))
        done |= dict(zip(turn, zip(operators, runs, strict=True), strict=True))
    return done


def _play(operator: Operator) -> list[PlaybookRun]:
    playbook = PLAYBOOKS[operator.playbook]
    runs = playbook.scenario(operator)
    for run, end in zip(runs, playbook.ends, strict=True):
        assert run.returncode == end, run.output
    return runs


def main() -> None:
    """Write the files anew."""
    name = f"permissions-{os.getpid()}"
    with Lab.start(name, tied=True, say=print) as lab:
        for playbook, (operator, runs) in act(lab, administrators=True).items():
            print(f"{playbook}: {', '.join(f'{run.seconds:.0f} s' for run in runs)}")
            iam_file(playbook).write_text(permissions.as_json(operator.iam()))
            rbac_file(playbook).write_text(permissions.as_yaml(operator.rbac()))
    remove(name)


if __name__ == "__main__":
    main()
