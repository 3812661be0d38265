"""Bodies of the Management API as forms, which its description declares beside JSON
(reference/management-api.md, head).

    name=greet&supported_triggers[0][id]=post-login&deploy=true
    name=greet&supported_triggers=[{"id":"post-login"}]

Members of objects and arrays have their path in brackets, or are JSON in the text of the whole (as OpenAPI's
default encoding has it). A form has texts only: what is a number or a boolean says the body's schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from runner.http.json_body import BodyError, parse_body
from runner.http.validation import json_path, shown
from runner.model.caps import MAX_BODY_DEPTH, MAX_BODY_FORM_FIELDS

FORM: Final = "application/x-www-form-urlencoded"
_NAME: Final = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_INTEGER: Final = re.compile(r"-?[0-9]{1,15}")
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,3}")
_BOOLEANS: Final = {"true": True, "false": False}
Schema = Mapping[str, Any]


def form_pairs(raw: bytes, most: int) -> dict[str, str]:
    """The fields of a form in UTF-8 by name. Raises `BodyError`: it is none, one is given twice, or there are
    more than `most`."""
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=most)
    except ValueError:
        raise BodyError(f"the body is not a form in UTF-8 of at most {most} fields.") from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BodyError("a parameter is given twice.")
    return found


def parse_form(raw: bytes, schema: Schema) -> Any:
    """The value of a form, as the JSON would be that says the same.

    Args:
        schema: JSON Schema of the body, with `$defs`.

    Raises:
        BodyError: no form, a name that is no path, a field that contradicts another one, text that is not the
            JSON it must be, or what `parse_body` refuses.
    """
    tree: dict[str, Any] = {}
    for name, text in form_pairs(raw, MAX_BODY_FORM_FIELDS).items():
        _put(tree, name, text)
    value = _typed(tree, schema, schema.get("$defs", {}), [])
    return parse_body(json.dumps(value, ensure_ascii=False).encode())


def _put(tree: dict[str, Any], name: str, text: str) -> None:
    found = _NAME.fullmatch(name)
    path = [found[1], *re.findall(r"\[([^\[\]]*)\]", found[2])] if found else []
    if not path or len(path) > MAX_BODY_DEPTH:
        raise BodyError(f"{shown(name)} is no name of a field, such as secrets[0][name].")
    here = tree
    for key in path[:-1]:
        below = here.setdefault(key or str(len(here)), {})
        if not isinstance(below, dict):
            raise BodyError(f"{shown(name)} contradicts another field.")
        here = below
    if here.setdefault(path[-1] or str(len(here)), text) is not text:
        raise BodyError(f"{shown(name)} contradicts another field.")


def _typed(value: Any, schema: Schema, shared: Schema, path: list[int | str]) -> Any:
    """`value` with texts as what `schema` says they are; what fits nothing stays, to be refused later."""
    schema = _chosen(schema, shared)
    kind = schema.get("type")
    if isinstance(value, str):
        return _scalar(value, kind, path)
    if kind == "array" or (kind is None and _is_list(value)):
        return _items(value, schema, shared, path)
    members = schema.get("properties", {})
    return {key: _typed(item, members.get(key, {}), shared, [*path, key]) for key, item in value.items()}


def _items(value: Mapping[str, Any], schema: Schema, shared: Schema, path: list[int | str]) -> list[Any]:
    if not _is_list(value):
        raise BodyError(f"the indices at {json_path(path)} must be 0, 1, 2 and so on.")
    items = [value[str(index)] for index in range(len(value))]
    inner = schema.get("items", {})
    return [_typed(item, inner, shared, [*path, index]) for index, item in enumerate(items)]


def _is_list(value: Mapping[str, Any]) -> bool:
    return all(_INDEX.fullmatch(key) and int(key) < len(value) for key in value)


def _scalar(text: str, kind: object, path: list[int | str]) -> Any:
    if kind in ("array", "object"):
        try:
            return parse_body(text.encode())
        except BodyError as error:
            raise BodyError(f"the text at {json_path(path)} is no JSON: {error}") from None
    if kind == "boolean":
        return _BOOLEANS.get(text, text)
    return int(text) if kind == "integer" and _INTEGER.fullmatch(text) else text


def _chosen(schema: Schema, shared: Schema) -> Schema:
    """The schema itself behind a reference, or the one option of it that is not null."""
    while True:
        options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
        if len(options) == 1:
            schema = options[0]
        elif "$ref" in schema:
            schema = shared[schema["$ref"].rpartition("/")[2]]
        else:
            return schema
