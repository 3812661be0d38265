"""Arbitrary values at every api method and event: typed errors only, and states that survive storage."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.drawn import examples
from tests.strategies import events, json_values, wild_values
from tests.triggers.driver import NOW
from triggers import (
    ActionSession,
    CommitError,
    EventError,
    FlowState,
    MemoryCache,
    ResumeError,
    Services,
    Trigger,
    all_triggers,
    begin,
    resume,
)
from triggers.engine.gates import GATES

TRIGGERS = {trigger.id: trigger for trigger in all_triggers()}
PLAUSIBLE: list[Any] = [
    "a",
    "read:x",
    "https://x.example/?a=1",
    "auth0|1",
    "any",
    "duo",
    "persistent",
    "server_error",
    "rsa-sha256",
    5,
    1_800_000_000_000,
    True,
    None,
    ["a"],
    ["a", "b"],
    {"type": "otp"},
    [{"type": "phone"}, {"type": "push"}],
    {"secret": "s" * 32, "payload": {"a": 1}},
    {"secret": "s" * 32},
    {"query": {"a": "b"}},
    {"fields": {"a": 1}, "vars": {"b": 2}},
    {"ttl": 5},
    {"take": 1},
    {"sub": "s", "act": {"sub": "t"}},
    {"user_id": "1", "email": "a@x.example"},
    {"creationBehavior": "none", "updateBehavior": "none"},
    {"additionalFactors": [{"type": "email"}]},
    {"preserveRefreshTokens": True},
]
values = st.sampled_from(PLAUSIBLE) | json_values | wild_values
quick = examples(60)


def session_of(trigger: Trigger, state: FlowState, handler: str | None = None) -> ActionSession:
    services = Services(clock=lambda: NOW, features=GATES, cache=MemoryCache())
    return ActionSession(
        state, services, action_index=0, secrets={}, handler=handler or trigger.execute_handler
    )


def calls(trigger: Trigger) -> st.SearchStrategy[list[tuple[str, list[Any]]]]:
    paths = st.sampled_from([method.path for method in trigger.surface.methods])
    return st.lists(st.tuples(paths, st.lists(values, max_size=4)), min_size=1, max_size=12)


def check_reply(reply: Any) -> None:
    json.dumps(reply, allow_nan=False).encode()
    assert set(reply) <= {"ok", "error", "event", "recorded"}
    if "error" in reply:
        assert set(reply) == {"error"}
        assert reply["error"]["name"] in ("TypeError", "Error")
        assert reply["error"]["message"]
        assert len(reply["error"]["message"]) < 2_000


def committed(session: ActionSession) -> FlowState | None:
    try:
        return session.commit()
    except CommitError:
        return None


@pytest.mark.parametrize("trigger_id", TRIGGERS)
@quick
@given(st.data())
def test_calls_with_anything(trigger_id: str, data: st.DataObject) -> None:
    trigger = TRIGGERS[trigger_id]
    session = session_of(trigger, begin(trigger, trigger.example_event))
    for path, arguments in data.draw(calls(trigger)):
        check_reply(session.call(path, arguments))
    state = committed(session)
    if state is not None:
        effects = state.effects()
        assert type(effects).model_validate_json(effects.model_dump_json()) == effects
        assert FlowState.from_json(state.to_json()) == state
        assert (effects.denial is not None) == (effects.decision == "deny")
        assert not (effects.denial and state.suspension)


@pytest.mark.parametrize(
    ("trigger_id", "path"),
    [(trigger.id, method.path) for trigger in TRIGGERS.values() for method in trigger.surface.methods],
)
@examples(15)
@given(st.lists(values, max_size=4))
def test_every_member_with_anything(trigger_id: str, path: str, arguments: list[Any]) -> None:
    trigger = TRIGGERS[trigger_id]
    check_reply(session_of(trigger, begin(trigger, trigger.example_event)).call(path, arguments))


def flows(trigger: Trigger) -> st.SearchStrategy[tuple[str, dict[str, Any], list[Any]]]:
    """A trigger, one of its valid events, and the calls of up to three Actions."""
    return st.tuples(
        st.just(trigger.id), events(trigger.id), st.lists(calls(trigger), min_size=1, max_size=3)
    )


@examples(300)
@given(st.sampled_from(list(TRIGGERS.values())).flatmap(flows))
def test_calls_on_any_valid_event(flow: tuple[str, dict[str, Any], list[Any]]) -> None:
    """Whatever the event leaves out or adds: members answer, the fold folds, what is stored reads back, and
    the next Action gets an event that is as valid as the first."""
    trigger = TRIGGERS[flow[0]]
    state = begin(trigger, trigger.parse_event(flow[1]))
    for made in flow[2]:
        before = state.to_json()
        session = session_of(trigger, state)
        for path, arguments in made:
            check_reply(session.call(path, arguments))
        json.loads(session.event_json())
        assert state.to_json() == before
        after = committed(session)
        if after is None:
            return
        assert FlowState.from_json(after.to_json()) == after
        assert after.effects() == FlowState.from_json(after.to_json()).effects()
        trigger.parse_event(after.event)
        if after.suspension is not None:
            return
        state = after


@pytest.mark.parametrize("trigger_id", TRIGGERS)
@examples(25)
@given(values)
def test_any_value_as_an_event(trigger_id: str, value: Any) -> None:
    trigger = TRIGGERS[trigger_id]
    problems: Any = ["none"]
    try:
        begin(trigger, trigger.parse_event(value))
    except EventError as error:
        problems = error.problems
    assert problems


@examples(40)
@given(st.dictionaries(st.sampled_from(["request", "prompt", "methods", "enrolled"]), values))
def test_resuming_with_anything(what: dict[str, Any]) -> None:
    trigger = TRIGGERS["post-login"]
    session = session_of(trigger, begin(trigger, trigger.example_event))
    session.call("prompt.render", ["ap_1"])
    try:
        state = resume(session.commit(), **what)
    except ResumeError:
        return
    assert FlowState.from_json(state.to_json()) == state
    after = session_of(trigger, state, "onContinuePostLogin")
    after.call("user.setUserMetadata", ["a", 1])
    after.call("authentication.challengeWith", [{"type": "email"}])
    after.commit().effects()


@examples(60)
@given(st.text(max_size=40) | json_values.map(json.dumps) | st.binary(max_size=20))
def test_any_text_as_a_state(text: str | bytes) -> None:
    with pytest.raises(ValueError, match="not the state of a flow"):
        FlowState.from_json(text)
