"""The life of one execution: handler, api calls, waiting, completion."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import Limits
from sandbox.core.failure import FailureCode
from tests.sandbox.javascript.conftest import Run
from tests.sandbox.ports import FakeApi


def test_an_async_handler_calls_the_api(succeed: Run) -> None:
    ran = succeed(
        """exports.onExecutePostLogin = async (event, api) => {
          if (event.user.blocked) { await null; api.access.deny('blocked'); }
        };""",
        {"user": {"blocked": True}},
    )
    assert ran.commands == [("access.deny", ["blocked"])]


def test_a_plain_function_is_a_handler_too(succeed: Run) -> None:
    ran = succeed(
        "exports.onExecutePostLogin = function (event, api) { api.access.deny(event.why) }", {"why": "x"}
    )
    assert ran.commands == [("access.deny", ["x"])]


def test_chainable_members_return_the_api(succeed: Run) -> None:
    ran = succeed(
        """exports.onExecutePostLogin = async (event, api) => {
          api.idToken.setCustomClaim('a', 1).access.deny('no').idToken.setCustomClaim('b', {c: [true, null]});
          if (api.user.setUserMetadata('x', 1) !== undefined) throw new Error('void returns nothing');
        };"""
    )
    assert ran.commands == [
        ("idToken.setCustomClaim", ["a", 1]),
        ("access.deny", ["no"]),
        ("idToken.setCustomClaim", ["b", {"c": [True, None]}]),
        ("user.setUserMetadata", ["x", 1]),
    ]


def test_methods_work_detached_and_unknown_members_are_undefined(succeed: Run) -> None:
    ran = succeed(
        """exports.onExecutePostLogin = async (event, api) => {
          const { deny } = api.access;
          console.log(typeof api.noop, typeof api.access.allow);
          console.log(Object.keys(api).join(), Object.keys(api.user).join());
          deny('detached');
        };"""
    )
    assert ran.log == ["undefined undefined", "access,idToken,user,cache,roles setUserMetadata,deep"]
    assert ran.commands == [("access.deny", ["detached"])]


def test_queries_return_values_and_promises(succeed: Run) -> None:
    api = FakeApi(cache__get={"ok": {"value": "v"}}, roles__list={"ok": ["admin"]})
    ran = succeed(
        """exports.onExecutePostLogin = async (event, api) => {
          const roles = api.roles.list({ take: 2 });
          console.log(api.cache.get('k').value, roles instanceof Promise, await roles);
        };""",
        api=api,
    )
    assert ran.log == ["v true [ 'admin' ]"]
    assert api.calls == [("roles.list", [{"take": 2}]), ("cache.get", ["k"])] or api.calls == [
        ("cache.get", ["k"]),
        ("roles.list", [{"take": 2}]),
    ]


def test_live_members_change_the_same_event_object(succeed: Run) -> None:
    api = FakeApi(
        user__setUserMetadata={
            "recorded": True,
            "event": [(["user", "user_metadata", "a"], 1), (["new", "x"], [2])],
        }
    )
    ran = succeed(
        """exports.onExecutePostLogin = async (event, api) => {
          const { user } = event;
          api.user.setUserMetadata('a', 1);
          console.log(user === event.user, JSON.stringify(event));
        };""",
        {"user": {"user_metadata": {"b": 2}}},
        api=api,
    )
    assert ran.log == ['true {"user":{"user_metadata":{"b":2,"a":1}},"new":{"x":[2]}}']


def test_a_refused_call_throws_in_the_guest(succeed: Run, run: Run) -> None:
    refusal: Any = {"error": {"name": "TypeError", "message": "bad name", "code": "claim"}}
    caught = succeed(
        """exports.onExecutePostLogin = async (event, api) => {
          try { api.idToken.setCustomClaim('', 1) }
          catch (error) { console.log(error instanceof TypeError, error.message, error.code) }
        };""",
        api=FakeApi(idToken__setCustomClaim=refusal),
    )
    assert caught.log == ["true bad name claim"]
    uncaught = run(
        "exports.onExecutePostLogin = (event, api) => {\n  api.idToken.setCustomClaim('', 1);\n};",
        api=FakeApi(idToken__setCustomClaim=refusal),
    )
    assert uncaught.failure.code is FailureCode.INVALID_COMMAND
    assert uncaught.failure.message == "bad name"
    assert uncaught.failure.place is not None
    assert (uncaught.failure.place.line, uncaught.failure.place.column) == (2, 15)
    assert uncaught.failure.place.excerpt == "  api.idToken.setCustomClaim('', 1);"


@pytest.mark.parametrize(
    "body",
    [
        "await new Promise(() => {})",
        "await new Promise(() => setTimeout(() => {}, 1))",
        "for (;;) await { then() {} }",
    ],
)
def test_a_promise_that_nothing_settles_is_noticed_at_once(run: Run, body: str) -> None:
    ran = run(f"exports.onExecutePostLogin = async () => {{ {body} }}", limits=Limits(wall_ms=60_000))
    assert ran.failure.code is FailureCode.UNSETTLED
    assert ran.result.statistics.wall_ms < 30_000


def test_unawaited_work_is_abandoned_at_completion(succeed: Run) -> None:
    ran = succeed(
        """exports.onExecutePostLogin = async (event, api) => {
          setTimeout(() => api.access.deny('late'), 0);
          setImmediate(() => { console.log('late'); api.access.deny('late'); });
          setTimeout(() => api.access.deny('later'), 1_000);
        };"""
    )
    assert (ran.commands, ran.log) == ([], [])


def test_timers_fire_in_order_with_their_arguments(succeed: Run) -> None:
    ran = succeed(
        """exports.onExecutePostLogin = async () => {
          await new Promise((resolve) => {
            setTimeout(() => { console.log('late'); resolve(); }, 500);
            setTimeout(console.log, 250, 'early', 1);
            const never = setTimeout(console.log, 5, 'never');
            clearTimeout(never);
            setImmediate(() => console.log('immediate'));
            Promise.resolve().then(() => console.log('job'));
            let n = 0;
            const id = setInterval(() => {
              if (++n == 2) { clearInterval(id); console.log('twice'); }
            }, 2);
          });
        };"""
    )
    assert ran.log == ["job", "immediate", "twice", "early 1", "late"]


def test_the_top_level_runs_in_every_execution(run: Run) -> None:
    text = "let count = 0; exports.onExecutePostLogin = () => console.log(++count);"
    assert [run(text).log for _ in range(2)] == [["1"], ["1"]]


def test_a_missing_handler_names_what_there_is(run: Run) -> None:
    failure = run("exports.onExecutePostLogn = async () => {}; exports.helper = 1").failure
    assert failure.code is FailureCode.HANDLER
    assert "'onExecutePostLogn'" in failure.message
    assert "misspelt" in failure.message


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("async function onExecutePostLogin() {}", "It defines it, and does not export it."),
        ("const onExecutePostLogin = async () => {};", "It defines it, and does not export it."),
        ("const onExecutePostLogin = () => {}; module.exports = onExecutePostLogin;", "does not export it."),
        ("module.exports = async (event, context) => ({});", "a function without a name"),
        ("module.exports = 5;", "The Action does not export 'onExecutePostLogin'."),
    ],
)
def test_a_handler_that_is_not_exported(run: Run, source: str, message: str) -> None:
    failure = run(source).failure
    assert failure.code is FailureCode.HANDLER
    assert message in failure.message


def test_the_other_handler_of_an_action_is_no_misspelling(run: Run) -> None:
    failure = run("exports.onContinuePostLogin = async () => {}").failure
    assert failure.code is FailureCode.HANDLER
    assert "It exports 'onContinuePostLogin'" in failure.message
    assert "misspelt" not in failure.message


def test_a_handler_that_is_no_function(run: Run) -> None:
    failure = run("exports.onExecutePostLogin = 'nothing'").failure
    assert failure.code is FailureCode.HANDLER
    assert "no function" in failure.message


def test_commands_of_a_failed_execution_do_not_count(run: Run) -> None:
    ran = run(
        "exports.onExecutePostLogin = async (e, api) => { api.access.deny('x'); throw new Error('after') }"
    )
    assert ran.failure.code is FailureCode.THROW
    assert ran.commands == []
