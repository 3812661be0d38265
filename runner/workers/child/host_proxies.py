"""Proxies for network, cache, directory and store, which the parent has, for a `Runner` in a worker."""

from __future__ import annotations

import base64
import itertools
import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from runner.model.errors import ResumeError
from runner.workers.protocol.channel import Link
from sandbox.egress.model import (
    Cancel,
    EgressSession,
    FetchRequest,
    FetchResponse,
    Outcome,
    Settle,
)
from sandbox.egress.policy.allow import AllowRule
from sandbox.egress.wire import read_error
from triggers.api.cache import MAX_KEY_BYTES
from triggers.engine.services import CacheRecord

_UNRESTRICTED: Final = -1


class RemoteEgress:
    """The way out of one leg. `narrowed` finds the number by which the parent knows an allow-list.

    Args:
        waits: told when the leg makes a request: it will wait for the answer.
    """

    def __init__(
        self, link: Link, call: int, allow: Sequence[tuple[AllowRule, ...]], waits: Callable[[], None]
    ) -> None:
        self._link = link
        self._call = call
        self._allow = allow
        self._waits = waits
        self._sessions: dict[int, _Session] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def open(self, deadline: float) -> EgressSession:
        """See `Egress.open`."""
        return self._open(deadline, _UNRESTRICTED)

    def narrowed(self, allow: tuple[AllowRule, ...]) -> _Narrowed:
        """See `NarrowableEgress.narrowed`."""
        return _Narrowed(self, self._allow.index(allow))

    def _open(self, deadline: float, allow: int) -> EgressSession:
        number = next(self._numbers)
        session = _Session(self._link, self._call, number, allow, deadline, self._waits)
        with self._lock:
            self._sessions[number] = session
        return session

    def settled(self, head: dict[str, Any], body: bytes) -> None:
        """Hand an answer to the request it is for."""
        with self._lock:
            session = self._sessions.get(head["session"])
        if session is not None:
            session.settled(head, body)


@dataclass(frozen=True, slots=True)
class _Narrowed:
    egress: RemoteEgress
    allow: int

    def open(self, deadline: float) -> EgressSession:
        return self.egress._open(deadline, self.allow)


class _Session:
    """Implements `EgressSession`; caps and policy are the parent's."""

    def __init__(
        self, link: Link, call: int, number: int, allow: int, deadline: float, waits: Callable[[], None]
    ) -> None:
        self._link = link
        self._facts = {"id": call, "session": number}
        self._allow = allow
        self._deadline = deadline
        self._waits = waits
        self._count = itertools.count(1)
        self._settles: dict[int, Settle] = {}
        self._lock = threading.Lock()
        self._used = False

    def start(self, request: FetchRequest, settle: Settle) -> Cancel:
        """See `EgressSession.start`."""
        self._used = True
        self._waits()
        number = next(self._count)
        with self._lock:
            self._settles[number] = settle
        left = min(max(0.0, self._deadline - time.monotonic()) * 1000, 3_600_000.0)
        head = {"t": "fetch", **self._facts, "fetch": number, "allow": self._allow, "left_ms": left}
        self._link.send(head, _wire(request))

        def cancel() -> None:
            with self._lock:
                waiting = self._settles.pop(number, None)
            if waiting is not None:
                self._link.send({"t": "fetch_cancel", **self._facts, "fetch": number})

        return cancel

    def settled(self, head: dict[str, Any], body: bytes) -> None:
        with self._lock:
            settle = self._settles.pop(head["fetch"], None)
        if settle is not None:
            settle(_outcome(head, body))

    def close(self) -> None:
        """See `EgressSession.close`."""
        with self._lock:
            self._settles.clear()
        if self._used:
            self._link.send({"t": "session_close", **self._facts})


def _wire(request: FetchRequest) -> bytes:
    """As guests write it, so that the parent reads it with the same checks; no longer than they do."""
    data: dict[str, Any] = {
        "url": request.url,
        "method": request.method,
        "headers": request.headers,
        "redirect": request.redirect,
    }
    if request.body is not None:
        data["body"] = base64.b64encode(request.body).decode("ascii")
    if request.timeout_ms is not None:
        data["timeoutMs"] = request.timeout_ms
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def _outcome(head: dict[str, Any], body: bytes) -> Outcome:
    if "error" in head:
        return read_error(head["error"])
    found = head["ok"]
    return FetchResponse(
        status=found["status"],
        status_text=found["status_text"],
        url=found["url"],
        redirected=found["redirected"],
        headers=tuple((name, value) for name, value in found["headers"]),
        body=body,
    )


@dataclass(frozen=True, slots=True)
class RemoteCache:
    """Implements `triggers.CacheStore` for the tenant and trigger of one leg."""

    link: Link
    call: int

    def _ask(self, op: str, now: int, **facts: Any) -> Any:
        return self.link.ask({"t": "cache", "id": self.call, "op": op, "now": now, **facts})[0]["ok"]

    def get(self, key: str, now: int) -> CacheRecord | None:
        """See `CacheStore.get`. A key that is too long was never set."""
        found = self._ask("get", now, key=key) if len(key) <= MAX_KEY_BYTES else None
        return None if found is None else CacheRecord(found["value"], found["expires_at"])

    def set(self, key: str, record: CacheRecord, now: int) -> None:
        """See `CacheStore.set`."""
        self._ask("set", now, key=key, value=record.value, expires_at=record.expires_at)

    def delete(self, key: str, now: int) -> bool:
        """See `CacheStore.delete`."""
        return bool(self._ask("delete", now, key=key)) if len(key) <= MAX_KEY_BYTES else False

    def usage(self, now: int) -> tuple[int, int]:
        """See `CacheStore.usage`."""
        count, size = self._ask("usage", now)
        return count, size


@dataclass(frozen=True, slots=True)
class RemoteDirectory:
    """Implements `triggers.Directory`."""

    link: Link
    call: int

    def _ask(self, op: str, subject: str, organization: str | None = None) -> Any:
        body = json.dumps([subject, organization], ensure_ascii=False).encode()
        return self.link.ask({"t": "directory", "id": self.call, "op": op}, body)[0]["ok"]

    def groups(self, user_id: str) -> Any:
        """See `Directory.groups`."""
        return self._ask("groups", user_id)

    def roles(self, user_id: str, organization_id: str | None) -> Any:
        """See `Directory.roles`."""
        return self._ask("roles", user_id, organization_id)

    def group_type(self, group_id: str) -> Any:
        """See `Directory.group_type`."""
        return self._ask("group_type", group_id)


@dataclass(slots=True)
class LegStore:
    """A `SuspensionStore` for one leg: what it suspends leaves with the reply, and what it resumes came
    with the call. Whether it may resume is asked of the parent, which lets one of them have it."""

    link: Link
    call: int
    waiting: str | None = None
    put_text: str = ""
    put_expires_at: float | None = field(default=None)

    def put(self, key: str, text: str, expires_at: float) -> None:  # noqa: ARG002 - the protocol's shape
        """See `SuspensionStore.put`. The parent makes the key itself."""
        self.put_text, self.put_expires_at = text, expires_at

    def peek(self, key: str) -> str:  # noqa: ARG002
        """See `SuspensionStore.peek`."""
        assert self.waiting is not None, "this leg resumes nothing"
        return self.waiting

    def take(self, key: str) -> str:  # noqa: ARG002
        """See `SuspensionStore.take`."""
        assert self.waiting is not None, "this leg resumes nothing"
        refused = self.link.ask({"t": "take", "id": self.call})[0]["ok"]
        if refused is not None:
            raise ResumeError(refused["code"], refused["message"], next_step=refused["next_step"])
        return self.waiting
