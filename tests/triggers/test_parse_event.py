"""`Trigger.parse_event`: the way events come in."""

from __future__ import annotations

import pytest

from triggers import EventError, all_triggers, begin, get_trigger


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
