# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the table of variables in each role's README.md from its meta/argument_specs.yml: ``make docs``."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import yaml
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT

BEGIN = "<!-- Written by `make docs` from meta/argument_specs.yml -->"
END = "<!-- End of what `make docs` writes -->"
HEAD = "| Variable | Type | Default | Meaning |\n|---|---|---|---|\n"
MARKUP = re.compile(r"\b([A-Z]{1,2})\(((?:\\.|[^\\)])*)\)")
Options = t.Mapping[str, t.Mapping[str, t.Any]]


class NoPlace(Exception):
    """A README has no place for its table."""


def main() -> None:
    for role in roles():
        readme = role / "README.md"
        readme.write_text(with_table(readme.read_text(), specs(role)))


def roles() -> list[Path]:
    """The folders of the collection's roles."""
    return sorted(path.parent.parent for path in CHECKOUT.glob("roles/*/meta/argument_specs.yml"))


def specs(role: Path) -> dict[str, t.Any]:
    """The role's argument specs by entry point, ``main`` first."""
    found = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text())["argument_specs"]
    return dict(sorted(found.items(), key=lambda item: (item[0] != "main", item[0])))


def with_table(readme: str, entry_points: t.Mapping[str, t.Any]) -> str:
    """``readme`` with its table brought up to date; refuse one without a place for it."""
    before, begin, rest = readme.partition(BEGIN)
    stale, end, after = rest.partition(END)
    if not begin or not end or BEGIN in stale:
        raise NoPlace(f"the README needs these two lines around its table of variables:\n{BEGIN}\n{END}")
    return f"{before}{BEGIN}\n\n{_tables(entry_points)}\n{END}{after}"


def _tables(entry_points: t.Mapping[str, t.Any]) -> str:
    parts = []
    for name, spec in entry_points.items():
        heading = f"Of `tasks_from: {name}`:\n\n" if name != "main" else ""
        rows = "".join(_rows(spec.get("options") or {}))
        parts.append(heading + (HEAD + rows if rows else "None.\n"))
    return "\n".join(parts)


def _rows(options: Options, prefix: str = "") -> t.Iterator[str]:
    """One row for each option, its suboptions below it as ``list[].key`` or ``dictionary.key``."""
    for name, option in options.items():
        kind = _type(option)
        inner = str(option.get("elements", "")) if kind == "list" else ""
        shown = f"{kind} of {inner}" if inner else kind
        yield f"| `{prefix}{name}` | {shown} | {_default(option)} | {_meaning(option)} |\n"
        joint = "[]." if kind == "list" else "."
        yield from _rows(option.get("options") or {}, f"{prefix}{name}{joint}")


def _type(option: t.Mapping[str, t.Any]) -> str:
    """Numbers and booleans are raw to Ansible, so that they may be empty; their defaults say what they are."""
    kind, default = str(option.get("type", "str")), option.get("default")
    return type(default).__name__ if kind == "raw" and isinstance(default, bool | int | float) else kind


def _default(option: t.Mapping[str, t.Any]) -> str:
    if option.get("required"):
        return "*required*"
    if "default" not in option:
        return ""
    return _code(json.dumps(option["default"], ensure_ascii=False))


def _meaning(option: t.Mapping[str, t.Any]) -> str:
    description = option.get("description", [])
    sentences = [description] if isinstance(description, str) else list(description)
    choices = option.get("choices")
    if choices:
        sentences.append("One of " + ", ".join(_code(str(choice)) for choice in choices) + ".")
    return _markdown(" ".join(sentences))


def _markdown(text: str) -> str:
    """Ansible's semantic markup as Markdown that fits into a table's cell."""
    return MARKUP.sub(_convert, " ".join(text.split())).replace("|", "\\|")


def _convert(match: re.Match[str]) -> str:
    kind, body = match[1], re.sub(r"\\(.)", r"\1", match[2])
    if kind in ("O", "V", "RV", "C", "E", "M", "P"):
        return _code(body.partition("#")[2].rpartition(":")[2] if kind in ("O", "RV") and "#" in body else body)
    if kind == "L":
        label, _comma, target = body.rpartition(",")
        return f"[{label.strip()}]({target.strip()})"
    return {"B": f"**{body}**", "I": f"*{body}*", "U": f"<{body}>"}.get(kind, match[0])


def _code(text: str) -> str:
    return f"`{text}`"


if __name__ == "__main__":
    main()
