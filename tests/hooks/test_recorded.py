"""What Supabase Auth, Ory Kratos and the Auth emulator of Firebase really sent, when the servers themselves
ran beside the service.

`recorded/supabase.json`: GoTrue bc32168 with two secrets, the second of which is that of these tests.
`recorded/kratos.json`: Kratos b86338d with the settings of docs/identity-providers.md and our templates.
`recorded/firebase.json`: `firebase-tools` 15.34.2, a sign-up; the parts of its tokens, which nothing signs.
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from runner.hooks.model import Configured, Defaults, Incoming, NoSettings, Origins, RefusedError, Secret
from runner.hooks.providers import PROVIDERS
from runner.hooks.providers.firebase.tokens import EMULATOR
from tests.hooks.sending import SECRET, Line, line, post, setup, wrong
from tests.hooks.test_firebase import encoded, wrapped
from tests.serving.server import Server

_FOLDER = Path(__file__).parent / "recorded"
GOTRUE: list[dict[str, Any]] = json.loads((_FOLDER / "supabase.json").read_text(encoding="utf-8"))
KRATOS: list[dict[str, Any]] = json.loads((_FOLDER / "kratos.json").read_text(encoding="utf-8"))
FIREBASE: list[dict[str, Any]] = json.loads((_FOLDER / "firebase.json").read_text(encoding="utf-8"))
KRATOS_SECRET = "a-secret-of-this-recording"
SHOW = "console.log(JSON.stringify(event));"


# --- Supabase Auth ---


def verified(item: dict[str, Any], secret: str, later: float = 0.0, more: bytes = b"") -> bool:
    """Whether the very bytes are taken, `later` seconds after they were sent."""
    headers = list(item["headers"].items())
    secrets = (Secret("s", "verify", secret),)
    hook = Configured("t", "h", True, secrets, Defaults(), NoSettings(), True, 1_000)
    now = int(item["headers"]["webhook-timestamp"]) + later
    incoming = Incoming(headers, item["body"].encode() + more)
    try:
        asyncio.run(PROVIDERS["supabase"].verify(incoming, hook, Origins(now, None)))  # type: ignore[arg-type]
    except RefusedError:
        return False
    return True


@pytest.mark.parametrize("item", GOTRUE, ids=[item["hook"] for item in GOTRUE])
def test_gotrues_signatures(item: dict[str, Any]) -> None:
    secret = setup("supabase").secret
    assert verified(item, secret)
    assert verified(item, secret, later=299)
    assert not verified(item, secret, later=301)
    assert not verified(item, secret, later=-61)
    assert not verified(item, secret, more=b" ")
    assert not verified(item, wrong(secret))


def gotrue(hook: str, number: int = 0) -> dict[str, Any]:
    found = [item for item in GOTRUE if item["hook"] == hook][number]
    body: dict[str, Any] = json.loads(found["body"])
    return body


def told(hooked: Line, payload: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The answer as JSON, and the event that the Action saw."""
    answer = hooked.send(payload)
    assert hooked.goes_on(answer), answer
    return answer.json, shown(hooked)


def shown(hooked: Line) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(
        hooked.ended(len(hooked.executions()))[0]["results"][0]["logs"][0]["text"]
    )
    return event


def test_gotrues_tokens(whole: Server) -> None:
    hooked = line(whole, "supabase", "customize-access-token")
    hooked.bind(SHOW + 'api.accessToken.setCustomClaim("https://harbor.example/tier", "gold ⚓");')
    protocols = ("oidc-basic-profile", "oauth2-refresh-token", "oidc-basic-profile")
    for number, protocol in enumerate(protocols):
        payload = gotrue("customize-access-token", number)
        answer, event = told(hooked, payload)
        assert answer == {"claims": {**payload["claims"], "https://harbor.example/tier": "gold ⚓"}}
        assert event["transaction"]["protocol"] == protocol
        assert event["user"]["user_id"] == payload["user_id"]
        assert event["user"]["user_metadata"]["full_name"] == "Máya Økafor 船"
        assert event["request"]["ip"] == "127.0.0.1"
    assert {item["name"] for item in event["authentication"]["methods"]} == {"mfa", "pwd"}


def test_gotrues_users_and_attempts(whole: Server) -> None:
    client = whole.client()
    before = line(whole, "supabase", "before-user-created", client)
    before.bind(SHOW)
    answer, event = told(before, gotrue("before-user-created"))
    assert (answer, event["user"]["email"], event["user"]["name"]) == (
        {},
        "maya@harbor.example",
        "Máya Økafor 船",
    )
    after = line(whole, "supabase", "after-user-created")
    after.bind(SHOW)
    assert after.send(gotrue("after-user-created")).status == 202
    assert shown(after)["user"]["phone_number"] == "+31612345678"
    for hook, number in (("password-verification", 0), ("password-verification", 1), ("mfa-verification", 0)):
        attempts = line(whole, "supabase", hook)
        attempts.bind(SHOW)
        payload = gotrue(hook, number)
        answer, event = told(attempts, payload)
        assert answer == {"decision": "continue"}
        assert event["user"]["user_id"] == payload["user_id"]


def test_gotrues_messages(whole: Server) -> None:
    texts = line(whole, "supabase", "send-sms")
    texts.bind(SHOW)
    payload = gotrue("send-sms")
    answer, event = told(texts, payload)
    assert (answer, event["notification"]["recipient"]) == ({}, "+31612345678")
    assert event["notification"]["code"] == payload["sms"]["otp"]
    mails = line(whole, "supabase", "send-email")
    mails.bind(SHOW)
    mails.bind(SHOW, "post-change-password")
    payload = gotrue("send-email")
    answer, event = told(mails, payload)
    assert (answer, event["notification"]["to"]) == ({}, "maya@harbor.example")
    assert payload["email_data"]["token"] in event["notification"]["text"]
    assert mails.send(gotrue("send-email", 1)).status == 202
    assert shown(mails)["user"]["email"] == "maya@harbor.example"


# --- Ory Kratos ---


def replayed(whole: Server, item: dict[str, Any], code: str = SHOW) -> tuple[Line, Any]:
    """A hook that the request was sent to with its own headers, and the answer."""
    hooked = line(whole, "kratos", item["hook"], secrets=[{"value": KRATOS_SECRET}])
    hooked.bind(code)
    raw = json.dumps(item["body"], ensure_ascii=False, indent=3).encode()
    return hooked, post(hooked.client.url + hooked.path, raw, item["headers"])


def test_every_hook_of_kratos_was_recorded() -> None:
    assert {item["hook"] for item in KRATOS} == set(PROVIDERS["kratos"].hooks)
    assert {item["hook"] for item in GOTRUE} == set(PROVIDERS["supabase"].hooks)
    assert SECRET != KRATOS_SECRET


@pytest.mark.parametrize("item", KRATOS, ids=[item["hook"] for item in KRATOS])
def test_what_kratos_has_really_sent(whole: Server, item: dict[str, Any]) -> None:
    hooked, answer = replayed(whole, item)
    later = item["hook"] in ("registered", "settings")
    assert (answer.status, hooked.goes_on(answer)) == (202 if later else 204, True)
    event = shown(hooked)
    if item["hook"] in ("sms", "email"):
        notification, data = event["notification"], item["body"]["template_data"]
        assert (notification.get("recipient") or notification["to"]) == item["body"]["recipient"]
        code = data.get("recovery_code") or data["verification_code"]
        assert code in (notification.get("text") or notification["as_text"])
        return
    user = event["user"]
    assert (user["email"], user.get("name", "Máya Økafor 船")) == ("maya@harbor.example", "Máya Økafor 船")
    assert user.get("phone_number", "+31612345678") == "+31612345678"
    if item["hook"] != "registration":  # it has none before it is stored
        assert user["user_id"] == item["body"]["identity"]["id"]
        assert user.get("app_metadata", {"plan": "gold ⚓"}) == {"plan": "gold ⚓"}
        assert user.get("user_metadata", {"theme": "dünkel"}) == {"theme": "dünkel"}
    assert event["request"]["ip"] == "203.0.113.7"
    assert event["request"]["user_agent"] == "Probe/1 (recording)"
    refused = post(hooked.client.url + hooked.path, b"{}", {**item["headers"], "authorization": "Bearer x"})
    assert refused.status == 401


def test_kratos_gets_metadata_and_denials(whole: Server) -> None:
    items = {item["hook"]: item for item in KRATOS}
    code = 'api.user.setAppMetadata("plan", "gold ⚓"); api.user.setUserMetadata("theme", "dünkel");'
    _, answer = replayed(whole, items["registration"], code)
    stored = {"plan": "gold ⚓", "user_metadata": {"theme": "dünkel"}}
    assert (answer.status, answer.json) == (200, {"identity": {"metadata_public": stored}})
    for hook in ("login", "recovery"):
        _, answer = replayed(whole, items[hook], 'api.access.deny("Nööö – heute nicht ⚓");')
        assert answer.status == 403
        assert answer.json["messages"][0]["messages"][0]["text"] == "Nööö – heute nicht ⚓"


# --- Firebase ---


def emulated(whole: Server, number: int, code: str, **settings: Any) -> tuple[Line, Any]:
    """A hook that a request was sent to, and the answer. Its token has the hook's address, and the time."""
    item = FIREBASE[number]
    hooked = line(whole, "firebase", item["hook"], settings={"emulator": True} | settings)
    hooked.bind(code)
    url, now = hooked.client.url + hooked.path, int(time.time())
    assert item["claims"]["aud"].endswith(item["hook"])
    claims = item["claims"] | {"aud": url, "iat": now, "exp": now + 600}
    _, body = wrapped(f"{encoded(item['head'])}.{encoded(claims)}.")
    return hooked, post(url, body, item["headers"])


def test_the_emulator_of_firebase(whole: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(EMULATOR, "127.0.0.1:9099")
    assert [item["hook"] for item in FIREBASE] == list(PROVIDERS["firebase"].hooks)
    hooked, answer = emulated(whole, 0, SHOW + 'api.user.setAppMetadata("plan", "gold ⚓");')
    assert answer.json == {"userRecord": {"customClaims": {"plan": "gold ⚓"}, "updateMask": "customClaims"}}
    event = shown(hooked)
    assert (event["user"]["email"], event["user"]["name"]) == ("maya@harbor.example", "Máya Økafor 船")
    hooked, answer = emulated(whole, 1, SHOW + 'api.idToken.setCustomClaim("tier", "gold ⚓");')
    assert answer.json == {
        "userRecord": {"sessionClaims": {"tier": "gold ⚓"}, "updateMask": "sessionClaims"}
    }
    event = shown(hooked)
    assert event["user"]["user_id"] == FIREBASE[1]["claims"]["sub"]
    assert event["authentication"]["methods"][0]["name"] == "pwd"
    for number, code in (
        (0, 'api.access.deny("internal", "not today");'),
        (1, 'api.access.deny("not today");'),
    ):
        hooked, answer = emulated(whole, number, code)
        assert (hooked.goes_on(answer), answer.json["error"]["message"]) == (False, "not today")
    hooked, answer = emulated(whole, 1, SHOW, emulator=False)
    assert (answer.status, hooked.executions()) == (401, [])
