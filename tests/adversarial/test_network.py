"""What guests can reach (threat-model N1, N3, N4): every spelling of a private address, from inside both
languages, at the first hop and after a redirect."""

# ruff: noqa: E501 - tables of one-line programs

from __future__ import annotations

import json

import pytest

from sandbox.egress import EgressPolicy, HttpEgress, StubEgress, parse_stubs
from tests.adversarial.arena import PATIENT, attack, printed
from tests.flow.actions import javascript, python
from tests.sandbox.egress.peers import response, serving
from tests.sandbox.egress.test_addresses import LITERALS

URLS = [f"http://{host}/" for host in LITERALS] + [
    "https://127.0.0.1:443/", "http:127.0.0.1/", "http:/127.0.0.1/", "http:///127.0.0.1/", "http:\\\\127.0.0.1\\",
    "HTTP://127.0.0.1/", " http://127.0.0.1/ ", "http://127.0.0.1\t/", "http://user@127.0.0.1/",
    "http://1.1.1.1@127.0.0.1/", "http://127.0.0.1#@1.1.1.1/", "http://127.0.0.1?@1.1.1.1/", "http://127.0.0.1\\@1.1.1.1/",
    "http://[::ffff:10.0.0.1]:80/", "http://[64:ff9b::169.254.169.254]/latest/meta-data/", "http://localhost/",
    "http://localhost./", "http://LOCALHOST/", "http://a.localhost/", "http://metadata.google.internal/",
    "file:///etc/passwd", "FILE:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:70/_x", "unix:/var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/", "javascript:1", "about:blank", "ws://127.0.0.1/",
    "//127.0.0.1/", "/etc/passwd", "127.0.0.1", "", "http://", "http://127.0.0.1:0/", "http://127.0.0.1:99999/", "http://127.0.0.1:6379/",
]  # fmt: skip
"""Nothing of this answers, whatever the rule that refuses it."""


def lookup(host: str, port: int) -> list[tuple[int, int, int, str, tuple[str, int]]]:
    """A resolver for which every name is this machine."""
    return [(2, 1, 6, "", ("127.0.0.1", port))]


@pytest.mark.parametrize("part", range(4))
def test_no_address_of_ours_is_reached_from_javascript(part: int) -> None:
    urls = json.dumps(URLS[part::4])
    body = f"""
      for (const url of {urls}) {{
        try {{ const r = await fetch(url); console.log('REACHED', url, r.status) }}
        catch (e) {{ if (!(e instanceof TypeError)) console.log('ODD', url, String(e)) }}
      }}
      console.log('done');"""
    outcome = attack(javascript(body), limits=PATIENT, egress=HttpEgress(lookup=lookup))
    assert printed(outcome) == ["done"], outcome


@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("call", ["await fetch(url)", "http.get(url)", "await http.post(url, json={})"])
def test_no_address_of_ours_is_reached_from_python(part: int, call: str) -> None:
    if "await http" in call:
        call = "http.post(url, json={})"
    body = f"""
for url in {URLS[part::4]!r}:
    try: print('REACHED', url, ({call}).status)
    except (FetchError, ValueError, TypeError): pass
print('done')"""
    outcome = attack(python(body), limits=PATIENT, egress=HttpEgress(lookup=lookup))
    assert printed(outcome) == ["done"], outcome


REDIRECTS = [f"http://{host}/" for host in LITERALS[:12]] + [
    "//127.0.0.1/", "file:///etc/passwd", "ftp://127.0.0.1/", "data:text/plain,x", "javascript:1", "http:/\\127.0.0.1/",
    "http://user:pass@127.0.0.1/", "http://127.0.0.1:6379/", "", "http://[::1]/", "\\\\127.0.0.1\\x", "http://localhost/",
]  # fmt: skip


@pytest.mark.parametrize("language", ["javascript", "python"])
def test_no_redirect_leads_to_an_address_of_ours(language: str) -> None:
    """Each from a stubbed public site; the real client judges hops in the same place (tests/sandbox/egress/test_http.py)."""
    stubs = parse_stubs(
        [
            {
                "url": f"https://public.example/{n}",
                "answer": {"status": 302, "headers": {"Location": location}},
            }
            for n, location in enumerate(REDIRECTS)
        ]
    )
    count = len(REDIRECTS)
    action = (
        javascript(
            f"let n = 0; for (let i = 0; i < {count}; i++) try {{ const r = await fetch('https://public.example/' + i); if (r.ok || r.redirected) console.log('REACHED', i, r.url) }} catch {{ n++ }} console.log(n > 15)"
        )
        if language == "javascript"
        else python(
            f"n = 0\nfor i in range({count}):\n    try:\n        r = await fetch(f'https://public.example/{{i}}')\n        if r.ok or r.redirected: print('REACHED', i, r.url)\n    except FetchError: n += 1\nprint(n > 15)"
        )
    )
    outcome = attack(action, limits=PATIENT, egress=StubEgress(stubs))
    assert [line.lower() for line in printed(outcome)] == ["true"], printed(outcome)


@pytest.mark.parametrize("language", ["javascript", "python"])
def test_headers_of_the_host_cannot_be_set_by_a_guest(language: str) -> None:
    forbidden = {
        "Host": "evil", "Content-Length": "0", "Transfer-Encoding": "chunked", "Connection": "x", "TE": "x",
        "Proxy-Authorization": "x", "Expect": "100-continue", "Upgrade": "h2c", "Via": "x", "Trailer": "x",
    }  # fmt: skip
    with serving(x=response(b"ok")) as peer:
        action = (
            javascript(f"await fetch('{peer.url('/x')}', {{ method: 'POST', body: 'hi', headers: {json.dumps(forbidden)} }}).catch((e) => console.log(String(e)))")
            if language == "javascript"
            else python(f"try: await fetch('{peer.url('/x')}', method='POST', body='hi', headers={forbidden!r})\nexcept Exception as e: print(e)")
        )  # fmt: skip
        attack(action, limits=PATIENT, egress=HttpEgress(EgressPolicy(allow_private=True)))
        for request in peer.requests:
            head = request.partition(b"\r\n\r\n")[0].lower()
            assert f"host: 127.0.0.1:{peer.port}".encode() in head
            assert b"evil" not in head
            assert b"transfer-encoding" not in head
            assert head.count(b"content-length") == 1


INJECTIONS = ["a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rX-Evil: 1", "a\0", "a\u010aX-Evil: 1"]


@pytest.mark.parametrize("value", INJECTIONS)
@pytest.mark.parametrize("where", ["name", "value", "method", "path"])
def test_no_text_of_a_guest_adds_a_line_to_a_request(where: str, value: str) -> None:
    with serving() as peer:
        url = peer.url("/")
        parts = {
            "name": (url, {value: "1"}, "GET"),
            "value": (url, {"X": value}, "GET"),
            "method": (url, {}, value),
            "path": (url + value, {}, "GET"),
        }[where]
        target, headers, method = (json.dumps(part) for part in parts)
        for action in (
            javascript(
                f"await fetch({target}, {{ headers: {headers}, method: {method} }}).catch(() => {{}})"
            ),
            python(
                f"try: await fetch({parts[0]!r}, headers={parts[1]!r}, method={parts[2]!r})\nexcept Exception: pass"
            ),
        ):
            attack(action, limits=PATIENT, egress=HttpEgress(EgressPolicy(allow_private=True)))
        assert all(
            b"x-evil" not in line.lower().split(b":")[0]
            for r in peer.requests
            for line in r.split(b"\r\n")[1:]
        )
        assert all(b"\n" not in r.replace(b"\r\n", b"") for r in peer.requests)
