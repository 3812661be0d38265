"""Settings from file, environment and options (docs/operations.md)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from yarl import URL

from runner.config.settings import ServiceSettings, load_settings
from runner.model.caps import MAX_BODY_BYTES
from runner.model.errors import InputError
from runner.server.composition import make_egress
from sandbox.egress import EgressError, HttpEgress


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "ACTIONBOX_CONFIG", "ACTIONBOX_PORT"):
        monkeypatch.delenv(name, raising=False)


def test_options_outrank_the_environment_which_outranks_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "actionbox.toml"
    file.write_text('port = 1001\nhost = "127.0.0.2"\nlog_level = "error"\n')
    monkeypatch.setenv("ACTIONBOX_CONFIG", str(file))
    monkeypatch.setenv("ACTIONBOX_PORT", "1002")
    assert (load_settings().port, load_settings().host) == (1002, "127.0.0.2")
    assert (load_settings(port=1003, host=None).port, load_settings(port=1003).log_level) == (1003, "error")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("prot = 1", "prot: there is no such setting"),
        ("port = 70000", "port: "),
        ("port = ", "actionbox.toml: Invalid value"),
        ('database_url = "nonsense"', "database_url: "),
        ('tls_cert = "/nowhere.pem"', "tls_cert: "),
        ('egress_allow = ["https://api.example"]', "egress_allow: "),
        ("max_body_bytes = 1", "max_body_bytes: "),
        (f"max_body_bytes = {MAX_BODY_BYTES + 1}", "max_body_bytes: "),
    ],
)
def test_wrong_settings_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, wanted: str
) -> None:
    file = tmp_path / "actionbox.toml"
    file.write_text(text)
    monkeypatch.setenv("ACTIONBOX_CONFIG", str(file))
    with pytest.raises(InputError) as caught:
        load_settings()
    assert caught.value.code == "invalid_settings"
    assert wanted in caught.value.message


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://u:pa55word@db.example/actionbox")
    monkeypatch.setenv("ACTIONBOX_KEYS", '{"keys": {"k1": "c2VjcmV0"}}')
    text = json.dumps(load_settings().shown())
    assert "pa55word" not in text
    assert "c2VjcmV0" not in text
    assert "postgres://u:***@db.example/actionbox" in text


def test_every_setting_is_documented() -> None:
    text = Path("docs/operations.md").read_text()
    missing = [name for name in ServiceSettings.model_fields if f"`{name}`" not in text]
    assert missing == []


def test_settings_make_the_egress_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    open_to_all = load_settings().egress
    assert (open_to_all.allow, open_to_all.schemes) == (None, frozenset({"http", "https"}))
    monkeypatch.setenv("ACTIONBOX_EGRESS_ALLOW", '["*.harbor.example", "GET api.example/v1"]')
    monkeypatch.setenv("ACTIONBOX_EGRESS_HTTPS_ONLY", "true")
    egress = make_egress(load_settings())
    assert isinstance(egress, HttpEgress)
    policy = egress.policy
    policy.check("POST", URL("https://a.harbor.example/"))
    policy.check("GET", URL("https://api.example/v1/x"))
    for method, url in (("POST", "https://api.example/v1"), ("GET", "https://other.example/")):
        with pytest.raises(EgressError, match="allow-list"):
            policy.check(method, URL(url))
    with pytest.raises(EgressError, match="scheme"):
        policy.check("GET", URL("http://a.harbor.example/"))
