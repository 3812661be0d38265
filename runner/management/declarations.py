"""`GET /api/v2/actions/triggers/{id}/declarations`: what editors complete and show."""

from __future__ import annotations

from dataclasses import asdict
from functools import lru_cache
from typing import Annotated, Any, Final

from fastapi import Query, Response
from fastapi.responses import JSONResponse
from pydantic import Field
from typing_extensions import TypedDict

from runner.http.answer_types import closed
from runner.http.errors import not_found
from runner.management.base.context import ActionReader, management_router
from sandbox.core.program import Language
from triggers import UnknownTriggerError, get_trigger
from triggers.generate.completions import Written, completions

router: Final = management_router("Triggers")
_KEPT: Final = {"Cache-Control": "private, max-age=3600"}


@closed
class DeclaredMember(TypedDict):
    """A property of a type. `of`: the type whose members stand behind a dot; empty for none."""

    name: str
    type: str
    about: str
    of: str


@closed
class DeclaredCall(TypedDict):
    """A member of api. `path`: without `api.`."""

    path: str
    signature: str
    about: str


@closed
class Declarations(TypedDict):
    """What an Action of the trigger can use, as its language writes it, and an event to try it on."""

    trigger_id: str
    summary: str
    language: Language
    handlers: list[str]
    types: Annotated[
        dict[str, list[DeclaredMember]], Field(description="By name; that of the event is `Event`.")
    ]
    api: list[DeclaredCall]
    example: Annotated[dict[str, Any], Field(description="An event, whole.")]


@router.get(
    "/actions/triggers/{trigger_id}/declarations",
    summary="Get the declarations of a trigger",
    response_model=Declarations,
)
def get_declarations(
    caller: ActionReader,  # noqa: ARG001
    trigger_id: str,
    language: Annotated[Written, Query(description="Of the Action.")] = "javascript",
) -> Response:
    """Members of event and api with their types and descriptions, for editors; and the trigger's example.
    (Ours.)"""
    try:
        return JSONResponse(_declared(get_trigger(trigger_id).id, language), headers=_KEPT)
    except UnknownTriggerError:
        raise not_found("trigger") from None


@lru_cache(maxsize=64)
def _declared(trigger_id: str, language: Written) -> dict[str, Any]:
    trigger = get_trigger(trigger_id)
    found = completions(trigger, language)
    return {
        "trigger_id": trigger.id,
        "summary": trigger.summary,
        "language": language,
        **asdict(found),
        "example": trigger.example_event,
    }
