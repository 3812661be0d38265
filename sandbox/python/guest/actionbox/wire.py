"""The host functions, as the rest of the guest calls them.

The image is built with this module already imported, when there is no host: until `connect()` every
call answers nothing, so the rehearsal that warms the image runs the same code as a tenant's Action.
"""

import os
import random
from collections.abc import Iterable

from wit_world.imports import host

MAX_RANDOM_BYTES = 65_536
"""Bytes of one request to the host."""

_connected = False


def connect() -> None:
    """From now on calls reach the host."""
    global _connected
    _connected = True


def call(operation: str, argument: str) -> str:
    """A host call that answers at once."""
    return host.call(operation, argument) if _connected else ""


def unit(number: int) -> str:
    """Code that the Action brings along, a character per byte; asked for when it is first imported."""
    return call("unit", str(number))


def start(operation: str, argument: str) -> int:
    """Start an operation that settles later; its handle, 0 when no more may be started."""
    return host.start(operation, argument) if _connected else 1


def no_more() -> str:
    """The answer to operations that may not be started any more."""
    return call("no-more", "")


def wait_any(handles: Iterable[int], milliseconds: float | None) -> str:
    """Wait until one of `handles` settles; None milliseconds: as long as the execution may take."""
    if not _connected:
        return ""
    limit = -1 if milliseconds is None else max(0, min(int(milliseconds), 2**31 - 1))
    return host.wait_any(",".join(map(str, handles)), limit)


def urandom(count: int) -> bytes:
    """Random bytes from the host; never from a generator of the guest (threat-model I3)."""
    if not _connected:
        return bytes(count)
    parts = []
    while count > 0:
        step = min(count, MAX_RANDOM_BYTES)
        part = bytes.fromhex(host.call("random", str(step)))
        if len(part) != step:
            raise OSError("the host gave no random bytes")
        parts.append(part)
        count -= step
    return b"".join(parts)


def reseed() -> None:
    """Seed the shared generator of `random`, which the image froze."""
    seed(int.from_bytes(urandom(32)))


seed = random.seed
# componentize-py seeds at the first call of every instance (7 ms); `reseed` does it when it is needed.
random.seed = lambda *_arguments, **_options: None
os.urandom = urandom
random._urandom = urandom  # type: ignore[attr-defined]
