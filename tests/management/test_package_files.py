"""Packages of JavaScript Actions where tenants meet them: built in a worker without rights, from a
registry, and invoked over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.javascript.test_package_files import PROBE
from tests.sandbox.packages.npm.tarballs import package, tarball
from tests.sandbox.packages.npm.test_registry import Registry
from tests.serving.server import Client, Server, running, settings_for
from triggers import get_trigger

TONGUES = """
const aliased = require, path = require('path'), fs = require('fs');
exports.hello = (language) => { try { return aliased('./locale/' + language); } catch { return 'hello'; } };
exports.words = JSON.parse(fs.readFileSync(path.join(__dirname, 'words.json'), 'utf8'));
exports.late = () => fs.promises.readFile(path.join(__dirname, 'late.txt'), 'utf8');
exports.outside = ['/etc/passwd', '/proc/self/environ'].filter((file) => fs.existsSync(file));
"""
CODE = """
const tongues = require('tongues'), probe = require('probe');
exports.onExecutePostLogin = async (event, api) => {
  const claim = (name, value) => api.idToken.setCustomClaim('https://x.example/' + name, value);
  const language = event.user.user_metadata.language ?? 'de';
  claim('hello', [tongues.hello(language), tongues.hello('xx'), tongues.words.k]);
  claim('late', [await tongues.late(), require('tongues/locale/' + language)]);
  claim('outside', tongues.outside);
  claim('probe', [probe.main, probe.read, probe['computed json'], probe.aliased]);
  claim('desk', [require.main === module, Boolean(module.parent), __filename]);
};
if (require.main === module) throw new Error('this is no desk');
"""
CLAIMS = {
    "https://x.example/hello": ["hallo", "hello", 7],
    "https://x.example/late": ["late", "hallo"],
    "https://x.example/outside": [],
    "https://x.example/probe": [False, "hello", 1, 1],
    "https://x.example/desk": [False, True, "/tongues.js"],
}


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    found = Registry()
    files = {"locale/de.js": "module.exports = 'hallo';", "words.json": '{"k": 7}', "late.txt": "late"}
    found.publish("tongues", package("tongues", code=TONGUES, files=files))
    own = {
        path.relative_to(PROBE).as_posix(): path.read_bytes() for path in PROBE.rglob("*") if path.is_file()
    }
    found.publish("probe", tarball(own))
    found.publish("bare", package("bare", exports={".": "./gone.js"}, code="module.exports = 1"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("served")
    settings = settings_for(folder, npm_packages=None, npm_registry=registry.url)
    with running(settings, whole=True) as found:
        yield found


def invoke(client: Client) -> dict[str, Any]:
    event = {"event": get_trigger("post-login").example_event}
    outcome: dict[str, Any] = client.call("POST", "//runtime/v1/triggers/post-login/invoke", event).json
    return outcome


def test_packages_find_their_files_and_surroundings(served: Server) -> None:
    client = served.client()
    dependencies = [{"name": "tongues", "version": "latest"}, {"name": "probe", "version": "1.0.0"}]
    action = client.deployed("tongues", code=CODE, dependencies=dependencies)
    tested = client.call("POST", f"/actions/{action['id']}/test", {"payload": {}}).json["payload"]
    assert tested["effects"]["id_token_claims"] == CLAIMS, tested
    client.bind(action)
    for _ in range(3):
        outcome = invoke(client)
        assert outcome["effects"]["id_token_claims"] == CLAIMS, outcome


def test_exports_that_name_no_file_fail_the_draft(served: Server) -> None:
    action = served.client().create(
        code="require('bare'); exports.onExecutePostLogin = async () => {};",
        dependencies=[{"name": "bare", "version": "latest"}],
    )
    assert action["status"] == "failed", action
    (error,) = action["errors"]
    assert error["id"] == "dependency"
    assert "bare cannot be required: bare@1.0.0 has no such file" in error["msg"]


def test_locales_without_data_are_told_in_the_log(served: Server) -> None:
    client = served.client()
    code = """exports.onExecutePostLogin = async (event, api) => {
      api.idToken.setCustomClaim('https://x.example/day', new Date(0).toLocaleDateString('he-IL'));
    };"""
    client.bind(client.deployed(code=code))
    outcome = invoke(client)
    assert outcome["effects"]["id_token_claims"] == {"https://x.example/day": "1/1/1970"}
    told = [line["text"] for action in outcome["actions"] for line in action["logs"]]
    assert told == ["Intl: there is no data for the locale 'he-IL' in an Action; 'en-US' is used instead."]
