"""Switching messages to the tenant's own provider Actions, and what the runtime API makes of it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from runner.management.providers.switch import NO_ACTION
from runner.model import caps
from tests.serving.entities import create, refused
from tests.serving.server import Client, Server
from triggers import get_trigger

EMAIL = "//api/v2/emails/provider"
PHONES = "//api/v2/branding/phone/providers"
EMAIL_BODY = {"name": "custom", "credentials": {}}
PHONE_BODY = {**EMAIL_BODY, "configuration": {"delivery_methods": ["text"]}}


def action(client: Client, channel: str) -> dict[str, Any]:
    """A deployed provider Action."""
    handler = f"onExecuteCustom{channel.capitalize()}Provider"
    return client.deployed(
        supported_triggers=[{"id": f"custom-{channel}-provider", "version": "v1"}],
        code=f"exports.{handler} = async () => console.log('sent');",
    )


def bound(client: Client, channel: str) -> list[str]:
    found = client.get(f"/triggers/custom-{channel}-provider/bindings")
    return [item["action"]["id"] for item in found["bindings"]]


def test_the_email_provider(client: Client) -> None:
    assert refused(client.call("GET", EMAIL)) == (404, "That email provider does not exist.")
    without = client.call("POST", EMAIL, EMAIL_BODY)
    assert (without.status, without.json["errorCode"]) == (400, NO_ACTION)
    own = action(client, "email")
    made = create(client, EMAIL, {**EMAIL_BODY, "default_from_address": "harbor@harbor.example"})
    assert made == {**EMAIL_BODY, "enabled": True, "default_from_address": "harbor@harbor.example"}
    assert bound(client, "email") == [own["id"]]
    assert client.get(EMAIL) == {"name": "custom", "enabled": True}
    assert client.get(EMAIL, fields="default_from_address,more") == {
        "default_from_address": "harbor@harbor.example"
    }
    assert client.get(EMAIL, fields="name", include_fields=False) == {
        key: made[key] for key in made if key != "name"
    }
    assert refused(client.call("POST", EMAIL, EMAIL_BODY))[0] == 409
    changed = client.call("PATCH", EMAIL, {"enabled": False, "settings": {"a": 1}}).json
    assert changed == {**made, "enabled": False, "settings": {"a": 1}}
    assert client.call("DELETE", EMAIL).status == 204
    assert client.call("DELETE", EMAIL).status == 404
    assert client.call("PATCH", EMAIL, {}).status == 404
    assert bound(client, "email") == [own["id"]]


def test_the_phone_provider(client: Client) -> None:
    assert client.get(PHONES) == {"providers": []}
    without = client.call("POST", PHONES, PHONE_BODY)
    assert (without.status, without.json["errorCode"]) == (400, NO_ACTION)
    own = action(client, "phone")
    made = create(client, PHONES, PHONE_BODY)
    assert (made["channel"], made["disabled"], made["tenant"]) == ("phone", False, client.tenant)
    assert bound(client, "phone") == [own["id"]]
    path = f"{PHONES}/{made['id']}"
    assert client.get(path) == made
    assert client.get(PHONES, disabled=False) == {"providers": [made]}
    assert client.get(PHONES, disabled=True) == {"providers": []}
    assert refused(client.call("POST", PHONES, PHONE_BODY))[0] == 409
    changes = {"disabled": True, "configuration": {"delivery_methods": ["voice", "text"]}}
    changed = client.call("PATCH", path, changes).json
    assert changed == {**made, **changes, "updated_at": changed["updated_at"]}
    assert client.call("GET", f"{PHONES}/pro_other").status == 404
    assert client.call("DELETE", path).status == 204
    assert client.call("GET", path).status == 404


@pytest.mark.parametrize(
    ("path", "body", "changes", "problem"),
    [
        (EMAIL, EMAIL_BODY, {"name": "sendgrid"}, "$.name"),
        (EMAIL, EMAIL_BODY, {"credentials": {"api_key": "x"}}, "$.credentials.api_key"),
        (EMAIL, EMAIL_BODY, {"credentials": None}, "$.credentials"),
        (EMAIL, EMAIL_BODY, {"enabled": "yes"}, "$.enabled"),
        (EMAIL, EMAIL_BODY, {"default_from_address": ""}, "$.default_from_address"),
        (EMAIL, EMAIL_BODY, {"default_from_address": "a" * (caps.MAX_ADDRESS + 1)}, "default_from_address"),
        (PHONES, PHONE_BODY, {"name": "twilio"}, "$.name"),
        (PHONES, PHONE_BODY, {"configuration": {"delivery_methods": []}}, "$.configuration.delivery_methods"),
        (PHONES, PHONE_BODY, {"configuration": {"delivery_methods": ["text"] * 2}}, "given twice"),
        (PHONES, PHONE_BODY, {"configuration": {"delivery_methods": ["fax"]}}, "delivery_methods"),
        (PHONES, PHONE_BODY, {"more": 1}, "Additional properties not allowed"),
    ],
)
def test_what_is_refused(
    embedded: Server, path: str, body: dict[str, Any], changes: dict[str, Any], problem: str
) -> None:
    reply = embedded.client().call("POST", path, {**body, **changes})
    assert reply.status == 400
    assert problem in reply.json["message"]


def test_the_longest_address(embedded: Server) -> None:
    client = embedded.client()
    action(client, "email")
    longest = "a" * caps.MAX_ADDRESS
    create(client, EMAIL, {**EMAIL_BODY, "default_from_address": longest})
    shown = client.get(EMAIL, fields="default_from_address", include_fields=True)
    assert shown == {"default_from_address": longest}


def test_which_action_is_bound(embedded: Server) -> None:
    client = embedded.client()
    one, two = action(client, "email"), action(client, "email")
    status, message = refused(client.call("POST", EMAIL, EMAIL_BODY))
    assert (status, "bind one" in message) == (400, True)
    assert bound(client, "email") == []
    client.bind(two, trigger="custom-email-provider")
    create(client, EMAIL, EMAIL_BODY)
    assert bound(client, "email") == [two["id"]]
    client.bind(trigger="custom-email-provider")
    client.call("DELETE", f"/actions/{one['id']}")
    assert client.call("PATCH", EMAIL, {"enabled": True}).status == 200
    assert bound(client, "email") == [two["id"]]


def test_another_tenant_has_its_own(server: Server) -> None:
    one, two = server.client(), server.client()
    action(one, "phone")
    made = create(one, PHONES, PHONE_BODY)
    path = f"{PHONES}/{made['id']}"
    for method, body in (("GET", None), ("PATCH", {"disabled": True}), ("DELETE", None)):
        assert two.call(method, path, body).status == 404
    action(two, "phone")
    other = create(two, PHONES, PHONE_BODY)
    assert two.call("DELETE", path).status == 404
    assert [two.get(PHONES)["providers"], one.get(PHONES)["providers"]] == [[other], [made]]


@pytest.mark.parametrize("channel", ["email", "phone"])
def test_a_disabled_provider_does_not_run(whole: Server, channel: str) -> None:
    client = whole.client()
    trigger = f"custom-{channel}-provider"
    client.bind(action(client, channel), trigger=trigger)
    event = get_trigger(trigger).example_event

    def invoke() -> tuple[int, str]:
        reply = client.call("POST", f"//runtime/v1/triggers/{trigger}/invoke", {"event": event})
        return reply.status, reply.json.get("errorCode", "")

    assert invoke() == (200, ""), "bound Actions run while nothing is said"
    if channel == "email":
        create(client, EMAIL, {**EMAIL_BODY, "enabled": False})
        path, on = EMAIL, {"enabled": True}
    else:
        path = f"{PHONES}/{create(client, PHONES, {**PHONE_BODY, 'disabled': True})['id']}"
        on = {"disabled": False}
    assert invoke() == (409, "provider_disabled")
    key = {"Idempotency-Key": uuid.uuid4().hex}
    refusal = client.call("POST", f"//runtime/v1/triggers/{trigger}/invoke", {"event": event}, headers=key)
    assert refusal.status == 409
    assert client.call("PATCH", path, on).status == 200
    assert invoke() == (200, "")
    again = client.call("POST", f"//runtime/v1/triggers/{trigger}/invoke", {"event": event}, headers=key)
    assert again.status == 200, "a refusal is no answer that is kept"
