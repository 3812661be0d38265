"""The examples of the documentation run as they are written."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from runner.flow.programs import ProgramCache
from runner.model import caps as runner_caps
from runner.model.outcome import Decision, FlowOutcome
from runner.testing.cases.load import load_cases
from runner.testing.cases.run import run_case
from sandbox.core import caps
from sandbox.core.failure import FailureCode
from triggers.events import json_check
from triggers.values import session_tokens

from .plugins import plugin_arguments

DOCS = Path(__file__).parents[2] / "docs"
pytest_plugins = ["pytester"]


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)


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
