"""The host port: the one narrow interface between a guest and the world (design section 4).

Everything an Action can do crosses here, where it is validated, counted, bounded and journalled.
Engines call the port from their host functions; the port never raises into them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypedDict

from sandbox.core.failure import Failure
from sandbox.core.program import JsonValue
from sandbox.port.journal import Journal

LogLevel = Literal["debug", "info", "warn", "error", "trace", "log"]


class ApiError(TypedDict, total=False):
    """An error that an api call throws in the guest. `name` is a JavaScript error class name."""

    name: str
    message: str
    code: str


class ApiReply(TypedDict, total=False):
    """Answer to one api call, as JSON.

    Keys:
        ok: the value for the guest; absent means `undefined` / `None`.
        error: thrown in the guest instead.
        event: changes to the guest's `event` as (path, value) pairs, for live members; a value
            replaces what is at the path.
        recorded: True when the call was recorded as a command (never sent to the guest).
        forged: True when the trigger has no such member (never sent to the guest).
    """

    ok: JsonValue
    error: ApiError
    event: list[tuple[list[str], JsonValue]]
    recorded: bool
    forged: bool


class ApiHost(Protocol):
    """Answers api calls; `triggers` sessions have this shape. Must not raise; if it does, the port
    answers the guest with a fixed text and ends the execution as `internal`."""

    def call(self, path: str, arguments: list[JsonValue]) -> ApiReply: ...


@dataclass(frozen=True, slots=True)
class LogLine:
    """One console call. `at_ms`: milliseconds since the start; `cut_bytes`: what was left out, also named
    at the end of `text` ("… N bytes more"); in the last line kept it counts the calls after it too.
    `text` is what the tenant wrote: whoever shows it escapes control characters."""

    at_ms: float
    level: str
    text: str
    cut_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Command:
    """One recorded api call."""

    path: str
    arguments: list[JsonValue]


class HostPort(Protocol):
    """The port as engines see it. `LivePort` meets the world; `ReplayPort` answers from a journal.

    Guest-facing calls take and give text, never raise, and answer errors as JSON
    `{"error": {"name", "message", "code"?}}`.
    """

    # --- guest-facing ---
    def log(self, level: str, text: str) -> None: ...

    def api_call(self, path: str, arguments: str) -> str:
        """`arguments` is a JSON array. Returns "" for a plain `undefined`, else a JSON object with
        `ok`, `error`, `event`."""
        ...

    def start(self, operation: str, arguments: str) -> int:
        """Start `fetch` (the only operation so far). Returns a handle > 0, or 0 when the execution may start
        no more. Any other refusal settles through `wait_any` like any other error."""
        ...

    def wait_any(self, handles: Sequence[int], timeout_ms: float | None) -> str:
        """Wait until one of `handles` settles: JSON `{"id", "ok"}` or `{"id", "error"}`; "" when
        `timeout_ms` passed first, or at the deadline. No handles: sleep for the timeout."""
        ...

    def cancel(self, handle: int) -> None:
        """Give up an operation (an aborted fetch). Its handle never settles."""
        ...

    def wall_ms(self) -> int:
        """Milliseconds since 1970, whole (threat-model I7)."""
        ...

    def monotonic_ms(self) -> int:
        """Milliseconds since the execution began, whole."""
        ...

    def random(self, count: int) -> bytes:
        """`count` fresh random bytes; more than `MAX_RANDOM_BYTES` is fatal and gives b""."""
        ...

    def compute(self, operation: str, arguments: str) -> str:
        """Cryptography on the host (`sandbox.hostcrypto`). `arguments` is a JSON object, the answer JSON
        `{"ok"}` or `{"error"}`."""
        ...

    # --- engine-facing ---
    def begin(self, deadline: float) -> None:
        """The execution starts; `deadline` is in `time.monotonic()` seconds and bounds every wait."""
        ...

    def end(self) -> None:
        """The execution is over: nothing more is accepted, what is in flight is cancelled."""
        ...

    @property
    def fatal(self) -> Failure | None:
        """A cap that was passed or a fault of ours: the engine stops the guest at its next chance, and
        this failure outranks whatever the guest reports."""
        ...


class ExecutionPort(HostPort, Protocol):
    """A port that knows, after `end`, what the guest did. Both ports of this package are one."""

    @property
    def logs(self) -> tuple[LogLine, ...]: ...

    @property
    def logs_cut_bytes(self) -> int: ...

    @property
    def commands(self) -> tuple[Command, ...]: ...

    @property
    def host_calls(self) -> dict[str, int]:
        """Calls by kind (api, log, fetch, wait, clock, random, compute); kinds that did not occur are
        absent."""
        ...

    @property
    def journal(self) -> Journal: ...
