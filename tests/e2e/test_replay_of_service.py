"""A login that the service denied runs again in another folder, with nothing but its id."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.model.outcome import FlowOutcome
from tests import forked
from tests.e2e.serving import Served, serve
from triggers import get_trigger

STAFF = """\
exports.onExecutePostLogin = async (event, api) => {
  const roles = event.authorization?.roles ?? [];
  console.log("roles", roles, Math.random());
  if (!roles.includes("admin")) {
    return api.access.deny("staff only");
  }
  api.idToken.setCustomClaim("staff", true);
};
exports.onContinuePostLogin = async (event, api) => {
  console.log("back with", event.request.query.answer, crypto.randomUUID());
};
"""
MANIFEST = "actions:\n  staff: { file: staff.js, trigger: post-login }\nbindings:\n  post-login: [staff]\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("data"), "--https") as found:
        yield found


@pytest.fixture(scope="module")
def profiles(served: Served, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment that knows the service by what `login` kept, and nothing else."""
    folder = tmp_path_factory.mktemp("author")
    (folder / "actionbox.yaml").write_text(MANIFEST)
    (folder / "staff.js").write_text(STAFF)
    own = {name: value for name, value in os.environ.items() if not name.startswith("ACTIONBOX_")}
    kept = {**own, "ACTIONBOX_PROFILES": str(folder), "NO_COLOR": "1"}
    kept |= {name: os.environ[name] for name in ("ACTIONBOX_CACHE",) if name in os.environ}
    first = {**kept, **served.environment()}
    for arguments in (("login", first["ACTIONBOX_URL"]), ("push", str(folder), "--yes")):
        done = forked.run(arguments, first)
        assert done.returncode == 0, done.stdout + done.stderr
    served.api().send("PATCH", "/api/v2/record-policy", body={"policy": "failures, denials"})
    return kept


def actionbox(profiles: dict[str, str], *arguments: str, status: int = 0) -> str:
    done = forked.run(arguments, profiles)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def login(served: Served, *roles: str) -> str:
    event = get_trigger("post-login").example_event
    outcome = served.runtime().invoke("post-login", {**event, "authorization": {"roles": list(roles)}})
    assert isinstance(outcome, FlowOutcome)
    return outcome.execution_id


def test_a_denied_login_is_reproduced_and_mended(
    served: Served, profiles: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    denied = login(served, "harbor-master")
    text = actionbox(
        profiles, "replay", denied, "--reveal", "ticket 17", "--save", str(tmp_path / "kept.json")
    )
    assert f"{denied} · plain record" in text
    assert "Denied (access_denied): staff only" in text
    assert "host calls, all as recorded" in text
    kept = json.loads((tmp_path / "kept.json").read_text())
    assert kept["kept_because"] == "denials"
    assert kept["legs"][0]["context"]["versions"][0]["version_id"]

    file = kept["legs"][0]["actions"][0]["source"]["filename"]
    text = actionbox(profiles, "replay", str(tmp_path / "kept.json"), "--log", f"{file}:4 roles")
    assert f"{file}:4  roles = [ 'harbor-master' ]" in text

    draft = tmp_path / "staff.js"
    draft.write_text(STAFF.replace('"admin"', '"harbor-master"'))
    case = tmp_path / "harbor.case.yaml"
    command = ("replay", denied, "--reveal", "ticket 17", "--with", str(draft), "--case", str(case))
    text = actionbox(profiles, *command, status=1)
    assert "$.decision\n    recorded  'deny'\n    now       'allow'" in text
    assert "1 passed" in actionbox(profiles, "test", str(case))


def test_what_is_not_there_is_told_in_the_words_of_the_service(
    served: Served, profiles: dict[str, str]
) -> None:
    allowed = login(served, "admin")
    text = actionbox(profiles, "replay", allowed, "--reveal", "ticket 17", status=2)
    assert 'the policy "failures,denials", which was in force when it began, does not keep one' in text
    unknown = actionbox(profiles, "replay", "01890a5d-ac96-774b-bcce-b302099a8057", status=2)
    assert "the service answered 404: That execution does not exist." in unknown
    assert "`actionbox executions` lists" in unknown
