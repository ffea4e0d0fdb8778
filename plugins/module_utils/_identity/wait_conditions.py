# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What pod_identity_workload_info can wait for. Pure: judged workloads in, reasons out."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .verdict import obstacles, reasons_of, sentence

Item = t.Mapping[str, t.Any]

KEPT_AWAY = frozenset(("workload_missing", "service_account_missing", "skip_label", "container_variables"))
"""Findings of workloads that no waiting gets an injection for."""


@dataclass(frozen=True)
class Condition:
    """Something to wait for; ``words`` complete "Waited … s without success for"."""

    words: str
    unmet: t.Callable[[t.Sequence[Item]], list[str]]
    """Why it doesn't hold yet, a line for each reason; empty when it holds."""
    hopeless: t.Callable[[t.Sequence[Item]], list[str]]
    """Why it never will."""


def _object(item: Item) -> str:
    return f"{item['kind']} {item['namespace']}/{item['object']}"


def _expecting(items: t.Sequence[Item]) -> list[Item]:
    """The workloads whose new pods should be injected."""
    return [
        item
        for item in items
        if (item["exists"] or item["kind"] == "ServiceAccount")
        and not KEPT_AWAY & {finding["code"] for finding in item["findings"]}
    ]


def _not_yet_injected(items: t.Sequence[Item]) -> list[str]:
    return [
        f"{_object(item)}: {line}"
        for item in _expecting(items)
        if item["injected_now"] is False
        for line in reasons_of(_of_injection(item))
    ]


def _of_injection(item: Item) -> Item:
    """``item`` with no finding but those about the webhook."""
    return {**item, "findings": [each for each in item["findings"] if each["code"].startswith("webhook_")]}


def _never_injected(items: t.Sequence[Item]) -> list[str]:
    return [line for item in _expecting(items) for line in _hopeless(item)]


def _hopeless(item: Item) -> t.Iterator[str]:
    missing = [each for each in item["findings"] if each["code"] == "webhook_missing"]
    account = f"{item['namespace']}/{item['service_account']}"
    if item["association"] is None:
        yield f"No association binds service account {account}, so new pods of {_object(item)} get no credentials."
    elif missing:
        yield from reasons_of({**item, "findings": missing})
    elif item["untried"]:
        yield (
            f"It is not known whether a new pod of {_object(item)} would get credentials, as none could be tried as a "
            f"dry run: {sentence(item['untried'])} With probes=0 none is tried."
        )


def _none(_items: t.Sequence[Item]) -> list[str]:
    return []


def _still_injected(items: t.Sequence[Item]) -> list[str]:
    return [
        f"{_object(item)}: a new pod still gets the credentials of an association of service account "
        f"{item['namespace']}/{item['service_account']}."
        for item in items
        if item["injected_now"]
    ]


CONDITIONS = {
    "injected": Condition("pods created now to get credentials", _not_yet_injected, _never_injected),
    "not_injected": Condition("pods created now to get no credentials", _still_injected, _none),
    "restart": Condition("restarted pods to have all that they need", obstacles, _none),
}
"""By the value of the option ``wait_for``."""
