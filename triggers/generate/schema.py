"""JSON Schemas (draft 2020-12) of a trigger's event and of the arguments of its api members.

They describe what is accepted, so optional properties admit null and further properties are welcome;
`x-` keywords carry what the draft has no words for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter

if TYPE_CHECKING:
    from triggers.engine.surface import Method
    from triggers.engine.trigger import Trigger

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_NOISE: Final = {"title", "default"}
_NAMED: Final = {"properties", "$defs"}
"""Keywords whose keys are names of the user's, not keywords."""


def json_schema(trigger: Trigger) -> dict[str, Any]:
    """One document: the root describes the event, `$defs` holds a schema for each `api.<path>`.

    Each of those is a schema of its own with an `$id`; it describes the arguments as one object, parameters
    by name and options under the name of their object.
    """
    event = event_schema(trigger)
    commands = {f"api.{method.path}": argument_schema(trigger, method) for method in trigger.surface.methods}
    return {**event, "$defs": {**event.get("$defs", {}), **commands}}


def event_schema(trigger: Trigger) -> dict[str, Any]:
    """The schema of the event alone."""
    schema = _tidied(trigger.event_model.model_json_schema(by_alias=True))
    return {"$schema": DIALECT, "$id": f"{_urn(trigger)}:event", "title": f"Event of {trigger.id}", **schema}


def argument_schema(trigger: Trigger, method: Method) -> dict[str, Any]:
    """The schema of one member's arguments alone."""
    schema = _tidied(method.arguments.json_schema())
    return {
        "$schema": DIALECT,
        "$id": f"{_urn(trigger)}:api.{method.path}",
        "title": f"Arguments of api.{method.path}",
        **schema,
        "description": method.doc,
        **({"x-gate": method.gate} if method.gate else {}),
    }


def bounds(record: Any) -> dict[str, dict[str, Any]]:
    """The schema of each key of an object type that arguments or answers use."""
    schema = TypeAdapter(record).json_schema()
    found = schema if "properties" in schema else schema["$defs"][record.__name__]
    keys: dict[str, dict[str, Any]] = found["properties"]
    return keys


def _urn(trigger: Trigger) -> str:
    return f"urn:actionbox:{trigger.id}:{trigger.version}"


def _tidied(schema: Any, named: bool = False) -> Any:
    """Without the titles and null defaults that pydantic derives from Python names."""
    if isinstance(schema, list):
        return [_tidied(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _tidied(value, named=key in _NAMED and not named)
        for key, value in schema.items()
        if named or key not in _NOISE
    }
