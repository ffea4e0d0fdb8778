#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pod_identity_workload_info
version_added: 0.1.0
short_description: Report which IAM role workloads have by EKS Pod Identity, and what is wrong if they have none
description:
  - Climbs the ladder of proof for each workload and names the first rung that doesn't hold.
  - V(declared) holds when a pod identity association binds the service account that the workload runs under to
    the expected role.
  - V(injected) holds when all running pods carry the credential variables and the token volume, and a pod created
    now would too.
  - V(issued) holds when EKS issues credentials of that role to one of the pods, and the pod finds an agent and
    nothing that an SDK would take before them.
  - V(allowed) holds when the calls that the workload has to make succeed with those credentials.
  - Nothing is changed. A pod created now is tried as a server-side dry run through the cluster's own admission
    chain, which needs the permission to create pods in the namespace.
  - Credentials are issued by exchanging a token of that very pod, which needs the permission to create
    C(serviceaccounts/token) in Kubernetes and C(eks-auth:AssumeRoleForPodIdentity) in AWS. Credentials and tokens are
    neither returned nor logged.
  - The pod itself asks its agent in addition (O(ask_pods)), by an exec that needs C(pods/exec), with what its image
    has. Only the pod can know of a network policy or a mesh between it and the agent, of a node that may not ask EKS,
    and of an SDK that is older than Pod Identity. Where the exchange of a token is denied, its answer is the only
    evidence.
  - IAM is asked about a role only where something is missing that the role may explain.
  - What the caller may not read is left out and counts neither for nor against a workload.
author:
  - The enbuild.eks contributors (@enbuild)
options:
  cluster_name:
    description:
      - Name of the EKS cluster.
      - Without it no association is read, and the rung V(none) is the highest; that is enough to learn service
        accounts and pods.
    type: str
  cluster:
    description:
      - The cluster, as M(enbuild.eks.eks_cluster_info) returned it in the same run. It is not described again then.
      - When left out or empty, it is described where the proof needs it.
    type: dict
    default: {}
  associations:
    description:
      - Associations that the caller has read, as
        RV(enbuild.eks.pod_identity_associations#module:associations[].association)
        of the same run. Where each service account that matters has one among them, EKS is not asked.
      - Give them only where nothing was changed since. With O(rung=declared) or O(rung=injected), and without
        O(wait_for); a proof always reads them itself.
    type: list
    elements: dict
    default: []
  workloads:
    description: Workloads to look at. O(workloads) or O(namespaces) is needed.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: What to call the workload in the result. The object's own name when left out.
        type: str
      namespace:
        description: Namespace of the workload.
        type: str
        required: true
      deployment:
        description: Name of a Deployment. Exactly one of O(workloads[].deployment), O(workloads[].statefulset),
          O(workloads[].daemonset), O(workloads[].job), O(workloads[].pod) and O(workloads[].service_account) is given.
        type: str
      statefulset:
        description: Name of a StatefulSet.
        type: str
      daemonset:
        description: Name of a DaemonSet.
        type: str
      job:
        description: Name of a Job. One without running pods is judged by a new pod.
        type: str
      pod:
        description: Name of a pod that belongs to nothing.
        type: str
      service_account:
        description: Name of a service account; every pod that runs under it belongs to the workload.
        type: str
      role_arn:
        description: Role that the pods ought to have. Any role will do when left out.
        type: str
      allowed:
        description: What the workload has to be allowed to do, in place of O(checks) and written like it.
        type: raw
      optional:
        description: Whether to leave the workload out of the result where it doesn't exist, instead of a finding.
        type: bool
        default: false
  namespaces:
    description:
      - Namespaces of which every workload, and every pod that belongs to none, is looked at besides O(workloads).
        V(*) means all of the cluster.
      - A workload found like this needs no identity. Findings are about those whose service account has an
        association, or has one under a name nearly like it.
    type: list
    elements: str
    default: []
  rung:
    description:
      - How high to climb. Above it nothing is looked at.
      - O(required_rung) when left out, and V(allowed) without one.
    type: str
    choices: [declared, injected, issued, allowed]
  required_rung:
    description:
      - Rung that each workload has to reach, or be in RV(below). The task doesn't fail for it.
      - When empty, as high as the caller's permissions allow. Nothing that was looked at may fail, and V(declared) has
        to hold.
    type: str
    choices: ["", none, declared, injected, issued, allowed]
    default: ""
  wait_for:
    description:
      - What to wait for. The task looks again every three seconds, and fails when O(wait_timeout) is over, with what it
        saw last.
      - V(injected) waits until pods created now would get credentials. EKS's webhook learns of an association some
        seconds after it was made. The task fails at once where no association is there, or no pod can be tried.
      - V(not_injected) waits until pods created now would get none, after an association was deleted.
      - V(restart) waits until RV(restart_obstacles) is empty, with O(before_restart=true).
      - When empty, the task looks once.
    type: str
    choices: ["", injected, not_injected, restart]
    default: ""
  wait_timeout:
    description: How many seconds to wait; 840 at most with an EKS token in O(api_key), which lives for 15 minutes.
    type: int
    default: 120
  checks:
    description:
      - Calls to make with the issued credentials, one or a list, for workloads that name none.
      - V(bedrock:ListFoundationModels) and V(s3:ListBuckets) are known by name.
      - A dictionary with C(bucket) lists that bucket; with C(write=true) it also puts an object into it and deletes
        that again.
      - Any other call is a dictionary of C(service), C(operation) and C(parameters), as boto3 knows them.
      - A dictionary of C(action), a list of C(resources) and, where needed, C(context), a dictionary of condition keys,
        is not called. IAM simulates it with the policies of the role, for which the caller needs
        C(iam:SimulatePrincipalPolicy); without, its answer is unknown.
      - With an inference profile of Bedrock among the C(resources), its model in every region that the profile leads to
        is one, too, which needs C(bedrock:GetInferenceProfile).
      - In check mode, calls that may change something are left out.
    type: raw
    default: []
  proofs:
    description:
      - To how many workloads of O(namespaces) credentials are to be issued; each costs one call of the API server and
        one of EKS. Those in O(workloads) all are.
    type: int
    default: 10
  ask_pods:
    description:
      - Whether a pod itself asks for its credentials as well, where EKS issues some to the caller for it. Both answers
        are compared, and RV(workloads[].pod_asked) has the pod's.
      - It is one exec for each workload that is proven, or two where its image has no shell, with 30 seconds and 64 KiB
        at most. The program that runs in the pod prints no credentials.
      - Without the permission, nothing is asked and nothing is wrong. An image with neither Python, curl, wget nor
        busybox says nothing.
      - Where the exchange of a token is denied, a pod is asked whatever this is.
    type: bool
    default: true
  rollouts:
    description:
      - Whether to read nodes and PodDisruptionBudgets, where something may be restarted, for C(obstacle) and C(note) of
        RV(restarts). The other obstacles are told from the workloads alone.
      - What the caller may not read is left out.
    type: bool
    default: false
  before_restart:
    description:
      - Whether pods that don't carry the injection yet are proven as well - whether EKS issues the credentials that
        they would have after a restart, and whether those are allowed to do what the workload needs.
      - Each rung is then judged by itself, in RV(workloads[].rungs).
    type: bool
    default: false
  manifests:
    description:
      - Rendered manifests (YAML text of any number of documents) of a release that is about to be installed or
        upgraded, for a prediction in check mode.
      - A workload among them is judged as it will be, where the live one is missing or runs under another service
        account.
      - They can hold secrets. O(manifests_file) keeps them out of the task's arguments.
    type: str
    default: ""
  manifests_file:
    description: Path of a file with the manifests, instead of O(manifests).
    type: str
    default: ""
  manifests_namespace:
    description: Namespace of the manifests that name none.
    type: str
    default: default
  probes:
    description:
      - How many pods to try as a dry run, for each service account, one after another. EKS runs several replicas of its
        webhook, and each learns of an association by itself.
      - Service accounts that only O(namespaces) leads to are tried once.
      - V(0) tries none.
    type: int
    default: 3
extends_documentation_fragment:
  - enbuild.eks.attributes
  - enbuild.eks.attributes.info
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - kubernetes.core.k8s_auth_options
requirements:
  - kubernetes >= 29.0.0
attributes:
  check_mode:
    description: Leaves out the checks that may change something, and changes nothing else in either mode.
    support: full
"""

EXAMPLES = r"""
- name: Read how to reach the cluster
  enbuild.eks.eks_cluster_info:
    cluster_name: production
    region: us-east-1
  register: read

- name: See whether the AI service has its role
  enbuild.eks.pod_identity_workload_info:
    cluster_name: production
    region: us-east-1
    host: "{{ read.cluster.endpoint }}"
    ca_cert: "{{ read.cluster.certificate_authority | enbuild.eks.ca_file }}"
    api_key: "{{ lookup('enbuild.eks.cluster_token', 'production', region='us-east-1') }}"
    workloads:
      - namespace: enbuild
        deployment: enbuild-enbuild-ai
        role_arn: arn:aws:iam::123456789012:role/enbuild-ai-bedrock
        allowed: bedrock:ListFoundationModels
  register: identity

- name: Show what is wrong
  ansible.builtin.debug:
    msg: "{{ identity.shortfalls }}"

- name: Wait until a restarted pod would get credentials
  enbuild.eks.pod_identity_workload_info:
    cluster_name: production
    region: us-east-1
    workloads: [{namespace: enbuild, deployment: enbuild-enbuild-ai}]
    rung: injected
    wait_for: injected
    wait_timeout: 60

- name: Look at the whole cluster, with the access of the current kubeconfig
  enbuild.eks.pod_identity_workload_info:
    cluster_name: production
    region: us-east-1
    namespaces: ["*"]
  register: all
"""

RETURN = r"""
workloads:
  description: One entry for each workload asked for, in that order, and for those of O(namespaces) after them.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the entry.
      type: str
      sample: enbuild-enbuild-ai
    namespace:
      description: Namespace of the workload.
      type: str
      sample: enbuild
    kind:
      description: Deployment, StatefulSet, DaemonSet, Job, Pod or ServiceAccount, or what else controls a pod.
      type: str
      sample: Deployment
    object:
      description: Name of the object.
      type: str
      sample: enbuild-enbuild-ai
    exists:
      description: Whether the workload lives in the cluster, as it was judged.
      type: bool
      sample: true
    service_account:
      description: Service account that its pods run under; null when the workload doesn't exist.
      type: str
      sample: enbuild-enbuild-ai
    role_arn:
      description: The role expected.
      type: str
      sample: arn:aws:iam::123456789012:role/enbuild-ai-bedrock
    association:
      description: The pod identity association of the service account; null without one.
      type: dict
      sample:
        association_id: a-1234567890abcdefg
        role_arn: arn:aws:iam::123456789012:role/enbuild-ai-bedrock
    rung:
      description: The highest rung that is reached (V(none), V(declared), V(injected), V(issued) or V(allowed)).
      type: str
      sample: allowed
    rungs:
      description: Whether each rung holds by itself; null where it wasn't looked at, or can't be known.
      type: dict
      sample: {declared: true, injected: true, issued: true, allowed: true}
    stopped_by:
      description: Why the next rung wasn't reached; empty at the rung that was asked for.
      type: str
      sample: ""
    issued:
      description:
        - How it is known whether EKS issues credentials; null where that wasn't looked at.
        - C(how) is V(eks_auth) where a token of C(pod) was exchanged, V(exec) where that pod asked by itself, with
          C(tool), V(agent) where it is only likely, and empty where nothing is known. C(message) says why.
      type: dict
      sample:
        how: eks_auth
        assumed_role_arn: arn:aws:sts::123456789012:assumed-role/enbuild-ai-bedrock/eks-production-enbuild-en-0b1c
        tool: ""
        pod: enbuild-enbuild-ai-6d4cf56db6-x2m8f
        message: ""
    pod_asked:
      description:
        - What the pod itself says, where it was asked in addition; null where it wasn't.
        - C(agrees) is true where it says the same as EKS, false where it gets none or others, which is a finding
          (C(agent_unreachable), C(other_identity), C(sdk_without_credentials)), and null where nothing is known,
          with the reason in C(message).
        - C(assumed_role_arn) is empty where the image has no SDK to ask STS with.
      type: dict
      sample:
        agrees: true
        assumed_role_arn: arn:aws:sts::123456789012:assumed-role/enbuild-ai-bedrock/eks-production-enbuild-en-7f3a
        tool: python with boto3
        pod: enbuild-enbuild-ai-6d4cf56db6-x2m8f
        message: ""
    allowed:
      description: What came of each check; C(allowed) is null where that can't be said. C(how) is V(called),
        V(simulated) or empty.
      type: list
      elements: dict
      sample:
        - check: bedrock:ListFoundationModels
          allowed: true
          code: ""
          message: ""
          how: called
    role:
      description:
        - The association's role, as far as IAM was asked. It is, where something is missing above the injection, to
          explain that. Null where every check is allowed, which proves the role right without asking.
        - C(exists) and C(policies) are null for a caller who may not read them.
      type: dict
      sample:
        arn: arn:aws:iam::123456789012:role/enbuild-ai-bedrock
        exists: true
        trust_problem: ""
        policies: [arn:aws:iam::aws:policy/AmazonBedrockFullAccess]
    injected_now:
      description: Whether every pod tried as a dry run came out injected; null when none was tried.
      type: bool
      sample: true
    untried:
      description: Why no pod could be tried as a dry run, in the API server's words; empty otherwise.
      type: str
      sample: ""
    pods:
      description: Its running pods, each with the containers that lack the injection.
      type: list
      elements: dict
      sample:
        - name: enbuild-enbuild-ai-6d4cf56db6-x2m8f
          node: node-0
          injected: true
          bare_containers: []
          owner: Deployment enbuild/enbuild-enbuild-ai
    pods_injected:
      description: How many of them are injected.
      type: int
      sample: 1
    restart:
      description:
        - Workloads to restart so that all pods are created anew with the injection.
        - C(obstacle) says why a restart would never end, with what to do, and C(note) what to know before; both are
          empty otherwise. With V(predicted=true), it is one that a coming release will make.
      type: list
      elements: dict
      sample: []
    restartable:
      description: The workload itself, or those of its pods, as far as it can be restarted, whatever its pods have.
      type: list
      elements: dict
      sample:
        - {kind: Deployment, namespace: enbuild, name: enbuild-enbuild-ai, predicted: false, obstacle: "", note: ""}
    unmanaged_pods:
      description: Pods that lack the injection and belong to nothing that could be restarted.
      type: list
      elements: str
      sample: []
    findings:
      description: What is wrong, the lowest rung first; empty when all is well.
      type: list
      elements: dict
      sample:
        - code: association_missing
          severity: error
          object: ServiceAccount enbuild/enbuild-enbuild-ai
          message: No pod identity association binds service account enbuild/enbuild-enbuild-ai
          remedy: aws eks create-pod-identity-association --region us-east-1 --cluster-name production
            --namespace enbuild --service-account enbuild-enbuild-ai --role-arn ROLE_ARN
below:
  description: Names of the workloads that fall short of O(required_rung).
  returned: always
  type: list
  elements: str
  sample: []
shortfalls:
  description: Why each of RV(below) is where it is and what to do, a line for each thing that is wrong.
  returned: always
  type: list
  elements: str
  sample: []
restarts:
  description: RV(workloads[].restart) of all workloads, each once.
  returned: always
  type: list
  elements: dict
  sample:
    - {kind: Deployment, namespace: enbuild, name: enbuild-enbuild-ai, predicted: false, obstacle: "", note: ""}
restartable:
  description: RV(workloads[].restartable) of all workloads, each once.
  returned: always
  type: list
  elements: dict
  sample: []
left_alone:
  description: A sentence for each pod or Job that has to be created anew, and that no restart of a workload reaches.
  returned: always
  type: list
  elements: str
  sample: []
restart_obstacles:
  description: Why restarted pods would lack what they need, a line for each reason. Of use with O(before_restart=true).
  returned: always
  type: list
  elements: str
  sample: []
ladder:
  description: The ladder of proof as a table, a line for each workload under a header.
  returned: always
  type: list
  elements: str
  sample: []
orphaned_associations:
  description: Ids of the associations, of the namespaces looked at, whose service account or namespace is gone; those
    that an add-on owns are its business.
  returned: always
  type: list
  elements: str
  sample: [a-1234567890abcdefg]
findings:
  description: What is wrong with the cluster itself, in the same form; docs/findings.md explains every code.
  returned: always
  type: list
  elements: dict
  sample: []
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

from ..module_utils._core.converge import run
from ..module_utils._identity.collect import observe
from ..module_utils._identity.ladder import RUNGS
from ..module_utils._identity.wait_conditions import CONDITIONS

WORKLOAD_SPEC = {
    "name": {"type": "str"},
    "namespace": {"type": "str", "required": True},
    "deployment": {"type": "str"},
    "statefulset": {"type": "str"},
    "daemonset": {"type": "str"},
    "job": {"type": "str"},
    "pod": {"type": "str"},
    "service_account": {"type": "str"},
    "role_arn": {"type": "str"},
    "allowed": {"type": "raw"},
    "optional": {"type": "bool", "default": False},
}
ARGUMENT_SPEC = {
    **AUTH_ARG_SPEC,
    "validate_certs": {"type": "bool", "default": True, "aliases": ["verify_ssl"]},
    "cluster_name": {"type": "str"},
    "cluster": {"type": "dict", "default": {}},
    "associations": {"type": "list", "elements": "dict", "default": []},
    "workloads": {"type": "list", "elements": "dict", "default": [], "options": WORKLOAD_SPEC},
    "namespaces": {"type": "list", "elements": "str", "default": []},
    "rung": {"type": "str", "choices": ["declared", "injected", "issued", "allowed"]},
    "required_rung": {"type": "str", "default": "", "choices": ["", *RUNGS]},
    "wait_for": {"type": "str", "default": "", "choices": ["", *CONDITIONS]},
    "wait_timeout": {"type": "int", "default": 120},
    "checks": {"type": "raw", "default": []},
    "proofs": {"type": "int", "default": 10},
    "ask_pods": {"type": "bool", "default": True},
    "rollouts": {"type": "bool", "default": False},
    "before_restart": {"type": "bool", "default": False},
    "manifests": {"type": "str", "default": "", "no_log": True},
    "manifests_file": {"type": "str", "default": ""},
    "manifests_namespace": {"type": "str", "default": "default"},
    "probes": {"type": "int", "default": 3},
}


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    run(module, lambda module: module.exit_json(changed=False, **observe(module)))


if __name__ == "__main__":
    main()
