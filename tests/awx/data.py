# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects that ``awx/`` describes, as the role awx_setup reads them."""

from __future__ import annotations

import json
import typing as t

import yaml
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT


class Loader(yaml.SafeLoader):
    """Reads text that is !unsafe to Ansible as text."""


Loader.add_constructor("!unsafe", lambda loader, node: str(node.value))


def read(kind: str) -> list[dict[str, t.Any]]:
    """The objects of a kind, with their surveys."""
    (text,) = (text for text in map(_text, CHECKOUT.glob("awx/*.yml")) if f"\ncontroller_{kind}:" in text)
    found = yaml.load(text, Loader=Loader)[f"controller_{kind}"]  # noqa: S506
    return [{**item, "survey_spec": _survey(item["survey_spec"])} if "survey_spec" in item else item for item in found]


def _text(path: t.Any) -> str:
    return str(path.read_text())


def _survey(lookup: str) -> t.Any:
    """The file that the data looks up."""
    name = lookup.partition("/surveys/")[2].partition(".json")[0]
    return json.loads((CHECKOUT / "awx" / "surveys" / f"{name}.json").read_text())
