"""The last thing before the image is taken: everything alive is there to stay.

The host makes the listed objects immortal (`sandbox/python/immortal.py`).
"""

import array
import gc
import sys
from types import CodeType
from typing import Any

MARK = b"actionbox: addresses of objects:"
"""What the host looks for; a count and rising addresses follow."""
YOUNG_OBJECTS = 20_000
"""Objects made before the collector looks at them; most executions end sooner."""
ABOVE_ALL_HOLES = 2 * 1024 * 1024
"""Bytes that no hole can hold, so that they lie above all of them."""
SIZES = (*(1024 << power for power in range(10, -1, -1)), *range(1016, 0, -8))
"""Bytes of plugs: large holes first, then what is left of them."""

_listed: Any = None
_plugs: list[bytes] = []


def settle() -> None:
    """Keep the collector away from the image, list its objects and close the holes between them."""
    global _listed
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
    addresses = _addresses()
    _listed = bytearray(MARK + array.array("I", [len(addresses)]).tobytes() + addresses.tobytes())
    del addresses
    _plug()


def _addresses() -> array.array[int]:
    """Rising addresses of what the modules hold on to, and so of nothing that is about to go.

    Seen objects are bits, one for each four bytes of memory: a set of them would itself be megabytes.
    """
    seen = bytearray(id(bytes(ABOVE_ALL_HOLES)) // 32 + 1)
    waiting: list[Any] = [sys.modules]
    while waiting:
        value = waiting.pop()
        place, bit = divmod(id(value) >> 2, 8)
        if value is waiting or value is seen or seen[place] >> bit & 1:
            continue
        seen[place] |= 1 << bit
        waiting.extend(gc.get_referents(value))
        if type(value) is CodeType:
            waiting += [value.co_consts, value.co_names, value.co_linetable, value.co_exceptiontable]
            waiting += [value.co_name, value.co_qualname, value.co_filename]
        elif isinstance(value, type):
            waiting += type.__subclasses__(value)
    found = array.array("I")
    for place, bits in enumerate(seen):
        if bits:
            found.extend((place * 8 + bit) << 2 for bit in range(8) if bits >> bit & 1)
    return found


def _plug() -> None:
    """Fill the holes of the heap: an execution then writes to fresh memory that lies together, instead of
    making a private copy of every page that has a little room left."""
    gc.collect()  # empties Python's own lists of free objects
    top = id(bytes(ABOVE_ALL_HOLES))
    for size in SIZES:
        while True:
            plug = bytes(size)
            _plugs.append(plug)
            if id(plug) >= top:
                break
