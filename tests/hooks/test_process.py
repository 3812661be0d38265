"""Every hook through `actionbox serve`, as a process with a real worker, by its tenant's own client: texts of
all scripts on the way in and out, and what the process writes of a flood."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from runner.client.http import RUNTIME
from runner.hooks.model import Answer, Hook, Provider
from runner.hooks.providers import PROVIDERS, example_of
from runner.jobs.policy import is_asynchronous
from tests.e2e.serving import Served, serve
from tests.hooks.sending import HANDLERS, Line, post, setup
from tests.serving.server import Client

NAME = "Zoë Ångström-Łęcka 船長 ⚓ مريم"
REASON = "Nööö – «не сегодня» 今日は {}% 🚫 \"'<"
ALL = [(provider, hook) for provider in PROVIDERS.values() for hook in provider.hooks.values()]
IDS = [f"{provider.name}-{hook.name}" for provider, hook in ALL]
TELLS_NO_REASON = (
    "password-verification",
    "mfa-verification",
    "sms",
    "email",
    "send-sms",
    "send-email",
    "telephony",
)
ALLOW = {
    "post-login": 'api.accessToken.setCustomClaim("tier", probe.name);'
    ' api.idToken.setCustomClaim("tier", probe.name); api.samlResponse.setAttribute("tier", probe.name);',
    "pre-user-registration": 'api.user.setUserMetadata("tier", probe.name);'
    ' api.user.setAppMetadata("tier", probe.name);',
}
DENY = {
    "post-login": "api.access.deny(probe.reason);",
    "pre-user-registration": 'api.access.deny("internal", probe.reason);',
    "password-reset-post-challenge": "api.access.deny(probe.reason);",
    "post-credential-validation": "api.authentication.deny(probe.reason);",
    "custom-phone-provider": "api.notification.retry(probe.reason);",
    "custom-email-provider": "api.notification.retry(probe.reason);",
}
CARRIES_NOTHING = {
    ("kratos", "login"),
    ("kratos", "recovery"),
    ("supabase", "before-user-created"),
    ("wso2", "pre-update-password"),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """With an Action on each trigger that hooks have."""
    with serve(tmp_path_factory.mktemp("data"), ACTIONBOX_LOG_LEVEL="info") as found:
        api = found.api()
        for trigger in {hook.triggers[0] for _, hook in ALL}:
            code = (
                "const { probe } = event.hook.payload; console.log(JSON.stringify(probe));"
                f"if (probe.deny) {{ {DENY.get(trigger, '')} }} else {{ {ALLOW.get(trigger, '')} }}"
            )
            body = {
                "name": trigger,
                "code": f"exports.{HANDLERS[trigger]} = async (event, api) => {{ {code} }};",
                "supported_triggers": [{"id": trigger}],
            }
            action = api.send("POST", "/api/v2/actions/actions", body=body).value
            api.send("POST", f"/api/v2/actions/actions/{action['id']}/deploy", query={"wait": True})
            bindings = [{"ref": {"type": "action_id", "value": action["id"]}, "display_name": trigger}]
            api.send("PATCH", f"/api/v2/actions/triggers/{trigger}/bindings", body={"bindings": bindings})
        yield found


@pytest.fixture
def hooked(served: Served, provider: Provider, hook: Hook) -> Line:
    given = setup(provider.name)
    body: dict[str, Any] = {
        "provider": provider.name,
        "hook": hook.name,
        "secrets": [{"value": given.secret}],
        "on_uncarried": "allow",
    }
    body |= given.more
    if given.settings:
        body["settings"] = given.settings
    api = served.api()
    made = api.send("POST", "/api/v2/identity-provider-hooks", body=body).value
    client = Client(served.url, "main", api.token(RUNTIME))
    return Line(client, provider, hook, made["url"].removeprefix(served.url), made["id"])


def sent(hooked: Line, *, deny: bool) -> tuple[Answer, dict[str, Any]]:
    """The answer to the provider's example with other names, and what the Action printed of it."""
    text = json.dumps(hooked.anew(example_of(hooked.provider, hooked.hook)), ensure_ascii=False)
    payload = json.loads(text.replace("Maya", NAME.replace('"', "")))
    payload["probe"] = {"name": NAME, "reason": REASON, "deny": deny}
    raw = json.dumps(payload, ensure_ascii=deny).encode()  # providers do it either way
    answer = hooked.send(raw=raw)
    (execution, *_) = mine(hooked)
    return answer, execution


def mine(hooked: Line) -> list[dict[str, Any]]:
    """Executions of the hook, once none is pending."""
    place = (hooked.provider.name, hooked.hook.name)
    deadline = time.monotonic() + 30
    while True:
        found = [
            item for item in hooked.executions() if (item["hook"]["provider"], item["hook"]["hook"]) == place
        ]
        if all(item["status"] != "pending" for item in found) or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


@pytest.mark.parametrize(("provider", "hook"), ALL, ids=IDS)
def test_texts_of_all_scripts(hooked: Line, provider: Provider, hook: Hook) -> None:
    place = (provider.name, hook.name)
    for deny in (False,) if is_asynchronous(hook.triggers[0]) else (False, True):
        answer, execution = sent(hooked, deny=deny)
        (shown,) = (json.loads(entry["text"]) for entry in execution["results"][0]["logs"])
        assert shown == {"name": NAME, "reason": REASON, "deny": deny}
        told = json.dumps(answer.json, ensure_ascii=False)
        if not deny:
            assert hooked.goes_on(answer), answer
            carried = hook.triggers[0] in ALLOW and hook.carries and place not in CARRIES_NOTHING
            assert (json.dumps(NAME, ensure_ascii=False)[1:-1] in told) is bool(carried), told
        else:
            assert not hooked.goes_on(answer), answer
            reason = json.dumps(REASON, ensure_ascii=False)[1:-1]
            assert (reason in told) is (hook.name not in TELLS_NO_REASON), told


def test_a_flood_of_unsigned_requests_is_a_few_lines_of_the_log(served: Served) -> None:
    url = f"{served.url}/hooks/v1/main/wso2/pre-issue-id-token"
    assert {post(url, b"{}", {}).status for _ in range(60)} == {401}
    lines: list[dict[str, Any]] = []
    deadline = time.monotonic() + 20
    while sum(item["requests"] for item in lines) < 60 and time.monotonic() < deadline:
        time.sleep(0.1)
        lines = [item for item in served.log if item["event"] == "unsigned"]
    assert sum(item["requests"] for item in lines) == 60
    assert len(lines) < 20
    assert {(item["hook"], item["status"]) for item in lines} == {("wso2/pre-issue-id-token", 401)}
    assert lines[0]["path"] == "/hooks/v1/{tenant}/{provider}/{hook}"
    assert "request_id" in lines[0]
