"""The host's side of the one door: whatever comes in, nothing breaks and nothing leaks."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime import _func

import sandbox
from sandbox import Language, Limits, Request, open_engine
from sandbox.core.failure import FailureCode
from sandbox.egress.none import NoEgress
from sandbox.javascript import hostcalls, pure
from sandbox.javascript.engine import JavaScriptEngine
from sandbox.javascript.hostcalls import Host
from sandbox.javascript.null_port import Silence
from sandbox.javascript.quickjs.machine import GuestStarvedError, Machine, integer, number, whole
from sandbox.port.live import LivePort
from sandbox.wasm.calls import StopGuest, entered
from sandbox.wasm.memory import GuestMemoryError
from sandbox.wasm.traps import GuestStopped
from tests.drawn import examples
from tests.sandbox.javascript.conftest import HANDLER, SURFACE, compiled
from tests.sandbox.ports import FakeApi

EDGES = [0, 1, 8, 2**16, 2**20, 2**31 - 1, -(2**31), -1, -8, -16]
numbers = st.integers(-(2**31), 2**31 - 1) | st.sampled_from(EDGES)


class _Instance:
    """A live instance outside any execution."""

    def __init__(self) -> None:
        engine = open_engine(Language.JAVASCRIPT)
        assert isinstance(engine, JavaScriptEngine)
        self.image = engine.image

    def __enter__(self) -> Host:
        self.host = Host(Silence())
        self._store = self.image.store(Limits(), time.monotonic() + 30)
        timed = self._store.__enter__()
        self._entered = entered(self.host)
        self._entered.__enter__()
        exports = self.image.instantiate(timed.store)
        self.host.machine = Machine(exports, self.image.layout)
        return self.host

    def __exit__(self, *_: object) -> None:
        self._entered.__exit__()
        self._store.__exit__(None, None, None)


@examples(60)
@given(count=numbers, boxes=numbers)
def test_hostile_pointers_are_refused_or_harmless(count: int, boxes: int) -> None:
    contained = contextlib.suppress(GuestMemoryError, GuestStarvedError, GuestStopped, StopGuest)
    with _Instance() as host, contained:
        hostcalls._host_call(host, 0, 0, 0, count, boxes)


@examples(60)
@given(operation=st.integers(-2, 14), values=st.lists(st.integers(0, 7), max_size=4))
def test_values_of_the_wrong_kind_are_answered(operation: int, values: list[int]) -> None:
    """Small integers, booleans, null, undefined in every place of every operation."""
    with _Instance() as host:
        machine = host.machine
        boxes = [machine.box_number(operation), *(machine.box_value(kind << 32) for kind in values)]
        at = machine.allocate(4 * len(boxes))
        machine.memory.write(at, b"".join(box.to_bytes(4, "little") for box in boxes))
        try:
            answer = hostcalls._host_call(host, 0, 0, 0, len(boxes), at)
        except StopGuest:
            assert operation == 1
        else:
            assert answer > 0


@given(numbers, numbers)
def test_clock_and_random_imports_check_their_pointers(kind: int, at: int) -> None:
    with _Instance() as host:
        with contextlib.suppress(GuestMemoryError):
            hostcalls._clock_time_get(host, kind, 0, at)
        with contextlib.suppress(GuestMemoryError):
            hostcalls._random_get(host, at, kind)


def test_values_are_read_as_the_engine_writes_them() -> None:
    with _Instance() as host:
        machine = host.machine

        def value_of(text: str) -> int:
            return machine.parse_json(text)

        assert [number(value_of(text)) for text in ("1.5", "-0.25", "1e300", "-7", "null")] == [
            1.5,
            -0.25,
            1e300,
            -7,
            None,
        ]
        assert [integer(pattern) for pattern in (5, 0xFFFF_FFFF, 3 << 32)] == [5, -1, None]
        kinds = [value_of(text) for text in ("7", "7.0", "1e300", "0.5", "null")]
        assert [whole(pattern) for pattern in kinds] == [7, 7, int(1e300), None, None]
        box = machine.box_number(7)  # the engine's other kind of number
        pattern = int.from_bytes(machine.memory.read(box, 8, 8), "little", signed=True)
        assert (integer(pattern), whole(pattern)) == (None, 7)
        text = "é\u2028\U0001f600"
        assert machine.text(machine.new_string(text), 100) == text
        with pytest.raises(GuestMemoryError):
            machine.text(machine.new_string("x" * 100), 99)


def test_numbers_cross_whatever_the_engine_made_of_them(evaluate: Callable[..., Any]) -> None:
    """A root is a float for the engine, also where it is whole."""
    assert evaluate("require('crypto').randomBytes(Math.sqrt(256)).length") == 16


class BrokenPort(LivePort):
    """Breaks the promise not to raise."""

    def api_call(self, path: str, arguments: str) -> str:
        raise ZeroDivisionError("secret detail of the host")

    def wall_ms(self) -> int:
        raise ZeroDivisionError("secret detail of the host")


@pytest.mark.parametrize("call", ["api.access.deny('x')", "Date.now()"])
def test_a_fault_in_a_host_function_is_ours_and_tells_nothing(call: str) -> None:
    port = BrokenPort(FakeApi(), NoEgress(), Limits())
    text = (
        f"exports.{HANDLER} = (event, api) => {{ try {{ {call} }} catch (e) {{ console.log(String(e)) }} }};"
    )
    request = Request(HANDLER, "{}", json.dumps(SURFACE))
    result = sandbox.run(compiled(text), request, Limits(), port)
    assert result.failure is not None
    assert result.failure.code is FailureCode.INTERNAL
    assert "secret" not in str(result)
    assert _func.LAST_EXCEPTION is None


class InterruptingPort(LivePort):
    def wall_ms(self) -> int:
        raise KeyboardInterrupt


def test_the_operators_interrupt_passes_through() -> None:
    port = InterruptingPort(FakeApi(), NoEgress(), Limits())
    with pytest.raises(KeyboardInterrupt):
        sandbox.run(
            compiled(f"exports.{HANDLER} = () => Date.now()"), Request(HANDLER, "{}", "{}"), Limits(), port
        )


@given(
    st.sampled_from(["utf-8", "utf-16le", "utf-16be", "latin1", "windows-1252", "evil"]),
    st.binary(max_size=64),
)
def test_decoding_never_breaks(encoding: str, data: bytes) -> None:
    loose = pure.decode(encoding, data, fatal=False)
    strict = pure.decode(encoding, data, fatal=True)
    assert (loose is None) == (encoding == "evil")
    assert strict is None or strict == loose


def test_digests_not_offered_are_none() -> None:
    assert pure.digest("md5", b"a", None) == bytes.fromhex("0cc175b9c0f1b6a831c399e269772661")
    assert pure.digest("crc32", b"a", None) is None
    assert pure.digest("../etc", b"a", b"key") is None


def test_imports_close_at_the_end() -> None:
    with _Instance() as host:
        host.outcome = (1, "{}")
        with pytest.raises(StopGuest):
            hostcalls._host_call(host, 0, 0, 0, 0, 0)
