"""Ory Kratos: the template that it fetches, what its contexts become, and what its identity is afterwards."""

from __future__ import annotations

import json
from typing import Any

import _gojsonnet
import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from runner.hooks.model import Answer, Case, Defaults, Result
from runner.hooks.providers import PROVIDERS, example_of
from tests.drawn import examples
from tests.hooks.kratos_contexts import PRIVATE, for_hook
from tests.hooks.sending import Line, line
from tests.hooks.test_every_provider import mutated
from tests.serving.server import Server

KRATOS = PROVIDERS["kratos"]
HOOKS = list(KRATOS.hooks.values())
PARSED = ("login", "registration", "recovery")
ADMIN = {"note": PRIVATE}


def sent(name: str, context: Any) -> Any:
    """What Kratos sends: its engine runs the template with `ctx` as a top-level argument
    (`request/builder.go`)."""
    document = KRATOS.document(KRATOS.hooks[name], "template.jsonnet")
    assert document is not None
    text = _gojsonnet.evaluate_snippet("template", document.decode(), tla_codes={"ctx": json.dumps(context)})
    return json.loads(text)


def identity_after(answer: Answer, identity: dict[str, Any]) -> dict[str, Any] | None:
    """The identity after `parseWebhookResponse` of `selfservice/hook/web_hook.go`; None: the flow stops, and
    `messages` are shown."""
    if answer.status == 204:
        return identity
    if answer.status == 200:
        told = json.loads(answer.body).get("identity") or {}
        members = {"traits", "schema_id", "state", "verifiable_addresses", "recovery_addresses"}
        members |= {"metadata_public", "metadata_admin"}
        changed = {name: value for name, value in told.items() if name in members and value}
        return {
            **identity,
            **changed,
            **({"external_id": told["external_id"]} if "external_id" in told else {}),
        }
    assert 400 <= answer.status < 500
    assert answer.status != 429
    found = json.loads(answer.body)["messages"]
    assert [message["type"] for item in found for message in item["messages"]] == ["error"]
    assert found[0]["instance_ptr"] == "#/"
    return None


# --- the template ---


@pytest.mark.parametrize("name", KRATOS.hooks)
def test_the_template_sends_the_example_and_nothing_private(name: str) -> None:
    context = for_hook(name)
    assert PRIVATE in json.dumps(context)
    found = sent(name, context)
    assert found == example_of(KRATOS, KRATOS.hooks[name])
    text = json.dumps(found)
    assert PRIVATE not in text
    assert all(word not in text for word in ("metadata_admin", "credentials", "cookie", "challenge", "csrf"))


@examples(60)
@given(data=st.data(), name=st.sampled_from(sorted(KRATOS.hooks)))
def test_the_template_takes_any_context(data: st.DataObject, name: str) -> None:
    """It never stops a flow of Kratos by failing itself, and lets nothing else out."""
    assert PRIVATE not in json.dumps(sent(name, data.draw(mutated(for_hook(name)))))


@pytest.mark.parametrize("name", KRATOS.hooks)
def test_the_template_is_served_to_anybody_alike(whole: Server, name: str) -> None:
    client = whole.client()
    hook = line(whole, "kratos", name, client)
    texts = set()
    for tenant in (client.tenant, whole.client().tenant, "nobody"):
        url = client.url + hook.path.replace(client.tenant, tenant) + "/template.jsonnet"
        found = urllib3.request("GET", url, retries=False)
        assert (found.status, found.headers["cache-control"]) == (200, "public, max-age=3600")
        assert "jsonnet" not in found.headers["content-type"]
        texts.add(found.data)
        head = urllib3.request("HEAD", url, retries=False)
        assert (head.status, head.data) == (200, b"")
        assert urllib3.request("POST", url, body=b"{}", retries=False).status == 405
    assert texts == {KRATOS.document(hook.hook, "template.jsonnet")}
    assert client.tenant.encode() not in texts.pop()


def test_there_are_no_other_documents(whole: Server) -> None:
    url = f"{whole.client().url}/hooks/v1/main"
    for path in (
        "/kratos/login/flows.py",
        "/kratos/login/..",
        "/kratos/login/template.jsonnet/",
        "/kratos/nothing/template.jsonnet",
        "/zitadel/event/template.jsonnet",
        "/kratos/login/%2e%2e/template.jsonnet",
    ):
        found = urllib3.request("GET", url + path, retries=False)
        assert found.status == 404, path
    assert urllib3.request("GET", f"{url}/kratos/login", retries=False).status == 405


# --- events ---


def shown(hook: Line) -> dict[str, Any]:
    (execution, *_) = hook.executions()
    event: dict[str, Any] = json.loads(execution["results"][0]["logs"][0]["text"])
    return event


def test_the_event_of_a_login(whole: Server) -> None:
    hook = line(whole, "kratos", "login")
    hook.bind("console.log(JSON.stringify(event));")
    answer = hook.send()
    assert (answer.status, answer.body) == (204, b"")
    event = shown(hook)
    user = event["user"]
    assert user["user_id"] == for_hook("login")["identity"]["id"]
    assert (user["email"], user["email_verified"]) == ("maya.okafor@harbor.example", True)
    assert (user["phone_number"], user["phone_verified"]) == ("+31612345678", False)
    assert (user["name"], user["given_name"], user["username"]) == ("Maya Okafor", "Maya", "maya")
    assert (user["app_metadata"], user["user_metadata"]) == ({"plan": "gold"}, {"theme": "dark"})
    assert event["request"]["ip"] == "203.0.113.7"
    assert event["request"]["language"] == "nl-NL"
    assert event["client"]["client_id"] == "harbor-portal"
    assert event["transaction"]["requested_scopes"] == ["openid", "offline"]
    assert [(item["name"], item.get("type")) for item in event["authentication"]["methods"]] == [
        ("pwd", None),
        ("mfa", "otp"),
    ]
    assert event["hook"]["payload"]["flow"]["transient_payload"] == {"source": "harbor-portal"}


def test_an_upstream_provider_is_the_connection(whole: Server) -> None:
    hook = line(whole, "kratos", "login", defaults={"connection": {"metadata": {"region": "eu"}}})
    hook.bind("console.log(JSON.stringify(event));")
    payload = hook.example()
    payload["session"]["authentication_methods"] = [
        {"method": "oidc", "aal": "aal1", "provider": "github", "completed_at": "2026-11-20T17:40:11Z"}
    ]
    payload["identity"]["organization_id"] = "org-1"
    assert hook.send(payload).status == 204
    event = shown(hook)
    assert event["connection"] == {
        "id": "github",
        "name": "github",
        "strategy": "oidc",
        "metadata": {"region": "eu"},
    }
    assert event["organization"]["id"] == "org-1"
    assert event["authentication"]["methods"][0]["name"] == "federated"


@pytest.mark.parametrize(
    ("traits", "addresses", "email", "verified"),
    [
        ({"email": "Eve@Harbor.example"}, [("eve@harbor.example", True)], "Eve@Harbor.example", True),
        ({"email": "eve@harbor.example"}, [("maya@harbor.example", True)], "eve@harbor.example", False),
        ({"mail": "x"}, [("maya@harbor.example", True)], "maya@harbor.example", True),
        ({"email": ["x"]}, [], None, False),
        ({"email": "eve@harbor.example"}, [], "eve@harbor.example", False),
    ],
)
def test_only_the_very_address_that_was_verified_is(
    traits: dict[str, Any], addresses: list[tuple[str, bool]], email: str | None, verified: bool
) -> None:
    hook = KRATOS.hooks["login"]
    payload = example_of(KRATOS, hook)
    listed = [{"value": value, "verified": good, "via": "email"} for value, good in addresses]
    payload["identity"] |= {"traits": traits, "verifiable_addresses": listed}
    user = KRATOS.event_of(hook, payload, "post-login", Defaults(), "harbor")["user"]
    assert (user.get("email"), user["email_verified"]) == (email, verified)


# --- what Kratos does with the answers ---


def test_metadata_of_a_new_identity(whole: Server) -> None:
    hook = line(whole, "kratos", "registration")
    hook.bind(
        'api.user.setAppMetadata("plan", "silver"); api.user.setUserMetadata("theme", "dark");'
        "console.log(JSON.stringify(event.user));"
    )
    for before, after in (
        (None, {"plan": "silver", "user_metadata": {"theme": "dark"}}),
        (
            {"plan": "gold", "crm": [1], "user_metadata": {"seen": 1}},
            {"plan": "silver", "crm": [1], "user_metadata": {"seen": 1, "theme": "dark"}},
        ),
    ):
        payload = hook.example()
        payload["identity"]["metadata_public"] = before
        identity = {**payload["identity"], "metadata_admin": ADMIN}
        assert identity_after(hook.send(payload), identity) == {**identity, "metadata_public": after}
    assert "user_id" not in shown(hook)


def test_metadata_can_be_taken_away_and_its_key_cannot_be_overwritten(whole: Server) -> None:
    hook = line(whole, "kratos", "registration")
    hook.bind('api.user.setAppMetadata("plan", null);')
    payload = hook.example()
    payload["identity"]["metadata_public"] = {"plan": "gold", "crm": 1}
    found = identity_after(hook.send(payload), {})
    assert found == {"metadata_public": {"crm": 1}}
    hook.bind('api.user.setAppMetadata("user_metadata", 1);')
    answer = hook.send()
    assert identity_after(answer, {}) is None
    assert hook.executions()[0]["hook"]["result"] == "uncarried"


@pytest.mark.parametrize(
    ("name", "code", "result", "text"),
    [
        ("login", 'api.access.deny("not today");', "denied", "not today"),
        ("login", 'api.accessToken.setCustomClaim("https://a.example/b", 1);', "uncarried", "cannot be done"),
        ("login", 'api.user.setAppMetadata("a", 1);', "uncarried", "cannot be done"),
        ("login", 'api.multifactor.enable("any");', "uncarried", "cannot be done"),
        ("login", 'throw new Error("down");', "failed", "An Action failed."),
        ("registration", 'api.access.deny("internal", "not today");', "denied", "not today"),
        ("registration", 'api.validation.error("bad", "no such berth");', "denied", "no such berth"),
        ("registration", 'throw new Error("down");', "failed", "An Action failed."),
        ("recovery", 'api.access.deny("not today");', "denied", "not today"),
        ("recovery", 'api.redirect.sendUserTo("https://a.example/");', "suspended", "cannot be shown"),
    ],
)
def test_flows_stop_with_a_message(whole: Server, name: str, code: str, result: str, text: str) -> None:
    hook = line(whole, "kratos", name)
    hook.bind(code)
    answer = hook.send()
    assert identity_after(answer, {}) is None
    assert text in answer.json["messages"][0]["messages"][0]["text"]
    assert hook.executions()[0]["hook"]["result"] == result


@pytest.mark.parametrize("name", PARSED)
def test_every_refusal_has_a_message(name: str) -> None:
    """Kratos takes a 4xx without one for a broken hook, and tries again after 429 and 5xx."""
    for case in set(Case) - {Case.ALLOWED, Case.ACCEPTED, Case.IGNORED}:
        answer = KRATOS.response_of(KRATOS.hooks[name], {}, Result(case, status=413, retry_after=1))
        assert answer.json["messages"][0]["messages"][0]["text"]
        again = answer.status == 429 or answer.status >= 500
        assert again is (case in (Case.BUSY, Case.UNAVAILABLE)), case


def test_an_empty_answer_of_200_is_none(whole: Server) -> None:
    hook = KRATOS.hooks["login"]
    assert not KRATOS.goes_on(hook, Answer(200))
    assert not KRATOS.goes_on(hook, Answer(200, b"<html>"))
    assert KRATOS.goes_on(hook, Answer(201))


# --- once, later, and messages ---


def test_a_flow_that_is_sent_again_runs_once(whole: Server) -> None:
    hook = line(whole, "kratos", "login")
    hook.bind('api.access.deny("not today");')
    trigger = {"Ory-Webhook-Trigger-ID": "0d8c3b0e-6f0e-4f5c-9f3d-7f0a3c1e2b4d"}
    answers = [hook.send(headers={**trigger, "Ory-Webhook-Request-ID": str(n)}) for n in range(3)]
    assert len({(answer.status, answer.body) for answer in answers}) == 1
    assert len(hook.executions()) == 1
    other = hook.example()
    other["identity"]["id"] = "another"
    assert hook.send(other, headers=trigger).status == 409
    for id_ in ("", None):
        hook.send(headers={"Ory-Webhook-Trigger-ID": id_})
        hook.send(other, headers={"Ory-Webhook-Trigger-ID": id_})
    assert len(hook.executions()) == 5


@pytest.mark.parametrize(
    ("name", "code", "text"),
    [
        ("registered", "console.log(event.user.email);", "maya.okafor@harbor.example"),
        ("settings", "console.log(event.user.last_password_reset);", "2026-11-20T17:40:11.004215Z"),
    ],
)
def test_hooks_that_kratos_ignores_run_later_and_once(whole: Server, name: str, code: str, text: str) -> None:
    hook = line(whole, "kratos", name)
    hook.bind(code)
    for _ in range(2):
        assert hook.send(headers={"Ory-Webhook-Trigger-ID": "one"}).status == 202
    (execution,) = hook.ended(1)
    assert execution["results"][0]["logs"][0]["text"] == text


def test_settings_other_than_a_password_are_no_change_of_it(whole: Server) -> None:
    hook = line(whole, "kratos", "settings")
    hook.bind("")
    payload = hook.example()
    payload["flow"]["active"] = "totp"
    assert hook.send(payload).status == 204
    assert hook.executions() == []


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("", 204),
        ('api.notification.drop("no such number");', 204),
        ('api.notification.retry("later");', 424),
        ('throw new Error("down");', 424),
    ],
)
@pytest.mark.parametrize("name", ["sms", "email"])
def test_messages(whole: Server, name: str, code: str, status: int) -> None:
    hook = line(whole, "kratos", name)
    hook.bind("console.log(JSON.stringify(event));" + code)
    answer = hook.send()
    assert (answer.status, hook.goes_on(answer)) == (status, status == 204)
    event = shown(hook)
    notification = event["notification"]
    assert event["user"]["email"] == "maya.okafor@harbor.example"
    if name == "sms":
        assert (notification["recipient"], notification["code"]) == ("+31612345678", "482913")
        assert notification["message_type"] == "otp_verify"
    else:
        assert notification["to"] == "maya.okafor@harbor.example"
        assert notification["html"].startswith("<p>")
        assert notification["message_type"] == "verify_email_by_code"


def test_a_recovery_code_by_text_stands_under_another_name(whole: Server) -> None:
    """`courier/template/sms/recovery_code.go` calls it `verification_code`."""
    hook = line(whole, "kratos", "sms")
    hook.bind("console.log(JSON.stringify(event));")
    payload = hook.example() | {"template_type": "recovery_code_valid"}
    data = payload["template_data"]
    data["verification_code"] = data.pop("login_code")
    assert hook.send(payload).status == 204
    notification = shown(hook)["notification"]
    assert (notification["message_type"], notification["code"]) == ("change_password", "482913")


def test_a_text_in_an_e_mail_is_no_markup(whole: Server) -> None:
    hook = line(whole, "kratos", "email")
    hook.bind("console.log(JSON.stringify(event));")
    payload = hook.example() | {"body": "<script>"}
    del payload["html_body"]
    assert hook.send(payload).status == 204
    assert shown(hook)["notification"]["html"] == "<pre>&lt;script&gt;</pre>"
