"""Messages that a worker may send, and no others: each is read strictly and bounded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from runner.model.caps import MAX_WORKER_LOG_BYTES
from runner.workers.protocol.frames import TO_PARENT, FrameError, UnsendableError, framed
from sandbox.core.caps import MAX_FETCHES
from triggers.api.cache import MAX_KEY_BYTES, MAX_VALUE_BYTES

_Number = Annotated[int, Field(ge=0, le=2**53)]
_Short = Annotated[str, Field(max_length=200)]
_Text = Annotated[str, Field(max_length=64 * 1024)]


class _Message(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Ready(_Message):
    """The images are open and the rights are given up. `rights`: which measures hold."""

    t: Literal["ready"]
    rights: dict[_Short, bool]


class Pong(_Message):
    t: Literal["pong"]
    n: _Number


class Log(_Message):
    """One line for the host's log."""

    t: Literal["log"]
    level: Literal["debug", "info", "warning", "error"]
    text: Annotated[str, Field(max_length=MAX_WORKER_LOG_BYTES)]


class Moved(_Message):
    """The leg does not hold up others any more: it `waits` for an answer, or `computes` for long; or, later,
    the one became the other, or it has computed for long (`long`), or its guest is over (`ends`)."""

    t: Literal["moved"]
    id: _Number
    state: Literal["waits", "computes", "long", "ends"]


class Done(_Message):
    """A leg's outcome. The body is the outcome, the suspended flow, and what of the outcome goes on record
    when that is not all of it, with these lengths."""

    t: Literal["done"]
    id: _Number
    parts: tuple[_Number, _Number, _Number]
    expires_at: float | None = None


class Kept(_Message):
    """The record of a leg whose outcome was told before, and was to be kept: the body is its JSON. `lost`:
    why there is none."""

    t: Literal["kept"]
    id: _Number
    lost: Literal["", "large", "fault"] = ""


class Refused(_Message):
    """The call itself is wrong: nothing ran. `kind` says which error it is for the caller."""

    t: Literal["refused"]
    id: _Number
    kind: Literal["trigger", "event", "flow", "resume", "record"]
    code: _Short = ""
    message: _Text = ""
    next_step: _Text = ""
    problems: Annotated[list[tuple[_Text, _Text, _Text, _Text | None]], Field(max_length=100)] = []
    total: _Number = 0


class Fault(_Message):
    """The worker could not run the leg, for a fault of ours that its log tells under this id."""

    t: Literal["fault"]
    id: _Number
    fault: _Short


class Over(_Message):
    """The result of the leg or build is more than a message holds."""

    t: Literal["over"]
    id: _Number


class Built(_Message):
    """A source compiles; or it does not, and the body is the failure."""

    t: Literal["built"]
    id: _Number
    ok: bool


class Shadowed(_Message):
    """A recorded leg was run on; the body is the `runner.shadow.leg.LegShadow`."""

    t: Literal["shadowed"]
    id: _Number


class CacheAsk(_Message):
    """A call of the `api.cache` of the leg's tenant and trigger."""

    t: Literal["cache"]
    ask: _Number
    id: _Number
    op: Literal["get", "set", "delete", "usage"]
    key: Annotated[str, Field(max_length=MAX_KEY_BYTES)] = ""
    value: Annotated[str, Field(max_length=MAX_VALUE_BYTES)] = ""
    expires_at: _Number = 0
    now: _Number


class DirectoryAsk(_Message):
    """The body is a list of the subject and, for `roles`, the organization or null: ids of an event may be as
    long as the event."""

    t: Literal["directory"]
    ask: _Number
    id: _Number
    op: Literal["groups", "roles", "group_type"]


class TakeAsk(_Message):
    """May the flow resume? Answered once with yes."""

    t: Literal["take"]
    ask: _Number
    id: _Number


class TranspileAsk(_Message):
    """Make TypeScript or an ES module CommonJS. The body is the text."""

    t: Literal["transpile"]
    ask: _Number
    filename: _Text


class ImageAsk(_Message):
    """The image of packages and modules; of those only that the worker was given."""

    t: Literal["image"]
    ask: _Number
    digest: _Short


class Fetch(_Message):
    """Begin a request; the body is its JSON form. `allow`: number of the allow-list among the call's."""

    t: Literal["fetch"]
    id: _Number
    session: _Number
    fetch: Annotated[int, Field(ge=1, le=MAX_FETCHES)]
    allow: Annotated[int, Field(ge=-1, le=1000)]
    left_ms: Annotated[float, Field(ge=0, le=3_600_000, allow_inf_nan=False)]


class FetchCancel(_Message):
    t: Literal["fetch_cancel"]
    id: _Number
    session: _Number
    fetch: _Number


class SessionClose(_Message):
    t: Literal["session_close"]
    id: _Number
    session: _Number


class ImageMade(_Message):
    """A builder's image of packages and modules is the body; or, with `ok` false, the failure."""

    t: Literal["image_made"]
    id: _Number
    ok: bool


Message = Annotated[
    Ready | Pong | Log | Moved | Done | Kept | Refused | Fault | Over | Built | Shadowed | CacheAsk
    | DirectoryAsk
    | TakeAsk | TranspileAsk | ImageAsk | Fetch | FetchCancel | SessionClose | ImageMade,
    Field(discriminator="t"),
]  # fmt: skip
_READER: Final[TypeAdapter[Any]] = TypeAdapter(Message)


def read(head: bytes) -> Any:
    """The message in a frame's head. Raises `FrameError`."""
    try:
        return _READER.validate_json(head)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise FrameError(f"no message: {first['loc']}: {first['msg']}") from None


def encode(head: Mapping[str, Any], body: bytes = b"") -> bytes:
    """A frame for the parent, which its `read` takes. Raises `UnsendableError`."""
    text = json.dumps(head, separators=(",", ":")).encode("ascii")
    frame = framed(text, body, TO_PARENT)
    try:
        read(text)
    except FrameError as error:
        raise UnsendableError(str(error)) from None
    return frame
