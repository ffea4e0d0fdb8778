#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pod_identity_workload_info
version_added: 1.0.0
short_description: Report which IAM role workloads get by EKS Pod Identity, or what is wrong
description:
  - Climbs the ladder of proof for each workload and names the first rung that doesn't hold.
  - V(declared) holds when a pod identity association binds the service account that the workload runs under to
    the expected role.
  - V(injected) holds when all running pods carry the credential variables and the token volume, and a pod created
    now would too.
  - V(issued) holds when EKS issues credentials of that role to one of the pods, and the pod finds an agent and
    nothing that an SDK would take before them.
  - V(allowed) holds when the calls that the workload has to make succeed with those credentials.
  - Changes nothing, unless O(ephemeral_container_image) lets it. It creates a pod as a server-side dry run through the
    cluster's own admission chain, which needs the permission to create pods in the namespace.
  - Credentials are issued by exchanging a token of that very pod, which needs the permission to create
    C(serviceaccounts/token) in Kubernetes and C(eks-auth:AssumeRoleForPodIdentity) in AWS. Credentials and tokens are
    neither returned nor logged.
  - The pod itself also asks its agent (O(ask_pods)), by an exec that needs C(pods/exec), with the tools of its image.
    Only the pod can show a network policy or a mesh between it and the agent, a node that may not ask EKS, and an SDK
    that is older than Pod Identity. If the exchange of a token is denied, its answer is the only evidence.
  - It reads a role from IAM only if the role may explain a problem.
  - What the caller may not read is left out, and counts neither for nor against a workload.
author:
  - The enbuild.eks contributors (@enbuild)
options:
  cluster_name:
    description:
      - Name of the EKS cluster.
      - Without it, no association is read, and the highest rung is V(none). That is enough to list service accounts
        and pods.
    type: str
  cluster:
    description:
      - The cluster, as M(enbuild.eks.eks_cluster_info) returned it in the same run, which saves a call.
      - When left out or empty, the module reads it if the proof needs it.
    type: dict
    default: {}
  associations:
    description:
      - Associations that the caller has read, as
        RV(enbuild.eks.pod_identity_associations#module:associations[].association)
        of the same run. If each service account has one among them, the module doesn't ask EKS.
      - Only for O(rung=declared) or O(rung=injected), without O(wait_for), and if nothing was changed since. A proof
        always reads them itself.
    type: list
    elements: dict
    default: []
  workloads:
    description: Workloads to report. O(workloads) or O(namespaces) is required.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Display name of the workload in the result. The object's name when left out.
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
        description: Name of a pod without an owner.
        type: str
      service_account:
        description: Name of a service account; every pod that runs under it belongs to the workload.
        type: str
      role_arn:
        description: ARN of the role that the pods should have. Any role when left out.
        type: str
      allowed:
        description: Checks of this workload, in place of O(checks) and in the same form.
        type: raw
      optional:
        description: Whether to omit the workload if it doesn't exist, instead of a finding.
        type: bool
        default: false
  namespaces:
    description:
      - Namespaces whose workloads, and pods without an owner, are reported besides O(workloads). V(*) means all
        namespaces of the cluster.
      - Such a workload needs no identity. It has findings only if its service account has an association, or if there
        is one for a similar name.
    type: list
    elements: str
    default: []
  rung:
    description:
      - Highest rung to check.
      - O(required_rung) when left out, and V(allowed) without one.
    type: str
    choices: [declared, injected, issued, allowed]
  required_rung:
    description:
      - Rung that each workload must reach; RV(below) lists those that don't. The task doesn't fail because of it.
      - When empty, as high as the caller's permissions allow. Every check that can be made must pass, and V(declared)
        must hold.
    type: str
    choices: ["", none, declared, injected, issued, allowed]
    default: ""
  wait_for:
    description:
      - What to wait for. The task reads the cluster every three seconds. After O(wait_timeout) it fails, with what it
        read last.
      - V(injected) waits until pods created now would get credentials. EKS's webhook sees an association some seconds
        after it was created. The task fails at once if there is no association, or if no pod can be created as a dry
        run.
      - V(not_injected) waits until pods created now would get none, after an association was deleted.
      - V(restart) waits until RV(restart_obstacles) is empty, with O(before_restart=true).
      - When empty, the task reads the cluster once.
    type: str
    choices: ["", injected, not_injected, restart]
    default: ""
  wait_timeout:
    description: Seconds to wait; at most 840 with an EKS token in O(api_key), which is valid for 15 minutes.
    type: int
    default: 120
  checks:
    description:
      - Calls to make with the issued credentials, one or a list, for workloads without C(allowed).
      - V(bedrock:ListFoundationModels) and V(s3:ListBuckets) have short names.
      - A dictionary with C(bucket) lists that bucket; with C(write=true) it also puts an object into it and deletes
        that again.
      - Any other call is a dictionary of C(service), C(operation) and C(parameters), as boto3 knows them.
      - A dictionary of C(action), a list of C(resources) and, where needed, C(context), a dictionary of condition keys,
        makes no call. IAM simulates the action with the policies of the role, which needs
        C(iam:SimulatePrincipalPolicy). Without it, the result is unknown.
      - With an inference profile of Bedrock among the C(resources), the check covers its model in every region that the
        profile routes to, which needs C(bedrock:GetInferenceProfile).
      - In check mode, calls that may change something are left out.
    type: raw
    default: []
  proofs:
    description:
      - Maximum number of workloads of O(namespaces) to prove with issued credentials. Each costs one call of the API
        server and one of EKS. All workloads in O(workloads) are proven.
    type: int
    default: 10
  ask_pods:
    description:
      - Whether a pod itself also asks for its credentials, after EKS issued them to the caller for it. The module
        compares both answers, and RV(workloads[].pod_asked) has the pod's.
      - It is one exec for each workload that is proven, or two where its image has no shell, with 30 seconds and 64 KiB
        at most. The program that runs in the pod prints no credentials.
      - Without the permission, no pod is asked, and that is no finding. An image needs Python, curl, wget or busybox
        to answer.
      - If the exchange of a token is denied, a pod is asked whatever this option says.
    type: bool
    default: true
  ephemeral_container_image:
    description:
      - Image of an ephemeral container that the module adds to a pod if the pod's own image has no shell, or none of
        Python, curl, wget and busybox. It needs a shell and one of them. None is added when left out or empty.
      - B(Kubernetes removes an ephemeral container only with its pod.) A pod gets one, C(pod-identity-ask). It ends by
        itself after five minutes, and until then a second run asks it again. Afterwards the pod's answer is unknown
        until the pod is replaced.
      - The container has the token volume, and the variables of EKS's webhook that name address, file and region. It
        runs as the user of the pod's first container with credentials, or as user 65534 if that must not be root and
        names no user, without capabilities, as the Pod Security Standard V(restricted) wants. An exec asks in it.
      - It needs the permission to C(patch) C(pods/ephemeralcontainers), with which a caller can run any image in any
        pod. The pod's node pulls the image, and whoever may exec in the namespace can read it.
      - Its answer covers the network, the agent and the role, and not the SDK of the pod's own image.
      - If it can't be added or doesn't start within a minute, the pod's answer is unknown, with the reason in
        RV(workloads[].pod_asked). In check mode, none is added. Not with O(wait_for).
    type: str
    default: ""
  rollouts:
    description:
      - Whether to read nodes and PodDisruptionBudgets for C(obstacle) and C(note) of RV(restarts). The other
        obstacles follow from the workloads alone.
      - What the caller may not read is left out.
    type: bool
    default: false
  before_restart:
    description:
      - Whether to prove pods without the injection too - that EKS issues the credentials that they would get after a
        restart, and that those are allowed to do what the workload needs.
      - RV(workloads[].rungs) then has each rung by itself.
    type: bool
    default: false
  manifests:
    description:
      - Rendered manifests (YAML text of any number of documents) of a release that will be installed or upgraded, for
        a prediction in check mode.
      - The module uses a workload of the manifests if the live one is missing or runs under another service account.
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
      - Number of pods to create as a dry run for each service account, one after another. EKS runs several replicas
        of its webhook, and each sees a new association at its own time.
      - For service accounts that only O(namespaces) includes, one pod if their running pods lack the injection, or are
        older than the association. Of the others, one in each namespace is tried, and all of them if that pod isn't
        injected.
      - V(0) creates none.
    type: int
    default: 3
extends_documentation_fragment:
  - enbuild.eks.attributes
  - enbuild.eks.attributes.info
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - enbuild.eks.attributes.sdk
  - kubernetes.core.k8s_auth_options
requirements:
  - kubernetes >= 29.0.0
attributes:
  check_mode:
    description: Leaves out the checks that may change something, and adds no ephemeral container.
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
changed:
  description: Whether an ephemeral container was added to a pod.
  returned: always
  type: bool
  sample: false
workloads:
  description: One entry for each workload asked for, in that order, and for those of O(namespaces) after them.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Display name of the workload.
      type: str
      sample: enbuild-enbuild-ai
    namespace:
      description: Namespace of the workload.
      type: str
      sample: enbuild
    kind:
      description: Deployment, StatefulSet, DaemonSet, Job, Pod or ServiceAccount, or another kind that controls a
        pod.
      type: str
      sample: Deployment
    object:
      description: Name of the object.
      type: str
      sample: enbuild-enbuild-ai
    exists:
      description: Whether the workload exists in the cluster.
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
      description: The highest rung that holds (V(none), V(declared), V(injected), V(issued) or V(allowed)).
      type: str
      sample: allowed
    rungs:
      description: Whether each rung holds by itself; null if it wasn't checked or can't be known.
      type: dict
      sample: {declared: true, injected: true, issued: true, allowed: true}
    stopped_by:
      description: Why the next rung wasn't reached; empty at the requested rung.
      type: str
      sample: ""
    issued:
      description:
        - How it was proven that EKS issues credentials; null if that wasn't checked.
        - C(how) is V(eks_auth) if a token of C(pod) was exchanged, V(exec) if that pod asked by itself, with C(tool),
          V(ephemeral_container) if a container that was added to it asked, V(agent) if it is only likely, and empty if
          nothing is known. C(message) has the reason.
      type: dict
      sample:
        how: eks_auth
        assumed_role_arn: arn:aws:sts::123456789012:assumed-role/enbuild-ai-bedrock/eks-production-enbuild-en-0b1c
        tool: ""
        pod: enbuild-enbuild-ai-6d4cf56db6-x2m8f
        message: ""
    pod_asked:
      description:
        - The pod's own answer, if it was asked too; null otherwise.
        - C(agrees) is true if the pod's answer is the same as EKS's, false if it gets no credentials or others, which
          is a finding (C(agent_unreachable), C(other_identity), C(sdk_without_credentials)), and null if nothing is
          known, with the reason in C(message).
        - C(how) is V(exec), V(ephemeral_container), or empty if nothing is known.
        - C(assumed_role_arn) is empty if the image has no SDK to ask STS.
      type: dict
      sample:
        agrees: true
        how: exec
        assumed_role_arn: arn:aws:sts::123456789012:assumed-role/enbuild-ai-bedrock/eks-production-enbuild-en-7f3a
        tool: python with boto3
        pod: enbuild-enbuild-ai-6d4cf56db6-x2m8f
        message: ""
    allowed:
      description: Result of each check. C(allowed) is null if it is unknown. C(how) is V(called), V(simulated) or
        empty.
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
        - The association's role, if it was read from IAM to explain a problem. Null if every check is allowed, which
          proves the role without a call.
        - C(exists) and C(policies) are null if the caller may not read them.
      type: dict
      sample:
        arn: arn:aws:iam::123456789012:role/enbuild-ai-bedrock
        exists: true
        trust_problem: ""
        policies: [arn:aws:iam::aws:policy/AmazonBedrockFullAccess]
    injected_now:
      description: Whether every pod that was created as a dry run for it was injected; null if there was none.
      type: bool
      sample: true
    untried:
      description: Why no pod could be created as a dry run, in the API server's words; empty otherwise.
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
        - Workloads to restart so that all pods have the injection.
        - C(obstacle) says why a restart would never end, and what to do. C(note) says what to know before a restart.
          Both are empty otherwise. With C(predicted) true, a release will create the workload.
      type: list
      elements: dict
      sample: []
    restartable:
      description: The workload, or those of its pods, if it can be restarted, whether its pods are injected or not.
      type: list
      elements: dict
      sample:
        - {kind: Deployment, namespace: enbuild, name: enbuild-enbuild-ai, predicted: false, obstacle: "", note: ""}
    unmanaged_pods:
      description: Pods without the injection that have no owner to restart.
      type: list
      elements: str
      sample: []
    findings:
      description: Findings of the workload, the lowest rung first.
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
  description: Names of the workloads that don't reach O(required_rung).
  returned: always
  type: list
  elements: str
  sample: []
shortfalls:
  description: Why each workload in RV(below) doesn't reach it, and what to do, one line for each problem.
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
  description: A sentence for each pod or Job that must be created again, and that no restart of a workload covers.
  returned: always
  type: list
  elements: str
  sample: []
restart_obstacles:
  description: Why restarted pods would lack what they need, one line for each reason. Useful with
    O(before_restart=true).
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
  description: IDs of the associations in O(namespaces) whose service account or namespace doesn't exist, except those
    that an add-on owns.
  returned: always
  type: list
  elements: str
  sample: [a-1234567890abcdefg]
findings:
  description: Findings of the cluster itself, in the same form. docs/findings.md explains every code.
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
    "ephemeral_container_image": {"type": "str", "default": ""},
    "rollouts": {"type": "bool", "default": False},
    "before_restart": {"type": "bool", "default": False},
    "manifests": {"type": "str", "default": "", "no_log": True},
    "manifests_file": {"type": "str", "default": ""},
    "manifests_namespace": {"type": "str", "default": "default"},
    "probes": {"type": "int", "default": 3},
}


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    run(module, lambda module: module.exit_json(**observe(module)))


if __name__ == "__main__":
    main()
