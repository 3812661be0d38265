"""Supabase Auth: signatures as Standard Webhooks and GoTrue make them, tokens, users, messages, attempts."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from runner.hooks.effects import Effect
from runner.hooks.model import Answer, Case, Hook, Result
from runner.hooks.providers import PROVIDERS, example_of
from tests.hooks.sending import HOOKS, Line, line, setup
from tests.serving.server import Server

SUPABASE = PROVIDERS["supabase"]
SECRET = setup("supabase").secret
OTHER = "v1,whsec_" + base64.b64encode(b"another secret of thirty-two byt").decode()
CLAIM = 'api.accessToken.setCustomClaim("https://harbor.example/tier", event.user.user_metadata.plan);'
EMPTY: dict[str, Any] = {}


@pytest.fixture(scope="module")
def tokens(whole: Server) -> Line:
    return line(whole, "supabase", "customize-access-token")


@pytest.fixture(scope="module")
def mails(whole: Server) -> Line:
    return line(whole, "supabase", "send-email")


def standard(secret: str) -> Webhook:
    return Webhook(secret.removeprefix("v1,"))


def as_gotrue(*secrets: str, at: float = 0.0, id_: str = "msg_1") -> Any:
    """Signs with the standard's own library, several secrets joined as GoTrue joins them."""

    def sign(_: Hook, raw: bytes, __: str, now: float) -> tuple[dict[str, str], bytes]:
        moment = datetime.fromtimestamp(int(now + at), UTC)
        made = [standard(secret).sign(id_, moment, raw.decode()) for secret in secrets]
        stamp = str(int(now + at))
        headers = {"webhook-id": id_, "webhook-timestamp": stamp, "webhook-signature": ", ".join(made)}
        return headers, raw

    return sign


# --- signatures ---


def test_the_vector_of_the_standard() -> None:
    """From the specification's own reference: a secret, an id, a time, a body and the signature."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    message = b'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}'
    made = base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()
    assert made == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    webhook = Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    moment = datetime.fromtimestamp(1614265330, UTC)
    signed = webhook.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", moment, '{"test": 2432232314}')
    assert signed == f"v1,{made}"


def test_the_standards_own_verifier_takes_what_simulate_sends() -> None:
    hook = SUPABASE.hooks["send-sms"]
    raw = json.dumps(example_of(SUPABASE, hook)).encode()
    headers, body = SUPABASE.sign(hook, raw, SECRET, time.time())
    assert body == raw
    assert standard(SECRET).verify(body, headers) == json.loads(raw)


def test_what_the_standards_own_signer_sends_is_taken(tokens: Line) -> None:
    tokens.bind("")
    for signer in (as_gotrue(SECRET), as_gotrue(OTHER, SECRET), as_gotrue(SECRET, OTHER)):
        assert tokens.goes_on(tokens.send(sign=signer))
    blanks = as_gotrue(OTHER, SECRET)

    def by_blanks(*args: Any) -> tuple[dict[str, str], bytes]:
        headers, raw = blanks(*args)
        return {**headers, "webhook-signature": headers["webhook-signature"].replace(", ", " ")}, raw

    assert tokens.goes_on(tokens.send(sign=by_blanks))


def test_signatures_that_are_refused(tokens: Line) -> None:
    tokens.bind("")
    count = len(tokens.executions())
    good = as_gotrue(SECRET)
    headers, raw = good(tokens.hook, json.dumps(tokens.example()).encode(), "", time.time())
    answers = [
        tokens.send(sign=as_gotrue(OTHER)),
        tokens.send(sign=as_gotrue(SECRET, at=-301)),
        tokens.send(sign=as_gotrue(SECRET, at=120)),
        tokens.send(sign=as_gotrue(*[OTHER] * 8, SECRET)),
        *(
            tokens.send(raw=raw, sign=good, headers=changed)
            for changed in (
                {"webhook-id": "msg_2"},
                {"webhook-id": None},
                {"webhook-timestamp": None},
                {"webhook-timestamp": "1e9"},
                {"webhook-signature": headers["webhook-signature"].replace("v1,", "v1a,")},
                {"webhook-signature": headers["webhook-signature"].removeprefix("v1,")},
                {"webhook-signature": "v1,"},
            )
        ),
    ]
    for answer in answers:
        assert (answer.status, tokens.goes_on(answer)) == (401, False)
        assert answer.json["error"]["http_code"] == 401
    assert len(tokens.executions()) == count


@pytest.mark.parametrize(
    "value",
    ["a-plain-secret", "v1,whsec_!!!", "v1,whsec_c2hvcnQ=", f"{SECRET}|{OTHER}", "v1a,whsk_" + "A" * 40],
)
def test_secrets_that_are_none(whole: Server, value: str) -> None:
    body = {"provider": "supabase", "hook": "send-sms", "secrets": [{"value": value}]}
    reply = whole.client().call("POST", HOOKS, body)
    assert (reply.status, reply.json["errorCode"]) == (400, "invalid_body"), reply
    assert "v1,whsec_" in reply.json["message"]
    assert value not in reply.json["message"]


# --- what GoTrue reads ---

CODES = {
    Case.DENIED: 403,
    Case.SUSPENDED: 403,
    Case.UNCARRIED: 403,
    Case.FAILED: 500,
    Case.TIMED_OUT: 504,
    Case.RETRY: 503,
    Case.DROPPED: 422,
    Case.BUSY: 429,
    Case.UNAVAILABLE: 503,
}


@pytest.mark.parametrize("hook", SUPABASE.hooks.values(), ids=lambda hook: hook.name)
def test_every_cell_of_the_table(hook: Hook) -> None:
    payload = example_of(SUPABASE, hook)
    for case in Case:
        answer = SUPABASE.response_of(hook, payload, Result(case, "because", status=422, retry_after=3))
        assert answer.headers == {"Content-Type": "application/json"}, "a Retry-After may be taken for leave"
        if case is Case.DENIED and hook.triggers[0] == "post-credential-validation":
            assert answer.json["decision"] == "reject"
            assert "because" not in answer.json["message"]
        elif case in CODES:
            assert answer.status == 200
            assert answer.json == {"error": {"http_code": CODES[case], "message": "because"}}
        elif case is Case.REFUSED:
            assert (answer.status, answer.json["error"]["http_code"]) == (422, 422)
        else:
            assert answer.status == (202 if case is Case.ACCEPTED else 200)
            assert "error" not in answer.json


@pytest.mark.parametrize(
    ("name", "status", "body", "goes_on"),
    [
        ("send-sms", 200, {}, True),
        ("send-sms", 202, {}, True),
        ("send-sms", 201, {}, False),
        ("send-sms", 429, {}, False),
        ("send-sms", 200, {"error": {"message": "no"}}, False),
        ("send-sms", 200, {"error": {"http_code": 400}}, True),
        ("send-sms", 200, {"x": "y" * 300_000}, False),
        ("customize-access-token", 200, {}, False),
        ("customize-access-token", 200, {"claims": {"sub": "1"}}, False),
        ("password-verification", 200, {"decision": "reject"}, False),
        ("password-verification", 200, {"decision": "continue"}, True),
    ],
)
def test_answers_are_read_as_gotrue_reads_them(name: str, status: int, body: Any, goes_on: bool) -> None:
    hook = SUPABASE.hooks[name]
    assert SUPABASE.goes_on(hook, Answer.of(status, body)) is goes_on
    assert not SUPABASE.goes_on(hook, Answer(200, json.dumps(body).encode(), {"Content-Type": "text/plain"}))
    assert SUPABASE.goes_on(hook, Answer(204)) is (name != "customize-access-token")


# --- tokens ---


def test_claims_reach_the_token_beside_all_that_was_there(tokens: Line) -> None:
    tokens.bind(CLAIM + 'api.accessToken.setCustomClaim("app_metadata", { roles: ["skipper"] });')
    payload = tokens.example()
    claims = {"https://harbor.example/tier": "gold", "app_metadata": {"roles": ["skipper"]}}
    answer = tokens.send(payload)
    assert tokens.goes_on(answer)
    assert answer.json == {"claims": {**payload["claims"], **claims}}
    tokens.bind("")


def test_the_event_of_a_login(tokens: Line) -> None:
    tokens.bind("console.log(JSON.stringify(event));")
    payload = tokens.example()
    payload["claims"] |= {"client_id": "0d4c", "scope": "openid email", "is_anonymous": False}
    payload["claims"]["user_metadata"]["email_verified"] = True
    payload["claims"]["amr"].append({"method": "totp", "timestamp": 1795198211})
    payload["authentication_method"] = "token_refresh"
    assert tokens.send(payload).json == {"claims": payload["claims"]}
    event = json.loads(tokens.executions()[0]["results"][0]["logs"][0]["text"])
    assert event["user"]["user_id"] == payload["user_id"]
    assert event["user"]["name"] == "Maya Okafor"
    assert event["user"]["phone_number"] == "+31612345678"
    assert event["user"]["email_verified"] is False, "users write their metadata themselves"
    assert event["user"]["app_metadata"] == payload["claims"]["app_metadata"]
    assert event["client"]["client_id"] == "0d4c"
    assert event["request"]["ip"] == "203.0.113.24"
    assert event["transaction"]["protocol"] == "oauth2-refresh-token"
    assert event["transaction"]["requested_scopes"] == ["openid", "email"]
    assert event["authentication"]["methods"] == [
        {"name": "pwd", "timestamp": "2026-11-20T18:10:10.000Z"},
        {"name": "mfa", "timestamp": "2026-11-20T18:10:11.000Z", "type": "totp"},
    ]


@pytest.mark.parametrize(
    ("code", "effect"),
    [
        ('api.idToken.setCustomClaim("https://harbor.example/x", 1);', Effect.ID_TOKEN_CLAIMS),
        ('api.user.setUserMetadata("x", 1);', Effect.USER_METADATA),
        ('api.accessToken.setCustomClaim("role", "service_role");', Effect.ACCESS_TOKEN_CLAIMS),
        ('api.accessToken.setCustomClaim("app_metadata", "x");', Effect.ACCESS_TOKEN_CLAIMS),
    ],
)
def test_what_no_token_of_supabase_can_hold(whole: Server, code: str, effect: Effect) -> None:
    hook = line(whole, "supabase", "customize-access-token")
    hook.bind(code)
    answer = hook.send()
    assert answer.json["error"]["http_code"] == 403
    (execution,) = hook.executions()
    assert execution["hook"]["result"] == "uncarried"
    assert execution["hook"]["dropped"][0]["effect"] == effect


def test_a_request_that_is_sent_again_runs_once(whole: Server) -> None:
    """`metadata.uuid` stays over GoTrue's tries; `webhook-id` does not."""
    hook = line(whole, "supabase", "customize-access-token")
    hook.bind(CLAIM)
    payload = hook.example()
    answers = [hook.send(payload, sign=as_gotrue(SECRET, id_=name)) for name in ("msg_1", "msg_2", "msg_3")]
    assert len({answer.body for answer in answers}) == 1
    assert len(hook.executions()) == 1
    changed = hook.send(payload | {"authentication_method": "otp"})
    assert (changed.status, hook.goes_on(changed)) == (409, False)
    del payload["metadata"]
    assert hook.goes_on(hook.send(payload)), "older builds send no metadata with tokens"


def test_the_payload_of_another_hook(tokens: Line) -> None:
    payload = tokens.example()
    payload["metadata"]["name"] = "send-sms"
    answer = tokens.send(payload)
    assert (answer.status, tokens.goes_on(answer)) == (422, False)


# --- users ---


def test_a_user_is_created_or_not(whole: Server) -> None:
    hook = line(whole, "supabase", "before-user-created")
    hook.bind(
        'if (event.user.email.endsWith("@bad.example")) api.access.deny("internal", "not today");'
        "console.log(JSON.stringify(event.user));"
    )
    answer = hook.send()
    assert (answer.status, answer.json) == (200, EMPTY)
    user = json.loads(hook.executions()[0]["results"][0]["logs"][0]["text"])
    assert (user["email"], user["user_metadata"]["plan"]) == ("maya.okafor@harbor.example", "gold")
    assert "phone_number" not in user
    payload = hook.example()
    payload["user"]["email"] = "eve@bad.example"
    assert hook.send(payload).json == {"error": {"http_code": 403, "message": "not today"}}


def test_a_created_user_runs_later(whole: Server) -> None:
    hook = line(whole, "supabase", "after-user-created")
    hook.bind("console.log(JSON.stringify(event.user));")
    answer = hook.send()
    assert (answer.status, answer.json, hook.goes_on(answer)) == (202, EMPTY, True)
    (execution,) = hook.ended(1)
    user = json.loads(execution["results"][0]["logs"][0]["text"])
    assert user["user_id"] == hook.example()["user"]["id"]
    assert (user["email_verified"], user["identities"][0]["provider"]) == (False, "email")


# --- messages ---


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("", EMPTY),
        ('api.notification.drop("no such number");', 422),
        ('api.notification.retry("later");', 503),
        ('throw new Error("down");', 500),
    ],
)
def test_text_messages(whole: Server, code: str, said: Any) -> None:
    hook = line(whole, "supabase", "send-sms")
    hook.bind("console.log(JSON.stringify(event.notification));" + code)
    answer = hook.send()
    assert answer.status == 200
    assert (answer.json if said is EMPTY else answer.json["error"]["http_code"]) == said
    (execution,) = hook.executions()
    notification = json.loads(execution["results"][0]["logs"][0]["text"])
    assert notification["recipient"] == "+31612345678"
    assert (notification["code"], notification["as_text"]) == ("482913", "Your code is 482913")
    assert hook.client.get("//runtime/v1/jobs", state="ready")["jobs"] == [], "GoTrue sends it again itself"


def test_a_mail_that_resets_a_password(mails: Line) -> None:
    mails.bind("console.log(JSON.stringify(event));")
    payload = mails.example()
    payload["email_data"]["redirect_to"] = 'https://app.harbor.example/?a=1&b="2"'
    assert mails.send(payload).json == EMPTY
    event = json.loads(mails.executions()[0]["results"][0]["logs"][0]["text"])
    found = event["notification"]
    link = (
        f"https://auth.harbor.example/auth/v1/verify?token={payload['email_data']['token_hash']}"
        "&type=recovery&redirect_to=https%3A%2F%2Fapp.harbor.example%2F%3Fa%3D1%26b%3D%222%22"
    )
    assert (found["to"], found["message_type"]) == ("maya.okafor@harbor.example", "reset_email")
    assert found["subject"] == "Reset your password"
    assert found["text"] == f"Reset your password.\n\nYour code is 482913\n\n{link}"
    assert f'<a href="{link.replace("&", "&amp;")}">' in found["html"]
    assert "also" not in event["hook"]


def test_a_change_of_address_is_two_mails(mails: Line) -> None:
    """The names of the hashes are crossed (GoTrue's own tests hold that)."""
    mails.bind("console.log(JSON.stringify([event.notification, ...(event.hook.also ?? [])]));")
    payload = mails.example()
    payload["user"]["new_email"] = "maya@new.example"
    payload["email_data"] |= {
        "email_action_type": "email_change",
        "token": "111111",
        "token_hash_new": "hash-of-111111",
        "token_new": "222222",
        "token_hash": "hash-of-222222",
    }
    assert mails.send(payload).json == EMPTY
    both = json.loads(mails.executions()[0]["results"][0]["logs"][0]["text"])
    assert [mail["to"] for mail in both] == ["maya.okafor@harbor.example", "maya@new.example"]
    for mail, code in zip(both, ("111111", "222222"), strict=True):
        assert f"Your code is {code}" in mail["text"]
        assert f"token=hash-of-{code}&type=email_change" in mail["text"]
    payload["email_data"] |= {"token_new": "", "token_hash_new": ""}
    payload["metadata"]["uuid"] = "of-its-own"
    assert mails.send(payload).json == EMPTY
    (alone,) = json.loads(mails.executions()[0]["results"][0]["logs"][0]["text"])
    assert alone["to"] == "maya@new.example"
    assert "Your code is 111111" in alone["text"]
    assert "token=hash-of-222222" in alone["text"]


def test_a_changed_password_is_no_mail(whole: Server) -> None:
    hook = line(whole, "supabase", "send-email")
    hook.bind("console.log(event.user.email, event.user.last_password_reset);", "post-change-password")
    payload = hook.example()
    payload["email_data"] = {"email_action_type": "password_changed_notification"}
    answer = hook.send(payload)
    assert (answer.status, answer.json) == (202, EMPTY)
    (execution,) = hook.ended(1)
    assert execution["trigger_id"] == "post-change-password"
    said = execution["results"][0]["logs"][0]["text"]
    assert said == f"maya.okafor@harbor.example {payload['metadata']['time']}"


# --- attempts ---


@pytest.mark.parametrize("name", ["password-verification", "mfa-verification"])
def test_an_attempt_is_refused_without_the_reason(whole: Server, name: str) -> None:
    hook = line(whole, "supabase", name)
    assert hook.send().json == {"decision": "continue"}, "nothing is bound"
    hook.bind(
        "console.log(JSON.stringify(event.credential), event.authentication.methods[0].name);"
        'if (!event.credential.valid) return; api.authentication.deny("stolen");'
    )
    answer = hook.send()
    assert (answer.status, answer.json["decision"], hook.goes_on(answer)) == (200, "reject", False)
    assert b"stolen" not in answer.body
    payload = hook.example()
    payload["valid"] = False
    assert hook.send(payload).json == {"decision": "continue"}
    said = hook.executions()[0]["results"][0]["logs"][0]["text"]
    credential = {"identifier": payload["user_id"], "valid": False}
    method = "pwd" if name == "password-verification" else "mfa"
    assert said == f"{json.dumps(credential, separators=(',', ':'))} {method}"
