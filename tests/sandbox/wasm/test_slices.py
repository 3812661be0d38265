"""Computing in slices: guests of a thread with a pace ask on, and end at their deadline as others do."""

from __future__ import annotations

import math
import time

import pytest

import sandbox
from sandbox.core.caps import Limits
from sandbox.core.pace import paced
from sandbox.core.program import Language, Request, Source
from sandbox.egress.none import NoEgress
from sandbox.port.live import LivePort
from sandbox.result import ExecutionResult
from tests.sandbox.ports import FakeApi

JAVASCRIPT = "exports.onExecutePostLogin = async (event, api) => {{ {} }};"
PYTHON = "async def on_execute_post_login(event, api):\n    {}\n"


class Counting:
    """A pace that is always gated and never in the way."""

    def __init__(self) -> None:
        self.gated = True
        self.until = math.inf
        self.steps = self.turns = self.ends = 0

    def step(self) -> None:
        self.steps += 1

    def turn(self) -> None:
        self.turns += 1

    def leave(self) -> None:
        pass

    def ended(self) -> None:
        self.ends += 1

    def begin_slow(self) -> bool:
        return True

    def end_slow(self) -> None:
        pass


def execute(language: Language, body: str, wall_ms: int = 5_000) -> tuple[ExecutionResult, Counting]:
    text = JAVASCRIPT if language is Language.JAVASCRIPT else PYTHON
    limits = Limits(wall_ms=wall_ms)
    program = sandbox.build(Source(language, "a", text.format(body)), limits)
    handler = "onExecutePostLogin" if language is Language.JAVASCRIPT else "on_execute_post_login"
    pace = Counting()
    with paced(pace):
        port = LivePort(FakeApi(), NoEgress(), limits)
        result = sandbox.run(program, Request(handler, "{}", "{}"), limits, port)
    return result, pace


@pytest.mark.parametrize("language", Language)
def test_what_takes_several_slices_ends_well(language: Language) -> None:
    body = (
        "const end = Date.now() + 100; while (Date.now() < end); console.log('done')"
        if language is Language.JAVASCRIPT
        else "import time\n    end = time.time() + 0.1\n    while time.time() < end: pass\n    print('done')"
    )
    for _ in range(3):
        result, pace = execute(language, body)
        assert result.failure is None, result.failure
        assert [line.text for line in result.logs] == ["done"]
        assert pace.turns >= 1
        assert pace.steps >= 2
        assert pace.ends == 1


@pytest.mark.parametrize("language", Language)
def test_a_loop_ends_at_its_deadline_and_the_next_guest_is_not_taken_for_it(language: Language) -> None:
    loop = "for (;;);" if language is Language.JAVASCRIPT else "while True: pass"
    began = time.monotonic()
    result, pace = execute(language, loop, wall_ms=200)
    assert result.failure is not None
    assert result.failure.code == "timeout"
    assert time.monotonic() - began < 20
    assert pace.turns >= 5
    for other in Language:
        again, _ = execute(other, "console.log(1)" if other is Language.JAVASCRIPT else "print(1)")
        assert again.failure is None, again.failure


@pytest.mark.parametrize("language", Language)
def test_a_build_that_a_busy_machine_holds_up_goes_on(
    language: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its deadline has passed before it had any of its time."""
    monkeypatch.setattr("sandbox.wasm.slices.time", Late())
    line = "a = [1, 2, 3, {'b': 4}];\n" if language is Language.PYTHON else "a = [1, 2, 3, {b: 4}];\n"
    pace = Counting()
    with paced(pace):
        program = sandbox.build(Source(language, "a", line * 3_000), Limits(wall_ms=2_000))
    assert program.code
    if language is Language.PYTHON:  # which takes several slices
        assert pace.turns >= 1, "it took no turns with others any more"


class Late:
    """Instead of `time`: three seconds later on the wall."""

    def monotonic(self) -> float:
        return time.monotonic() + 3

    def thread_time(self) -> float:
        return time.thread_time()
