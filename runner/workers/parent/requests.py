"""Requests to the pool and their replies: one leg of a flow, or one build."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from runner.model.action import Action
from runner.model.errors import RunnerError
from runner.model.outcome import FlowOutcome
from runner.model.settings import Settings
from runner.records.policy import Wish
from runner.replay.record import FlowRecord
from runner.shadow.answers import OtherAnswer
from runner.suspension.resume import StoredFlow
from runner.suspension.stores import SuspendedFlow
from sandbox.action_build import Module, Wanted
from sandbox.core.program import Source
from sandbox.packages.npm.lock import Lock
from sandbox.packages.wheels.lock import WheelLock


class _Call(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class LegCall(_Call):
    """The first leg of a flow: what `runner.Runner.run` takes.

    Attributes:
        trigger: id of the trigger.
        event: as its event model describes it, without secrets; or the same as JSON text.
        actions: in bound order; `Action.allow` is the egress allow-list of one of them.
        execution_id: a new one when None.
        settings: limits, budget and features of this flow; its `tenant` is not looked at.
        executed_rules: ids for which `api.rules.wasExecuted` answers true.
        record: which outcomes are to be kept with all that the Actions did; None for none.
        keep: whether a flow that suspends is stored before its outcome is told. When not, the caller does
            that, with what the reply holds.
    """

    trigger: str
    event: Mapping[str, Any] | bytes = Field(repr=False)
    actions: tuple[Action, ...]
    execution_id: str | None = None
    settings: Settings = Settings()
    executed_rules: tuple[str, ...] = ()
    record: Wish | None = None
    keep: bool = True


class ResumeCall(_Call):
    """A further leg: what `runner.Runner.resume` takes, see there.

    Attributes:
        secrets: by name of the Action (`WorkerPool.waiting` tells which, and what each wants): values by
            name, those of a shared module by name under `actions:MODULE`.
        stored: the suspended flow, if it is at hand.
        keep: see `LegCall`.
    """

    handle: str = Field(repr=False)
    request: Mapping[str, Any] | None = Field(default=None, repr=False)
    prompt: Mapping[str, Any] | None = Field(default=None, repr=False)
    methods: Sequence[Mapping[str, Any]] | None = None
    enrolled: Sequence[Mapping[str, Any]] | None = None
    secrets: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict, repr=False)
    settings: Settings = Settings()
    record: Wish | None = None
    stored: StoredFlow | None = Field(default=None, repr=False)
    keep: bool = True


@dataclass(frozen=True, slots=True)
class LegRecord:
    """The record of a leg: JSON text of its `runner.replay.record.FlowRecord`, secrets marked, without its
    Actions. Nothing of it was checked, and it is a worker's.

    Attributes:
        lost: why there is none: it is too `large`, or the `worker` died or could not make it.
    """

    text: bytes = b""
    lost: Literal["", "large", "worker"] = ""


class LegReply(_Call):
    """The result of a leg.

    Attributes:
        outcome: what `Runner.run` answers. When the worker died or was stopped, its decision is `failed`
            with an `internal` or `timeout` failure.
        record: gets the leg's record, which its worker writes down once the outcome is told; None when the
            outcome is not one of those that were to be kept.
        suspended: the flow as it is kept for its resume.
        kept: what of the outcome goes on record; None when it is all of it.
        waited_ms: in the pool's queue.
        ran_ms: from there to the reply.
        hosts: that each Action asked, in their order; nothing where it is not known.
        own: what it came to is the doing of its Actions. Not so when its worker ended with other calls in
            it, or because the service stopped it.
    """

    outcome: FlowOutcome
    record: asyncio.Future[LegRecord] | None = None
    suspended: SuspendedFlow | None = None
    kept: FlowOutcome | None = None
    waited_ms: float = 0.0
    ran_ms: float = 0.0
    hosts: tuple[tuple[str, ...], ...] = ()
    own: bool = True


class BuildCall(_Call):
    """A version to build: what `sandbox.action_build.build_action` takes.

    Attributes:
        wanted, modules, lock: see there. With a lock of an earlier build nothing is resolved anew.
    """

    source: Source
    wanted: tuple[Wanted, ...] = ()
    modules: tuple[Module, ...] = ()
    lock: Lock | WheelLock | None = None


class ShadowCall(_Call):
    """A recorded leg to run other sources on: what `runner.shadow.leg.shadow_leg` takes.

    Attributes:
        record: JSON text of the `runner.replay.record.FlowRecord`, secrets marked.
        actions: as many as it has, with their secrets.
        control: the recorded ones; none when they are not to be run as well.
        settings: of which the budget holds.
        answers: that change it; None when values are not to be told (`told_leg` tells them).
    """

    record: str = Field(repr=False)
    actions: tuple[Action, ...]
    control: tuple[Action, ...] = ()
    settings: Settings = Settings()
    answers: tuple[OtherAnswer, ...] | None = Field(default=None, repr=False)


class StampCall(_Call):
    """A record whose redacted form is to be compared with it.

    Attributes:
        record: the plain form.
        key: of the tenant's pseudonyms.
        secrets: of its Actions, by digest; what is missing is stood for by its mark.
    """

    record: FlowRecord = Field(repr=False)
    key: bytes = Field(repr=False)
    secrets: Mapping[str, Mapping[str, str]] = Field(default_factory=dict, repr=False)


class TooBusyError(Exception):
    """Nothing ran: a queue is full, or the pool is stopping. `retry_after`: seconds, at least 1.

    Attributes:
        scope: `tenant`, `service` or `stopping`.
    """

    def __init__(self, scope: str, retry_after: int) -> None:
        what = {
            "tenant": "this tenant has too many executions waiting",
            "service": "the service has too many executions waiting",
            "stopping": "the service is stopping",
        }[scope]
        super().__init__(f"{what}; try again in {retry_after} s")
        self.scope = scope
        self.retry_after = retry_after


TooBusy = TooBusyError


class WorkerStartError(RunnerError):
    """Workers cannot be started; the text says why and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__("workers", message)
