"""Project files that cannot be used, and files that `pull` must not lose."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.model.errors import InputError, RunnerError
from runner.tenant.profile import Profile, load, resolve, save
from runner.tenant.project import MANIFEST, Project
from runner.tenant.pull import pull
from runner.tenant.remote import Remote
from tests.tenant.test_plan import THERE

ACTION = "actions: {a: {file: a.js, trigger: post-login}}\n"

WRONG = {
    "is not YAML": "actions: [",
    "actions.a.trigger: Field required": "actions: {a: {file: a.js}}",
    "actions.a.tigger: Extra inputs": "actions: {a: {file: a.js, trigger: post-login, tigger: x}}",
    "did you mean": "actions: {a: {file: a.js, trigger: post-logn}}",
    "bindings.pre-user-registration.0: a is an Action for post-login": ACTION
    + "bindings: {pre-user-registration: [a]}",
    "there is no": "actions: {a: {file: missing.js, trigger: post-login}}",
    "TypeScript": "actions: {a: {file: a.ts, trigger: post-login}}",
}


@pytest.mark.parametrize(("problem", "text"), WRONG.items(), ids=range(len(WRONG)))
def test_a_wrong_project_file_says_where(tmp_path: Path, problem: str, text: str) -> None:
    (tmp_path / "a.js").write_text("exports.onExecutePostLogin = async () => {};")
    (tmp_path / "a.ts").write_text("export const onExecutePostLogin = async () => {};")
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(RunnerError) as caught:
        Project.read(tmp_path)
    assert problem.lower() in caught.value.message.lower()


def test_a_folder_without_a_project_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no actionbox\.yaml"):
        Project.read(tmp_path)


def test_pull_replaces_nothing_that_differs_unless_forced(tmp_path: Path) -> None:
    there = Remote({"roles": THERE}, {}, {})
    pull(there, tmp_path, force=False)
    mine = tmp_path / "roles.js"
    mine.write_text("// mine")
    with pytest.raises(InputError, match=r"roles\.js exists and is different"):
        pull(there, tmp_path, force=False)
    assert mine.read_text() == "// mine"
    pull(there, tmp_path, force=True)
    assert mine.read_text() == THERE.code


def test_options_outrank_the_environment_and_that_what_login_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACTIONBOX_PROFILES", str(tmp_path))
    path = save("default", Profile(url="https://kept.example", client_id="c", client_secret="hush"))
    assert path.stat().st_mode & 0o777 == 0o600
    assert resolve("default", {}, {}).client_id == "c"
    found = resolve("default", {"url": "https://given.example"}, {"ACTIONBOX_TOKEN": "t"})
    assert (found.url, found.token, found.client_id) == ("https://given.example", "t", None)
    assert "hush" not in repr(load("default"))


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, "no service is known"),
        ({"url": "https://a.example"}, "nothing to sign in"),
        ({"url": "a.example", "token": "t"}, "not the address"),
        ({"url": "https://a.example/api/v2", "token": "t"}, "not the address"),
        ({"url": "https://a.example", "token": "t", "ca_file": "/missing.pem"}, "no CA file"),
    ],
)
def test_profiles_that_cannot_be_used(
    given: dict[str, str], problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACTIONBOX_PROFILES", str(tmp_path))
    with pytest.raises(InputError, match=problem):
        resolve("default", given, {})
