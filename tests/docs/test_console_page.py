"""The settings that docs/console.md shows are settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.config.settings import CONFIG_FILE, load_settings
from tests.docs.pages import blocks


def test_the_settings_of_an_identity_provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = blocks("console.md", "toml")
    file = tmp_path / "actionbox.toml"
    file.write_text(block, encoding="utf-8")
    monkeypatch.setenv(CONFIG_FILE, str(file))
    settings = load_settings(data_dir=tmp_path)
    assert settings.oidc_issuer == "https://id.harbor.example"
    assert settings.oidc_grants[0].tenant == "main"
