"""docs/identity-providers.md, done as it stands there."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml

from runner.hooks.model import VERIFY, Defaults, Provider, Secret
from runner.hooks.providers import PROVIDERS, example_of
from tests import forked
from tests.docs.pages import DOCS, blocks
from tests.e2e.serving import Served, serve

PAGE = "identity-providers.md"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("data")) as found:
        yield found


def test_the_commands(served: Served, tmp_path: Path) -> None:
    (commands,) = blocks(PAGE, "console")
    values = {
        "$SIGNING_KEY": "a-signing-key-of-zitadel",
        "$NEW_SIGNING_KEY": "the-next-signing-key",
        "$HOOK_URL": f"{served.url}/hooks/v1/main/zitadel/preaccesstoken",
    }
    environment = {**os.environ, **served.environment(), "NO_COLOR": "1"}
    done = {}
    for line in commands.splitlines():
        words = [values.get(word, word) for word in shlex.split(line.removeprefix("$ "))[1:]]
        run = forked.run(words, environment, cwd=tmp_path)
        assert run.returncode == 0, (line, run.stdout, run.stderr)
        done[words[1]] = run.stdout
    assert values["$HOOK_URL"] in done["add"]
    assert "post-login, credentials-exchange; secrets: 1" in done["list"]
    assert "event of post-login" in done["test"]
    assert "ZITADEL would go on" in done["test"]
    assert "answered 200" in done["simulate"]
    assert done["remove"] == "zitadel preaccesstoken is gone\n"
    refused = forked.run(
        ["hook", "simulate", "zitadel", "preaccesstoken", "--url", values["$HOOK_URL"], "--secret", "x" * 9],
        environment,
        cwd=tmp_path,
    )
    assert refused.returncode == 1
    assert "answered 401" in refused.stdout
    assert "ZITADEL would refuse" in refused.stdout


CLAIM = """
exports.onExecutePostLogin = async (event, api) => {
  if (event.hook.provider !== "kratos") api.accessToken.setCustomClaim("tier", "gold ⚓");
};
"""


@pytest.fixture(scope="module")
def pushed(served: Served, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The first step of all: an Action that is bound to `post-login`, by `actionbox push`."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "tier.js").write_text(CLAIM)
    (folder / "actionbox.yaml").write_text(
        "actions:\n  tier: { file: tier.js, trigger: post-login }\nbindings:\n  post-login: [tier]\n"
    )
    done = forked.run(["push", "--yes"], {**os.environ, **served.environment()}, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr


def removed(served: Served) -> None:
    """Every hook, for the next test."""
    path = "/api/v2/identity-provider-hooks"
    for hook in served.api().get(path).value["identity_provider_hooks"]:
        served.api().send("DELETE", f"{path}/{hook['id']}")


SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", (DOCS / PAGE).read_text(), re.M | re.S))


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=lambda provider: provider.name)
def test_the_five_steps(served: Served, pushed: None, provider: Provider, tmp_path: Path) -> None:
    """Every command of them, and the provider's signed request to the very address that is to be pasted.
    What the provider's own settings are is for whoever has one: the page's table says who had."""
    section = SECTIONS[provider.title]
    steps = re.search(r"^1\. .*?(?=^(?:\||- |[A-Z`]))", section, re.M | re.S)
    assert steps is not None
    found = re.split(r"^\d\. ", steps[0], flags=re.M)[1:]
    assert len(found) == 5
    assert "`actionbox push`" in found[0] or "bind it to `post-login`" in found[0]
    values = {"PROJECT": "harbor-1", "project=PROJECT": "project=harbor-1"}
    if provider.name == "supabase":
        (drawing,) = re.findall(r"`(echo [^`]+)`", found[1])
        values["SECRET"] = subprocess.check_output(["sh", "-c", drawing], text=True).strip()
    if provider.name == "zitadel":
        values["KEY"] = "a-signing-key-of-zitadel"
    environment = {**os.environ, **served.environment(), "NO_COLOR": "1", "COLUMNS": "400"}

    def run(*words: str) -> str:
        done = forked.run(list(words), environment, cwd=tmp_path)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    commands = [shlex.split(text) for step in found for text in re.findall(r"`actionbox (hook [^`]+)`", step)]
    add, test = (next(words for words in commands if words[1] == verb) for verb in ("add", "test"))
    name, hook = add[2:4]
    assert (name, test[2:]) == (provider.name, [name, hook])
    printed = run(*(values.get(word, word) for word in add))
    (pasted,) = set(
        re.findall(rf"https://actions\.example(/hooks/v1/TENANT/{name}/{hook})(?=[`\"\s])", section)
    )
    address = served.url + pasted.replace("TENANT", "main")
    assert address in printed
    drawn = re.search(r"with the secret (\S+), which", printed)
    secret = values.get("SECRET") or values.get("KEY") or (drawn[1] if drawn else "")
    if provider.name == "firebase":  # there is none but for this
        secret = "a-secret-for-simulate"
        run("hook", "rotate", name, hook, "--secret", secret)
    assert f"{provider.title} would go on" in run(*test)
    told = run("hook", "simulate", name, hook, "--url", address, "--secret", secret)
    assert f"{provider.title} would go on" in told
    assert name == "kratos" or "gold" in told
    removed(served)


def test_the_json_of_the_page() -> None:
    found = [json.loads(block) for block in blocks(PAGE, "json")]
    indented = re.findall(r"^ +```json\n(.*?)^ +```", (DOCS / PAGE).read_text(), re.M | re.S)
    target, execution = (json.loads(block) for block in indented)
    assert Defaults.model_validate(found[0]).model_fields_set == {"connection", "client"}
    assert target["endpoint"].endswith("/hooks/v1/TENANT/zitadel/preaccesstoken")
    assert target["restCall"] == {"interruptOnError": True}
    assert execution["condition"]["function"]["name"] in PROVIDERS["zitadel"].hooks


def test_the_table_has_every_hook_and_its_limits() -> None:
    text = (DOCS / PAGE).read_text()
    for provider in PROVIDERS.values():
        for hook in provider.hooks.values():
            (row, *_) = [
                line
                for line in text.splitlines()
                if line.startswith(f"| {provider.title} |") and f"`{hook.name}`" in line
            ]
            assert any(f"`{trigger}`" in row for trigger in hook.triggers), hook.name


def test_the_environment_of_supabase() -> None:
    """Every hook is in its table, and a secret that is made as it says is one."""
    text = (DOCS / PAGE).read_text()
    (environment,) = re.findall(r"^ +```sh\n(.*?)^ +```", text, re.M | re.S)
    provider = PROVIDERS["supabase"]
    hooks = {
        hook: name
        for row in re.findall(r"^\| (`.*`) \| (`[A-Z_`, ]+`) \|$", text, re.M)
        for hook, name in zip(*(re.findall(r"`([^`]+)`", cell) for cell in row), strict=True)
    }
    assert set(hooks) == set(provider.hooks)
    set_to = dict(line.strip().split("=") for line in environment.splitlines())
    prefix = f"GOTRUE_HOOK_{hooks['customize-access-token']}"
    assert set(set_to) == {f"{prefix}_ENABLED", f"{prefix}_URI", f"{prefix}_SECRETS"}
    assert set_to[f"{prefix}_URI"].endswith("/hooks/v1/TENANT/supabase/customize-access-token")
    drawn = "v1,whsec_" + base64.b64encode(os.urandom(32)).decode()  # as openssl rand -base64 32 writes it
    assert set_to[f"{prefix}_SECRETS"] == "v1,whsec_..."
    assert provider.problem_of(Secret("", VERIFY, drawn)) == ""


def test_the_settings_of_the_page(served: Served, tmp_path: Path) -> None:
    """What stands in the configuration of a provider: requests that are sent as it says are taken."""
    environment = {**os.environ, **served.environment(), "NO_COLOR": "1"}
    text = (DOCS / PAGE).read_text()
    settings = [
        found
        for block in re.findall(r"^ +```yaml\n(.*?)^ +```", text, re.M | re.S)
        for found in requests_in(yaml.safe_load(textwrap.dedent(block)))
    ]
    assert settings
    for found in settings:
        address = found["url"].replace("https://actions.example", served.url).replace("TENANT", "main")
        provider, hook = address.rsplit("/", 2)[1:]
        secret = "a-secret-of-the-page"
        auth = found["auth"]["config"]
        add = ["hook", "add", provider, hook, "--secret", secret]
        assert forked.run(add, environment, cwd=tmp_path).returncode == 0, found
        known = PROVIDERS[provider]
        body = json.dumps(example_of(known, known.hooks[hook]))
        headers = {"Content-Type": "application/json", auth["name"]: auth["value"].replace("SECRET", secret)}
        reply = urllib3.request("POST", address, body=body, headers=headers, retries=False)
        # A message that no Action delivers is not delivered: past the check of the secret in any case.
        undelivered = "-provider" in known.hooks[hook].triggers[0]
        assert reply.status == 424 if undelivered else reply.status < 300, (found, reply.data)
    removed(served)


def requests_in(settings: Any) -> Iterator[dict[str, Any]]:
    """Every part of a configuration that describes a request of ours."""
    if isinstance(settings, dict):
        if str(settings.get("url", "")).startswith("https://actions.example/"):
            yield settings
        for item in settings.values():
            yield from requests_in(item)
    elif isinstance(settings, list):
        for item in settings:
            yield from requests_in(item)
