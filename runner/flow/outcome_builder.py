"""From the end of a leg to what the platform gets (the outcome) and what is kept (the suspended flow)."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from runner.flow import outcome_size
from runner.flow.leg import LegEnd
from runner.flow.recorded_outcome import RecordRedactor, on_record
from runner.flow.redact import Redactor
from runner.model.action import Action
from runner.model.caps import MAX_OUTCOME_BYTES, MAX_SUSPENDED_BYTES
from runner.model.outcome import (
    ActionRecord,
    Decision,
    FlowOutcome,
    ResumePoint,
    SuspensionRecord,
    Timing,
    TriggerRef,
)
from runner.suspension.stores import PinnedAction, SuspendedFlow
from sandbox.core.caps import MAX_API_ARGUMENT_BYTES, MAX_ERROR_MESSAGE_BYTES, MAX_LOG_LINE_BYTES, Limits
from sandbox.core.failure import Failure
from sandbox.core.json_text import utf8_length
from triggers import Effects, FlowState, Suspension, Trigger

_REDACT_SECONDS: Final = 1.0
"""Of processor time, what redacting a leg may take; a worker that is not done soon after its leg's limit is
stopped, with all that runs in it."""


@dataclass(frozen=True, slots=True)
class Reporter:
    """Facts of one leg that both records need.

    Attributes:
        flushed: commands, from the first, whose metadata changes an earlier suspension handed over.
    """

    trigger: Trigger
    tenant: str
    execution_id: str
    leg: int
    actions: tuple[Action, ...]
    flushed: int
    started_at: float
    budget_ms: int
    limits: Limits

    def outcome(self, end: LegEnd, handle: str, expires_at: float) -> FlowOutcome:
        """The record for the platform, within `MAX_OUTCOME_BYTES`. Secret values are redacted in everything
        but the effects, which must be applied as they are."""
        made = self._outcome(end, handle, expires_at)
        if outcome_size.passes(made, end):
            return made
        what = "The outcome of this flow"
        end = outcome_size.over(end, self.actions, what, "outcome_bytes", MAX_OUTCOME_BYTES)
        return self._outcome(end, handle, expires_at)

    def _outcome(self, end: LegEnd, handle: str, expires_at: float) -> FlowOutcome:
        redactor = self._redactor()
        effects = self._effects(end)
        # Sentences about names that an Action chose are shown, not applied.
        warnings = redactor.value(effects.warnings, lambda: MAX_ERROR_MESSAGE_BYTES)
        effects = effects.model_copy(update={"warnings": warnings})
        return FlowOutcome(
            execution_id=self.execution_id,
            leg=self.leg,
            tenant=self.tenant,
            trigger=TriggerRef(
                id=self.trigger.id, version=self.trigger.version, blocking=self.trigger.blocking
            ),
            decision=end.decision,
            effects=effects,
            suspension=_suspension(end, handle, expires_at),
            failure=_redacted_failure(end.failure, redactor),
            failed_action=end.failed_action,
            actions=tuple(
                _redacted(record, redactor, action.limits or self.limits)
                for record, action in zip(end.records, self.actions, strict=True)
            ),
            timing=Timing(
                started_at=self.started_at,
                wall_ms=round(end.wall_ms, 3),
                budget_ms=self.budget_ms,
                build_ms=round(end.build_ms, 3),
            ),
        )

    def on_record(self, outcome: FlowOutcome, end: LegEnd, issued: Sequence[str]) -> FlowOutcome | None:
        """Part of `outcome` for the record, see `runner.flow.recorded_outcome`; None when it is all of it.
        `issued`: tokens that its Actions made."""
        until = time.thread_time() + _REDACT_SECONDS / 2
        redactor = RecordRedactor((action.every_secret for action in self.actions), issued, until)
        return on_record(outcome, end, redactor, [action.limits or self.limits for action in self.actions])

    def _redactor(self) -> Redactor:
        until = time.thread_time() + _REDACT_SECONDS / 2
        return Redactor((action.every_secret for action in self.actions), until=until)

    def kept(
        self, end: LegEnd, expires_at: float, executed_rules: tuple[str, ...]
    ) -> tuple[LegEnd, str | None]:
        """The flow to store, as JSON text, None when the leg did not suspend; and the leg as it ended,
        which is not as it was when that text is larger than `MAX_SUSPENDED_BYTES`."""
        waiting = self._suspended(end, expires_at, executed_rules)
        text = None if waiting is None else waiting.model_dump_json()
        if text is None or utf8_length(text) <= MAX_SUSPENDED_BYTES:
            return end, text
        what = "This flow, which has to wait for its user,"
        return outcome_size.over(end, self.actions, what, "suspended_bytes", MAX_SUSPENDED_BYTES), None

    def _suspended(
        self, end: LegEnd, expires_at: float, executed_rules: tuple[str, ...]
    ) -> SuspendedFlow | None:
        waiting = end.state.suspension
        if end.decision is not Decision.SUSPENDED or waiting is None:
            return None
        return SuspendedFlow(
            tenant=self.tenant,
            trigger=self.trigger.id,
            trigger_version=self.trigger.version,
            execution_id=self.execution_id,
            leg=self.leg,
            created_at=self.started_at,
            expires_at=expires_at,
            state=_state(waiting),
            kind=waiting.kind,
            resumes=_resume_point(waiting, len(self.actions)),
            actions=tuple(PinnedAction.of(action) for action in self.actions),
            flow_state=end.state.model_dump(mode="json"),
            executed_rules=executed_rules,
            budget_ms=self.budget_ms,
            limits=self.limits,
            flushed=len(end.state.commands) if waiting.flushes else self.flushed,
        )

    def _effects(self, end: LegEnd) -> Effects:
        """The effects to apply now (reference/behaviour.md sections 6 and 7): after a failure nothing, at a
        suspension only what it needs and the metadata pending before the user leaves, at the end all the
        rest."""
        if end.decision is Decision.FAILED:
            return Effects()
        effects = end.state.effects()
        pending = self._pending(end.state, effects)
        if end.decision is not Decision.SUSPENDED or end.state.suspension is None:
            return effects.model_copy(update=pending)
        needed = ("redirect", "prompt", "steps", "warnings", *(("multifactor",) if effects.steps else ()))
        shown: dict[str, Any] = {name: getattr(effects, name) for name in needed}
        return Effects(**shown, **(pending if end.state.suspension.flushes else {}))

    def _pending(self, state: FlowState, effects: Effects) -> dict[str, Any]:
        """Metadata changes that no suspension handed over yet: writing the others again would undo what
        the external site wrote meanwhile."""
        rest = effects
        if self.flushed:
            rest = state.model_copy(update={"commands": state.commands[self.flushed :]}).effects()
        return {"user_metadata": rest.user_metadata, "app_metadata": rest.app_metadata}


def _state(waiting: Suspension) -> str:
    return waiting.redirect.state if waiting.redirect else ""


def _resume_point(waiting: Suspension, count: int) -> ResumePoint | None:
    if waiting.resume_action >= count:
        return None
    return ResumePoint(action=waiting.resume_action, handler=waiting.resume_handler)


def _suspension(end: LegEnd, handle: str, expires_at: float) -> SuspensionRecord | None:
    waiting = end.state.suspension
    if end.decision is not Decision.SUSPENDED or waiting is None:
        return None
    return SuspensionRecord(
        kind=waiting.kind,
        handle=handle,
        state=_state(waiting),
        url=waiting.redirect.url if waiting.redirect else None,
        action=waiting.action,
        resumes=_resume_point(waiting, len(end.records)),
        expires_at=expires_at,
    )


def _redacted(record: ActionRecord, redactor: Redactor, limits: Limits) -> ActionRecord:
    """`record` without secrets, and within the caps that it had before."""
    if redactor.idle:
        return record
    texts = [line.text for line in record.logs]
    arguments = [item.arguments for item in record.commands]
    shown = redactor.value(texts, lambda: limits.log_bytes - sum(map(utf8_length, texts)), MAX_LOG_LINE_BYTES)
    passed = redactor.value(
        arguments, lambda: limits.command_bytes - _json_bytes(arguments), MAX_API_ARGUMENT_BYTES
    )
    return record.model_copy(
        update={
            "failure": _redacted_failure(record.failure, redactor),
            "logs": tuple(
                line if text is line.text else line.model_copy(update={"text": text})
                for line, text in zip(record.logs, shown, strict=True)
            ),
            "commands": tuple(
                item if given is item.arguments else item.model_copy(update={"arguments": given})
                for item, given in zip(record.commands, passed, strict=True)
            ),
        }
    )


def _redacted_failure(failure: Failure | None, redactor: Redactor) -> Failure | None:
    if failure is None:
        return None
    spare = MAX_ERROR_MESSAGE_BYTES - utf8_length(failure.message)
    redacted: Failure = redactor.value(failure, lambda: spare)
    return redacted


def _json_bytes(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))
