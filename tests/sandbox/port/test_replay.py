"""Replay: the same run again from its journal, or the first call that differs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.core.caps import Limits
from sandbox.core.failure import Failure, FailureCode
from sandbox.egress import StubEgress, parse_stubs
from sandbox.port.interface import HostPort
from sandbox.port.journal import Journal
from sandbox.port.live import LivePort
from sandbox.port.replay import Divergence, ReplayPort
from sandbox.result import ExecutionResult
from tests.drawn import examples
from tests.sandbox.guests import Guest, run
from tests.sandbox.ports import FakeApi

STUBS = [
    {"url": "https://a.example/slow", "answer": {"json": [1], "delay_ms": 30}},
    {"url": "https://a.example/*", "answer": {"text": "fast"}},
]


def recorded(guest: Guest, limits: Limits | None = None) -> ExecutionResult:
    api = FakeApi(cache__get={"ok": "v"}, bad={"error": {"name": "TypeError", "message": "no"}})
    port = LivePort(api, StubEgress(parse_stubs(STUBS)), limits or Limits())
    return run(guest, port, limits=limits)


def replayed(result: ExecutionResult, guest: Guest) -> tuple[ExecutionResult, ReplayPort]:
    """The replay of `result`'s journal, taken through JSON."""
    port = ReplayPort(Journal.from_json(result.journal.to_json()))
    return run(guest, port), port


def everything(port: HostPort) -> Failure | None:
    """Makes every kind of call, and calls that depend on earlier answers."""
    port.log("info", f"start {port.wall_ms()} {port.random(4).hex()}")
    slow = port.start("fetch", '{"url":"https://a.example/slow"}')
    fast = port.start("fetch", '{"url":"https://a.example/x"}')
    gone = port.start("fetch", '{"url":"https://a.example/slow"}')
    port.cancel(gone)
    first = port.wait_any([slow, fast], 5_000)
    port.wait_any([], 20)
    second = port.wait_any([slow, fast], None)
    port.log("log", first + second)
    port.api_call("metadata.set", json.dumps(["k", port.monotonic_ms()]))
    port.log("log", port.api_call("cache.get", '["k"]') + port.api_call("bad", "[]"))
    port.wall_ms()
    return None


def test_a_replay_is_the_same_run() -> None:
    first = recorded(everything)
    second, port = replayed(first, everything)
    assert port.divergence is None
    assert second.failure is None
    assert (second.commands, second.logs, second.logs_cut_bytes) == (first.commands, first.logs, 0)
    assert second.journal == first.journal
    assert second.statistics.host_calls == first.statistics.host_calls
    assert len(first.commands) == 1


def test_a_replay_does_not_wait() -> None:
    def sleepy(port: HostPort) -> None:
        for _ in range(10):
            port.wait_any([], 60)

    first = recorded(sleepy)
    assert first.statistics.wall_ms > 590
    second, port = replayed(first, sleepy)
    assert port.divergence is None
    assert second.failure is None
    assert second.statistics.wall_ms < first.statistics.wall_ms


def api_a(port: HostPort) -> None:
    port.log("log", "one")
    port.api_call("access.deny", '["a"]')
    port.random(4)


def changed(**parts: Callable[[HostPort], Any]) -> Guest:
    """`api_a` with one of its calls replaced."""

    def guest(port: HostPort) -> None:
        parts.get("log", lambda p: p.log("log", "one"))(port)
        parts.get("api", lambda p: p.api_call("access.deny", '["a"]'))(port)
        parts.get("random", lambda p: p.random(4))(port)

    return guest


@pytest.mark.parametrize(
    ("guest", "position", "expected", "actual"),
    [
        (changed(log=lambda p: p.log("warn", "one")), 1, 'console.log "one"', 'console.warn "one"'),
        (changed(log=lambda p: p.log("log", "ones")), 1, 'console.log "one"', 'console.log "ones"'),
        (changed(log=lambda p: None), 1, 'console.log "one"', 'api.access.deny ["a"]'),
        (changed(api=lambda p: p.api_call("access.deny", '["b"]')), 2, 'api.access.deny ["a"]',
         'api.access.deny ["b"]'),
        (changed(api=lambda p: p.api_call("access.allow", '["a"]')), 2, 'api.access.deny ["a"]',
         'api.access.allow ["a"]'),
        (changed(random=lambda p: p.random(5)), 3, 'random {"count":4}', 'random {"count":5}'),
        (changed(random=lambda p: None), 3, 'random {"count":4}', "the end of the execution"),
        (changed(random=lambda p: [p.random(4), p.random(4)]), 4, "the end of the execution",
         'random {"count":4}'),
        (changed(random=lambda p: [p.random(4), p.wall_ms()]), 4, "the end of the execution", "wall"),
        (changed(api=lambda p: p.start("fetch", "{}")), 2, 'api.access.deny ["a"]', "fetch {}"),
    ],
)  # fmt: skip
def test_the_first_call_that_differs_is_named(
    guest: Guest, position: int, expected: str, actual: str
) -> None:
    second, port = replayed(recorded(api_a), guest)
    assert port.divergence == Divergence(position, expected, actual)
    assert second.failure is not None
    assert second.failure.code is FailureCode.DIVERGENCE
    assert second.failure.detail["position"] == position
    assert f"diverged at entry {position}: recorded {expected}, now {actual}" in second.failure.message
    assert second.commands == ()


def test_after_a_divergence_nothing_is_answered() -> None:
    def guest(port: HostPort) -> None:
        port.log("log", "x")
        port.log("log", "one")

    _, port = replayed(recorded(api_a), guest)
    assert port.divergence is not None
    assert port.divergence.position == 1
    assert port.logs == ()


def test_a_clock_read_less_often_is_a_divergence() -> None:
    def reading(times: int) -> Guest:
        def guest(port: HostPort) -> None:
            for _ in range(times):
                port.monotonic_ms()

        return guest

    _, port = replayed(recorded(reading(2)), reading(1))
    assert port.divergence is not None
    assert port.divergence.actual == "the end of the execution"


def test_a_cap_that_was_passed_is_passed_again() -> None:
    def greedy(port: HostPort) -> None:
        for _ in range(3):
            port.api_call("x", "[1]")

    first = recorded(greedy, Limits(commands=2))
    second, port = replayed(first, greedy)
    assert first.failure is not None
    assert second.failure == first.failure
    assert second.failure.code is FailureCode.OUTPUT
    assert port.divergence is None


def test_logs_beyond_their_limit_are_counted_again() -> None:
    def chatty(port: HostPort) -> None:
        for number in range(10):
            port.log("log", f"line {number}")

    first = recorded(chatty, Limits(log_bytes=20))
    second, port = replayed(first, chatty)
    assert port.divergence is None
    assert (second.logs, second.logs_cut_bytes) == (first.logs, first.logs_cut_bytes)
    assert second.logs[-1].text.endswith("bytes more")


def test_a_run_that_was_cut_by_time_ends_where_it_was_cut() -> None:
    cut = Failure(FailureCode.TIMEOUT, "too long")

    def recording(port: HostPort) -> Failure:
        port.log("log", "one")
        return cut

    def replaying(port: HostPort) -> None:
        port.log("log", "one")
        port.log("log", "two")

    second, port = replayed(recorded(recording), replaying)
    assert port.divergence is None
    assert second.failure is not None
    assert second.failure.code is FailureCode.TIMEOUT
    third, port = replayed(recorded(recording), lambda p: None)
    assert (third.failure, port.divergence) == (None, None)


def test_a_failure_of_the_replay_is_not_hidden_by_calls_that_were_not_made() -> None:
    broken = Failure(FailureCode.MEMORY, "too much")
    second, port = replayed(recorded(api_a), lambda p: broken)
    assert second.failure == broken
    assert port.divergence is not None


def test_a_session_is_told_of_the_calls_that_were_answered() -> None:
    first = recorded(everything)
    session = FakeApi()
    run(everything, ReplayPort(first.journal, session))
    assert [path for path, _ in session.calls] == ["metadata.set", "cache.get"]


def test_a_journal_that_was_tampered_with_is_a_fault_and_no_exception() -> None:
    first = recorded(api_a)
    data = first.journal.to_data()
    data["entries"][1]["arguments"]["arguments"] = "["
    port = ReplayPort(Journal.from_data(data))
    second = run(changed(api=lambda p: p.api_call("access.deny", "[")), port)
    assert second.failure is not None
    assert second.failure.code is FailureCode.INTERNAL


texts = st.text(max_size=30) | st.sampled_from(["\ud800", "a\ud83d", "😀\udc00", "x" * 300])
calls = st.one_of(
    st.tuples(st.just("log"), st.sampled_from(["log", "warn", "odd"]), texts),
    st.tuples(st.just("api_call"), texts, st.sampled_from(["[]", '["a"]', "[", "[NaN]", '["\\ud800"]'])),
    st.tuples(st.just("start"), st.sampled_from(["fetch", "other"]), st.sampled_from(
        ['{"url":"https://a.example/"}', "{}", "", '{"url":"file:///"}', '{"url":"\\ud800"}'])),
    st.tuples(st.just("wait_any"), st.lists(st.integers(0, 4), max_size=3),
              st.sampled_from([0, 0.5, float("nan")])),
    st.tuples(st.just("cancel"), st.integers(-1, 5)),
    st.tuples(st.just("random"), st.integers(0, 20)),
    st.tuples(st.just("wall_ms")),
    st.tuples(st.just("monotonic_ms")),
)  # fmt: skip


@examples(80)
@given(st.lists(calls, max_size=25), st.sampled_from([Limits(), Limits(log_bytes=40, commands=2)]))
def test_any_run_replays_to_the_same_answers(sequence: list[tuple[Any, ...]], limits: Limits) -> None:
    def guest(port: HostPort) -> None:
        answers.append([getattr(port, name)(*arguments) for name, *arguments in sequence])

    answers: list[list[Any]] = []
    first = recorded(guest, limits)
    assert first.failure is None or first.failure.code is FailureCode.OUTPUT
    second, port = replayed(first, guest)
    assert port.divergence is None
    assert second.failure == first.failure
    assert (second.commands, second.logs, second.logs_cut_bytes) == (
        first.commands,
        first.logs,
        first.logs_cut_bytes,
    )
    if first.failure is None:
        assert answers[0] == answers[1]
