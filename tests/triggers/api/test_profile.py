"""`api.user` and the primary user."""

from __future__ import annotations

from typing import Any

import pytest

from tests.triggers.driver import Flow, error
from triggers import FlowState
from triggers.api.profile import FORBIDDEN_APP_METADATA, MAX_METADATA_BYTES
from triggers.values.json_value import size

SETTERS = ["user.setAppMetadata", "user.setUserMetadata"]
TRIGGERS = ["post-login", "pre-user-registration", "custom-token-exchange"]


@pytest.mark.parametrize("trigger", TRIGGERS)
@pytest.mark.parametrize("path", SETTERS)
def test_metadata_takes_any_json(trigger: str, path: str) -> None:
    flow = Flow(trigger)
    session = flow.session()
    session.call(path, ["a", {"b": [1, None]}])
    session.call(path, ["c", None])
    session.call(path, ["a", "last"])
    if trigger == "custom-token-exchange":
        session.call("authentication.setUserById", ["u"])
    effects = session.commit().effects()
    written = effects.app_metadata if path.endswith("AppMetadata") else effects.user_metadata
    assert written == {"a": "last", "c": None}


@pytest.mark.parametrize("path", SETTERS)
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "key is required"),
        ([5, 1], "key must be a string, not 5"),
        (["", 1], "key must not be empty"),
        (["a.b", 1], 'must not contain "." or "$"'),
        (["$a", 1], 'must not contain "." or "$"'),
        (["a", {"b": [{"c.d": 1}]}], '"c.d"'),
    ],
)
def test_metadata_that_is_refused(path: str, arguments: list, says: str) -> None:
    assert says in error(Flow("post-login").call(path, *arguments))


@pytest.mark.parametrize("key", sorted(FORBIDDEN_APP_METADATA))
def test_reserved_keys_of_app_metadata(key: str) -> None:
    assert "is reserved in app_metadata" in error(Flow("post-login").call("user.setAppMetadata", key, 1))
    assert "error" not in Flow("post-login").call("user.setUserMetadata", key, 1)


@pytest.mark.parametrize("path", SETTERS)
def test_a_flow_writes_so_much_and_no_more(path: str) -> None:
    fitting = "x" * (MAX_METADATA_BYTES - size("a") - size("") - 2)
    flow = Flow("post-login").action((path, "a", fitting))
    assert "the limit is 32768" in error(flow.call(path, "b", 1))
    assert "error" not in flow.call(path, "a", "smaller")
    assert "the limit is" in error(Flow("post-login").call(path, "a", fitting + "x"))
    other = SETTERS[1 - SETTERS.index(path)]
    assert "error" not in flow.call(other, "b", 1)


def written(flow: Flow, path: str) -> dict:
    effects = flow.effects
    return effects.app_metadata if path == SETTERS[0] else effects.user_metadata


def seen(flow: Flow, path: str) -> dict:
    """What the next Action sees."""
    user = flow.session().event["user"]
    return user["app_metadata" if path == SETTERS[0] else "user_metadata"]


def holding(trigger: str, metadata: dict) -> Flow:
    return Flow(trigger, {"user.app_metadata": metadata, "user.user_metadata": metadata})


VISIBLE = ["post-login", "pre-user-registration"]
PENDING = [1, "text", {"b": [1]}, [], False, 0, "", None]


@pytest.mark.parametrize("trigger", TRIGGERS)
@pytest.mark.parametrize("path", SETTERS)
@pytest.mark.parametrize("value", PENDING, ids=repr)
def test_what_is_pending_is_taken_back(trigger: str, path: str, value: object) -> None:
    calls: list[list[tuple[Any, ...]]] = [[(path, "k", value)], [(path, "k")]]
    user = [("authentication.setUserById", "u")] if trigger == "custom-token-exchange" else []
    assert written(Flow(trigger).action(*calls[0], *calls[1], *user), path) == {}
    if user:
        return  # its Actions are alone
    assert written(Flow(trigger).action(*calls[0]).action(*calls[1]), path) == {}
    again = Flow(trigger).action(*calls[0]).action((path, "k", "other"), *calls[1], (path, "k", "last"))
    assert written(again, path) == {"k": "last"}


@pytest.mark.parametrize("trigger", VISIBLE)
@pytest.mark.parametrize("path", SETTERS)
@pytest.mark.parametrize("value", PENDING, ids=repr)
def test_later_actions_see_the_stored_value_again(trigger: str, path: str, value: object) -> None:
    flow = holding(trigger, {"k": "stored", "odd": None}).action(
        (path, "k", value), (path, "new", value), (path, "odd", value), (path, "kept", 1)
    )
    assert seen(flow, path).get("k", None) == value
    flow.action((path, "k"), (path, "new"), (path, "odd"))
    assert seen(flow, path) == {"k": "stored", "odd": None, "kept": 1}
    assert written(flow, path) == {"kept": 1}
    flow.action((path, "kept"))
    assert seen(flow, path) == {"k": "stored", "odd": None}
    assert flow.state == FlowState.from_json(flow.state.to_json())


@pytest.mark.parametrize("path", SETTERS)
def test_nothing_is_taken_back_where_nothing_is_pending(path: str) -> None:
    flow = holding("post-login", {"k": "stored"}).action((path, "k"), (path, "unknown"))
    assert seen(flow, path) == {"k": "stored"}
    assert written(flow, path) == {}
    other = SETTERS[1 - SETTERS.index(path)]
    flow.action((path, "k", 1)).action((other, "k"))
    assert written(flow, path) == {"k": 1}


@pytest.mark.parametrize("path", SETTERS)
def test_what_a_failed_action_takes_back_stays_pending(path: str) -> None:
    flow = Flow("post-login").action((path, "k", 1))
    flow.call(path, "k")  # never committed
    assert written(flow.action(), path) == {"k": 1}


@pytest.mark.parametrize("path", SETTERS)
def test_what_was_handed_over_cannot_be_taken_back(path: str) -> None:
    flow = holding("post-login", {"k": "stored"}).action(
        (path, "k", "handed over"), ("redirect.sendUserTo", "https://x.example/")
    )
    flow.proceed(request=flow.state.event["request"])
    flow.action((path, "k", "pending"), (path, "k"), handler="onContinuePostLogin")
    assert seen(flow, path) == {"k": "handed over"}


@pytest.mark.parametrize("path", SETTERS)
def test_a_challenge_hands_nothing_over(path: str) -> None:
    flow = holding("post-login", {"k": "stored"}).action(
        (path, "k", "pending"), ("authentication.challengeWith", {"type": "email"})
    )
    flow.state = FlowState.from_json(flow.state.to_json())
    flow.proceed(methods=[]).action((path, "k"))
    assert seen(flow, path) == {"k": "stored"}
    assert written(flow, path) == {}


@pytest.mark.parametrize("path", SETTERS)
def test_what_is_taken_back_leaves_its_room(path: str) -> None:
    fitting = "x" * (MAX_METADATA_BYTES - size("a") - size("") - 2)
    flow = Flow("post-login").action((path, "a", fitting)).action((path, "a"))
    assert "error" not in flow.call(path, "b", fitting)
    session = flow.session()
    for arguments in (["b", fitting], ["b"], ["c", fitting]):
        assert "error" not in session.call(path, arguments)
    assert "the limit is 32768" in error(session.call(path, ["d", 1]))


def test_taken_back_metadata_is_not_warned_about() -> None:
    sms = Flow("pre-user-registration", {"connection.strategy": "sms"})
    assert sms.action(("user.setUserMetadata", "a", 1), ("user.setUserMetadata", "a")).effects.warnings == ()
    primary = Flow("post-login").action(
        ("user.setUserMetadata", "a", 1),
        ("authentication.setPrimaryUser", "auth0|1"),
        ("user.setUserMetadata", "a"),
    )
    assert primary.effects.warnings == ()


def test_metadata_of_passwordless_users_is_warned_about() -> None:
    flow = Flow("pre-user-registration", {"connection.strategy": "sms"}).action(
        ("user.setUserMetadata", "a", 1)
    )
    assert "passwordless" in flow.effects.warnings[0]
    assert Flow("pre-user-registration", {"connection.strategy": "sms"}).action().effects.warnings == ()


def test_the_id_of_a_new_user() -> None:
    flow = Flow("pre-user-registration").action(("user.setUserId", "a@b._+-9"), ("user.setUserId", "z" * 255))
    assert flow.effects.user_id == "z" * 255
    for bad in ("", "z" * 256, "a b", "a|b", "a\n", 5, None):
        assert "user_id" in error(Flow("pre-user-registration").call("user.setUserId", bad))


def test_the_primary_user_is_set_once() -> None:
    flow = Flow("post-login").action(("authentication.setPrimaryUser", "u" * 128))
    assert flow.effects.primary_user_id == "u" * 128
    assert "already set, by Action 1" in error(flow.call("authentication.setPrimaryUser", "other"))
    for bad in ("", "u" * 129, 5, None):
        assert "primary_user_id" in error(Flow("post-login").call("authentication.setPrimaryUser", bad))


def test_user_metadata_of_the_action_that_sets_the_primary_user_is_lost() -> None:
    flow = (
        Flow("post-login")
        .action(("user.setUserMetadata", "kept", 1))
        .action(
            ("user.setUserMetadata", "lost", 1),
            ("authentication.setPrimaryUser", "auth0|1"),
            ("user.setAppMetadata", "kept", 1),
        )
        .action(("user.setUserMetadata", "later", 1))
    )
    assert flow.effects.user_metadata == {"kept": 1, "later": 1}
    assert flow.effects.app_metadata == {"kept": 1}
    assert len(flow.effects.warnings) == 1
