"""http and https as clients live as Node's do: events, time-outs, aborts, checks."""

from __future__ import annotations

import pytest

from sandbox.core.failure import FailureCode
from tests.sandbox.javascript.conftest import Run
from tests.sandbox.javascript.test_node_later import HTTPS, handler, stubs


def test_http_requests_live_as_in_node(succeed: Run) -> None:
    egress = stubs({"url": "https://api.example/slow", "answer": {"text": "late", "delay_ms": 300}},
                   {"url": "https://api.example/a", "answer": {"text": "ok"}})  # fmt: skip
    body = """
const seen = [];
const request = https.request('https://api.example/slow', { timeout: 20 });
request.on('socket', (s) => seen.push('socket', s.encrypted)).on('timeout', () => {
  seen.push('timeout'); request.destroy(); });
request.on('error', (e) => seen.push(e.code, e.message)).on('close',
  () => seen.push('close')).end();
await new Promise((done) => request.on('close', done));
const signal = AbortSignal.timeout(10);
const other = https.get('https://api.example/slow', { signal });
const error = await new Promise((done) => other.on('error', done));
seen.push(error.name, error.code);
const third = https.get('https://api.example/a'); const names = [];
third.on('response', (r) => { r.on('end', () => names.push('end', r.complete)); r.resume(); });
await new Promise((done) => third.on('close', done));
console.log(seen.join(), names.join(), third.getHeaderNames().length);
for (const make of [() => https.get('http://api.example/a'),
  () => https.get('https://api.example/a', { headers: { 'a b': 1 } }),
  () => https.get('https://api.example/a', { headers: { a: 'x\\ny' } }),
  () => https.get({ host: 'api.example', path: '/a b' })]) {
  try { make(); } catch (e) { console.log(e.code); }
}
"""
    assert succeed(HTTPS + handler(body), egress=egress).log == [
        "socket,true,timeout,ECONNRESET,socket hang up,close,AbortError,ABORT_ERR end,true 0",
        "ERR_INVALID_PROTOCOL", "ERR_INVALID_HTTP_TOKEN", "ERR_INVALID_CHAR", "ERR_UNESCAPED_CHARACTERS",
    ]  # fmt: skip


ENDED = {
    "request.abort()": "request abort|response aborted|request close|HEARD aborted ECONNRESET|response close",
    "request.destroy()": "response aborted|request close|HEARD aborted ECONNRESET|response close",
    "request.destroy(mine)": "request mine|response aborted|request close|HEARD aborted ECONNRESET|"
    "response close",
    "response.destroy()": "response aborted|response close|request close",
    "response.destroy(mine)": "response aborted|request mine|HEARD mine|response close|request close",
}
"""What Node 24 emits while the body is still to come. HEARD: emitted only when somebody listens."""


@pytest.mark.parametrize("listens", [True, False])
@pytest.mark.parametrize("statement", ENDED)
def test_a_response_that_is_given_up_fails_only_for_who_listens(
    succeed: Run, statement: str, listens: bool
) -> None:
    body = f"""
const seen = [], mine = new Error('mine');
const request = https.get('https://api.example/a');
request.on('error', (e) => seen.push('request ' + e.message));
for (const name of ['abort', 'close']) request.on(name, () => seen.push('request ' + name));
await new Promise((done) => request.on('response', (response) => {{
  for (const name of ['aborted', 'end', 'close']) response.on(name, () => seen.push('response ' + name));
  if ({str(listens).lower()}) response.on('error', ({{ message, code }}) =>
    seen.push(['HEARD', message, code].join(' ').trim()));
  {statement};
  setTimeout(done, 20);
}}));
for (const line of seen) console.log(line);
"""
    expected = [line for line in ENDED[statement].split("|") if listens or not line.startswith("HEARD")]
    egress = stubs({"url": "https://api.example/a", "answer": {"text": "x" * 100}})
    assert succeed(HTTPS + handler(body), egress=egress).log == expected


def test_a_wrapped_refusal_keeps_its_rule(run: Run) -> None:
    body = (
        "try { await fetch('https://a.example') } catch (cause) { throw new Error('no profile', { cause }) }"
    )
    failure = run(handler(body), egress=stubs()).failure
    assert (failure.code, failure.detail["rule"]) == (FailureCode.EGRESS, "no-stub")
    assert failure.message.startswith("no profile: TypeError: fetch failed")
    assert (
        run(HTTPS + handler("await send({ host: 'b.example' })"), egress=stubs()).failure.detail["rule"]
        == "no-stub"
    )
