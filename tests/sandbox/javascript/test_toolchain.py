"""npm where a service's user has no home."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox import SetUpError
from sandbox.javascript import toolchain

STAND_IN = """
const fs = require("node:fs");
fs.mkdirSync("node_modules");
fs.writeFileSync("node_modules/cache", process.env.npm_config_cache ?? "npm's own");
"""


def installed_by(script: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What `packages` makes with `script` in npm's place and an empty cache."""
    npm = folder / "npm.js"
    npm.write_text(script)
    monkeypatch.setattr(toolchain, "_npm", lambda: npm)
    monkeypatch.setenv("ACTIONBOX_CACHE", str(folder / "cache"))
    monkeypatch.delenv("npm_config_cache", raising=False)
    return toolchain.packages(lambda _text: None)


def test_npm_gets_a_cache_where_there_is_no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one it ends with EACCES before it has asked for anything."""
    monkeypatch.setenv("HOME", "/nonexistent")
    modules = installed_by(STAND_IN, tmp_path, monkeypatch)
    used = Path((modules / "cache").read_text())
    assert used.parent == tmp_path / "cache"
    assert not used.exists(), "it is not left behind"


def test_npm_keeps_its_own_cache_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    modules = installed_by(STAND_IN, tmp_path, monkeypatch)
    assert (modules / "cache").read_text() == "npm's own"


def test_what_npm_says_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SetUpError, match=r"npm registry of this machine reachable\?\nECONNREFUSED"):
        installed_by('console.log("ECONNREFUSED"); process.exit(1);', tmp_path, monkeypatch)
    assert [item.name for item in (tmp_path / "cache").iterdir()] == []
