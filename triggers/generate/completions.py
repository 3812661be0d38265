"""Names that an editor completes in an Action: paths of the event, and members of api."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from triggers.generate.typings import dts, pyi
from triggers.generate.typings.names import python_handler, python_name, snake_case
from triggers.generate.typings.terms import Field, Term, Types, arguments, fields, types_of

if TYPE_CHECKING:
    from triggers.engine.surface import Method
    from triggers.engine.trigger import Trigger

Written = Literal["javascript", "python"]


@dataclass(frozen=True, slots=True)
class Member:
    """One property of a type.

    Attributes:
        type: as the language writes it.
        of: name of the type whose members stand behind a dot; "" for none.
    """

    name: str
    type: str
    about: str
    of: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One member of api. `path`: without `api.`; `signature`: its last part with its parameters."""

    path: str
    signature: str
    about: str


@dataclass(frozen=True, slots=True)
class Completions:
    """What a trigger has to offer in one language.

    Attributes:
        handlers: names that an Action may export.
        types: members by name of the type; that of the event is called `Event`.
    """

    handlers: tuple[str, ...]
    types: dict[str, tuple[Member, ...]]
    api: tuple[Call, ...]


def completions(trigger: Trigger, language: Written) -> Completions:
    """The completions of a trigger, read off its declaration."""
    types, python = types_of(trigger), language == "python"
    signatures = (pyi if python else dts).signatures(trigger)
    return Completions(
        handlers=tuple(python_handler(name) if python else name for name in trigger.handlers),
        types={
            types.names[record]: tuple(_member(field, types, python=python) for field in fields(record))
            for record in types.event
        },
        api=tuple(
            Call(
                ".".join(map(snake_case, method.path.split("."))) if python else method.path,
                signatures[method.path],
                _about(method, python=python),
            )
            for method in trigger.surface.methods
        ),
    )


def _member(field: Field, types: Types, *, python: bool) -> Member:
    text = (pyi if python else dts).type_text(field.term, types)
    return Member(
        name=python_name(field.name) if python else field.name,
        type=f"{text} | {'None' if python else 'undefined'}" if field.optional else text,
        about=field.about,
        of=next((types.names[item.record] for item in _flat(field.term) if item.record is not None), ""),
    )


def _flat(term: Term) -> tuple[Term, ...]:
    return term.items if term.kind == "union" else (term,)


def _about(method: Method, *, python: bool) -> str:
    described = [
        f"{python_name(item.name) if python else item.name}: {item.doc}" for item in arguments(method)
    ]
    return "\n".join([method.doc, *described])
