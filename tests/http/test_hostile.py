"""Bodies, paths and headers of hostile clients: 4xx in the documented shape, nothing changed (P4-P6, P8)."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.http.json_body import BodyError, parse_body
from runner.model.caps import MAX_BODY_BYTES, MAX_BODY_DEPTH
from tests.serving.server import Client, Reply, Server, running, settings_for

GOOD = {"name": "x", "supported_triggers": [{"id": "post-login"}]}


@pytest.fixture
def client(embedded: Server) -> Client:
    return embedded.client()


def check_shape(reply: Reply, status: int) -> None:
    assert reply.status == status, reply
    assert reply.json["statusCode"] == status
    assert {"statusCode", "error", "message"} <= set(reply.json)
    assert not any(word in str(reply.json) for word in ("Traceback", "site-packages", "sqlalchemy"))
    assert reply.headers["X-Request-Id"]


def deep(levels: int) -> bytes:
    return b'{"payload": ' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (b"", "a JSON body is required"),
        (b"null", "a JSON body is required"),
        (b"{", "line 1, column"),
        (b"[]", "$"),
        (b'"text"', "$"),
        (b"1", "$"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (json.dumps(GOOD).encode()[:-1] + b', "name": "y"}', "the property name stands twice at $"),
        (
            b'{"name": "x", "supported_triggers": [{"id": "a", "id": "b"}]}',
            "twice at $.supported_triggers[0]",
        ),
        (b'{"name": "\\ud800", "supported_triggers": []}', "$.name"),
        (b'{"name": "a\\u0000b", "supported_triggers": []}', "$.name"),
        (b'{"na\\u0000me": 1}', "NUL"),
        (b'{"name": NaN}', "NaN"),
        (b'{"name": [1, -Infinity]}', "$.name[1]"),
        (b'{"name": 1e999}', "too large"),
        (b'{"name": ' + b"9" * 309 + b"}", "308 digits"),
        (b"[" * 100_000, "deeper than 64"),
        (b'{"a":' * 100_000, "deeper than 64"),
        (b'{"__proto__": {"x": 1}, "name": "x", "supported_triggers": [{"id": "post-login"}]}', "__proto__"),
    ],
)
def test_bodies(client: Client, raw: bytes, place: str) -> None:
    reply = client.call("POST", "/actions", raw=raw)
    check_shape(reply, 400)
    assert reply.json["errorCode"] == "invalid_body"
    assert place in reply.json["message"]
    assert client.get("/actions")["actions"] == []


def test_the_cap_on_depth(client: Client) -> None:
    action = client.create()
    at_the_cap = client.call("POST", f"/actions/{action['id']}/test", raw=deep(MAX_BODY_DEPTH))
    assert "deeper" not in at_the_cap.json["message"]
    above = client.call("POST", f"/actions/{action['id']}/test", raw=deep(MAX_BODY_DEPTH + 1))
    assert "deeper than 64" in above.json["message"]


def test_the_cap_on_size(client: Client) -> None:
    padding = MAX_BODY_BYTES - len(json.dumps({**GOOD, "x": ""}))
    body = json.dumps({**GOOD, "x": "a" * padding}).encode()
    assert len(body) == MAX_BODY_BYTES
    check_shape(client.call("POST", "/actions", raw=body), 400)
    check_shape(client.call("POST", "/actions", raw=body + b" "), 413)


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/xml",
        "application/json; charset=utf-16",
    ],
)
def test_content_types(client: Client, kind: str) -> None:
    reply = client.call("POST", "/actions", raw=json.dumps(GOOD).encode(), headers={"Content-Type": kind})
    check_shape(reply, 415)


def test_compressed_bodies_are_not_inflated(client: Client) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    check_shape(client.call("POST", "/actions", raw=b"\x1f\x8b" + b"\0" * 100, headers=headers), 415)


def test_paths_and_methods(client: Client) -> None:
    for path in (
        "//",
        "//api/v2",
        "//api/v2/actions",
        "//api/v2/actions/actions/",
        "//api/v2/../../etc/passwd",
    ):
        check_shape(client.call("GET", path), 404)
    check_shape(client.call("PUT", "/actions"), 405)
    check_shape(client.call("DELETE", "/triggers"), 405)
    for bad in ("%00", "..%2f..", "a" * 5000, "%ff", "1'--"):
        check_shape(client.call("GET", f"/actions/{bad}"), 404)


@pytest.mark.parametrize(
    "query",
    [
        "page=-1",
        "page=x",
        "page=1.5",
        "page=99999999999999999999",
        "per_page=0",
        "per_page=101",
        "page=1&page=2",
        "deployed=maybe",
        "actionName=%00",
        "nothing=1",
        "include_totals=true",
        "a[]=1",
    ],
)
def test_queries(client: Client, query: str) -> None:
    reply = client.call("GET", f"/actions?{query}")
    check_shape(reply, 400)
    assert reply.json["errorCode"] == "invalid_query_string"


@pytest.mark.parametrize("text", ["' or '1'='1", "%", "_", '"; drop table actions; --', "\\", "a' || 'b"])
def test_texts_are_only_texts(client: Client, text: str) -> None:
    client.create("an action", built=False)
    named = client.create(text, built=False)
    assert [
        item["id"] for item in client.get("/actions", actionName=text.replace("%", "%25"))["actions"]
    ] == [named["id"]]
    assert client.get("/actions")["total"] == 2


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with low limits."""
    folder: Path = tmp_path_factory.mktemp("impatient")
    changes = {"read_seconds": 0.5, "rate_per_second": 1, "rate_burst": 5, "max_body_bytes": 2_000}
    with running(settings_for(folder, **changes)) as server:
        yield server


def raw_request(server: Server, text: bytes) -> bytes:
    """What the server answers to exactly these bytes."""
    port = urlsplit(server.url).port
    with socket.create_connection(("127.0.0.1", port or 0), timeout=10) as connection:
        connection.sendall(text)
        parts = []
        while part := connection.recv(65_536):
            parts.append(part)
            if b"\r\n\r\n" in b"".join(parts) and b"}" in parts[-1]:
                break
        return b"".join(parts)


def test_slow_bodies(impatient: Server) -> None:
    client = impatient.client()
    head = f"POST /api/v2/actions/actions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {client.token}\r\n"
    answer = raw_request(impatient, f"{head}Content-Length: 100\r\n\r\n{{".encode())
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"statusCode":408' in answer


def test_endless_chunks(impatient: Server) -> None:
    client = impatient.client()
    head = f"POST /api/v2/actions/actions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {client.token}\r\n"
    chunk = b"400\r\n" + b"a" * 0x400 + b"\r\n"
    answer = raw_request(impatient, f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk * 3)
    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
    ],
)
def test_smuggling_and_floods(impatient: Server, head: bytes) -> None:
    status = raw_request(impatient, head + b"\r\n\r\n").split(b" ", 2)[1]
    assert status in (b"400", b"404", b"431")


def test_the_rate_limit(impatient: Server) -> None:
    client = impatient.client()
    replies = [client.call("GET", "/triggers") for _ in range(8)]
    assert [reply.status for reply in replies][:5] == [200] * 5
    assert replies[0].headers["X-RateLimit-Limit"] == "5"
    assert replies[0].headers["X-RateLimit-Remaining"] == "4"
    refused = [reply for reply in replies if reply.status == 429]
    assert refused
    check_shape(refused[0], 429)
    assert int(refused[0].headers["Retry-After"]) >= 1
    assert int(refused[0].headers["X-RateLimit-Reset"]) > 1_700_000_000
    assert impatient.client().call("GET", "/triggers").status == 200, "another tenant has a limit of its own"


def test_guessing_is_slowed_down(impatient: Server) -> None:
    nobody = Client(impatient.url, "", "eyJhbGciOiJub25lIn0.e30.")
    statuses = [nobody.call("GET", "/triggers").status for _ in range(400)]
    assert statuses[0] == 401
    assert 429 in statuses
    assert impatient.client().call("GET", "/triggers").status == 200, "who shares the address is not shut out"


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(values)
def test_good_json_is_read_as_it_is(value: object) -> None:
    assert parse_body(json.dumps(value).encode()) == value


@given(st.dictionaries(st.text("abcde_", min_size=1), values, min_size=1), st.sampled_from([None, 1]))
def test_members_are_handed_on_as_they_came(body: dict[str, object], indent: int | None) -> None:
    found = parse_body(b" " + json.dumps(body, indent=indent).encode() + b"\n")
    assert found == body
    assert {name: json.loads(found.text_of(name)) for name in body} == body


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with contextlib.suppress(BodyError):
        parse_body(raw)


def test_requests_of_one_tenant_at_a_time(tmp_path: Path) -> None:
    """Whoever sends slowly holds so many and no more; others are served, and places are free again."""
    with running(settings_for(tmp_path, tenant_requests=2)) as server, contextlib.ExitStack() as held:
        slow, other = server.client(), server.client()
        head = (
            f"POST /api/v2/actions/actions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {slow.token}\r\n"
            "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
        )
        assert eventually(slow, 200).status == 200
        refused = slow.call("GET", "/triggers")
        while refused.status != 429:
            # One that comes while the question above is answered is refused itself: one after the other.
            assert refused.status == 200, refused
            client = socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0))
            held.enter_context(client)
            client.sendall(head.encode())
            time.sleep(0.05)
            refused = slow.call("GET", "/triggers")
        check_shape(refused, 429)
        assert refused.json["errorCode"] == "too_many_requests"
        assert refused.headers["Retry-After"] == "1"
        assert other.call("GET", "/triggers").status == 200
        held.close()
        eventually(slow, 200)


def eventually(client: Client, status: int) -> Reply:
    """The first answer with `status`."""
    deadline = time.monotonic() + 20
    while (reply := client.call("GET", "/triggers")).status != status:
        assert time.monotonic() < deadline, reply
        time.sleep(0.02)
    return reply
