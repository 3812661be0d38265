"""Services of the platform for an Action's session: a clock, a cache, a directory and facts of the flow."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, Literal, Protocol

from triggers.values.arguments import Group, Role

MOST_ISSUED: Final = 100
"""Tokens that one leg remembers."""


@dataclass(frozen=True, slots=True)
class CacheRecord:
    """A cached value; `expires_at` in milliseconds since 1970."""

    value: str
    expires_at: int


class CacheStore(Protocol):
    """The cache of one tenant and trigger. Safe to call from several threads. `now`: ms since 1970;
    records that expired by then are as good as absent."""

    def get(self, key: str, now: int) -> CacheRecord | None: ...

    def set(self, key: str, record: CacheRecord, now: int) -> None: ...

    def delete(self, key: str, now: int) -> bool:
        """Whether there was something to delete."""
        ...

    def usage(self, now: int) -> tuple[int, int]:
        """Number of records, and UTF-8 bytes of their keys and values."""
        ...


class MemoryCache:
    """A `CacheStore` in this process's memory."""

    def __init__(self) -> None:
        self._records: dict[str, CacheRecord] = {}
        self._lock = Lock()

    def get(self, key: str, now: int) -> CacheRecord | None:
        with self._lock:
            found = self._records.get(key)
        return found if found and found.expires_at > now else None

    def set(self, key: str, record: CacheRecord, now: int) -> None:
        with self._lock:
            self._sweep(now)
            self._records[key] = record

    def delete(self, key: str, now: int) -> bool:
        with self._lock:
            self._sweep(now)
            return self._records.pop(key, None) is not None

    def usage(self, now: int) -> tuple[int, int]:
        with self._lock:
            self._sweep(now)
            size = sum(len(key.encode()) + len(item.value.encode()) for key, item in self._records.items())
            return len(self._records), size

    def _sweep(self, now: int) -> None:
        for key in [key for key, item in self._records.items() if item.expires_at <= now]:
            del self._records[key]


class Directory(Protocol):
    """Memberships of users. Lists are whole; paging is done by the caller."""

    def groups(self, user_id: str) -> Sequence[Group]: ...

    def roles(self, user_id: str, organization_id: str | None) -> Sequence[Role]:
        """Direct and group-inherited roles, in the organization when there is one."""
        ...

    def group_type(self, group_id: str) -> Literal["connection", "organization", "tenant"]: ...


@dataclass(frozen=True, slots=True)
class StaticDirectory:
    """A `Directory` of fixed lists: by user id, and for roles by (user id, organization id or None)."""

    user_groups: Mapping[str, Sequence[Group]] = field(default_factory=dict)
    user_roles: Mapping[tuple[str, str | None], Sequence[Role]] = field(default_factory=dict)
    group_types: Mapping[str, Literal["connection", "organization", "tenant"]] = field(default_factory=dict)

    def groups(self, user_id: str) -> Sequence[Group]:
        return self.user_groups.get(user_id, ())

    def roles(self, user_id: str, organization_id: str | None) -> Sequence[Role]:
        return self.user_roles.get((user_id, organization_id), ())

    def group_type(self, group_id: str) -> Literal["connection", "organization", "tenant"]:
        return self.group_types.get(group_id, "tenant")


@dataclass(frozen=True, slots=True)
class Services:
    """The services that one session may use.

    Attributes:
        clock: seconds since 1970.
        cache: of this tenant and trigger.
        directory: groups and roles of the tenant.
        executed_rules: ids of the Rules that ran before in this transaction.
        redirect_state: opaque value that a redirect of this leg carries as `state`.
        features: gates that are on, see `triggers.engine.gates`.
        payload_may_override_claims: whether the payload of `encodeToken` may replace `iss`, `sub`, `iat`
            and `exp`, as the public package lets it (threat-model J2).
        redirect_issuer: the `iss` that incoming tokens must carry; None leaves it to the Action.
        issued: tokens that Actions made for external sites, the first `MOST_ISSUED` of them.
    """

    clock: Callable[[], float] = time.time
    cache: CacheStore = field(default_factory=MemoryCache)
    directory: Directory = field(default_factory=StaticDirectory)
    executed_rules: frozenset[str] = frozenset()
    redirect_state: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    features: frozenset[str] = frozenset()
    payload_may_override_claims: bool = True
    redirect_issuer: str | None = None
    issued: list[str] = field(default_factory=list)

    def note_issued(self, token: str) -> None:
        """A token goes to an external site: whoever keeps records leaves it out of them."""
        if len(self.issued) < MOST_ISSUED and token not in self.issued:
            self.issued.append(token)

    def now(self) -> int:
        """Milliseconds since 1970, whole."""
        return int(self.clock() * 1000)
