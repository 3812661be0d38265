"""`Trigger.parse_event`: the way events come in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from triggers import ActionSession, EventError, FlowState, Services, all_triggers, begin, get_trigger


@pytest.mark.parametrize("trigger", all_triggers(), ids=lambda trigger: trigger.id)
def test_examples_parse_into_deep_copies(trigger):
    event = trigger.example_event
    parsed = trigger.parse_event(event)
    assert parsed == event
    parsed.clear()
    assert event == trigger.example_event


def test_a_broken_event_is_an_event_error_with_problems():
    with pytest.raises(EventError) as caught:
        get_trigger("post-login").parse_event({"user": 1})
    assert "$.user" in [problem.path for problem in caught.value.problems]


def test_transaction_metadata_is_there_for_post_login_actions():
    trigger = get_trigger("post-login")
    event = trigger.example_event
    del event["transaction"]["metadata"]
    assert begin(trigger, trigger.parse_event(event)).event["transaction"]["metadata"] == {}
    del event["transaction"]
    assert "transaction" not in begin(trigger, trigger.parse_event(event)).event


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def judged(data: Any) -> Any:
    """The event, or what is wrong with it and where."""
    try:
        return get_trigger("post-login").parse_event(data)
    except EventError as error:
        return [(problem.path, problem.expected) for problem in error.problems]


@given(ANYTHING, st.booleans(), st.sampled_from([None, 1]))
@example("\ud83d", True, None)
@example(10**400, True, None)
@example({"a": [float("nan")]}, False, 1)
@example(json.loads("[" * 70 + "]" * 70), True, None)
def test_text_is_judged_as_its_value_is(value: Any, ascii_only: bool, indent: int | None) -> None:
    event = {**get_trigger("post-login").example_event, "extra": value}
    text = json.dumps(event, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")
    if ascii_only or b"\xed" not in text:
        assert repr(judged(text)) == repr(judged(json.loads(text)))


@pytest.mark.parametrize("text", [b"", b"{", b"\xff{}", b"[" * 5000, b'{"a": 1}x', b"1" * 5000])
def test_what_is_no_json_is_an_event_error(text: bytes) -> None:
    with pytest.raises(EventError) as caught:
        get_trigger("post-login").parse_event(text)
    assert caught.value.problems[0].path == "$"


def test_text_over_the_cap_is_refused_unless_it_is_all_blanks() -> None:
    event = get_trigger("post-login").example_event
    blank = json.dumps(event).encode() + b" " * 2**21
    assert judged(blank) == event
    assert judged(json.dumps({**event, "extra": "x" * 2**20}).encode())[0][0] == "$"


def test_an_event_is_written_again_when_an_action_has_changed_it() -> None:
    def ran(state: FlowState, index: int) -> FlowState:
        secrets = {"KEY": str(index)}
        session = ActionSession(
            state, Services(), action_index=index, secrets=secrets, handler="onExecutePostLogin"
        )
        event = json.loads(session.event_json())
        assert event.pop("secrets") == secrets
        assert event.pop("configuration") == {}
        assert event == state.event
        session.call("user.setUserMetadata", ["seen", index])
        return session.commit()

    state = begin(get_trigger("post-login"), get_trigger("post-login").example_event)
    for index in range(3):
        state = ran(state, index)
        assert state.event["user"]["user_metadata"]["seen"] == index
        assert FlowState.from_json(state.to_json()) == state
