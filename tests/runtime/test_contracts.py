"""What an Action asks for reaches the platform as it is, through a worker and over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.serving.server import Client, Server
from triggers import get_trigger

SCRIPTS = Path(__file__).parent.parent / "wild" / "contracts"


@pytest.fixture
def client(whole: Server) -> Client:
    return whole.client()


def bound(client: Client, *names: str, secrets: dict[str, str] | None = None) -> None:
    """The post-login flow of these scripts, in their order."""
    actions = []
    for index, name in enumerate(names):
        fields: dict[str, Any] = {"code": (SCRIPTS / name).read_text()}
        if name.endswith(".py"):
            fields["runtime"] = "python3"
        if secrets:
            fields["secrets"] = [{"name": key, "value": value} for key, value in secrets.items()]
        actions.append(client.deployed(f"{index} {name}", **fields))
    client.bind(*actions)


def invoke(client: Client, **user: Any) -> Any:
    event = get_trigger("post-login").example_event
    event["user"] |= user
    return client.call("POST", "//runtime/v1/triggers/post-login/invoke", {"event": event}).json


@pytest.mark.parametrize("forget", ["forget.js", "forget.py"])
def test_what_is_taken_back_is_not_written(client: Client, forget: str) -> None:
    bound(client, "note.js", forget, "read.py")
    outcome = invoke(client, app_metadata={"customer_no": 4711}, user_metadata={"theme": "dark"})
    assert outcome["decision"] == "allow", outcome["failure"]
    assert (outcome["effects"]["app_metadata"], outcome["effects"]["user_metadata"]) == ({}, {})
    assert outcome["actions"][2]["logs"][0]["text"] == "seen None 4711 None dark"


@pytest.mark.parametrize(("script", "kind"), [("step-up.js", "challenge"), ("step_up.py", "enroll")])
def test_steps_come_with_what_is_said_of_the_browser(client: Client, script: str, kind: str) -> None:
    bound(client, script)
    outcome = invoke(client, enrolledFactors=[{"type": "otp"}])
    effects = outcome["effects"]
    assert (outcome["decision"], effects["steps"][0]["kind"]) == ("suspended", kind)
    assert effects["multifactor"] == {
        "provider": "any",
        "allow_remember_browser": False,
        "provider_options": None,
    }
    body = {
        "handle": outcome["suspension"]["handle"],
        "methods": [{"name": "mfa", "type": "otp", "timestamp": "2025-03-11T14:02:40.511Z"}],
    }
    done = client.call("POST", "//runtime/v1/resume", body).json
    assert (done["decision"], done["effects"]["multifactor"]) == ("allow", None)


@pytest.mark.parametrize("script", ["refuse.js", "refuse.py"])
def test_an_error_is_a_reason(client: Client, script: str) -> None:
    bound(client, script, secrets={"HOW": "deny", "WHAT": "own"})
    outcome = invoke(client)
    assert (outcome["decision"], outcome["failure"]) == ("deny", None)
    assert outcome["effects"]["denial"]["reason"] == "no seat is left: Größe 0"
