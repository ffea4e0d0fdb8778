# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""boto3 clients that refuse an answer which botocore's service model doesn't describe.

botocore drops unknown members and doesn't check enumerations or required members of answers, so this reads the body.
"""

from __future__ import annotations

import json
import typing as t

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "timestamp": (int, float, str),
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
}


def make_strict(client: t.Any) -> t.Any:
    """Let every answer to ``client`` (of a JSON service) be checked; AssertionError names the member."""

    def check(response_dict: t.Any, parsed_response: t.Any, event_name: str, **_unused: t.Any) -> None:
        if response_dict is not None:
            operation = client.meta.service_model.operation_model(event_name.rpartition(".")[2])
            check_answer(operation, response_dict["status_code"], response_dict["headers"], response_dict["body"])

    client.meta.events.register(f"response-received.{client.meta.service_model.service_id.hyphenize()}", check)
    return client


def check_answer(operation: OperationModel, status: int, headers: t.Mapping[str, str], body: bytes) -> None:
    """Check one answer, success or error."""
    content = json.loads(body) if body else {}
    if status < 300:
        if operation.output_shape:
            check_shape(operation.name, operation.output_shape, content)
        return
    code = headers["x-amzn-errortype"].rpartition("#")[2].partition(":")[0]
    shapes = operation.service_model.shape_names
    if code in shapes:
        shape: t.Any = operation.service_model.shape_for(code)
        assert shape.metadata["error"]["httpStatusCode"] == status, f"{code} has status {status}"
        content.pop("__type", None)
        check_shape(code, shape, content)
    else:
        assert code.endswith(("Exception", "Failure")), f"{code} is no error of {operation.service_model.service_name}"


def check_shape(path: str, shape: Shape, value: t.Any) -> None:
    """Check ``value`` against ``shape``, all the way down."""
    fits = isinstance(value, _TYPES[shape.type_name])
    assert fits, f"{path} is {value!r}, not {shape.type_name}"
    if isinstance(shape, StructureShape):
        _check_structure(path, shape, value)
    elif isinstance(shape, ListShape):
        for item in value:
            check_shape(f"{path}[]", shape.member, item)
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            check_shape(f"{path}.{key}", shape.value, item)
    elif "enum" in shape.metadata:
        assert value in shape.metadata["enum"], f"{path} is {value!r}"


def _check_structure(path: str, shape: StructureShape, value: dict[str, t.Any]) -> None:
    members = {member.serialization.get("name", name): member for name, member in shape.members.items()}
    missing = {shape.members[name].serialization.get("name", name) for name in shape.required_members} - set(value)
    assert not missing, f"{path} lacks {missing}"
    for name, item in value.items():
        assert name in members, f"{path}.{name} is not in the model"
        check_shape(f"{path}.{name}", members[name], item)
