"""A draft on a recorded event: live api, and the world as it was."""

from __future__ import annotations

import json
from typing import Any

from sandbox.core.caps import Limits
from sandbox.egress import StubEgress, parse_stubs
from sandbox.port.interface import ApiHost, HostPort
from sandbox.port.journal import Journal
from sandbox.port.live import Clock, LivePort
from sandbox.port.shadow import ShadowPort
from tests.sandbox.guests import Guest, run
from tests.sandbox.ports import FakeApi


def shadow_port(journal: Journal, api: ApiHost) -> ShadowPort:
    return ShadowPort(journal, api, Limits(), wall_ms=1_700_000_000_000)


def asked(port: HostPort, **request: Any) -> dict[str, Any]:
    handle = port.start("fetch", json.dumps(request))
    answer: dict[str, Any] = json.loads(port.wait_any([handle], None))
    return answer


def record(guest: Guest) -> Journal:
    stubs = parse_stubs(
        [
            {"url": "https://a.example/x", "times": 1, "answer": {"text": "first"}},
            {"url": "https://a.example/x", "answer": {"text": "second"}},
            {"url": "https://a.example/broken", "error": "timeout"},
        ]
    )
    port = LivePort(FakeApi(), StubEgress(stubs), Limits(), clock=Clock(wall=lambda: 1_000.5))
    return Journal.from_json(run(guest, port).journal.to_json())


def test_a_draft_meets_the_world_of_the_record_and_a_live_api() -> None:
    seen: dict[str, Any] = {}

    def original(port: HostPort) -> None:
        seen["time"], seen["random"] = port.wall_ms(), port.random(8)
        for url in ("x", "x", "broken"):
            asked(port, url=f"https://a.example/{url}")
        port.api_call("old", "[]")

    def draft(port: HostPort) -> None:
        port.log("log", "drafts may do other things, in another order")
        broken = asked(port, url="https://a.example/broken", method="get")
        assert broken["error"]["rule"] == "timeout"
        bodies = [asked(port, url="https://a.example/x")["ok"]["body"] for _ in range(3)]
        assert bodies == ["Zmlyc3Q=", "c2Vjb25k", "c2Vjb25k"]
        assert asked(port, url="https://a.example/new")["error"]["rule"] == "no-record"
        assert port.random(8) == seen["random"]
        assert len(port.random(8)) == 8
        assert port.wall_ms() == seen["time"]
        assert port.wall_ms() - seen["time"] < 10_000
        assert json.loads(port.api_call("new", "[1]")) == {"ok": 1}

    api = FakeApi(new={"ok": 1})
    port = shadow_port(record(original), api)
    result = run(draft, port)
    assert result.failure is None
    assert api.calls == [("new", [1])]


def test_a_record_without_readings_gives_the_time_that_is_said() -> None:
    port = shadow_port(record(lambda port: None), FakeApi())
    read: list[int] = []
    result = run(lambda p: read.append(p.wall_ms()), port)
    assert result.failure is None
    assert read == [1_700_000_000_000]


def test_the_same_body_is_preferred() -> None:
    def original(port: HostPort) -> None:
        for body in ("YQ==", "Yg=="):
            asked(port, url="https://a.example/x", method="POST", body=body)

    def draft(port: HostPort) -> None:
        answer = asked(port, url="https://a.example/x", method="POST", body="Yg==")
        assert answer["ok"]["body"] == "c2Vjb25k"

    assert run(draft, shadow_port(record(original), FakeApi())).failure is None
