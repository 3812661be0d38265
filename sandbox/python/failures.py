"""What the Python guest reports, or how it trapped, as `Failure`s in the tenant's own source."""

from __future__ import annotations

import json
import logging
import uuid
from typing import Any, Final

from sandbox.caps import MAX_ERROR_MESSAGE_BYTES, MAX_STACK_FRAMES, MIB, Limits
from sandbox.failure import Failure, FailureCode, Frame, Place
from sandbox.program import Source

_log = logging.getLogger(__name__)

_MAX_EXCERPT: Final = 200
_MAX_ANSWER: Final = 8 * MIB
"""Characters of JSON; the compiler keeps code below 4 MiB, which is 5.4 million of them."""


def internal(message: str, cause: str) -> Failure:
    """A fault of ours: `cause` goes to the host's log under an id that the failure shows."""
    reference = uuid.uuid4().hex[:12]
    _log.error("python sandbox: %s (%s): %s", message, reference, cause)
    return Failure(FailureCode.INTERNAL, message, detail={"id": reference})


def decode(text: str) -> dict[str, Any] | None:
    """The guest's answer, or None when it is not a JSON object of reasonable size."""
    if len(text) > _MAX_ANSWER:
        return None
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def from_guest(report: Any, source: Source, limits: Limits) -> Failure:
    """The failure that the guest describes. Every part is checked: a tenant may have forged it."""
    report = report if isinstance(report, dict) else {}
    code = _code(report.get("code"))
    frames = _frames(report.get("frames"), source)
    message = _text(report.get("message"))
    if not message:
        message = (
            _out_of_memory_text(limits) if code is FailureCode.MEMORY else "the error carries no message"
        )
    return Failure(
        code=code,
        message=message,
        error_name=_text(report.get("name"), 200) or None,
        place=_own_place(report, source) or _place_of(frames, source),
        stack=frames,
        detail=_detail(report),
    )


def from_trap(text: str, limits: Limits) -> Failure:
    """The failure for a trap of the instance; wasmtime gives its kind as text only."""
    reason = text.strip().rpartition("\n")[2].strip()
    if "interrupt" in reason:
        return timed_out(limits)
    if "call stack exhausted" in reason:
        return Failure(FailureCode.STACK, "the Action recursed deeper than the stack of the sandbox")
    if "unknown import" in reason:
        name = reason.partition("`")[2].partition("`")[0]
        return Failure(
            FailureCode.POLICY,
            f"the Action used {name}, which the sandbox does not have",
            detail={"import": name},
        )
    if any(mark in text for mark in _ALLOCATION):
        return out_of_memory(limits)
    return Failure(
        FailureCode.INTERNAL,
        "the Python interpreter of this execution stopped; nothing outside it was touched",
        detail={"trap": reason[:200]},
    )


_ALLOCATION: Final = ("alloc_error", "_PyErr_NoMemory", "PyErr_NoMemory", "MemoryError", "handle_alloc")


def timed_out(limits: Limits) -> Failure:
    return Failure(
        FailureCode.TIMEOUT,
        f"the Action ran longer than its limit of {limits.wall_ms} ms",
        detail={"limit_ms": limits.wall_ms},
    )


def out_of_memory(limits: Limits) -> Failure:
    return Failure(
        FailureCode.MEMORY,
        _out_of_memory_text(limits),
        detail={"limit_bytes": limits.memory_bytes},
    )


def _out_of_memory_text(limits: Limits) -> str:
    return f"the Action needs more memory than its limit of {limits.memory_bytes // MIB} MiB"


def syntax(source: Source, message: str, line: int | None = None, column: int | None = None) -> Failure:
    """A source that does not parse. Line and column count from 1."""
    place = _place(source, line, column) if line else None
    return Failure(FailureCode.SYNTAX, message, error_name="SyntaxError", place=place)


def _code(value: Any) -> FailureCode:
    try:
        return FailureCode(value)
    except ValueError:
        return FailureCode.THROW


def _text(value: Any, limit: int = MAX_ERROR_MESSAGE_BYTES) -> str:
    """Text from the guest, cut to `limit` UTF-8 bytes with a note of what is missing."""
    if not isinstance(value, str):
        return ""
    raw = value.encode("utf-8", "replace")
    if len(raw) <= limit:
        return raw.decode()
    return f"{raw[:limit].decode('utf-8', 'ignore')}... {len(raw) - limit} bytes more"


def _frames(value: Any, source: Source) -> tuple[Frame, ...]:
    if not isinstance(value, list):
        return ()
    found = []
    lines = source.text.splitlines()
    for item in value[:MAX_STACK_FRAMES]:
        if not (isinstance(item, list) and len(item) == 3 and isinstance(item[1], int)):
            continue
        function, line, offset = item
        column = _column(lines, line, offset) if isinstance(offset, int) else None
        found.append(Frame(_text(function, 200) or "<module>", source.filename, line, column))
    return tuple(found)


def _own_place(report: dict[str, Any], source: Source) -> Place | None:
    """The place that a build failure names: `offset` from 1 in characters, or `column` from 0 in bytes."""
    line = report.get("line")
    if not isinstance(line, int) or line < 1:
        return None
    offset, column = report.get("offset"), report.get("column")
    if isinstance(offset, int) and offset > 0:
        return _place(source, line, offset)
    if isinstance(column, int):
        return _place(source, line, _column(source.text.splitlines(), line, column))
    return _place(source, line, None)


def _place_of(frames: tuple[Frame, ...], source: Source) -> Place | None:
    return _place(source, frames[0].line, frames[0].column) if frames else None


def _place(source: Source, line: int, column: int | None) -> Place:
    lines = source.text.splitlines()
    excerpt = lines[line - 1][:_MAX_EXCERPT] if 0 < line <= len(lines) else None
    return Place(source.filename, line, column, excerpt)


def _column(lines: list[str], line: int, offset: int) -> int | None:
    """The character column, from 1, of a UTF-8 byte offset."""
    if not 0 < line <= len(lines) or offset < 0:
        return None
    return len(lines[line - 1].encode("utf-8", "replace")[:offset].decode("utf-8", "ignore")) + 1


def _detail(report: dict[str, Any]) -> dict[str, str | int | float | bool | None]:
    detail: dict[str, str | int | float | bool | None] = {}
    nearest = report.get("nearest")
    if isinstance(nearest, str):
        detail["nearest"] = _text(nearest, 200)
    names = report.get("names")
    if isinstance(names, list):
        detail["defined"] = _text(", ".join(str(name) for name in names[:50]), 2000)
    causes = report.get("causes")
    if isinstance(causes, list) and causes:
        detail["caused_by"] = _text("\n".join(str(cause) for cause in causes[:5]))
    count = report.get("count")
    if isinstance(count, int) and count > 1:
        detail["problems"] = count
    return detail
