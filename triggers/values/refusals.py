"""Refusals of calls and Actions, in the words that the tenant reads."""

from __future__ import annotations

from typing import Literal

ErrorName = Literal["TypeError", "Error"]
RefusalCode = Literal["invalid_argument", "limit", "not_allowed", "gated", "invalid_token", "aborted"]


class Refusal(Exception):  # noqa: N818 - it becomes the guest's error, it is not one of ours
    """An api call is refused: the guest sees it thrown (or rejected, for a promise).

    Attributes:
        name: JavaScript error class.
        message: names the method, the argument, the rule and the value seen.
        code: stable, for programs.
        aborts: the execution fails even when the Action catches the error.
    """

    def __init__(
        self,
        message: str,
        *,
        name: ErrorName = "Error",
        code: RefusalCode = "invalid_argument",
        aborts: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.name = name
        self.code = code
        self.aborts = aborts


class CommitError(Exception):
    """An Action completed, but what it asked for cannot be: its commands are not applied.

    Attributes:
        message: what was asked, which rule it breaks and what to do.
        path: the api member to blame, such as `prompt.render`.
    """

    def __init__(self, message: str, path: str) -> None:
        super().__init__(message)
        self.message = message
        self.path = path


class ResumeError(ValueError):
    """A flow state cannot be resumed with what was handed over."""


def numbered(count: int, noun: str) -> str:
    """`1 character`, `2 characters`; `1 entry`, `2 entries`."""
    if count == 1:
        return f"1 {noun}"
    return f"{count} {noun[:-1]}ies" if noun.endswith("y") else f"{count} {noun}s"
