"""What becomes of a leg's record: wished before the leg, decided by its outcome, and stored when nobody waits
any more."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any

from runner.model.action import Action
from runner.model.outcome import Decision, FlowOutcome
from runner.records.policy import NOTHING, PolicyError, RecordPolicy, Wish
from runner.records.recorder import Recorder
from runner.records.states import KEPT, LARGE, NO, WAITS, WORKER, RecordState
from runner.records.subjects import subjects_of
from runner.records.writing import FlowEnd, Lost, NewLeg
from runner.replay.record import LegContext, RecordedVersion
from runner.store.resolved_flow import BoundVersion
from runner.suspension.stores import PinnedAction, SuspendedFlow
from runner.workers.parent.requests import LegRecord, LegReply


@lru_cache(maxsize=1024)
def flow_policy(default: RecordPolicy, chosen: Sequence[str | None]) -> RecordPolicy:
    """The policy of a flow, from those of its bindings; None is the installation's."""
    try:
        first, *others = (default if text is None else RecordPolicy.parse(text) for text in chosen)
    except PolicyError:  # of a later release: what is not understood is not kept
        return NOTHING
    return first.with_others(others)


def leg_context(versions: Sequence[BoundVersion], leg: int, traceparent: str | None) -> LegContext:
    """What a record says of its leg beside what ran."""
    return LegContext(
        parent_leg=leg - 1 if leg > 1 else None,
        traceparent=traceparent,
        versions=tuple(
            RecordedVersion(
                action_id=version.action_id,
                version_id=version.version_id,
                number=version.number,
                binding_id=version.binding_id,
                arm=None if version.assigned is None else version.assigned.arm,
                arm_reason=None if version.assigned is None else version.assigned.reason,
            )
            for version in versions
        ),
    )


@dataclass(frozen=True, slots=True)
class Recording:
    """One leg's.

    Attributes:
        policy: as text.
        wish: what its worker is asked for; None for nothing.
        event: that the flow began with.
        actions: of the flow.
        waits: earlier legs of the flow wait for what becomes of it.
    """

    recorder: Recorder
    policy: str
    wish: Wish | None
    event: Mapping[str, Any] = field(repr=False)
    actions: tuple[Action, ...] | tuple[PinnedAction, ...] = field(repr=False)
    waits: bool = False

    @classmethod
    def first(
        cls,
        recorder: Recorder,
        policy: RecordPolicy,
        execution_id: str,
        event: Mapping[str, Any],
        actions: tuple[Action, ...],
    ) -> Recording:
        """Of a first leg."""
        wish = policy.wish(execution_id, recorder.limits.leg_bytes)
        return cls(recorder, policy.text, wish, event, actions)

    @classmethod
    def further(
        cls,
        recorder: Recorder,
        before: RecordState | None,
        flow: SuspendedFlow,
    ) -> Recording:
        """Of a further leg of a flow that was suspended in the state `before`: once its execution is kept,
        all legs are, whatever the policy says now."""
        wish, most = None, recorder.limits.leg_bytes
        if before is not None and before.state in KEPT:
            wish = Wish(most, always=before.state)  # type: ignore[arg-type]
        elif before is not None and before.state == WAITS:
            policy = flow_policy(NOTHING, (before.policy,))
            wish = Wish(most, failures=policy.failures, denials=policy.denials)
        waits = before is not None and before.state == WAITS
        text = "off" if before is None else before.policy
        state = flow.flow_state if isinstance(flow.flow_state, dict) else {}
        event = state.get("event")
        return cls(recorder, text, wish, event if isinstance(event, dict) else {}, flow.actions, waits)

    def state(self, reply: LegReply) -> RecordState:
        """What the execution says of its record."""
        reason = None if self.wish is None else self.wish.reason(reply.outcome)
        if reason is not None and reply.record is None:
            return RecordState(WORKER, self.policy)
        return RecordState(reason or NO, self.policy)

    def follow(self, tenant: str, reply: LegReply, context: LegContext) -> None:
        """The execution is on record: store the record of this leg once its worker has written it down."""
        reason = None if self.wish is None else self.wish.reason(reply.outcome)
        if reply.record is not None:
            state = RecordState(reason or NO, self.policy)
            token = self.recorder.expect()
            arrived = partial(self._arrived, tenant, reply.outcome, state, context, token)
            reply.record.add_done_callback(arrived)
            return
        if reason is not None:
            self.recorder.dropped(WORKER)
        if reply.outcome.decision is not Decision.SUSPENDED:
            self._end(tenant, reply.outcome, RecordState(reason or NO, self.policy))

    def _arrived(
        self,
        tenant: str,
        outcome: FlowOutcome,
        state: RecordState,
        context: LegContext,
        token: int,
        future: asyncio.Future[LegRecord],
    ) -> None:
        try:
            self._take(tenant, outcome, state, context, future.result())
        finally:
            self.recorder.arrived(token)

    def _take(
        self, tenant: str, outcome: FlowOutcome, state: RecordState, context: LegContext, found: LegRecord
    ) -> None:
        if found.lost:
            self.recorder.dropped(found.lost)
            why = LARGE if found.lost == "large" else WORKER
            self.recorder.put(Lost(tenant, outcome.execution_id, RecordState(why, self.policy)))
            self._end(tenant, outcome, state)
            return
        suspension = outcome.suspension
        self.recorder.put(
            NewLeg(
                tenant=tenant,
                execution_id=outcome.execution_id,
                trigger=outcome.trigger.id,
                leg=outcome.leg,
                decision=outcome.decision.value,
                state=state,
                at=datetime.now(UTC),
                text=found.text,
                context=context,
                actions=self.actions,
                subjects=subjects_of(self.event, outcome.effects),
                waits_until=None
                if suspension is None
                else datetime.fromtimestamp(suspension.expires_at, UTC),
            )
        )

    def _end(self, tenant: str, outcome: FlowOutcome, state: RecordState) -> None:
        if self.waits and state.state != WAITS:
            self.recorder.put(FlowEnd(tenant, outcome.execution_id, state, datetime.now(UTC)))
