"""The one record of a flow that every renderer shows and that a platform applies."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from runner.model.arms import Arm
from sandbox.core.failure import Failure
from sandbox.core.program import Language
from sandbox.result import Statistics
from triggers import Effects

SCHEMA: Final = "actionbox.outcome/1"


class Decision(StrEnum):
    """The end of a leg of a flow."""

    ALLOW = "allow"
    DENY = "deny"
    SUSPENDED = "suspended"
    FAILED = "failed"


class Status(StrEnum):
    """The result of one Action in this leg."""

    RAN = "ran"
    DENIED = "denied"
    """It completed, and asked to deny or to revoke."""
    SUSPENDED = "suspended"
    """It completed, and asked to suspend."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """It did not run: an earlier Action ended the leg, or it ran in an earlier leg."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


class TriggerRef(_Record):
    """The contract that the flow ran under. `blocking`: a failed flow stops the user's operation."""

    id: str
    version: str
    blocking: bool


class LogRecord(_Record):
    """One console call. `at_ms`: since the Action began; `cut_bytes`: what was left out of it."""

    at_ms: float
    level: str
    text: str
    cut_bytes: int = 0


class CommandRecord(_Record):
    """One recorded api call. Secret values in the arguments are redacted here."""

    path: str
    arguments: tuple[Any, ...] = ()


class VersionRecord(_Record):
    """The version of an Action that ran, in a service.

    Attributes:
        number: None when the Action was deleted meanwhile.
        rollout_id, arm, reason: while a rollout runs: which one, `control` or `canary`, and why.
    """

    id: str
    number: int | None = None
    rollout_id: str | None = None
    arm: Arm | None = None
    reason: str | None = None


class ActionRecord(_Record):
    """One Action of the flow in this leg.

    Attributes:
        index: position in the flow, from 0.
        digest: of the version, see `Action.digest`.
        version: None outside a service, where there are none.
        handler: the handler that was called, None when none was.
        failure: also set when the fail policy let the flow go on.
        used_last_good: the earlier version ran in place of one that failed; `failure` says how.
        statistics: None when the Action did not run.
    """

    index: int
    name: str
    language: Language
    digest: str
    version: VersionRecord | None = None
    status: Status
    handler: str | None = None
    failure: Failure | None = None
    used_last_good: bool = False
    logs: tuple[LogRecord, ...] = ()
    logs_cut_bytes: int = 0
    commands: tuple[CommandRecord, ...] = ()
    statistics: Statistics | None = None


class SuspensionRecord(_Record):
    """The flow waits for the user. Keep `handle` on the server; only `url` may travel.

    Attributes:
        kind: `redirect`, `prompt`, `challenge` or `enroll`.
        handle: opaque, for one resume.
        state: what a redirect brings back as the parameter `state`; "" for other kinds.
        url: where to send the browser, `state` included; redirects only. What else a suspension needs
            (form, factors) is in the effects.
        action: index of the Action that asked.
        resumes: index and handler of the Action that runs next; None when no Action is left.
        expires_at: epoch seconds after which the handle is worth nothing.
    """

    kind: str
    handle: str = Field(repr=False)
    state: str = Field(repr=False)
    url: str | None = None
    action: int
    resumes: ResumePoint | None = None
    expires_at: float


class ResumePoint(_Record):
    """The Action that a resume runs first, and its handler."""

    action: int
    handler: str


class Timing(_Record):
    """`started_at`: epoch seconds; `wall_ms`: of this leg; `budget_ms`: what the leg had; `build_ms`: before
    that, to compile versions that its process had not run before."""

    started_at: float
    wall_ms: float
    budget_ms: int
    build_ms: float = 0.0


class FlowOutcome(_Record):
    """The result of one leg of a flow; immutable, and the same as JSON.

    Attributes:
        schema_id: version of this shape (`schema` in JSON).
        execution_id: the same in every leg of one flow.
        leg: 1 for the first, one more with each resume.
        decision: `failed` stops the user's operation only when `trigger.blocking`.
        effects: what the platform applies now; nothing for `failed`. Records are frozen, and their
            collections are to be read only.
        failure: the failure that ended the flow, or for a non-blocking trigger the first one.
        failed_action: index of the Action of `failure`.
        actions: one record per Action of the flow.
        warnings: what the operator or author should know, in sentences.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_id: str = Field(default=SCHEMA, alias="schema")
    execution_id: str
    leg: int = 1
    tenant: str
    trigger: TriggerRef
    decision: Decision
    effects: Effects
    suspension: SuspensionRecord | None = None
    failure: Failure | None = None
    failed_action: int | None = None
    actions: tuple[ActionRecord, ...]
    warnings: tuple[str, ...] = ()
    timing: Timing

    @property
    def ok(self) -> bool:
        """The user's operation goes on."""
        return self.decision is Decision.ALLOW

    def to_dict(self) -> dict[str, Any]:
        """The JSON object."""
        return self.model_dump(mode="json", by_alias=True)

    def to_json(self, *, indent: int | None = None) -> str:
        return self.model_dump_json(by_alias=True, indent=indent)

    @classmethod
    def from_json(cls, text: str | bytes) -> FlowOutcome:
        """Raises `pydantic.ValidationError` for anything that is not an outcome."""
        return cls.model_validate_json(text)


SuspensionRecord.model_rebuild()
FlowOutcome.model_rebuild()
