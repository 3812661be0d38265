"""The examples of the documentation run as they are written."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from runner.cli import main
from runner.flow.programs import ProgramCache
from runner.model import caps as runner_caps
from runner.model.outcome import Decision, FlowOutcome
from runner.project.pyproject import WHEELS
from runner.testing.box import ActionBox
from runner.testing.cases.load import load_cases
from runner.testing.cases.run import run_case
from sandbox.core import caps
from sandbox.core.failure import FailureCode
from tests.docs.pages import DOCS, blocks
from tests.sandbox.packages.npm.tarballs import Shelf
from tests.sandbox.packages.wheels.made import put
from tests.testing.plugins import plugin_arguments
from triggers.events.model import json_check
from triggers.values import session_tokens

pytest_plugins = ["pytester"]


def test_the_embedding_guide_runs_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code = "\n".join(blocks("embedding.md", "python"))
    assert code.count("assert ") > 10
    exec(compile(code, "docs/embedding.md", "exec"), {"__name__": "embedding"})


def test_the_first_case_file_runs_where_the_page_says(tmp_path: Path) -> None:
    folder = tmp_path / "post-login"
    shutil.copytree(DOCS.parent / "samples" / "post-login", folder)
    page = (DOCS / "testing.md").read_text(encoding="utf-8")
    assert "This one runs in\n`samples/post-login`, as `actionbox test first.case.yaml`" in page
    file = folder / "first.case.yaml"
    file.write_text(blocks("testing.md", "yaml")[0], encoding="utf-8")
    results = {case.name: run_case(case, ProgramCache()).status for case in load_cases(file)}
    assert results == {"lets people in on a Wednesday": "passed", "refuses on a Sunday": "passed"}


def test_the_pytest_examples_pass(pytester: pytest.Pytester) -> None:
    actions = re.findall(r'write_text\("""\n(.*?)"""', (DOCS / "embedding.md").read_text(), re.DOTALL)
    greet, consent = actions[0], actions[-1]
    assert "greeting" in greet
    assert "consent.example" in consent
    pytester.path.joinpath("greet.js").write_text(greet)
    pytester.path.joinpath("consent.js").write_text(consent)
    tests = [block for block in blocks("testing.md", "python") if "def test_" in block]
    assert len(tests) == 2
    pytester.makepyfile("\n\n".join(tests))
    result = pytester.runpytest(*plugin_arguments())
    result.assert_outcomes(passed=2)


def test_the_other_case_files_are_read_and_run(tmp_path: Path) -> None:
    """The stubs and the expectations of testing.md in one file, and its flow of two steps."""
    _, stubs, expected, steps = blocks("testing.md", "yaml")
    (tmp_path / "sunday.js").write_text(
        """exports.onExecutePostLogin = async (event, api) => {
          console.log("weekday is 0");
          const init = { method: "POST", body: JSON.stringify({ to: "+31612345678" }) };
          console.log((await (await fetch("https://sms.example/v1/messages", init)).json()).sid);
          throw new Error("closed");
        };"""
    )
    (tmp_path / "consent.js").write_text(
        """exports.onExecutePostLogin = async (event, api) => {
          api.redirect.sendUserTo("https://consent.example/ask");
        };
        exports.onContinuePostLogin = async (event, api) => {
          if (event.request.query.confirmed !== "yes") api.access.deny("not confirmed");
        };"""
    )
    expected = expected.replace("decision: deny", "decision: failed").replace("{...}", "{}")
    expected = expected.replace("    - {status: ran}\n    - {status: denied}", "    - {status: failed}")
    case = f"cases: [{{name: all of it}}]\n{stubs}{expected}"
    (tmp_path / "one.case.yaml").write_text(f"trigger: post-login\nactions: [sunday.js]\n{case}")
    (tmp_path / "two.case.yaml").write_text(f"trigger: post-login\nactions: [consent.js]\n{steps}")
    for name in ("one", "two"):
        (made,) = load_cases(tmp_path / f"{name}.case.yaml")
        result = run_case(made, ProgramCache())
        assert result.status == "passed", result


def test_the_commands_of_the_testing_guide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = tmp_path / "samples" / "post-login"
    shutil.copytree(DOCS.parent / "samples" / "post-login", samples)
    for file in samples.glob("*.case.yaml"):
        if "weekday" not in file.name:
            file.unlink()
    monkeypatch.chdir(tmp_path)
    (commands,) = blocks("testing.md", "console")
    for line in commands.splitlines():
        with pytest.raises(SystemExit) as ended:
            main(shlex.split(line.removeprefix("$ "), comments=True)[1:])
        assert not ended.value.code, line
    assert (tmp_path / "report.xml").exists()


def test_the_python_guide_tries_again_when_a_request_breaks(tmp_path: Path) -> None:
    (source,) = blocks("python.md", "python")
    (tmp_path / "score.py").write_text(source)
    box = ActionBox(tmp_path)
    broken = {"url": "https://score.example/*", "error": "connect", "times": 2}
    good = {"url": "https://score.example/users?id=*", "answer": {"json": {"score": 7}}}
    outcome = box.run("score.py", trigger="post-login", fetch=[broken, good])
    assert outcome.failure is None
    assert outcome.effects.id_token_claims == {"score": 7}
    assert [line.text for line in outcome.actions[0].logs] == ["attempt 0 connect", "attempt 1 connect"]


def test_the_declarations_of_the_dependencies_guide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(tmp_path / "shelf")
    for name, version in (("axios", "1.7.2"), ("uuid", "11.0.0")):
        shelf.add(name, version, code=f"exports.name = '{name} {version}';")
    for name, version in (("idna", "3.10"), ("inflection", "0.5.1")):
        put(tmp_path / "wheels", name, version, {f"{name}.py": f"NAME = '{name} {version}'"})
    monkeypatch.setenv("ACTIONBOX_NPM_PACKAGES", str(shelf.folder))
    monkeypatch.setenv(WHEELS, str(tmp_path / "wheels"))
    files = {
        "package.json": blocks("dependencies.md", "json")[0],
        "pyproject.toml": blocks("dependencies.md", "toml")[0],
        "a.js": "exports.onExecutePostLogin = async () => {\n"
        "  console.log(require('axios').name, require('actions:greeter').name);\n};",
        "greeter.js": "exports.name = require('uuid').name;",
        "b.py": "import idna\nfrom actions import greeter\n"
        "def on_execute_post_login(event, api):\n    print(idna.NAME, greeter.NAME)",
        "greeter.py": "from inflection import NAME",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    outcome = ActionBox(tmp_path).run(["a.js", "b.py"], trigger="post-login")
    assert outcome.failure is None, outcome.failure
    lines = [action.logs[0].text for action in outcome.actions]
    assert lines == ["axios 1.7.2 uuid 11.0.0", "idna 3.10 inflection 0.5.1"]


def test_the_embedding_guide_names_every_failure_and_decision() -> None:
    page = (DOCS / "embedding.md").read_text(encoding="utf-8")
    names = [*FailureCode, *Decision, *(field for field in FlowOutcome.model_fields)]
    assert [str(name) for name in names if f"`{name}`" not in page] == []


def in_words(count: int) -> str:
    """A cap as the pages write it."""
    for size, unit in ((caps.MIB, "MiB"), (caps.KIB, "KiB")):
        if count % size == 0 and count:
            return f"{count // size} {unit}"
    return f"{count:,}"


@pytest.mark.parametrize(
    ("row", "figures"),
    [
        ("memory of an instance", [f"{caps.Limits().memory_bytes // caps.MIB} MB"]),
        ("commands of an Action", [f"{caps.Limits().commands:,}", in_words(caps.Limits().command_bytes)]),
        (
            "arguments of one api call",
            [in_words(caps.MAX_API_ARGUMENT_BYTES), f"{caps.MAX_JSON_DEPTH} levels"],
        ),
        (
            "an event",
            [
                in_words(json_check.MAX_BYTES),
                in_words(caps.MAX_EVENT_BYTES),
                f"{json_check.MAX_DEPTH} levels",
            ],
        ),
        ("host calls", [f"{caps.MAX_HOST_CALLS:,}"]),
        ("requests of an execution", [str(caps.MAX_FETCHES), str(caps.MAX_FETCH_PARALLEL)]),
        (
            "request body;",
            [
                in_words(caps.MAX_FETCH_REQUEST_BODY_BYTES),
                in_words(caps.MAX_FETCH_RESPONSE_BODY_BYTES),
                in_words(caps.MAX_FETCH_TOTAL_BYTES),
            ],
        ),
        ("time of one request", [f"{caps.DEFAULT_FETCH_TIMEOUT_MS // 1000} s"]),
        ("redirects of one request", [str(caps.MAX_FETCH_REDIRECTS)]),
        (
            "| a suspended flow",
            ["one hour" if runner_caps.DEFAULT_HANDLE_SECONDS == 3600 else "another time"],
        ),
        ("session token of", [in_words(session_tokens.MAX_PAYLOAD)]),
        ("- A source has", [f"{caps.DEFAULT_SOURCE_BYTES:,}", f"{caps.MAX_SOURCE_LINES:,}"]),
        ("- The setting `max_source_bytes`", [f"{caps.MAX_SOURCE_BYTES:,}"]),
        ("- Secrets:", [str(runner_caps.MAX_SECRETS), f"{runner_caps.MAX_SECRET_VALUE:,}"]),
        (
            "KiB of an execution are kept",
            [in_words(caps.Limits().log_bytes), in_words(caps.MAX_LOG_LINE_BYTES)],
        ),
    ],
)
def test_the_figures_of_the_decisions_are_those_of_the_caps(row: str, figures: list[str]) -> None:
    page = (DOCS / "compatibility" / "decisions.md").read_text(encoding="utf-8").splitlines()
    [line] = [line for line in page if row in line and (line.startswith(("-", "|")))]
    assert [figure for figure in figures if not re.search(rf"(?<![\d,]){re.escape(figure)}\b", line)] == []
