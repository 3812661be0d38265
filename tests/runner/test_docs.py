"""The examples of the documentation run as they are written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

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
