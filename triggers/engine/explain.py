"""Turns pydantic's findings into sentences that name the method, the argument, the rule and the value."""

from __future__ import annotations

import difflib
import types
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, NotRequired, Union, get_args, get_origin, get_type_hints

from pydantic import ValidationError
from typing_extensions import is_typeddict

from triggers.values.json_value import shown, units
from triggers.values.refusals import Refusal, numbered

_WORDS: Final[dict[Any, str]] = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    None: "null",
    type(None): "null",
    list: "an array",
    dict: "an object",
}


_SHOWN_NAME: Final = 60


def bare(annotation: Any) -> Any:
    """An annotation without `Annotated` and `NotRequired`."""
    while get_origin(annotation) in (Annotated, NotRequired):
        annotation = get_args(annotation)[0]
    return annotation


def describe(annotation: Any) -> str:
    """An annotation in words: `a string, a number or null`."""
    annotation = bare(annotation)
    origin = get_origin(annotation)
    if origin is Literal:
        return "one of " + ", ".join(shown(item) for item in get_args(annotation))
    if origin in (Union, types.UnionType):
        return _either([describe(item) for item in get_args(annotation)])
    if is_typeddict(annotation):
        return "an object"
    return _WORDS.get(origin or annotation, "a JSON value")


def _either(words: list[str]) -> str:
    if "a whole number" in words and "a number" in words:
        words.remove("a whole number")
    words = list(dict.fromkeys(words))
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def refusal_of(error: ValidationError, prefix: str, annotations: dict[str, Any], hidden: set[str]) -> Refusal:
    """The refusal for the first thing that pydantic found.

    Args:
        prefix: what the sentence starts with, such as `api.access.deny:`.
        annotations: the annotation of each argument, by name.
        hidden: names whose values are never quoted.
    """
    found = error.errors(include_url=False)[0]
    where, annotation = _locate(found["loc"], annotations)
    kind, context = found["type"], found.get("ctx", {})
    mistyped = kind == "missing" or kind.endswith("_type") or kind in ("none_required", "is_instance_of")
    rule = _rule(kind, context, annotation, found["input"], quote=not hidden & set(where))
    return Refusal(f"{prefix} {_spell(where)} {rule}", name="TypeError" if mistyped else "Error")


def _locate(location: Sequence[int | str], annotations: dict[str, Any]) -> tuple[list[str], Any]:
    """The path as a reader spells it, and the annotation there; a union ends the walk."""
    name, *rest = location
    where, annotation = [str(name)], annotations.get(str(name), Any)
    while rest:
        plain = bare(annotation)
        if get_origin(plain) in (Union, types.UnionType):
            chosen = _tagged(plain, rest[0])
            if chosen is None:
                break
            annotation, rest = chosen, rest[1:]
            continue
        part, *rest = rest
        where.append(f"[{part}]" if isinstance(part, int) else _cut(str(part)))
        annotation = _inside(plain, part)
    return where, annotation


def _tagged(union: Any, tag: Any) -> Any:
    """The member of a discriminated union whose `type` is `tag`."""
    for item in get_args(union):
        if is_typeddict(item) and tag in get_args(bare(get_type_hints(item)["type"])):
            return item
    return None


def _inside(annotation: Any, part: int | str) -> Any:
    if is_typeddict(annotation):
        return get_type_hints(annotation, include_extras=True).get(str(part), Any)
    inner = get_args(annotation)
    return inner[-1] if inner else Any


def _cut(name: str) -> str:
    """Names come from guests, too."""
    return name if len(name) <= _SHOWN_NAME else name[:_SHOWN_NAME] + "…"


def _spell(where: list[str]) -> str:
    return where[0] + "".join(part if part.startswith("[") else f".{part}" for part in where[1:])


def _rule(kind: str, context: dict[str, Any], annotation: Any, seen: Any, *, quote: bool) -> str:
    but = f", not {shown(seen)}" if quote else ""
    match kind:
        case "missing":
            return "is required and was left out"
        case "extra_forbidden":
            return "is not a known option"
        case "literal_error":
            return f"must be {describe(annotation)}{but}{_nearest(seen, annotation) if quote else ''}"
        case "union_tag_invalid":
            allowed = context["expected_tags"].replace("'", '"')
            return f"has the type {shown(context['tag'])}, which is not one of {allowed}"
        case "union_tag_not_found":
            return f"must be an object with a type{but}"
        case "string_too_short" | "too_short":
            return (
                "must not be empty" if context["min_length"] == 1 else _length("least", kind, context, seen)
            )
        case "string_too_long" | "too_long":
            return _length("most", kind, context, seen)
        case "string_pattern_mismatch":
            return f"must match {context['pattern']}{but}"
        case "value_error":
            return str(context["error"])
        case _:
            return f"must be {describe(annotation)}{but}"


def _length(bound: str, kind: str, context: dict[str, Any], seen: Any) -> str:
    limit = context["max_length"] if bound == "most" else context["min_length"]
    noun = "character" if kind.startswith("string") else "entry"
    has = (
        f", not {units(seen)}" if isinstance(seen, str) else f", not {len(seen)}" if seen is not None else ""
    )
    return f"must have at {bound} {numbered(limit, noun)}{has}"


def _nearest(seen: Any, annotation: Any) -> str:
    allowed = [item for item in get_args(bare(annotation)) if isinstance(item, str)]
    close = difflib.get_close_matches(seen, allowed, n=1) if isinstance(seen, str) and len(seen) < 100 else []
    return f" (did you mean {shown(close[0])}?)" if close else ""
