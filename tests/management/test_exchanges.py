"""Token exchange profiles, and what the runtime API makes of them."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from runner.model import caps
from runner.store.tables.columns import named_id
from runner.store.tables.entities import TokenExchangeProfileRow
from tests.serving.entities import PROFILES, create, exchange_action, profile_body, refused
from tests.serving.server import Client, Server
from triggers import get_trigger

INVOKE = "//runtime/v1/triggers/custom-token-exchange/invoke"


def event(subject_token_type: str) -> dict[str, Any]:
    example = get_trigger("custom-token-exchange").example_event
    return {**example, "transaction": {**example["transaction"], "subject_token_type": subject_token_type}}


def test_from_creation_to_deletion(client: Client) -> None:
    action = exchange_action(client)
    made = create(client, PROFILES, profile_body(action["id"]))
    assert made == {
        **profile_body(action["id"]),
        "id": made["id"],
        "created_at": made["created_at"],
        "updated_at": made["updated_at"],
    }
    assert made["id"].startswith("tep_")
    path = f"{PROFILES}/{made['id']}"
    assert client.get(path) == made
    reply = client.call(
        "PATCH", path, {"name": "Sessions", "subject_token_type": "https://harbor.example/old"}
    )
    assert (reply.status, reply.json) == (204, None)
    changed = client.get(path)
    assert (changed["name"], changed["subject_token_type"]) == ("Sessions", "https://harbor.example/old")
    assert changed["updated_at"] > made["updated_at"]
    assert changed["action_id"] == action["id"]
    assert client.call("PATCH", path, {}).status == 204
    assert client.get(path)["name"] == "Sessions"
    assert client.call("DELETE", path).status == 204
    assert refused(client.call("GET", path)) == (404, "That token exchange profile does not exist.")
    assert client.call("DELETE", f"/actions/{action['id']}").status == 204


def test_an_action_in_use_is_not_deleted(client: Client) -> None:
    action = exchange_action(client)
    made = create(client, PROFILES, profile_body(action["id"]))
    for force in (False, True):
        status, message = refused(client.call("DELETE", f"/actions/{action['id']}", force=force))
        assert status == 409
        assert "used by the token exchange profile Legacy sessions" in message
    assert client.get(f"{PROFILES}/{made['id']}")["action_id"] == action["id"]


def test_one_profile_for_a_type(client: Client) -> None:
    action = exchange_action(client)
    create(client, PROFILES, profile_body(action["id"]))
    other = create(client, PROFILES, profile_body(action["id"], subject_token_type="urn:harbor:other"))
    again = client.call("POST", PROFILES, profile_body(action["id"], name="Again"))
    assert refused(again)[0] == 409
    changed = client.call(
        "PATCH", f"{PROFILES}/{other['id']}", {"subject_token_type": "urn:harbor:legacy-session"}
    )
    assert refused(changed)[0] == 409
    assert client.get(f"{PROFILES}/{other['id']}") == other
    assert len(client.get(PROFILES)["token_exchange_profiles"]) == 2


def test_another_tenant_has_its_own(server: Server) -> None:
    one, two = server.client(), server.client()
    made = create(one, PROFILES, profile_body(exchange_action(one)["id"]))
    create(two, PROFILES, profile_body(exchange_action(two)["id"]))
    for method, body in (("GET", None), ("PATCH", {"name": "taken"}), ("DELETE", None)):
        assert two.call(method, f"{PROFILES}/{made['id']}", body).status == 404
    foreign = two.call(
        "POST", PROFILES, profile_body(made["action_id"], subject_token_type="urn:harbor:more")
    )
    assert "there is no action" in refused(foreign)[1]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": "ab"}, "$.name"),
        ({"name": None}, "$.name"),
        ({"type": "other"}, "$.type"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:jwt"}, "urn:ietf is reserved"),
        ({"subject_token_type": "https://a.auth0.com/x"}, "reserved"),
        ({"action_id": "act_none"}, "there is no action act_none' at $.action_id"),
        ({"action_id": 1}, "$.action_id"),
        ({"more": 1}, "Additional properties not allowed: more"),
    ],
)
def test_what_is_refused(embedded: Server, changes: dict[str, Any], problem: str) -> None:
    client = embedded.client()
    reply = client.call("POST", PROFILES, {**profile_body(str(uuid.uuid4())), **changes})
    assert reply.status == 400
    assert problem in reply.json["message"]
    assert reply.json["errorCode"] == "invalid_body"
    assert client.get(PROFILES) == {"token_exchange_profiles": []}


def test_actions_that_cannot_be_attached(embedded: Server) -> None:
    client = embedded.client()
    login = client.deployed()
    draft = client.create(supported_triggers=[{"id": "custom-token-exchange"}])
    for action, problem in ((login, "is for post-login"), (draft, "has no deployed version")):
        status, message = refused(client.call("POST", PROFILES, profile_body(action["id"])))
        assert status == 400
        assert problem in message


def test_what_cannot_change(embedded: Server) -> None:
    client = embedded.client()
    made = create(client, PROFILES, profile_body(exchange_action(client)["id"]))
    for name in ("action_id", "type"):
        reply = client.call("PATCH", f"{PROFILES}/{made['id']}", {name: made[name]})
        assert refused(reply) == (
            400,
            f"Payload validation error: 'Additional properties not allowed: {name}' at $.{name}.",
        )


@pytest.mark.parametrize(
    ("name", "shortest", "longest", "text"),
    [
        ("name", caps.MIN_PROFILE_NAME, caps.MAX_PROFILE_NAME, ""),
        ("subject_token_type", caps.MIN_SUBJECT_TOKEN_TYPE, caps.MAX_SUBJECT_TOKEN_TYPE, "urn:ab:"),
    ],
)
def test_lengths(embedded: Server, name: str, shortest: int, longest: int, text: str) -> None:
    client = embedded.client()
    action = exchange_action(client)
    for length, status in ((shortest - 1, 400), (shortest, 201), (longest, 201), (longest + 1, 400)):
        body = profile_body(action["id"], subject_token_type=f"urn:harbor:{length}")
        body[name] = text + "x" * (length - len(text))
        assert client.call("POST", PROFILES, body).status == status, length


def test_the_most_of_one_tenant(embedded: Server) -> None:
    client = embedded.client()
    action = exchange_action(client)
    with embedded.service.store.begin() as session:
        for index in range(caps.MAX_PROFILES - 1):
            session.add(
                TokenExchangeProfileRow(
                    tenant_id=client.tenant,
                    id=named_id("tep"),
                    name=f"profile {index}",
                    subject_token_type=f"urn:harbor:{index}",
                    type="custom_authentication",
                    action_id=action["id"],
                )
            )
    create(client, PROFILES, profile_body(action["id"]))
    above = client.call("POST", PROFILES, profile_body(action["id"], subject_token_type="urn:harbor:above"))
    assert (above.status, above.json["errorCode"]) == (400, "too_many_entities")


def test_pages(client: Client) -> None:
    action = exchange_action(client)
    made = [
        create(client, PROFILES, profile_body(action["id"], subject_token_type=f"urn:harbor:{index}"))["id"]
        for index in range(5)
    ]
    first = client.get(PROFILES, take=2)
    assert [item["id"] for item in first["token_exchange_profiles"]] == made[:2]
    client.call("DELETE", f"{PROFILES}/{made[1]}")
    second = client.get(PROFILES, **{"take": 2, "from": first["next"]})
    assert [item["id"] for item in second["token_exchange_profiles"]] == made[2:4]
    last = client.get(PROFILES, **{"take": 2, "from": second["next"]})
    assert [item["id"] for item in last["token_exchange_profiles"]] == made[4:]
    assert "next" not in last
    assert "next" not in client.get(PROFILES)


@pytest.mark.parametrize("start", ["x", "MTIz", "OTk5OTk5OTk5OTk5OTk5OTk5OTk6YQ", "AA", "%2B", "tep_abc"])
def test_checkpoints_that_nobody_gave(embedded: Server, start: str) -> None:
    query: dict[str, Any] = {"from": start}
    reply = embedded.client().call("GET", PROFILES, **query)
    assert (reply.status, reply.json["errorCode"]) == (400, "invalid_query_string")


def test_the_longest_checkpoint(embedded: Server) -> None:
    client = embedded.client()
    for length, problem in ((caps.MAX_CURSOR, "checkpoint"), (caps.MAX_CURSOR + 1, "at most")):
        query: dict[str, Any] = {"from": "A" * length}
        assert problem in refused(client.call("GET", PROFILES, **query))[1]


def test_the_profile_chooses_the_action(whole: Server) -> None:
    client = whole.client()
    one, two = exchange_action(client, "one"), exchange_action(client, "two")
    made = create(client, PROFILES, profile_body(one["id"], subject_token_type="urn:harbor:one"))
    create(client, PROFILES, profile_body(two["id"], subject_token_type="urn:harbor:two"))

    def user(subject_token_type: str) -> str | None:
        reply = client.call("POST", INVOKE, {"event": event(subject_token_type)})
        if reply.status != 200:
            assert (reply.status, reply.json["errorCode"]) == (400, "unknown_subject_token_type"), reply
            return None
        return reply.json["effects"]["token_exchange"]["user"]["user_id"]

    assert (user("urn:harbor:one"), user("urn:harbor:two")) == ("auth0|one", "auth0|two")
    assert user("urn:harbor:three") is None
    client.call("PATCH", f"{PROFILES}/{made['id']}", {"subject_token_type": "urn:harbor:three"})
    assert (user("urn:harbor:one"), user("urn:harbor:three")) == (None, "auth0|one")
    client.call("DELETE", f"{PROFILES}/{made['id']}")
    assert user("urn:harbor:three") is None
    named = client.call("POST", INVOKE, {"event": event("urn:harbor:x"), "action_id": two["id"]})
    assert named.status == 200, "an Action that the platform names needs no profile"
    other = whole.client()
    assert other.call("POST", INVOKE, {"event": event("urn:harbor:two")}).status == 400
    broken = client.call("POST", INVOKE, {"event": {}})
    assert (broken.status, broken.json["errorCode"]) == (400, "invalid_event")
