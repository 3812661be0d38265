"""The end of an execution in the tenant's own terms: failures, places, frames."""

from __future__ import annotations

import difflib
import json
import logging
import re
import secrets
from collections.abc import Iterator, Sequence
from typing import Any, Final

from sandbox.core.caps import MAX_ERROR_MESSAGE_BYTES, MAX_STACK_FRAMES, Limits
from sandbox.core.failure import Failure, FailureCode, Frame, Place
from sandbox.core.program import Program, Source
from sandbox.javascript.errors.sourcemap import original
from sandbox.javascript.errors.tokens import character

_log: Final = logging.getLogger(__name__)

_STATUS_THROWN: Final = 1
_STATUS_NO_HANDLER: Final = 2
_MAX_EXCERPT: Final = 200
_MAX_NAME: Final = 100
_MAX_FILE: Final = 200
_BUNDLE: Final = "actionbox:packages"
_MAX_LISTED: Final = 30
"""Names in a message, of those that an Action exports."""
_FRAME: Final = re.compile(
    r"^    at (?:(?P<function>.*?) \()?(?P<file>.*?):(?P<line>\d+):(?P<column>\d+)\)?$"
)
_ORIGINS: Final = {
    "invalid_command": FailureCode.INVALID_COMMAND,
    "egress": FailureCode.EGRESS,
    "output": FailureCode.OUTPUT,
}
_STACK_MESSAGE: Final = "Maximum call stack size exceeded"
_MEMORY_MESSAGES: Final = ("out of memory", "out of memory in regexp execution")


def from_guest(
    status: int, detail: str, program: Program, limits: Limits, *, handler: str, out_of_memory: bool
) -> Failure:
    """The failure that the guest reported with `status` and `detail` (guest/execution.js).

    All of it may be forged by the tenant's code, to the effect that the tenant's own Action fails with
    another code or text.
    """
    told = _parsed(detail)
    if status == _STATUS_NO_HANDLER:
        return _no_handler(told, handler, program)
    if status == _STATUS_THROWN:
        return _thrown(told, program, limits, out_of_memory=out_of_memory)
    return Failure(FailureCode.THROW, "The Action ended in a way that says nothing.")


def unsettled() -> Failure:
    """The handler waits, and nothing is left that could go on."""
    return Failure(
        FailureCode.UNSETTLED,
        "The handler waits for a promise that nothing can settle: no timer, request or job is left.",
    )


def timeout(limits: Limits) -> Failure:
    """The deadline passed."""
    return Failure(
        FailureCode.TIMEOUT,
        f"The Action ran longer than its limit of {_seconds(limits.wall_ms)}.",
        detail={"limit": "wall_ms", "value": limits.wall_ms},
    )


def memory(limits: Limits) -> Failure:
    """The instance was refused memory."""
    mebibytes = limits.memory_bytes / 2**20
    return Failure(
        FailureCode.MEMORY,
        f"The Action needs more memory than its limit of {mebibytes:g} MiB.",
        detail={"limit": "memory_bytes", "value": limits.memory_bytes},
    )


def stack() -> Failure:
    """The stack of the machine was used up."""
    return Failure(FailureCode.STACK, "The Action recurses too deeply.", error_name="RangeError")


def internal(error: BaseException) -> Failure:
    """A fault of ours. Its story goes to the host's log, under the id that the failure carries."""
    fault = secrets.token_hex(6)
    _log.error("host fault %s in the JavaScript engine", fault, exc_info=error)
    return Failure(
        FailureCode.INTERNAL, f"The sandbox met an internal fault ({fault}).", detail={"id": fault}
    )


def names(detail: str) -> tuple[str, ...]:
    """The exported names in a report."""
    told = _parsed(detail)
    return tuple(str(name)[:_MAX_NAME] for name in told) if isinstance(told, list) else ()


def place_in(source: Source, line: int | None, column: int | None) -> Place | None:
    """A place with its line of text; None when the line is not one of the source's."""
    lines = source.text.split("\n")
    if line is None or not 1 <= line <= len(lines) + 1:
        return None
    line = min(line, len(lines))
    excerpt = lines[line - 1].rstrip("\r")
    if column is not None:
        column = min(max(column, 1), len(excerpt) + 1)
    return Place(source.filename, line, column, excerpt[:_MAX_EXCERPT])


def _parsed(detail: str) -> Any:
    try:
        return json.loads(detail)
    except (ValueError, RecursionError):
        return None


def _no_handler(told: Any, handler: str, program: Program) -> Failure:
    found = told if isinstance(told, dict) else {}
    exported = [str(name)[:_MAX_NAME] for name in found.get("names") or []]
    if found.get("kind", "undefined") == "undefined":
        message = f"The Action does not export {handler!r}.{_instead(found, handler, program)}"
    elif found["kind"] == "generator":
        message = f"The handler {handler!r} is a generator, so its body would never run."
    else:
        message = f"The Action exports {handler!r}, but it is no function."
    if exported:
        message += f" It exports {', '.join(map(repr, exported[:_MAX_LISTED]))}."
        near = difflib.get_close_matches(handler, exported, n=1, cutoff=0.7)
        if near and not _twins(handler, near[0]):
            message += f" Is {near[0]!r} misspelt?"
    return Failure(
        FailureCode.HANDLER,
        message,
        place=Place(program.source.filename, 1),
        next_step=f"Write `exports.{handler} = async (event, api) => {{ … }};`.",
    )


def _instead(found: dict[str, Any], handler: str, program: Program) -> str:
    """Hint at what an Action without its handler exports instead, where that can be told."""
    if re.search(rf"\b(?:function|const|let|var)\s+{re.escape(handler)}\b", program.source.text):
        return " It defines it, and does not export it."
    if found.get("module") == "function":
        return " It exports a function without a name, which no trigger calls."
    return ""


def _twins(one: str, other: str) -> bool:
    """Whether two names are those of an Action's execute and continue handler, which are alike and no
    misspellings of each other."""
    return one != other and one.replace("Continue", "Execute") == other.replace("Continue", "Execute")


def _thrown(told: Any, program: Program, limits: Limits, *, out_of_memory: bool) -> Failure:
    if not isinstance(told, dict):
        told = {"message": "an error that cannot be read was thrown"}
    message = _text(told.get("message"))
    name = None if told.get("bare") else _text(told.get("name") or "Error")[:_MAX_NAME]
    if out_of_memory and _sounds_starved(told, message):
        return memory(limits)
    frames = tuple(_frames(told.get("stack"), program))
    detail = _detail(told)
    code = _ORIGINS.get(str(told.get("origin")), FailureCode.THROW)
    refused = _refused(told)
    if refused is not None:
        code = FailureCode.EGRESS
        detail |= {"rule": refused["rule"]} if isinstance(refused.get("rule"), str) else {}
        if str(detail.get("cause", "")) not in message:
            message = f"{message}: {detail['cause']}"
    if told.get("engine") and message == _STACK_MESSAGE:
        code = FailureCode.STACK
    place = _place_of(frames, program)
    return Failure(
        code,
        message or "(no message)",
        error_name=name,
        place=place,
        stack=frames,
        detail=detail,
    )


def _sounds_starved(told: dict[str, Any], message: str) -> bool:
    """Whether the engine threw for want of memory: its own error, or bare null when even that did not fit."""
    if told.get("bare"):
        return message in ("null", "[a value that cannot be shown]")
    return told.get("unreadable") is True or (told.get("engine") is True and message in _MEMORY_MESSAGES)


def _detail(told: dict[str, Any]) -> dict[str, str | int | float | bool | None]:
    detail: dict[str, str | int | float | bool | None] = {}
    if isinstance(told.get("code"), str):
        detail["code"] = told["code"]
    cause = told.get("cause")
    if not isinstance(cause, dict):
        return detail
    named = not cause.get("bare") and cause.get("name") != "Error"
    prefix = f"{_text(cause.get('name'))[:_MAX_NAME]}: " if named else ""
    detail["cause"] = prefix + _text(cause.get("message"))
    if isinstance(cause.get("code"), str):
        detail["cause_code"] = cause["code"]
    return detail


def _refused(told: dict[str, Any]) -> dict[str, Any] | None:
    """The error of an outbound request, if that is what was thrown: itself, or as the cause of what HTTP
    libraries make of it."""
    error: Any = told
    while isinstance(error, dict) and error.get("origin") != "egress":
        error = error.get("cause")
    return error if isinstance(error, dict) else None


def _frames(text: Any, program: Program) -> Iterator[Frame]:
    """Frames in the tenant's own files and in those of packages; the engine's and the prelude's are of no use
    to a tenant."""
    sources = {item.source.filename: item for item in (*program.modules, program)}
    count = 0
    for line in text.split("\n") if isinstance(text, str) else ():
        found = _FRAME.match(line)
        if found is None or count >= MAX_STACK_FRAMES:
            continue
        own = sources.get(found["file"])
        frame = _package_frame(found) if own is None else _own_frame(found, own)
        if frame is not None:
            count += 1
            yield frame


def _own_frame(found: re.Match[str], own: Program) -> Frame | None:
    """A frame in `own`; None in what the compiler added."""
    place = original(own.mappings, int(found["line"][:9]), int(found["column"][:9]))
    if place is None:
        return None
    return Frame(_function(found), own.source.filename, place[0], _characters(own.source, *place))


def _package_frame(found: re.Match[str]) -> Frame | None:
    """A frame in a file of a package, as programs see it; None for what is the prelude's."""
    file = _text(found["file"])[:_MAX_FILE]
    if file == _BUNDLE:
        file = "packages"
    elif not file.startswith("/"):
        return None
    return Frame(_function(found), file, int(found["line"][:9]), int(found["column"][:9]))


def _function(found: re.Match[str]) -> str:
    return (found["function"] or "<anonymous>")[:_MAX_NAME]


def _characters(source: Source, line: int, column: int | None) -> int | None:
    """A column of a frame, which counts UTF-16 code units, in characters."""
    lines = source.text.split("\n", line)
    return column if column is None or line > len(lines) else character(lines[line - 1], column)


def _place_of(frames: Sequence[Frame], program: Program) -> Place | None:
    """The innermost place in the tenant's own files; where there is none, as in what a package does later
    by itself, that in the package."""
    sources = {item.source.filename: item.source for item in (*program.modules, program)}
    for frame in frames:
        if frame.file in sources:
            return place_in(sources[frame.file], frame.line, frame.column)
    return Place(frames[0].file, frames[0].line, frames[0].column) if frames else None


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else ""
    return text.encode("utf-8", "replace")[:MAX_ERROR_MESSAGE_BYTES].decode("utf-8", "ignore")


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:g} s" if milliseconds >= 1000 else f"{milliseconds} ms"
