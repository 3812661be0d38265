"""Errors in the guest beside those of the Node that comes with us."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sandbox.javascript import toolchain
from tests.sandbox.javascript.conftest import Run

HERE = Path(__file__).parent
KNOWN: dict[str, dict[str, str]] = json.loads((HERE / "known.json").read_text())
"""By program: what the guest says where Node says something else. Shorten it when one is mended."""
TELL = "for (const one of Object.entries(exports.messages())) console.log(JSON.stringify(one));"


def in_node(program: Path) -> dict[str, Any]:
    script = f"console.log(JSON.stringify(require({json.dumps(str(program))}).messages()))"
    ran = subprocess.run([str(toolchain.node()), "-e", script], capture_output=True, timeout=60, check=True)
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


@pytest.mark.parametrize("name", ["places", "expressions"])
def test_the_guest_says_what_node_says(succeed: Run, name: str) -> None:
    program = HERE / f"{name}.js"
    text = program.read_text() + f"exports.onExecutePostLogin = () => {{ {TELL} }};"
    ours = dict(json.loads(line) for line in succeed(text).log)
    node = in_node(program)
    assert set(ours) == set(node)
    assert {key: ours[key] for key in node if node[key] != ours[key]} == KNOWN[name]
