"""fetch, as far as this release has it, against stubbed answers."""

from __future__ import annotations

import json

import pytest

from sandbox.core.caps import LINGER_JOBS, Limits
from sandbox.core.failure import FailureCode
from sandbox.egress.doubles.stub import Stub, StubEgress
from tests.sandbox.javascript.conftest import Run

SITE = "https://api.example.com"


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Caps in time that no busy machine reaches."""
    monkeypatch.setattr("sandbox.javascript.run.LINGER_JOBS_MS", 10_000)
    monkeypatch.setattr("sandbox.port.drain.LINGER_MS", 10_000)


def action(body: str) -> str:
    return f"exports.onExecutePostLogin = async (event, api) => {{ {body} }};"


def stubbed(*stubs: Stub) -> StubEgress:
    return StubEgress(list(stubs))


def test_an_answer_has_status_headers_and_body(succeed: Run) -> None:
    stub = Stub(f"{SITE}/users", status=201, headers=(("X-Id", "7"),), body='{"name":"Zoë"}'.encode())
    ran = succeed(
        action(
            f"""const r = await fetch('{SITE}/users');
            console.log(r.status, r.ok, r.statusText, r.headers.get('x-id'), r.url, r.redirected, r.type);
            console.log(await r.clone().text(), (await r.json()).name, r.bodyUsed, r instanceof Response);"""
        ),
        egress=stubbed(stub),
    )
    assert ran.log == [
        f"201 true Created 7 {SITE}/users false basic",
        '{"name":"Zoë"} Zoë true true',
    ]


def test_a_request_carries_method_headers_and_body(succeed: Run) -> None:
    egress = stubbed(Stub(f"{SITE}/*", method="POST", body=b"ok"))
    succeed(
        action(
            f"""await fetch('{SITE}/a', {{ method: 'post', headers: {{ Authorization: 'Bearer x' }},
              body: JSON.stringify({{ a: 'é' }}) }});
            const body = new URLSearchParams({{ q: '1 2' }});
            await fetch(new Request('{SITE}/b', {{ method: 'POST', body }}));"""
        ),
        egress=egress,
    )
    first, second = egress.requests
    assert first.method == "POST"
    assert json.loads(first.text) == {"a": "é"}
    headers = first.headers
    assert headers["authorization"] == "Bearer x"
    assert headers["content-type"] == "text/plain;charset=UTF-8"
    assert second.text == "q=1+2"


def test_several_requests_run_at_once(succeed: Run) -> None:
    slow = [Stub(f"{SITE}/{n}", body=str(n).encode(), delay_ms=800) for n in range(4)]
    ran = succeed(
        action(
            f"""const text = async (n) => (await fetch('{SITE}/' + n)).text();
            console.log((await Promise.all([0, 1, 2, 3].map(text))).join());"""
        ),
        egress=stubbed(*slow),
    )
    assert ran.log == ["0,1,2,3"]
    assert ran.result.statistics.wall_ms < 4 * 800


def test_binary_bodies_survive(succeed: Run) -> None:
    ran = succeed(
        action(f"console.log(new Uint8Array(await (await fetch('{SITE}/b')).arrayBuffer()).join())"),
        egress=stubbed(Stub(f"{SITE}/b", body=bytes([0, 255, 128, 10]))),
    )
    assert ran.log == ["0,255,128,10"]


def test_an_abort_ends_the_wait(succeed: Run) -> None:
    ran = succeed(
        action(
            f"""const c = new AbortController(); setTimeout(() => c.abort(), 10);
            try {{ await fetch('{SITE}/slow', {{ signal: c.signal }}); }}
            catch (e) {{ console.log(e.name, e.message, e instanceof DOMException); }}
            try {{ await fetch('{SITE}/slow', {{ signal: AbortSignal.timeout(5) }}); }}
            catch (e) {{ console.log(e.name, e.message); }}
            try {{ await fetch('{SITE}/slow', {{ signal: AbortSignal.abort('why') }}); }}
            catch (e) {{ console.log(e); }}"""
        ),
        egress=stubbed(Stub(f"{SITE}/slow", delay_ms=20_000)),
    )
    assert ran.log == [
        "AbortError This operation was aborted true",
        "TimeoutError The operation was aborted due to timeout",
        "why",
    ]
    assert ran.result.statistics.wall_ms < 20_000


def test_a_refused_request_is_a_type_error_with_a_cause(succeed: Run, run: Run) -> None:
    egress = stubbed(Stub(f"{SITE}/*", error="private-address"))
    caught = succeed(
        action(
            f"""try {{ await fetch('{SITE}/') }}
            catch (e) {{ const {{ cause }} = e;
              console.log(e.name, e.message, cause instanceof Error, cause.code, cause.rule) }}"""
        ),
        egress=egress,
    )
    assert caught.log == ["TypeError fetch failed true ERR_ACCESS_DENIED private-address"]
    failure = run(action(f"\nawait fetch('{SITE}/')"), egress=egress).failure
    assert failure.code is FailureCode.EGRESS
    assert failure.message.startswith("fetch failed: ")
    assert failure.detail["rule"] == "private-address"
    assert failure.place is not None
    assert failure.place.line == 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("fetch('/relative')", "Failed to parse URL from /relative"),
        ("fetch('https://u:p@h.example')", "credentials"),
        (f"fetch('{SITE}', {{ body: 'x' }})", "GET/HEAD"),
        (f"fetch('{SITE}', {{ method: 'TRACE' }})", "not a valid HTTP method"),
        (f"fetch('{SITE}', {{ headers: {{ 'a b': 'c' }} }})", "invalid header name"),
        (f"fetch('{SITE}', {{ headers: {{ a: 'b\\nc' }} }})", "invalid header value"),
        (f"fetch('{SITE}', {{ redirect: 'sometimes' }})", "not an accepted type"),
    ],
)
def test_wrong_requests_reject_before_anything_is_sent(run: Run, call: str, message: str) -> None:
    egress = stubbed()
    failure = run(action(f"await {call}"), egress=egress).failure
    assert failure.error_name == "TypeError"
    assert message in failure.message
    assert egress.requests == ()


def test_a_body_is_read_once(run: Run) -> None:
    failure = run(
        action(f"const r = await fetch('{SITE}'); await r.text(); await r.text();"),
        egress=stubbed(Stub(f"{SITE}/", body=b"x")),
    ).failure
    assert failure.message == "Body is unusable: Body has already been read"


def test_a_request_that_nobody_awaits_is_sent(succeed: Run) -> None:
    egress = stubbed(Stub(f"{SITE}/hook", delay_ms=20))
    ran = succeed(
        action(
            f"""(async () => {{
              await null; await fetch('{SITE}/hook', {{ method: 'POST', body: 'told' }});
              console.log('heard'); api.access.deny('late');
            }})();
            console.log('over');"""
        ),
        egress=egress,
    )
    assert [request.text for request in egress.requests] == ["told"]
    assert (ran.log, ran.commands) == (["over"], [])


def test_requests_that_follow_from_one_that_nobody_awaits_are_sent_too(succeed: Run) -> None:
    egress = stubbed(Stub(f"{SITE}/token", body=b'"t1"', delay_ms=10), Stub(f"{SITE}/hook"))
    ran = succeed(
        action(
            f"""const notify = async () => {{
              const token = await (await fetch('{SITE}/token')).json();
              await fetch('{SITE}/hook', {{ method: 'POST', headers: {{ 'x-token': token }} }});
              console.log('told'); api.access.deny('late');
            }};
            notify();"""
        ),
        egress=egress,
    )
    assert [request.url for request in egress.requests] == [f"{SITE}/token", f"{SITE}/hook"]
    assert dict(egress.requests[1].headers)["x-token"] == "t1"
    assert (ran.log, ran.commands) == ([], [])


def test_a_request_that_nobody_awaits_and_whose_answer_spins_fails_nothing(succeed: Run) -> None:
    egress = stubbed(Stub(f"{SITE}/a"), Stub(f"{SITE}/b", delay_ms=150))
    ran = succeed(
        action(
            f"""fetch('{SITE}/a').then(() => {{ for (;;); }}); fetch('{SITE}/b').then(() => {{ for (;;); }});
            api.access.deny('no');"""
        ),
        egress=egress,
    )
    assert [path for path, _ in ran.commands] == ["access.deny"]
    waits = [entry.result["answer"] for entry in ran.result.journal.entries if entry.operation == "wait"]
    assert [bool(answer) for answer in waits] == [True, True], "both are heard of, in whatever way"


@pytest.mark.parametrize(("delay_ms", "answered"), [(1, True), (60_000, False)])
def test_a_request_that_nobody_awaits_holds_the_handler_for_a_while_only(
    succeed: Run, monkeypatch: pytest.MonkeyPatch, delay_ms: int, answered: bool
) -> None:
    monkeypatch.setattr("sandbox.port.drain.LINGER_MS", 200)
    ran = succeed(action(f"fetch('{SITE}/');"), egress=stubbed(Stub(f"{SITE}/", delay_ms=delay_ms)))
    waits = [entry.result["answer"] for entry in ran.result.journal.entries if entry.operation == "wait"]
    assert [bool(answer) for answer in waits] == [answered]


@pytest.mark.parametrize(("jobs", "sent"), [(LINGER_JOBS, True), (LINGER_JOBS + 1, False)])
def test_turns_after_the_handlers_end_are_run_up_to_their_cap(
    succeed: Run, patient: None, jobs: int, sent: bool
) -> None:
    egress = stubbed(Stub(f"{SITE}/"))
    turns = f"const turn = (n) => (n ? setImmediate(turn, n - 1) : fetch('{SITE}/')); turn({jobs});"
    succeed(f"exports.onExecutePostLogin = () => {{ {turns} }};", egress=egress)
    assert bool(egress.requests) is sent


CHAINS = {
    "immediate": "setImmediate(next)",
    "timer of zero": "setTimeout(next, 0)",
    "timer without a time": "setTimeout(next)",
    "promise of a timer": "require('timers/promises').setImmediate().then(next)",
    "channel": "const { port1, port2 } = new MessageChannel(); port2.onmessage = next; port1.postMessage(1)",
    "tick in an immediate": "setImmediate(() => process.nextTick(next))",
    "several": "setImmediate(() => setTimeout(() => queueMicrotask(() => setImmediate(next))))",
}


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("when", ["at the end", "after an answer"])
def test_chains_that_nobody_awaits_go_on_through_turns_of_the_loop(
    succeed: Run, patient: None, name: str, when: str
) -> None:
    egress = stubbed(Stub(f"{SITE}/*"))
    first = "then_();" if when == "at the end" else f"fetch('{SITE}/first').then(then_);"
    ran = succeed(
        f"""exports.onExecutePostLogin = (event, api) => {{
              const next = () => {{ fetch('{SITE}/second'); console.log('late'); api.access.deny('late'); }};
              const then_ = () => {{ {CHAINS[name]}; }};
              {first}
            }};""",
        egress=egress,
    )
    assert [request.url for request in egress.requests][-1:] == [f"{SITE}/second"]
    assert (ran.log, ran.commands) == ([], [])


@pytest.mark.parametrize("left", ["setTimeout(next, 2)", "setInterval(next, 0)", "setInterval(next)"])
def test_chains_that_nobody_awaits_end_at_a_timer(succeed: Run, left: str) -> None:
    egress = stubbed(Stub(f"{SITE}/*", delay_ms=50))
    succeed(
        f"exports.onExecutePostLogin = () => {{ const next = () => fetch('{SITE}/b');"
        f"fetch('{SITE}/a').then(() => {left}); {left} }};",
        egress=egress,
    )
    assert [request.url for request in egress.requests] == [f"{SITE}/a"]


def test_an_error_in_one_chain_that_nobody_awaits_ends_no_other(succeed: Run, patient: None) -> None:
    egress = stubbed(Stub(f"{SITE}/*"))
    succeed(
        f"""exports.onExecutePostLogin = () => {{
              setImmediate(() => {{ throw new Error('late') }});
              fetch('{SITE}/a').then(() => {{ process.nextTick(() => {{ throw new Error('late') }}); }});
              fetch('{SITE}/b').then(() => setImmediate(() => fetch('{SITE}/c')));
            }};""",
        egress=egress,
    )
    assert sorted(request.url for request in egress.requests) == [f"{SITE}/{name}" for name in "abc"]


LIMITED = {
    "signal": "fetch(SLOW, { signal: AbortSignal.timeout(20) })",
    "request": "require('https').get(SLOW, { timeout: 20 }).on('timeout', function () { this.destroy() })",
}


@pytest.mark.parametrize("name", LIMITED)
def test_the_limit_of_a_request_that_nobody_awaits_holds(succeed: Run, name: str) -> None:
    ran = succeed(
        f"exports.onExecutePostLogin = () => {{ const SLOW = '{SITE}/slow'; {LIMITED[name]}"
        ".on?.('error', () => {}); };",
        egress=stubbed(Stub(f"{SITE}/slow", delay_ms=60_000)),
    )
    assert [entry.operation for entry in ran.result.journal.entries][-1] == "cancel"


def test_a_request_that_nobody_awaits_fails_nothing_by_taking_the_rest_of_the_time(run: Run) -> None:
    ran = run(
        action(f"fetch('{SITE}/slow'); api.access.deny('no');"),
        egress=stubbed(Stub(f"{SITE}/slow", delay_ms=60_000)),
        limits=Limits(wall_ms=300),
    )
    assert ran.result.failure is None
    assert [path for path, _ in ran.commands] == ["access.deny"]


def test_a_form_is_sent_as_multipart(succeed: Run) -> None:
    egress = stubbed(Stub(f"{SITE}/*"))
    succeed(
        action(
            f"""const f = new FormData(); f.append('a', '1'); f.append('file', new Blob(['xyz']), 'n.txt');
            await fetch('{SITE}/', {{ method: 'POST', body: f }});"""
        ),
        egress=egress,
    )
    request = egress.requests[0]
    assert 'name="file"; filename="n.txt"' in request.text
    assert dict(request.headers)["content-type"].startswith("multipart/form-data; boundary=")
