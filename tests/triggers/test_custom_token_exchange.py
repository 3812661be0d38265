"""custom-token-exchange: subject, organization, actor, and that exactly one user is set."""

from __future__ import annotations

import pytest

from tests.triggers.driver import Flow, error
from triggers import CommitError

BY_ID, BY_CONNECTION = "authentication.setUserById", "authentication.setUserByConnection"
OPTIONS = {"creationBehavior": "create_if_not_exists", "updateBehavior": "replace"}


def flow_of() -> Flow:
    return Flow("custom-token-exchange")


def chain(levels: int, **custom: object) -> dict:
    actor: dict = {"sub": "last", **custom}
    for _ in range(levels - 1):
        actor = {"sub": "next", "act": actor}
    return actor


def test_a_user_by_id() -> None:
    exchange = flow_of().action((BY_ID, "u" * 512)).effects.token_exchange
    assert exchange.user.user_id == "u" * 512
    for bad in ("", "u" * 513, 5, None):
        assert "user_id" in error(flow_of().call(BY_ID, bad))


def test_a_user_by_connection() -> None:
    attributes = {"user_id": "1", "email": "a@x.example", "email_verified": True, "custom": {"a": 1}}
    exchange = flow_of().action((BY_CONNECTION, "db", attributes, OPTIONS)).effects.token_exchange
    assert exchange.user.model_dump() == {
        "connection": "db",
        "attributes": attributes,
        "creation_behavior": "create_if_not_exists",
        "update_behavior": "replace",
    }


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("user_id", 255),
        ("family_name", 150),
        ("given_name", 150),
        ("name", 300),
        ("nickname", 300),
        ("username", 128),
    ],
)
def test_lengths_of_attributes(name: str, limit: int) -> None:
    flow_of().action((BY_CONNECTION, "db", {"user_id": "1", name: "x" * limit}, OPTIONS))
    for bad, says in [
        ("x" * (limit + 1), f"user_attributes.{name} must have at most {limit} characters"),
        ("", f"user_attributes.{name} must not be empty"),
        (5, f"user_attributes.{name} must be a string, not 5"),
    ]:
        assert says in error(flow_of().call(BY_CONNECTION, "db", {"user_id": "1", name: bad}, OPTIONS))


@pytest.mark.parametrize("name", ["email_verified", "phone_verified", "verify_email"])
def test_switches_of_attributes(name: str) -> None:
    flow_of().action((BY_CONNECTION, "db", {"user_id": "1", name: False}, OPTIONS))
    assert "must be true or false" in error(
        flow_of().call(BY_CONNECTION, "db", {"user_id": "1", name: "no"}, OPTIONS)
    )


@pytest.mark.parametrize("name", ["email", "phone_number", "picture"])
def test_texts_of_attributes(name: str) -> None:
    flow_of().action((BY_CONNECTION, "db", {"user_id": "1", name: ""}, OPTIONS))
    assert "must be a string" in error(
        flow_of().call(BY_CONNECTION, "db", {"user_id": "1", name: 1}, OPTIONS)
    )


def test_twenty_four_attributes_and_not_one_more() -> None:
    many = {"user_id": "1", **{f"a{n}": n for n in range(23)}}
    flow_of().action((BY_CONNECTION, "db", many, OPTIONS))
    assert "at most 24 keys, not 25" in error(flow_of().call(BY_CONNECTION, "db", {**many, "x": 1}, OPTIONS))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "connection_name is required"),
        (["", {"user_id": "1"}, OPTIONS], "connection_name must not be empty"),
        (["c" * 513, {"user_id": "1"}, OPTIONS], "connection_name must have at most 512"),
        (["db", {}, OPTIONS], "user_attributes.user_id is required"),
        (["db", [], OPTIONS], "user_attributes must be an object"),
        (["db", {"user_id": "1"}], "options is required"),
        (["db", {"user_id": "1"}, {}], "options.creationBehavior is required"),
        (["db", {"user_id": "1"}, {"creationBehavior": "none"}], "options.updateBehavior is required"),
        (
            ["db", {"user_id": "1"}, {**OPTIONS, "creationBehavior": "x"}],
            "options.creationBehavior must be one of",
        ),
        (
            ["db", {"user_id": "1"}, {**OPTIONS, "updateBehavior": "merge"}],
            "options.updateBehavior must be one of",
        ),
        (["db", {"user_id": "1"}, {**OPTIONS, "more": 1}], "options.more is not a known option"),
    ],
)
def test_users_by_connection_that_are_refused(arguments: list, says: str) -> None:
    assert says in error(flow_of().call(BY_CONNECTION, *arguments))


# --- exactly one user ---


def test_without_a_user_the_action_fails() -> None:
    with pytest.raises(CommitError, match="neither set a user nor refused") as caught:
        flow_of().action(("user.setAppMetadata", "a", 1))
    assert caught.value.path == BY_ID


@pytest.mark.parametrize("refusal", [("access.deny", "c", "r"), ("access.rejectInvalidSubjectToken", "r")])
def test_a_refusal_needs_no_user(refusal: tuple) -> None:
    assert flow_of().action(refusal).effects.decision == "deny"
    assert flow_of().action((BY_ID, "u"), refusal).effects.decision == "deny"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((BY_ID, "u"), (BY_ID, "u")),
        ((BY_ID, "u"), (BY_CONNECTION, "db", {"user_id": "1"}, OPTIONS)),
        ((BY_CONNECTION, "db", {"user_id": "1"}, OPTIONS), (BY_ID, "u")),
    ],
)
def test_two_users_fail_even_when_caught(first: tuple, second: tuple) -> None:
    session = flow_of().session()
    session.call(first[0], list(first[1:]))
    assert session.call(second[0], list(second[1:]))["error"]["code"] == "aborted"
    with pytest.raises(CommitError, match="exactly one"):
        session.commit()


# --- organization and actor ---


def test_the_organization() -> None:
    flow = flow_of().action(
        (BY_ID, "u"), ("authentication.setOrganization", "a"), ("authentication.setOrganization", "o" * 50)
    )
    assert flow.effects.token_exchange.organization == "o" * 50
    for bad in ("", "o" * 51, 5, None):
        assert "organization_id_or_name" in error(flow_of().call("authentication.setOrganization", bad))


@pytest.mark.parametrize(
    "actor",
    [
        {"sub": "s" * 512},
        chain(5),
        chain(5, a=1, b="x", c=True, d=0.5, e="v" * 64),
        {"sub": "s", "k" * 64: "v"},
    ],
)
def test_actors_within_their_limits(actor: dict) -> None:
    flow = flow_of().action((BY_ID, "u"), ("authentication.setActor", actor))
    assert flow.effects.token_exchange.actor == actor


@pytest.mark.parametrize(
    ("actor", "says"),
    [
        (None, "actor must be an object"),
        ("s", "actor must be an object"),
        ({}, "actor.sub is required"),
        ({"sub": ""}, "actor.sub must not be empty"),
        ({"sub": "s" * 513}, "actor.sub must have at most 512 characters, not 513"),
        ({"sub": "s", "act": {}}, "actor.act.sub is required"),
        ({"sub": "s", "act": "x"}, "actor.act must be an object"),
        ({"sub": "s", "act": None}, "actor.act must be an object"),
        (chain(6), "actor must have at most 5 levels"),
        (chain(60), "actor must have at most 5 levels"),
        ({"sub": "s", **{f"a{n}": 1 for n in range(6)}}, "at most 5 custom properties, not 6"),
        (
            chain(2, **{f"a{n}": 1 for n in range(6)}),
            "actor.act must have at most 5 custom properties, not 6",
        ),
        ({"sub": "s", "a": []}, "actor.a must be a string, a number or true or false"),
        ({"sub": "s", "a": None}, "actor.a must be a string, a number or true or false"),
        ({"sub": "s", "a": "v" * 65}, "actor.a must have at most 64 characters, not 65"),
        ({"sub": "s", "k" * 65: "v"}, "property name of over 64 characters"),
    ],
)
def test_actors_that_are_refused(actor: object, says: str) -> None:
    assert says in error(flow_of().call("authentication.setActor", actor))


def test_one_actor_only() -> None:
    session = flow_of().session()
    session.call("authentication.setActor", [{"sub": "a"}])
    assert "an actor was already set" in error(session.call("authentication.setActor", [{"sub": "b"}]))
    with pytest.raises(CommitError, match="neither set a user"):
        session.commit()


def test_without_anything_of_an_exchange() -> None:
    assert flow_of().action(("access.deny", "c", "r")).effects.token_exchange is None
