#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pod_identity_report
version_added: 0.1.0
short_description: Report what was found, what a run changed, and what to do
description:
  - Prints lines that can be read and pasted, writes files, and passes artifacts on like M(ansible.builtin.set_stats).
  - The playbooks of this collection end with it. It reads what the steps' roles recorded as C(pod_identity_results) on
    each host of the play.
author:
  - The enbuild.eks contributors (@enbuild)
options:
  about:
    description:
      - What to report on.
      - V(verdict) is what the pods of a cluster have, from O(found).
      - V(drift) is what isn't as declared, from the steps' results in check mode and O(seen).
      - V(start) is the beginning of a run. It fails where a tag was asked for, or is to be skipped, that no task has,
        and where a variable that the playbook's survey asks for has a value that its question doesn't allow.
      - V(migration) is what was planned and done of a migration; V(teardown) what was taken away and what stays. Both
        read the result that the role recorded.
      - V(stop) records why a cluster stopped, in a C(rescue). It prints nothing.
      - V(run) is the end of a run, for all hosts of the play. Use it with C(run_once).
      - V(end) fails on a host that V(stop) was recorded for.
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
    description: For V(verdict), the rung that was asked for; as high as permissions allow when left out.
    type: str
    default: ''
  fail_from:
    description: For V(verdict), the severity from which findings are returned as RV(severe). Others return none.
    type: str
    default: ''
  seen:
    description:
      - For V(drift), what was looked at beside the steps' results.
      - C(stops) are steps that could not be compared (C(step), C(failed_task) and C(failed_result)), C(unfit) workloads
        that can't be declared, C(associations) all of the cluster, C(declared) the declared ones, C(workloads) with
        their findings, and C(orphans) the IDs of associations that nothing can use.
    type: dict
  extra:
    description: For V(drift), whether what is there beyond the declaration counts as drift.
    type: bool
    default: true
  others:
    description:
      - For V(drift), whether associations that others made are beyond the declaration as well, in the namespaces that
        have a declared workload. Those that this collection made are in any case, in all namespaces.
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
    description: For V(verdict), whether to pass on the page, too, as C(pod_identity_report_html).
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
  - It runs on the controller, whatever the connection, and needs no cluster.
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
  description: The workloads that fall short of O(rung), each with the codes of its findings, or what stopped it.
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
