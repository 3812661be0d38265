"""Actions that call servers which mean harm, or are broken: each sees a typed failure, in both languages."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import sandbox
from sandbox.core.caps import KIB, MIB, Limits
from sandbox.core.failure import FailureCode
from sandbox.core.program import Language, Request, Source
from sandbox.egress import EgressPolicy, HttpEgress
from sandbox.port.live import LivePort
from sandbox.result import ExecutionResult
from tests.sandbox.egress.peers import Answer, certificate, redirect, response, serving
from tests.sandbox.ports import FakeApi

HURRY_MS = 300
PATIENCE_MS = 15_000
"""For those that are refused by another rule than their slowness, on a machine that is busy."""
CAP = 64 * KIB


def sends(*chunks: bytes, pause: float = 0.0, forever: bool = False) -> Answer:
    """An answer that sends `chunks`, the last one again and again if `forever`, with pauses between."""

    def answer(connection: socket.socket, _: bytes) -> None:
        for chunk in chunks:
            connection.sendall(chunk)
            time.sleep(pause)
        while forever:
            connection.sendall(chunks[-1])
            time.sleep(pause)

    return answer


def waits_after(*chunks: bytes) -> Answer:
    """An answer that sends `chunks` and then nothing, until the client goes."""

    def answer(connection: socket.socket, _: bytes) -> None:
        for chunk in chunks:
            connection.sendall(chunk)
            time.sleep(0.05)
        with contextlib.suppress(OSError):
            while connection.recv(1024):
                pass

    return answer


HEAD = b"HTTP/1.1 200 OK\r\n"
LENGTH = HEAD + b"Content-Length: 3\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
BOMB = gzip.compress(bytes(32 * MIB))
ROUTES: dict[str, tuple[str, Answer]] = {
    "never_answers": ("timeout", sends(b"", pause=0.05, forever=True)),
    "drips_its_headers": ("timeout", sends(HEAD, b"X-A: 1\r\n", pause=0.05, forever=True)),
    "drips_its_body": ("timeout", sends(HEAD + b"\r\n", b"x", pause=0.05, forever=True)),
    "endless_body": ("too-large", sends(HEAD + b"\r\n", b"x" * 65536, forever=True)),
    "endless_chunks": ("too-large", sends(CHUNKED, b"400\r\n" + b"x" * 1024 + b"\r\n", forever=True)),
    "endless_header": ("too-large protocol", sends(HEAD, b"X-A: " + b"x" * 4000 + b"\r\n", forever=True)),
    "endless_interim_answers": ("timeout protocol", sends(CONTINUE, pause=0.01, forever=True)),
    "declares_more_than_the_cap": ("too-large", response(b"x" * (CAP + 1))),
    "is_a_bomb": ("too-large", response(BOMB, Content_Encoding="gzip")),
    "is_a_bomb_of_bombs": ("encoding", response(gzip.compress(BOMB), Content_Encoding="gzip, gzip")),
    "is_no_gzip": ("encoding", response(b"plain", Content_Encoding="gzip")),
    "is_cut_gzip": ("encoding", response(gzip.compress(b"hello" * 99)[:-9], Content_Encoding="gzip")),
    "is_shorter_than_it_says": ("protocol", response(b"short", Content_Length="50")),
    "has_two_lengths": ("protocol", sends(LENGTH + b"Content-Length: 2\r\n\r\nabc")),
    "has_a_length_and_chunks": ("protocol", sends(LENGTH + CHUNKED[len(HEAD) :] + b"0\r\n\r\n")),
    "has_a_negative_length": ("protocol", sends(HEAD + b"Content-Length: -1\r\n\r\n")),
    "announces_a_chunk_over_the_cap": ("too-large", waits_after(CHUNKED, b"FFFFFFFFFFFFFFFF\r\nabc")),
    "announces_it_with_the_head": ("too-large", waits_after(CHUNKED + b"%x\r\nabc" % (CAP + 1))),
    "has_a_broken_chunk": ("protocol", sends(CHUNKED + b"zz\r\nabc\r\n")),
    "has_a_nul_in_a_header": ("protocol", sends(HEAD + b"X-A: a\0b\r\nContent-Length: 0\r\n\r\n")),
    "speaks_another_protocol": ("protocol", sends(b"SSH-2.0-OpenSSH_9.6\r\n")),
    "speaks_http_0_9": ("protocol", sends(b"<html>hello</html>")),
    "hangs_up": ("connect protocol", sends(b"")),
    "hangs_up_within_the_status": ("connect protocol", sends(b"HTTP/1.1 2")),
    "redirects_to_itself": ("redirects", redirect("/redirects_to_itself")),
    "redirects_to_a_file": ("scheme", redirect("file:///etc/passwd")),
    "redirects_to_metadata": ("private-address", redirect("http://169.254.169.254/latest/meta-data/")),
    "redirects_to_nonsense": ("url redirects protocol", redirect("http://[::1")),
    "redirects_with_credentials": ("url", redirect("http://a:b@127.0.0.1/")),
}
"""Route to the rules of which one refuses it, and what it sends."""

CATCHING = {
    Language.JAVASCRIPT: """
exports.onExecutePostLogin = async (event) => {
  await Promise.all(Object.entries(event.urls).map(async ([name, url]) => {
    try {
      await (await fetch(url)).text();
      console.log(name, 'answered');
    } catch (e) {
      const shape = e instanceof TypeError && e.message === 'fetch failed' && e.cause instanceof Error;
      console.log(name, shape, e.cause.rule);
    }
  }));
};
""",
    Language.PYTHON: """
import asyncio

async def attempt(name, url):
    try:
        r = await fetch(url)
        print(name, "answered")
    except FetchError as e:
        print(name, type(e).__name__ in ("FetchError", "FetchTimeoutError"), e.rule)

async def on_execute_post_login(event, api):
    await asyncio.gather(*(attempt(name, url) for name, url in event["urls"].items()))
""",
}
NOT_CATCHING = {
    Language.JAVASCRIPT: "exports.onExecutePostLogin = async (event) => { await fetch(event.url); };",
    Language.PYTHON: "async def on_execute_post_login(event, api):\n    await fetch(event['url'])\n",
}
LANGUAGES = [Language.JAVASCRIPT, Language.PYTHON]


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Name to address of each hostile endpoint."""
    folder = tmp_path_factory.mktemp("certificates")
    with ExitStack() as stack:
        routes: dict[str, Any] = {name: answer for name, (_, answer) in ROUTES.items()}
        peer = stack.enter_context(serving(**routes))
        found = {name: peer.url(f"/{name}") for name in ROUTES}
        for name, host, days in (("unknown", "localhost", 1), ("expired", "localhost", -1)):
            own = stack.enter_context(serving(_tls(folder / name, host, days), x=response(b"secret")))
            found[f"has_an_{name}_certificate"] = own.url("/x", host="localhost")
        found["speaks_no_tls"] = peer.url("/hangs_up", scheme="https")
        with socket.create_server(("127.0.0.1", 0)) as listener:
            found["is_not_there"] = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        yield found


def _tls(folder: Path, host: str, days: int) -> ssl.SSLContext:
    folder.mkdir()
    return certificate(folder, host, days=days)[0]


RULES = {name: rules.split() for name, (rules, _) in ROUTES.items()} | {
    "has_an_unknown_certificate": ["tls"],
    "has_an_expired_certificate": ["tls"],
    "speaks_no_tls": ["tls", "timeout"],
    "is_not_there": ["connect"],
}


SLOW = {name for name, rules in RULES.items() if "timeout" in rules}


def run(language: Language, text: str, event: object, *, timeout_ms: int) -> ExecutionResult:
    limits = Limits(wall_ms=60_000)
    suffix = {Language.JAVASCRIPT: "js", Language.PYTHON: "py"}[language]
    program = sandbox.build(Source(language, f"action.{suffix}", text), limits)
    policy = EgressPolicy(allow_private=True, timeout_ms=timeout_ms, response_bytes=CAP)
    port = LivePort(FakeApi(), HttpEgress(policy), limits)
    return sandbox.run(program, Request("onExecutePostLogin", json.dumps(event), "{}"), limits, port)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("slow", [True, False])
def test_an_action_can_catch_each_of_them(language: Language, slow: bool, urls: dict[str, str]) -> None:
    wanted = {name: url for name, url in urls.items() if (name in SLOW) is slow}
    timeout_ms = HURRY_MS if slow else PATIENCE_MS
    result = run(language, CATCHING[language], {"urls": wanted}, timeout_ms=timeout_ms)
    assert result.failure is None
    seen = {name: (shape.lower(), rule) for name, shape, rule in (line.text.split() for line in result.logs)}
    assert seen.keys() == wanted.keys()
    fine = {name: [("true", rule) for rule in RULES[name]] for name in wanted}
    assert {name: seen[name] for name in wanted if seen[name] not in fine[name]} == {}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", RULES)
def test_one_that_is_not_caught_is_the_failure(language: Language, name: str, urls: dict[str, str]) -> None:
    timeout_ms = HURRY_MS if name in SLOW else PATIENCE_MS
    failure = run(language, NOT_CATCHING[language], {"url": urls[name]}, timeout_ms=timeout_ms).failure
    assert failure is not None
    assert failure.code is FailureCode.EGRESS
    assert failure.detail["rule"] in RULES[name]
    assert "Traceback" not in failure.message
    assert failure.stack[0].line is not None
