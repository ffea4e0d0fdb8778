# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every playbook as an AWX job on the lab, as AWX runs it, with what AWX brings that nobody else does."""

from __future__ import annotations

import itertools
import json
import re
import time
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.enbuild.eks.tests.awx import data, rules
from ansible_collections.enbuild.eks.tests.integration.agent import AGENT
from ansible_collections.enbuild.eks.tests.integration.guide import associations, start_over
from ansible_collections.enbuild.eks.tests.lab.labs import Lab
from ansible_collections.enbuild.eks.tests.runner import pod
from ansible_collections.enbuild.eks.tests.runner.credentials import (
    Credential,
    amazon_web_services,
    kubernetes_bearer_token,
)
from ansible_collections.enbuild.eks.tests.runner.job import Event, Finished, Job, run
from ansible_collections.enbuild.eks.tests.runner.project import Project, clone, update
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT
from botocore.config import Config

pytestmark = pytest.mark.lab

HOST = "production"
NUMBERS = itertools.count(1)
SETUP = "awx_setup"
"""The one playbook that isn't for jobs: it makes their templates."""
ARTIFACTS = {
    "site": "pod_identity_report",
    "verify": "pod_identity_report",
    "diagnose": "pod_identity_report",
    "drift": "pod_identity_drift",
    "migrate": "pod_identity_migration",
    "rotate": "pod_identity_report",
    "teardown": "pod_identity_teardown",
}
"""What each playbook passes on, as they depend on each other."""
ANSWERS = {"teardown": {"pod_identity_teardown_force": "true"}, "diagnose": {"enbuild_ctf_buckets": ""}}
"""What a playbook must be told; a survey's choice is text. Nobody tells diagnose which buckets the role has."""
PROVEN = f"{HOST}: 2 workloads (2 allowed); no finding; nothing to do"
"""What docs/awx.md shows of the end of a job that proves."""
SECRETS = re.compile(r"k8s-aws-v1\.[\w-]{8}|eyJ[\w-]{8,}\.eyJ|BEGIN [A-Z ]*PRIVATE KEY")
"""A token for a cluster, a service account's, a key."""


PLANTED = "pl4nted-p4ssword"
"""A password that somebody typed into a survey. It is among the release's values ever after; no event may hold it."""
IN_A_POD = "pl4nted-region"
"""A value of the release that a container's environment has in clear; no event of any job may have it."""
VALUES = f"{{enbuildAI: {{database: {{password: {PLANTED}}}}}, enbuildCTF: {{aws_region: {IN_A_POD}}}}}"
GIVEN = ("eks_cluster_name", "eks_region", "enbuild_release_chart_repository_url")
"""What the inventory and the template say, and an empty answer would take away."""


BUCKETS = {"enbuild_ctf_buckets": "- acme-ctf-artifacts\n"}
"""A list, as a person writes it into a survey."""


def names() -> list[str]:
    """The playbooks for jobs, as they depend on each other; a job would lose the file that declare writes."""
    there = {path.stem for path in CHECKOUT.glob("playbooks/*.yml")} - {SETUP, "declare"}
    return sorted(there, key=[*ARTIFACTS, *sorted(there - ARTIFACTS.keys())].index)


def blanks(first: str | None, second: str | None) -> dict[str, str | None]:
    """All that the roles can be told, left empty by turns in two ways."""
    specs = [yaml.safe_load(path.read_text()) for path in sorted(CHECKOUT.glob("roles/*/meta/argument_specs.yml"))]
    entries = [entry for spec in specs for entry in spec["argument_specs"].values()]
    options = (option for entry in entries for option in (entry.get("options") or {}).items())
    free = sorted({name for name, about in options if not about.get("required")} - set(GIVEN))
    return dict(zip(free, itertools.cycle([first, second]), strict=False))


class Awx:
    """An AWX with one inventory, whose jobs run in pods beside the lab."""

    def __init__(self, lab: Lab, project: Project, folder: Path) -> None:
        self.lab, self.project, self.folder = lab, project, folder
        self.operator = amazon_web_services(lab.access_key_id, lab.secret_access_key)
        self.stray = kubernetes_bearer_token("https://127.0.0.1:9", "stray-token")
        self.hosts: dict[str, dict[str, t.Any]] = {
            HOST: {"eks_cluster_name": lab.cluster_name, "eks_region": lab.region}
        }

    def launch(
        self,
        playbook: str,
        cancel_at: t.Callable[[Event], bool] = lambda _event: False,
        credential: Credential | None = None,
        project: Project | None = None,
        **more: t.Any,
    ) -> Finished:
        """Run a job of the operator's, with a credential of another cluster beside, and look for secrets in it.

        ``project`` is another one than this repository.
        """
        number = next(NUMBERS)
        folder = self.folder / str(number)
        place = pod.make(folder, {"AWS_ENDPOINT_URL": self.lab.aws_endpoint_url}, [self.lab.bin_dir / "helm"])
        if project:  # It brings no collection: the image has it.
            link = folder / "home" / ".ansible" / "collections"
            link.parent.mkdir()
            link.symlink_to(self.project.collections)
        template = {"enbuild_release_chart_repository_url": self.lab.chart_repository_url}
        credential = credential or self.operator
        job = Job(
            playbook=playbook if playbook.endswith(".yml") else f"playbooks/{playbook}.yml",
            hosts=self.hosts,
            extra_vars={**template, **more.pop("extra_vars", {})},
            credentials=[credential, self.stray],
            answers={**BUCKETS, **more.pop("answers", {})},
            id=number,
            **more,
        )
        finished = run(job, project or self.project, place, folder, cancel_at)
        self._assert_no_secret(finished, credential, folder)
        assert all(name.startswith("pod_identity_") for name in finished.artifacts)
        return finished

    def _assert_no_secret(self, finished: Finished, credential: Credential, folder: Path) -> None:
        files = [path for path in (folder / "home").rglob("*") if path.is_file()]
        # A canceled job leaves Ansible's temporary folder, whose kubeconfigs only their owner reads.
        kubeconfigs = [path for path in files if path.name.startswith("kubeconfig-")]
        assert [path for path in kubeconfigs if path.stat().st_mode & 0o077] == []
        kept = [path for path in files if path not in kubeconfigs]
        text = json.dumps(finished.events) + notification(finished)
        text += "".join(path.read_text(errors="replace") for path in kept)
        known = {
            "stray-token",
            PLANTED,
            IN_A_POD,
            *(text for name, text in credential.variables.items() if name != "AWS_ACCESS_KEY_ID"),
        }
        assert not [secret for secret in known if secret in text]
        found = SECRETS.search(text)
        assert not found, text[max(0, found.start() - 900) : found.start() + 20]


def notification(finished: Finished) -> str:
    """The message that AWX sends when a job has ended, as it fills it in."""
    (template,) = data.read("notifications")
    event = "success" if finished.status == "successful" else "error"
    job = {"name": "job", "status": finished.status, "artifacts": finished.artifacts}
    sent = rules.rendered(template["messages"][event]["body"], job)
    assert json.loads(sent)["stopped"] == finished.artifacts.get("pod_identity_stopped", {})
    return sent


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """This repository as the project, as a project update leaves it."""
    place = tmp_path_factory.mktemp("project")
    return update(clone(CHECKOUT, place / "checkout"), place / "cache")


@pytest.fixture(scope="module")
def awx(lab: Lab, project: Project, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Awx]:
    """The account begins empty; the module's tests go on from one to the next."""
    start_over(lab)
    yield Awx(lab, project, tmp_path_factory.mktemp("jobs"))
    start_over(lab, wait=False)


def session(lab: Lab, seconds: int = 3600) -> Credential:
    """Credentials with a token, of a role that may do everything. STS itself gives none for less than 15 minutes."""
    iam, arn = lab.aws("iam"), f"arn:aws:iam::{lab.account_id}:role/awx"
    trust = {"Effect": "Allow", "Principal": {"AWS": lab.account_id}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    if "awx" not in {role["RoleName"] for role in iam.list_roles()["Roles"]}:
        iam.create_role(RoleName="awx", AssumeRolePolicyDocument=document)
        iam.attach_role_policy(RoleName="awx", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
        entry = {"principal_arn": arn, "username": "awx", "groups": ["system:masters"]}
        lab.control("PUT", "access_entries", [entry])
    sts = lab.aws("sts", config=Config(parameter_validation=False))
    given = sts.assume_role(RoleArn=arn, RoleSessionName="job", DurationSeconds=seconds)["Credentials"]
    return amazon_web_services(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def test_a_plan_with_every_answer_empty_predicts_all_and_changes_nothing(awx: Awx) -> None:
    plan = awx.launch("site", job_type="check", diff_mode=True, answers={**blanks("", None), **BUCKETS})
    assert plan.status == "successful", plan.output
    assert {"Install or upgrade the release", f"Install the add-on {AGENT}"} <= set(plan.changed)
    assert awx.lab.aws("eks").list_addons(clusterName=awx.lab.cluster_name)["addons"] == []
    assert plan.artifacts["pod_identity_report"].keys() == {HOST}
    assert f"{HOST}: launch it with the job type Run to make these changes" in plan.output


def test_a_canceled_job_leaves_nothing_running(awx: Awx) -> None:
    awx.lab.weather(role_unseen_seconds=60)
    cut = awx.launch("site", cancel_at=begins("Record what changed in the add-on"))
    awx.lab.weather(role_unseen_seconds=0)
    assert (cut.status, cut.artifacts) == ("canceled", {})
    assert processes(awx) == []
    assert awx.lab.aws("eks").list_addons(clusterName=awx.lab.cluster_name)["addons"] == [AGENT]
    # Some of the next tasks may be done, as an event follows what it tells; not this one, which waits for its role.
    assert associations(awx.lab) == {}


def begins(task: str) -> t.Callable[[Event], bool]:
    """Whether an event is the start of that task."""
    return lambda event: event["event"] == "playbook_on_task_start" and task in event["event_data"]["task"]


def processes(awx: Awx) -> list[str]:
    """What still runs of any job."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            mine = f"AWX_PRIVATE_DATA_DIR={awx.folder}".encode() in path.read_bytes()
        except OSError:
            continue
        if mine:
            found.append(path.with_name("cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


def test_the_next_job_ends_what_the_canceled_one_began(awx: Awx) -> None:
    """With a session's token, and every answer but one empty."""
    awx.lab.aws("s3").create_bucket(Bucket="acme-ctf-artifacts")
    answers = {**blanks(None, ""), **BUCKETS, "enbuild_release_values": VALUES}
    done = awx.launch("site", diff_mode=True, verbosity=4, answers=answers, credential=session(awx.lab))
    assert done.status == "successful", done.output
    assert done.artifacts["pod_identity_report"][HOST]["by_rung"]["allowed"] == 2
    assert done.artifacts["pod_identity_stopped"] == {}
    policy = awx.lab.aws("iam").get_role_policy(RoleName="enbuild-ctf-s3", PolicyName="enbuild-ctf-s3")
    assert "acme-ctf-artifacts" in json.dumps(policy["PolicyDocument"])
    assert IN_A_POD in awx.lab.kubectl("get", "deployment", "-n", "enbuild", "-o", "yaml"), "nothing was planted"


CHECKED_ELSEWHERE = {"site": "the plan above, and test_release.py", "drift": "it is in check mode anyhow"}
"""Playbooks that no check job is worth its seconds of: where their check mode is searched for secrets."""


def test_a_thin_project_is_enough_to_check_playbooks(awx: Awx, tmp_path: Path) -> None:
    """At verbosity 0, where the runs for real are at 4; one after the other in one job, which saves its start."""
    (tmp_path / "none").mkdir()
    thin = clone(CHECKOUT / "examples" / ".awx_project", tmp_path / "thin")
    checked = [name for name in names() if name not in CHECKED_ELSEWHERE]
    (thin / "all.yml").write_text(yaml.safe_dump([{"import_playbook": f"{name}.yml"} for name in checked]))
    asked = ("migrate_act", "teardown_release", "teardown_agent", "teardown_force")
    answers = {f"pod_identity_{name}": "true" for name in asked}
    brought = Project(thin, tmp_path / "none")
    done = awx.launch("all.yml", project=brought, job_type="check", diff_mode=True, answers=answers)
    assert done.status == "successful", done.output
    assert done.artifacts.keys() >= {ARTIFACTS[name] for name in checked}
    assert done.artifacts["pod_identity_report"][HOST]["by_rung"]["allowed"] == 2
    assert "Remove the release" in {name.rpartition(" : ")[2] for name in done.changed}


def test_one_cluster_of_two_by_a_limit_and_a_tag(awx: Awx) -> None:
    awx.hosts["elsewhere"] = {"eks_cluster_name": "elsewhere", "eks_region": awx.lab.region}
    try:
        one = awx.launch("site", job_type="check", limit=HOST, job_tags="pod_identity_associations,pod_identity_verify")
        both = awx.launch("verify", verbosity=4)
    finally:
        del awx.hosts["elsewhere"]
    assert (one.status, one.changed) == ("successful", []), one.output
    assert not [task for task in one.tasks if "Install the add-on" in task]
    assert both.status == "failed"
    assert both.artifacts["pod_identity_report"].keys() == {HOST}
    assert both.artifacts["pod_identity_stopped"].keys() == {"elsewhere"}


def test_wrong_answers_are_named_by_their_questions_before_anything_is_read_and_are_no_templates(awx: Awx) -> None:
    workload = dict.fromkeys(("name", "namespace", "service_account", "role_name"), "{{ 7*7 }}")
    region = {"eks_region": "{{ 'us' ~ '-east-1' }}"}  # Of the template itself, which may.
    wrong = {
        "pod_identity_workloads": yaml.safe_dump([workload]),
        "enbuild_ctf_buckets": "Acme_Artifacts",
        "enbuild_release_values": f"db: {{password: {PLANTED}",
    }
    refused = awx.launch("site", answers=wrong, extra_vars=region)
    assert refused.status == "failed"
    said = refused.artifacts["pod_identity_stopped"][HOST]["message"]
    for question, words in {
        "Workloads": "has mistakes: Workload {{ 7*7 }}: ",
        "Buckets of the CTF service": "has 'Acme_Artifacts', which is not the name of a bucket",
        "Helm values": "is not YAML (line 1, column",
    }.items():
        assert re.search(rf'The answer to "{question}" \(\w+\) {re.escape(words)}', said), said
    assert [task for task in refused.tasks if "Read" in task] == []
    assert "49" not in said
    assert "Region" not in said
    assert printed_by(refused, "It has to be a YAML list of workloads") == ["Check what was asked for"]


def printed_by(job: Finished, words: str) -> list[str]:
    """The tasks under which a job's page shows some words."""
    shown = (event["event_data"]["task"] for event in job.events if words in (event.get("stdout") or ""))
    return list(dict.fromkeys(shown))


def test_a_region_that_nobody_names_is_asked_for_by_the_question(awx: Awx) -> None:
    refused = awx.launch("verify", answers={"eks_region": "  "})
    assert refused.status == "failed"
    said = refused.artifacts["pod_identity_stopped"][HOST]["message"]
    advice = "Name the cluster's region in eks_region (the survey's question \"Region\")."
    assert said.endswith(advice), said
    reason = said.partition(". Name")[0]
    assert printed_by(refused, reason) == ["Read the cluster"]
    assert printed_by(refused, advice.replace('"', '\\"')) == ["Fail if the cluster stopped"]


def test_an_expired_token_is_named_with_the_way_out(awx: Awx) -> None:
    expired = session(awx.lab, seconds=1)
    time.sleep(1)
    stopped = awx.launch("verify", credential=expired)
    assert stopped.status == "failed"
    assert "expired" in stopped.failure
    assert stopped.artifacts["pod_identity_stopped"].keys() == {HOST}


@pytest.mark.parametrize("playbook", [name for name in names() if name not in ("site", "verify")])
def test_each_other_playbook_is_a_job(awx: Awx, playbook: str) -> None:
    """Beside site and verify, which are above. The last of them takes away what the others look at."""
    done = awx.launch(playbook, verbosity=4, answers=ANSWERS.get(playbook, {}))
    assert done.status == "successful", done.output
    assert done.artifacts["pod_identity_stopped"] == {}
    assert done.artifacts[ARTIFACTS[playbook]].keys() == {HOST}
    assert playbook != "rotate" or PROVEN in done.output
    assert "check_denied" not in json.dumps(done.artifacts), "advice to allow more than the workload needs"
    places = {path.partition("/ansible_collections/")[0] for path in done.task_files if "/project/" not in path}
    assert places == {f"{pod.RUNNER}/requirements_collections"} or not pod.namespaces()
