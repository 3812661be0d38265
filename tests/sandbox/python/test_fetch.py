"""Requests of Python Actions: `await fetch(...)` and `http.get(...)`."""

# ruff: noqa: E501 - programs of one line

from __future__ import annotations

import base64
import email
import json
import time

import pytest

from sandbox.core.failure import FailureCode
from sandbox.egress.doubles.stub import Stub, StubEgress
from tests.sandbox.python.actions import Runner

JSON = (("Content-Type", "application/json; charset=utf-8"),)


def stub(**options: object) -> StubEgress:
    defaults: dict[str, object] = {"url": "*", "headers": JSON, "body": b'{"a": [1, "\xc3\xa9"]}'}
    return StubEgress([Stub(**(defaults | options))])  # type: ignore[arg-type]


def test_fetch(runner: Runner) -> None:
    lines = """
        r = await fetch("https://api.example.com/x")
        print(r.status, r.ok, r.status_text, r.headers["CONTENT-type"], r.headers.get("nope"), r)
        print(r.text, r.text() == await r.text(), r.json(), await r.json(), r.content[:3], r.bytes() == r.content)
    """
    expected = [
        "200 True OK application/json; charset=utf-8 None <Response [200]>",
        "{\"a\": [1, \"é\"]} True {'a': [1, 'é']} {'a': [1, 'é']} b'{\"a' True",
    ]
    assert runner.printed(lines, egress=stub()) == expected


def test_blocking_requests(runner: Runner) -> None:
    lines = """
        import http
        print(http.get("https://api.example.com/x").json()["a"][0], http.post("https://a.example/", json=1).status_code)
    """
    assert runner.printed(lines, egress=stub()) == ["1 200"]


def test_blocking_requests_in_a_plain_handler(runner: Runner) -> None:
    source = "def on_execute_post_login(event, api):\n    print(http.get('https://api.example.com/x').status)"
    result = runner.run(source, egress=stub())
    assert [line.text for line in result.logs] == ["200"]


def test_what_is_sent(runner: Runner) -> None:
    egress = stub()
    lines = """
        url = "https://api.example.com/x?a=1#f"
        await fetch(url, method="post", headers={"X-One": 1}, json={"b": None}, params={"q": "ä b", "r": [1, 2]})
        await fetch(url, method="PUT", data={"k": "v w"})
        await fetch(url, method="PATCH", data=b"raw", headers=[("Content-Type", "text/plain")])
        await fetch(url, body="text", method="DELETE")
    """
    assert runner.printed(lines, egress=egress) == []
    first, second, third, fourth = egress.requests
    assert (first.method, first.url) == ("POST", "https://api.example.com/x?a=1&q=%C3%A4+b&r=1&r=2")
    assert json.loads(first.body or b"") == {"b": None}
    sent = {name.lower(): value for name, value in dict(first.headers).items()}
    assert (sent["x-one"], sent["content-type"]) == ("1", "application/json")
    assert (second.method, second.body) == ("PUT", b"k=v+w")
    assert (third.body, dict(third.headers).get("content-type")) == (b"raw", "text/plain")
    assert (fourth.method, fourth.body) == ("DELETE", b"text")


def test_what_users_of_requests_and_httpx_write(runner: Runner) -> None:
    egress = stub(status=202, headers=(("Set-Cookie", "a=1"), ("set-cookie", "b=2")))
    lines = """
        import http as h
        r = http.get("https://api.example.com/x", {"a": [1, 2], "none": None}, auth=("me", "pässword"), cookies={"k": "v"}, timeout=(1, 2.5))
        print(r.reason_phrase, r.is_success, r.is_error, r.is_redirect, r.encoding, r.headers.get_list("Set-Cookie"), h.HTTPStatus(r.status_code).name)
        http.post("https://api.example.com/x", {"a": "b c"}, allow_redirects=False)
        http.post("https://api.example.com/x", data=[("a", 1), ("a", 2)], follow_redirects=True)
        http.put("https://api.example.com/x", content=b"raw")
        http.options("https://api.example.com/x", params="?q=1", redirect="error")
        print(list((await fetch("https://api.example.com/x")).iter_lines()))
    """
    assert runner.printed(lines, egress=egress) == [
        "Accepted True False False utf-8 ['a=1', 'b=2'] ACCEPTED",
        '[\'{"a": [1, "é"]}\']',
    ]
    got, posted, pairs, put, asked, _ = egress.requests
    sent = {name.lower(): value for name, value in dict(got.headers).items()}
    assert got.url == "https://api.example.com/x?a=1&a=2"
    assert base64.b64decode(sent["authorization"].removeprefix("Basic ")) == "me:pässword".encode()
    assert sent["cookie"] == "k=v"
    assert (posted.body, posted.method) == (b"a=b+c", "POST")
    assert (pairs.body, put.body) == (b"a=1&a=2", b"raw")
    assert (asked.method, asked.url) == ("OPTIONS", "https://api.example.com/x?q=1")


def test_files_are_sent_as_a_form(runner: Runner) -> None:
    egress = stub()
    lines = """
        import io
        http.post("https://api.example.com/x", data={"note": "é", "tags": ["a", "b"]},
                  files={"plain": b"1", "named": ('r"\\n.csv', io.StringIO("a,b"), "text/csv"), "bytes": ("x.bin", b"\\x00")})
    """
    runner.printed(lines, egress=egress)
    (request,) = egress.requests
    kind = dict(request.headers)["content-type"]
    message = email.message_from_bytes(
        b"Content-Type: " + kind.encode() + b"\r\n\r\n" + (request.body or b"")
    )
    parts = [
        (
            part.get_param("name", header="content-disposition"),
            part.get_filename(),
            part.get_payload(decode=True),
        )
        for part in message.get_payload()
    ]
    assert parts == [
        ("note", None, "é".encode()),
        ("tags", None, b"a"),
        ("tags", None, b"b"),
        ("plain", "plain", b"1"),
        ("named", "r%22%0A.csv", b"a,b"),
        ("bytes", "x.bin", b"\x00"),
    ]


def test_requests_run_side_by_side(runner: Runner) -> None:
    lines = """
        import asyncio
        rs = await asyncio.gather(*[fetch(f"https://api.example.com/{i}") for i in range(5)])
        print([r.status for r in rs])
    """
    began = time.monotonic()
    assert runner.printed(lines, egress=stub(delay_ms=800)) == ["[200, 200, 200, 200, 200]"]
    assert time.monotonic() - began < 5 * 0.8


def test_requests_start_before_they_are_awaited(runner: Runner) -> None:
    egress = stub()
    lines = "a = fetch('https://api.example.com/1')\nhttp.get('https://api.example.com/2')\nprint((await a).status)"
    assert runner.printed(lines, egress=egress) == ["200"]
    assert [request.url[-1] for request in egress.requests] == ["1", "2"]


def test_refusals_can_be_caught(runner: Runner) -> None:
    lines = """
        for error_type in (FetchError, OSError):
            try:
                await fetch("https://10.0.0.1/")
            except error_type as error:
                print(type(error).__name__, error.rule)
    """
    egress = stub(error="private-address")
    assert runner.printed(lines, egress=egress) == ["FetchError private-address"] * 2


def test_timeouts_are_timeout_errors(runner: Runner) -> None:
    lines = (
        "try:\n    http.get('https://slow.example/', timeout=1)\nexcept TimeoutError as e:\n    print(e.rule)"
    )
    assert runner.printed(lines, egress=stub(error="timeout")) == ["timeout"]


def test_an_uncaught_refusal_is_an_egress_failure(runner: Runner) -> None:
    failure = runner.failure("x = 1\nawait fetch('https://example.com/')")
    assert failure.code is FailureCode.EGRESS
    assert failure.place is not None
    assert (failure.place.line, failure.place.excerpt) == (3, "    await fetch('https://example.com/')")


def test_a_refusal_among_several_is_an_egress_failure(runner: Runner) -> None:
    lines = """
        import asyncio
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.wait_for(fetch("https://example.com/"), 5))
    """
    assert runner.failure(lines).code is FailureCode.EGRESS


def test_wait_for_gives_up_a_request(runner: Runner) -> None:
    lines = """
        import asyncio
        try:
            await asyncio.wait_for(fetch("https://slow.example/"), 0.05)
        except TimeoutError:
            print("gave up")
    """
    began = time.monotonic()
    assert runner.printed(lines, egress=stub(delay_ms=3_000)) == ["gave up"]
    assert time.monotonic() - began < 2


def test_raise_for_status(runner: Runner) -> None:
    lines = """
        from actionbox import HTTPStatusError
        r = await fetch("https://api.example.com/x")
        try:
            r.raise_for_status()
        except HTTPStatusError as error:
            print(error, error.response.status)
    """
    assert runner.printed(lines, egress=stub(status=503)) == [
        "HTTP 503 Service Unavailable for https://api.example.com/x 503"
    ]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("fetch('https://a/', json=1, data=2)", "give only one of body=, json= and data="),
        ("fetch('https://a/', body={})", "a request body is str or bytes, not dict; use json= for objects"),
        ("fetch('https://a/', timeout='1')", "timeout is a number of seconds above zero"),
        ("fetch('https://a/', timeout=0)", "timeout is a number of seconds above zero"),
        (
            "fetch('https://a/', jsn=1)",
            "fetch() got an unexpected keyword argument 'jsn'; it takes allow_redirects, auth,",
        ),
        (
            "http.get('https://a/', verify=False)",
            "http.get() has no option 'verify': certificates are always verified",
        ),
        (
            "http.post('https://a/', json=1, files={'a': b''})",
            "give only one of body=, json= and data= (files= may go",
        ),
        (
            "http.get('https://a/', auth='x')",
            "auth is a pair of user name and password; other schemes go into headers=",
        ),
        ("http.get('https://a/', redirect='no')", "redirect is 'follow', 'manual' or 'error', not 'no'"),
        (
            "http.get('https://a/', redirect='follow', allow_redirects=True)",
            "give only one of redirect=, allow_redirects=",
        ),
        ("http.get('https://a/', timeout=(1, -1))", "timeout is a number of seconds above zero"),
    ],
)
def test_wrong_options_raise_at_the_call(runner: Runner, call: str, message: str) -> None:
    failure = runner.failure(call)
    assert failure.code is FailureCode.THROW
    assert failure.message.startswith(message)


def test_a_request_left_pending_does_not_hold_the_action(runner: Runner) -> None:
    began = time.monotonic()
    assert runner.printed("fetch('https://slow.example/')", egress=stub(delay_ms=3_000)) == []
    assert time.monotonic() - began < 2


def test_answers_that_are_no_json(runner: Runner) -> None:
    lines = "try:\n    (await fetch('https://a.example/')).json()\nexcept ValueError as e:\n    print(type(e).__name__)"
    assert runner.printed(lines, egress=stub(body=b"<html>")) == ["JSONDecodeError"]


def test_bodies_in_other_charsets(runner: Runner) -> None:
    headers = (("Content-Type", "text/plain; charset=ISO-8859-1"), ("X-Many", "1"), ("x-many", "2"))
    lines = "r = await fetch('https://a.example/')\nprint(r.text, r.headers['X-Many'])"
    assert runner.printed(lines, egress=stub(headers=headers, body=b"\xe9")) == ["é 1, 2"]


def test_a_request_that_nobody_awaits_is_sent(runner: Runner) -> None:
    egress = stub(url="https://api.example.com/hook", delay_ms=20)
    result = runner.run(
        "async def on_execute_post_login(event, api):\n"
        "    fetch('https://api.example.com/hook', method='POST', body='told')\n",
        egress=egress,
    )
    assert result.failure is None
    assert [request.text for request in egress.requests] == ["told"]
    waits = [entry.result["answer"] for entry in result.journal.entries if entry.operation == "wait"]
    assert [bool(answer) for answer in waits] == [True], "the answer came, and nobody heard it"


def test_a_request_that_nobody_awaits_holds_the_handler_for_a_while_only(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.port.drain.LINGER_MS", 100)
    result = runner.run(
        "def on_execute_post_login(event, api):\n    fetch('https://api.example.com/')\n",
        egress=stub(delay_ms=60_000),
    )
    assert result.failure is None
    waits = [entry.result["answer"] for entry in result.journal.entries if entry.operation == "wait"]
    assert waits == [""]


def test_requests_that_were_answered_or_cancelled_are_not_waited_for(runner: Runner) -> None:
    lines = """
        await fetch("https://api.example.com/x")
        late = fetch("https://api.example.com/y")
        late.cancel()
        await asyncio.sleep(0)
    """
    result = runner.run(
        "import asyncio\nasync def on_execute_post_login(event, api):\n"
        + lines.replace("\n        ", "\n    "),
        egress=stub(),
    )
    assert result.failure is None
    waits = [entry.arguments["timeout_ms"] for entry in result.journal.entries if entry.operation == "wait"]
    assert set(waits) <= {None, 0.0}, "the loop's own waits"
