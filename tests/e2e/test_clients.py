"""Auth0's own clients, unmodified, against `actionbox serve --https` (reference/clients.md)."""

# The SDK's models leave everything optional, and take what they are made of in its place.
# mypy: disable-error-code="arg-type, index, list-item"

from __future__ import annotations

import hashlib
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from auth0.authentication.get_token import GetToken
from auth0.management import (
    CreateEventStreamActionRequestContent,
    CustomProviderConfiguration,
    CustomProviderCredentials,
    EventStreamActionConfiguration,
    EventStreamActionDestination,
    ExtensibilityEmailProviderCredentials,
    ManagementClient,
)
from auth0.management.core.api_error import ApiError
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from runner.client import Accepted
from runner.server.assembly import FIRST_TENANT
from sandbox.javascript.toolchain import node
from sandbox.wasm.artefacts import cache_directory
from tests import forked
from tests.docs.pages import blocks, matches
from tests.drills.rounds import rounds
from tests.e2e.serving import Served, environment, serve
from triggers import get_trigger

HERE = Path(__file__).parent / "clients"
HANDLER = "exports.onExecutePostLogin = async (event, api) => {};\n"
EXCHANGE = (
    "exports.onExecuteCustomTokenExchange = async (event, api) => api.authentication.setUserById('u');\n"
)
EMAIL = "exports.onExecuteCustomEmailProvider = async () => {};\n"
DOWN = "exports.onExecuteEventStream = async () => { throw new Error('down'); };\n"
TELLS = """exports.onExecutePostLogin = async (event, api) => {
  console.log(event.secrets.KEY.toUpperCase());
};
"""
NPM = "lib/node_modules/npm/bin/npm-cli.js"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("served"), "--https") as running:
        yield running


@pytest.fixture(scope="session")
def node_clients() -> Path:
    """The folder with the npm clients; installed once per lock file."""
    lock = (HERE / "package-lock.json").read_bytes()
    folder = cache_directory() / f"test-clients-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not folder.is_dir():
        _install(folder)
    for script in HERE.glob("*.mjs"):
        shutil.copy(script, folder / script.name)
    return folder


def _install(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix="test-clients-"))
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, temporary / name)
    command = [
        str(node()),
        str(node().parent.parent / NPM),
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
    ]
    done = subprocess.run(command, cwd=temporary, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        shutil.rmtree(temporary)
        pytest.skip(f"NOT TESTED: npm cannot get Auth0's clients: {done.stderr[-300:]}")
    try:
        temporary.rename(folder)
    except OSError:  # another worker was first
        shutil.rmtree(temporary)


def run_node(folder: Path, served: Served, *arguments: str, **environment: str) -> str:
    """Output of a Node program that trusts the service's CA."""
    done = subprocess.run(
        [str(node()), *arguments],
        cwd=folder,
        env={**os.environ, "NODE_EXTRA_CA_CERTS": served.ca_file, **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def sdk(served: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[ManagementClient]:
    monkeypatch.setenv("SSL_CERT_FILE", served.ca_file)  # for the token; the client has its own way to trust
    with httpx.Client(verify=ssl.create_default_context(cafile=served.ca_file), timeout=30) as http:
        yield ManagementClient(
            domain=domain(served),
            client_id=served.client_id,
            client_secret=served.client_secret,
            httpx_client=http,
        )


def domain(served: Served) -> str:
    return served.url.partition("://")[2]


@pytest.fixture(scope="module")
def keyed(served: Served, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Id and private key of a client that logs in with assertions, added by the operator's command."""
    key = rsa.generate_private_key(65537, 2048)
    folder = tmp_path_factory.mktemp("keys")
    (folder / "public.pem").write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    command = ["client", "add", FIRST_TENANT, "--public-key", str(folder / "public.pem")]
    done = forked.run(command, environment(served.data))
    assert done.returncode == 0, done.stdout + done.stderr
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return done.stdout.partition("client id")[2].split()[0], private


def test_auth0_python_with_an_assertion(
    served: Served, keyed: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", served.ca_file)
    client_id, private = keyed
    for algorithm in ("RS256", "PS256"):
        tokens = GetToken(
            domain(served),
            client_id,
            client_assertion_signing_key=private,
            client_assertion_signing_alg=algorithm,
        )
        answer = tokens.client_credentials(f"{served.url}/api/v2/")
        assert answer["token_type"] == "Bearer"
        headers = {"Authorization": f"Bearer {answer['access_token']}"}
        context = ssl.create_default_context(cafile=served.ca_file)
        assert httpx.get(f"{served.url}/api/v2/actions/actions", headers=headers, verify=context).is_success


def test_npm_clients_with_an_assertion(
    served: Served, keyed: tuple[str, str], node_clients: Path, tmp_path: Path
) -> None:
    """The SDK and the deploy tool."""
    client_id, private = keyed
    (tmp_path / "private.pem").write_text(private)
    output = run_node(
        node_clients,
        served,
        "assertion.mjs",
        str(tmp_path / "private.pem"),
        str(tmp_path / "out"),
        DOMAIN=domain(served),
        CLIENT_ID=client_id,
    )
    assert json.loads(output.splitlines()[-1]) == {"triggers": True, "created": "pending"}
    assert "by assertion" in (tmp_path / "out" / "actions" / "by assertion.json").read_text()


def until(look: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + 60
    while True:
        found = look()
        if good(found):
            return found
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_auth0_python(sdk: ManagementClient) -> None:
    module = sdk.actions.modules.create(name="py-sdk", code="exports.two = 2;")
    version = sdk.actions.modules.versions.create(module.id)
    made = sdk.actions.create(
        name="from python",
        supported_triggers=[{"id": "post-login", "version": "v3"}],
        code=HANDLER,
        runtime="node22",
        secrets=[{"name": "KEY", "value": "python-secret-value"}],
        modules=[{"module_id": module.id, "module_version_id": version.id}],
    )
    assert (made.status, made.all_changes_deployed) == ("pending", False)
    until(lambda: sdk.actions.get(made.id), lambda action: action.status == "built")
    deployed = sdk.actions.deploy(made.id)
    assert (deployed.number, deployed.status, deployed.action.id) == (1, "built", made.id)
    bound = sdk.actions.triggers.bindings.update_many(
        "post-login", bindings=[{"ref": {"type": "action_id", "value": made.id}, "display_name": "first"}]
    )
    assert bound.bindings[0].action.name == "from python"
    assert [item.id for item in sdk.actions.triggers.bindings.list("post-login")] == [bound.bindings[0].id]
    ran = sdk.actions.test(made.id, payload={"event": {}})
    assert ran.payload["decision"] == "allow"
    assert [item.name for item in sdk.actions.list(action_name="from python")] == ["from python"]
    assert [item.number for item in sdk.actions.versions.list(made.id)] == [1]
    again = sdk.actions.versions.deploy(made.id, deployed.id)
    assert again.number == 2
    assert "post-login" in {item.id for item in sdk.actions.triggers.list().triggers}
    assert [item.action_id for item in sdk.actions.modules.list_actions(module.id)] == [made.id]
    with pytest.raises(ApiError) as refused:
        sdk.actions.get("1b8e4a34-0000-4000-8000-000000000000")
    assert refused.value.status_code == 404
    with pytest.raises(ApiError) as unbound:
        sdk.actions.triggers.bindings.update_many(
            "post-login", bindings=[{"ref": {"type": "action_id", "value": "x"}}]
        )
    assert unbound.value.status_code == 400
    sdk.actions.delete(made.id, force=True)
    sdk.actions.modules.delete(module.id)
    assert [item.name for item in sdk.actions.list()] == []


def deployed(sdk: ManagementClient, name: str, trigger: str, code: str) -> str:
    """Id of a new Action with a deployed version."""
    made = sdk.actions.create(name=name, supported_triggers=[{"id": trigger, "version": "v1"}], code=code)
    until(lambda: sdk.actions.get(made.id), lambda action: action.status == "built")
    sdk.actions.deploy(made.id)
    return str(made.id)


def test_auth0_python_token_exchange_profiles(sdk: ManagementClient) -> None:
    action = deployed(sdk, "exchange py", "custom-token-exchange", EXCHANGE)
    profiles = sdk.token_exchange_profiles
    made = [
        profiles.create(
            name=f"Profile {index}",
            subject_token_type=f"urn:py:type-{index}",
            action_id=action,
            type="custom_authentication",
        )
        for index in range(3)
    ]
    profiles.update(made[0].id, name="First", subject_token_type="https://py.example/first")
    found = profiles.get(made[0].id)
    assert (found.name, found.subject_token_type, found.action_id) == (
        "First",
        "https://py.example/first",
        action,
    )
    assert [item.id for item in profiles.list(take=2)] == [item.id for item in made]
    for item in made:
        profiles.delete(item.id)
    assert list(profiles.list()) == []
    sdk.actions.delete(action)


def test_auth0_python_event_streams(served: Served, sdk: ManagementClient) -> None:
    action = deployed(sdk, "stream py", "event-stream", DOWN)
    streams = sdk.event_streams
    destination = EventStreamActionDestination(
        type="action", configuration=EventStreamActionConfiguration(action_id=action)
    )
    made = streams.create(
        request=CreateEventStreamActionRequestContent(
            name="py", subscriptions=[{"event_type": "user.created"}], destination=destination
        )
    )
    changed = streams.update(
        made.id, name="py 2", subscriptions=[{"event_type": "user.created"}, {"event_type": "user.deleted"}]
    )
    assert [item.event_type for item in changed.subscriptions] == ["user.created", "user.deleted"]
    assert [(item.id, item.name) for item in streams.list(take=1)] == [(made.id, "py 2")]
    event = get_trigger("event-stream").example_event
    accepted = served.runtime().invoke("event-stream", event)
    assert isinstance(accepted, Accepted)
    assert [item.event_stream_id for item in accepted.deliveries] == [made.id]
    assert accepted.deliveries[0].execution_id == accepted.execution_id
    tested = streams.test(made.id, event_type="user.deleted")
    failed = until(lambda: list(streams.deliveries.list(made.id, take=1)), lambda found: len(found) == 2)
    assert {item.id for item in failed} == {event["message"]["id"], tested.id}
    assert [attempt.status for attempt in failed[0].attempts] == ["failed"] * 4
    logged = [item for item in sdk.logs.list(per_page=2) if item.type == "actions_execution_failed"]
    mine = [item for item in logged if item.details and item.details["action_id"] == action]
    assert len(mine) == 8
    assert mine[0].details["action_error"]["message"] == "down"
    assert sdk.logs.get(str(mine[0].log_id)).details == mine[0].details
    streams.redeliveries.create_by_id(made.id, tested.id)
    again = until(
        lambda: streams.deliveries.get_history(made.id, tested.id), lambda item: len(item.attempts) > 4
    )
    assert again.event_type == "user.deleted"
    asked = streams.redeliveries.create(
        made.id, date_from=datetime(2020, 1, 1, tzinfo=UTC), statuses=["failed"], event_types=["user.created"]
    )
    assert asked.event_types == ["user.created"]
    streams.delete(made.id)
    assert list(streams.list()) == []
    with pytest.raises(ApiError):
        sdk.actions.get(action)


def test_auth0_python_providers(sdk: ManagementClient) -> None:
    email = deployed(sdk, "email py", "custom-email-provider", EMAIL)
    phone = deployed(sdk, "phone py", "custom-phone-provider", EMAIL.replace("Email", "Phone"))
    made = sdk.emails.provider.create(name="custom", credentials=ExtensibilityEmailProviderCredentials())
    assert (made.name, made.enabled) == ("custom", True)
    assert sdk.emails.provider.update(enabled=False).enabled is False
    assert sdk.emails.provider.get(fields="enabled", include_fields=True).enabled is False
    bound = sdk.actions.triggers.bindings.list("custom-email-provider")
    assert [item.action.id for item in bound if item.action] == [email]
    providers = sdk.branding.phone.providers
    configuration = CustomProviderConfiguration(delivery_methods=["text"])
    own = providers.create(
        name="custom", credentials=CustomProviderCredentials(), configuration=configuration
    )
    assert [item.id for item in providers.list().providers or []] == [own.id]
    assert own.id is not None
    assert providers.update(own.id, disabled=True).disabled is True
    providers.delete(own.id)
    sdk.emails.provider.delete()
    for action in (email, phone):
        sdk.actions.delete(action, force=True)


def test_a_first_start_with_https_prints_what_the_page_shows(served: Served) -> None:
    (shown,) = (block for block in blocks("existing-tools.md", "console") if "serve --https" in block)
    assert matches(shown.partition("\n")[2], served.output), served.output


def test_the_clients_of_the_page_list_the_actions(served: Served, node_clients: Path, tmp_path: Path) -> None:
    """With nothing but the variables of the page."""
    body = {"name": "on the page", "supported_triggers": [{"id": "post-login"}], "code": HANDLER}
    made = served.api().send("POST", "/api/v2/actions/actions", body=body).value
    variables = {
        "AUTH0_DOMAIN": domain(served),
        "AUTH0_CLIENT_ID": served.client_id,
        "AUTH0_CLIENT_SECRET": served.client_secret,
    }
    (tmp_path / "page.py").write_text(blocks("existing-tools.md", "python")[0])
    python = subprocess.run(
        [sys.executable, str(tmp_path / "page.py")],
        env={**os.environ, **variables, "SSL_CERT_FILE": served.ca_file},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert python.returncode == 0, python.stderr
    (node_clients / "page.mjs").write_text(blocks("existing-tools.md", "js")[0])
    printed = run_node(node_clients, served, "page.mjs", **variables)
    for text in (python.stdout, printed):
        assert [line for line in text.splitlines() if line.startswith("on the page ")], text
    served.api().send("DELETE", f"/api/v2/actions/actions/{made['id']}")


def test_the_node_sdk(node_clients: Path, served: Served) -> None:
    seen = json.loads(
        run_node(
            node_clients,
            served,
            "sdk.mjs",
            DOMAIN=domain(served),
            CLIENT_ID=served.client_id,
            CLIENT_SECRET=served.client_secret,
        )
    )
    assert seen == {
        "created": "pending",
        "deployed": 1,
        "bound": ["node"],
        "redeployed": 2,
        "versions": [2, 1],
        "rolledBack": 3,
        "actions": ["from node"],
        "bindings": 1,
        "triggers": True,
        "users": ["from node"],
        "missing": [404, "That action does not exist."],
        "profiles": ["Renamed", "Profile 1", "Profile 2"],
        "streams": ["one", "two"],
        "stream": "disabled",
        "logs": True,
        "test": "no 1",
        "left": 0,
        "secretShown": False,
    }


def write_project(folder: Path) -> None:
    (folder / "actions").mkdir(parents=True)
    (folder / "triggers").mkdir()
    (folder / "action-modules").mkdir()
    (folder / "actions" / "hello.js").write_text(TELLS)
    action = {
        "name": "hello",
        "code": "./actions/hello.js",
        "runtime": "node22",
        "deployed": True,
        "supported_triggers": [{"id": "post-login", "version": "v3"}],
        "secrets": [{"name": "KEY", "value": "deploy-secret-value"}],
        "dependencies": [],
        "modules": [{"module_name": "shared", "module_version_number": 1}],
    }
    (folder / "actions" / "hello.json").write_text(json.dumps(action))
    bindings = [{"action_name": "hello", "display_name": "hello"}]
    (folder / "triggers" / "triggers.json").write_text(json.dumps({"post-login": bindings}))
    (folder / "token-exchange-profiles").mkdir()
    (folder / "actions" / "swap.js").write_text(EXCHANGE)
    swap = {
        "name": "swap",
        "code": "./actions/swap.js",
        "runtime": "node22",
        "deployed": True,
        "supported_triggers": [{"id": "custom-token-exchange", "version": "v1"}],
        "secrets": [],
        "dependencies": [],
    }
    (folder / "actions" / "swap.json").write_text(json.dumps(swap))
    profile = {
        "name": "Legacy sessions",
        "subject_token_type": "urn:deploy:legacy",
        "action": "swap",
        "type": "custom_authentication",
    }
    (folder / "token-exchange-profiles" / "legacy.json").write_text(json.dumps(profile))
    (folder / "event-streams").mkdir()
    (folder / "actions" / "sink.js").write_text(DOWN)
    sink = {**swap, "name": "sink", "code": "./actions/sink.js"}
    sink["supported_triggers"] = [{"id": "event-stream", "version": "v1"}]
    (folder / "actions" / "sink.json").write_text(json.dumps(sink))
    stream = {
        "name": "Sync",
        "status": "enabled",
        "subscriptions": [{"event_type": "user.created"}],
        "destination": {"type": "action", "configuration": {"action_id": "sink"}},
    }
    (folder / "event-streams" / "sync.json").write_text(json.dumps(stream))
    (folder / "emails").mkdir()
    (folder / "actions" / "mail.js").write_text(EMAIL)
    mail = {**swap, "name": "mail", "code": "./actions/mail.js"}
    mail["supported_triggers"] = [{"id": "custom-email-provider", "version": "v1"}]
    (folder / "actions" / "mail.json").write_text(json.dumps(mail))
    provider = {"name": "custom", "enabled": True, "credentials": {}}
    (folder / "emails" / "provider.json").write_text(json.dumps(provider))
    module = {
        "name": "shared",
        "code": "./action-modules/shared.js",
        "all_changes_published": True,
        "dependencies": [],
        "secrets": [],
    }
    (folder / "action-modules" / "shared.js").write_text("exports.shared = true;\n")
    (folder / "action-modules" / "shared.json").write_text(json.dumps(module))


@pytest.fixture
def emptied(served: Served, sdk: ManagementClient) -> Iterator[None]:
    """Nothing of the project is left for other tests."""
    yield
    sdk.emails.provider.delete()
    for stream in list(sdk.event_streams.list()):
        sdk.event_streams.delete(str(stream.id))
    for profile in list(sdk.token_exchange_profiles.list()):
        sdk.token_exchange_profiles.delete(str(profile.id))
    for name in ("hello", "mail", "swap", "sink"):
        for action in list(sdk.actions.list(action_name=name)):
            sdk.actions.delete(str(action.id), force=True)
    for module in served.api().send("GET", "/api/v2/actions/modules").value["modules"]:
        served.api().send("DELETE", f"/api/v2/actions/modules/{module['id']}")


def deploy_tool(folder: Path, served: Served, *steps: str) -> None:
    run_node(folder, served, "deploy.mjs", *steps, DOMAIN=domain(served), TOKEN=served.token)


@pytest.mark.slow  # the tool itself compiles all its JSON Schemas at each step
@pytest.mark.usefixtures("emptied")
def test_the_deploy_tool_imports_and_exports(
    node_clients: Path, served: Served, sdk: ManagementClient, tmp_path: Path
) -> None:
    """Importing what was exported, too, in `make drill`: the secret's value outlives it."""
    write_project(tmp_path / "in")
    out = tmp_path / "out"
    steps = ["deploy", str(tmp_path / "in"), "dump", str(out)]
    deploy_tool(node_clients, served, *steps, *rounds([], ["deploy", str(out)]))
    check_project(sdk, version=rounds(1, 2))
    assert next(out.glob("actions/hello/code.js")).read_text() == TELLS
    exported = json.loads((out / "actions" / "hello.json").read_text())
    assert [item["name"] for item in exported["secrets"]] == ["KEY"]
    assert "deploy-secret-value" not in json.dumps(exported)
    profile = json.loads(next((out / "token-exchange-profiles").glob("*.json")).read_text())
    assert (profile["name"], profile["action"]) == ("Legacy sessions", "swap")
    stream = json.loads(next((out / "event-streams").glob("*.json")).read_text())
    assert (stream["name"], stream["destination"]["configuration"]) == ("Sync", {"action_id": "sink"})
    provider = json.loads((out / "emails" / "provider.json").read_text())
    assert (provider["name"], provider["enabled"]) == ("custom", True)


def check_project(sdk: ManagementClient, *, version: int) -> None:
    """All of it is there; `version`: of the deployed Action, one for each import."""
    action = next(iter(sdk.actions.list(action_name="hello")))
    assert [item.action.name for item in sdk.actions.triggers.bindings.list("post-login")] == ["hello"]
    assert action.deployed_version is not None
    assert (action.deployed_version.number, action.all_changes_deployed) == (version, True)
    assert [item.name for item in action.deployed_version.secrets or []] == ["KEY"]
    ran = sdk.actions.test(action.id, payload={})
    assert ran.payload["logs"][0]["text"] == "deploy-secret-value".upper()
    profiles = list(sdk.token_exchange_profiles.list())
    assert [item.subject_token_type for item in profiles] == ["urn:deploy:legacy"]
    assert [item.name for item in sdk.event_streams.list()] == ["Sync"]
    bound = [item.action for item in sdk.actions.triggers.bindings.list("custom-email-provider")]
    assert [item.name for item in bound if item is not None] == ["mail"]
