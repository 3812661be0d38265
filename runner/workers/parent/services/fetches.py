"""The requests of one leg, made by the parent: policy, caps and deadlines are enforced here."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from runner.model.outcome import FlowOutcome
from runner.workers.protocol.frames import FrameError
from runner.workers.protocol.messages import Fetch
from sandbox.core.caps import MAX_FETCHES
from sandbox.egress.model import Cancel, Egress, EgressError, EgressSession, Outcome
from sandbox.egress.narrowing import narrowed
from sandbox.egress.policy.allow import AllowRule
from sandbox.egress.wire import read_request

Tell = Callable[[Mapping[str, Any], bytes], None]
_MOST_HOSTS: Final = 50
"""Of one Action that are told."""
_SESSIONS_PER_ACTION: Final = 2
"""An execution opens one; the last good version may run as well."""


class CallFetches:
    """One per leg, on the event loop's thread.

    Args:
        egress: the operator's way out.
        allow: of each of the leg's Actions, in order.
        tell: sends a message to the worker; called from any thread.
    """

    def __init__(
        self, call: int, egress: Egress, allow: Sequence[tuple[AllowRule, ...] | None], tell: Tell
    ) -> None:
        self._call = call
        self._egress = egress
        self._allow = [rules for rules in allow if rules is not None]
        self._unrestricted = None in allow
        self._most = len(allow) * _SESSIONS_PER_ACTION
        self._tell = tell
        self._sessions: dict[int, EgressSession] = {}
        self._seen: set[tuple[int, int]] = set()
        self._cancels: dict[tuple[int, int], Cancel] = {}
        self._hosts: dict[int, dict[str, None]] = {}
        self._closed = False

    def start(self, message: Fetch, body: bytes, deadline: float) -> None:
        """Begin a request; refusals settle too.

        Args:
            deadline: of the leg, in `time.monotonic()` seconds.

        Raises:
            FrameError: no worker of ours asks so.
        """
        key = (message.session, message.fetch)
        if key in self._seen or len(self._seen) >= self._most * MAX_FETCHES:
            raise FrameError("a request was started twice, or too many were")
        self._seen.add(key)
        settle = partial(self._settle, *key)
        if self._closed:
            settle(EgressError("timeout", "The execution is over."))
            return
        try:
            request = read_request(body.decode("utf-8", "replace"))
        except EgressError as error:
            settle(error)
            return
        session = self._session(message, deadline)
        self._hosts.setdefault(message.session, {})[_host(request.url)] = None
        self._cancels[key] = session.start(request, settle)

    def _session(self, message: Fetch, deadline: float) -> EgressSession:
        session = self._sessions.get(message.session)
        if session is None:
            there = message.allow < len(self._allow) if message.allow >= 0 else self._unrestricted
            if len(self._sessions) >= self._most or not there:
                raise FrameError("a request under an allow-list that there is not")
            rules = None if message.allow < 0 else self._allow[message.allow]
            until = min(deadline, time.monotonic() + message.left_ms / 1000)
            session = self._sessions[message.session] = narrowed(self._egress, rules).open(until)
        return session

    def _settle(self, session: int, fetch: int, outcome: Outcome) -> None:
        head: dict[str, Any] = {"t": "settled", "id": self._call, "session": session, "fetch": fetch}
        if isinstance(outcome, EgressError):
            error: dict[str, Any] = {"rule": outcome.rule, "message": outcome.message}
            error |= {"system": outcome.system, "argument": outcome.argument}
            self._tell({**head, "error": error}, b"")
            return
        head["ok"] = {
            "status": outcome.status,
            "status_text": outcome.status_text,
            "url": outcome.url,
            "redirected": outcome.redirected,
            "headers": outcome.headers,
        }
        self._tell(head, outcome.body)

    def hosts_of(self, outcome: FlowOutcome) -> tuple[tuple[str, ...], ...]:
        """The hosts that each Action asked, whether it was let or not. Sessions are opened at an Action's
        first request, one after another; nothing is told when they are not as many as Actions that asked,
        because an earlier version ran as well."""
        if not self._hosts:
            return ()
        asked = [
            record.statistics is not None and record.statistics.host_calls.get("fetch", 0) > 0
            for record in outcome.actions
        ]
        if sum(asked) != len(self._hosts):
            return ()
        found = iter([tuple(self._hosts[number])[:_MOST_HOSTS] for number in sorted(self._hosts)])
        return tuple(next(found) if has_asked else () for has_asked in asked)

    def cancel(self, session: int, fetch: int) -> None:
        """Give up one request."""
        cancel = self._cancels.pop((session, fetch), None)
        if cancel is not None:
            cancel()

    def close_session(self, session: int) -> None:
        """An execution is over."""
        found = self._sessions.get(session)
        if found is not None:
            found.close()

    def close(self) -> None:
        """Give up everything; nothing more is begun."""
        self._closed = True
        for session in self._sessions.values():
            session.close()


def _host(url: str) -> str:
    """Name and port, as an allow-list has them; "" for what has none."""
    try:
        parts = urlsplit(url)
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        return ""
    return f"{(parts.hostname or '')[:253]}{port}"
