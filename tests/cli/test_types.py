"""`actionbox types`: typings on the terminal, or as files under the names that their headers mention."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests import forked
from triggers import get_trigger, known_triggers
from triggers.generate.typings import javascript, python

TRIGGERS = [trigger.id for trigger in known_triggers()]


def actionbox(*arguments: str) -> subprocess.CompletedProcess[str]:
    return forked.run(arguments, os.environ)


def test_typings_of_one_trigger_are_printed():
    assert actionbox("types", "post-login").stdout == javascript(get_trigger("post-login"))
    assert actionbox("types", "event-stream", "-l", "py").stdout == python(get_trigger("event-stream"))


def test_files_for_both_languages_are_written(tmp_path):
    folder = tmp_path / "new" / "types"
    done = actionbox("types", "--out", str(folder))
    assert done.returncode == 0
    names = {f"{name}.d.ts" for name in TRIGGERS} | {f"{name.replace('-', '_')}.pyi" for name in TRIGGERS}
    assert {path.name for path in folder.iterdir()} == names
    assert (folder / "post_login.pyi").read_text() == python(get_trigger("post-login"))


@pytest.mark.parametrize(("language", "name"), [("js", "event-stream.d.ts"), ("py", "event_stream.pyi")])
def test_one_language_can_be_chosen(tmp_path, language, name):
    actionbox("types", "event-stream", "-l", language, "--out", str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    done = actionbox("types", "--out", str(tmp_path / "file" / "below"))
    assert done.returncode == 2
    assert "cannot write typings to" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_broken_event_is_explained_with_paths_and_hints(tmp_path):
    (tmp_path / "a.js").write_text("exports.onExecutePostLogin = async () => {};")
    (tmp_path / "e.json").write_text('{"user": {"userId": "x"}, "stats": {"logins_count": "1"}}')
    done = actionbox(
        "run",
        str(tmp_path / "a.js"),
        "--trigger",
        "post-login",
        "--strict",
        "--event",
        str(tmp_path / "e.json"),
    )
    assert done.returncode == 2
    assert '$.stats.logins_count: expected a number, found a string ("1")' in done.stderr
    assert "$.user.user_id: expected a string, found nothing; did you mean it by userId?" in done.stderr
