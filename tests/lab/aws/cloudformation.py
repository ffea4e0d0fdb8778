# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CloudFormation API: moto's, extended by what eksctl asks of the stacks of its roles."""

from __future__ import annotations

import functools
import json
import threading
import typing as t
from datetime import UTC, datetime

import moto.cloudformation.urls
from moto.cloudformation.models import ChangeSet, Event, Stack
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult

from . import stack_roles

Json = t.Any
IAM, NAMED_IAM = "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"


class InsufficientCapabilities(ServiceException):
    """The caller doesn't say that the stack may change IAM."""

    code = "InsufficientCapabilitiesException"


class LabCloudFormationResponse(CloudFormationResponse):
    """Reports what fails in a stack as the stack's status, and changes its tags; the rest is moto's."""

    _one_at_a_time = threading.RLock()

    def call_action(self) -> t.Any:
        """Answer one request at a time."""
        with self._one_at_a_time:
            return super().call_action()

    def create_stack(self) -> ActionResult:
        """Create a stack; one whose resources can't be made ends in ROLLBACK_COMPLETE."""
        capabilities = self._capabilities()
        known = self._stack()
        try:
            super().create_stack()
        except ServiceException as error:
            if known or not self._stack():
                raise
            _roll_back(self._stack(), error)
        stack = self._stack()
        stack.capabilities = capabilities
        stack_roles.tag(stack)
        return ActionResult({"StackId": stack.stack_id})

    def create_change_set(self) -> ActionResult:
        """Prepare an update; other tags are a change too."""
        self._capabilities()
        result = super().create_change_set()
        change_set = self._change_set()
        if change_set.status == "FAILED" and change_set.tags != change_set.stack.tags:
            change_set.status, change_set.execution_status = "CREATE_COMPLETE", "AVAILABLE"
            change_set.status_reason = None
        return result

    def execute_change_set(self) -> ActionResult:
        """Carry out an update, with the tags and outputs of the stack."""
        result = super().execute_change_set()
        change_set = self._change_set()
        stack = change_set.stack
        stack.tags, stack.last_updated_time = change_set.tags, datetime.now(UTC)
        stack._parse_template()
        stack.output_map = stack._create_output_map()
        stack_roles.tag(stack)
        return result

    def delete_stack(self) -> ActionResult:
        """Delete a stack; one with a resource that can't be deleted ends in DELETE_FAILED."""
        stack = self._stack()
        try:
            return super().delete_stack()
        except ServiceException as error:
            self.cloudformation_backend.stacks[stack.stack_id] = stack
            _fail(stack, "DELETE_FAILED", "delete", _made(stack), error)
            return EmptyResult()

    def _stack(self) -> t.Any:
        """The stack that the request names, or None."""
        name, known = self.params["StackName"], self.cloudformation_backend.stacks.values()
        return next((stack for stack in known if name in (stack.name, stack.stack_id)), None)

    def _change_set(self) -> t.Any:
        return self.cloudformation_backend.describe_change_set(self.params["ChangeSetName"])

    def _capabilities(self) -> list[str]:
        """Return what the caller acknowledges; InsufficientCapabilities if that is too little."""
        given = list(self.params.get("Capabilities") or [])
        template = Stack.parse_template(self.params.get("TemplateBody") or "{}")
        needed = _needed(template.get("Resources") or {})
        if needed and NAMED_IAM not in given and needed not in given:
            raise InsufficientCapabilities(f"Requires capabilities : [{needed}]")
        return given


def install() -> None:
    """Let moto serve this."""
    moto.cloudformation.urls.url_paths["{0}/$"] = LabCloudFormationResponse.dispatch
    Stack.parse_template = staticmethod(functools.partial(_read_stack, Stack.parse_template))
    ChangeSet._parse_template = functools.partialmethod(_read_change_set, ChangeSet._parse_template)
    stack_roles.install()


def _read_stack(parse: t.Callable[[str], Json], template: str) -> Json:
    return read(parse(template))


def _read_change_set(change_set: ChangeSet, parse: t.Callable[[ChangeSet], None]) -> None:
    parse(change_set)
    change_set.template_dict = read(change_set.template_dict)


def read(template: Json) -> Json:
    """Return a template with each ``Fn::GetAtt`` as the list that moto knows: CloudFormation takes a text too."""
    if isinstance(template, list):
        return [read(item) for item in template]
    if not isinstance(template, dict):
        return template
    attribute = template.get("Fn::GetAtt")
    if isinstance(attribute, str):
        return {"Fn::GetAtt": attribute.split(".", 1)}
    return {key: read(item) for key, item in template.items()}


def _needed(resources: dict[str, Json]) -> str | None:
    """Return the capability that a stack with these resources takes."""
    ours = [resource for resource in resources.values() if resource["Type"].startswith("AWS::IAM::")]
    named = [resource for resource in ours if "RoleName" in (resource.get("Properties") or {})]
    return NAMED_IAM if named else IAM if ours else None


def _roll_back(stack: t.Any, error: ServiceException) -> None:
    """Take away what was made of a stack before a resource of it failed."""
    resources, made = stack.template_dict["Resources"], _made(stack)
    left = resources.keys() - set(made)
    begun = [name for name in resources if name in left and not any(_needs(resources[name], each) for each in left)]
    stack.resource_map.delete()
    stack.template_dict = {**stack.template_dict, "Outputs": {}}
    stack.output_map = stack._create_output_map()
    _fail(stack, "ROLLBACK_IN_PROGRESS", "create", begun, error)
    stack.status = "ROLLBACK_COMPLETE"
    stack._add_stack_event(stack.status)


def _made(stack: t.Any) -> list[str]:
    """The names of the stack's resources that are there."""
    return [name for name in stack.resource_map.resources if name in stack.resource_map._parsed_resources]


def _needs(resource: Json, other: str) -> bool:
    return json.dumps({"Ref": other}) in json.dumps(resource)


def _fail(stack: t.Any, status: str, verb: str, names: list[str], error: ServiceException) -> None:
    """Show that these resources couldn't be created or deleted, and why."""
    for name in names:
        kind, failed = stack.template_dict["Resources"][name]["Type"], f"{verb.upper()}_FAILED"
        stack.events.append(Event(stack.stack_id, stack.name, name, "", kind, failed, error.message, "{}"))
    then = "Rollback requested by user." if verb == "create" else ""
    stack.status = status
    stack.status_reason = f"The following resource(s) failed to {verb}: [{', '.join(names)}]. {then}"
    stack._add_stack_event(status, resource_status_reason=stack.status_reason)
