"""The crypto module and Web Crypto say what Node says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox import Limits
from tests.sandbox.javascript.conftest import Run

_HERE = Path(__file__).parent
EXPECTED: dict[str, Any] = json.loads((_HERE / "crypto_node_output.json").read_text())
"""Node 20's answers: `node -e "require('./crypto_cases.js').report().then(…)"`."""
OURS: dict[str, Any] = {
    # Node 20 asks a terminal for the passphrase; without one it says what later versions say to all.
    "encryptedPemNoPassphrase": {
        "error": "TypeError",
        "code": "ERR_MISSING_PASSPHRASE",
        "message": "Passphrase required for encrypted key",
    },
    # The name that the standard has; Node 20 misspells it.
    "webNotExtractable": {"error": "InvalidAccessError", "code": 15, "message": "key is not extractable"},
}
"""Where we differ on purpose."""


@pytest.fixture(scope="module")
def answers(run: Run) -> dict[str, Any]:
    source = (_HERE / "crypto_cases.js").read_text()
    ran = run(source, limits=Limits(wall_ms=60_000))
    assert ran.result.failure is None, ran.result.failure
    return {arguments[0]: arguments[1] for _path, arguments in ran.commands}


@pytest.mark.parametrize("name", list(EXPECTED))
def test_as_in_node(answers: dict[str, Any], name: str) -> None:
    assert answers[name] == OURS.get(name, EXPECTED[name])
