"""Jobs that run a flow: asynchronous triggers, and further attempts at a message."""

from __future__ import annotations

from functools import partial

from sqlalchemy.orm import Session

from runner.jobs.queue import Job
from runner.jobs.worker import Ended
from runner.model.outcome import Decision, FlowOutcome
from runner.runtime.entities import UnknownActionError
from runner.runtime.flows import Flows
from runner.runtime.invocation import Invocation
from runner.runtime.schemas import InvokeBody
from runner.store import SealError
from runner.workers.parent.requests import TooBusyError
from triggers import EventError, UnknownTriggerError, get_trigger


class FlowJobs:
    """A `Handler` of the kinds `flow` and `notification`."""

    def __init__(self, flows: Flows) -> None:
        self._flows = flows

    async def run(self, job: Job) -> Ended:
        """Run the flow under the job's execution id."""
        try:
            invocation = _run_of(job)
            result = await self._flows.run(invocation)
        except TooBusyError as error:
            return Ended(error=str(error), later=float(error.retry_after))
        except (EventError, UnknownActionError, UnknownTriggerError, SealError) as error:
            return Ended(error=str(error))
        keep = partial(self._flows.finish, invocation, result)
        why = _failure(job, result.outcome, result.kept or result.outcome)
        return Ended(keep=keep, error=why, again=bool(why))

    def give_up(self, session: Session, job: Job, error: str) -> None:
        """The execution stays pending: it may be run again."""


def _run_of(job: Job) -> Invocation:
    return Invocation(
        tenant=job.tenant,
        trigger=get_trigger(job.payload["trigger"]),
        body=InvokeBody.model_validate(job.payload["body"]),
        execution_id=job.execution_id or job.id,
        traceparent=job.payload.get("traceparent"),
    )


def _failure(job: Job, outcome: FlowOutcome, kept: FlowOutcome) -> str:
    """The reason of a failure, or "". A failed delivery is tried again as often as its trigger
    allows; a failed flow of another trigger is an outcome like any other. The text is of what is `kept`."""
    notification = outcome.effects.notification
    if notification is not None and notification.outcome == "retry":
        shown = kept.effects.notification
        return (shown and shown.reason) or "the Action asked for another attempt"
    if job.payload["trigger"] == "event-stream" and outcome.decision is Decision.FAILED:
        assert kept.failure is not None
        return f"{kept.failure.code.value}: {kept.failure.message}"
    return ""
