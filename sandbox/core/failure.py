"""Typed failures: what an execution or a build can end with, each with a code, a place and a next step."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from sandbox.core.json_text import well_formed

_log: Final = logging.getLogger(__name__)


class FailureCode(StrEnum):
    """Stable codes; programs branch on these and never on a sentence."""

    SYNTAX = "syntax"
    """The source does not parse. At upload."""
    POLICY = "policy"
    """The source uses something the sandbox refuses. At upload or run."""
    DEPENDENCY = "dependency"
    """An npm package that the Action declares cannot be had or used; `detail.rule` says why. At upload."""
    HANDLER = "handler"
    """The handler that the trigger calls is not exported, or is not a function."""
    THROW = "throw"
    """The Action threw or rejected and did not catch it."""
    TIMEOUT = "timeout"
    MEMORY = "memory"
    STACK = "stack"
    OUTPUT = "output"
    """A cap on bytes or counts was passed."""
    EGRESS = "egress"
    """An outbound request was refused or broke, and the Action did not catch it."""
    INVALID_COMMAND = "invalid_command"
    """An api call was refused, and the Action did not catch it."""
    UNSETTLED = "unsettled"
    """The handler waits for something that nothing can settle."""
    DIVERGENCE = "divergence"
    """A replay made another host call than the journal holds. Only in replays."""
    INTERNAL = "internal"
    """Ours. Never shows a host traceback; `detail` may carry an id to find it in the host's log."""


NEXT_STEP: Final[dict[FailureCode, str]] = {
    FailureCode.SYNTAX: "Correct the source at the place shown.",
    FailureCode.POLICY: "Use the alternative named in the message; see docs/compatibility.md.",
    FailureCode.DEPENDENCY: "Correct the dependency's name or version, or leave it out.",
    FailureCode.HANDLER: "Export a function under one of the trigger's handler names.",
    FailureCode.THROW: "Catch the error in the Action, or correct the line shown.",
    FailureCode.TIMEOUT: "Make the Action do less, give its requests a timeout, or raise the time limit.",
    FailureCode.MEMORY: "Keep less data at a time, or raise the memory limit.",
    FailureCode.STACK: "Recurse less deeply, or use a loop.",
    FailureCode.OUTPUT: "Log less, send smaller values, or make fewer calls.",
    FailureCode.EGRESS: "Check the URL and the egress policy; catch the error to go on without the answer.",
    FailureCode.INVALID_COMMAND: "Correct the arguments; `actionbox types` prints the signatures.",
    FailureCode.UNSETTLED: "Await only promises that something resolves, and resolve every one you make.",
    FailureCode.DIVERGENCE: "Replay with the program, event and version that the record was made with.",
    FailureCode.INTERNAL: "This is a fault of actionbox. Run again; if it stays, report it with its id.",
}


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of the guest's stack, in the tenant's own source or in a package. Lines and columns count
    from 1. Lone surrogates in names become U+FFFD, as everywhere in failures: they must have a JSON form."""

    function: str
    file: str
    line: int
    column: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "function", well_formed(self.function))
        object.__setattr__(self, "file", well_formed(self.file))


@dataclass(frozen=True, slots=True)
class Place:
    """A position in the tenant's source, or in a package that no code of the tenant called. Lines and columns
    count from 1.

    `excerpt` is the source line itself; a caret goes under `column`.
    """

    file: str
    line: int
    column: int | None = None
    excerpt: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "file", well_formed(self.file))
        if self.excerpt is not None:
            object.__setattr__(self, "excerpt", well_formed(self.excerpt))


@dataclass(frozen=True, slots=True)
class Failure:
    """The reason why a build or an execution failed.

    Attributes:
        code: one of `FailureCode`.
        message: one sentence (or the guest's own error message) for the tenant.
        error_name: the guest's error class, such as `TypeError`, where there was one.
        place: where in the tenant's source, or else in a package, where known.
        stack: frames in the tenant's source and packages, innermost first, at most `MAX_STACK_FRAMES`.
        next_step: what to do about it.
        detail: further facts by name, JSON scalars only (a limit, a rule, an id).
    """

    code: FailureCode
    message: str
    error_name: str | None = None
    place: Place | None = None
    stack: tuple[Frame, ...] = ()
    next_step: str = ""
    detail: dict[str, str | int | float | bool | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.next_step:
            object.__setattr__(self, "next_step", NEXT_STEP[self.code])
        object.__setattr__(self, "message", well_formed(self.message))
        object.__setattr__(self, "next_step", well_formed(self.next_step))
        if self.error_name is not None:
            object.__setattr__(self, "error_name", well_formed(self.error_name))
        if any(isinstance(value, str) and not value.isascii() for value in self.detail.values()):
            detail = {
                name: well_formed(value) if isinstance(value, str) else value
                for name, value in self.detail.items()
            }
            object.__setattr__(self, "detail", detail)


class BuildError(Exception):
    """A source cannot become a program; `failure` says why (syntax, policy, output or internal)."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def internal_failure(where: str, error: BaseException) -> Failure:
    """A failure for a fault of ours, met in `where`. Its story goes to the host's log, under the id that
    the failure carries; nothing of it reaches the tenant (threat-model E4)."""
    fault_id = secrets.token_hex(6)
    _log.error("host fault %s in %s", fault_id, where, exc_info=error)
    message = f"The sandbox met an internal fault ({fault_id})."
    return Failure(FailureCode.INTERNAL, message, detail={"id": fault_id})
