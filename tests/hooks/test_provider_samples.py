"""The other side of providers without webhooks: samples/providers, against a real service."""

from __future__ import annotations

import importlib.util
import json
import textwrap
from types import SimpleNamespace
from typing import Any

import pytest
import urllib3

from tests.hooks.sending import HANDLERS
from tests.serving.server import Client, Server
from tests.test_samples import SAMPLES

SHIM = SAMPLES / "providers" / "cognito" / "shim.py"
USER = {
    "sub": "3a1f6c52-5d0c-4a0b-9c53-61f0f4f0b7a1",
    "email": "maya.okafor@harbor.example",
    "email_verified": "true",
    "given_name": "Maya",
}


def recorded(source: str, version: str = "1", **request: Any) -> dict[str, Any]:
    """An event as Cognito sends it."""
    return {
        "version": version,
        "triggerSource": source,
        "region": "eu-west-1",
        "userPoolId": "eu-west-1_example",
        "userName": "maya",
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "portal"},
        "request": {"userAttributes": USER, **request},
        "response": {},
    }


@pytest.fixture
def tenant(whole: Server) -> Client:
    return whole.client()


@pytest.fixture
def shim(tenant: Client, monkeypatch: pytest.MonkeyPatch) -> Any:
    spec = importlib.util.spec_from_file_location("cognito_shim", SHIM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert tenant.credentials is not None
    for name, value in {
        "URL": tenant.url,
        "TENANT": tenant.tenant,
        "CLIENT_ID": tenant.credentials.client_id,
        "CLIENT_SECRET": tenant.credentials.client_secret,
    }.items():
        monkeypatch.setenv(f"ACTIONBOX_{name}", value)
    return module


def bind(client: Client, trigger: str, code: str) -> None:
    source = f"exports.{HANDLERS[trigger]} = async (event, api) => {{ {code} }};"
    action = client.deployed(supported_triggers=[{"id": trigger}], code=source)
    client.bind(action, trigger=trigger)


def test_cognito_tokens(shim: Any, tenant: Client) -> None:
    bind(
        tenant,
        "post-login",
        'api.idToken.setCustomClaim("tier", event.authorization.roles.length);'
        'if (event.request.body.channel) api.accessToken.addScope("read:berths");',
    )
    groups: dict[str, Any] = {"groupConfiguration": {"groupsToOverride": ["pilots"]}}
    answer = shim.handler(recorded("TokenGeneration_Authentication", **groups))
    assert answer["response"] == {"claimsOverrideDetails": {"claimsToAddOrOverride": {"tier": "1"}}}
    extra: dict[str, Any] = {"clientMetadata": {"channel": "kiosk"}, "scopes": ["openid"], **groups}
    answer = shim.handler(recorded("TokenGeneration_HostedAuth", "2", **extra))
    assert answer["response"]["claimsAndScopeOverrideDetails"] == {
        "idTokenGeneration": {"claimsToAddOrOverride": {"tier": 1}},
        "accessTokenGeneration": {
            "claimsToAddOrOverride": {},
            "scopesToAdd": ["read:berths"],
            "scopesToSuppress": [],
        },
    }
    with pytest.raises(RuntimeError, match="scopes_added"):  # version 1 has no place for it
        shim.handler(recorded("TokenGeneration_HostedAuth", **extra))


@pytest.mark.parametrize(
    ("code", "error", "why"),
    [
        ('api.access.deny("not today");', PermissionError, "not today"),
        ('api.redirect.sendUserTo("https://harbor.example/ask");', RuntimeError, "cannot be shown"),
        ('throw new Error("down");', RuntimeError, "an Action failed"),
        ('api.user.setUserMetadata("a", 1);', RuntimeError, "cannot carry user_metadata"),
        ('api.multifactor.enable("any");', RuntimeError, "cannot"),
    ],
)
def test_cognito_lets_nobody_in_by_accident(
    shim: Any, tenant: Client, code: str, error: type[Exception], why: str
) -> None:
    bind(tenant, "post-login", code)
    with pytest.raises(error, match=why):
        shim.handler(recorded("TokenGeneration_Authentication", "2"))


def test_cognito_users_and_machines(shim: Any, tenant: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    bind(
        tenant,
        "pre-user-registration",
        'if (event.user.email.endsWith("@bad.example")) api.access.deny("internal", "not on board");',
    )
    event = recorded("PreSignUp_SignUp", validationData=None)
    assert shim.handler(event) == event
    event["request"]["userAttributes"] = USER | {"email": "eve@bad.example"}
    with pytest.raises(PermissionError):
        shim.handler(event)
    bind(tenant, "post-user-registration", "console.log(event.user.user_id);")
    bind(tenant, "post-change-password", "console.log(event.user.user_id);")
    for source in ("PostConfirmation_ConfirmSignUp", "PostConfirmation_ConfirmForgotPassword"):
        assert shim.handler(recorded(source))["response"] == {}
    bind(tenant, "credentials-exchange", 'api.accessToken.setCustomClaim("m", event.client.client_id);')
    machine = recorded("TokenGeneration_ClientCredentials", "3", scopes=["a/b"])
    machine["request"]["userAttributes"] = {}
    found = json.dumps(shim.handler(machine)["response"])
    assert '"claimsToAddOrOverride": {"m": "portal"}' in found
    monkeypatch.setenv("ACTIONBOX_URL", "http://127.0.0.1:9")
    with pytest.raises(OSError, match="refused"):
        shim.handler(recorded("PreSignUp_SignUp"))


POLICY = (SAMPLES / "providers" / "authentik" / "policy.expression").read_text()


@pytest.mark.parametrize(
    ("code", "passes", "said"),
    [
        ("", True, ""),
        (
            'if (event.authorization.roles.includes("pilots")) api.access.deny("not today");',
            False,
            "not today",
        ),
        ('api.redirect.sendUserTo("https://harbor.example/ask");', False, "Access was denied."),
        ('throw new Error("down");', False, "Access was denied."),
        ('api.idToken.setCustomClaim("a", 1);', False, "Access was denied."),
        ('api.samlResponse.setAttribute("a", "b");', False, "Access was denied."),
    ],
)
def test_authentik(tenant: Client, code: str, passes: bool, said: str) -> None:
    """As authentik runs expressions: the body of a function, with its own names."""
    bind(tenant, "post-login", code)
    text = POLICY.replace("https://actions.example", tenant.url).replace("YOUR-TENANT", tenant.tenant)
    assert tenant.credentials is not None
    text = text.replace("YOUR-CLIENT-ID", tenant.credentials.client_id)
    text = text.replace("YOUR-CLIENT-SECRET", tenant.credentials.client_secret)

    def post(url: str, **options: Any) -> Any:
        return urllib3.request("POST", url, json=options["json"], headers=options.get("headers", {}))

    group = SimpleNamespace(name="pilots")
    user = SimpleNamespace(
        uuid="1",
        pk=1,
        email="maya@harbor.example",
        name="Maya",
        username="maya",
        attributes={"plan": "gold"},
        ak_groups=SimpleNamespace(all=lambda: [group]),
    )
    application = SimpleNamespace(slug="portal", name="Portal")
    request = SimpleNamespace(
        user=user, obj=application, http_request=SimpleNamespace(META={"HTTP_USER_AGENT": "test"})
    )
    messages: list[str] = []
    names = {
        "request": request,
        "requests": SimpleNamespace(post=post),
        "ak_message": messages.append,
        "ak_client_ip": "203.0.113.24",
    }
    exec("def policy():\n" + textwrap.indent(text, "    "), names)
    assert names["policy"]() is passes  # type: ignore[operator]
    assert messages == ([said] if said else [])
