"""The real HTTP client of guests. What it may do is policy; how it does it is in `session`."""

from __future__ import annotations

import ssl
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from sandbox.egress.allow import AllowRule
from sandbox.egress.lookup import Lookup, system_lookup
from sandbox.egress.model import EgressSession
from sandbox.egress.policy import EgressPolicy

if TYPE_CHECKING:
    from sandbox.egress.connect import CheckedResolver


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
        # Imported late: the HTTP library takes half a second, and most executions make no request.
        from sandbox.egress.session import HttpSession

        return HttpSession(self, deadline)

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
        from sandbox.egress.connect import CheckedResolver

        with self._lock:
            if self._resolver is None:
                self._resolver = CheckedResolver(self.policy, self._lookup)
            return self._resolver


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
