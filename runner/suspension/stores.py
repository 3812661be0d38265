"""Flows that wait for their user: what is kept of them, and stores that hand each out once.

A handle is 256 random bits and never stored: the key of an entry is a digest over tenant and handle, so
a foreign tenant's handle is an unknown one, and reading a store yields nothing that resumes a flow.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import platformdirs
from pydantic import BaseModel, ConfigDict, Field

from runner.model.action import Action, FailPolicy, source_digest
from runner.model.caps import DEFAULT_BUDGET_MS
from runner.model.errors import FlowError, ResumeError
from runner.model.outcome import ResumePoint
from runner.model.secret_names import SCOPE, together
from sandbox.core.caps import Limits
from sandbox.core.program import Source
from sandbox.egress.policy.allow import AllowRule

SCHEMA: Final = "actionbox.suspension/1"
_PREFIX: Final = "abx_"
_SWEEP_SECONDS: Final = 60
"""A store looks for expired entries at most this often."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PinnedAction(_Record):
    """One Action as it was when the flow began. Secrets are named, their values are not kept.

    Attributes:
        module_secret_names: names of the secrets of each shared module, by name of the module.
    """

    name: str
    source: Source
    digest: str
    secret_names: tuple[str, ...]
    configuration: dict[str, Any]
    fail_policy: FailPolicy | None
    last_good: Source | None
    limits: Limits | None
    module_secret_names: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    allow: tuple[AllowRule, ...] | None = None

    @classmethod
    def of(cls, action: Action) -> PinnedAction:
        return cls(
            name=action.name,
            source=action.source,
            digest=action.digest,
            secret_names=tuple(sorted(action.secrets)),
            configuration=dict(action.configuration),
            fail_policy=action.fail_policy,
            last_good=action.last_good,
            limits=action.limits,
            module_secret_names={
                name: tuple(sorted(values)) for name, values in action.module_secrets.items()
            },
            allow=action.allow,
        )

    @property
    def wanted(self) -> tuple[str, ...]:
        """Every secret that a resume or a replay needs the value of, see `runner.model.secret_names`."""
        modules = {name: dict.fromkeys(names, "") for name, names in self.module_secret_names.items()}
        return tuple(together(dict.fromkeys(self.secret_names, ""), modules))

    def action(self, values: Mapping[str, str]) -> Action:
        """The Action again, with the values of everything `wanted`."""
        return Action(
            name=self.name,
            source=self.source,
            secrets={name: values[name] for name in self.secret_names},
            configuration=self.configuration,
            fail_policy=self.fail_policy,
            last_good=self.last_good,
            limits=self.limits,
            module_secrets={
                module: {name: values[f"{SCOPE}{module}.{name}"] for name in names}
                for module, names in self.module_secret_names.items()
            },
            allow=self.allow,
        )


class SuspendedFlow(_Record):
    """Everything a resume needs but the secrets.

    Attributes:
        state: what a redirect must bring back.
        kind: why it waits, see `SuspensionRecord.kind`.
        resumes: the next Action and handler; None when no Action is left.
        flow_state: the trigger's own state, as JSON.
        budget_ms, limits: that the flow began with; a platform's own settings outrank them.
        flushed: commands whose metadata changes were handed over with this or an earlier suspension.
    """

    schema_id: str = SCHEMA
    tenant: str
    trigger: str
    trigger_version: str
    execution_id: str
    leg: int
    created_at: float
    expires_at: float
    state: str = Field(repr=False)
    kind: str
    resumes: ResumePoint | None
    actions: tuple[PinnedAction, ...]
    flow_state: Any
    executed_rules: tuple[str, ...] = ()
    flushed: int = 0
    budget_ms: int = DEFAULT_BUDGET_MS
    limits: Limits = Field(default_factory=Limits)

    def check(self) -> None:
        """Raises `ResumeError` (`changed_source`) when a stored source is not the version it says."""
        for action in self.actions:
            if source_digest(action.source) != action.digest:
                raise ResumeError(
                    "changed_source",
                    f"the stored version of Action {action.name!r} was altered while the flow was suspended",
                    next_step="Start the flow again.",
                )


class SuspensionStore(Protocol):
    """Keeps suspended flows as JSON text. Implementations are safe between threads (and processes, where
    they say so). `key` comes from `store_key`."""

    def put(self, key: str, text: str, expires_at: float) -> None: ...

    def peek(self, key: str) -> str:
        """The text, left in place. Raises `ResumeError` as `take` does."""
        ...

    def take(self, key: str) -> str:
        """The text, for exactly one caller. Raises `ResumeError`: `unknown_handle`, `handle_used`,
        `handle_expired`."""
        ...


def new_handle() -> str:
    """A handle that nobody can guess."""
    return _PREFIX + secrets.token_urlsafe(32)


def store_key(tenant: str, handle: str) -> str:
    """The key under which a store files a handle."""
    length = len(tenant.encode("utf-8", "surrogatepass"))
    text = f"{length}:{tenant}:{handle}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def handle_unknown() -> ResumeError:
    """No flow, or one of another tenant."""
    return ResumeError(
        "unknown_handle",
        "no suspended flow has this handle",
        next_step="Copy the handle from the outcome of the run that suspended; it belongs to one tenant.",
    )


def handle_used() -> ResumeError:
    """Somebody was first."""
    return ResumeError(
        "handle_used", "this handle was used before; a flow resumes once", next_step="Start the flow again."
    )


def handle_expired() -> ResumeError:
    """The user came too late."""
    return ResumeError("handle_expired", "the suspended flow has expired", next_step="Start the flow again.")


class MemoryStore:
    """In this process only. Entries past their time are dropped when others come in."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[str, tuple[str | None, float]] = {}
        self._next_sweep = 0.0

    def put(self, key: str, text: str, expires_at: float) -> None:
        now = self._clock()
        with self._lock:
            if now >= self._next_sweep:
                self._entries = {name: entry for name, entry in self._entries.items() if entry[1] >= now}
                self._next_sweep = now + _SWEEP_SECONDS
            self._entries[key] = (text, expires_at)

    def peek(self, key: str) -> str:
        with self._lock:
            return self._find(key)

    def take(self, key: str) -> str:
        with self._lock:
            text = self._find(key)
            self._entries[key] = (None, self._entries[key][1])
            return text

    def _find(self, key: str) -> str:
        if key not in self._entries:
            raise handle_unknown()
        text, expires_at = self._entries[key]
        if text is None:
            raise handle_used()
        if self._clock() >= expires_at:
            raise handle_expired()
        return text


class FileStore:
    """One file per suspended flow, readable by the owner only; safe between processes.

    Taking creates `<key>.used`, which only one process can do, and then removes `<key>.json`. A file's
    modification time is the moment it expires, so that pruning need not open it.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._next_sweep = 0.0

    def put(self, key: str, text: str, expires_at: float) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.chmod(0o700)
            self._sweep()
            self._write(key, text, expires_at)
        except OSError as error:
            raise FlowError(
                "store_unavailable",
                f"the flow suspended, but cannot be kept in {self._folder}: {error.strerror}",
                next_step="Make the folder writable, or name another one (for `actionbox`: ACTIONBOX_STATE).",
            ) from error

    def _write(self, key: str, text: str, expires_at: float) -> None:
        fd, temporary = tempfile.mkstemp(dir=self._folder, prefix="new-")  # mode 0600
        try:
            with os.fdopen(fd, "w", encoding="utf-8") as file:
                file.write(text)
            os.utime(temporary, (expires_at, expires_at))
            Path(temporary).replace(self._path(key, "json"))
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def peek(self, key: str) -> str:
        return self._read(key)[0]

    def take(self, key: str) -> str:
        text, expires_at = self._read(key)
        used = self._path(key, "used")
        try:
            os.close(os.open(used, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            raise handle_used() from None
        os.utime(used, (expires_at, expires_at))
        self._path(key, "json").unlink(missing_ok=True)
        return text

    def _read(self, key: str) -> tuple[str, float]:
        """Text and expiry. The content never changes under a reader: it is only ever unlinked."""
        path = self._path(key, "json")
        try:
            expires_at = path.stat().st_mtime
            text = path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            raise self._missing(key) from None
        except OSError as error:
            raise ResumeError("unreadable", f"the stored flow cannot be read: {error.strerror}") from error
        if self._clock() >= expires_at:
            raise handle_expired()
        return text, expires_at

    def _missing(self, key: str) -> ResumeError:
        return handle_used() if self._path(key, "used").exists() else handle_unknown()

    def _path(self, key: str, suffix: str) -> Path:
        return self._folder / f"{key}.{suffix}"

    def _sweep(self) -> None:
        """Files are kept for a day past their time, so that a late resume hears why."""
        now = self._clock()
        if now < self._next_sweep:
            return
        self._next_sweep = now + _SWEEP_SECONDS
        limit = now - 24 * 3600
        for path in self._folder.iterdir():
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < limit:
                    path.unlink()


def default_folder() -> Path:
    """The command line's folder of suspended flows; `ACTIONBOX_STATE` overrides the user's folder."""
    override = os.environ.get("ACTIONBOX_STATE")
    base = Path(override) if override else Path(platformdirs.user_state_dir("actionbox"))
    return base / "suspended"
