"""The Firebase Auth emulator of npm's `firebase-tools` calls a service: sign up and sign in over REST, and
look at the token. In `make drill`: it takes half a minute to start. `test_recorded.py` sends its requests."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
import urllib3

from runner.hooks.providers.firebase.tokens import EMULATOR
from sandbox.javascript.toolchain import ToolchainError, installed, node
from tests.docs.pages import blocks
from tests.drills.rounds import rounds
from tests.e2e.serving import Served, process, serve

pytestmark = pytest.mark.skipif(rounds(True, False), reason="the emulator itself runs in `make drill`")

PROJECT = "demo-harbor"
HERE = Path(__file__).parent / "emulator"
BEFORE_CREATE = """
exports.onExecutePreUserRegistration = async (event, api) => {
  if (event.user.email.endsWith("@bad.example")) return api.access.deny("internal", "not on board");
  api.user.setAppMetadata("plan", "gold");
};
"""
BEFORE_SIGN_IN = """
exports.onExecutePostLogin = async (event, api) => {
  if (event.user.email.startsWith("late")) return api.access.deny("not today");
  if (event.user.email.startsWith("form")) return api.redirect.sendUserTo("https://harbor.example/ask");
  if (event.user.email.startsWith("down")) throw new Error("down");
  api.idToken.setCustomClaim("https://harbor.example/tier", event.user.app_metadata.plan);
  api.accessToken.setCustomClaim("ports", ["ams", "rtm"]);
  api.user.setAppMetadata("signed_in_with", event.authentication.methods[0].name);
};
"""


@dataclass(frozen=True)
class Emulator:
    """Google's REST API, as a client has it."""

    url: str

    def call(self, method: str, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Any:
        """Status and JSON."""
        url = f"{self.url}/identitytoolkit.googleapis.com/{path}"
        sent = {"Content-Type": "application/json", **(headers or {})}
        found = urllib3.request(method, url, body=json.dumps(body), headers=sent, timeout=60, retries=False)
        return found.status, found.json()

    def sign(self, what: str, email: str) -> Any:
        """`what`: signUp or signInWithPassword."""
        body = {"email": email, "password": "a password", "returnSecureToken": True}
        return self.call("POST", f"v1/accounts:{what}?key=any", body)

    def claims(self, what: str, email: str) -> Any:
        """Those of the ID token."""
        status, found = self.sign(what, email)
        assert status == 200, found
        part = found["idToken"].split(".")[1]
        return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@pytest.fixture(scope="module")
def modules() -> Path:
    """Installed once per lock file."""
    try:
        return installed(HERE, lambda _: None)
    except ToolchainError as error:
        pytest.skip(f"NOT TESTED: npm cannot get firebase-tools: {str(error)[-300:]}")


@pytest.fixture(scope="module")
def emulator(modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    home = tmp_path_factory.mktemp("home")
    script = shutil.copy(HERE / "emulator.cjs", home)
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    environment = kept | {"HOME": str(home), "NODE_PATH": str(modules), "FIREBASE_CLI_DISABLE_UPDATE": "1"}
    with process([str(node()), str(script), PROJECT], environment) as (started, lines):
        said, deadline = "", time.monotonic() + 600
        while not said.startswith("port "):
            with contextlib.suppress(Empty):
                said = lines.get(timeout=0.2)
            assert started.poll() is None, said
            assert time.monotonic() < deadline, said
        yield Emulator(f"http://127.0.0.1:{int(said.removeprefix('port '))}")


@pytest.fixture(scope="module")
def served(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    assert EMULATOR == "FIREBASE_AUTH_EMULATOR_HOST"
    host = emulator.url.partition("://")[2]
    with serve(tmp_path_factory.mktemp("served"), FIREBASE_AUTH_EMULATOR_HOST=host) as found:
        yield found


@pytest.fixture(scope="module")
def hooked(emulator: Emulator, served: Served) -> Emulator:
    """The emulator with the settings of docs/identity-providers.md, and Actions behind them."""
    api = served.api()
    (text,) = [block for block in blocks("identity-providers.md", "json") if "functionUri" in block]
    config = json.loads(text.replace("https://actions.example", served.url).replace("TENANT", "main"))
    triggers = config["blockingFunctions"]["triggers"]
    for name, code, trigger in (
        ("beforeCreate", BEFORE_CREATE, "pre-user-registration"),
        ("beforeSignIn", BEFORE_SIGN_IN, "post-login"),
    ):
        body = {"name": name, "supported_triggers": [{"id": trigger}], "code": code}
        action = api.send("POST", "/api/v2/actions/actions", body=body).value
        deploy(served, action["id"])
        bindings = [{"ref": {"type": "action_id", "value": action["id"]}}]
        api.send("PATCH", f"/api/v2/actions/triggers/{trigger}/bindings", body={"bindings": bindings})
        settings = {"project": PROJECT, "emulator": True}
        made = {"provider": "firebase", "hook": name, "settings": settings}
        hook = api.send("POST", "/api/v2/identity-provider-hooks", body=made).value
        assert triggers[name] == {"functionUri": hook["url"]}
    status, found = emulator.call(
        "PATCH",
        f"v2/projects/{PROJECT}/config?updateMask=blockingFunctions",
        config,
        {"Authorization": "Bearer owner"},
    )
    assert (status, found["blockingFunctions"]["triggers"]) == (200, triggers)
    return emulator


def deploy(served: Served, action_id: str) -> None:
    api = served.api()
    while api.get(f"/api/v2/actions/actions/{action_id}").value["status"] not in ("built", "failed"):
        time.sleep(0.05)
    api.send("POST", f"/api/v2/actions/actions/{action_id}/deploy")


def executions(served: Served) -> list[dict[str, Any]]:
    found = served.api().get("/runtime/v1/executions").value["executions"]
    return [item["hook"] for item in found]


def test_sign_up_and_sign_in(hooked: Emulator, served: Served) -> None:
    """All in one test: an emulator takes seconds to start, and tests of a module run in several processes."""
    claims_are_in_the_token(hooked, served)
    a_user_who_may_not_be_is_not_created(hooked, served)
    for start, message, result in (
        ("late", "not today", "denied"),
        ("form", "cannot be shown here", "suspended"),
        ("down", "An Action failed", "failed"),
    ):
        nobody_gets_a_token(hooked, served, f"{start}@harbor.example", message, result)
    without_the_setting_nobody_gets_in(hooked, served)


def claims_are_in_the_token(hooked: Emulator, served: Served) -> None:
    first = hooked.claims("signUp", "maya@harbor.example")
    assert first["plan"] == "gold"
    assert first["https://harbor.example/tier"] == "gold"
    assert first["ports"] == ["ams", "rtm"]
    assert first["firebase"]["sign_in_provider"] == "password"
    again = hooked.claims("signInWithPassword", "maya@harbor.example")
    assert again["signed_in_with"] == "pwd"
    assert again["https://harbor.example/tier"] == "gold"
    assert [(item["hook"], item["result"]) for item in executions(served)[:3]] == [
        ("beforeSignIn", "allowed"),
        ("beforeSignIn", "allowed"),
        ("beforeCreate", "allowed"),
    ]


def a_user_who_may_not_be_is_not_created(hooked: Emulator, served: Served) -> None:
    status, found = hooked.sign("signUp", "eve@bad.example")
    assert status == 400
    assert found["error"]["message"].startswith("BLOCKING_FUNCTION_ERROR_RESPONSE")
    assert '"not on board"' in found["error"]["message"]
    assert executions(served)[0]["result"] == "denied"
    status, found = hooked.sign("signInWithPassword", "eve@bad.example")
    assert (status, found["error"]["message"]) == (400, "EMAIL_NOT_FOUND")


def nobody_gets_a_token(hooked: Emulator, served: Served, email: str, message: str, result: str) -> None:
    for what in ("signUp", "signInWithPassword"):
        status, found = hooked.sign(what, email)
        assert status == 400
        assert "idToken" not in found
        assert message in found["error"]["message"]
        assert executions(served)[0]["result"] == result


def without_the_setting_nobody_gets_in(hooked: Emulator, served: Served) -> None:
    """401 is an error to the emulator as well."""
    address = "/api/v2/identity-provider-hooks"
    hooks = {item["hook"]: item for item in served.api().get(address).value["identity_provider_hooks"]}
    hook = hooks["beforeSignIn"]
    served.api().send("PATCH", f"{address}/{hook['id']}", body={"settings": {"project": PROJECT}})
    status, found = hooked.sign("signInWithPassword", "maya@harbor.example")
    assert (status, "returned HTTP error 401" in found["error"]["message"]) == (400, True)
    served.api().send("PATCH", f"{address}/{hook['id']}", body={"settings": hook["settings"]})
    assert hooked.claims("signInWithPassword", "maya@harbor.example")["plan"] == "gold"
