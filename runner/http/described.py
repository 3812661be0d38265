"""Declarations of answers beside `response_model`, in the form of FastAPI's `responses`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Annotated, Any, Final, NotRequired

from fastapi.routing import APIRoute
from pydantic import Field
from typing_extensions import TypedDict

from runner.http.answer_types import closed
from runner.http.errors import phrase

Responses = dict[int | str, dict[str, Any]]
BODY_METHODS: Final = frozenset({"POST", "PUT", "PATCH"})
REFUSALS: Final = {
    400: "The request breaks the schema, or the state forbids it; the message names the place.",
    401: "No token, or one that is not good.",
    403: "The token lacks the scope.",
    404: "There is no such thing, or another tenant has it.",
    408: "The body came too slowly.",
    409: "It collides with what is there.",
    410: "It was used, has expired or was erased.",
    412: "`If-Match` names an older state, or something is in use.",
    413: "The body is too large.",
    415: "The body is of a kind that is not taken here.",
    422: "The idempotency key came with another body before.",
    429: "Too many requests; `Retry-After` says when to come again.",
    500: "A fault of the service; the message has an id to report.",
    503: "The service is stopping, or its database does not answer; `Retry-After` says when to come again.",
}
HEADERS: Final = {
    "ETag": ("Entity tag, for `If-Match`.", "string"),
    "Retry-After": ("Seconds.", "integer"),
    "WWW-Authenticate": ("What is missing (RFC 6750).", "string"),
    "X-RateLimit-Limit": ("Requests that may come at once.", "integer"),
    "X-RateLimit-Remaining": ("Requests that are left of them.", "integer"),
    "X-RateLimit-Reset": ("When all of them are there again; seconds since 1970.", "integer"),
    "X-Request-Id": ("Names the request in the service's log.", "string"),
}
_UNSAID: Final = inspect.signature(APIRoute).parameters["response_description"].default
_RATES: Final = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


@closed
class Error(TypedDict):
    """Why a request is refused, or failed."""

    statusCode: int
    error: str
    message: str
    errorCode: NotRequired[str]
    report: NotRequired[
        Annotated[
            dict[str, Any], Field(description="Of a refused deploy: whom it would lock out (`GuardReport`).")
        ]
    ]
    stored: NotRequired[
        Annotated[
            dict[str, Any], Field(description="Of a 412 about an Action: what is stored now (`Action`).")
        ]
    ]


def headers(*names: str) -> dict[str, Any]:
    """An answer with these headers beside those of every answer."""
    return {
        "headers": {
            name: {"$ref": f"#/components/headers/{name}"} for name in sorted({*names, "X-Request-Id"})
        }
    }


TAGGED: Final = headers("ETag")
LIMITED: Final = headers(*_RATES)


def refusals(*statuses: int) -> Responses:
    """Refusals of a route, beside those that all of its kind have."""
    return {status: {"$ref": f"#/components/responses/{refusal_name(status)}"} for status in statuses}


def refusal_name(status: int) -> str:
    """Of the component that describes a refusal."""
    return "".join(char for char in phrase(status).title() if char.isalpha())


def refusal_headers(status: int, *, limited: bool = True) -> dict[str, Any]:
    """The headers of a refusal. `limited`: by a route for holders of tokens."""
    names: list[str] = []
    if status in (429, 503):
        names.append("Retry-After")
    if status == 401 or (limited and status == 403):
        names.append("WWW-Authenticate")
    if status == 429 or (limited and status not in (401, 404, 500, 503)):
        names.extend(_RATES)
    return headers(*names)


def of_token_holders(path: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` (arguments of `APIRoute`) of a route for holders of tokens, with what all of these answer: who
    sends a body can get 413, who names something 404. A success that nothing is said of has the words of its
    model."""
    statuses = [400, 401, 403, 429, 500, 503]
    if BODY_METHODS.intersection(given["methods"]):
        statuses += [408, 413, 415]
    if "{" in path:
        statuses.append(404)
    declared: Responses = {given["status_code"] or 200: {}, **(given["responses"] or {})}
    for status, answer in declared.items():
        if int(status) < 400:
            declared[status] = {**answer, "headers": {**answer.get("headers", {}), **LIMITED["headers"]}}
    words = given["response_description"]
    if words == _UNSAID:
        words = (
            "Done."
            if given["status_code"] == 204
            else " ".join((inspect.getdoc(given["response_model"]) or "").split())
        )
    return {**given, "response_description": words, "responses": {**refusals(*statuses), **declared}}


def operation_id(route: APIRoute) -> str:
    """`list_actions`, where FastAPI appends path and method to be sure."""
    return route.name
