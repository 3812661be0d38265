"""Stubs: which request they answer, how often, how late, and what a request without one is told."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from sandbox.egress import SeenRequest, StubEgress, StubFormatError, parse_stubs
from sandbox.port.live import LivePort
from tests.sandbox.egress.fetching import fetch
from tests.sandbox.ports import live


def stubbed(*stubs: dict[str, Any]) -> tuple[LivePort, StubEgress]:
    egress = StubEgress(parse_stubs(list(stubs)))
    return live(egress=egress), egress


def test_an_answer_has_status_headers_and_body() -> None:
    port, egress = stubbed(
        {"url": "https://a.example/x", "method": "POST", "answer": {"status": 201, "json": {"sid": "é"}}}
    )
    answer = fetch(port, "https://a.example/x", method="post", headers=[["X-A", "1"]], body="hi")["ok"]
    assert (answer["status"], answer["statusText"], answer["url"]) == (201, "Created", "https://a.example/x")
    assert json.loads(answer["body"]) == {"sid": "é"}
    assert ["content-type", "application/json"] in answer["headers"]
    [seen] = egress.requests
    assert isinstance(seen, SeenRequest)
    assert (seen.method, seen.url, seen.text, seen.headers["x-a"]) == (
        "POST",
        "https://a.example/x",
        "hi",
        "1",
    )


@pytest.mark.parametrize(
    ("stub", "url", "fits"),
    [
        ({"url": "https://a.example/*"}, "https://a.example/x/y?z=1", True),
        ({"url": "https://a.example/v?"}, "https://a.example/v1", False),
        ({"url": "https://A.example"}, "https://A.example", True),
        ({"url": "https://a.example/"}, "https://A.EXAMPLE", True),
        ({"url_prefix": "https://a.example/v1/"}, "https://a.example/v1/x*", True),
        ({"url_exact": "https://a.example/*"}, "https://a.example/x", False),
        ({"url_regex": r"/users/\d+$"}, "https://a.example/users/12", True),
        ({"url_regex": r"^/users"}, "https://a.example/users", False),
        ({"url": "*", "method": "GET"}, "https://a.example/", True),
        ({"url": "*", "method": "PUT"}, "https://a.example/", False),
    ],
)
def test_a_stub_fits_by_url_and_method(stub: dict[str, Any], url: str, fits: bool) -> None:
    port, _ = stubbed(stub)
    assert ("ok" in fetch(port, url)) is fits


def test_a_stub_fits_by_body() -> None:
    port, _ = stubbed(
        {"url": "*", "body": {"json": {"to": "+1"}}, "answer": {"text": "json"}},
        {"url": "*", "body": {"text": "plain"}, "answer": {"text": "text"}},
    )
    url = "https://a.example/"
    assert fetch(port, url, method="POST", body='{ "to": "+1" }')["ok"]["body"] == b"json"
    assert fetch(port, url, method="POST", body="plain")["ok"]["body"] == b"text"
    assert fetch(port, url, method="POST", body="else")["error"]["rule"] == "no-stub"


def test_a_request_without_a_stub_is_told_which_there_are() -> None:
    port, egress = stubbed({"url": "https://a.example/x", "method": "POST"})
    error = fetch(port, "https://b.example/")["error"]
    assert (error["name"], error["code"], error["rule"]) == ("TypeError", "egress", "no-stub")
    assert "POST https://a.example/x" in error["message"]
    assert [request.url for request in egress.requests] == ["https://b.example/"]


def test_times_lets_the_next_stub_that_fits_answer() -> None:
    port, _ = stubbed({"url": "*", "times": 2, "answer": {"status": 503}}, {"url": "*"})
    statuses = [fetch(port, "https://a.example/")["ok"]["status"] for _ in range(3)]
    assert statuses == [503, 503, 200]


def test_an_error_breaks_the_request_by_its_rule() -> None:
    port, _ = stubbed({"url": "*", "error": "timeout"})
    assert fetch(port, "https://a.example/")["error"]["rule"] == "timeout"


def test_a_late_answer_is_waited_for_and_loses_against_a_timeout() -> None:
    port, _ = stubbed({"url": "*", "answer": {"delay_ms": 60, "text": "late"}})
    begun = time.monotonic()
    assert fetch(port, "https://a.example/")["ok"]["body"] == b"late"
    assert time.monotonic() - begun >= 0.06
    assert fetch(port, "https://a.example/", timeoutMs=1)["error"]["rule"] == "timeout"


def test_answers_arrive_in_the_order_of_their_delays() -> None:
    port, _ = stubbed(
        {"url": "*/slow", "answer": {"delay_ms": 120}}, {"url": "*/fast", "answer": {"delay_ms": 20}}
    )
    slow, fast = (
        port.start("fetch", json.dumps({"url": f"https://a.example/{x}"})) for x in ("slow", "fast")
    )
    settled = [json.loads(port.wait_any([slow, fast], None))["id"] for _ in range(2)]
    assert settled == [fast, slow]


def test_redirects_are_followed_between_stubs() -> None:
    port, egress = stubbed(
        {"url": "https://a.example/", "answer": {"status": 302, "headers": {"Location": "/next"}}},
        {"url": "https://a.example/next", "answer": {"text": "there"}},
    )
    answer = fetch(port, "https://a.example/", method="POST", body="x")["ok"]
    assert (answer["url"], answer["redirected"]) == ("https://a.example/next", True)
    assert [(seen.method, seen.body) for seen in egress.requests] == [("POST", b"x"), ("GET", b"")]
    assert fetch(port, "https://a.example/", redirect="manual")["ok"]["status"] == 302
    assert fetch(port, "https://a.example/", redirect="error")["error"]["rule"] == "redirects"


def test_an_abandoned_answer_does_not_keep_the_execution() -> None:
    port, _ = stubbed({"url": "*", "answer": {"delay_ms": 60_000}})
    port.start("fetch", '{"url":"https://a.example/"}')
    begun = time.monotonic()
    port.end()
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({}, "$"),
        ([1], "$[0]"),
        ([{}], "$[0]"),
        ([{"url": ""}], "$[0].url"),
        ([{"url": "*", "url_exact": "x"}], "$[0]"),
        ([{"url": "*", "reply": {}}], "$[0].reply"),
        ([{"url": "*", "method": 1}], "$[0].method"),
        ([{"url": "*", "times": 0}], "$[0].times"),
        ([{"url": "*", "error": "dns", "answer": {}}], "$[0]"),
        ([{"url": "*", "answer": {"status": 99}}], "$[0].answer.status"),
        ([{"url": "*", "answer": {"json": 1, "text": "x"}}], "$[0].answer"),
        ([{"url": "*", "answer": {"base64": "%"}}], "$[0].answer.base64"),
        ([{"url": "*", "answer": {"headers": []}}], "$[0].answer.headers"),
        ([{"url": "*", "answer": {"delay_ms": -1}}], "$[0].answer.delay_ms"),
        ([{"url": "*"}, {"url_regex": "("}], "$[1].url_regex"),
        ([{"url": "*", "body": {"json": 1, "text": ""}}], "$[0].body"),
    ],
)
def test_a_stub_that_is_written_wrong_is_named_by_its_path(data: Any, path: str) -> None:
    with pytest.raises(StubFormatError) as caught:
        parse_stubs(data)
    assert caught.value.path == path
