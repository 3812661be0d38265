"""The shape of a case file, see docs/testing.md; unknown keys are errors."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from runner.project.allowlist import parse_rules
from sandbox.core.caps import Limits
from sandbox.egress import StubFormatError, parse_stubs


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def epoch(value: Any) -> Any:
    """ISO 8601 text as epoch seconds; text without an offset is UTC. Other values as they are."""
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("must be ISO 8601, such as 2025-03-12T09:00:00Z, or epoch seconds") from None
    if moment.tzinfo is None:
        moment = datetime.fromisoformat(f"{moment.isoformat()}+00:00")
    return moment.timestamp()


def _stubs(value: Any) -> Any:
    try:
        parse_stubs(value)
    except StubFormatError as error:
        raise ValueError(f"{error.path.removeprefix('$')} {error.problem}".strip()) from None
    return value


def _allowed(value: list[str] | None) -> list[str] | None:
    parse_rules(value or [])
    return value


Clock = Annotated[float | int, BeforeValidator(epoch)]
Text = Annotated[str, Field(min_length=1)]
Object = dict[str, Any]


class LimitsSpec(_Strict):
    """Limits of one Action; see `sandbox.core.caps.Limits`."""

    wall_ms: int | None = None
    memory_bytes: int | None = None
    log_bytes: int | None = None
    commands: int | None = None
    command_bytes: int | None = None

    def given(self) -> dict[str, int]:
        """The content of the file, by name."""
        return self.model_dump(exclude_none=True)

    @model_validator(mode="after")
    def _in_range(self) -> LimitsSpec:
        Limits(**self.given())
        return self


Secrets = dict[str, str | dict[str, str]]
"""Values by name; those of a shared module by name under `actions:MODULE`."""


class ActionSpec(_Strict):
    """One Action of the flow; a plain string in the file stands for `{file: ...}`."""

    file: Text
    name: Text | None = None
    secrets: Secrets = Field(default_factory=dict)
    configuration: Object = Field(default_factory=dict)
    fail: Literal["closed", "open", "last_good"] | None = None
    last_good: Text | None = None
    limits: LimitsSpec = LimitsSpec()
    allow: Annotated[list[str] | None, AfterValidator(_allowed)] = None

    @model_validator(mode="before")
    @classmethod
    def _file_alone(cls, value: Any) -> Any:
        return {"file": value} if isinstance(value, str) else value


class DirectorySpec(_Strict):
    """Data of `api.groups` and `api.roles`, for the user of the event."""

    groups: list[Object] = Field(default_factory=list)
    roles: list[Object] = Field(default_factory=list)


class TokenSpec(_Strict):
    """A signed session token that an external site brings back."""

    secret: str
    claims: Object = Field(default_factory=dict)
    parameter: Text = "session_token"
    into: Literal["body", "query"] = Field(default="body", alias="in")
    expires_in: int = 900


class PromptSpec(_Strict):
    """The answer of a rendered form."""

    id: str | None = None
    fields: Object = Field(default_factory=dict)
    vars: Object = Field(default_factory=dict)


class ResumeSpec(_Strict):
    """The return to a suspended flow."""

    query: Object = Field(default_factory=dict)
    body: Object = Field(default_factory=dict)
    state: bool = True
    request: Object = Field(default_factory=dict)
    token: TokenSpec | None = None
    prompt: PromptSpec | None = None
    methods: list[Object] | None = None
    enrolled: list[Object] | None = None


class _Circumstances(_Strict):
    """Settings of a file, a case and a step."""

    clock: Clock | None = None
    seed: int | None = None
    secrets: Secrets = Field(default_factory=dict)
    fetch: Annotated[list[Any], BeforeValidator(_stubs)] = Field(default_factory=list)
    limits: LimitsSpec = LimitsSpec()


class Step(_Circumstances):
    """One leg of a flow that suspends."""

    resume: ResumeSpec | None = None
    expect: Object


class _Common(_Circumstances):
    """Settings of a file and a case."""

    actions: list[ActionSpec] | None = None
    event: Text | Object | None = None
    patch: Object | None = None
    configuration: Object = Field(default_factory=dict)
    budget_ms: Annotated[int, Field(ge=1, le=600_000)] | None = None
    cache: dict[str, str] = Field(default_factory=dict)
    directory: DirectorySpec | None = None
    executed_rules: list[str] | None = None
    features: list[str] | None = None
    expect: Object | None = None
    steps: list[Step] | None = None
    skip: Text | None = None

    @model_validator(mode="after")
    def _expect_or_steps(self) -> _Common:
        if self.expect is not None and self.steps is not None:
            raise ValueError("has both expect and steps")
        return self


class CaseSpec(_Common):
    """One case of a file."""

    name: Text


class CaseFile(_Common):
    """A whole file."""

    trigger: Text
    cases: list[CaseSpec] | None = None

    @model_validator(mode="after")
    def _something_to_run(self) -> CaseFile:
        if self.cases is None and self.expect is None and self.steps is None:
            raise ValueError("has neither cases nor expect nor steps, so it would test nothing")
        if self.cases is not None and not self.cases:
            raise ValueError("has an empty list of cases, so it would test nothing")
        return self
