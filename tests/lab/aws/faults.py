# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Failures that a test orders: of calls, before or after they are executed, of add-ons, and of whole clusters."""

from __future__ import annotations

import threading
import typing as t
from dataclasses import asdict, dataclass


@dataclass
class CallFault:
    """Fails matching AWS calls: ``before`` they are executed, or ``after`` (a lost reply)."""

    service: str
    operation: str
    code: str = "ThrottlingException"
    status: int = 429
    message: str = "Rate exceeded"
    times: int = 1
    when: t.Literal["before", "after"] = "before"
    every: int = 1
    seen: int = 0

    def __post_init__(self) -> None:
        """ValueError for what can never happen."""
        if self.when not in ("before", "after"):
            raise ValueError(f"when is before or after, not {self.when!r}")
        if self.times < 1 or self.every < 1:
            raise ValueError("times and every are at least 1")

    def strikes(self, service: str, operation: str) -> bool:
        """Count a call if it matches; say whether this is the one that fails."""
        if service != self.service or self.operation not in ("*", operation):
            return False
        self.seen += 1
        return self.seen % self.every == 0


@dataclass
class AddonFault:
    """Lets an add-on's next creation or update end as ``outcome``, with this health issue."""

    addon: str
    outcome: t.Literal["CREATE_FAILED", "UPDATE_FAILED"]
    code: str = "AdmissionRequestDenied"
    message: str = "admission webhook denied the request"
    times: int = 1

    def __post_init__(self) -> None:
        """ValueError for what can never happen."""
        if self.outcome not in ("CREATE_FAILED", "UPDATE_FAILED"):
            raise ValueError(f"outcome is CREATE_FAILED or UPDATE_FAILED, not {self.outcome!r}")


@dataclass
class ClusterDeletion:
    """Somebody deletes the cluster of this ARN just before the first matching call is executed."""

    service: str
    operation: str
    deletes: str
    times: int = 1


Fault = CallFault | AddonFault | ClusterDeletion


class Faults:
    """The faults still to come. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def replace(self, entries: t.Any) -> None:
        """Take ``entries`` in place of all there were; ValueError or TypeError if one makes no sense."""
        if not isinstance(entries, list):
            raise ValueError("faults are a list")
        faults = [_fault(entry) for entry in entries]
        with self._lock:
            self._faults = faults

    def show(self) -> list[dict[str, t.Any]]:
        """Return what is left."""
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def for_call(self, service: str, operation: str) -> CallFault | None:
        """Use up and return the fault that strikes this call, if there is one."""
        with self._lock:
            for fault in self._faults:
                if isinstance(fault, CallFault) and fault.strikes(service, operation):
                    return t.cast(CallFault, self._use(fault))
        return None

    def for_addon(self, addon: str, outcome: str) -> AddonFault | None:
        """Use up and return the fault that lets ``addon`` end as ``outcome``, if there is one."""
        with self._lock:
            for fault in self._faults:
                if isinstance(fault, AddonFault) and (fault.addon, fault.outcome) == (addon, outcome):
                    return t.cast(AddonFault, self._use(fault))
        return None

    def deleted_by(self, service: str, operation: str) -> list[str]:
        """Use up the deletions that this call meets, and return the ARNs of the clusters."""
        with self._lock:
            met = [
                fault
                for fault in self._faults
                if isinstance(fault, ClusterDeletion) and (fault.service, fault.operation) == (service, operation)
            ]
            return [t.cast(ClusterDeletion, self._use(fault)).deletes for fault in met]

    def _use(self, fault: Fault) -> Fault:
        fault.times -= 1
        if not fault.times:
            self._faults.remove(fault)
        return fault


def _fault(entry: t.Any) -> Fault:
    if not isinstance(entry, dict):
        raise ValueError("a fault is an object")
    kind = AddonFault if "addon" in entry else ClusterDeletion if "deletes" in entry else CallFault
    return kind(**entry)
