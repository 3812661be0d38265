"""From host name to socket: every address is judged when it is looked up and again when a socket is made
for it, so that no second lookup comes between check and use (threat-model N1, N2)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from sandbox.core import caps
from sandbox.egress.http.lookup import AddressInfo, Lookup
from sandbox.egress.http.systemnames import system_name
from sandbox.egress.model import EgressError
from sandbox.egress.policy.addresses import parse_address
from sandbox.egress.policy.egress_policy import EgressPolicy


class RefusedAddressError(OSError):
    """A socket was asked for an address that the policy refuses. `reason` is the refusal."""

    def __init__(self, reason: EgressError) -> None:
        super().__init__(reason.message)
        self.reason = reason


class CheckedResolver(AbstractResolver):
    """Looks names up on threads of their own, so that one slow server delays nobody else, and refuses a
    name of which any address is refused."""

    def __init__(self, policy: EgressPolicy, lookup: Lookup) -> None:
        self._policy = policy
        self._lookup = lookup
        self._free = threading.BoundedSemaphore(caps.MAX_LOOKUPS)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of `host`. Raises `EgressError`."""
        del family
        try:
            found = await self._on_thread(host, port)
        except (OSError, UnicodeError) as error:
            said = f"The host name {host} could not be resolved."
            raise EgressError("dns", said, system_name(error)) from error
        if not found:
            raise EgressError("dns", f"The host name {host} has no address.")
        return [self._checked(host, port, info) for info in found]

    async def close(self) -> None:
        """Nothing to release: threads end with their lookup."""

    def _checked(self, host: str, port: int, info: AddressInfo) -> ResolveResult:
        family, _, proto, _, sockaddr = info
        check_sockaddr(self._policy, host, sockaddr)
        return ResolveResult(
            hostname=host,
            host=sockaddr[0],
            port=port,
            family=family,
            proto=proto,
            flags=socket.AI_NUMERICHOST,
        )

    async def _on_thread(self, host: str, port: int) -> Sequence[AddressInfo]:
        if not self._free.acquire(blocking=False):
            raise EgressError("dns", "Too many host names are being resolved; try again.")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Sequence[AddressInfo]] = loop.create_future()
        work = partial(self._run, loop, future, host, port)
        threading.Thread(target=work, name="actionbox-lookup", daemon=True).start()
        return await future

    def _run(
        self,
        loop: asyncio.AbstractEventLoop,
        future: asyncio.Future[Sequence[AddressInfo]],
        host: str,
        port: int,
    ) -> None:
        try:
            found = self._lookup(host, port)
        except Exception as error:  # noqa: BLE001 - handed to the waiting request
            settle = partial(_settle, future.set_exception, future, error)
        else:
            settle = partial(_settle, future.set_result, future, found)
        finally:
            self._free.release()
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(settle)


def checked_socket(policy: EgressPolicy, info: AddressInfo) -> socket.socket:
    """A socket for an address that `policy` lets pass; the last check, on what is really connected to.
    Raises `RefusedAddressError`."""
    family, kind, proto, _, sockaddr = info
    try:
        check_sockaddr(policy, str(sockaddr[0]), sockaddr)
    except EgressError as error:
        raise RefusedAddressError(error) from error
    return socket.socket(family, kind, proto)


def check_sockaddr(policy: EgressPolicy, host: str, sockaddr: Any) -> None:
    """Judge the address in `sockaddr`. Raises `EgressError`; anything that is no plain address is refused."""
    address = parse_address(str(sockaddr[0]))
    if address is None:
        raise EgressError("private-address", f"{host} is not reachable: its address is link-local.")
    policy.check_address(address, host)


def _settle(put: Callable[[Any], None], future: asyncio.Future[Any], value: Any) -> None:
    if not future.done():
        put(value)
