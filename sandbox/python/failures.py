"""Reports and traps of the Python guest as `Failure`s in the tenant's own source."""

from __future__ import annotations

import json
import logging
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sandbox.core.caps import MAX_ERROR_MESSAGE_BYTES, MAX_STACK_FRAMES, MIB, Limits
from sandbox.core.failure import Failure, FailureCode, Frame, Place
from sandbox.core.program import Source
from sandbox.wasm.traps import StopKind, kind_of_error

_log = logging.getLogger(__name__)

Detail = dict[str, str | int | float | bool | None]

_MAX_EXCERPT: Final = 200
_LAST_WORDS: Final = ("PyErr_PrintEx", "fatal_error", "rust_begin_unwind")
"""Frames of the interpreter (or of the runtime around it) that prints why it ends."""
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
"""Where Python ends a line; `str.splitlines` knows more ends than its parser does."""


def internal(message: str, cause: str) -> Failure:
    """A fault of ours: `cause` goes to the host's log under an id that the failure shows."""
    reference = uuid.uuid4().hex[:12]
    _log.error("python sandbox: %s (%s): %s", message, reference, cause)
    return Failure(FailureCode.INTERNAL, message, detail={"id": reference})


def decode(text: str) -> dict[str, Any] | None:
    """The guest's answer, or None when it is not a JSON object, or was too long and cut."""
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def from_guest(report: Any, source: Source, limits: Limits, others: Sequence[Source] = ()) -> Failure:
    """The failure that the guest describes. Every part is checked: a tenant may have forged it.

    `others`: sources that the Action brings along; frames may be in them.
    """
    report = report if isinstance(report, dict) else {}
    code = _code(report.get("code"))
    sources = {item.filename: item for item in (*others, source)}
    frames = _frames(report.get("frames"), source, sources)
    message = _text(report.get("message"))
    if code is FailureCode.MEMORY:
        message = _memory_text(limits)
    return Failure(
        code=code,
        message=message or "The error carries no message.",
        error_name=_text(report.get("name"), 200) or None,
        place=_own_place(report, source) or _place_of(frames, sources),
        stack=frames,
        detail=_detail(report),
    )


def from_trap(error: BaseException, limits: Limits) -> Failure:
    """The failure for a trap of the instance."""
    kind = kind_of_error(error)
    text = str(error)
    if kind is StopKind.DEADLINE:
        return timed_out(limits)
    if kind is StopKind.STACK:
        return Failure(FailureCode.STACK, "The Action recursed deeper than the stack of the sandbox.")
    reason = text.strip().rpartition("\n")[2].strip()[:200]
    if any(frame in text for frame in _LAST_WORDS):
        # CPython prints before it gives up, which here needs an import that is not there. It gives up when
        # not even the report of a `MemoryError` finds memory.
        return out_of_memory(limits)
    if "unknown import" in reason:
        return _no_such_import(reason)
    if kind is StopKind.FAULT:
        # CPython meets a refused allocation in places that do not expect one, and then an impossible
        # state; nothing else is known to bring it there.
        return replace(out_of_memory(limits), detail={"limit_bytes": limits.memory_bytes, "trap": reason})
    return internal("The Python interpreter of this execution stopped.", text[-2000:])


def _no_such_import(reason: str) -> Failure:
    name = reason.partition("`")[2].partition("`")[0]
    message = f"The Action used {name}, which the sandbox does not have."
    return Failure(FailureCode.POLICY, message, detail={"import": name})


def timed_out(limits: Limits, did: str = "The Action ran") -> Failure:
    message = f"{did} longer than its limit of {limits.wall_ms} ms."
    return Failure(FailureCode.TIMEOUT, message, detail={"limit_ms": limits.wall_ms})


def out_of_memory(limits: Limits) -> Failure:
    return Failure(FailureCode.MEMORY, _memory_text(limits), detail={"limit_bytes": limits.memory_bytes})


def _memory_text(limits: Limits) -> str:
    return f"The Action needs more memory than its limit of {limits.memory_bytes // MIB} MiB."


def syntax(source: Source, message: str, line: int, column: int) -> Failure:
    """A source that does not parse. Line and column count from 1."""
    place = _place(source, line, column)
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
    return f"{raw[:limit].decode('utf-8', 'ignore')}… {len(raw) - limit} bytes more"


def _lines(source: Source) -> list[str]:
    return _LINE_END.split(source.text.removeprefix("\ufeff"))


def _frames(value: Any, source: Source, sources: Mapping[str, Source]) -> tuple[Frame, ...]:
    if not isinstance(value, list):
        return ()
    lines: dict[str, list[str]] = {}
    found = []
    for item in value[:MAX_STACK_FRAMES]:
        if isinstance(item, list) and len(item) in (3, 4) and _is_count(item[1]):
            function, line, offset = item[:3]
            name = item[3] if len(item) == 4 and isinstance(item[3], str) else ""
            name = name if name in sources else source.filename
            if name not in lines:
                lines[name] = _lines(sources[name])
            column = _column(lines[name], line, offset) if _is_count(offset) else None
            found.append(Frame(_text(function, 200) or "<module>", name, line, column))
    return tuple(found)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _own_place(report: dict[str, Any], source: Source) -> Place | None:
    """The place that a build failure names: `offset` from 1 in characters, or `column` from 0 in bytes."""
    line, offset, column = report.get("line"), report.get("offset"), report.get("column")
    if not isinstance(line, int) or not _is_count(line) or line == 0:
        return None
    if isinstance(offset, int) and _is_count(offset) and offset > 0:
        return _place(source, line, offset)
    if isinstance(column, int) and _is_count(column):
        return _place(source, line, _column(_lines(source), line, column))
    return _place(source, line, None)


def _place_of(frames: tuple[Frame, ...], sources: Mapping[str, Source]) -> Place | None:
    return _place(sources[frames[0].file], frames[0].line, frames[0].column) if frames else None


def _place(source: Source, line: int, column: int | None) -> Place:
    lines = _lines(source)
    excerpt = lines[line - 1][:_MAX_EXCERPT] if 0 < line <= len(lines) else None
    return Place(source.filename, line, column, excerpt)


def _column(lines: list[str], line: int, offset: int) -> int | None:
    """The character column, from 1, of a UTF-8 byte offset."""
    if not 0 < line <= len(lines):
        return None
    return len(lines[line - 1].encode("utf-8", "replace")[:offset].decode("utf-8", "ignore")) + 1


def _detail(report: dict[str, Any]) -> Detail:
    detail: Detail = {}
    nearest, names, causes = report.get("nearest"), report.get("names"), report.get("causes")
    if isinstance(nearest, str):
        detail["nearest"] = _text(nearest, 200)
    if isinstance(names, list) and names:
        detail["defined"] = _text(", ".join(str(name) for name in names[:50]), 2000)
    if isinstance(causes, list) and causes:
        detail["caused_by"] = _text("\n".join(str(cause) for cause in causes[:5]))
    if isinstance(report.get("rule"), str):
        detail["rule"] = _text(report["rule"], 50)
    count = report.get("count")
    if isinstance(count, int) and count > 1:
        detail["problems"] = count
    return detail
