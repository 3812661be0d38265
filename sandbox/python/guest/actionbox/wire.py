"""The host functions, as the rest of the guest calls them.

The image is built with this module already imported, when there is no host: until `connect()` every
call answers nothing, so the rehearsal that warms the snapshot runs the same code as a tenant's Action.
"""

import os
import random

from wit_world.imports import host

_connected = False


def connect():
    """From now on calls reach the host."""
    global _connected
    _connected = True


def call(operation, argument):
    return host.call(operation, argument) if _connected else ""


def start(operation, argument):
    return host.start(operation, argument) if _connected else 1


def wait_any(handles, milliseconds):
    """Wait for one of `handles` (ints); `None` milliseconds: without a limit of our own."""
    if not _connected:
        return ""
    limit = -1 if milliseconds is None else max(0, min(int(milliseconds), 2**31 - 1))
    return host.wait_any(",".join(map(str, handles)), limit)


def urandom(count):
    """Random bytes from the host; never from a generator of the guest (threat-model I3)."""
    if not _connected:
        return bytes(count)
    parts = []
    while count > 0:
        step = min(count, 65_536)
        parts.append(bytes.fromhex(host.call("random", str(step))))
        count -= step
    return b"".join(parts)


def reseed():
    """Seed the shared generator of `random`, which the snapshot froze."""
    seed(int.from_bytes(urandom(32)))


seed = random.seed
# componentize-py seeds at the first call (7 ms in every execution); `reseed` does it when it is needed.
random.seed = lambda *arguments, **options: None
os.urandom = urandom
random._urandom = urandom
