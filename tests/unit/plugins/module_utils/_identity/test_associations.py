# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.enbuild.eks.plugins.module_utils._association.plan import Association, Key, Observed, Summary
from ansible_collections.enbuild.eks.plugins.module_utils._identity.associations import Bindings, read_bindings

ROLE = "arn:aws:iam::123456789012:role/orders"


class Associations:
    """What EKS lists, and of it what is still there when it is described."""

    def __init__(self, places: t.Iterable[tuple[str, str]], deleted: t.Collection[str] = ()) -> None:
        self._places = {f"a-{account}": (space, account) for space, account in places}
        self._deleted = deleted

    def list(self, namespace: str | None) -> list[Summary]:
        return [
            Summary(Key("prod", *place), name, f"arn:{name}")
            for name, place in self._places.items()
            if namespace in (None, place[0])
        ]

    def describe(self, name: str) -> tuple[Key, Observed] | None:
        if name in self._deleted:
            return None
        return Key("prod", *self._places[name]), Observed(f"arn:{name}", name, Association(ROLE))


PLACES = (("shop", "orders"), ("shop", "former"), ("bank", "books"))


def read(eks: Associations, accounts: t.Any) -> Bindings:
    return read_bindings(t.cast("t.Any", eks), None, {("shop", "orders")}, accounts)


def test_those_wanted_and_those_without_a_service_account_are_described() -> None:
    seen = read(Associations(PLACES), {("shop", "orders"): {}, ("bank", "books"): {}})
    assert {place: view["role_arn"] for place, view in seen.bound.items()} == {
        ("shop", "orders"): ROLE,
        ("shop", "former"): ROLE,
        ("bank", "books"): "",
    }
    assert [(each["service_account"], each["namespace_exists"]) for each in seen.orphans] == [("former", True)]
    assert seen.accounts == {"shop": ("orders", "former"), "bank": ("books",)}


def test_an_association_deleted_after_it_was_listed_is_no_orphan() -> None:
    seen = read(Associations(PLACES, deleted=("a-former", "a-orders")), {("shop", "orders"): {}})
    assert [each["service_account"] for each in seen.orphans] == ["books"]
