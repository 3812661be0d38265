"""The port of a shadow run: another program on a recorded event. The api is answered live, and the world as
the record has it (`sandbox.port.recorded_world`); nothing is sent and nothing waits."""

from __future__ import annotations

from typing import Final

from sandbox import hostcrypto
from sandbox.core.caps import Limits
from sandbox.egress.none import NoEgress
from sandbox.port.interface import ApiHost
from sandbox.port.journal import Journal
from sandbox.port.live import Clock, LivePort
from sandbox.port.pending_fetches import Operations
from sandbox.port.recorded_world import RecordedChance, RecordedWorld, Unanswered
from sandbox.port.recorder import fingerprint

_NO_CLOCK: Final = Clock(wall=lambda: 0.0, monotonic=lambda: 0.0)


class ShadowPort(LivePort):
    """One shadow run (`sandbox.port.interface.ExecutionPort`). Its own journal holds what the program did.

    Args:
        journal: of the recorded execution.
        api: answers api calls.
        limits: of this execution.
        wall_ms: milliseconds since 1970 at its start, for a record that read no clock.

    Raises:
        JournalError: the journal's answers are damaged.
    """

    def __init__(self, journal: Journal, api: ApiHost, limits: Limits, *, wall_ms: int) -> None:
        chance = RecordedChance(journal)
        super().__init__(api, NoEgress(), limits, clock=_NO_CLOCK, entropy=chance.draw)
        self._chance = chance
        self._world = RecordedWorld(
            journal, wall_ms, limits.wall_ms, self._out_of_time, lambda: len(self._commands)
        )

    @property
    def unanswered(self) -> tuple[Unanswered, ...]:
        """Requests that the record has no answer to, in order. The program saw a network error."""
        return tuple(self._world.unanswered)

    def _new_operations(self, deadline: float) -> Operations:  # noqa: ARG002 - nothing waits
        return self._world

    def _milliseconds(self, operation: str) -> int:
        return self._world.milliseconds(operation)

    def _elapsed_ms(self) -> float:
        return 0.0

    def _computed(self, operation: str, arguments: str) -> str:
        if operation in hostcrypto.RANDOMISED:
            recorded = self._chance.computed(operation, fingerprint(arguments))
            if recorded is not None:
                return recorded
        return super()._computed(operation, arguments)
