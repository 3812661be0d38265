"""What Node 20 prints for the same source. `node_output.json` was written with a real Node beside the guest;
each entry is the body of an async function and the lines that it logs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.javascript.conftest import Run

CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("node_output.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["source"][:60] for case in CASES])
def test_the_guest_logs_what_node_logs(succeed: Run, case: dict[str, Any]) -> None:
    ran = succeed(f"exports.onExecutePostLogin = async () => {{ {case['source']}\n}};")
    lines = "\n".join(ran.log).split("\n") if case.get("joined") else ran.log
    assert lines == case["lines"]
