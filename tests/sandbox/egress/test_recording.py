"""Answers that are kept answer the same requests again; rules as people write them."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.egress import (
    AllowRule,
    EgressPolicy,
    HttpEgress,
    RecordingEgress,
    StubEgress,
    parse_allow,
    parse_stubs,
)
from sandbox.egress.narrowing import narrowed
from tests.sandbox.egress.fetching import fetch, rule
from tests.sandbox.egress.peers import redirect, response, serving
from tests.sandbox.ports import live


def asked(egress: Any, requests: list[tuple[str, dict[str, Any]]]) -> list[Any]:
    """Status, body and headers of each answer; the rule of a refusal."""
    port = live(egress=egress)
    found: list[Any] = []
    for url, options in requests:
        answer = fetch(port, url, **options)
        told = answer.get("ok")
        found.append(
            rule(answer) if told is None else (told["status"], told["body"], dict(told["headers"]).get("x-a"))
        )
    return found


def test_what_was_recorded_answers_again() -> None:
    answers = iter([response(b"first", X_A="1"), response(b"second")])
    with serving(
        turn=lambda connection, _: connection.sendall(next(answers)),
        bytes=response(b"\xff\x00"),
        gone=response(b"no", status="404 Not Found"),
        away=redirect("/bytes"),
        post=response(b'{"ok": true}', Content_Type="application/json"),
    ) as peer:
        json = [["content-type", "application/json"]]
        requests = [
            (peer.url("/turn"), {}),
            (peer.url("/turn"), {}),
            (peer.url("/bytes"), {}),
            (peer.url("/gone"), {}),
            (peer.url("/away"), {}),
            (peer.url("/post"), {"method": "POST", "body": '{"a": 1}', "headers": json}),
            ("http://nowhere.invalid/", {}),
        ]
        recording = RecordingEgress(HttpEgress(EgressPolicy(allow_private=True)))
        first = asked(recording, requests)
    stubs = recording.stubs()
    assert first[0] == (200, b"first", "1")
    assert first[-1] == "dns"
    assert [stub.get("times") for stub in stubs] == [1, *[None] * 6]
    assert "date" not in stubs[0]["answer"]["headers"]
    assert asked(StubEgress(parse_stubs(stubs)), requests) == first


def test_a_narrowed_one_records_what_was_refused() -> None:
    recording = RecordingEgress(StubEgress(parse_stubs([{"url": "*", "answer": {"text": "x"}}])))
    narrow = narrowed(recording, (AllowRule("a.example"),))
    assert asked(narrow, [("https://a.example/", {}), ("https://b.example/", {})])[1] == "allow-list"
    assert [stub.get("error") for stub in recording.stubs()] == [None, "allow-list"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("api.example.com", AllowRule("api.example.com")),
        ("API.example.com/v1", AllowRule("api.example.com", paths=("/v1",))),
        ("*.example.com:8443", AllowRule("*.example.com", ports=frozenset({8443}))),
        ("get,POST a.example/x/y", AllowRule("a.example", frozenset({"GET", "POST"}), ("/x/y",))),
        ("[::1]:80", AllowRule("::1", ports=frozenset({80}))),
    ],
)
def test_a_rule_is_read(text: str, expected: AllowRule) -> None:
    assert parse_allow(text) == expected


@pytest.mark.parametrize(
    "text", ["", "a b c", "https://a.example", "GET, a.example", "a.example:70000", "*", "/path"]
)
def test_what_is_no_rule(text: str) -> None:
    with pytest.raises(ValueError, match="allow-list"):
        parse_allow(text)
