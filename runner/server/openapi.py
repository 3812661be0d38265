"""The description of both APIs: FastAPI's, and the components that routes refer to by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from starlette.routing import BaseRoute

from runner.http.described import HEADERS, REFUSALS, Error, refusal_headers, refusal_name
from runner.http.form_body import FORM
from runner.http.routing import api_routes

_JSON: Final = "application/json"
_SCHEMAS: Final = "#/components/schemas/{model}"


class _Answered(GenerateJsonSchema):
    """Schemas of what is answered: members that have a default are always there."""

    def default_schema(self, schema: Any) -> dict[str, Any]:
        return self.generate_inner(schema["schema"])

    def field_is_required(self, field: Any, total: bool) -> bool:
        return super().field_is_required(field, total) if field["type"] == "typed-dict-field" else True


def describe(app: FastAPI) -> None:
    """Make `app` describe itself so."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = description(app.routes, app.title, app.summary or "")
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def description(routes: Iterable[BaseRoute], title: str, summary: str) -> dict[str, Any]:
    """The OpenAPI document of `routes`."""
    listed = list(routes)
    document = get_openapi(title=title, version="1", summary=summary, routes=listed)
    refused: set[int] = set()
    for path, item in document["paths"].items():
        for operation in item.values():
            answers = _without_own_refusal(operation["responses"])
            operation["responses"] = answers
            refused |= {int(status) for status, answer in answers.items() if "$ref" in answer}
            if path.startswith("/api/v2/") and "requestBody" in operation:
                content = operation["requestBody"]["content"]
                content[FORM] = content[_JSON]
    components = document["components"]
    for name in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    components["schemas"] |= _answered(listed)
    components["headers"] = {
        name: {"description": text, "schema": {"type": kind}} for name, (text, kind) in HEADERS.items()
    }
    error = {_JSON: {"schema": {"$ref": _SCHEMAS.format(model=Error.__name__)}}}
    components["responses"] = {
        refusal_name(status): {"description": REFUSALS[status], "content": error} | refusal_headers(status)
        for status in sorted(refused)
    }
    return {**document, **{name: _untitled(document[name]) for name in ("paths", "components")}}


def _without_own_refusal(answers: dict[str, Any]) -> dict[str, Any]:
    """Without the 422 that FastAPI adds, which is a 400 here, and without what it says beside references."""
    return {
        status: {"$ref": answer["$ref"]} if "$ref" in answer else answer
        for status, answer in sorted(answers.items())
        if status != "422" or "$ref" in answer
    }


def _answered(routes: list[BaseRoute]) -> dict[str, Any]:
    """The components of all that is answered."""
    models: list[Any] = [Error]
    for route in api_routes(routes):
        models += [route.response_model, *(answer.get("model") for answer in route.responses.values())]
    inputs: Any = [
        (index, "serialization", TypeAdapter(model))
        for index, model in enumerate(models)
        if model is not None
    ]
    _, shared = TypeAdapter.json_schemas(inputs, ref_template=_SCHEMAS, schema_generator=_Answered)
    found: dict[str, Any] = shared["$defs"]
    return found


def _untitled(value: Any) -> Any:
    """Without the titles of schemas, which only repeat names."""
    if isinstance(value, dict):
        return {
            key: _untitled(item) for key, item in value.items() if key != "title" or not isinstance(item, str)
        }
    return [_untitled(item) for item in value] if isinstance(value, list) else value
