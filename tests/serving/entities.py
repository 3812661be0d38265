"""Entities of a tenant that Actions are attached to, made over the API."""

from __future__ import annotations

from typing import Any

from tests.serving.server import Client, Reply

PROFILES = "//api/v2/token-exchange-profiles"
EXCHANGE = """exports.onExecuteCustomTokenExchange = async (event, api) => {
  api.authentication.setUserById("auth0|NAME");
};
"""


def exchange_action(client: Client, name: str = "") -> dict[str, Any]:
    """A deployed Action for token exchanges; the user that it sets tells its name."""
    return client.deployed(
        name,
        supported_triggers=[{"id": "custom-token-exchange", "version": "v1"}],
        code=EXCHANGE.replace("NAME", name),
    )


def profile_body(action_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": "Legacy sessions",
        "subject_token_type": "urn:harbor:legacy-session",
        "action_id": action_id,
        "type": "custom_authentication",
        **changes,
    }


def create(client: Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What a 201 answers."""
    reply = client.call("POST", path, body)
    assert reply.status == 201, reply
    return reply.json


def refused(reply: Reply) -> tuple[int, str]:
    """Status and message of an error in the form that all errors have."""
    assert reply.json["statusCode"] == reply.status, reply
    return reply.status, reply.json["message"]


STREAMS = "//api/v2/event-streams"
SINK = (
    "exports.onExecuteEventStream = async (event) => console.log(event.message.a0stream, event.message.id);\n"
)
DOWN = "exports.onExecuteEventStream = async () => { throw new Error('down'); };\n"


def stream_action(client: Client, code: str = SINK) -> dict[str, Any]:
    """A deployed Action for event streams."""
    return client.deployed(supported_triggers=[{"id": "event-stream", "version": "v1"}], code=code)


def stream_body(action_id: str, *types: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": "Sync",
        "subscriptions": [{"event_type": name} for name in types or ("user.created",)],
        "destination": {"type": "action", "configuration": {"action_id": action_id}},
        **changes,
    }
