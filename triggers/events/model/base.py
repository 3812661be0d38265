"""The vocabulary that event models are written in.

A model says what the reference says: a property is `must` (present whenever its parent is), `may`
(absent at times) or `filled` (present for an Action, because the host adds it, so an event that
someone hands in may leave it out). Types are checked strictly, nothing is coerced, unknown
properties pass through untouched. See docs/decisions/0003-event-validation.md for the reasons.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from triggers.events.model.classes import FieldClass

CONTACT, CREDENTIAL, FREE_TEXT = FieldClass.CONTACT, FieldClass.CREDENTIAL, FieldClass.FREE_TEXT
IDENTIFIER, NETWORK, PLAIN = FieldClass.IDENTIFIER, FieldClass.NETWORK, FieldClass.PLAIN

EARLY_ACCESS = "early access"
BETA = "beta"
ENTERPRISE = "enterprise plan"
EXPERIMENTAL = "experimental"
GATED = "feature-gated"
PACKAGE = "published package only"
PACKAGE_SAMPLE = "sample event of the published package only"


class Part(BaseModel):
    """An object inside an event: strict about what it knows, open to what it does not.

    `OPEN` says that the reference itself expects further keys (typings get an index signature).
    """

    # Building is deferred: a process uses one or two triggers, and building them all costs 0.1 s.
    model_config = ConfigDict(extra="allow", strict=True, defer_build=True, protected_namespaces=())
    OPEN: ClassVar[bool] = False


def must(
    about: str, holds: FieldClass | None = None, *, state: str | None = None, nullable: bool = False
) -> Any:
    """A property that is present whenever its parent is. `holds`: see `FieldClass`."""
    return Field(description=about, json_schema_extra=_marks(holds, state, nullable))


def may(
    about: str, holds: FieldClass | None = None, *, state: str | None = None, nullable: bool = False
) -> Any:
    """A property that can be absent; `null` is read as absent too. `holds`: see `FieldClass`.

    `nullable` marks the ones for which the reference documents `null` as a value of its own.
    """
    return Field(default=None, description=about, json_schema_extra=_marks(holds, state, nullable))


def filled(about: str, holds: FieldClass | None = None, *, state: str | None = None) -> Any:
    """A property every Action sees, but that the host adds when an event lacks it. `holds`: see
    `FieldClass`."""
    marks = {**(_marks(holds, state) or {}), "x-filled": True}
    return Field(default=None, description=about, json_schema_extra=marks)


def _marks(holds: FieldClass | None, state: str | None, nullable: bool = False) -> dict[str, Any] | None:
    marks = {"x-holds": holds and holds.value, "x-state": state, "x-nullable": nullable or None}
    return {name: mark for name, mark in marks.items() if mark} or None


@dataclass(frozen=True)
class Known:
    """The values of a string that the reference lists; others are accepted (forward compatible)."""

    values: tuple[str, ...]

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), "examples": list(self.values)}


def known(*values: str) -> Known:
    """Shorthand for `Known`, for use in `Annotated[str, known("a", "b")]`."""
    return Known(values)


@dataclass(frozen=True)
class Values:
    """The documented kind of an open map's values; a hint for editors, not enforced."""

    typescript: str

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), "x-values": self.typescript}


@dataclass(frozen=True)
class TextFormat:
    """The format a string is documented to have; a hint, not enforced."""

    name: str

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), "format": self.name}


class NumberRule:
    """JSON numbers, kept as they came: pydantic's `float` would turn 17 into 17.0."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_number)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "number"}


def _number(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise PydanticCustomError("number_type", "Input should be a number")


Number = Annotated[float, NumberRule]
Timestamp = Annotated[str, TextFormat("date-time")]
OpenMap = dict[str, Any]
StringMap = Annotated[dict[str, Any], Values("string")]
ScalarMap = Annotated[dict[str, Any], Values("string | number | boolean")]
