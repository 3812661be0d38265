"""From request to result: what counts, what outranks what, and what is measured."""

from __future__ import annotations

import json
import time

import pytest

from sandbox.core import caps
from sandbox.core.caps import Limits
from sandbox.core.failure import NEXT_STEP, Failure, FailureCode
from sandbox.egress import NoEgress
from sandbox.port.interface import HostPort
from sandbox.port.live import LivePort
from tests.sandbox.guests import run
from tests.sandbox.ports import FakeApi


def port(limits: Limits | None = None, api: FakeApi | None = None) -> LivePort:
    return LivePort(api or FakeApi(), NoEgress(), limits or Limits())


def test_a_completed_run_has_its_commands_logs_journal_and_figures() -> None:
    def guest(port: HostPort) -> None:
        port.log("info", "hello")
        port.api_call("access.deny", '["no"]')

    result = run(guest, port())
    assert result.ok
    assert [(command.path, command.arguments) for command in result.commands] == [("access.deny", ["no"])]
    assert [line.text for line in result.logs] == ["hello"]
    assert [entry.operation for entry in result.journal.entries] == ["log", "api"]
    assert result.journal.outcome is None
    assert result.statistics.host_calls == {"log": 1, "api": 1}
    assert result.statistics.peak_memory_bytes == 123
    assert result.statistics.cpu_ms >= 0
    assert result.statistics.wall_ms > 0


def test_a_failed_run_commits_nothing_and_keeps_logs_and_journal() -> None:
    thrown = Failure(FailureCode.THROW, "no")

    def guest(port: HostPort) -> Failure:
        port.api_call("access.deny", "[]")
        port.log("log", "before")
        return thrown

    result = run(guest, port())
    assert not result.ok
    assert result.failure == thrown
    assert result.commands == ()
    assert [line.text for line in result.logs] == ["before"]
    assert result.journal.outcome == "throw"
    assert [entry.operation for entry in result.journal.entries] == ["api", "log"]


def test_a_cap_outranks_what_the_guest_reports() -> None:
    def guest(port: HostPort) -> Failure:
        port.api_call("x", "[]")
        return Failure(FailureCode.THROW, "I am fine")

    result = run(guest, port(Limits(commands=0)))
    assert result.failure is not None
    assert result.failure.code is FailureCode.OUTPUT
    assert result.failure.detail == {"limit": "commands", "value": 0}


def test_an_engine_that_raises_is_a_fault_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    def guest(port: HostPort) -> None:
        raise RuntimeError("secret of the host")

    result = run(guest, port())
    assert result.failure is not None
    assert result.failure.code is FailureCode.INTERNAL
    assert "secret" not in result.failure.message
    assert str(result.failure.detail["id"]) in caplog.text


def test_the_port_is_closed_when_the_run_is_over() -> None:
    kept: list[HostPort] = []
    result = run(lambda p: kept.append(p), port())
    kept[0].log("log", "late")
    kept[0].api_call("access.deny", "[]")
    assert result.logs == ()
    assert kept[0].wait_any([], 10_000) == ""


def test_the_deadline_bounds_waits() -> None:
    begun = time.monotonic()

    def guest(port: HostPort) -> None:
        port.wait_any([], 60_000)

    result = run(guest, port(), limits=Limits(wall_ms=100))
    assert result.statistics.wall_ms >= 100
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize(("size", "ok"), [(caps.MAX_EVENT_BYTES, True), (caps.MAX_EVENT_BYTES + 1, False)])
def test_the_cap_on_events(size: int, ok: bool) -> None:
    event = json.dumps("x" * (size - 2))
    assert len(event) == size
    result = run(lambda p: None, port(), event=event)
    assert result.ok is ok
    if not ok:
        assert result.failure is not None
        assert result.failure.detail["limit"] == "event_bytes"


def test_every_failure_code_has_a_next_step() -> None:
    for code in FailureCode:
        assert NEXT_STEP[code]
        assert Failure(code, "x").next_step == NEXT_STEP[code]
