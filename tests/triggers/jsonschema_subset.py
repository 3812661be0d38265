"""Enough of JSON Schema 2020-12 to judge documents by the generated schemas; it refuses other keywords."""

from __future__ import annotations

import re
from typing import Any

_NOTES = {"$schema", "$id", "$defs", "title", "description", "examples", "format", "discriminator"}
_TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
    "number": (int, float),
    "integer": int,
}


def accepts(schema: Any, value: Any, root: Any = None) -> bool:
    """Whether `value` fits. `$ref` is looked up in `root`, the enclosing schema resource."""
    root = schema if root is None else root
    if isinstance(schema, bool):
        return schema
    unknown = {key for key in schema if key not in _NOTES and not key.startswith("x-")} - _CHECKS.keys()
    assert not unknown, f"the subset lacks {unknown}"
    return all(check(schema[key], value, root, schema) for key, check in _CHECKS.items() if key in schema)


def resolve(reference: str, root: Any) -> Any:
    """The schema that a local reference names."""
    head, *steps = reference.split("/")
    assert head == "#"
    for step in steps:
        root = root[step]
    return root


def _type(name, value, root, schema):
    if isinstance(value, bool) and name != "boolean":
        return False
    return isinstance(value, _TYPES[name])


def _properties(known, value, root, schema):
    return not isinstance(value, dict) or all(
        accepts(known[key], item, root) for key, item in value.items() if key in known
    )


def _additional(rule, value, root, schema):
    if not isinstance(value, dict):
        return True
    return all(
        accepts(rule, item, root) for key, item in value.items() if key not in schema.get("properties", {})
    )


def _sized(kind, compare):
    return lambda limit, value, root, schema: not isinstance(value, kind) or compare(len(value), limit)


def _ordered(compare):
    return lambda limit, value, root, schema: (
        isinstance(value, bool) or not isinstance(value, int | float) or compare(value, limit)
    )


_CHECKS = {
    "type": _type,
    "$ref": lambda reference, value, root, schema: accepts(resolve(reference, root), value, root),
    "properties": _properties,
    "required": lambda names, value, root, schema: not isinstance(value, dict) or set(names) <= value.keys(),
    "additionalProperties": _additional,
    "items": lambda rule, value, root, schema: (
        not isinstance(value, list) or all(accepts(rule, item, root) for item in value)
    ),
    "anyOf": lambda rules, value, root, schema: any(accepts(rule, value, root) for rule in rules),
    "oneOf": lambda rules, value, root, schema: sum(accepts(rule, value, root) for rule in rules) == 1,
    "enum": lambda values, value, root, schema: value in values,
    "const": lambda only, value, root, schema: value == only,
    "pattern": lambda rule, value, root, schema: not isinstance(value, str) or bool(re.search(rule, value)),
    "minLength": _sized(str, lambda size, limit: size >= limit),
    "maxLength": _sized(str, lambda size, limit: size <= limit),
    "minItems": _sized(list, lambda size, limit: size >= limit),
    "maxItems": _sized(list, lambda size, limit: size <= limit),
    "maxProperties": _sized(dict, lambda size, limit: size <= limit),
    "minimum": _ordered(lambda value, limit: value >= limit),
    "maximum": _ordered(lambda value, limit: value <= limit),
    "exclusiveMinimum": _ordered(lambda value, limit: value > limit),
    "exclusiveMaximum": _ordered(lambda value, limit: value < limit),
}
