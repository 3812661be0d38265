"""Custom claims, scopes and target scopes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.triggers.driver import ABSENT, Flow, error
from triggers.engine.claims import MAX_CLAIMS_BYTES, RESTRICTED, reason_against
from triggers.values.json_value import size

NS = "https://harbor.example/"


def claims(*calls: tuple, trigger: str = "post-login", event: dict | None = None):
    return Flow(trigger, event).action(*calls).effects


# --- claims ---


@pytest.mark.parametrize("value", [None, True, 0, 1.5, "x", [], {"a": {"b": [None]}}])
def test_a_claim_takes_any_json(value: object) -> None:
    effects = claims(("idToken.setCustomClaim", NS + "a", value), ("accessToken.setCustomClaim", "a", value))
    assert effects.id_token_claims == {NS + "a": value}
    assert effects.access_token_claims == {"a": value}


def test_the_last_call_wins_over_actions() -> None:
    flow = (
        Flow("post-login")
        .action(("idToken.setCustomClaim", "a", 1))
        .action(("idToken.setCustomClaim", "a", 2))
    )
    assert flow.effects.id_token_claims == {"a": 2}


def test_undefined_takes_a_claim_back() -> None:
    assert claims(("idToken.setCustomClaim", "a", 1), ("idToken.setCustomClaim", "a")).id_token_claims == {}


@pytest.mark.parametrize(
    ("name", "says"), [("", "must not be empty"), (5, "a string, not 5"), (None, "null")]
)
def test_a_claim_needs_a_name(name: object, says: str) -> None:
    assert says in error(Flow("post-login").call("idToken.setCustomClaim", name, 1))


@pytest.mark.parametrize("path", ["idToken.setCustomClaim", "accessToken.setCustomClaim"])
def test_scope_throws_in_post_login(path: str) -> None:
    assert 'key must not be "scope"' in error(Flow("post-login").call(path, "scope", "x"))


def test_scope_is_left_out_in_credentials_exchange() -> None:
    effects = claims(("accessToken.setCustomClaim", "scope", "x"), trigger="credentials-exchange")
    assert effects.access_token_claims == {}
    assert effects.dropped_claims[0].name == "scope"


@pytest.mark.parametrize("name", sorted(RESTRICTED - {"scope"}))
def test_restricted_names_are_left_out_with_a_reason(name: str) -> None:
    effects = claims(("idToken.setCustomClaim", name, 1), ("accessToken.setCustomClaim", name, 1))
    assert effects.id_token_claims == effects.access_token_claims == {}
    assert [(item.token, item.name) for item in effects.dropped_claims] == [("id", name), ("access", name)]
    assert name in effects.dropped_claims[0].reason


@pytest.mark.parametrize(
    "name", ["email", "name", "picture", "address", "Sub", "SUB", "sub ", "role", "\u017fub"]
)
def test_names_are_compared_exactly(name: str) -> None:
    assert claims(("idToken.setCustomClaim", name, 1)).id_token_claims == {name: 1}


@pytest.mark.parametrize(
    "name",
    [
        "https://auth0.com/a",
        "http://foo.auth0.com/",
        "HTTPS://Foo.AUTH0.com./a",
        "https://user@webtask.io/a",
        "https://webtask.run:8080",
        "https://auth0%2Ecom/a",
        "https://\uff41uth0.com/",
        "urn:auth0",
        "urn:auth0:x",
        "URN:AUTH0:x",
        "https://[/",
    ],
)
def test_reserved_namespaces(name: str) -> None:
    assert claims(("idToken.setCustomClaim", name, 1)).dropped_claims[0].name == name


@pytest.mark.parametrize(
    "name",
    [
        "https://myauth0.com/a",
        "https://auth0.com.example.org/",
        "urn:auth0x",
        "urn:example:a",
        "http://x.example",
    ],
)
def test_other_namespaces(name: str) -> None:
    assert claims(("idToken.setCustomClaim", name, 1)).dropped_claims == ()


@pytest.mark.parametrize(
    ("audience", "private_claims"),
    [
        ("https://harbor-dev.eu.auth0.com/api/v2/", False),
        ("https://login.harbor.example/api/v2/", False),
        ("https://harbor-dev.eu.auth0.com/userinfo", True),
        ("https://api.harbor.example/", True),
        ("urn:an-api", True),
        ("https://[", True),
    ],
)
def test_private_claims_for_an_api_of_the_platform(audience: str, private_claims: bool) -> None:
    event = {"resource_server.identifier": audience}
    effects = claims(
        ("accessToken.setCustomClaim", "plan", "gold"),
        ("accessToken.setCustomClaim", NS + "plan", "gold"),
        ("idToken.setCustomClaim", "plan", "gold"),
        event=event,
    )
    assert ("plan" in effects.access_token_claims) is private_claims
    assert NS + "plan" in effects.access_token_claims
    assert effects.id_token_claims == {"plan": "gold"}


def test_without_an_audience_private_claims_are_fine() -> None:
    assert reason_against("access", "plan", {"resource_server": None}) is None


def test_claims_of_a_token_have_a_cap() -> None:
    fitting = "x" * (MAX_CLAIMS_BYTES - size("a") - size("") - 2)
    flow = Flow("post-login").action(("idToken.setCustomClaim", "a", fitting))
    assert "the limit is 102400" in error(flow.call("idToken.setCustomClaim", "b", 1))
    assert "error" not in flow.call("accessToken.setCustomClaim", "b", 1)
    assert "error" not in flow.call("idToken.setCustomClaim", "a", "smaller")
    assert "the limit is" in error(Flow("post-login").call("idToken.setCustomClaim", "a", fitting + "x"))


def test_a_refused_claim_leaves_room_as_before() -> None:
    session = Flow("post-login").session()
    assert "error" in session.call("idToken.setCustomClaim", ["a", "x" * MAX_CLAIMS_BYTES])
    assert "error" not in session.call("idToken.setCustomClaim", ["b", "x" * (MAX_CLAIMS_BYTES - 10)])


# --- scopes ---


def test_the_last_operation_per_scope_wins() -> None:
    effects = claims(
        ("accessToken.addScope", " read:a "),
        ("accessToken.removeScope", "read:b"),
        ("accessToken.removeScope", "read:a"),
        ("accessToken.addScope", "read:b"),
        ("accessToken.addScope", "read:c"),
    )
    assert (effects.scopes_added, effects.scopes_removed) == (("read:b", "read:c"), ("read:a",))


@pytest.mark.parametrize(
    ("scope", "name", "says"),
    [
        (5, "TypeError", "scope must be a string, not 5"),
        (None, "TypeError", "scope must be a string, not null"),
        ([], "TypeError", "scope must be a string"),
        ("", "Error", "must not be empty"),
        (" \t\n", "Error", "must not be empty"),
        ("a b", "Error", "must not contain white space"),
        ("a\u00a0b", "Error", "must not contain white space"),
        ("s" * 281, "Error", "at most 280 characters, not 281"),
    ],
)
@pytest.mark.parametrize(
    "path", ["accessToken.addScope", "accessToken.removeScope", "transaction.addTargetScope"]
)
def test_scopes_that_are_refused(scope: object, name: str, says: str, path: str) -> None:
    flow = Flow("post-login", features=frozenset({"post-login-target-scopes"}))
    reply = flow.call(path, scope)
    assert reply["error"]["name"] == name
    assert says in reply["error"]["message"]


def test_a_scope_of_280_characters() -> None:
    assert claims(("accessToken.addScope", f" {'s' * 280} ")).scopes_added == ("s" * 280,)


def test_a_thousand_scopes_and_not_one_more() -> None:
    flow = Flow("post-login").action(*(("accessToken.addScope", f"s{n}") for n in range(1000)))
    assert "more than 1000 scopes" in error(flow.call("accessToken.addScope", "more"))
    assert "error" not in flow.call("accessToken.addScope", "s1")
    assert "error" not in flow.call("accessToken.removeScope", "more")


# --- target scopes ---


def targets(*calls: tuple, event: dict | None = None):
    return Flow("credentials-exchange", event).action(*calls)


def test_target_scopes_change_the_event_at_once() -> None:
    session = Flow("credentials-exchange").session()
    reply = session.call("transaction.addTargetScope", ["write:berths"])
    assert reply["event"] == [(["transaction", "target_scopes"], ["read:berths", "write:berths"])]
    assert session.event["transaction"]["target_scopes"] == ["read:berths", "write:berths"]
    flow = targets(("transaction.addTargetScope", "write:berths")).action(
        ("transaction.removeTargetScope", "read:berths")
    )
    assert flow.effects.target_scopes == ("write:berths",)


def test_target_scopes_are_none_when_untouched() -> None:
    assert targets().effects.target_scopes is None


def test_setting_and_clearing() -> None:
    flow = targets(("transaction.setTargetScopes", ["b", " a ", "b"]))
    assert flow.effects.target_scopes == ("b", "a")
    assert flow.action(("transaction.clearTargetScopes",)).effects.target_scopes == ()
    assert targets(("transaction.setTargetScopes", [])).effects.target_scopes == ()


@pytest.mark.parametrize(
    ("scopes", "name", "says"),
    [
        ("a", "TypeError", "scopes must be an array"),
        (None, "TypeError", "scopes must be an array, not null"),
        ({}, "TypeError", "scopes must be an array"),
        ([5], "TypeError", "scopes[0] must be a string, not 5"),
        (["a", "b c"], "Error", "scopes[1] must not contain white space"),
        ([f"s{n}" for n in range(1001)], "Error", "at most 1000 entries"),
    ],
)
def test_target_scopes_that_are_refused(scopes: object, name: str, says: str) -> None:
    reply = Flow("credentials-exchange").call("transaction.setTargetScopes", scopes)
    assert reply["error"]["name"] == name
    assert says in reply["error"]["message"]


def test_a_thousand_target_scopes() -> None:
    flow = targets(("transaction.setTargetScopes", [f"s{n}" for n in range(1000)]))
    assert "already 1000" in error(flow.call("transaction.addTargetScope", "more"))
    assert "error" not in flow.call("transaction.addTargetScope", "s5")


def test_target_scopes_without_any_in_the_event() -> None:
    flow = targets(("transaction.addTargetScope", "a"), event={"transaction.target_scopes": ABSENT})
    assert flow.effects.target_scopes == ("read:berths", "a"), "the set starts from the grant"
    none = targets(("transaction.addTargetScope", "a"), event={"transaction.target_scopes": []})
    assert none.effects.target_scopes == ("a",)
    gate = frozenset({"post-login-target-scopes"})
    bare = Flow("post-login", {"transaction": ABSENT}, features=gate)
    assert bare.call("transaction.addTargetScope", "a")["event"] == [
        (["transaction"], {"target_scopes": ["a"]})
    ]


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abc")), max_size=12))
def test_target_scopes_are_a_set(steps: list[tuple[bool, str]]) -> None:
    expected = {"read:berths"}
    calls = []
    for add, scope in steps:
        (expected.add if add else expected.discard)(scope)
        calls.append((f"transaction.{'add' if add else 'remove'}TargetScope", scope))
    flow = targets(*calls)
    assert set(flow.effects.target_scopes or ("read:berths",)) == expected or not steps or not expected
    assert len(flow.effects.target_scopes or ()) == len(set(flow.effects.target_scopes or ()))
