"""A recorded leg put together again: what replays and shadow runs share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runner.flow.execution import Executor, PortFactory
from runner.flow.leg import Leg, run_leg
from runner.flow.outcome_builder import Reporter
from runner.flow.programs import ProgramCache
from runner.model.action import Action
from runner.model.errors import InputError
from runner.model.outcome import FlowOutcome
from runner.replay.record import FlowRecord, RecordedExecution
from sandbox.port.journal import Journal, JournalError
from triggers import FlowState, Services, Trigger, get_trigger


def trigger_of(record: FlowRecord) -> Trigger:
    """The record's trigger. Raises `InputError` (`invalid_record`)."""
    try:
        trigger = get_trigger(record.trigger)
    except LookupError as error:
        raise invalid_record(str(error)) from None
    if trigger.version != record.trigger_version:
        raise invalid_record(
            f"it is of version {record.trigger_version} of {record.trigger}, this is {trigger.version}"
        )
    return trigger


def journal_of(execution: RecordedExecution) -> Journal:
    """The journal of one execution. Raises `InputError` (`invalid_record`)."""
    try:
        return Journal.from_data(execution.journal)
    except JournalError as error:
        raise invalid_record(str(error)) from None


def run_recorded(
    record: FlowRecord,
    trigger: Trigger,
    actions: Sequence[Action],
    programs: ProgramCache | None,
    *,
    clock: Callable[[], float],
    make_port: PortFactory,
) -> FlowOutcome:
    """Run `actions` from the state in which the leg began; the outcome has no times.

    Args:
        clock: what sessions read, in epoch seconds.
        make_port: gives each execution its world.

    Raises:
        InputError: `invalid_record`.
    """
    leg = Leg(
        trigger=trigger,
        actions=tuple(actions),
        state=_state(record),
        services=Services(
            clock=clock,
            executed_rules=frozenset(record.executed_rules),
            redirect_state=record.redirect_state,
            features=frozenset(record.features),
            payload_may_override_claims=record.payload_may_override_claims,
            redirect_issuer=record.redirect_issuer,
        ),
        start=record.start,
        limits=record.limits,
        budget_ms=record.budget_ms,
    )
    end = run_leg(leg, Executor(trigger, programs or ProgramCache(), make_port))
    reporter = Reporter(
        trigger=trigger,
        tenant=record.tenant,
        execution_id=record.execution_id,
        leg=record.number,
        actions=leg.actions,
        flushed=record.flushed,
        started_at=0.0,
        budget_ms=record.budget_ms,
        limits=record.limits,
    )
    return reporter.outcome(end, "", 0.0)


def invalid_record(reason: str) -> InputError:
    """The refusal of a record that no leg can be made of."""
    return InputError("invalid_record", f"the record cannot be replayed: {reason}")


def _state(record: FlowRecord) -> FlowState:
    try:
        return FlowState.model_validate(record.state)
    except ValueError:
        raise invalid_record("its state is damaged") from None
