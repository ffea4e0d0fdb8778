# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CloudFormation API: moto's, extended by what eksctl writes into the templates of its roles."""

from __future__ import annotations

import functools
import json
import typing as t

from moto.core.responses import ActionResult
from moto.iam.models import IAMBackend, Role, iam_backends
from moto.utilities.utils import get_partition

Json = t.Any


@functools.cache
def install() -> None:
    """Let moto serve this. It imports most of moto, in seconds: not before somebody asks for a stack."""
    import moto.cloudformation.urls
    from moto.cloudformation.responses import CloudFormationResponse

    class LabCloudFormationResponse(CloudFormationResponse):
        """Reads templates as CloudFormation does; the rest is moto's."""

        def create_stack(self) -> ActionResult:
            self._rewrite()
            return super().create_stack()

        def update_stack(self) -> ActionResult:
            self._rewrite()
            return super().update_stack()

        def create_change_set(self) -> ActionResult:
            self._rewrite()
            return super().create_change_set()

        def _rewrite(self) -> None:
            if "TemplateBody" in self.params:
                self.params["TemplateBody"] = rewritten(str(self.params["TemplateBody"]))

    moto.cloudformation.urls.url_paths["{0}/$"] = LabCloudFormationResponse.dispatch
    methods: dict[str, t.Callable[..., t.Any]] = {"create": _create_role, "delete": _delete_role}
    for name, method in methods.items():
        attribute = f"{name}_from_cloudformation_json"
        setattr(Role, attribute, classmethod(functools.partial(method, getattr(Role, attribute))))


def rewritten(template: str) -> str:
    """Return a JSON template with each ``Fn::GetAtt`` as the list that moto knows; any other template as it is."""
    try:
        parsed = json.loads(template)
    except ValueError:
        return template
    return json.dumps(_listed(parsed))


def _create_role(
    create: t.Callable[..., Role],
    _unused: type[Role],
    name: str,
    template: Json,
    account_id: str,
    region_name: str,
    **more: t.Any,
) -> Role:
    """Make a role of a stack with its managed policies, which moto leaves out."""
    role = create(name, template, account_id, region_name, **more)
    for arn in template["Properties"].get("ManagedPolicyArns", []):
        _iam(account_id, region_name).attach_role_policy(arn, role.name)
    return role


def _delete_role(
    delete: t.Callable[..., None], _unused: type[Role], name: str, template: Json, account_id: str, region_name: str
) -> None:
    """Delete a role of a stack, which can't have a managed policy then."""
    backend = _iam(account_id, region_name)
    for arn in list(backend.get_role(name).managed_policies):
        backend.detach_role_policy(arn, name)
    delete(name, template, account_id, region_name)


def _iam(account_id: str, region_name: str) -> IAMBackend:
    return t.cast(IAMBackend, iam_backends[account_id][get_partition(region_name)])


def _listed(value: Json) -> Json:
    if isinstance(value, list):
        return [_listed(item) for item in value]
    if not isinstance(value, dict):
        return value
    attribute = value.get("Fn::GetAtt")
    if isinstance(attribute, str):
        return {"Fn::GetAtt": attribute.split(".", 1)}
    return {key: _listed(item) for key, item in value.items()}
