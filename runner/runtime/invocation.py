"""One run of a flow: what it was asked for, by whom, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from runner.jobs.payloads import payload_of
from runner.model.arms import Assigned
from runner.model.outcome import Decision, FlowOutcome, Timing, TriggerRef, VersionRecord
from runner.records.states import RecordState
from runner.runtime.records.idempotency import StoredResponse
from runner.runtime.records.recording import Recording, leg_context
from runner.runtime.schemas import InvokeBody
from runner.store.resolved_flow import BoundVersion
from runner.suspension.stores import SuspendedFlow
from runner.workers.parent.requests import LegReply
from sandbox.core.failure import Failure, FailureCode
from triggers import Effects, Trigger


@dataclass(frozen=True, slots=True)
class Origin:
    """Who called for a flow, when that was a hook of an identity provider (`runner.hooks`). It repeats what
    failed itself, so no job does.

    Attributes:
        provider, hook: their names, for the record of the execution.
        budget_ms: wall time of the flow, where that is less than the installation's.
        seconds: from now until the flow is given up, whatever it waits for.
        answer: the caller's answer to an outcome.
        accepted: the caller's answer to an event that runs later.
        facts: what the record says beside the names, made of the outcome that goes on record.
    """

    provider: str
    hook: str
    budget_ms: int
    seconds: float
    answer: Callable[[FlowOutcome], StoredResponse]
    accepted: Callable[[], StoredResponse]
    facts: Callable[[FlowOutcome], dict[str, Any]]

    @property
    def names(self) -> dict[str, Any]:
        """The names, as records have them."""
        return {"provider": self.provider, "hook": self.hook}


@dataclass(frozen=True, slots=True)
class Invocation:
    """One run of a flow, by a request or by a job.

    Attributes:
        execution_id: a new one for a request; the job's for a job.
        traceparent: of the caller's trace, as it was sent.
        event: JSON text of the body's event; None when it has to be written first.
        origin: None for the runtime API, and for jobs.
    """

    tenant: str
    trigger: Trigger
    body: InvokeBody
    execution_id: str
    traceparent: str | None = None
    event: bytes | None = None
    origin: Origin | None = None

    @property
    def payload(self) -> dict[str, Any]:
        """The payload of a job that runs it later."""
        return payload_of(self.trigger.id, self.body.model_dump(mode="json"), self.traceparent)


@dataclass(frozen=True, slots=True)
class LegResult:
    """The result of a leg.

    Attributes:
        outcome, kept: with the version that each Action ran. `kept`: the part of the outcome that goes on
            record; None when it is all of it.
        suspended: the flow, which its record keeps for the resume.
        waited_ms: for a worker.
        recording, reply: what is recorded of it, and what its worker said; None when nothing ran.
    """

    outcome: FlowOutcome
    versions: Sequence[BoundVersion]
    kept: FlowOutcome | None = None
    suspended: SuspendedFlow | None = field(default=None, repr=False)
    waited_ms: float = 0.0
    recording: Recording | None = None
    reply: LegReply | None = None

    @classmethod
    def of(cls, reply: LegReply, versions: Sequence[BoundVersion], recording: Recording) -> LegResult:
        """Of what ran these versions."""
        kept = None if reply.kept is None else _with_versions(reply.kept, versions)
        outcome = _with_versions(reply.outcome, versions)
        return cls(outcome, versions, kept, reply.suspended, reply.waited_ms, recording, reply)

    @property
    def hosts(self) -> Sequence[Sequence[str]]:
        """That each Action asked."""
        return () if self.reply is None else self.reply.hosts

    @property
    def own(self) -> bool:
        """Whether the outcome is the doing of its Actions."""
        return self.reply is None or self.reply.own

    @property
    def state(self) -> RecordState | None:
        """What the execution says of its record; None when nothing ran."""
        return None if self.recording is None or self.reply is None else self.recording.state(self.reply)

    def follow(self, tenant: str, traceparent: str | None) -> None:
        """The execution is on record: its leg's may be."""
        if self.recording is not None and self.reply is not None:
            context = leg_context(self.versions, self.outcome.leg, traceparent)
            self.recording.follow(tenant, self.reply, context)


def on_arms(versions: Sequence[BoundVersion], arms: Sequence[Assigned | None]) -> tuple[BoundVersion, ...]:
    """The versions of a suspended flow with the choices that were made when it began."""
    if not arms:
        return tuple(versions)
    return tuple(replace(version, assigned=arm) for version, arm in zip(versions, arms, strict=True))


def _with_versions(outcome: FlowOutcome, versions: Sequence[BoundVersion]) -> FlowOutcome:
    """`outcome` as people ask for it: which version ran. A worker does not know, and is not asked."""
    actions = tuple(
        action.model_copy(update={"version": _version(version)})
        for action, version in zip(outcome.actions, versions, strict=False)
    )
    return outcome.model_copy(update={"actions": (*actions, *outcome.actions[len(actions) :])})


def _version(version: BoundVersion) -> VersionRecord:
    chosen = version.assigned
    if chosen is None:
        return VersionRecord.model_construct(id=version.version_id, number=version.number)
    return VersionRecord(
        id=version.version_id,
        number=version.number,
        rollout_id=chosen.rollout_id,
        arm=chosen.arm,
        reason=chosen.reason,
    )


class AnsweredElsewhereError(Exception):
    """Another replica answered the same request first; `answer` is what it said."""

    def __init__(self, answer: StoredResponse) -> None:
        super().__init__()
        self.answer: Final = answer


def nothing_bound(invocation: Invocation, started_at: float, budget_ms: int) -> FlowOutcome:
    """The outcome of a trigger that no Action is bound to: leave to go on. `started_at`: epoch seconds."""
    return _outcome(
        invocation, Decision.ALLOW, Timing(started_at=started_at, wall_ms=0.0, budget_ms=budget_ms)
    )


def given_up(invocation: Invocation, origin: Origin, started_at: float) -> FlowOutcome:
    """The outcome of a flow that was not over when its hook had to answer. `started_at`: epoch seconds."""
    waited = round(origin.seconds * 1000)
    failure = Failure(
        FailureCode.TIMEOUT,
        f"The Actions did not end within {waited} ms, when {origin.provider} had to be answered.",
        next_step="Make the Actions do less; see that workers are free; or raise the hook's time limit.",
        detail={"limit_ms": waited},
    )
    timing = Timing(started_at=started_at, wall_ms=float(waited), budget_ms=origin.budget_ms)
    warning = "It is not known which Actions ran: they were not waited for."
    return _outcome(invocation, Decision.FAILED, timing, failure=failure, warnings=(warning,))


def _outcome(invocation: Invocation, decision: Decision, timing: Timing, **members: Any) -> FlowOutcome:
    """Of which no Action is told anything."""
    trigger = invocation.trigger
    return FlowOutcome(
        execution_id=invocation.execution_id,
        tenant=invocation.tenant,
        trigger=TriggerRef(id=trigger.id, version=trigger.version, blocking=trigger.blocking),
        decision=decision,
        effects=Effects(),
        actions=(),
        timing=timing,
        **members,
    )
