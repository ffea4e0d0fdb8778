#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pod_identity_report
version_added: 1.0.0
short_description: Report findings, changes and remedies at the end of a run
description:
  - Prints a summary, writes files, and sets artifacts like M(ansible.builtin.set_stats).
  - The playbooks of this collection end with it. It reads the results that the steps' roles record in
    C(pod_identity_results) on each host of the play.
author:
  - The enbuild.eks contributors (@enbuild)
options:
  about:
    description:
      - What to report.
      - V(verdict) reports which identity the pods of a cluster have, from O(found).
      - V(drift) reports what differs from the declaration, from the steps' results in check mode and O(seen).
      - V(start) checks a run at its beginning. It fails if C(--tags) or C(--skip-tags) name a tag that no task has,
        and if a variable of the playbook's survey has a value that its question doesn't allow.
      - V(migration) reports what a migration planned and did; V(teardown) what was removed and what stays. Both read
        the result that the role recorded.
      - V(stop) records why a cluster stopped, in a C(rescue). It prints nothing.
      - V(run) reports the end of a run, for all hosts of the play. Use it with C(run_once).
      - V(end) fails on a host for which V(stop) was recorded.
      - The results of V(verdict), V(drift) and V(stop) have to be registered as C(pod_identity_reported), where V(run)
        and V(end) read them.
    type: str
    required: true
    choices: [start, stop, verdict, drift, migration, teardown, run, end]
  failed_task:
    description: For V(stop), the name of the task that failed.
    type: str
  failed_result:
    description: For V(stop), what the task returned.
    type: dict
  cluster:
    description: The cluster that is reported on, as M(enbuild.eks.eks_cluster_info) returns it. Not for V(stop), V(run)
      and V(end).
    type: dict
  found:
    description: For V(verdict), what M(enbuild.eks.pod_identity_workload_info) returned; for V(migration), to print a
      plan, what M(enbuild.eks.pod_identity_migration_info) returned.
    type: dict
  rung:
    description: For V(verdict), the required rung. As high as the permissions allow when left out.
    type: str
    default: ''
  fail_from:
    description: For V(verdict), the lowest severity of findings to return as RV(severe).
    type: str
    default: ''
  seen:
    description:
      - For V(drift), what was read beside the steps' results.
      - C(stops) are steps that could not be compared (C(step), C(failed_task) and C(failed_result)), C(unfit) workloads
        that can't be declared, C(associations) all of the cluster, C(declared) the declared ones, C(workloads) with
        their findings, and C(orphans) the IDs of associations that nothing can use.
    type: dict
  extra:
    description: For V(drift), whether what nobody declared counts as drift.
    type: bool
    default: true
  others:
    description:
      - For V(drift), whether to list associations that others created in the namespaces of declared workloads.
        Undeclared associations that this collection created are listed in any case, in all namespaces.
    type: bool
    default: false
  dir:
    description:
      - For V(verdict) and V(drift), a folder to write files to. A relative path starts where Ansible was started.
      - When it is missing, it is created for its owner alone (0700), and so are its files (0600). Those that are there
        keep their mode.
    type: str
    default: ''
  artifact:
    description: For V(verdict), whether to set the page's text as the artifact C(pod_identity_report_html).
    type: bool
    default: false
  changes:
    description: For V(run), whether to report what the steps changed, or in check mode would change.
    type: bool
    default: false
attributes:
  check_mode:
    description: Reports in check mode too, and writes the same files. With V(run), it reports the prediction.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: N/A
notes:
  - The variable C(pod_identity_survey) of a play names its survey among those of this collection, such as C(site).
    In a job of AWX, messages have the survey's question beside the variable.
  - It runs on the controller, with any connection, and needs no cluster.
seealso:
  - module: enbuild.eks.pod_identity_workload_info
"""

EXAMPLES = r"""
- name: One cluster
  vars:
    eks_cluster_name: production
    eks_region: us-east-1
  block:
    - name: Look at the workloads of a namespace
      ansible.builtin.include_role:
        name: enbuild.eks.pod_identity_diagnose
      vars:
        pod_identity_diagnose_namespaces: [shop]
  rescue:
    - name: Record why this cluster stopped
      enbuild.eks.pod_identity_report:
        about: stop
        failed_task: "{{ ansible_failed_task.name }}"
        failed_result: "{{ ansible_failed_result }}"
      register: pod_identity_reported
  always:
    - name: Report the run
      enbuild.eks.pod_identity_report:
        about: run
      run_once: true
    - name: Fail if the cluster stopped
      enbuild.eks.pod_identity_report:
        about: end
"""

RETURN = r"""
lines:
  description: What was printed.
  returned: always
  type: list
  elements: str
  sample: ["production: 2 workloads (2 allowed); no finding"]
files:
  description: Paths of the files that were written.
  returned: always
  type: list
  elements: str
  sample: [/srv/reports/production.html, /srv/reports/production.json]
short:
  description: The workloads that don't reach O(rung), each with the codes of its findings, or what stopped it.
  returned: with O(about=verdict)
  type: list
  elements: str
  sample: [orders (stale_pods)]
severe:
  description: The findings from O(fail_from) on, the most severe first.
  returned: with O(about=verdict)
  type: list
  elements: dict
  sample:
    - {code: stale_pods, severity: warning, object: Deployment shop/orders, message: 1 pod lacks it, remedy: restart it}
changes:
  description: What the run changed, or in check mode would change, by cluster.
  returned: with O(about=run) and O(changes=true)
  type: dict
  sample:
    production:
      - {step: pod_identity_iam, kind: role, name: shop-orders, action: update, what: [trust policy]}
drift:
  description: Whether something isn't as declared.
  returned: with O(about=drift)
  type: bool
  sample: true
not_compared:
  description: The steps that could not be compared, each with its task and message.
  returned: with O(about=drift)
  type: list
  elements: dict
  sample: []
ansible_facts:
  description: With C(pod_identity_idle), whether the tags of the run are those of other plays alone.
  returned: with O(about=start)
  type: dict
  sample: {pod_identity_idle: false}
message:
  description: Why the cluster stopped.
  returned: with O(about=stop)
  type: str
  sample: "No EKS cluster named 'production'"
brief:
  description: The counts of what differs, in a sentence.
  returned: with O(about=drift)
  type: str
  sample: "production: 1 missing, 2 different"
known:
  description: What is kept for the end of the run.
  returned: always
  type: dict
  sample: {}
"""
