"""Responses of the Management API as types: the form of every 2xx (reference/management-api.md section 4).

Routes declare them as their `response_model`, for the API's description only: they return responses, which
FastAPI does not validate, and the tests hold every one of them against these types. A property that is not
required is left out when there is nothing to say, and never null.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from runner.http.answer_types import (
    Count,
    ExecutionError,
    ExecutionStatus,
    Instant,
    Number,
    TriggerId,
    Uuid,
    closed,
)
from runner.model.outcome import CommandRecord, Decision, LogRecord
from runner.model.runtimes import LANGUAGES
from sandbox.core.failure import Failure
from triggers import Effects

RUNTIMES: Final = tuple(LANGUAGES)

RuntimeName = Annotated[str, Field(json_schema_extra={"enum": [*RUNTIMES]})]
BuildStatus = Literal["pending", "building", "packaged", "built", "retrying", "failed"]
FailPolicy = Literal["fail_closed", "fail_open", "last_good"]
Side = Annotated[str, Field(pattern=r"^(draft|[1-9][0-9]*)$", description="A version's number, or `draft`.")]
_FORBID: Final = ConfigDict(extra="forbid")


@closed
class TriggerReference(TypedDict):
    """A trigger and a version of it."""

    id: TriggerId
    version: str


@closed
class SecretName(TypedDict):
    """A secret; its value is never answered."""

    name: str
    updated_at: Instant


@closed
class Dependency(TypedDict):
    """A package. `version`: the one that was found when none or `latest` was asked for."""

    name: str
    version: str


@closed
class ModuleReference(TypedDict):
    """A version of a shared module that an Action uses."""

    module_id: Uuid
    module_version_id: Uuid
    module_name: NotRequired[str]
    module_version_number: NotRequired[Number]


@closed
class EgressRule(TypedDict):
    """A host that the Action may reach. (Ours.)"""

    host: str
    methods: NotRequired[list[str]]
    path_prefixes: NotRequired[list[str]]


@closed
class BuildError(TypedDict):
    """Why a draft could not be built."""

    id: str
    msg: str
    url: str


class _Version(TypedDict):
    id: Uuid
    code: str
    dependencies: list[Dependency]
    deployed: bool
    number: Number
    built_at: Instant
    secrets: list[SecretName]
    status: BuildStatus
    created_at: Instant
    updated_at: Instant
    runtime: RuntimeName
    supported_triggers: list[TriggerReference]
    modules: NotRequired[list[ModuleReference]]
    egress: NotRequired[list[EgressRule]]


@closed
class DeployedVersion(_Version):
    """The version that runs, inside its Action."""


@closed
class ActionOfVersion(TypedDict):
    """The Action beside one of its versions."""

    id: Uuid
    name: str
    supported_triggers: list[TriggerReference]
    created_at: Instant
    updated_at: Instant
    all_changes_deployed: bool


@closed
class ActionVersion(_Version):
    """One version of an Action; it never changes."""

    action_id: Uuid
    action: ActionOfVersion


@closed
class CurrentVersion(TypedDict):
    """An older duplicate of the deployed version, with its status in upper case."""

    id: Uuid
    code: str
    runtime: RuntimeName
    status: Literal["BUILT"]
    number: Number
    build_time: Instant
    created_at: Instant
    updated_at: Instant


class _Action(TypedDict):
    id: Uuid
    name: str
    supported_triggers: list[TriggerReference]
    created_at: Instant
    updated_at: Instant
    current_version: NotRequired[CurrentVersion]
    deployed_version: NotRequired[DeployedVersion]
    built_at: NotRequired[Instant]
    all_changes_deployed: Annotated[bool, Field(description="The draft equals the deployed version.")]


@closed
class Action(_Action):
    """An Action: its draft, and what is deployed of it."""

    code: str
    dependencies: list[Dependency]
    runtime: RuntimeName
    status: Annotated[BuildStatus, Field(description="Of the draft's build.")]
    secrets: list[SecretName]
    modules: NotRequired[list[ModuleReference]]
    egress: NotRequired[list[EgressRule]]
    errors: NotRequired[Annotated[list[BuildError], Field(description="When the build failed.")]]


@closed
class BoundAction(_Action):
    """An Action inside a binding: without its draft."""


class Page(TypedDict):
    """The members that every page of a list has."""

    total: NotRequired[Annotated[Count, Field(description="Absent or 0 on an empty page.")]]
    page: NotRequired[Annotated[Count, Field(description="Absent where it is 0, but for versions.")]]
    per_page: Annotated[Number, Field(le=100)]


@closed
class ActionList(Page):
    """A page of Actions, in the order of their creation."""

    actions: list[Action]


@closed
class ActionVersionList(Page):
    """A page of an Action's versions, newest first."""

    versions: list[ActionVersion]


class Change(BaseModel):
    """A property that two versions differ in; null where one of them does not have it."""

    model_config = _FORBID

    before: Any = Field(alias="from")
    after: Any = Field(alias="to")


class VersionDiff(BaseModel):
    """Changes from one version to another. (Ours.)"""

    model_config = _FORBID

    before: Side = Field(alias="from")
    after: Side = Field(alias="to")
    code: Annotated[str, Field(description="A unified diff; empty when the code is the same.")]
    changes: dict[str, Change]


@closed
class Trigger(TypedDict):
    """One version of a trigger. `python3` among its runtimes is ours."""

    id: TriggerId
    version: str
    status: Literal["CURRENT", "DEPRECATED"]
    runtimes: list[RuntimeName]
    default_runtime: RuntimeName
    compatible_triggers: list[TriggerReference]
    binding_policy: Literal["trigger-bound", "entity-bound"]


@closed
class TriggerList(TypedDict):
    """Every version of every trigger."""

    triggers: list[Trigger]


@closed
class BindingLimits(TypedDict):
    """Limits of one execution. (Ours.)"""

    wall_ms: Number
    memory_mb: Number


@closed
class Binding(TypedDict):
    """An Action in a trigger's flow."""

    id: Uuid
    trigger_id: TriggerId
    action: BoundAction
    created_at: Instant
    updated_at: Instant
    display_name: str
    fail_policy: NotRequired[Annotated[FailPolicy, Field(description="Ours.")]]
    limits: NotRequired[BindingLimits]
    record: NotRequired[Annotated[str, Field(description="Policy for records. Ours.")]]


@closed
class BindingList(Page):
    """A page of a trigger's bindings, in the order of execution."""

    bindings: list[Binding]


@closed
class BindingSet(TypedDict):
    """All bindings of a trigger, in the order of execution."""

    bindings: list[Binding]


@closed
class ExecutionResult(TypedDict):
    """The result of one Action."""

    action_name: str
    error: NotRequired[ExecutionError]
    started_at: Instant
    ended_at: Instant


@closed
class Execution(TypedDict):
    """One flow."""

    id: str
    trigger_id: TriggerId
    status: ExecutionStatus
    results: list[ExecutionResult]
    created_at: Instant
    updated_at: Instant


class TestError(TypedDict):
    """As Node shows an error."""

    name: str
    message: str
    stack: str


class TestStatistics(TypedDict):
    """Whole milliseconds."""

    total_request_duration_ms: Count
    total_runtime_execution_duration_ms: Count
    runtime_processing_duration_ms: Count
    action_duration_ms: Count
    runtime_external_call_duration_ms: Count
    boot_duration_ms: Count
    network_duration_ms: Count


class TestPayload(TypedDict):
    """The result of the draft; an open object. `error` and `failure` are there when it failed, which is a
    200; `filled_in` when the event was not whole: members that the trigger's example gave."""

    decision: Decision
    effects: Effects
    logs: list[LogRecord]
    commands: list[CommandRecord]
    stats: TestStatistics
    error: NotRequired[TestError]
    failure: NotRequired[Failure]
    filled_in: NotRequired[list[str]]


@closed
class TestResult(TypedDict):
    """The result of running a draft on the event that was sent."""

    payload: TestPayload


@closed
class ClientPage(TypedDict):
    """With `include_totals`."""

    clients: Annotated[list[Any], Field(max_length=0)]
    total: Literal[0]
    start: Count
    limit: Number
    length: Literal[0]


Clients = ClientPage | Annotated[list[Any], Field(max_length=0)]
