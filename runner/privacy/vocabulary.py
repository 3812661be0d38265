"""Words that stay as they are: of the language that records are written in, of a trigger, and of sources."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any, Final

from runner.suspension.stores import PinnedAction
from sandbox.core.program import Source
from triggers import get_trigger
from triggers.events.model.introspection import walk

PIECE: Final = "[0-9A-Za-z\u00aa\u00b5\u00ba\u00c0-\u1fff\u2070-\u2fff\u3040-\U0010ffff]+"
"""Of a regular expression: what is replaced as one. ASCII punctuation, space and the punctuation of further
blocks part tokens, so that what an Action takes apart or joins at them stays consistent."""
_TOKENS: Final = re.compile(PIECE)


def tokens(text: str) -> Iterator[str]:
    """The tokens of a text, in lower case."""
    return (found.lower() for found in _TOKENS.findall(text))


@cache
def common() -> frozenset[str]:
    """Words of protocols, formats and messages, see `words.txt`."""
    lines = (files(__package__) / "words.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


@cache
def of_trigger(trigger_id: str) -> frozenset[str]:
    """Names in a trigger's event and api, and the values that the reference lists.

    Raises:
        LookupError: there is no such trigger.
    """
    trigger = get_trigger(trigger_id)
    found = set(tokens(trigger_id))
    for path, entry in walk(trigger.event_model):
        found.update(tokens(path))
        for value in entry.shape.known:
            found.update(tokens(value))
    for method in trigger.surface.methods:
        found.update(tokens(method.path))
        found.update(tokens(" ".join(_strings(method.arguments.json_schema()))))
    return frozenset(found)


@cache
def argument_names(trigger_id: str) -> frozenset[str]:
    """Names of parameters and options of a trigger's api, at any depth."""
    return frozenset(
        name
        for method in get_trigger(trigger_id).surface.methods
        for name in _property_names(method.arguments.json_schema())
    )


def of_sources(actions: tuple[PinnedAction, ...]) -> set[str]:
    """Every token of the tenant's sources, those of shared modules included. Not of packages: thousands of
    words that nobody chose for this Action."""
    found: set[str] = set()
    for action in actions:
        found.update(tokens(" ".join((action.name, *action.wanted))))
        for source in (action.source, action.last_good):
            for text in () if source is None else _texts(source):
                found.update(tokens(text))
    return found


def _texts(source: Source) -> Iterator[str]:
    yield source.filename
    yield source.text
    if source.dependencies is not None:
        for module in source.dependencies.modules:
            yield module.name
            yield module.filename
            yield module.text


def _strings(schema: Any) -> Iterator[str]:
    """Names and listed values in a JSON Schema; no prose."""
    yield from _property_names(schema)
    if isinstance(schema, dict):
        for key in ("enum", "const"):
            listed = schema.get(key, ())
            yield from (
                item for item in (listed if isinstance(listed, list) else [listed]) if isinstance(item, str)
            )
        for value in schema.values():
            yield from _strings(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _strings(value)


def _property_names(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        named = schema.get("properties")
        if isinstance(named, dict):
            yield from named
        for value in schema.values():
            yield from _property_names(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _property_names(value)
