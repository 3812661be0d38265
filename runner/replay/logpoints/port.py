"""The port of a replay whose source has calls of ours in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from runner.replay.logpoints.taps import Taps
from runner.replay.port import SessionPort
from sandbox import hostcrypto
from sandbox.core.json_text import encode
from sandbox.egress.wire import NO_MORE
from sandbox.port.interface import ApiHost
from sandbox.port.journal import Entry, Journal

_REFUSED: Final = encode(
    {"error": {"name": "Error", "message": "an expression of --log may only look", "code": "aside"}}
)


class TappedPort(SessionPort):
    """Takes the calls' lines out, and answers without the journal while an expression is evaluated.

    `places`: file and line that had been passed last, by number of the journal's entry.
    """

    def __init__(self, journal: Journal, api: ApiHost, action: int, taps: Taps) -> None:
        super().__init__(journal, api)
        self._action = action
        self._taps = taps
        self.places: dict[int, str] = {}

    def log(self, level: str, text: str) -> None:
        if self.accepting and (self._taps.heard(self._action, text) or self._taps.aside):
            return
        super().log(level, text)

    def api_call(self, path: str, arguments: str) -> str:
        return _REFUSED if self._taps.aside else super().api_call(path, arguments)

    def start(self, operation: str, arguments: str) -> int:
        return NO_MORE if self._taps.aside else super().start(operation, arguments)

    def wait_any(self, handles: Sequence[int], timeout_ms: float | None) -> str:
        return "" if self._taps.aside else super().wait_any(handles, timeout_ms)

    def cancel(self, handle: int) -> None:
        if not self._taps.aside:
            super().cancel(handle)

    def random(self, count: int) -> bytes:
        return bytes(count) if self._taps.aside else super().random(count)

    def compute(self, operation: str, arguments: str) -> str:
        if self._taps.aside and operation in hostcrypto.RANDOMISED:
            return _REFUSED
        return super().compute(operation, arguments)

    def wall_ms(self) -> int:
        return self._last_reading["wall"] if self._taps.aside else super().wall_ms()

    def monotonic_ms(self) -> int:
        return self._last_reading["monotonic"] if self._taps.aside else super().monotonic_ms()

    def _take(
        self,
        operation: str,
        arguments: Mapping[str, Any],
        same: Callable[[Entry, Mapping[str, Any]], bool] | None = None,
    ) -> Entry:
        entry = super()._take(operation, arguments, same)
        place = self._taps.line.get(self._action)
        if place is not None:
            self.places[entry.sequence] = place
        return entry
