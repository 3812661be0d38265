"""Loading Actions: every way in which a file can be no Action has a name."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from runner import Action, ActionError, FailPolicy, Language, Limits, load_action
from runner.model.source_size import SETTING
from sandbox.core.caps import DEFAULT_SOURCE_BYTES, MAX_SOURCE_BYTES
from sandbox.core.program import Source


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("a.js", Language.JAVASCRIPT),
        ("a.cjs", Language.JAVASCRIPT),
        ("a.mjs", Language.JAVASCRIPT),
        ("a.ts", Language.JAVASCRIPT),
        ("A.JS", Language.JAVASCRIPT),
        ("a.py", Language.PYTHON),
        ("a.b.py", Language.PYTHON),
    ],
)
def test_the_extension_tells_the_language(tmp_path: Path, name: str, language: Language) -> None:
    (tmp_path / name).write_text("text")
    action = load_action(tmp_path / name)
    assert action.language is language
    assert action.source.filename == name
    assert action.name == Path(name).stem


def test_everything_of_an_action_can_be_given(tmp_path: Path) -> None:
    for name in ("new.py", "old.py"):
        (tmp_path / name).write_text(name)
    action = load_action(
        tmp_path / "new.py",
        name="mine",
        secrets={"KEY": "value"},
        configuration={"a": 1},
        fail_policy=FailPolicy.LAST_GOOD,
        last_good=tmp_path / "old.py",
        limits=Limits(wall_ms=10),
    )
    assert (action.name, action.secrets, action.configuration) == ("mine", {"KEY": "value"}, {"a": 1})
    assert action.last_good == Source(Language.PYTHON, "old.py", "old.py")
    assert action.limits == Limits(wall_ms=10)


def test_a_byte_order_mark_is_not_part_of_the_source(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"\xef\xbb\xbfx = 1")
    assert load_action(tmp_path / "a.py").source.text == "x = 1"


def test_the_digest_is_of_language_dialect_and_text() -> None:
    def digest(language: Language, text: str, filename: str = "a") -> str:
        return Action("x", Source(language, filename, text)).digest

    assert digest(Language.PYTHON, "a") == digest(Language.PYTHON, "a", "b")
    assert digest(Language.PYTHON, "a", "a.py") == digest(Language.PYTHON, "a", "b.PY")
    assert digest(Language.JAVASCRIPT, "a", "a.js") != digest(Language.JAVASCRIPT, "a", "a.ts")
    assert digest(Language.PYTHON, "a") != digest(Language.PYTHON, "b")
    assert digest(Language.PYTHON, "a") != digest(Language.JAVASCRIPT, "a")


def test_secrets_are_not_in_the_representation() -> None:
    action = Action("x", Source(Language.PYTHON, "a.py", ""), secrets={"KEY": "hidden-value"})
    assert "hidden-value" not in repr(action)


class TestRefusals:
    def refused(self, path: Path) -> ActionError:
        with pytest.raises(ActionError) as caught:
            load_action(path)
        assert str(path) in caught.value.message
        return caught.value

    def test_a_missing_file(self, tmp_path: Path) -> None:
        assert self.refused(tmp_path / "no.js").code == "not_found"

    def test_a_folder(self, tmp_path: Path) -> None:
        assert self.refused(tmp_path).code == "is_folder"

    def test_a_pipe(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "a.js")
        assert self.refused(tmp_path / "a.js").code == "not_a_file"

    def test_a_name_that_no_file_can_have(self) -> None:
        with pytest.raises(ActionError) as caught:
            load_action("a\x00.js")
        assert caught.value.code == "unreadable"

    def test_a_path_through_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "a.js").write_text("")
        assert self.refused(tmp_path / "a.js" / "b.js").code in ("unreadable", "not_found")

    @pytest.mark.parametrize("name", ["a.rb", "a", "js", ".js"])
    def test_an_unknown_language(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_text("")
        error = self.refused(tmp_path / name)
        assert error.code == "unknown_language"
        assert ".js" in error.message

    def test_bytes_that_are_not_utf8(self, tmp_path: Path) -> None:
        (tmp_path / "a.py").write_bytes(b"x = '\xff'")
        error = self.refused(tmp_path / "a.py")
        assert error.code == "not_utf8"
        assert "offset 5" in error.message

    def test_a_source_over_the_cap(self, tmp_path: Path) -> None:
        (tmp_path / "a.py").write_bytes(b"#" * DEFAULT_SOURCE_BYTES)
        assert len(load_action(tmp_path / "a.py").source.text) == DEFAULT_SOURCE_BYTES
        (tmp_path / "a.py").write_bytes(b"#" * (DEFAULT_SOURCE_BYTES + 1))
        error = self.refused(tmp_path / "a.py")
        assert error.code == "too_large"
        assert f"100000 bytes, the most that {SETTING} allows" in error.message

    @pytest.mark.parametrize("most", [1_000, MAX_SOURCE_BYTES])
    def test_the_cap_is_a_setting(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
        monkeypatch.setenv(SETTING, str(most))
        (tmp_path / "a.js").write_bytes(b"/" * most)
        assert len(load_action(tmp_path / "a.js").source.text) == most
        (tmp_path / "a.js").write_bytes(b"/" * (most + 1))
        assert self.refused(tmp_path / "a.js").code == "too_large"
        module = {"dependencies": {}, "actionbox": {"modules": {"m": "m.js"}}}
        (tmp_path / "package.json").write_text(json.dumps(module))
        (tmp_path / "a.js").write_text("require('actions:m')")
        (tmp_path / "m.js").write_bytes(b"/" * (most + 1))
        with pytest.raises(ActionError, match=r"m\.js is larger than") as caught:
            load_action(tmp_path / "a.js")
        assert caught.value.code == "too_large"

    @pytest.mark.parametrize("value", ["many", "-1", "999", str(MAX_SOURCE_BYTES + 1), "1e5", "9" * 5_000])
    def test_a_cap_that_is_none(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
        monkeypatch.setenv(SETTING, value)
        (tmp_path / "a.js").write_text("")
        with pytest.raises(ActionError, match=f"{SETTING} must be a whole number") as caught:
            load_action(tmp_path / "a.js")
        assert caught.value.code == "invalid_setting"


class TestSecrets:
    def make(self, secrets: dict[Any, Any]) -> Action:
        return Action("x", Source(Language.PYTHON, "a.py", ""), secrets=secrets)

    @pytest.mark.parametrize(
        "secrets",
        [
            {f"N{i}": "v" for i in range(30)},
            {"N" * 128: "v"},
            {"N": "v" * 4096},
            {"N": ""},
        ],
    )
    def test_at_the_cap(self, secrets: dict[str, str]) -> None:
        assert self.make(secrets).secrets == secrets

    @pytest.mark.parametrize(
        "secrets",
        [
            {f"N{i}": "v" for i in range(31)},
            {"N" * 129: "v"},
            {"": "v"},
            {"N": "v" * 4097},
            {"N": 5},
            {"N": None},
            {5: "v"},
        ],
    )
    def test_over_the_cap_or_of_another_type(self, secrets: dict[Any, Any]) -> None:
        with pytest.raises(ActionError) as caught:
            self.make(secrets)
        assert caught.value.code == "invalid_secrets"

    def test_a_refusal_does_not_quote_the_value(self) -> None:
        with pytest.raises(ActionError) as caught:
            self.make({"KEY": "hush" * 2000})
        assert "hush" not in str(caught.value)


def test_last_good_needs_a_version() -> None:
    with pytest.raises(ActionError) as caught:
        Action("x", Source(Language.PYTHON, "a.py", ""), fail_policy=FailPolicy.LAST_GOOD)
    assert caught.value.code == "missing_last_good"
