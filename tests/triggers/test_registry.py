"""Which triggers there are, and what the Management API can say about them."""

from __future__ import annotations

import json

import pytest

from tools.reference.compatibility import compatibility
from tools.reference.decisions import DECISIONS
from tools.reference.pages import reference
from triggers import (
    EventError,
    Trigger,
    UnknownTriggerError,
    all_triggers,
    begin,
    get_trigger,
    known_triggers,
)
from triggers.engine.effects import Effects
from triggers.engine.gates import GATES
from triggers.generate import typings

IN_ORDER = [
    "post-login",
    "credentials-exchange",
    "pre-user-registration",
    "post-user-registration",
    "post-change-password",
    "send-phone-message",
    "custom-phone-provider",
    "custom-email-provider",
    "password-reset-post-challenge",
    "custom-token-exchange",
    "event-stream",
    "post-credential-validation",
]


def test_triggers_come_in_the_documented_order() -> None:
    assert [trigger.id for trigger in all_triggers()] == IN_ORDER


@pytest.mark.parametrize(
    ("wrong", "nearest"),
    [
        ("post-logn", "post-login"),
        ("POST-LOGIN", "post-login"),
        ("credential-exchange", "credentials-exchange"),
    ],
)
def test_an_unknown_trigger_is_told_with_the_nearest_one(wrong: str, nearest: str) -> None:
    with pytest.raises(UnknownTriggerError) as caught:
        get_trigger(wrong)
    assert caught.value.nearest == nearest
    assert wrong in caught.value.message
    assert f"Did you mean {nearest}?" in caught.value.message


def test_nothing_near_gets_the_list_alone() -> None:
    with pytest.raises(UnknownTriggerError) as caught:
        get_trigger("zzz")
    assert caught.value.nearest is None
    assert "event-stream" in caught.value.message


EXPERIMENTAL = known_triggers()[len(IN_ORDER) :]


def test_experimental_triggers_come_last_and_are_no_complete_ones() -> None:
    assert known_triggers()[: len(IN_ORDER)] == all_triggers()
    assert {trigger.id: trigger.execute_handler for trigger in EXPERIMENTAL} == {
        "password-hash-migration": "onExecutePasswordHashMigration",
        "login-post-identifier": "onExecuteLoginPostIdentifier",
        "signup-post-identifier": "onExecuteSignupPostIdentifier",
        "mcp-tool": "onExecuteMcpTool",
    }
    assert not any(trigger.experimental for trigger in all_triggers())


@pytest.mark.parametrize("trigger", EXPERIMENTAL, ids=lambda trigger: trigger.id)
def test_an_experimental_trigger_has_an_event_and_no_api(trigger: Trigger) -> None:
    assert trigger.experimental
    assert trigger.surface.wire() == {}
    event = trigger.example_event
    assert trigger.parse_event(event) == event
    assert begin(trigger, event).effects() == Effects()
    assert "Experimental" in reference(trigger)
    assert f"## {trigger.id}" in compatibility()
    compile(typings.python(trigger), f"{trigger.id}.pyi", "exec")


@pytest.mark.parametrize(
    ("trigger", "event", "path"),
    [
        (
            "login-post-identifier",
            {"authentication": {"identifier": {}}},
            "$.authentication.identifier.value",
        ),
        ("login-post-identifier", {}, "$.authentication"),
        ("password-hash-migration", {"custom_hash_required": True}, "$.plaintext_password"),
        (
            "password-hash-migration",
            {"plaintext_password": "p", "custom_password_hash": "h"},
            "$.custom_password_hash",
        ),
        ("mcp-tool", {"tool": {"name": "t"}, "tool_call": {"params": []}}, "$.tool_call.params"),
        ("mcp-tool", {"tool": {}, "tool_call": {"params": {}}}, "$.tool.name"),
        ("signup-post-identifier", {"initial_connection": {}}, "$.initial_connection.id"),
    ],
)
def test_events_of_experimental_triggers_are_checked(trigger: str, event: dict, path: str) -> None:
    with pytest.raises(EventError) as caught:
        get_trigger(trigger).parse_event(event)
    assert path in [problem.path for problem in caught.value.problems]


def test_the_catalogue_of_versions() -> None:
    listed = {
        trigger.id: [(version.name, version.status) for version in trigger.versions]
        for trigger in all_triggers()
    }
    assert listed["post-login"] == [("v3", "CURRENT"), ("v2", "DEPRECATED"), ("v1", "DEPRECATED")]
    assert listed["credentials-exchange"] == [("v2", "CURRENT"), ("v1", "DEPRECATED")]
    assert listed["event-stream"] == [("v1", "CURRENT")]
    assert all(trigger.status == "CURRENT" for trigger in all_triggers())
    post_login = get_trigger("post-login").versions
    assert post_login[0].compatible == (("post-login", "v2"),)
    assert post_login[0].runtimes == ("node18-actions", "node22")
    assert (post_login[1].runtimes, post_login[1].default_runtime) == (("node18", "node22"), "node16")
    assert (post_login[2].runtimes, post_login[2].default_runtime) == (("node22",), "node12")
    assert get_trigger("custom-token-exchange").runtimes == ("node18", "node22")
    assert get_trigger("event-stream").runtimes == ("node22",)


def test_binding_rules() -> None:
    assert {t.id: t.max_actions for t in all_triggers() if t.max_actions != 20} == {
        "custom-phone-provider": 1,
        "custom-email-provider": 1,
        "password-reset-post-challenge": 4,
        "custom-token-exchange": 1,
        "event-stream": 1,
    }
    entity = {t.id for t in all_triggers() if t.binding_policy == "entity-bound"}
    assert entity == {"custom-token-exchange", "event-stream"}
    blocking = {t.id for t in all_triggers() if t.blocking}
    assert blocking == {
        "post-login",
        "credentials-exchange",
        "pre-user-registration",
        "send-phone-message",
        "password-reset-post-challenge",
        "custom-token-exchange",
        "post-credential-validation",
    }


def test_handlers() -> None:
    continues = {t.id: t.continue_handler for t in all_triggers() if t.continue_handler}
    assert continues == {
        "post-login": "onContinuePostLogin",
        "password-reset-post-challenge": "onContinuePostChallenge",
    }
    assert [t.execute_handler for t in all_triggers()] == [
        "onExecutePostLogin",
        "onExecuteCredentialsExchange",
        "onExecutePreUserRegistration",
        "onExecutePostUserRegistration",
        "onExecutePostChangePassword",
        "onExecuteSendPhoneMessage",
        "onExecuteCustomPhoneProvider",
        "onExecuteCustomEmailProvider",
        "onExecutePostChallenge",
        "onExecuteCustomTokenExchange",
        "onExecuteEventStream",
        "onExecutePostCredentialValidation",
    ]


@pytest.mark.parametrize("trigger", all_triggers(), ids=lambda trigger: trigger.id)
def test_every_member_is_declared_whole(trigger) -> None:
    json.dumps(trigger.surface.wire())
    for method in trigger.surface.methods:
        assert method.doc.endswith("."), method.path
        assert method.kind == "query" or method.returns in ("api", "void"), method.path
        assert (method.returns in ("value", "promise")) == (method.kind == "query"), method.path
        assert (method.value is not None) == (method.kind == "query"), method.path
        assert method.kind != "live" or method.change is not None, method.path
        assert method.kind == "query" or method.apply or method.suspends, method.path
        assert method.gate is None or method.gate in GATES, method.path
        assert method.state == ("gated" if method.gate else "available")
        for item in (*method.parameters, *(method.options.members if method.options else ())):
            assert item.doc.endswith("."), (method.path, item.name)
        assert method.arguments.json_schema()["type"] == "object"


def test_every_decision_has_a_topic_of_its_own() -> None:
    topics = [decision.topic for decision in DECISIONS]
    assert len(set(topics)) == len(topics)
    assert all(decision.text.endswith(".") for decision in DECISIONS)
