"""Python Actions in files with a `pyproject.toml` beside them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.cli import main
from runner.cli.inputs import Secrets, load_actions
from runner.flow.runner import Runner
from runner.model.errors import ActionError
from runner.project.action_files import load_action
from runner.project.lockfile import LOCK_FILE
from runner.project.pyproject import WHEELS, imported_names
from sandbox.egress import NoEgress
from tests.sandbox.packages.wheels.made import put
from triggers import get_trigger

ACTION = """
import json
import maths
from actions import my_greeter

def on_execute_post_login(event, api):
    print(maths.add(1, 2), my_greeter.hi())
"""
GREETER = "import maths\ndef hi():\n    return actions.secrets.WORD + str(maths.add(20, 1))"
MANIFEST = """
[tool.actionbox]
dependencies = ["maths==1.0"]

[tool.actionbox.modules.my-greeter]
file = "greeter.py"
dependencies = ["maths==2.0"]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    wheels = tmp_path / "wheels"
    put(wheels, "maths")
    put(wheels, "maths", "2.0", {"maths.py": "def add(a, b):\n    return 2 * (a + b)"})
    monkeypatch.setenv(WHEELS, str(wheels))
    (tmp_path / "action.py").write_text(ACTION)
    (tmp_path / "greeter.py").write_text(GREETER)
    (tmp_path / "pyproject.toml").write_text(MANIFEST)
    return tmp_path


def test_packages_and_modules_of_an_action_in_a_file(folder: Path) -> None:
    secrets = Secrets(by_action={"actions:my-greeter": {"WORD": "hi"}})
    actions = load_actions([folder / "action.py"], secrets)
    trigger = get_trigger("post-login")
    outcome = Runner(egress=NoEgress()).run(trigger, trigger.example_event, actions)
    assert outcome.failure is None, outcome.failure
    assert [line.text for line in outcome.actions[0].logs] == ["3 hi42"]
    wheels = json.loads((folder / LOCK_FILE).read_text())["wheels"]
    assert {
        key: {name: item["version"] for name, item in lock["wheels"].items()} for key, lock in wheels.items()
    } == {
        "action.py": {"maths": "1.0"},
        "actions:my-greeter": {"maths": "2.0"},
    }


def test_the_lock_keeps_what_is_there(folder: Path) -> None:
    (folder / LOCK_FILE).write_text(json.dumps({"locks": {"a.js": {"kept": True}}}))
    load_action(folder / "action.py")
    assert json.loads((folder / LOCK_FILE).read_text())["locks"] == {"a.js": {"kept": True}}
    put(folder / "wheels", "maths", files={"maths.py": "altered = 1"})
    with pytest.raises(ActionError, match="other bytes than the locked one"):
        load_action(folder / "action.py")


def test_the_command_line_takes_a_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(WHEELS)
    arguments = [str(folder / "action.py"), "--secret", "actions:my-greeter.WORD=hi"]
    assert _status("run", *arguments) == 2
    assert "there is no folder of wheels" in capsys.readouterr().err
    assert _status("run", *arguments, "--wheels", str(folder / "wheels")) == 0
    assert "3 hi42" in capsys.readouterr().out
    monkeypatch.delenv(WHEELS, raising=False)


def _status(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    return int(caught.value.code or 0)


def test_an_action_that_imports_nothing_needs_no_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(WHEELS)
    (folder / "plain.py").write_text(
        "import json\nfrom datetime import datetime\ndef on_execute_post_login(event, api): pass"
    )
    assert load_action(folder / "plain.py").source.dependencies is None
    assert not (folder / LOCK_FILE).exists()


def test_a_different_module_is_a_different_action(folder: Path) -> None:
    first = load_action(folder / "action.py").digest
    assert load_action(folder / "action.py").digest == first
    (folder / "greeter.py").write_text(GREETER + "\n")
    assert load_action(folder / "action.py").digest != first


@pytest.mark.parametrize(
    ("manifest", "code", "says"),
    [
        ('[tool.actionbox]\ndependencies = ["maths==9"]', "dependency", "There is no wheel of maths==9"),
        (
            '[tool.actionbox]\ndependencies = ["maths>=1"]',
            "dependency",
            "'maths>=1' does not name one version",
        ),
        ('[tool.actionbox]\ndependencies = "maths==1.0"', "invalid_pyproject", "must be a list of texts"),
        ("[tool.actionbox]\ndependency = []", "invalid_pyproject", "has no setting 'dependency'"),
        ("[tool]\nactionbox = 1", "invalid_pyproject", "must be a table"),
        ("[tool.actionbox]\nmodules = 1", "invalid_pyproject", "modules must be a table"),
        (
            "[tool.actionbox.modules]\nmy_greeter = 1",
            "invalid_pyproject",
            "module 'my_greeter' has no `file`",
        ),
        ('[tool.actionbox.modules]\nmy_greeter = "gone.py"', "dependency", "gone.py of module 'my_greeter'"),
        ("[tool.actionbox", "invalid_pyproject", "cannot be read as TOML"),
    ],
)
def test_what_is_declared_wrongly(folder: Path, manifest: str, code: str, says: str) -> None:
    (folder / "pyproject.toml").write_text(manifest)
    with pytest.raises(ActionError) as caught:
        load_action(folder / "action.py")
    assert caught.value.code == code
    assert says in caught.value.message


def test_a_pyproject_of_something_else(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[project]\nname = 'x'")
    assert load_action(folder / "action.py").source.dependencies is None


def test_names_that_a_source_imports() -> None:
    text = "import a.b, c as d\nfrom e.f import g\n  import h # i\nx = 'import j'\nfrom . import k\n"
    assert imported_names(text) == {"a", "c", "e", "h"}
