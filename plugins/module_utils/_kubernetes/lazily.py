# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Import the Kubernetes library without the parts that few use, until they are used: a tenth of a look's start."""

from __future__ import annotations

import contextlib
import sys
import typing as t
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader

SELDOM = frozenset({"kubernetes.stream", "kubernetes.informer", "kubernetes.leaderelection"})
"""What ``import kubernetes`` imports, and only an exec needs, or nothing here does."""


class _Finder(MetaPathFinder):
    """Finds these as Python does, and lets each be read at its first use."""

    def find_spec(self, fullname: str, path: t.Any, target: t.Any = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target) if fullname in SELDOM else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


@contextlib.contextmanager
def seldom_used_later() -> t.Iterator[None]:
    """Let what is imported inside leave out ``SELDOM`` until it is used."""
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
