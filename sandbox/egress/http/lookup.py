"""The system's name lookup, and the shape that tests replace it with."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any

AddressInfo = tuple[Any, Any, int, str, Any]
"""Family, kind, protocol, canonical name and socket address, as `socket.getaddrinfo` gives them."""

Lookup = Callable[[str, int], Sequence[AddressInfo]]


def system_lookup(host: str, port: int) -> Sequence[AddressInfo]:
    """The addresses that the system's resolver knows for `host`. Raises `OSError`."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
