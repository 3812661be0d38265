"""Types that the answers of both APIs are described with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final, Literal, NotRequired

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from triggers import known_triggers

TRIGGER_IDS: Final = tuple(item.id for item in known_triggers())
Uuid = Annotated[str, Field(json_schema_extra={"format": "uuid"})]
Instant = Annotated[
    str, Field(json_schema_extra={"format": "date-time"}, description="RFC 3339 in UTC, with microseconds.")
]
Count = Annotated[int, Field(ge=0)]
Number = Annotated[int, Field(ge=1)]
TriggerId = Annotated[str, Field(json_schema_extra={"enum": [*TRIGGER_IDS]})]
closed: Final = with_config(ConfigDict(extra="forbid"))
"""Of a type that has the members that it lists and no others."""
ExecutionStatus = Literal["unspecified", "pending", "final", "partial", "canceled", "suspended"]


@closed
class ExecutionError(TypedDict):
    """Why an Action failed."""

    id: str
    msg: str
    url: NotRequired[str]


def moment(at: datetime) -> str:
    """An `Instant`."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
