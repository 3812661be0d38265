"""What is queued when a handler ends still runs: all that Node runs before it turns to a timer or an answer."""

# ruff: noqa: E501 - tables of one-line programs

from __future__ import annotations

import pytest

from sandbox.core.failure import FailureCode
from tests.sandbox.javascript.conftest import HANDLER, Run
from tests.sandbox.ports import FakeApi

HANDLERS = {
    "async": f"exports.{HANDLER} = async (event, api) => {{ %s }};",
    "plain": f"exports.{HANDLER} = (event, api) => {{ %s }};",
    "waited": f"exports.{HANDLER} = async (event, api) => {{ await new Promise((done) => setTimeout(done, 1)); %s }};",
    "thenable": f"exports.{HANDLER} = (event, api) => {{ %s; return {{ then(done) {{ done(); }} }}; }};",
}
QUEUED = {
    "forEach": "['x'].forEach(async (why) => { await null; api.access.deny(why); })",
    "forEach of a look-up": "const find = async (why) => why; ['x'].forEach(async (why) => api.access.deny(await find(why)))",
    "then": "Promise.resolve('x').then((why) => { api.access.deny(why); })",
    "several thens": "Promise.resolve('x').then((why) => why).then(async (why) => why).then((why) => { api.access.deny(why); })",
    "finally": "Promise.resolve().finally(() => { api.access.deny('x'); })",
    "catch": "Promise.reject('x').catch((why) => { api.access.deny(why); })",
    "thenable": "Promise.resolve({ then(done) { done('x'); } }).then((why) => { api.access.deny(why); })",
    "queueMicrotask": "queueMicrotask(() => { api.access.deny('x'); })",
    "nextTick": "process.nextTick((why) => { api.access.deny(why); }, 'x')",
    "each in the other": "queueMicrotask(() => process.nextTick(() => Promise.resolve().then(() => { api.access.deny('x'); })))",
    "long chain": "(async () => { for (let n = 0; n < 5_000; n += 1) await null; api.access.deny('x'); })()",
    "async generator": "(async () => { for await (const why of (async function* () { yield 'x'; })()) api.access.deny(why); })()",
    "emitter": "const e = new (require('events'))(); e.on('no', async () => { await null; api.access.deny('x'); }); e.emit('no')",
    "host query": "api.roles.list().then(() => { api.access.deny('x'); })",
    "digest": "crypto.subtle.digest('SHA-256', new Uint8Array(1)).then(() => { api.access.deny('x'); })",
    "stream": "const s = new ReadableStream({ start(c) { c.enqueue('x'); c.close(); } }); s.getReader().read().then((r) => { api.access.deny(r.value); })",
    "body": "new Response('x').text().then((why) => { api.access.deny(why); })",
}  # fmt: skip


@pytest.mark.parametrize("handler", HANDLERS)
@pytest.mark.parametrize("name", QUEUED)
def test_what_is_queued_runs_with_api_and_console_open(succeed: Run, handler: str, name: str) -> None:
    ran = succeed(
        HANDLERS[handler] % f"{QUEUED[name]}; queueMicrotask(() => console.log('seen'))",
        api=FakeApi(roles__list={"ok": []}),
    )
    assert (ran.commands, ran.log) == ([("access.deny", ["x"])], ["seen"])


def test_commands_of_queued_jobs_come_after_those_of_the_handler(succeed: Run) -> None:
    ran = succeed(
        HANDLERS["async"]
        % "Promise.resolve().then(() => { api.access.deny('second'); }); api.access.deny('first');"
    )
    assert [arguments for _, arguments in ran.commands] == [["first"], ["second"]]


@pytest.mark.parametrize("handler", ["async", "plain", "waited"])
@pytest.mark.parametrize(
    "thrown",
    [
        "queueMicrotask(() => { throw new TypeError('lost') })",
        "process.nextTick(() => { throw new TypeError('lost') })",
        "const e = new (require('events'))(); process.nextTick(() => e.emit('error', new TypeError('lost')))",
    ],
)
def test_an_error_in_a_callback_ends_the_execution_as_it_ends_a_process(
    run: Run, handler: str, thrown: str
) -> None:
    failure = run(HANDLERS[handler] % f"{thrown}; api.access.deny('x');").failure
    assert (failure.code, failure.error_name, failure.message) == (FailureCode.THROW, "TypeError", "lost")
    assert failure.place is not None


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_rejection_that_nobody_handles_is_told_and_fails_nothing(succeed: Run, handler: str) -> None:
    ran = succeed(
        HANDLERS[handler]
        % """['a', 'b'].forEach(async (n) => { await null; throw new TypeError(n); });
          Promise.reject('text'); Promise.reject({ status: 3 }); api.access.deny('x');"""
    )
    assert [path for path, _ in ran.commands] == ["access.deny"]
    told = [line.text.split("\n")[0].split("Warning: ") for line in ran.result.logs]
    assert {line.level for line in ran.result.logs} == {"warn"}
    assert {begin for begin, _ in told} == {"(node:1) UnhandledPromiseRejection"}
    assert sorted(end for _, end in told) == ["TypeError: a", "TypeError: b", "text", "{ status: 3 }"]


def test_a_rejection_that_somebody_handles_in_time_is_not_told(succeed: Run) -> None:
    ran = succeed(
        HANDLERS["async"]
        % """const late = Promise.reject(new Error('late')), last = Promise.reject(new Error('last'));
          const fails = async () => { throw new Error('often') };
          for (let n = 0; n < 1_000; n += 1) try { await fails(); } catch { /* as expected */ }
          await new Promise((done) => setTimeout(done, 1));
          try { await late; } catch { /* as expected */ }
          await Promise.allSettled([fails(), fails()]);
          queueMicrotask(() => last.catch(() => {}));"""
    )
    assert ran.log == []


def test_many_rejections_are_told_up_to_a_cap(succeed: Run) -> None:
    ran = succeed(HANDLERS["async"] % "for (let n = 0; n < 500; n += 1) Promise.reject(n);")
    assert len(ran.log) == 100


@pytest.mark.parametrize(("handled", "told"), [(999, 1), (1_000, 0)])
def test_rejections_are_followed_up_to_a_cap(succeed: Run, handled: int, told: int) -> None:
    """Each that is handled is heard of twice; beyond the cap none is told, since that could be a handled one."""
    ran = succeed(
        HANDLERS["async"]
        % f"""Promise.reject('first'); const fails = async () => {{ throw new Error('often') }};
          for (let n = 0; n < {handled}; n += 1) try {{ await fails(); }} catch {{ /* as expected */ }}"""
    )
    assert len(ran.log) == told


def test_what_the_handler_threw_is_told_once_and_after_what_was_queued(run: Run) -> None:
    for handler in ("async", "plain", "waited"):
        ran = run(HANDLERS[handler] % "queueMicrotask(() => console.log('seen')); throw new Error('own');")
        assert (ran.failure.code, ran.failure.message) == (FailureCode.THROW, "own")
        assert (ran.log, ran.commands) == (["seen"], [])


def test_a_handler_that_waits_for_ever_tells_of_the_rejection_that_it_waits_for(run: Run) -> None:
    ran = run(HANDLERS["async"] % "await new Promise(() => { Promise.reject(new Error('why')) });")
    assert ran.failure.code is FailureCode.UNSETTLED
    assert ran.log[0].startswith("(node:1) UnhandledPromiseRejectionWarning: Error: why")


def test_a_patched_console_and_promise_change_nothing(succeed: Run) -> None:
    ran = succeed(
        HANDLERS["async"]
        % """console.warn = () => { throw 1 }; globalThis.console = undefined;
          Promise.prototype.then = () => { throw 2 }; Promise.reject('told');"""
    )
    assert ran.log == ["(node:1) UnhandledPromiseRejectionWarning: told"]
