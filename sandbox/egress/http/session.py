"""One execution's requests over the network: every hop is judged, counted and bounded; nothing ambient is
sent.

No cookies, no proxy, no credentials of the host's environment, certificates always verified. Connections
are kept for one execution at most, so that no byte of one tenant's exchange meets another's
(threat-model I6).
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import io
import logging
import ssl
import time
from collections.abc import AsyncIterator
from typing import Final, Protocol

import aiohttp
from multidict import CIMultiDict

from sandbox.core import caps
from sandbox.egress.http.connect import CheckedResolver, checked_socket
from sandbox.egress.http.errors import translate
from sandbox.egress.http.framing import StrictConnector
from sandbox.egress.http.response import Budget, checked_headers, read_body, status_text
from sandbox.egress.model import EgressError, FetchRequest, FetchResponse, Outcome
from sandbox.egress.policy.egress_policy import EgressPolicy
from sandbox.egress.policy.redirects import Hop, first_hop, next_hop

_log: Final = logging.getLogger(__name__)
_NO_AUTO_HEADERS: Final = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
_NO_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=None)
"""Time is bounded from outside, over lookup, connection, redirects and body together."""


class ConnectionSettings(Protocol):
    """Settings of connections. Authorities and resolver are read with the first connection, since loading
    them takes time and may fail."""

    @property
    def policy(self) -> EgressPolicy: ...

    @property
    def tls(self) -> ssl.SSLContext: ...

    @property
    def resolver(self) -> CheckedResolver: ...


class HttpSession:
    """All of it runs on the background loop."""

    def __init__(self, settings: ConnectionSettings, deadline: float) -> None:
        self._settings = settings
        self._policy = settings.policy
        self._deadline = deadline
        self._slots = asyncio.Semaphore(self._policy.parallel)
        self._budget = Budget(self._policy.response_bytes, self._policy.total_bytes)
        self._client: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections that are kept."""
        if self._client is not None:
            await self._client.close()

    async def outcome(self, request: FetchRequest, asked_at: float) -> Outcome:
        """The response or error of `request`, which was made at `asked_at` (`time.monotonic()` seconds)."""
        try:
            return await self._fetch(request, asked_at)
        except EgressError as error:
            return error
        except Exception:  # noqa: BLE001 - the guest waits: it gets an answer that tells nothing of the fault
            _log.exception("an outbound request failed in a way that is not translated")
            return EgressError("protocol", "The request failed.")

    async def _fetch(self, request: FetchRequest, asked_at: float) -> FetchResponse:
        hop = first_hop(request)
        self._policy.check(hop.method, hop.url)
        host = str(hop.url.raw_host)
        async with self._until(host, asked_at, request.timeout_ms), self._slots:
            # A request without a timeout of its own gets the usual one from its turn on.
            usual = self._policy.timeout_ms if request.timeout_ms is None else None
            async with self._until(host, time.monotonic(), usual):
                return await self._follow(hop)

    async def _follow(self, hop: Hop) -> FetchResponse:
        while True:
            self._policy.check(hop.method, hop.url)
            try:
                answer = await self._exchange(hop)
            except EgressError:
                raise
            except Exception as error:
                refusal = translate(error, str(hop.url.raw_host))
                if refusal is None:
                    raise
                raise refusal from error
            if isinstance(answer, FetchResponse):
                return answer
            hop = answer

    async def _exchange(self, hop: Hop) -> FetchResponse | Hop:
        """The response to one hop, or the hop that it redirects to (whose body is never read)."""
        async with self._http().request(
            hop.method,
            hop.url,
            headers=CIMultiDict(hop.headers),
            data=None if hop.body is None else io.BytesIO(hop.body),
            skip_auto_headers=_NO_AUTO_HEADERS,
            allow_redirects=False,
        ) as response:
            headers = checked_headers(response)
            following = next_hop(hop, response.status, headers)
            if following is not None:
                response.close()
                return following
            body = await read_body(response, self._budget)
        return FetchResponse(
            status=response.status,
            status_text=status_text(response),
            url=str(hop.url),
            redirected=hop.redirected,
            headers=headers,
            body=body,
        )

    def _http(self) -> aiohttp.ClientSession:
        if self._client is None:
            connector = StrictConnector(
                most_content=self._policy.response_bytes,
                ssl=self._settings.tls,
                resolver=self._settings.resolver,
                use_dns_cache=False,
                limit=self._policy.parallel,
                socket_factory=functools.partial(checked_socket, self._policy),
            )
            self._client = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                timeout=_NO_TIMEOUT,
                max_field_size=caps.MAX_FETCH_HEADER_BYTES,
                max_headers=caps.MAX_FETCH_HEADERS,
            )
        return self._client

    @contextlib.asynccontextmanager
    async def _until(self, host: str, begun: float, timeout_ms: float | None) -> AsyncIterator[None]:
        """Bounds what runs inside by `timeout_ms` from `begun` and by the execution's deadline."""
        until = self._deadline if timeout_ms is None else min(self._deadline, begun + timeout_ms / 1000)
        try:
            async with asyncio.timeout(max(0.0, until - time.monotonic())):
                yield
        except TimeoutError as error:
            limit = "the execution's time" if timeout_ms is None else f"its timeout of {timeout_ms:g} ms"
            raise EgressError("timeout", f"The request to {host} took longer than {limit}.") from error
