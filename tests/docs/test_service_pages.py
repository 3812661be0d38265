"""What the pages show of a running service, done as it stands there."""

from __future__ import annotations

import json
import os
import re
import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from runner.model.outcome import FlowOutcome
from runner.runtime.schemas import AcceptedEvent, InvokeBody, ResumeBody
from runner.tenant.project import MANIFEST, Project
from tests import forked
from tests.docs.pages import blocks, matches
from tests.e2e.serving import Served, serve
from triggers import get_trigger

SETS = """exports.onExecuteCustomTokenExchange = async (event, api) => {
  api.transaction.setMetadata("from", "exchange");
  api.authentication.setUserById(event.user?.user_id ?? "auth0|1");
};
"""
READS = """exports.onExecutePostLogin = async (event, api) => {
  api.idToken.setCustomClaim("from", event.transaction?.metadata?.from ?? "nowhere");
};
"""
NOTE = "async def on_execute_post_user_registration(event, api):\n    print(event.user.user_id)\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("data")) as found:
        yield found


def test_a_first_start_prints_what_the_page_shows(served: Served) -> None:
    (shown,) = blocks("operations.md", "console")
    printed = served.output.replace(f" --data {served.data}", "")  # it is not the usual folder
    assert matches(shown.partition("\n")[2], printed), printed


def event(trigger: str) -> dict[str, Any]:
    return get_trigger(trigger).example_event


@pytest.fixture
def exchanging(served: Served) -> None:
    """An Action for logins, and one for the exchange of tokens with its profile."""
    api = served.api()

    def deployed(name: str, trigger: str, code: str) -> str:
        body = {"name": name, "supported_triggers": [{"id": trigger}], "code": code}
        path = f"/api/v2/actions/actions/{api.send('POST', '/api/v2/actions/actions', body=body).value['id']}"
        deadline = time.monotonic() + 60
        while api.get(path).value["status"] != "built":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        api.send("POST", f"{path}/deploy")
        return path.rpartition("/")[2]

    exchange = deployed("exchange", "custom-token-exchange", SETS)
    profile = {
        "name": "legacy",
        "subject_token_type": event("custom-token-exchange")["transaction"]["subject_token_type"],
        "action_id": exchange,
        "type": "custom_authentication",
    }
    api.send("POST", "/api/v2/token-exchange-profiles", body=profile)
    login = {"ref": {"type": "action_id", "value": deployed("login", "post-login", READS)}}
    api.send("PATCH", "/api/v2/actions/triggers/post-login/bindings", body={"bindings": [login]})


@pytest.mark.usefixtures("exchanging")
def test_the_client_of_the_runtime_api(served: Served) -> None:
    first, transaction = blocks("runtime-api.md", "python")
    names: dict[str, Any] = {
        "ID": served.client_id,
        "SECRET": served.client_secret,
        "event": event("post-login"),
        "login_event": event("post-login"),
        "exchange_event": event("custom-token-exchange"),
    }
    exec(first.replace("https://actions.example", served.url), names)
    assert isinstance(names["outcome"], FlowOutcome)
    assert names["outcome"].effects.id_token_claims == {"from": "nowhere"}
    exec(transaction, names)
    assert names["metadata"] == {"from": "exchange"}
    assert names["login"].effects.id_token_claims == {"from": "exchange"}


def test_the_bodies_of_the_runtime_api(served: Served) -> None:
    """Each is what its route takes or gives; `…` stands for what is not shown."""
    invoke, accepted, resume, page = (
        json.loads(re.sub(r"\[ … \]", "[]", re.sub(r"\{ … \}", "{}", block)))
        for block in blocks("runtime-api.md", "json")
    )
    assert set(TypeAdapter(InvokeBody).validate_python(invoke).model_fields_set) == set(invoke)
    assert set(InvokeBody.model_fields) == set(invoke)
    assert set(ResumeBody.model_fields) == set(resume)
    assert set(AcceptedEvent.model_validate(accepted).model_fields_set) == set(accepted)
    for _ in range(2):
        served.runtime().invoke("post-login", event("post-login"))
    given = served.api().get("/runtime/v1/executions", per_page=1).value
    assert set(given) == set(page)


def test_a_tenant_pulls_and_pushes_a_folder(served: Served, tmp_path: Path) -> None:
    (commands,) = blocks("tenant-cli.md", "console")
    (tmp_path / "secrets.json").write_text("{}")
    environment = {
        **os.environ,
        "ACTIONBOX_PROFILES": str(tmp_path / "profiles"),
        "NO_COLOR": "1",
        "TOKEN": served.token,
    }
    done = ""
    for line in commands.splitlines():
        words = [os.path.expandvars(word) for word in shlex.split(line.removeprefix("$ "))]
        words = [word.replace("https://localhost:8443", served.url) for word in words[1:]]
        words = [served.token if word == "$TOKEN" else word for word in words]
        if "--ca-file" in words:  # this service has none
            del words[words.index("--ca-file") :]
        run = forked.run(words, environment, cwd=tmp_path)
        assert run.returncode == 0, (line, run.stdout, run.stderr)
        done += run.stdout + run.stderr
    assert (tmp_path / "actions" / MANIFEST).exists()
    assert done.count("nothing to change") == 2


def test_the_manifest_of_the_page_is_read(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text(blocks("tenant-cli.md", "yaml")[0])
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "logger.js").write_text("exports.log = console.log;")
    (tmp_path / "add-roles.js").write_text("require('axios'); require('actions:logger');\n" + READS)
    (tmp_path / "note.py").write_text(NOTE)
    project = Project.read(tmp_path)
    assert set(project.actions) == {"add-roles", "note"}
    assert set(project.modules) == {"logger"}
