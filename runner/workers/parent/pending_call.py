"""A call on its way: what the parent knows of it, so that it believes nothing of it from a worker."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from runner.model.action import Action
from runner.model.errors import FlowError, InputError, ResumeError, RunnerError
from runner.model.outcome import (
    ActionRecord,
    Decision,
    FlowOutcome,
    Status,
    TriggerRef,
)
from runner.model.outcome import Timing as OutcomeTiming
from runner.model.settings import Settings
from runner.records.policy import Wish
from runner.suspension.stores import PinnedAction, SuspendedFlow
from runner.workers.parent.requests import LegRecord
from runner.workers.parent.services.fetches import CallFetches
from runner.workers.protocol.frames import FrameError
from sandbox.core.caps import MAX_PACKAGES_COMPILE_SECONDS, MAX_PACKAGES_LOAD_SECONDS
from sandbox.core.failure import Failure, FailureCode
from sandbox.core.program import Source
from triggers import Effects, EventError, Problem, Trigger

_BUILD_SECONDS: Final = 30.0
"""What compiling one source may take that a worker has not seen. The compilers' own limits are lower, also
when a busy machine gives them little of its time."""
_PACKAGES_SECONDS: Final = MAX_PACKAGES_COMPILE_SECONDS + MAX_PACKAGES_LOAD_SECONDS
"""The same of a Python source with the packages that it brings along."""
_HANDLE_SLACK: Final = 60.0
_WRITING_SECONDS: Final = 10.0
"""What a worker that is alive may take from the end of a guest to the outcome."""


@dataclass(slots=True, eq=False)
class PendingCall:
    """One leg or build, or a shadow run, which is no more than a build: nobody waits for it, and it reaches
    nothing.

    Attributes:
        head: of its message, without what depends on the worker.
        actions: with unique names, in order.
        control: what a shadow run is compared with, if it runs as well.
        body: of its message.
        store_key: of the suspended flow that it resumes.
        wish: what of it is to be kept on record.
        record: gets its record, once its outcome says that there is one.
        detached: it does not hold up others of its worker any more.
        computes: it does not wait for an answer, as far as is known.
        long: it has computed for some time.
        charged_ms: processor time that its tenant was charged with so far.
    """

    number: int
    tenant: str
    future: asyncio.Future[Any]
    head: dict[str, Any]
    body: bytes
    sources: tuple[Source, ...]
    settings: Settings
    trigger: Trigger | None = None
    actions: tuple[Action, ...] = ()
    control: tuple[Action, ...] = ()
    execution_id: str = ""
    leg: int = 1
    store_key: str = ""
    wish: Wish | None = None
    record: asyncio.Future[LegRecord] | None = None
    keep: bool = True
    fetches: CallFetches | None = None
    queued_at: float = field(default_factory=time.monotonic)
    sent_at: float = 0.0
    deadline: float = math.inf
    low: bool = False
    detached: bool = False
    computes: bool = False
    long: bool = False
    extended: int = 0
    charged_ms: float = 0.0
    tries: int = 0

    @property
    def is_build(self) -> bool:
        return self.trigger is None

    def limit_seconds(self) -> float:
        """Longest time that its Actions may take together."""
        if self.is_build:
            runs = 0 if self.head["t"] == "build" else 2 if self.control else 1
            return runs * self.settings.budget_ms / 1000
        each = [(action.limits or self.settings.limits).wall_ms for action in self.actions]
        twice = sum(1 for action in self.actions if action.last_good is not None)
        most = sum(each) + twice * max(each, default=0)
        return min(self.settings.budget_ms, most) / 1000

    def memory_bytes(self) -> int:
        """Most linear memory that its guests may have at a time."""
        limits = [action.limits or self.settings.limits for action in self.actions]
        return max((item.memory_bytes for item in limits), default=self.settings.limits.memory_bytes)

    def arm(self, new_sources: int, grace: float) -> None:
        """It has been sent: until when its worker must answer."""
        self.sent_at = time.monotonic()
        building = _BUILD_SECONDS * (new_sources or self.is_build)
        if building:
            building += _PACKAGES_SECONDS * sum(1 for source in self.sources if _brings_files(source))
        self.deadline = self.sent_at + self.limit_seconds() + building + grace

    def extend(self) -> None:
        """A guest of it is over: its worker may take a while to write down what it did, when others do so
        too. Once or twice for each Action, or a worker could hold it for ever."""
        if self.extended < 2 * max(1, len(self.actions)):
            self.extended += 1
            self.deadline = max(self.deadline, time.monotonic() + _WRITING_SECONDS)

    # --- how it can end ---

    def checked(
        self, outcome: FlowOutcome, waiting: SuspendedFlow | None, expires_at: float | None
    ) -> SuspendedFlow | None:
        """The suspended flow, if it is one, with the Actions as this call has them.

        Raises:
            FrameError: a worker's outcome is not one of this call.
        """
        self.check_own(outcome)
        if (outcome.suspension is not None) != (waiting is not None) or (waiting is None) != (
            expires_at is None
        ):
            raise FrameError("a suspension without its flow, or a flow without its suspension")
        if waiting is None or expires_at is None:
            return None
        self._check_waiting(outcome, waiting, expires_at)
        # A worker has no bundles of packages, and what resumes is not for it to say.
        return waiting.model_copy(update={"actions": tuple(PinnedAction.of(item) for item in self.actions)})

    def check_own(self, outcome: FlowOutcome) -> None:
        """Raises `FrameError` when the outcome is not one of this call."""
        assert self.trigger is not None
        same = (
            outcome.execution_id == self.execution_id
            and outcome.tenant == self.tenant
            and outcome.leg == self.leg
            and outcome.trigger == _reference(self.trigger)
            and [item.digest for item in outcome.actions] == [item.digest for item in self.actions]
            and [item.name for item in outcome.actions] == [item.name for item in self.actions]
        )
        if not same:
            raise FrameError("an outcome of another call")

    def _check_waiting(self, outcome: FlowOutcome, waiting: SuspendedFlow, expires_at: float) -> None:
        assert self.trigger is not None
        assert outcome.suspension is not None
        same = (
            waiting.tenant == self.tenant
            and waiting.trigger == self.trigger.id
            and waiting.trigger_version == self.trigger.version
            and waiting.execution_id == self.execution_id
            and waiting.leg == self.leg
            and waiting.expires_at == expires_at == outcome.suspension.expires_at
            and expires_at <= time.time() + self.settings.handle_seconds + _HANDLE_SLACK
        )
        if not same:
            raise FrameError("a suspended flow of another call")

    def failed(self, failure: Failure) -> FlowOutcome:
        """The outcome when its worker gave none. Which Actions ran is not known then."""
        assert self.trigger is not None
        alone = len(self.actions) == 1
        return FlowOutcome(
            execution_id=self.execution_id,
            leg=self.leg,
            tenant=self.tenant,
            trigger=_reference(self.trigger),
            decision=Decision.FAILED,
            effects=Effects(),
            failure=failure,
            failed_action=0 if alone else None,
            actions=tuple(
                ActionRecord(
                    index=index,
                    name=action.name,
                    language=action.language,
                    digest=action.digest,
                    status=Status.FAILED if alone else Status.SKIPPED,
                    failure=failure if alone else None,
                )
                for index, action in enumerate(self.actions)
            ),
            warnings=() if alone else ("It is not known which Actions ran: their worker gave no outcome.",),
            timing=OutcomeTiming(
                started_at=time.time() - (time.monotonic() - self.sent_at),
                wall_ms=round((time.monotonic() - self.sent_at) * 1000, 3),
                budget_ms=self.settings.budget_ms,
            ),
        )

    def late(self) -> Failure:
        """The failure when its worker missed the limit and had to be killed (threat-model C7)."""
        if self.is_build:
            return Failure(
                FailureCode.TIMEOUT, "The source takes too long to compile.", next_step="Make it simpler."
            )
        limit = round(self.limit_seconds() * 1000)
        return Failure(
            FailureCode.TIMEOUT,
            f"The execution did not end within {limit} ms and its worker was stopped.",
            detail={"limit_ms": limit, "worker": "stopped"},
        )


def _brings_files(source: Source) -> bool:
    return source.dependencies is not None and bool(source.dependencies.files)


def _reference(trigger: Trigger) -> TriggerRef:
    return TriggerRef(id=trigger.id, version=trigger.version, blocking=trigger.blocking)


def lost(reason: str) -> Failure:
    """The failure of what a worker ran when it died."""
    return Failure(
        FailureCode.INTERNAL,
        f"The worker that ran it {reason}.",
        detail={"worker": reason},
    )


def too_much() -> Failure:
    """The failure of what came to more than a worker can say."""
    return Failure(FailureCode.OUTPUT, "What it came to is larger than a worker's answer may be.")


_REFUSALS: Final[dict[str, type[RunnerError]]] = {"flow": FlowError, "record": InputError}


def refusal(message: Any) -> Exception:
    """The error for the caller that a worker's `Refused` stands for."""
    if message.kind == "event":
        problems: Sequence[Problem] = [Problem(*item) for item in message.problems]
        return EventError(problems, message.total)
    kind = _REFUSALS.get(message.kind, ResumeError)
    return kind(message.code, message.message, next_step=message.next_step)
