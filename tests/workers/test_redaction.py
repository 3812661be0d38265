"""Secrets and logs that are made for each other to be slow cost their own leg, in a real worker."""

from __future__ import annotations

import pytest

from sandbox.core.caps import KIB
from tests.workers.pools import javascript, pool, python

SAME = {f"S{number}": "a" * (4096 - number) for number in range(30)}
ESCAPED = {f"S{number}": "\x01é" * (2048 - number) for number in range(30)}
FLOOD = "for (let i = 0; i < 5; i++) console.log('%s'.repeat(20000), i);"


@pytest.mark.parametrize(
    ("secrets", "text"), [(SAME, "aaa"), (ESCAPED, "\\x01é"), (ESCAPED, "\\\\u0001\\\\u00e9")]
)
def test_a_neighbour_is_not_held_up(secrets: dict[str, str], text: str) -> None:
    with pool(workers=1, grace_seconds=2.0) as live:
        live.until(live.healthy)
        before = live.pids()
        hostile = [live.call(javascript(FLOOD % text, secrets=secrets), tenant="noisy") for _ in range(3)]
        for _ in range(5):
            assert live.run(python("print('in')")).decision == "allow"
        for flight in hostile:
            outcome = flight.result(60).outcome
            assert outcome.decision == "allow", outcome.failure
            assert sum(len(line.text.encode()) for line in outcome.actions[0].logs) <= 256 * KIB
            assert not any(
                value in line.text for line in outcome.actions[0].logs for value in secrets.values()
            )
        assert live.pids() == before
