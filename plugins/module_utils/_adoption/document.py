# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A declaration as the text of a file of variables. Pure.

Every value is quoted, and the planner lets none through that Ansible may read as a template.
"""

from __future__ import annotations

import json
import typing as t

from .plan import Declared

HEAD = """\
---
# The EKS Pod Identity associations of cluster {cluster}, as enbuild.eks.pod_identity_adoption_info found them.
# Their roles are declared by role_arn: whoever made them keeps them. Compare, then take over:
#   ansible-playbook enbuild.eks.drift
#   ansible-playbook enbuild.eks.site --check --diff
"""
NOTHING = """
# Nothing can be declared yet. As long as pod_identity_workloads is missing, the playbooks take it for the
# services of the enbuild release.
"""
UNDECLARED = """
# Not declared, and left as they are:
"""


def text(declared: t.Sequence[Declared], cluster: str) -> str:
    """The file for ``cluster``: the same for the same declaration."""
    return "".join([HEAD.format(cluster=cluster), _workloads(declared), _undeclared(declared)])


def _workloads(declared: t.Sequence[Declared]) -> str:
    fit = [one for one in declared if one.entries]
    if not fit:
        return NOTHING
    return "\npod_identity_workloads:\n" + "".join(line for one in fit for line in _entry_lines(one))


def _entry_lines(one: Declared) -> t.Iterator[str]:
    yield from (f"  # {one.place}: {note}\n" for note in one.notes)
    for entry in one.entries:
        for number, (key, value) in enumerate(entry.items()):
            yield f"  {' ' if number else '-'} {key}: {json.dumps(value)}\n"


def _undeclared(declared: t.Sequence[Declared]) -> str:
    left = [one for one in declared if one.reason]
    if not left:
        return ""
    return UNDECLARED + "".join(f"#   {one.place}: {one.reason}\n" for one in left)
