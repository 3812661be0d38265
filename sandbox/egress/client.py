"""The real HTTP client of guests. What it may do is policy; how it does it is in `session`."""

from __future__ import annotations

import ssl
import threading
import time
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING

from sandbox.egress.http.background import submit
from sandbox.egress.http.lookup import Lookup, system_lookup
from sandbox.egress.model import Cancel, EgressSession, FetchRequest, Settle
from sandbox.egress.policy.allow import AllowRule
from sandbox.egress.policy.egress_policy import EgressPolicy

if TYPE_CHECKING:
    from sandbox.egress.http.connect import CheckedResolver
    from sandbox.egress.http.session import HttpSession


def preload() -> None:
    """Load the HTTP library, on the background thread and without waiting for it, where requests are to be
    expected: the first one need not wait then."""
    submit(_load())


async def _load() -> None:
    import sandbox.egress.http.session  # noqa: F401


class HttpEgress:
    """Requests over the network under `policy`. One per process is enough; executions share nothing.

    Args:
        policy: what may be reached.
        lookup: finds the addresses of a host name; tests replace it.
    """

    def __init__(
        self,
        policy: EgressPolicy = EgressPolicy(),  # noqa: B008 - frozen
        *,
        lookup: Lookup = system_lookup,
    ) -> None:
        self.policy = policy
        self._lookup = lookup
        self._lock = threading.Lock()
        self._tls: ssl.SSLContext | None = None
        self._resolver: CheckedResolver | None = None

    def open(self, deadline: float) -> EgressSession:
        """See `Egress.open`."""
        return _Session(self, deadline)

    def narrowed(self, allow: tuple[AllowRule, ...]) -> HttpEgress:
        """See `NarrowableEgress.narrowed`. Authorities and lookups are shared with this one."""
        return _Narrowed(self, allow)

    @property
    def tls(self) -> ssl.SSLContext:
        """Verifies certificates against the system's authorities. Loading them takes tens of
        milliseconds, so it is done once."""
        with self._lock:
            if self._tls is None:
                self._tls = ssl.create_default_context()
                if self.policy.ca_file is not None:
                    self._tls.load_verify_locations(cafile=self.policy.ca_file)
            return self._tls

    @property
    def resolver(self) -> CheckedResolver:
        """Shared by all executions, because it bounds their lookups together."""
        from sandbox.egress.http.connect import CheckedResolver

        with self._lock:
            if self._resolver is None:
                self._resolver = CheckedResolver(self.policy, self._lookup)
            return self._resolver


class _Session:
    """One execution's requests as its thread sees them: started, given up and closed.

    The HTTP library is loaded with the first request, since most executions make none, and on the background
    thread: it takes up to half a second, which would be the Action's.
    """

    def __init__(self, egress: HttpEgress, deadline: float) -> None:
        self._egress = egress
        self._deadline = deadline
        self._running: list[Future[None]] = []
        self._session: HttpSession | None = None

    def start(self, request: FetchRequest, settle: Settle) -> Cancel:
        """See `EgressSession.start`."""
        future = submit(self._settle(request, settle, time.monotonic()))
        self._running.append(future)

        def cancel() -> None:
            future.cancel()

        return cancel

    def close(self) -> None:
        """See `EgressSession.close`."""
        for future in self._running:
            future.cancel()
        if self._running:
            submit(self._shut())

    async def _settle(self, request: FetchRequest, settle: Settle, asked_at: float) -> None:
        from sandbox.egress.http.session import HttpSession

        if self._session is None:
            self._session = HttpSession(self._egress, self._deadline)
        settle(await self._session.outcome(request, asked_at))

    async def _shut(self) -> None:
        if self._session is not None:
            await self._session.close()


class _Narrowed(HttpEgress):
    def __init__(self, base: HttpEgress, allow: tuple[AllowRule, ...]) -> None:
        super().__init__(replace(base.policy, narrower=allow), lookup=base._lookup)
        self._base = base

    @property
    def tls(self) -> ssl.SSLContext:
        return self._base.tls

    @property
    def resolver(self) -> CheckedResolver:
        return self._base.resolver
