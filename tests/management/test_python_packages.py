"""Packages of Python Actions over the API: wheels from the operator's folder, locked, built like npm ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.packages.npm.tarballs import package
from tests.sandbox.packages.wheels.made import put
from tests.serving.server import Client, Server, running, settings_for
from triggers import get_trigger

USES = """import tally

async def on_execute_post_login(event, api):
    api.id_token.set_custom_claim("sum", tally.add(40, 2))
"""
PYTHON: dict[str, Any] = {"runtime": "python3", "code": USES}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    for version in ("1.9", "1.10", "2.0rc1"):
        put(folder, "tally", version)
    native = put(folder, "numbers", "1.0")
    native.rename(folder / "numbers-1.0-cp314-cp314-manylinux_2_28_x86_64.whl")
    put(folder, "draft", "1.0a1")
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, wheels: Path) -> Iterator[Server]:
    """With a worker process, as tenants meet it."""
    folder = tmp_path_factory.mktemp("served")
    with running(settings_for(folder, wheels=wheels), whole=True) as found:
        tarball = package("greet", "1.2.3", 'exports.hi = "hello";')
        (folder / "packages" / "greet-1.2.3.tgz").write_bytes(tarball)
        yield found


@pytest.fixture
def client(server: Server) -> Client:
    return server.client()


def wants(*items: str) -> list[dict[str, str]]:
    pairs = (item.partition("@") for item in items)
    return [{"name": name, "version": version} for name, _, version in pairs]


def failed(action: dict[str, Any]) -> str:
    assert action["status"] == "failed", action
    (error,) = action["errors"]
    assert error["id"] == "dependency"
    return str(error["msg"])


@pytest.mark.parametrize(("asked", "became"), [("latest", "1.10"), ("", "1.10"), ("1.9", "1.9")])
def test_from_upload_to_login(client: Client, asked: str, became: str) -> None:
    action = client.deployed(**PYTHON, dependencies=wants(f"Tally@{asked}"))
    assert action["dependencies"] == action["deployed_version"]["dependencies"] == wants(f"Tally@{became}")
    ran = client.call("POST", f"/actions/{action['id']}/test", {"payload": {}}).json["payload"]
    assert ran["effects"]["id_token_claims"] == {"sum": 42}, ran
    client.bind(action)
    event = {"event": get_trigger("post-login").example_event}
    outcome = client.call("POST", "//runtime/v1/triggers/post-login/invoke", event).json
    assert outcome["effects"]["id_token_claims"] == {"sum": 42}, outcome


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ("tally@3.0", "no wheel of tally==3.0 in the folder of wheels; there is 1.10, 1.9, 2.0rc1"),
        ("absent@1.0", "no wheel of absent==1.0"),
        ("absent@latest", "no wheel of absent"),
        ("draft@latest", "no wheel of draft in the folder of wheels; there is 1.0a1"),
        ("numbers@1.0", "pure Python only"),
    ],
)
def test_what_cannot_be_had_is_an_error_of_the_build(
    client: Client, wheels: Path, wanted: str, part: str
) -> None:
    message = failed(client.create(**PYTHON, dependencies=wants(wanted)))
    assert part in message
    assert str(wheels) not in message, "a path of the host"


@pytest.mark.parametrize("wanted", ["tally@^1.0", "tally@>=1", "tally@1.x || 2", "@auth0/x@1.0", "tally@~1"])
def test_ranges_and_other_names_are_refused_when_they_are_saved(client: Client, wanted: str) -> None:
    name, _, version = wanted.rpartition("@")
    body = {
        "name": "x",
        "supported_triggers": [{"id": "post-login"}],
        **PYTHON,
        "dependencies": [*wants("other@==1.9"), {"name": name, "version": version}],
    }
    reply = client.call("POST", "/actions", body)
    assert (reply.status, reply.json["errorCode"]) == (400, "invalid_body"), reply
    assert "does not name one version of a package. Write name==version" in reply.json["message"]
    assert "$.dependencies[1]" in reply.json["message"]
    javascript = {**body, "runtime": "node22", "code": "exports.onExecutePostLogin = async () => {};"}
    if name == "tally":
        assert client.call("POST", "/actions", javascript).status == 201, "npm has ranges"


def test_later_builds_take_the_same_bytes_or_none(client: Client, wheels: Path) -> None:
    put(wheels, "steady", "1.0")
    code = USES.replace("tally", "steady")
    action = client.create(runtime="python3", code=code, dependencies=wants("steady@1.0"))
    assert action["status"] == "built"
    put(wheels, "steady", "1.0", {"steady/__init__.py": "def add(a, b):\n    return 666\n"})
    client.call("PATCH", f"/actions/{action['id']}", {"code": code + "# more\n"})
    message = failed(client.settled(action["id"]))
    assert "other bytes than the locked one" in message
    client.call("PATCH", f"/actions/{action['id']}", {"dependencies": wants("steady@1.0")})
    assert client.settled(action["id"])["status"] == "built", "named again, it is locked anew"


def test_modules_have_packages_of_their_own(client: Client) -> None:
    module = {"name": "sums", "code": "import tally\n\ndef total(a, b):\n    return tally.add(a, b)\n"}
    made = client.call(
        "POST", "/modules", {**module, "dependencies": wants("tally@1.9"), "publish": True}
    ).json
    code = USES.replace("import tally", "from actions import sums").replace("tally.add", "sums.total")
    reference = {"module_id": made["id"], "module_version_id": made["latest_version"]["id"]}
    action = client.create(runtime="python3", code=code, modules=[reference])
    assert action["status"] == "built", action
    ran = client.call("POST", f"/actions/{action['id']}/test", {"payload": {}}).json["payload"]
    assert ran["effects"]["id_token_claims"] == {"sum": 42}, ran
    client.call("PATCH", f"/actions/{action['id']}", {"code": code + "# again\n"})
    assert client.settled(action["id"])["status"] == "built", "with what the first build locked"


def test_the_language_changes_and_with_it_where_packages_come_from(client: Client) -> None:
    code = "const { hi } = require('greet'); exports.onExecutePostLogin = async () => console.log(hi);"
    action = client.create(code=code, dependencies=wants("greet@1.2.3"))
    assert action["status"] == "built", action
    client.call("PATCH", f"/actions/{action['id']}", PYTHON)
    assert "no wheel of greet==1.2.3" in failed(client.settled(action["id"]))
    client.call("PATCH", f"/actions/{action['id']}", {"dependencies": wants("tally@1.9")})
    assert client.settled(action["id"])["status"] == "built"


def test_without_a_folder_of_wheels(embedded: Server) -> None:
    message = failed(embedded.client().create(**PYTHON, dependencies=wants("tally@1.9")))
    assert "there is no folder of wheels" in message
    assert "ACTIONBOX_WHEELS" in message
    newest = failed(embedded.client().create(**PYTHON, dependencies=wants("tally@latest")))
    assert "there is no folder of wheels" in newest
