"""The live port: what it answers, counts, bounds, journals and refuses."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from sandbox.core import caps
from sandbox.core.caps import Limits
from sandbox.core.failure import FailureCode
from sandbox.port.live import FAULT, STOPPED
from tests.sandbox.ports import FakeApi, FakeTime, live


def test_an_api_call_reaches_the_host_and_becomes_a_command() -> None:
    api = FakeApi()
    port = live(api)
    assert port.api_call("access.deny", '["no"]') == ""
    assert api.calls == [("access.deny", ["no"])]
    assert [(command.path, command.arguments) for command in port.commands] == [("access.deny", ["no"])]
    assert port.fatal is None


def test_a_query_is_answered_and_not_recorded() -> None:
    port = live(FakeApi(cache__get={"ok": {"value": "x"}}))
    assert json.loads(port.api_call("cache.get", '["k"]')) == {"ok": {"value": "x"}}
    assert port.commands == ()


def test_only_ok_error_and_event_reach_the_guest() -> None:
    reply: Any = {"ok": None, "event": [(["a"], 1)], "recorded": True, "secret": "s"}
    port = live(FakeApi(x=reply))
    assert json.loads(port.api_call("x", "[]")) == {"ok": None, "event": [[["a"], 1]]}


def test_an_error_of_the_api_is_thrown_in_the_guest_and_not_fatal() -> None:
    port = live(FakeApi(x={"error": {"name": "TypeError", "message": "no", "code": "invalid"}}))
    assert json.loads(port.api_call("x", "[]"))["error"]["code"] == "invalid"
    assert port.fatal is None


@pytest.mark.parametrize("path", ["access.allow", "", "x" * 129, "\ud800", "__proto__"])
def test_a_forged_member_is_an_error_and_records_nothing(path: str) -> None:
    api = FakeApi()
    api.call = lambda *_: {"forged": True}  # type: ignore[assignment,method-assign]
    port = live(api)
    assert "no such api member" in json.loads(port.api_call(path, "[]"))["error"]["message"]
    assert port.commands == ()
    assert port.fatal is None


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "{}",
        "1",
        "[",
        "[NaN]",
        "[Infinity]",
        "[1e999]",
        f"[{'9' * 400}]",
        "[" * 65 + "]" * 65,
        "[1,]",
        "\ufeff[]",
    ],
)
def test_arguments_that_are_no_json_list_are_a_type_error(arguments: str) -> None:
    api = FakeApi()
    port = live(api)
    assert json.loads(port.api_call("x", arguments))["error"]["name"] == "TypeError"
    assert api.calls == []
    assert port.fatal is None


def test_an_api_that_raises_shows_the_guest_nothing_and_ends_the_execution(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(arguments: list[Any]) -> Any:
        raise RuntimeError("password=hunter2")

    port = live(FakeApi(x=broken))
    assert port.api_call("x", "[]") == FAULT
    assert port.fatal is not None
    assert port.fatal.code is FailureCode.INTERNAL
    assert "hunter2" not in port.fatal.message
    assert str(port.fatal.detail["id"]) in caplog.text
    assert port.api_call("x", "[]") == STOPPED


def test_an_api_that_answers_no_json_is_a_fault_of_ours() -> None:
    port = live(FakeApi(x={"ok": {1, 2}}))
    assert port.api_call("x", "[]") == FAULT
    assert port.fatal is not None
    assert port.fatal.code is FailureCode.INTERNAL


def test_nothing_is_accepted_before_the_beginning_or_after_the_end() -> None:
    api = FakeApi()
    port = live(api)
    port.end()
    port.end()
    assert port.api_call("access.deny", "[]") == STOPPED
    port.log("info", "late")
    assert port.wait_any([], 10_000) == ""
    assert port.random(4) == b""
    assert api.calls == []
    assert (port.logs, port.commands, port.journal.entries) == ((), (), ())


def test_logs_keep_order_level_and_time() -> None:
    moved = FakeTime()
    port = live(clock=moved.clock)
    port.log("warn", "a")
    moved.now = 0.25
    port.log("nonsense", "b\x1b[31m\n")
    assert [(line.at_ms, line.level, line.text) for line in port.logs] == [
        (0.0, "warn", "a"),
        (250.0, "log", "b\x1b[31m\n"),
    ]


def test_a_long_line_is_cut_between_characters_and_says_so() -> None:
    port = live()
    text = "é" * caps.MAX_LOG_LINE_BYTES
    port.log("log", "x" + text)
    port.log("log", "next")
    [line, following] = port.logs
    assert line.cut_bytes == 1 + 2 * caps.MAX_LOG_LINE_BYTES - (caps.MAX_LOG_LINE_BYTES - 1)
    assert line.text.endswith(f"é… {line.cut_bytes} bytes more")
    assert following.text == "next"
    assert port.logs_cut_bytes == line.cut_bytes


def test_logs_stop_at_their_limit_and_count_the_rest() -> None:
    port = live(limits=Limits(log_bytes=10))
    for text in ("12345", "6789012", "more", "é"):
        port.log("log", text)
    assert [line.text for line in port.logs] == ["12345", "67890… 8 bytes more"]
    assert port.logs_cut_bytes == 8
    assert port.fatal is None


def test_a_lone_surrogate_in_a_log_is_replaced() -> None:
    port = live()
    port.log("log", "a\ud800b😀")
    assert port.logs[0].text == "a�b😀"


def test_sleep_lasts_as_long_as_asked_and_not_beyond_the_deadline() -> None:
    port = live(seconds=0.2)
    begun = time.monotonic()
    assert port.wait_any([], 50) == ""
    assert time.monotonic() - begun >= 0.05
    assert port.wait_any([], 60_000) == ""
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize("timeout", [float("nan"), -1.0, float("-inf"), 0])
def test_an_odd_timeout_does_not_wait(timeout: float) -> None:
    port = live(seconds=30)
    assert port.wait_any([], timeout) == ""
    assert port.fatal is None


def test_waiting_for_nothing_without_a_timeout_returns_at_once() -> None:
    assert live(seconds=30).wait_any([], None) == ""


def test_a_handle_that_never_was_settles_as_an_error() -> None:
    port = live(seconds=30)
    assert json.loads(port.wait_any([77], None))["error"]["name"] == "TypeError"


def test_a_refused_fetch_settles_like_any_error() -> None:
    port = live()
    handle = port.start("fetch", '{"url":"https://example.com/"}')
    answer = json.loads(port.wait_any([handle], None))
    assert (answer["id"], answer["error"]["code"], answer["error"]["rule"]) == (
        handle,
        "egress",
        "no-network",
    )


def test_a_cancelled_fetch_never_settles() -> None:
    port = live(seconds=30)
    handle = port.start("fetch", '{"url":"https://example.com/"}')
    port.cancel(handle)
    assert port.wait_any([handle], 10) == ""


def test_clock_readings_of_one_millisecond_are_one_entry_and_one_call() -> None:
    moved = FakeTime()
    port = live(clock=moved.clock)
    readings = [port.wall_ms(), port.monotonic_ms(), port.wall_ms(), port.monotonic_ms()]
    moved.now = 0.003
    readings += [port.wall_ms(), port.monotonic_ms()]
    assert readings == [1_700_000_000_000, 0, 1_700_000_000_000, 0, 1_700_000_000_003, 3]
    assert port.host_calls == {"clock": 4}
    coded = [(entry.operation, entry.result["ms"], entry.repeat) for entry in port.journal.entries]
    assert coded[:2] == [("wall", 1_700_000_000_000, 2), ("monotonic", 0, 2)]


def test_host_calls_are_counted_by_kind() -> None:
    port = live()
    port.api_call("x", "[]")
    port.log("log", "x")
    port.start("fetch", "{}")
    port.wait_any([1], 0)
    port.cancel(1)
    port.random(8)
    assert port.host_calls == {"api": 1, "log": 1, "fetch": 1, "wait": 1, "cancel": 1, "random": 1}


def test_random_bytes_are_fresh() -> None:
    assert live().random(16) != live().random(16)
