"""`/console/api/simulations`: a whole login by hand. A trigger is invoked on an event that somebody wrote,
and where the flow waits for its user, the return is put together as case files do it (docs/testing.md).

These are real invocations, as a platform's are: with what is bound and deployed, recorded as executions. Only
the user is simulated, and whoever would carry out the effects.
"""

from __future__ import annotations

import json
import time
from typing import Annotated, Any, Final, Literal, NotRequired

from fastapi import Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from typing_extensions import TypedDict

from runner.console.base import Caller, console_router
from runner.http.answer_types import TriggerId, closed
from runner.http.auth.caller import check_scopes, needs
from runner.http.described import refusals
from runner.http.errors import bad_request
from runner.model.errors import InputError, ResumeError
from runner.model.outcome import FlowOutcome
from runner.runtime.routes import Here, Runtime, refusal, settled
from runner.runtime.schemas import InvokeBody, ResumeBody
from runner.store.tables.columns import ID_LENGTH
from runner.suspension.stores import SuspendedFlow
from runner.testing.cases.model import PromptSpec, ResumeSpec
from runner.testing.cases.returning import returned
from runner.testing.partial_event import completed
from triggers import Trigger, UnknownTriggerError, get_trigger

router: Final = console_router("Console: simulations")
Invoker = Annotated[Caller, needs("invoke:triggers")]
_SIGNING: Final = "update:actions"
"""Scope for signing with an Action's secret: who may change the Action can use its secrets anyway."""
_MAX_RULES: Final = 100
Object = dict[str, Any]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class Simulate(_Body):
    """POST /console/api/simulations.

    Attributes:
        event: laid over the trigger's example when it is not whole; the example itself when left out.
        action_id: the Action, for triggers that are bound to entities.
    """

    trigger_id: Annotated[str, Field(max_length=64)]
    event: Object = Field(default_factory=dict)
    action_id: Annotated[str, Field(min_length=1, max_length=ID_LENGTH)] | None = None
    executed_rules: Annotated[list[str], Field(max_length=_MAX_RULES)] = []


class SimulatedToken(_Body):
    """A session token that an external site signs, see `token` of case files. Its key is `secret`, or the
    secret of this name (`secret_name`) of the Action that the flow goes on with."""

    secret: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    secret_name: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    claims: Object = Field(default_factory=dict)
    parameter: Annotated[str, Field(min_length=1, max_length=255)] = "session_token"
    into: Literal["body", "query"] = Field(default="body", alias="in")
    expires_in: Annotated[int, Field(ge=-86_400, le=86_400)] = 900


class SimulatedReturn(_Body):
    """POST /console/api/simulations/resume: the members of `resume` in case files. The right `state` is
    filled in unless `state` is false."""

    handle: Annotated[str, Field(min_length=1, max_length=200, repr=False)]
    query: Object = Field(default_factory=dict)
    body: Object = Field(default_factory=dict)
    state: bool = True
    request: Object = Field(default_factory=dict)
    token: SimulatedToken | None = None
    prompt: PromptSpec | None = None
    methods: Annotated[list[Object], Field(max_length=32)] | None = None
    enrolled: Annotated[list[Object], Field(max_length=32)] | None = None


@closed
class Simulated(TypedDict):
    """A leg of a simulated flow.

    Attributes:
        outcome: None for asynchronous triggers, whose Actions run later.
        filled_in: members of the event that the trigger's example gave.
    """

    execution_id: str
    outcome: FlowOutcome | None
    filled_in: NotRequired[list[str]]


@closed
class ExampleEvent(TypedDict):
    """An event to begin with."""

    trigger_id: TriggerId
    event: Object


@router.get(
    "/simulations/{trigger_id}/example",
    summary="An example event",
    response_model=ExampleEvent,
    responses=refusals(404),
)
def get_example(caller: Invoker, trigger_id: str) -> Response:  # noqa: ARG001
    """The example event of a trigger."""
    trigger = _trigger(trigger_id)
    return JSONResponse({"trigger_id": trigger.id, "event": trigger.example_event})


@router.post(
    "/simulations",
    summary="Simulate an operation",
    response_model=Simulated,
    responses=refusals(404),
)
async def simulate(caller: Invoker, body: Simulate, runtime: Here) -> Response:
    """Invoke a trigger on an event that need not be whole."""
    trigger = _trigger(body.trigger_id)
    event = completed(trigger, body.event)
    invoked = InvokeBody(
        event=event.event, action_id=body.action_id, executed_rules=tuple(body.executed_rules)
    )
    answer = await settled(runtime, None, runtime.flows.invoke(caller.tenant, trigger.id, invoked, None))
    value = json.loads(answer.text)
    outcome = value if answer.status == 200 else None
    return JSONResponse(
        {"execution_id": value["execution_id"], "outcome": outcome, "filled_in": list(event.filled)}
    )


@router.post(
    "/simulations/resume",
    summary="Simulate the return of the user",
    response_model=Simulated,
    responses=refusals(404, 410),
)
async def simulate_return(caller: Invoker, body: SimulatedReturn, runtime: Here) -> Response:
    """Go on with a flow that waits, as if its user came back so. Signing a session token with a secret of the
    Action needs the scope `update:actions` too."""
    if body.token is not None and body.token.secret_name is not None:
        check_scopes(caller.principal, [_SIGNING])
    resume = await run_in_threadpool(_resume, runtime, caller.tenant, body)
    answer = await settled(runtime, None, runtime.flows.resume(caller.tenant, resume))
    value = json.loads(answer.text)
    return JSONResponse({"execution_id": value["execution_id"], "outcome": value})


def _trigger(trigger_id: str) -> Trigger:
    """Raises `ApiError`."""
    try:
        return get_trigger(trigger_id)
    except UnknownTriggerError as error:
        raise refusal(error) from None


def _resume(runtime: Runtime, tenant: str, body: SimulatedReturn) -> ResumeBody:
    """The resume that a platform would send. Raises `ApiError`."""
    try:
        stored, pinned, _ = runtime.flows.waiting(tenant, body.handle)
    except ResumeError as error:
        raise refusal(error) from None
    given = body.model_dump(by_alias=True, exclude={"handle", "token"}, exclude_none=True)
    if body.token is not None:
        given["token"] = {
            "secret": _secret(body.token, stored.flow, pinned.secrets),
            **body.token.model_dump(by_alias=True, exclude={"secret", "secret_name"}),
        }
    try:
        parts = returned(stored.flow, ResumeSpec.model_validate(given), time.time())
    except InputError as error:
        raise bad_request(error.message, error.code) from None
    except ValidationError as error:
        raise bad_request(str(error.errors()[0]["msg"]), "invalid_body") from None
    return ResumeBody(handle=body.handle, **parts)


def _secret(token: SimulatedToken, flow: SuspendedFlow, secrets: Any) -> str:
    """The key of a session token. Raises `ApiError`."""
    if (token.secret is None) == (token.secret_name is None):
        raise bad_request("A session token is signed with `secret` or with `secret_name`.", "invalid_body")
    if token.secret is not None:
        return token.secret
    values = secrets[flow.resumes.action] if flow.resumes is not None else {}
    found = values.get(token.secret_name)
    if not isinstance(found, str):
        raise bad_request(f"The Action has no secret {token.secret_name}.", "unknown_secret")
    return found
