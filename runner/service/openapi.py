"""The description of both APIs, with the errors that they really answer."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

_ERROR: Final = {
    "type": "object",
    "required": ["statusCode", "error", "message"],
    "properties": {
        "statusCode": {"type": "integer"},
        "error": {"type": "string", "description": "The reason phrase, or the code of RFC 6749."},
        "message": {"type": "string"},
        "errorCode": {"type": "string"},
    },
}
_ANYWHERE: Final = {
    "400": "The request breaks the schema, or the state forbids it; the message names the place.",
    "401": "No token, or one that is not good.",
    "403": "The token lacks the scope.",
    "404": "There is no such thing, or another tenant has it.",
    "408": "The body came too slowly.",
    "409": "It collides with what is there.",
    "412": "`If-Match` names an older state, or something is in use.",
    "413": "The body is too large.",
    "415": "The body is no JSON in UTF-8.",
    "422": "An idempotency key came with another body before.",
    "429": "Too many requests; `Retry-After` says when to come again.",
    "503": "The service is stopping, or its database does not answer.",
}
_INVENTED: Final = ("HTTPValidationError", "ValidationError")
"""What the framework adds for an answer that we never give."""


def describe(app: FastAPI) -> None:
    """Make `app` describe itself so."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _described(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in _INVENTED:
        schemas.pop(name, None)
    schemas["Error"] = _ERROR
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    errors = {status: {"description": text, "content": content} for status, text in _ANYWHERE.items()}
    for item in document["paths"].values():
        for operation in item.values():
            given = {status: value for status, value in operation["responses"].items() if status != "422"}
            operation["responses"] = {**given, **{key: errors[key] for key in errors if key not in given}}
    return document
