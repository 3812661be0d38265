"""Records that the host made of what Actions did: outcomes, suspensions. Their types say what may be kept."""

from __future__ import annotations

import types
from dataclasses import is_dataclass
from enum import Enum
from functools import cache
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from runner.model.outcome import (
    ActionRecord,
    CommandRecord,
    FlowOutcome,
    LogRecord,
    ResumePoint,
    SuspensionRecord,
    TriggerRef,
)
from runner.privacy.texts import Masker
from sandbox.core.failure import Failure, Frame, Place
from triggers.engine.commands import Suspension

_OURS: Final[frozenset[tuple[Any, str]]] = frozenset(
    {
        (FlowOutcome, "schema_id"),
        (FlowOutcome, "execution_id"),
        (FlowOutcome, "tenant"),
        (TriggerRef, "id"),
        (TriggerRef, "version"),
        (ActionRecord, "name"),
        (ActionRecord, "digest"),
        (ActionRecord, "handler"),
        (LogRecord, "level"),
        (CommandRecord, "path"),
        (SuspensionRecord, "kind"),
        (ResumePoint, "handler"),
        (Suspension, "resume_handler"),
        (Failure, "next_step"),
        (Frame, "file"),
        (Frame, "function"),
        (Place, "file"),
        (Place, "excerpt"),
    }
)
"""Texts that come from us or from the source, and from no event."""


def masked(masker: Masker, annotation: Any, value: Any, named: frozenset[str] = frozenset()) -> Any:
    """The redacted form of a value of the type `annotation`, as JSON has it. What the type does not tell of
    is denied. `named`: names in open objects that stay."""
    if value is None or isinstance(value, bool):
        return value
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    options = _options(annotation)
    for option in options:
        origin = get_origin(option) or option
        if origin is Literal and value in get_args(option):
            return value
        if isinstance(value, dict) and isinstance(origin, type) and _fields(origin):
            return _object(masker, origin, value, named)
        if isinstance(value, list | tuple) and origin in (tuple, list):
            item = get_args(option)[0] if get_args(option) else Any
            return [masked(masker, item, part, named) for part in value]
        if isinstance(origin, type) and issubclass(origin, Enum) and value in [item.value for item in origin]:
            return value
    counted = isinstance(value, int | float) and any(option in (int, float) for option in options)
    if counted and not {int, float} <= set(options):  # both together are numbers that an Action gave
        return value
    return masker.value(value, named)


def _object(masker: Masker, model: Any, value: dict[str, Any], named: frozenset[str]) -> dict[str, Any]:
    known = _fields(model)
    made: dict[str, Any] = {}
    for key, item in value.items():
        name, annotation = known.get(key, ("", None))
        if not name:
            made[masker.text(key)] = masker.value(item, named)
        elif (model, name) in _OURS:
            made[key] = item
        elif model is Failure and name == "detail" and isinstance(item, dict):
            made[key] = {fact: masker.value(of) for fact, of in item.items()}
        else:
            made[key] = masked(masker, annotation, item, named)
    return made


@cache
def _fields(model: Any) -> dict[str, tuple[str, Any]]:
    """Fields of a model or dataclass by their names in JSON, with their own names and types."""
    if isinstance(model, type) and issubclass(model, BaseModel):
        hints = get_type_hints(model, include_extras=True)
        return {item.alias or name: (name, hints[name]) for name, item in model.model_fields.items()}
    if is_dataclass(model):
        hints = get_type_hints(model)
        return {name: (name, hints[name]) for name in model.__dataclass_fields__}
    return {}


def _options(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(option for option in get_args(annotation) if option is not type(None))
    return (annotation,)
