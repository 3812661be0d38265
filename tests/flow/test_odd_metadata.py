"""Metadata as platforms have it: null, empty, numbers, lists. Members work on it in both languages, and what
the flow stores reads back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from runner import FlowOutcome, MemoryStore, Runner, Status
from runner.model.action import Action
from tests.flow.actions import both, javascript, python
from triggers import EventError, get_trigger
from triggers.values.json_value import replaced

OWNERS = (
    ("user", "user_metadata"),
    ("user", "app_metadata"),
    ("session", "metadata"),
    ("refresh_token", "metadata"),
    ("client", "metadata"),
    ("organization", "metadata"),
    ("connection", "metadata"),
    ("transaction", "metadata"),
)
ODD: tuple[Any, ...] = (
    None,
    {},
    {"a": None},
    {"a": 5, "b": [1, {"c": None}], "": "", "__proto__": "x"},
    {"a": {"b": {}}, "kept": "ü\U0001f511"},
)
JAVASCRIPT = """
const calls = [
  () => api.user.setUserMetadata("a", null), () => api.user.setAppMetadata("a", { x: 1 }),
  () => api.session.setMetadata("new", "1"), () => api.session.deleteMetadata("a"),
  () => api.refreshToken.setMetadata("new", "1"), () => api.refreshToken.deleteMetadata("a"),
  () => api.transaction.setMetadata("new", 1), () => api.transaction.setMetadata("a", null),
  () => api.idToken.setCustomClaim("https://x.example/all", [event.client.metadata]),
];
for (const call of calls) { try { call() } catch (error) { console.log(error.message) } }
"""
PYTHON = """
calls = [
    lambda: api.user.set_user_metadata("a", None), lambda: api.user.set_app_metadata("a", {"x": 1}),
    lambda: api.session.set_metadata("new", "1"), lambda: api.session.delete_metadata("a"),
    lambda: api.refresh_token.set_metadata("new", "1"), lambda: api.refresh_token.delete_metadata("a"),
    lambda: api.transaction.set_metadata("new", 1), lambda: api.transaction.set_metadata("a", None),
    lambda: api.id_token.set_custom_claim("https://x.example/all", [1]),
]
for call in calls:
    try:
        call()
    except Exception as error:
        print(error)
"""
ASKING = both('api.prompt.render("ap_1");', "")


def is_taken(event: dict[str, Any]) -> bool:
    """The model says what is no metadata."""
    try:
        get_trigger("post-login").parse_event(event)
    except EventError:
        return False
    return True


def event_with(value: Any) -> dict[str, Any]:
    """A post-login event that holds everything, with odd metadata wherever it may be."""
    event = get_trigger("post-login").example_event
    event["refresh_token"] = {"id": "rt_1", "client_id": "c", "created_at": "2026-01-01T00:00:00Z"}
    event["organization"] = {"id": "org_1", "name": "x", "display_name": "X", "metadata": {}}
    for owner in OWNERS:
        changed = replaced(event, owner, value)
        event = changed if is_taken(changed) else event
    return event


LANGUAGES = pytest.mark.parametrize(
    "action", [javascript(JAVASCRIPT), python(PYTHON)], ids=["javascript", "python"]
)


@pytest.mark.parametrize("owner", OWNERS, ids=".".join)
def test_most_of_it_is_taken(owner: tuple[str, str]) -> None:
    parent, name = owner
    assert sum(event_with(value)[parent].get(name) == value for value in ODD) >= 3


@LANGUAGES
def test_any_metadata_in_an_event(runner: Runner, action: Action) -> None:
    for value in ODD:
        outcome = runner.run("post-login", event_with(value), [action, action])
        assert [record.status for record in outcome.actions] == [Status.RAN, Status.RAN], outcome.failure
        assert FlowOutcome.from_json(outcome.to_json()) == outcome
        before = event_with(value)["session"]["metadata"] or {}
        untouched = {key: item for key, item in before.items() if key != "a"}
        assert outcome.effects.session.metadata == {**untouched, "new": "1"}


@LANGUAGES
def test_a_flow_that_was_stored_with_any_metadata(runner: Runner, action: Action) -> None:
    stored = replace(runner, store=MemoryStore())
    for value in ODD:
        asked = stored.run("post-login", event_with(value), [action, ASKING, action])
        assert asked.suspension is not None, asked.failure
        ended = stored.resume(asked.suspension.handle, prompt={})
        assert ended.failure is None
        assert json.loads(ended.to_json())["decision"] == "allow"
