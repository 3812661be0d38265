"""Interfaces of whatever runs Actions and builds them: worker processes, or this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any, Literal, Protocol

from runner.model.action import Action
from runner.model.outcome import FlowOutcome
from runner.replay.execution_record import ExecutionRecord
from runner.replay.record import FlowRecord
from runner.shadow.answers import OtherAnswer
from runner.shadow.leg import LegShadow
from sandbox.action_build import Build, Module, Wanted
from sandbox.core.program import Dependencies, Source
from sandbox.packages.npm.lock import Lock
from sandbox.packages.wheels.lock import WheelLock


class BusyError(Exception):
    """Nothing ran: a queue is full. `retry_after`: seconds, at least 1."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class LostRunError(Exception):
    """A shadow run ended with its worker."""


class Builder(Protocol):
    """Builds a version of an Action; safe between threads, blocks until it is done."""

    def build(
        self,
        tenant: str,
        source: Source,
        wanted: Sequence[Wanted],
        modules: Sequence[Module],
        lock: Lock | WheelLock | None,
        report: Callable[[Build], None],
    ) -> tuple[Build, Dependencies | None]:
        """Build the source.

        Never raises for what is wrong with the source.

        Args:
            lock: of an earlier build of the same `wanted`; nothing is resolved anew then.
            report: told of every state on the way; may block.

        Returns:
            how it ended (`built` or `failed`), and what the source may require.

        Raises:
            BusyError: nothing was built.
        """
        ...


class FlowRunner(Protocol):
    """Runs the first leg of a flow; safe between threads, blocks until it is done."""

    def run_flow(
        self, tenant: str, trigger: str, event: Mapping[str, Any], actions: Sequence[Action]
    ) -> FlowOutcome:
        """The outcome.

        Raises:
            EventError: the event breaks the trigger's schema.
            BusyError: the tenant, or the service, has too much waiting.
        """
        ...

    def shadow(
        self, tenant: str, record: FlowRecord, actions: Sequence[Action], control: Sequence[Action]
    ) -> LegShadow:
        """Run `actions` on a recorded leg, see `runner.shadow.leg.shadow_leg`, behind everybody's logins.

        Args:
            control: run as well when there are some.

        Raises:
            InputError: they cannot be run on it.
            BusyError: nothing ran.
            LostRunError: the run did not end.
        """
        ...

    def warm(self, tenant: str, source: Source) -> None:
        """Have the program of a source wherever this runner runs, before a login asks for it; for a few
        seconds at most."""
        ...

    def replay(
        self,
        tenant: str,
        record: FlowRecord,
        actions: Sequence[Action],
        control: Sequence[Action],
        answers: Sequence[OtherAnswer],
    ) -> LegShadow:
        """The same for somebody who may read the record, see `runner.shadow.leg.told_leg`. Raises as
        `shadow` does."""
        ...


class Records(Protocol):
    """Records of executions: `runner.records.store.RecordStore`."""

    def recent(
        self,
        tenant: str,
        trigger: str,
        most: int,
        *,
        decision: str | None = None,
        since: datetime | None = None,
    ) -> Iterator[ExecutionRecord]:
        """Up to `most` of a trigger, the newest first, in plain form."""
        ...


Keep = Callable[[Mapping[str, Any]], None]
"""Told what an Action is about to be, as the API shows it. Raises `ApiError`, and nothing changes then."""


class Home(Protocol):
    """Where else than in the database the Actions of this service live, such as in an author's files.

    Attributes:
        mode: how the console calls it.
    """

    @property
    def mode(self) -> Literal["service", "dev"]: ...

    def creating(self, client_id: str) -> AbstractContextManager[Keep]:
        """While a client creates an Action. Raises `ApiError`."""
        ...

    def changing(self, client_id: str, action_id: str) -> AbstractContextManager[Keep]:
        """While a client changes an Action's draft. Raises `ApiError`."""
        ...

    def check_removal(self, client_id: str, action_id: str) -> None:
        """Raises `ApiError` when an Action is not removed here."""
        ...


class NoHome:
    """The database is all there is."""

    mode: Literal["service"] = "service"

    def creating(self, client_id: str) -> AbstractContextManager[Keep]:  # noqa: ARG002
        return nullcontext(lambda _: None)

    def changing(self, client_id: str, action_id: str) -> AbstractContextManager[Keep]:  # noqa: ARG002
        return nullcontext(lambda _: None)

    def check_removal(self, client_id: str, action_id: str) -> None: ...
