"""The world that a test case gives its Actions: a clock that stands, repeatable randomness, one user."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from runner.testing.cases.model import DirectorySpec
from sandbox.port.live import Clock
from triggers import CacheStore, MemoryCache
from triggers.engine.services import CacheRecord

_NEVER: Final = 2**53


def frozen_clock(moment: float | None) -> Clock:
    """A clock that stands at `moment` (epoch seconds); None for the real one."""
    return Clock() if moment is None else Clock(wall=lambda: float(moment))


def seeded_entropy(seed: int | None) -> Callable[[int], bytes]:
    """Bytes that `seed` repeats; None for the real source."""
    # Repeatable on purpose: a seeded case asks for it.
    return os.urandom if seed is None else random.Random(seed).randbytes  # noqa: S311


def fixed_cache(entries: Mapping[str, str]) -> Callable[[str, str], CacheStore]:
    """One cache for the whole case, filled before it starts. Its records do not expire: the guest's clock
    may stand anywhere in the past or the future."""
    cache = MemoryCache()
    for key, value in entries.items():
        cache.set(key, CacheRecord(value=value, expires_at=_NEVER), 0)
    return lambda _tenant, _trigger: cache


@dataclass(frozen=True, slots=True)
class OneUser:
    """A `Directory` that answers the same for every user."""

    spec: DirectorySpec

    def groups(self, user_id: str) -> Sequence[Any]:  # noqa: ARG002 - the protocol's shape
        return [
            {key: value for key, value in group.items() if key != "group_type"} for group in self.spec.groups
        ]

    def roles(self, user_id: str, organization_id: str | None) -> Sequence[Any]:  # noqa: ARG002
        return self.spec.roles

    def group_type(self, group_id: str) -> Any:
        for group in self.spec.groups:
            if group.get("id") == group_id:
                return group.get("group_type", "tenant")
        return "tenant"
