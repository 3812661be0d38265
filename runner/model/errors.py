"""Errors of the runner: what a caller got wrong, as types with a code and a next step.

    RunnerError
    ├── ActionError     an Action cannot be loaded or is put together wrongly
    ├── InputError      a file or value given by the caller cannot be used
    ├── FlowError       Actions, trigger and settings do not fit together
    ├── ResumeError     a suspended flow cannot go on
    └── WorkerStartError  (runner.workers) processes that run Actions cannot be started

What a tenant's Action does wrong is never an exception: it is a `Failure` in the outcome.
"""

from __future__ import annotations

from typing import Final


class RunnerError(Exception):
    """A caller's mistake. `code` is stable; `next_step` may be empty; `source` is a file name or ''."""

    def __init__(self, code: str, message: str, *, next_step: str = "", source: str = "") -> None:
        super().__init__(message)
        self.code: Final = code
        self.message: Final = message
        self.next_step: Final = next_step
        self.source: Final = source


class ActionError(RunnerError):
    """An Action cannot be loaded or is put together wrongly."""


class InputError(RunnerError):
    """A file or value given by the caller cannot be used."""


class FlowError(RunnerError):
    """Actions, trigger and settings do not fit together."""


class ResumeError(RunnerError):
    """A suspended flow cannot go on.

    Codes: `invalid_request` (wrong or missing state: the transaction is lost), `unknown_handle`,
    `handle_used`, `handle_expired`, `missing_secrets` and `wrong_result` (the handle stays usable),
    `changed_source` (the stored sources were altered), `unreadable` (damaged, or of another release).
    """
