"""Actions in files with a `package.json` beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runner.cli.inputs import Secrets, load_actions
from runner.flow.runner import Runner
from runner.model.errors import ActionError
from runner.project.action_files import load_action
from runner.project.dependencies import PACKAGES
from runner.project.lockfile import LOCK_FILE
from sandbox.egress import NoEgress
from tests.sandbox.packages.npm.tarballs import Shelf
from triggers import get_trigger

ACTION = (
    "exports.onExecutePostLogin = async () => {\n"
    "  console.log(require('maths').add(1, 2), require('actions:greeter').hi());\n};"
)
GREETER = "const maths = require('maths'); exports.hi = () => actions.secrets.WORD + maths.add(20, 1);"
MODULES = {"greeter": {"file": "greeter.js", "dependencies": {"maths": "1"}}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shelf = Shelf(tmp_path / "shelf").add("maths", code="exports.add = (a, b) => a + b;")
    monkeypatch.setenv(PACKAGES, str(shelf.folder))
    (tmp_path / "action.js").write_text(ACTION)
    (tmp_path / "greeter.js").write_text(GREETER)
    return tmp_path


def declare(folder: Path, **manifest: Any) -> None:
    (folder / "package.json").write_text(json.dumps(manifest))


def test_packages_and_modules_of_an_action_in_a_file(folder: Path) -> None:
    declare(folder, dependencies={"maths": "^1", "unused": "9"}, actionbox={"modules": MODULES})
    secrets = Secrets(by_action={"actions:greeter": {"WORD": "hi"}})
    actions = load_actions([folder / "action.js"], secrets)
    trigger = get_trigger("post-login")
    outcome = Runner(egress=NoEgress()).run(trigger, trigger.example_event, actions)
    assert outcome.failure is None
    assert [line.text for line in outcome.actions[0].logs] == ["3 hi21"]
    locks = json.loads((folder / LOCK_FILE).read_text())["locks"]
    assert {key: list(lock["packages"]) for key, lock in locks.items()} == {
        "action.js": ["node_modules/maths"],
        "actions:greeter": ["node_modules/maths"],
    }


def test_what_an_action_does_not_require_is_not_resolved(folder: Path) -> None:
    declare(folder, dependencies={"no-such-package": "1"})
    (folder / "plain.js").write_text("exports.onExecutePostLogin = () => {}; // require nothing")
    assert load_action(folder / "plain.js").source.dependencies is None
    assert not (folder / LOCK_FILE).exists()


def test_a_different_version_is_a_different_action(folder: Path) -> None:
    declare(folder, dependencies={"maths": "1"})
    first = load_action(folder / "action.js")
    Shelf(folder / "shelf").add("maths", "2.0.0", "exports.add = () => 0;")
    assert load_action(folder / "action.js").digest == first.digest
    (folder / LOCK_FILE).unlink()
    declare(folder, dependencies={"maths": "2"})
    assert load_action(folder / "action.js").digest != first.digest


@pytest.mark.parametrize(
    ("manifest", "code", "says"),
    [
        ({"dependencies": {"maths": "^7"}}, "dependency", "No version of maths matches '^7'"),
        ({"dependencies": ["maths"]}, "invalid_package_json", "must be an object of names and versions"),
        (
            {"actionbox": {"modules": {"greeter": {"file": "gone.js"}}}},
            "dependency",
            "gone.js of module 'greeter'",
        ),
        (
            {"actionbox": {"modules": {"greeter": {}}}},
            "invalid_package_json",
            "module 'greeter' has no `file`",
        ),
    ],
)
def test_what_is_declared_wrongly(folder: Path, manifest: dict[str, Any], code: str, says: str) -> None:
    declare(folder, **manifest)
    with pytest.raises(ActionError) as caught:
        load_action(folder / "action.js")
    assert caught.value.code == code
    assert says in caught.value.message


@pytest.mark.parametrize("name", ["package.json", LOCK_FILE])
def test_files_that_are_no_json(folder: Path, name: str) -> None:
    declare(folder, dependencies={"maths": "1"})
    (folder / name).write_text("{")
    with pytest.raises(ActionError, match="cannot be read as JSON"):
        load_action(folder / "action.js")
