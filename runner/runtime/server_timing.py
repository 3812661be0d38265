"""Times of the parts of a request, for a caller that asks for them by `Prefer: server-timing`."""

from __future__ import annotations

import time
from typing import Final

HEADER: Final = "Server-Timing"
_ASKED: Final = "server-timing"


class ServerTiming:
    """Of one request; the parts in the order in which they are added."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._parts: dict[str, float] = {}

    def add(self, name: str, ms: float) -> None:
        """A part took `ms` milliseconds."""
        self._parts[name] = max(0.0, ms)

    def header(self) -> str:
        """The value of the `Server-Timing` header (W3C), with the `total` so far."""
        total = (time.perf_counter() - self._began) * 1000
        return ", ".join(f"{name};dur={ms:.3f}" for name, ms in {**self._parts, "total": total}.items())


def asked(prefer: str | None) -> ServerTiming | None:
    """A timing that begins now if a `Prefer` header (RFC 7240) asks for one."""
    if prefer is None:
        return None
    wanted = (item.partition(";")[0].strip().lower() for item in prefer.split(","))
    return ServerTiming() if _ASKED in wanted else None
