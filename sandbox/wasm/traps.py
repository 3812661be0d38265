"""Reasons why WebAssembly stopped, translated once from the runtime's own errors."""

from __future__ import annotations

from enum import Enum
from typing import Final

import wasmtime
from wasmtime import TrapCode


class StopKind(Enum):
    """The end of a call into a guest other than its return."""

    DEADLINE = "deadline"
    """The epoch passed the deadline."""
    STACK = "stack"
    """The WebAssembly stack was used up."""
    MEMORY = "memory"
    """An instance would start with more memory than its limit."""
    HOST = "host"
    """A host function of ours stopped the guest."""
    FAULT = "fault"
    """The guest reached an impossible state: out of bounds, unreachable, a bad indirect call."""
    OTHER = "other"
    """The runtime itself refused: instantiation over a limit, or something unknown."""


class GuestStopped(Exception):  # noqa: N818 - it is not an error of ours
    """A call into a guest did not return. The store must be dropped (threat-model I2)."""

    def __init__(self, kind: StopKind, detail: str = "") -> None:
        super().__init__(f"guest stopped: {kind.value} {detail}".rstrip())
        self.kind = kind
        self.detail = detail


_BY_CODE: Final = {
    TrapCode.INTERRUPT: StopKind.DEADLINE,
    TrapCode.OUT_OF_FUEL: StopKind.DEADLINE,
    TrapCode.STACK_OVERFLOW: StopKind.STACK,
}

_BY_TEXT: Final = (
    ("wasm trap: interrupt", StopKind.DEADLINE),
    ("stopped at the end of a slice", StopKind.DEADLINE),
    ("all fuel consumed", StopKind.DEADLINE),
    ("call stack exhausted", StopKind.STACK),
    ("wasm trap:", StopKind.FAULT),
)


def kind_of_code(code: int | None) -> StopKind:
    """The kind of a trap by wasmtime's number for it; None for a trap that a host function made."""
    if code is None:
        return StopKind.HOST
    try:
        return _BY_CODE.get(TrapCode(code), StopKind.FAULT)
    except ValueError:  # a newer wasmtime has more codes; each is still a trap
        return StopKind.FAULT


def kind_of_error(error: BaseException) -> StopKind:
    """The kind of an error that wasmtime-py raised. The component layer has only text (design 6)."""
    if isinstance(error, wasmtime.Trap):
        code = error.trap_code
        if code is not None:
            return kind_of_code(code.value)
    last = str(error).strip().rsplit("\n", 1)[-1]
    for text, kind in _BY_TEXT:
        if text in last:
            return kind
    return StopKind.HOST if isinstance(error, wasmtime.Trap) else StopKind.OTHER
