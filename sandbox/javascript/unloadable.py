"""Reasons why a package fits no image: it never finishes loading, or wants more than it may have."""

from __future__ import annotations

from typing import Final

from sandbox.core.caps import MAX_PACKAGE_MEMORY_BYTES, MIB
from sandbox.core.failure import Failure, FailureCode, internal_failure
from sandbox.javascript.boot import ENOMEM, MALLOC_TOP, Guest
from sandbox.javascript.quickjs.machine import GuestStarvedError, Machine
from sandbox.wasm.traps import GuestStopped, StopKind

_NEXT_STEP: Final = "Use another version of it, or another package."
_DEEP: Final = "RangeError: Maximum call stack size exceeded"
_STARVED: Final = ("InternalError: out of memory", "undefined: undefined", "null")
"""What is thrown for want of memory; the second when not even the error fitted."""

Entry = tuple[str, str]


def ended(entry: Entry, error: Exception, guest: Guest) -> Failure:
    """The guest did not return, or was left without memory to say anything."""
    if guest.time.over:
        return slow(entry)
    kind = guest.host.stopped or (error.kind if isinstance(error, GuestStopped) else None)
    if guest.host.starved or _refused(guest.machine) or kind is None:
        return starved(entry)
    if kind is StopKind.STACK:
        return _deep(entry)
    if guest.host.broken is not None:
        return internal_failure("equipment", guest.host.broken)
    message = f"{_named(entry)} ends the engine while it loads."
    return _failure(FailureCode.DEPENDENCY, message, entry, rule="load")


def told(entry: Entry, problem: str, machine: Machine) -> Failure | None:
    """The failure when what an entry threw would end every execution in the same way; else None."""
    first = problem.partition("\n")[0]
    if first == _DEEP:
        return _deep(entry)
    if problem and _refused(machine) and first.startswith(_STARVED):
        return starved(entry)
    return None


def slow(entry: Entry) -> Failure:
    """It had all the time that it may have."""
    message = f"{_named(entry)} does not finish loading: what it runs at its top level takes too long."
    return _failure(FailureCode.TIMEOUT, message, entry)


def starved(entry: Entry) -> Failure:
    """It was refused memory."""
    return _failure(FailureCode.MEMORY, f"{_named(entry)} needs more memory than it may have to load.", entry)


def large(entry: Entry) -> Failure:
    """It keeps more than an image may hold."""
    cap = MAX_PACKAGE_MEMORY_BYTES // MIB
    message = f"{_named(entry)} keeps more memory than packages may: {cap} MiB for all of an Action."
    return _failure(FailureCode.MEMORY, message, entry)


def slow_to_compile() -> Failure:
    """The bundle of all packages."""
    return Failure(
        FailureCode.TIMEOUT, "The packages take too long to compile.", next_step="Use smaller packages."
    )


def not_compiled(error: Exception) -> Failure:
    """The engine refuses what the bundler took."""
    if isinstance(error, GuestStarvedError):
        return Failure(FailureCode.MEMORY, "The packages are too large to compile.")
    said = str(error).partition("\n")[0].removeprefix("the prelude failed: ")
    return Failure(
        FailureCode.DEPENDENCY,
        f"The packages cannot be compiled: {said[:200]}",
        next_step="Use other versions of them, or other packages.",
        detail={"rule": "load"},
    )


def heap_bytes(machine: Machine) -> int:
    """Of linear memory, up to the end of what is allocated."""
    return machine.memory.read_u32(MALLOC_TOP)


def _deep(entry: Entry) -> Failure:
    return _failure(FailureCode.STACK, f"{_named(entry)} recurses too deeply while it loads.", entry)


def _refused(machine: Machine) -> bool:
    return machine.memory.read_u32(machine.layout.errno) == ENOMEM


def _named(entry: Entry) -> str:
    scope, specifier = entry
    return f"The package {specifier}{f' of {scope}' if scope else ''}"


def _failure(code: FailureCode, message: str, entry: Entry, **detail: str) -> Failure:
    return Failure(code, message, next_step=_NEXT_STEP, detail={"package": entry[1], **detail})
