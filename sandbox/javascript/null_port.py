"""A port for instances that run no tenant code: nothing happens, and all readings are 0."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.core.failure import Failure


class Silence:
    """Implements `sandbox.port.interface.HostPort`."""

    fatal: Failure | None = None

    def log(self, level: str, text: str) -> None:
        del level, text

    def api_call(self, path: str, arguments: str) -> str:
        del path, arguments
        return ""

    def start(self, operation: str, arguments: str) -> int:
        del operation, arguments
        return 1

    def wait_any(self, handles: Sequence[int], timeout_ms: float | None) -> str:
        del handles, timeout_ms
        return ""

    def cancel(self, handle: int) -> None:
        del handle

    def wall_ms(self) -> int:
        return 0

    def monotonic_ms(self) -> int:
        return 0

    def random(self, count: int) -> bytes:
        return bytes(count)

    def compute(self, operation: str, arguments: str) -> str:
        del operation, arguments
        return "{}"

    def begin(self, deadline: float) -> None:
        del deadline

    def end(self) -> None:
        """Nothing began."""
