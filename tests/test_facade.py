"""`import actionbox` is the library: it hands on what `runner` offers, with its types."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import actionbox
import runner
from runner import client

ROOT = Path(__file__).parents[1]
PLATFORM = """
from actionbox import Decision, FlowOutcome, Runner, RuntimeClient, load_action

def allowed(outcome: FlowOutcome) -> bool:
    return outcome.decision is Decision.ALLOW

reveal_type(Runner().run("post-login", {}, [load_action("a.js")]))
reveal_type(RuntimeClient)
Runner().run(1)
"""


def test_it_hands_on_what_runner_offers() -> None:
    own = {"Accepted", "RuntimeClient", "ServiceError"}
    assert set(actionbox.__all__) == set(runner.__all__) | own
    assert dir(actionbox) == sorted(actionbox.__all__)
    for name in actionbox.__all__:
        assert getattr(actionbox, name) is getattr(client if name in own else runner, name)
    with pytest.raises(AttributeError, match="has no attribute 'Runer'"):
        actionbox.Runer  # noqa: B018


def test_every_name_is_there_for_type_checkers() -> None:
    tree = ast.parse((ROOT / "actionbox" / "__init__.py").read_text())
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in ("runner", "runner.client")
        for alias in node.names
    } - {"client"}
    assert imported == set(actionbox.__all__)


def test_importing_it_costs_nothing() -> None:
    code = (
        "import sys, actionbox\n"
        "heavy = ('runner', 'pydantic', 'wasmtime')\n"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in heavy))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout.strip() == "[]"


def test_it_is_typed(tmp_path: Path) -> None:
    """A platform's own type checker sees the types."""
    (tmp_path / "platform_code.py").write_text(PLATFORM)
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "platform_code.py"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(ROOT)},
    )
    assert 'Revealed type is "runner.model.outcome.FlowOutcome"' in ran.stdout, ran.stdout
    errors = [row for row in ran.stdout.splitlines() if ": error:" in row]
    assert errors
    assert all(row.startswith("platform_code.py:9:") for row in errors), ran.stdout


def test_what_is_installed_says_that_it_is_typed() -> None:
    """Type checkers look for `py.typed` in each package of an installation (PEP 561)."""
    packaged = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    for package in ("actionbox", "runner", "sandbox", "triggers"):
        assert (ROOT / package / "py.typed").is_file()
        assert "py.typed" in packaged[package]
