# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which versions of an add-on there are, and which one is meant. No boto3, no AnsibleModule."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._core.plan import Refused
from .._core.suggest import nearest

DEFAULT, LATEST = "default", "latest"
PRE_RELEASES = frozenset({"alpha", "beta", "dev", "pre", "preview", "rc"})

Rank = tuple[int, int, str]


def rank(version: str) -> tuple[Rank, ...]:
    """A key that sorts versions like v1.3.10-eksbuild.2, oldest first."""
    parts = re.findall(r"\d+|[a-z]+", version.lower().removeprefix("v"))
    return (*map(_rank_part, parts), (0, 0, ""))


def _rank_part(part: str) -> Rank:
    if part.isdigit():
        return 2, int(part), ""
    return (-1 if part in PRE_RELEASES else 1), 0, part


@dataclass(frozen=True)
class Offer:
    """A version of an add-on, and the Kubernetes versions that it runs on: those whose default it is are true."""

    version: str
    kubernetes: t.Mapping[str, bool]
    requires_configuration: bool = False


@dataclass(frozen=True)
class Catalogue:
    """An add-on as EKS offers it."""

    name: str
    offers: tuple[Offer, ...]
    default_namespace: str = ""
    publisher: str = ""
    owner: str = ""

    def available(self, kubernetes: str) -> list[str]:
        """The versions for a Kubernetes version, newest first."""
        return sorted(
            (offer.version for offer in self.offers if kubernetes in offer.kubernetes), key=rank, reverse=True
        )

    def default(self, kubernetes: str) -> str:
        """The version that EKS installs unless told otherwise; "" for none."""
        return next((offer.version for offer in self.offers if offer.kubernetes.get(kubernetes)), "")

    def offer(self, version: str) -> Offer | None:
        """What is known of a version."""
        return next((offer for offer in self.offers if offer.version == version), None)

    def choose(self, wanted: str, kubernetes: str) -> str | None:
        """The version that ``wanted`` (a version, default or latest) means for a cluster's Kubernetes version.

        Without ``kubernetes`` it is None where that depends on it. ``Refused`` where there is no such version.
        """
        every = [kubernetes] if kubernetes else sorted({k for offer in self.offers for k in offer.kubernetes}, key=rank)
        answers = {self._answer(wanted, version) for version in every}
        if len(answers) > 1:
            return None
        answer = answers.pop() if answers else ""
        if not answer:
            raise Refused(self._refusal(wanted, kubernetes))
        return answer

    def _answer(self, wanted: str, kubernetes: str) -> str:
        if wanted == DEFAULT:
            return self.default(kubernetes)
        available = self.available(kubernetes)
        if wanted == LATEST:
            return available[0] if available else ""
        return wanted if wanted in available else ""

    def _refusal(self, wanted: str, kubernetes: str) -> str:
        place = f" for Kubernetes {kubernetes}" if kubernetes else ""
        known = self.available(kubernetes) if kubernetes else [offer.version for offer in self.offers]
        if not known:
            return f"version is {wanted}, and EKS offers no version of add-on {self.name}{place}."
        words = ", ".join(sorted(nearest(wanted, known), key=rank, reverse=True))
        return f"version is {wanted}, which add-on {self.name} doesn't have{place}; it has {words}."


def unknown_addon(name: str, names: t.Iterable[str]) -> str:
    """Say that EKS offers no add-on ``name``; ``names`` are those that it offers."""
    near = ", ".join(nearest(name, names))
    return f"name is {name}, and EKS offers no such add-on here." + (f" Near it: {near}." if near else "")
