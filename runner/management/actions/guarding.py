"""Deploys and bindings under the lock-out guard (`runner.management.shadows.guard`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import Query
from sqlalchemy.orm import Session

from runner.http.queries import Absent
from runner.management.base.context import Caller
from runner.management.base.service import Service
from runner.management.shadows.candidates import Candidate
from runner.management.shadows.guard import SECONDS, Guard, has_list, refusal
from runner.model.traits import Trait
from runner.store import KeyRing

Force = Annotated[
    str | Absent,
    Query(
        min_length=1,
        max_length=500,
        description="Why it is done even if it would lock people out; kept in the audit trail. (Ours.)",
    ),
]
Find = Callable[[Session, KeyRing], Candidate]
"""Finds what is to be deployed. Raises `ApiError` when it cannot be."""
FindAll = Callable[[Session, KeyRing], Sequence[Candidate]]


def guard_of(service: Service, seconds: float = SECONDS) -> Guard:
    """The guard of a service, which looks for so long at most."""
    return Guard(service.store, lambda: service.keys.ring, service.records, service.flows, seconds=seconds)


def check_lockout(
    caller: Caller, find: Find, force: str | None, rules: Sequence[Trait] = ()
) -> Candidate | None:
    """See that a deploy locks nobody out; what was looked at, None when there is no lock-out list, or nobody
    wants a look. `rules`: in addition to the tenant's list.

    Raises:
        ApiError: 409: it would.
    """
    found = check_all(caller, lambda session, ring: [find(session, ring)], force, rules)
    return found[0] if found else None


def check_all(
    caller: Caller, find: FindAll, force: str | None, rules: Sequence[Trait] = ()
) -> Sequence[Candidate]:
    """The same of several candidates, each by itself; they share the time that there is."""
    service = caller.service
    with service.store.read() as session:
        if force is not None or not (rules or has_list(session, caller.tenant)):
            return ()
        candidates = find(session, service.keys.ring)
    for candidate in candidates:
        report = guard_of(service, SECONDS / len(candidates)).check(candidate, rules)
        if report.refused:
            raise refusal(report)
    return candidates
