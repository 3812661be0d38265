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


def event_with(owner: tuple[str, str], value: Any) -> dict[str, Any]:
    """A post-login event that holds everything, with odd metadata in one place."""
    event = get_trigger("post-login").example_event
    event["refresh_token"] = {"id": "rt_1", "client_id": "c", "created_at": "2026-01-01T00:00:00Z"}
    event["organization"] = {"id": "org_1", "name": "x", "display_name": "X", "metadata": {}}
    return replaced(event, owner, value)


@pytest.mark.parametrize("action", [javascript(JAVASCRIPT), python(PYTHON)], ids=["javascript", "python"])
@pytest.mark.parametrize("owner", OWNERS, ids=".".join)
def test_any_metadata_in_an_event(runner: Runner, owner: tuple[str, str], action: Action) -> None:
    accepted = 0
    for value in ODD:
        event = event_with(owner, value)
        try:
            outcome = runner.run("post-login", event, [action, action])
        except EventError:
            continue  # the model says what is no metadata
        accepted += 1
        assert [record.status for record in outcome.actions] == [Status.RAN, Status.RAN], outcome.failure
        assert FlowOutcome.from_json(outcome.to_json()) == outcome
        if owner == ("session", "metadata"):
            untouched = {key: item for key, item in (value or {}).items() if key != "a"}
            assert outcome.effects.session.metadata == {**untouched, "new": "1"}
    assert accepted >= 3


@pytest.mark.parametrize("action", [javascript(JAVASCRIPT), python(PYTHON)], ids=["javascript", "python"])
@pytest.mark.parametrize("owner", OWNERS, ids=".".join)
def test_a_flow_that_was_stored_with_any_metadata(
    runner: Runner, owner: tuple[str, str], action: Action
) -> None:
    stored = replace(runner, store=MemoryStore())
    for value in ODD:
        try:
            asked = stored.run("post-login", event_with(owner, value), [action, ASKING, action])
        except EventError:
            continue
        assert asked.suspension is not None, asked.failure
        ended = stored.resume(asked.suspension.handle, prompt={})
        assert ended.failure is None
        assert json.loads(ended.to_json())["decision"] == "allow"
