"""The lock-out guard: a change is tried on recorded logins before it goes live.

Nobody who got in may be denied, or meet a failure, by what is deployed: people on the tenant's lock-out list
first, then whoever logged in last. It takes no longer than `SECONDS`; what it has not seen by then it says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from runner.http.errors import ApiError
from runner.management.base.interfaces import BusyError, FlowRunner, LostRunError, Records
from runner.management.shadows.candidates import Candidate, Flows, GoneError
from runner.model.errors import InputError
from runner.model.outcome import Decision
from runner.model.traits import Trait, is_covered
from runner.replay.execution_record import ExecutionRecord
from runner.replay.record import FlowRecord
from runner.shadow.leg import LegShadow
from runner.shadow.lockout import LockoutList
from runner.store import KeyRing, Store
from runner.store.sealed.sealing import SealError
from runner.store.tables.models import Tenant
from triggers import get_trigger

SECONDS: Final = 8.0
"""Longest look before a deploy: clients wait for their answer."""
_READ: Final = 1_000
"""Recorded executions that are looked through for people on the list."""
_LISTED: Final = 100
"""Logins of theirs that are run at most."""
_NAMED: Final = 20
"""Logins that a report names."""
_THREADS: Final = 2
SETTING: Final = "lockout"
"""Key of the tenant's list among its settings."""


class LockedOutLogin(BaseModel):
    """A login that got in, and would be denied or fail `now`. `listed`: of somebody on the lock-out list."""

    model_config = ConfigDict(frozen=True)

    execution_id: str
    listed: bool
    now: str


class GuardReport(BaseModel):
    """Attributes:
    refused: somebody would be locked out.
    configured: the tenant has a lock-out list; without one nothing is looked at.
    checked: logins that got in and were run; `listed` of them are of people on the list.
    locked_out: how many would be denied or fail.
    logins: the first of them, people on the list before others.
    undecided: logins whose end hangs on a request that the record has no answer to.
    skipped: logins that could not be run, by reason.
    complete: all were run in the time there is.
    """

    model_config = ConfigDict(frozen=True)

    refused: bool = False
    configured: bool = True
    checked: int = 0
    listed: int = 0
    locked_out: int = 0
    logins: tuple[LockedOutLogin, ...] = ()
    undecided: int = 0
    skipped: dict[str, int] = {}
    complete: bool = True

    def message(self) -> str:
        """Why the deploy is refused, and what to do."""
        named = ", ".join(item.execution_id for item in self.logins[:3])
        more = f" and {self.locked_out - 3} more" if self.locked_out > 3 else ""
        listed = sum(item.listed for item in self.logins)
        who = f" ({listed} of them on the lock-out list)" if listed else ""
        return (
            f"This would lock people out: of {self.checked} recorded logins that got in, "
            f"{self.locked_out}{who} would be denied or fail, such as {named}{more}. Run it on them with "
            "`actionbox shadow`, or go on all the same with force=REASON."
        )


def lockout_list(settings: dict[str, Any]) -> LockoutList | None:
    """The list among a tenant's settings."""
    found = settings.get(SETTING)
    return None if found is None else LockoutList.model_validate(found)


def has_list(session: Session, tenant: str) -> bool:
    """Whether the tenant has a lock-out list."""
    return SETTING in (session.scalar(select(Tenant.settings).where(Tenant.id == tenant)) or {})


def refusal(report: GuardReport) -> ApiError:
    """The 409 of a refused deploy."""
    return ApiError(409, report.message(), "would_lock_out", report=report.model_dump(mode="json"))


@dataclass(frozen=True, slots=True)
class _Login:
    record: FlowRecord
    listed: bool


class Guard:
    """Safe between threads; its calls block.

    Args:
        seconds: longest look.
    """

    def __init__(
        self,
        store: Store,
        ring: Callable[[], KeyRing],
        records: Records,
        runner: FlowRunner,
        *,
        seconds: float = SECONDS,
    ) -> None:
        self._store = store
        self._ring = ring
        self._records = records
        self._runner = runner
        self._seconds = seconds

    def check(
        self, candidate: Candidate, rules: Sequence[Trait] = (), *, last: int | None = None
    ) -> GuardReport:
        """Whether `candidate` would lock somebody out. The answer of a tenant without a list, when no `rules`
        are given either, is no.

        Args:
            rules: in addition to the tenant's list.
            last: logins of anybody that are looked at; None for the tenant's setting.
        """
        with self._store.read() as session:
            chosen = session.scalar(select(Tenant.settings).where(Tenant.id == candidate.tenant)) or {}
        found = lockout_list(chosen)
        if (found is None and not rules) or not get_trigger(candidate.trigger).blocking:
            return GuardReport(configured=found is not None)
        known = found or LockoutList()
        return self._checked(candidate, (*known.rules, *rules), known.last if last is None else last)

    def _checked(self, candidate: Candidate, rules: Sequence[Trait], last: int) -> GuardReport:
        until = time.monotonic() + self._seconds
        tally = _Tally()
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="actionbox-guard") as threads:
            waiting: list[tuple[_Login, Future[LegShadow]]] = []
            flows = Flows(self._store, self._ring, candidate.tenant, candidate)
            for login in self._logins(candidate, rules, last, until, tally):
                try:
                    flow = flows.of(login.record)
                except (GoneError, SealError):
                    tally.skip("gone")
                    continue
                run = threads.submit(self._run, candidate.tenant, login.record, flow.actions, until)
                waiting.append((login, run))
                if len(waiting) > 2 * _THREADS:
                    tally.add(*waiting.pop(0))
            for login, run in waiting:
                tally.add(login, run)
        return tally.report()

    def _logins(
        self,
        candidate: Candidate,
        rules: Sequence[Trait],
        last: int,
        until: float,
        tally: _Tally,
    ) -> Iterator[_Login]:
        """Legs of logins that got in: the last ones, and of those before the ones of people on the list."""
        listed = others = 0
        most = _READ if rules else last
        for record in islice(self._records.recent(candidate.tenant, candidate.trigger, most), most):
            if time.monotonic() > until:
                tally.complete = False
                return
            if not _got_in(record):
                continue
            on_list = is_covered(rules, _event(record))
            if on_list and listed < _LISTED:
                listed += 1
            elif others < last:
                others += 1
            else:
                continue
            yield from (_Login(leg, on_list) for leg in record.legs)

    def _run(self, tenant: str, record: FlowRecord, actions: Sequence[Any], until: float) -> LegShadow:
        while True:
            try:
                if time.monotonic() > until:
                    return LegShadow(skipped="time")
                return self._runner.shadow(tenant, record, actions, ())
            except BusyError as error:
                time.sleep(min(float(error.retry_after), max(0.0, until - time.monotonic())))
            except InputError:
                return LegShadow(skipped="unusable")
            except LostRunError:
                return LegShadow(skipped="lost")


def _got_in(record: ExecutionRecord) -> bool:
    return record.legs[-1].outcome.get("decision") == Decision.ALLOW


def _event(record: ExecutionRecord) -> dict[str, Any]:
    state = record.legs[0].state
    event = state.get("event") if isinstance(state, dict) else None
    return event if isinstance(event, dict) else {}


class _Tally:
    def __init__(self) -> None:
        self.complete = True
        self._checked: set[str] = set()
        self._listed: set[str] = set()
        self._out: dict[str, LockedOutLogin] = {}
        self._undecided: set[str] = set()
        self._skipped: dict[str, int] = {}

    def skip(self, reason: str) -> None:
        self._skipped[reason] = self._skipped.get(reason, 0) + 1

    def add(self, login: _Login, run: Future[LegShadow]) -> None:
        found, name = run.result(), login.record.execution_id
        if found.skipped is not None:
            self.complete = self.complete and found.skipped != "time"
            self.skip(found.skipped)
            return
        self._checked.add(name)
        if login.listed:
            self._listed.add(name)
        if found.now not in (Decision.DENY, Decision.FAILED):
            return
        if not found.proven:
            self._undecided.add(name)
        elif name not in self._out:
            self._out[name] = LockedOutLogin(execution_id=name, listed=login.listed, now=found.now)

    def report(self) -> GuardReport:
        out = sorted(self._out.values(), key=lambda item: not item.listed)
        return GuardReport(
            refused=bool(out),
            checked=len(self._checked),
            listed=len(self._listed),
            locked_out=len(out),
            logins=tuple(out[:_NAMED]),
            undecided=len(self._undecided - self._out.keys()),
            skipped=dict(sorted(self._skipped.items())),
            complete=self.complete,
        )
