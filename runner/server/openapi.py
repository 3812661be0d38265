"""The description of both APIs: FastAPI's of what comes in, our own of what goes out.

Every operation says what it answers (`runner.http.operations`); what it refuses follows from its kind: who
needs a token can get 401, who sends a body 413, who names something 404.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode
from starlette.routing import BaseRoute

from runner.http import operations as others
from runner.http.answer_types import TRIGGER_IDS
from runner.http.errors import phrase
from runner.http.form_body import FORM
from runner.http.operations import JSON, Answer, Error, OAuthError, Operation
from runner.http.routing import api_routes
from runner.management import operations as management
from runner.runtime import operations as runtime

OPERATIONS: Final = {**others.OPERATIONS, **management.OPERATIONS, **runtime.OPERATIONS}
_REFUSALS: Final = {
    400: "The request breaks the schema, or the state forbids it; the message names the place.",
    401: "No token, or one that is not good.",
    403: "The token lacks the scope.",
    404: "There is no such thing, or another tenant has it.",
    408: "The body came too slowly.",
    409: "It collides with what is there.",
    410: "The handle was used or has expired.",
    412: "`If-Match` names an older state, or something is in use.",
    413: "The body is too large.",
    415: "The body is of a kind that is not taken here.",
    422: "The idempotency key came with another body before.",
    429: "Too many requests; `Retry-After` says when to come again.",
    500: "A fault of the service; the message has an id to report.",
    503: "The service is stopping, or its database does not answer; `Retry-After` says when to come again.",
}
_HEADERS: Final = {
    "ETag": ("Entity tag, for `If-Match`.", "string"),
    "Retry-After": ("Seconds.", "integer"),
    "WWW-Authenticate": ("What is missing (RFC 6750).", "string"),
    "X-RateLimit-Limit": ("Requests that may come at once.", "integer"),
    "X-RateLimit-Remaining": ("Requests that are left of them.", "integer"),
    "X-RateLimit-Reset": ("When all of them are there again; seconds since 1970.", "integer"),
    "X-Request-Id": ("Names the request in the service's log.", "string"),
}
_RATES: Final = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
_TOKEN: Final = "POST /oauth/token"  # noqa: S105 - a path
_BODY: Final = (408, 413, 415)
_SCHEMAS: Final = "#/components/schemas/"
_RESPONSES: Final = "#/components/responses/"
_ENUMS: Final = {"trigger_id": TRIGGER_IDS, "triggerId": TRIGGER_IDS}
"""What parameters may be, by name."""
_IF_MATCH: Final = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "Change it only if this is still its `ETag`.",
    "schema": {"type": "string"},
}


class _Plain(GenerateJsonSchema):
    """Without titles, which only repeat names, and without the defaults of what is always there."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False

    def default_schema(self, schema: Any) -> dict[str, Any]:
        return self.generate_inner(schema["schema"])

    def field_is_required(self, field: Any, total: bool) -> bool:
        return super().field_is_required(field, total) if field["type"] == "typed-dict-field" else True


def describe(app: FastAPI) -> None:
    """Make `app` describe itself so. Raises `RuntimeError` for a route that does not say what it answers."""
    for route in api_routes(app):
        for method in route.methods or ():
            if f"{method} {route.path}" not in OPERATIONS:
                raise RuntimeError(
                    f"route {method} {route.path} does not declare what it answers (operations.py)"
                )

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = description(app.routes, app.title, app.summary or "")
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def description(routes: Iterable[BaseRoute], title: str, summary: str) -> dict[str, Any]:
    """The OpenAPI document of `routes`."""
    document = get_openapi(title=title, version="1", summary=summary, routes=list(routes))
    answers, schemas = _schemas()
    found = document.setdefault("components", {}).setdefault("schemas", {})
    document["components"]["schemas"] = {**found, **schemas}
    document["components"]["headers"] = {
        name: {"description": text, "schema": {"type": kind}} for name, (text, kind) in _HEADERS.items()
    }
    error = answers[id(Error)]
    document["components"]["responses"] = {
        _response_name(status): _refusal(status, error, limited=True) for status in _REFUSALS
    }
    for path, item in document["paths"].items():
        for method, operation in item.items():
            name = f"{method.upper()} {path}"
            _describe(name, operation, OPERATIONS[name], answers)
    _prune(document, "responses")
    _prune(document, "schemas")
    return document


def _schemas() -> tuple[dict[Any, Any], dict[str, Any]]:
    """What stands for each type that is answered, and the components that this refers to."""
    bodies = [answer.body for item in OPERATIONS.values() for answer in item.answers]
    types = list({id(body): body for body in (*bodies, Error, OAuthError) if body is not None}.values())
    mode: JsonSchemaMode = "serialization"
    inputs = [(id(kind), mode, TypeAdapter(kind)) for kind in types]
    made, shared = TypeAdapter.json_schemas(
        inputs, ref_template=_SCHEMAS + "{model}", schema_generator=_Plain, by_alias=True
    )
    return {key: value for (key, _), value in made.items()}, shared.get("$defs", {})


def _describe(name: str, operation: dict[str, Any], declared: Operation, bodies: Mapping[Any, Any]) -> None:
    parameters = operation.setdefault("parameters", [])
    for parameter in parameters:
        parameter["schema"] = _never_null(parameter["schema"])
        if parameter["name"] in _ENUMS:
            parameter["schema"]["enum"] = [*_ENUMS[parameter["name"]]]
    if declared.matched:
        parameters.append(_IF_MATCH)
    if not parameters:
        del operation["parameters"]
    if "requestBody" in operation and name.partition(" ")[2].startswith("/api/v2/"):
        content = operation["requestBody"]["content"]
        content[FORM] = content[JSON]
    operation["operationId"] = _operation_id(operation["operationId"], name)
    secured = "security" in operation
    responses = {str(answer.status): _answer(answer, bodies, limited=secured) for answer in declared.answers}
    for status in sorted(_refusals(name, operation, declared)):
        if name == _TOKEN and status < 500:
            refusal = _refusal(status, bodies[id(OAuthError)], limited=False)
        else:
            refusal = {"$ref": f"{_RESPONSES}{_response_name(status)}"}
        responses.setdefault(str(status), refusal)
    operation["responses"] = responses


def _response_name(status: int) -> str:
    return "".join(char for char in phrase(status).title() if char.isalpha())


def _operation_id(made: str, name: str) -> str:
    """`list_actions`, where FastAPI appends path and method to be sure; the runtime API's begin with
    `runtime_`, because some are named as in the other one."""
    method, path = name.split(" ")
    tail = "".join(char if char.isalnum() else "_" for char in path) + f"_{method.lower()}"
    return ("runtime_" if path.startswith("/runtime/") else "") + made.removesuffix(tail)


def _refusals(name: str, operation: Mapping[str, Any], declared: Operation) -> Iterator[int]:
    yield from declared.refusals
    if declared.matched:
        yield 412
    if "security" in operation or name == _TOKEN:
        yield from (400, 401, 403, 429, 500, 503)
    if "requestBody" in operation or name.startswith("POST "):
        yield from _BODY
    if any(parameter["in"] == "path" for parameter in operation.get("parameters", ())):
        yield 404


def _answer(answer: Answer, bodies: Mapping[Any, Any], *, limited: bool) -> dict[str, Any]:
    names = [*(["ETag"] if answer.tagged else []), *(_RATES if limited else []), "X-Request-Id"]
    found: dict[str, Any] = {"description": answer.description, "headers": _headers(names)}
    if answer.body is not None:
        found["content"] = {answer.media: {"schema": bodies[id(answer.body)]}}
    return found


def _refusal(status: int, schema: Any, *, limited: bool) -> dict[str, Any]:
    names = ["X-Request-Id"]
    if status in (429, 503):
        names.append("Retry-After")
    if status == 401 or (limited and status == 403):
        names.append("WWW-Authenticate")
    if status == 429 or (limited and status not in (401, 404, 500, 503)):
        names.extend(_RATES)
    return {
        "description": _REFUSALS[status],
        "headers": _headers(names),
        "content": {JSON: {"schema": schema}},
    }


def _headers(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in sorted(names)}


def _never_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter's schema: one that may be left out is not null for that."""
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key not in ("anyOf", "title")}
    return (
        {**options[0], **rest} if len(options) == 1 else {**rest, **({"anyOf": options} if options else {})}
    )


def _prune(document: dict[str, Any], kind: str) -> None:
    """Drop the components of a kind that nothing refers to."""
    components = document["components"]
    present = components[kind]
    others = [document["paths"], *(value for name, value in components.items() if name != kind)]
    prefix = f"#/components/{kind}/"
    wanted: set[str] = set()
    open_ = list(_references(others, prefix))
    while open_:
        name = open_.pop()
        if name not in wanted:
            wanted.add(name)
            open_.extend(_references(present[name], prefix))
    components[kind] = {name: present[name] for name in sorted(wanted)}


def _references(value: Any, prefix: str) -> Iterator[str]:
    if isinstance(value, dict):
        target = value.get("$ref")
        if isinstance(target, str) and target.startswith(prefix):
            yield target.removeprefix(prefix)
        for item in value.values():
            yield from _references(item, prefix)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item, prefix)
