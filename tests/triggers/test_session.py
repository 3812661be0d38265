"""One Action's run: its event, its calls, its commit."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.triggers.driver import ABSENT, NOW, Flow, error
from triggers import ActionSession, CommitError, FlowState, Services
from triggers.values.json_value import MAX_DEPTH


def deep(levels: int) -> list:
    value: list = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_the_event_is_the_actions_own_copy_with_its_secrets() -> None:
    flow = Flow("post-login")
    session = ActionSession(
        flow.state,
        flow.services,
        action_index=0,
        secrets={"KEY": "value"},
        configuration={"region": "eu"},
        handler="onExecutePostLogin",
    )
    event = session.event
    assert event["secrets"] == {"KEY": "value"}
    assert event["configuration"] == {"region": "eu"}
    assert json.loads(session.event_json()) == event
    event["user"]["email"] = "mallory@example.org"
    event["secrets"].clear()
    assert session.event["user"]["email"] == "maya.okafor@harbor.example"
    assert session.event["secrets"] == {"KEY": "value"}
    assert "secrets" not in session.commit().event


def test_secrets_of_the_incoming_event_reach_nobody() -> None:
    flow = Flow("post-login", {"secrets": {"OTHER": "leak"}})
    assert "leak" not in flow.state.to_json()
    assert flow.session().event["secrets"] == {}


def test_configuration_of_the_incoming_event_is_the_default() -> None:
    flow = Flow("post-login", {"configuration": {"a": "1"}})
    assert flow.session().event["configuration"] == {"a": "1"}
    assert flow.session(configuration={}).event["configuration"] == {}


def test_a_handler_of_another_trigger_is_refused() -> None:
    with pytest.raises(ValueError, match="has no handler"):
        Flow("post-login").session("onExecuteCredentialsExchange")


@pytest.mark.parametrize(
    ("path", "arguments"),
    [("nothing.here", []), ("", []), ("access", []), ("access.deny.x", []), ("constructor", []), (None, [])],
)
def test_a_member_that_does_not_exist_is_forged(path, arguments) -> None:
    reply = Flow("post-login").session().call(path, arguments)
    assert reply["forged"] is True
    assert reply["error"]["name"] == "TypeError"


def test_a_member_of_another_trigger_is_forged() -> None:
    assert Flow("credentials-exchange").call("idToken.setCustomClaim", "a", 1)["forged"] is True


def test_extra_arguments_are_ignored_and_missing_ones_undefined() -> None:
    flow = Flow("post-login").action(("access.deny", "no", "extra", {"more": True}))
    assert flow.effects.denial.reason == "no"
    assert "is required and was left out" in error(Flow("post-login").call("accessToken.addScope"))


def test_arguments_that_are_not_an_array() -> None:
    reply = Flow("post-login").session().call("access.deny", {"reason": "x"})  # type: ignore[arg-type]
    assert reply["error"]["name"] == "TypeError"


def test_what_is_recorded_does_not_change_with_the_argument() -> None:
    flow, value = Flow("post-login"), {"a": [1]}
    session = flow.session()
    session.call("idToken.setCustomClaim", ["https://x.example/a", value])
    value["a"].append(2)
    assert session.commit().effects().id_token_claims == {"https://x.example/a": {"a": [1]}}


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        (float("nan"), None),
        (float("inf"), None),
        ("a\ud800b", "a\ufffdb"),
        ("\ud83d\ude00", "\U0001f600"),
        ({"k\udfff": 1}, {"k\ufffd": 1}),
        (deep(MAX_DEPTH), deep(MAX_DEPTH)),
        (2**1023, 2**1023),
    ],
)
def test_values_are_made_plain_json(value, becomes) -> None:
    flow = Flow("post-login").action(("idToken.setCustomClaim", "https://x.example/a", value))
    assert flow.effects.id_token_claims == {"https://x.example/a": becomes}


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (deep(MAX_DEPTH + 1), "is nested more than 64 levels deep"),
        (2**1024, "holds an integer beyond the range of numbers"),
        ({1: 2}, "has a key that is a int, not a string"),
        ((1, 2), "holds a tuple"),
        (b"x", "holds a bytes"),
        ({"a": {1}}, "holds a set"),
    ],
)
def test_values_that_json_cannot_say(value, says: str) -> None:
    assert says in error(Flow("post-login").call("idToken.setCustomClaim", "https://x.example/a", value))


def test_a_late_call_is_refused_and_changes_nothing() -> None:
    session = Flow("post-login").session()
    state = session.commit()
    assert "the Action is over" in error(session.call("access.deny", ["late"]))
    assert state.effects().decision == "allow"


def test_an_action_that_is_not_committed_contributes_nothing() -> None:
    flow = Flow("post-login")
    flow.call("access.deny", "no")
    assert flow.effects.decision == "allow"


def test_commands_are_committed_as_a_unit_in_order() -> None:
    flow = Flow("post-login").action(
        ("user.setAppMetadata", "a", 1), ("redirect.canRedirect",), ("user.setAppMetadata", "a", 2)
    )
    assert [(item.action, item.path) for item in flow.state.commands] == [(0, "user.setAppMetadata")] * 2
    assert flow.state.commands[1].arguments == {"key": "a", "value": 2}


def test_replies_to_commands_say_that_they_were_recorded() -> None:
    assert Flow("post-login").call("access.deny", "no") == {"recorded": True}
    assert Flow("post-login").call("cache.get", "k") == {}


def test_errors_name_method_argument_rule_and_value() -> None:
    reply = Flow("post-login").call("accessToken.addScope", {"a": 1})
    assert reply["error"] == {
        "name": "TypeError",
        "message": 'api.accessToken.addScope: scope must be a string, not {"a":1}',
        "code": "invalid_argument",
    }


def test_values_in_errors_are_cut() -> None:
    long = "x" * 10_000
    tried: list[tuple[str, list[Any]]] = [
        ("accessToken.addScope", [[long]]),
        ("prompt.render", ["a", {long: 1}]),
        ("prompt.render", ["a", {"fields": {long: 1}}]),
        ("redirect.sendUserTo", ["https://x.example", {"query": {long: {"a": 1}}}]),
        ("redirect.validateToken", [{"secret": "s", "tokenParameterName": long}]),
        ("authentication.challengeWith", [{"type": long}]),
        ("user.setUserMetadata", [long + ".", 1]),
        (long, []),
    ]
    for path, arguments in tried:
        assert len(error(Flow("post-login").call(path, *arguments))) < 300


def test_a_suspended_flow_runs_no_action() -> None:
    flow = Flow("post-login").action(("redirect.sendUserTo", "https://x.example/"))
    with pytest.raises(ValueError, match="suspended"):
        flow.session()


def test_a_failed_state_file_is_told() -> None:
    for text in ("", "[]", "{}", '{"trigger": "no", "event": {}}', "[" * 100_000):
        with pytest.raises(ValueError, match="not the state of a flow"):
            FlowState.from_json(text)


def test_a_state_file_with_foreign_commands_is_refused() -> None:
    data = json.loads(Flow("post-login").action(("authentication.setPrimaryUser", "u")).state.to_json())
    data["commands"][0]["arguments"] = {}
    with pytest.raises(ValueError, match="not the state of a flow"):
        FlowState.from_json(json.dumps(data))
    with pytest.raises(ValueError, match="not those of the trigger"):
        FlowState.model_validate(data)


def test_a_gated_member_throws_while_its_gate_is_off() -> None:
    reply = Flow("post-login").call("transaction.addTargetScope", "read:x")
    assert reply["error"]["code"] == "gated"
    assert "is not implemented here" in reply["error"]["message"]
    on = Flow("post-login", features=frozenset({"post-login-target-scopes"}))
    on.action(("transaction.addTargetScope", "read:x"))
    assert on.effects.target_scopes == ("read:x",)


def test_the_first_abort_is_what_commit_reports() -> None:
    session = Flow("post-login").session()
    session.call("prompt.render", ["ap_1"])
    assert "can render one form" in error(session.call("prompt.render", ["ap_2"]))
    session.call("redirect.sendUserTo", ["https://x.example/"])
    with pytest.raises(CommitError, match="can render one form") as caught:
        session.commit()
    assert caught.value.path == "prompt.render"


def test_services_have_working_defaults() -> None:
    services = Services()
    assert services.now() > NOW
    assert services.redirect_state != Services().redirect_state
    assert services.directory.groups("u") == ()


def test_optional_arguments_take_null_as_left_out() -> None:
    flow = Flow("post-login").action(
        ("redirect.sendUserTo", "https://x.example/", None),
    )
    assert flow.state.suspension.redirect.url == "https://x.example/?state=state-1"
    flow = Flow("post-login").action(("multifactor.enable", "any", {"allowRememberBrowser": None}))
    assert flow.effects.multifactor.allow_remember_browser is False


def test_a_session_without_user_data() -> None:
    flow = Flow("post-login", {"session": ABSENT, "transaction": ABSENT, "request.hostname": ABSENT})
    assert flow.call("redirect.canRedirect") == {"ok": True}
