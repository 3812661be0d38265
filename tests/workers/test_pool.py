"""Flows in workers end as they do in process, and errors are the same."""

from __future__ import annotations

import json
import time
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner import (
    EventError,
    FailPolicy,
    FlowError,
    ResumeError,
    Runner,
    Settings,
    UnknownTriggerError,
)
from runner.flow.programs import ProgramCache
from runner.replay.record import comparable
from runner.replay.replay import replay
from runner.testing.cases.run import _Play
from runner.workers import LegReply
from sandbox.core.caps import Limits
from sandbox.core.program import Language, Source
from sandbox.egress import AllowRule, StubEgress
from sandbox.packages.wheels import PythonModule, prepare
from tests.case_files import cases_below
from tests.sandbox.packages.wheels.made import put
from tests.test_samples import SAMPLES
from tests.workers.conftest import STUBS
from tests.workers.pools import EVENT, EVERYTHING, LivePool, javascript, python
from triggers import get_trigger

CLAIM = 'api.idToken.setCustomClaim("https://a.example/hello", `hello ${event.user.given_name}`);'
LOOP = "for (;;) {}"
GREET = (
    'const answer = await fetch("https://api.example/greeting"); console.log((await answer.json()).hello);'
)


def logs(outcome: Any, index: int = 0) -> list[str]:
    return [line.text for line in outcome.actions[index].logs]


def test_a_flow_of_both_languages_ends_as_in_process(live: LivePool) -> None:
    actions = [
        javascript(CLAIM + 'console.log("key", event.secrets.KEY, event.configuration.mode);',
                   secrets={"KEY": "a secret of mine"}, configuration={"mode": "x"}),
        python("print('second', event.user.email)\napi.access_token.set_custom_claim('tier', 1.5)"),
    ]  # fmt: skip
    here = Runner(egress=StubEgress(STUBS)).run("post-login", EVENT, actions, tenant="harbor")
    there = live.run(*actions)
    assert comparable(there) == comparable(here)
    assert there.decision == "allow"
    assert logs(there) == ["key [secret KEY] x"]
    assert there.execution_id.startswith("exe_")


def test_python_modules_and_packages(live: LivePool, tmp_path: Path) -> None:
    put(tmp_path, "maths")
    body = "import maths\nfrom actions import greeter\nprint(maths.add(1, 2), greeter.hi())\ngreeter.fail()"
    greeter = "def hi():\n    return actions.secrets.WORD\ndef fail():\n    raise KeyError('no')"
    action = python(body, module_secrets={"greeter": {"WORD": "hi"}})
    modules = [PythonModule("greeter", "greeter.py", greeter)]
    made = prepare(action.source, ["maths==1.0"], folder=tmp_path, modules=modules)
    action = replace(action, source=made.source)
    here = Runner(egress=StubEgress()).run("post-login", EVENT, [action], tenant="harbor")
    there = live.run(action)
    assert logs(there) == ["3 hi"]
    assert there.failure is not None
    assert there.failure.place is not None
    assert (there.failure.place.file, there.failure.place.line) == ("actions:greeter", 4)
    assert comparable(there) == comparable(here)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("throw new RangeError('no');", "throw"),
        ("await new Promise(() => {});", "unsettled"),
        ("api.redirect.sendUserTo(5);", "invalid_command"),
        ("syntax error", "syntax"),
        ("const f = () => f(); f();", "stack"),
        ("const a = []; for (;;) a.push(new Uint8Array(1 << 20).fill(1));", "memory"),
    ],
)
def test_failures_are_the_same_as_in_process(live: LivePool, body: str, code: str) -> None:
    action = javascript(body)
    here = Runner(egress=StubEgress()).run("post-login", EVENT, [action], tenant="harbor")
    there = live.run(action)
    assert there.failure is not None
    assert there.failure.code == code
    assert comparable(there) == comparable(here)


def test_limits_and_fail_policies_cross(live: LivePool) -> None:
    loops = javascript(LOOP, limits=Limits(wall_ms=100), fail_policy=FailPolicy.OPEN)
    falls_back = javascript(
        "throw 1;", name="b", fail_policy=FailPolicy.LAST_GOOD, last_good=javascript(CLAIM).source
    )
    outcome = live.run(loops, falls_back)
    assert outcome.decision == "allow"
    assert outcome.actions[0].failure is not None
    assert outcome.actions[0].failure.code == "timeout"
    assert outcome.actions[1].used_last_good
    assert outcome.effects.id_token_claims == {"https://a.example/hello": "hello Maya"}


def test_module_secrets_settings_and_executed_rules_cross(live: LivePool) -> None:
    outcome = live.run(
        javascript('console.log(api.rules.wasExecuted("rule-1"), api.rules.wasExecuted("rule-2"));'),
        executed_rules=("rule-1",),
        execution_id="exe_mine",
        settings=Settings(budget_ms=7000),
    )
    assert logs(outcome) == ["true false"]
    assert (outcome.execution_id, outcome.timing.budget_ms) == ("exe_mine", 7000)


def test_callers_mistakes_are_the_same_errors(live: LivePool) -> None:
    action = javascript("")
    with pytest.raises(UnknownTriggerError, match="post-logn"):
        live.run(action, trigger="post-logn")
    with pytest.raises(FlowError) as none:
        live.run()
    assert none.value.code == "no_actions"
    event = {**EVENT, "user": {**EVENT["user"], "email": 5}}
    with pytest.raises(EventError) as here:
        Runner(egress=StubEgress()).run("post-login", event, [action])
    with pytest.raises(EventError) as there:
        live.run(action, event=event)
    assert there.value.problems == here.value.problems
    assert there.value.total == here.value.total


@pytest.mark.parametrize("value", [object(), float("nan"), 10**5000], ids=["object", "nan", "huge"])
def test_an_event_that_is_no_json_is_an_event_error(live: LivePool, value: object) -> None:
    event = {**EVENT, "transaction": {**EVENT["transaction"], "state": value}}
    with pytest.raises(EventError):
        live.run(javascript(""), event=event)


def test_deep_and_odd_text_crosses_unharmed(live: LivePool) -> None:
    odd = "\0 \u2028 \x7f 💚 é"
    metadata = {"odd": odd, odd: [[[[[[[["deep"]]]]]]]]}
    event = {**EVENT, "user": {**EVENT["user"], "user_metadata": metadata}}
    outcome = live.run(javascript("console.log(JSON.stringify(event.user.user_metadata));"), event=event)
    assert json.loads(logs(outcome)[0]) == metadata


def test_languages_and_time_zones_need_no_file(live: LivePool) -> None:
    outcome = live.run(
        javascript("""
          for (const timeZone of ["Europe/Amsterdam", "Asia/Kathmandu", "America/New_York"]) {
            console.log(new Date(0).toLocaleString("de-DE", { timeZone }));
          }
          try { new Date(0).toLocaleString("nl", { timeZone: "../etc/passwd" }); }
          catch (error) { console.log(error.name); }
        """)
    )
    assert logs(outcome) == [
        "1.1.1970, 01:00:00", "1.1.1970, 05:30:00", "31.12.1969, 19:00:00", "RangeError",
    ]  # fmt: skip


def test_requests_are_made_by_the_parent(live: LivePool) -> None:
    fetch = "answer = await fetch('https://api.example/greeting')\nprint((await answer.json())['hello'])"
    assert logs(live.run(javascript(GREET))) == ["there"]
    assert logs(live.run(python(fetch))) == ["there"]
    refused = live.run(javascript('await fetch("https://nowhere.example/");'))
    assert refused.failure is not None
    assert refused.failure.code == "egress"


def test_each_action_has_its_own_allow_list(live: LivePool) -> None:
    get = """
      for (const url of ["https://api.example/greeting", "https://other.example/"]) {
        try { console.log((await fetch(url)).status); } catch (error) { console.log(error.cause.message); }
      }
    """
    outcome = live.run(
        javascript(get, allow=(AllowRule("api.example"),)),
        javascript(get, name="b", allow=(AllowRule("other.example"),)),
        javascript(get, name="c"),
        javascript(get, name="d", allow=()),
    )
    refused = "GET https://{} is not on the egress allow-list."
    assert [line.replace("Error: ", "") for line in logs(outcome, 0)] == [
        "200",
        refused.format("other.example"),
    ]
    assert logs(outcome, 1) == [refused.format("api.example"), "200"]
    assert logs(outcome, 2) == ["200", "200"]
    assert logs(outcome, 3) == [refused.format("api.example"), refused.format("other.example")]


def test_the_allow_list_holds_after_a_resume(live: LivePool) -> None:
    text = """
      exports.onExecutePostLogin = async (event, api) => api.redirect.sendUserTo("https://x.example/");
      exports.onContinuePostLogin = async (event, api) => {
        await fetch("https://api.example/greeting").catch((error) => console.log(error.cause.message));
      };
    """
    action = replace(
        javascript(""), source=Source(Language.JAVASCRIPT, "x.js", text), allow=(AllowRule("other.example"),)
    )
    first = live.run(action)
    assert first.suspension is not None
    request = {**EVENT["request"], "query": {"state": first.suspension.state}}
    outcome = live.resume(first.suspension.handle, request=request)
    assert logs(outcome) == ["GET https://api.example is not on the egress allow-list."]


def test_the_cache_is_of_tenant_and_trigger(live: LivePool) -> None:
    put = javascript('api.cache.set("k", event.secrets.V ?? ""); ', secrets={"V": "mine alone"})
    get = javascript(
        'console.log(api.cache.get("k")?.value, api.cache.get("x".repeat(65)), api.cache.delete("k").type);'
    )
    assert live.run(put, tenant="cache-a").decision == "allow"
    assert logs(live.run(get, tenant="cache-b")) == ["undefined undefined error"]
    assert logs(live.run(get, tenant="cache-a")) == ["mine alone undefined success"]
    assert logs(live.run(get, tenant="cache-a")) == ["undefined undefined error"]


def test_the_directory_is_of_the_tenant(live: LivePool) -> None:
    get = javascript("""
      const found = await api.roles.getUserEffectiveRoles();
      console.log(JSON.stringify(found));
    """)
    for tenant in ("directory-a", "directory-b"):
        event = {**EVENT}
        event.pop("organization", None)
        assert f'"name":"{tenant}"' in "".join(logs(live.run(get, tenant=tenant, event=event)))


def test_a_slow_answer_is_cut_at_the_limit(live: LivePool) -> None:
    slow = javascript('await fetch("https://api.example/slow");', limits=Limits(wall_ms=100))
    outcome = live.run(slow)
    assert outcome.failure is not None
    assert outcome.failure.code == "timeout"
    assert outcome.timing.wall_ms < 290, "the answer comes after 300 ms"


CONSENT = """
exports.onExecutePostLogin = async (event, api) => {
  api.user.setUserMetadata("asked", true);
  api.redirect.sendUserTo("https://consent.example/ask");
};
exports.onContinuePostLogin = async (event, api) => {
  console.log(event.request.query.answer, event.secrets.KEY === "a secret of mine");
};
"""


def consent() -> Any:
    return replace(
        javascript("", name="consent", secrets={"KEY": "a secret of mine"}),
        source=Source(Language.JAVASCRIPT, "consent.js", CONSENT),
    )


def test_a_flow_suspends_and_resumes_once(live: LivePool) -> None:
    first = live.run(consent(), javascript(CLAIM, name="greet"))
    assert first.decision == "suspended"
    assert first.suspension is not None
    assert first.effects.user_metadata == {"asked": True}
    handle = first.suspension.handle
    waiting = live.wait(live.pool.waiting("harbor", handle))
    assert [(item.name, item.wanted) for item in waiting.actions] == [("consent", ("KEY",)), ("greet", ())]
    request = {**EVENT["request"], "query": {"state": first.suspension.state, "answer": "yes"}}
    with pytest.raises(ResumeError) as missing:
        live.resume(handle, request=request)
    assert missing.value.code == "missing_secrets"
    secrets = {"consent": {"KEY": "a secret of mine"}}
    with pytest.raises(ResumeError) as foreign:
        live.resume(handle, tenant="other", request=request, secrets=secrets)
    assert foreign.value.code == "unknown_handle"
    outcome = live.resume(handle, request=request, secrets=secrets)
    assert (outcome.decision, outcome.leg, outcome.execution_id) == ("allow", 2, first.execution_id)
    assert logs(outcome) == ["yes true"]
    assert outcome.effects.user_metadata == {}
    assert outcome.effects.id_token_claims == {"https://a.example/hello": "hello Maya"}
    with pytest.raises(ResumeError) as used:
        live.resume(handle, request=request, secrets=secrets)
    assert used.value.code == "handle_used"


def test_of_many_resumes_at_once_one_wins(live: LivePool) -> None:
    first = live.run(consent())
    assert first.suspension is not None
    request = {**EVENT["request"], "query": {"state": first.suspension.state}}

    async def again() -> LegReply:
        from runner.workers import ResumeCall

        call = ResumeCall(
            handle=first.suspension.handle if first.suspension else "",
            request=request,
            secrets={"consent": {"KEY": "a secret of mine"}},
        )
        return await live.pool.resume("harbor", call)

    tries = [live.begin(again()) for _ in range(8)]
    ends = [_end(item) for item in tries]
    assert sorted(ends) == ["allow", *["handle_used"] * 7]


def _end(future: Future[LegReply]) -> str:
    try:
        return future.result(60).outcome.decision.value
    except ResumeError as error:
        return error.code


def test_a_wrong_state_ends_the_transaction(live: LivePool) -> None:
    first = live.run(consent())
    assert first.suspension is not None
    secrets = {"consent": {"KEY": "a secret of mine"}}
    for code in ("invalid_request", "handle_used"):
        with pytest.raises(ResumeError) as refused:
            live.resume(first.suspension.handle, request=dict(EVENT["request"]), secrets=secrets)
        assert refused.value.code == code


def test_many_legs_that_wait_do_not_hold_up_each_other(live: LivePool) -> None:
    slow = javascript('await fetch("https://api.example/slow");')
    live.run(slow)
    began = time.monotonic()
    ends = [live.call(slow, tenant=f"tenant-{number % 4}") for number in range(40)]
    assert live.run(javascript("")).decision == "allow"
    assert all(item.result(60).outcome.decision == "allow" for item in ends)
    assert time.monotonic() - began < 40 * 0.3 / 2, "they waited one after another"


def test_results_never_meet(live: LivePool) -> None:
    echo = javascript(
        'await null; console.log(event.secrets.N); api.idToken.setCustomClaim("n", event.secrets.N);'
    )
    calls = [
        live.call(replace(echo, secrets={"N": str(number)}), tenant=f"tenant-{number % 5}")
        for number in range(200)
    ]
    for number, call in enumerate(calls):
        outcome = call.result(60).outcome
        assert outcome.tenant == f"tenant-{number % 5}"
        assert outcome.effects.id_token_claims == {"n": str(number)}
        assert logs(outcome) == [str(number)]


def test_a_record_replays_in_process(live: LivePool) -> None:
    action = javascript(GREET + "console.log(Math.random(), Date.now(), crypto.randomUUID());")
    reply = live.call(action, record=EVERYTHING).result(60)
    again = replay(live.record(reply, action))
    assert again.same, (again.divergences, again.differences)
    assert again.outcome.actions[0].logs[-1].text == reply.outcome.actions[0].logs[-1].text
    assert live.call(action).result(60).record is None


def test_forgotten_versions_are_dropped(live: LivePool) -> None:
    action = javascript("console.log('forget me');")
    live.run(action)
    before = sum(worker.sources for worker in live.pool.stats().workers)
    live.loop.call_soon_threadsafe(live.pool.forget, action.digest)
    live.until(lambda: sum(worker.sources for worker in live.pool.stats().workers) == before - 1)
    assert logs(live.run(action)) == ["forget me"]


CASES = [case for case in cases_below(SAMPLES) if case.skip is None]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.path.stem}: {case.name}")
def test_samples_end_exactly_as_in_process(case: Any, live: LivePool) -> None:
    """The first step of each case runs in a worker under the real clock; its record, run again in process,
    must come to the same outcome call by call."""
    play = _Play(case, ProgramCache(), strict=False)
    play.trigger = get_trigger(case.trigger)
    step = case.steps[0]
    actions = play._actions(step)
    reply = live.call(
        *actions,
        trigger=case.trigger,
        event=play._event(),
        executed_rules=tuple(case.executed_rules),
        settings=Settings(limits=Limits(**case.limits.given()), features=frozenset(case.features)),
        record=EVERYTHING,
    ).result(60)
    secrets = {action.name: action.every_secret for action in actions}
    again = replay(live.record(reply, *actions), lambda pinned: secrets[pinned.name])
    assert again.same, (again.divergences, again.differences)
    assert comparable(again.outcome) == comparable(reply.outcome)
