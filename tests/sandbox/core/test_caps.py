"""Every cap that the host port enforces, at its value and one above. Caps on sources, events, engines and
responses are tested beside what enforces them; `ELSEWHERE` says where."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.core import caps
from sandbox.core.caps import MIB, Limits
from sandbox.core.failure import FailureCode
from sandbox.egress import StubEgress, parse_stubs
from sandbox.egress.wire import NO_MORE, NO_MORE_ANSWER, read_request
from sandbox.port.live import STOPPED, LivePort
from tests.sandbox.egress.fetching import begin, fetch, rule
from tests.sandbox.ports import FakeApi, FakeTime, live

ELSEWHERE = {
    "MAX_SOURCE_BYTES": ("javascript", "python"),
    "MAX_SOURCE_LINES": ("javascript", "python"),
    "MAX_EVENT_BYTES": ("test_execution.py",),
    "MAX_CACHE_BYTES": ("wasm",),
    "MAX_ERROR_MESSAGE_BYTES": ("javascript", "python"),
    "MAX_STACK_FRAMES": ("javascript", "python"),
    "MAX_WASM_STACK_BYTES": ("javascript", "python", "wasm"),
    "MAX_TABLE_ELEMENTS": ("javascript", "python", "wasm"),
    "MAX_FETCH_RESPONSE_BODY_BYTES": ("egress",),
    "MAX_FETCH_TOTAL_BYTES": ("egress",),
    "MAX_FETCH_REDIRECTS": ("egress",),
    "MAX_FETCH_PARALLEL": ("egress",),
    "MAX_LOOKUPS": ("egress",),
    "MAX_MEMORY_BYTES": ("test_caps.py",),  # the end of the range of Limits.memory_bytes
    "MAX_COMPUTE_BYTES": ("hostcrypto",),
    "MAX_COMPUTE_OUTPUT_BYTES": ("hostcrypto",),
    "MAX_COMPUTE_INFLATED_BYTES": ("hostcrypto",),
    "MAX_COMPUTE_KEY_BYTES": ("hostcrypto",),
    "MAX_RSA_BITS": ("hostcrypto",),
    "MAX_RSA_SMALL_EXPONENT_BITS": ("hostcrypto",),
    "MAX_PBKDF2_WORK": ("hostcrypto",),
    "MAX_SCRYPT_BYTES": ("hostcrypto",),
    "MAX_SCRYPT_WORK": ("hostcrypto",),
    "MAX_HEAVY_COMPUTATIONS": ("hostcrypto",),
    "MAX_DEPENDENCIES": ("packages",),
    "MAX_PACKAGE_NAME": ("packages",),
    "MAX_PACKAGE_VERSION": ("packages",),
    "MAX_PACKAGES": ("packages",),
    "MAX_PACKAGE_DEPTH": ("packages",),
    "MAX_TARBALL_BYTES": ("packages",),
    "MAX_PACKAGE_ENTRIES": ("packages",),
    "MAX_PACKAGE_FILE_BYTES": ("packages",),
    "MAX_PACKAGE_BYTES": ("packages",),
    "MAX_PACKAGES_BYTES": ("packages",),
    "MAX_PACKAGE_PATH": ("packages",),
    "MAX_PACKUMENT_BYTES": ("packages",),
    "MAX_BUNDLE_BYTES": ("packages",),
    "MAX_IMAGE_BYTES": ("workers",),
    "MAX_PACKAGES_COMPILE_SECONDS": ("wheels",),
    "MAX_PACKAGES_LOAD_SECONDS": ("wheels",),
    "MAX_PACKAGE_MEMORY_BYTES": ("javascript",),
    "MAX_PACKAGE_LOADS": ("javascript",),
    "MAX_PACKAGE_FILES": ("javascript",),
    "MAX_PACKAGE_ARCHIVE_BYTES": ("javascript",),
    "MAX_PACKAGE_READS": ("javascript",),
    "MAX_PACKAGE_READ_BYTES": ("javascript",),
    "MAX_WHEEL_BYTES": ("wheels",),
    "MAX_WHEEL_ENTRIES": ("wheels",),
    "MAX_WHEEL_FILE_BYTES": ("wheels",),
    "MAX_WHEEL_INFLATED_BYTES": ("wheels",),
    "MAX_PACKAGE_SOURCE_BYTES": ("wheels",),
    "MAX_PYTHON_UNITS": ("wheels",),
    "MAX_PYTHON_UNITS_BYTES": ("python",),
}


def stopped_by(port: LivePort) -> str | None:
    """The limit in whose name the port stopped the execution; None when it goes on."""
    if port.fatal is None:
        return None
    assert port.fatal.code is FailureCode.OUTPUT
    assert str(port.fatal.detail["value"]) in port.fatal.message
    return str(port.fatal.detail["limit"])


def test_every_cap_is_tested_somewhere() -> None:
    here = Path(__file__).read_text()
    names = [name for name in vars(caps) if name.startswith("MAX_")]
    assert len(names) > 20
    for name in names:
        assert f"caps.{name}" in here or name in ELSEWHERE, f"{name} has no test"


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


def test_json_depth() -> None:
    port = live()
    assert port.api_call("x", nested(caps.MAX_JSON_DEPTH)) == ""
    error = json.loads(port.api_call("x", nested(caps.MAX_JSON_DEPTH + 1)))["error"]
    assert error["name"] == "TypeError"
    assert str(caps.MAX_JSON_DEPTH) in error["message"]
    assert stopped_by(port) is None


def test_integer_digits() -> None:
    port = live()
    assert port.api_call("x", f"[{'9' * caps.MAX_INTEGER_DIGITS}]") == ""
    assert str(caps.MAX_INTEGER_DIGITS) in port.api_call("x", f"[{'9' * (caps.MAX_INTEGER_DIGITS + 1)}]")
    assert len(port.commands) == 1


def sized(size: int) -> str:
    """A JSON list of `size` bytes."""
    return json.dumps(["x" * (size - 4)])


def test_api_argument_bytes() -> None:
    port = live()
    assert port.api_call("x", sized(caps.MAX_API_ARGUMENT_BYTES)) == ""
    assert stopped_by(port) is None
    assert port.api_call("x", sized(caps.MAX_API_ARGUMENT_BYTES + 1)) == STOPPED
    assert stopped_by(port) == "api_argument_bytes"
    assert len(port.commands) == 1


def test_api_path_bytes() -> None:
    port = live()
    assert port.api_call("x" * caps.MAX_API_PATH_BYTES, "[]") == ""
    assert "no such api member" in port.api_call("x" * (caps.MAX_API_PATH_BYTES + 1), "[]")
    assert "no such api member" in port.api_call("é" * (caps.MAX_API_PATH_BYTES // 2 + 1), "[]")
    assert len(port.commands) == 1


def test_commands() -> None:
    port = live(limits=Limits(commands=3))
    for _ in range(3):
        assert port.api_call("x", "[]") == ""
    assert stopped_by(port) is None
    assert port.api_call("x", "[]") == STOPPED
    assert stopped_by(port) == "commands"
    assert len(port.commands) == 3


def test_command_bytes() -> None:
    port = live(limits=Limits(command_bytes=100))
    port.api_call("x", sized(60))
    port.api_call("x", sized(40))
    assert stopped_by(port) is None
    assert port.api_call("x", "[]") == STOPPED
    assert stopped_by(port) == "command_bytes"
    assert len(port.commands) == 2


def test_log_line_bytes() -> None:
    port = live(limits=Limits(log_bytes=1 * MIB))
    port.log("log", "x" * caps.MAX_LOG_LINE_BYTES)
    port.log("log", "x" * (caps.MAX_LOG_LINE_BYTES + 1))
    assert [line.cut_bytes for line in port.logs] == [0, 1]
    assert port.logs[1].text.endswith("x… 1 bytes more")


@pytest.mark.parametrize(("size", "cut"), [(100, 0), (101, 1)])
def test_log_bytes(size: int, cut: int) -> None:
    port = live(limits=Limits(log_bytes=100))
    port.log("log", "x" * size)
    assert port.logs_cut_bytes == cut
    assert len(port.logs[0].text.rstrip("… bytesmor1")) == 100


def test_log_lines() -> None:
    port = live()
    for _ in range(caps.MAX_LOG_LINES):
        port.log("log", "x")
    assert len(port.logs) == caps.MAX_LOG_LINES
    assert port.logs_cut_bytes == 0
    port.log("log", "xyz")
    assert len(port.logs) == caps.MAX_LOG_LINES
    assert port.logs[-1].text == "x… 3 bytes more"
    assert stopped_by(port) is None


def test_no_log_bytes_at_all() -> None:
    port = live(limits=Limits(log_bytes=0))
    port.log("warn", "abc")
    port.log("log", "de")
    assert [(line.level, line.text) for line in port.logs] == [("warn", "… 5 bytes more")]


def test_host_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caps, "MAX_HOST_CALLS", 200)
    port = live()
    for _ in range(caps.MAX_HOST_CALLS):
        port.log("log", "x")
    assert stopped_by(port) is None
    port.log("log", "x")
    assert stopped_by(port) == "host_calls"
    assert len(port.logs) == caps.MAX_HOST_CALLS


def test_clock_readings_count_once_per_millisecond(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caps, "MAX_HOST_CALLS", 5)
    moved = FakeTime()
    port = live(clock=moved.clock)
    for _ in range(1000):
        port.wall_ms()
    assert port.host_calls == {"clock": 1}
    for _ in range(5):
        moved.now += 0.001
        port.wall_ms()
    assert stopped_by(port) == "host_calls"


def test_what_waits_does_not_grow_with_refusals() -> None:
    port = slow_port()
    handles = [begin(port, "https://a.example/") for _ in range(caps.MAX_FETCHES + 3)]
    assert handles == [*range(1, caps.MAX_FETCHES + 1), NO_MORE, NO_MORE, NO_MORE]
    assert port.wait_any(handles, 0) == ""
    assert rule(json.loads(NO_MORE_ANSWER)) == "limit"


def slow_port() -> LivePort:
    return live(egress=StubEgress(parse_stubs([{"url": "*", "answer": {"delay_ms": 60_000}}])))


def quick_port() -> LivePort:
    return live(egress=StubEgress(parse_stubs([{"url": "*"}])))


def test_fetches() -> None:
    port = quick_port()
    for _ in range(caps.MAX_FETCHES):
        assert "ok" in fetch(port, "https://a.example/")
    assert rule(fetch(port, "https://a.example/")) == "limit"
    assert stopped_by(port) is None


def url_of(size: int) -> dict[str, Any]:
    return {"url": "https://a.example/".ljust(size, "x")}


def headers_of(count: int) -> dict[str, Any]:
    return {"url": "https://a.example/", "headers": [["x", "1"]] * count}


def header_bytes_of(size: int) -> dict[str, Any]:
    return {"url": "https://a.example/", "headers": [["x", "1" * (size - 1)]]}


def body_of(size: int) -> dict[str, Any]:
    return {"url": "https://a.example/", "body": b"x" * size}


@pytest.mark.parametrize(
    ("request_of", "cap", "why"),
    [
        (url_of, caps.MAX_FETCH_URL_BYTES, "url"),
        (headers_of, caps.MAX_FETCH_HEADERS, "headers"),
        (header_bytes_of, caps.MAX_FETCH_HEADER_BYTES, "headers"),
        (body_of, caps.MAX_FETCH_REQUEST_BODY_BYTES, "too-large"),
    ],
)
def test_parts_of_a_request(request_of: Callable[[int], dict[str, Any]], cap: int, why: str) -> None:
    port = quick_port()
    assert "ok" in fetch(port, **request_of(cap))
    answer = fetch(port, **request_of(cap + 1))
    assert rule(answer) == why
    assert str(cap) in answer["error"]["message"]


def test_the_largest_request_that_the_caps_allow_fits_its_json() -> None:
    request = {
        "url": "https://a.example/".ljust(caps.MAX_FETCH_URL_BYTES, "x"),
        "headers": [["x", "é" * ((caps.MAX_FETCH_HEADER_BYTES - 1) // 2)]],
        "body": base64.b64encode(b"x" * caps.MAX_FETCH_REQUEST_BODY_BYTES).decode(),
    }
    assert len(read_request(json.dumps(request)).body or b"") == caps.MAX_FETCH_REQUEST_BODY_BYTES


def test_random_bytes() -> None:
    port = live()
    assert len(port.random(caps.MAX_RANDOM_BYTES)) == caps.MAX_RANDOM_BYTES
    assert port.random(0) == b""
    assert stopped_by(port) is None
    assert port.random(caps.MAX_RANDOM_BYTES + 1) == b""
    assert stopped_by(port) == "random"


def test_a_negative_count_of_random_bytes_is_refused() -> None:
    port = live()
    assert port.random(-1) == b""
    assert stopped_by(port) == "random"


def test_journal_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.port.recorder.MAX_JOURNAL_BYTES", 10_000)
    port = live()
    calls = 0
    while port.fatal is None:
        port.api_call("x", sized(100))
        calls += 1
    assert stopped_by(port) == "journal_bytes"
    assert caps.MAX_JOURNAL_BYTES > 10_000
    assert 40 < calls < 100


def test_call_bytes() -> None:
    """Random bytes and one api call fill it to the last byte."""
    port = live(FakeApi(x={}))
    entry = 64 + 8  # what the journal counts for an entry beside its texts
    drawn = len(base64.b64encode(bytes(caps.MAX_RANDOM_BYTES))) + entry
    whole, rest = divmod(caps.MAX_CALL_BYTES, drawn)
    for _ in range(whole):
        assert len(port.random(caps.MAX_RANDOM_BYTES)) == caps.MAX_RANDOM_BYTES
    port.api_call("x", "[]".ljust(rest - entry - len("x")))
    assert stopped_by(port) is None
    port.api_call("x", "[]")
    assert stopped_by(port) == "call_bytes"


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("wall_ms", 1, 600_000),
        ("memory_bytes", 32 * MIB, caps.MAX_MEMORY_BYTES),
        ("log_bytes", 0, 16 * MIB),
        ("commands", 0, 100_000),
        ("command_bytes", 0, 64 * MIB),
    ],
)
def test_limits_take_their_range_and_nothing_beyond(name: str, low: int, high: int) -> None:
    for value in (low, high):
        assert getattr(Limits(**{name: value}), name) == value
    others: tuple[Any, ...] = (low - 1, high + 1, True, 1.5, "1", None)
    for other in others:
        with pytest.raises(ValueError, match=f"limit {name} must be a whole number from {low} to {high}"):
            Limits(**{name: other})
