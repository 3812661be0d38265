"""Bad input gets one clear message, exit status 2, no traceback, and nothing on standard output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Cli

RUN = ("run", "welcome.js", "--trigger", "post-login")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "no.js"), ["no.js", "no Action file"]),
        (("run", "."), ["is a folder"]),
        (("run", "e.txt"), ["e.txt", ".js"]),
        (("run", "welcome.js", "--trigger", "post-logn"), ["post-logn", "Did you mean post-login?"]),
        (("run", "welcome.js", "--trigger", ""), ["trigger"]),
        ((*RUN, "--event", "no.json"), ["no.json"]),
        ((*RUN, "--event", "welcome.js"), ["welcome.js", "line 2, column 1"]),
        ((*RUN, "--event", "list.json"), ["must be a JSON object, not an array"]),
        ((*RUN, "--event", "wrong.json"), ["$.user.email", "expected a string", "found a number"]),
        ((*RUN, "--secret", "FOO"), ["--secret", "NAME=VALUE"]),
        ((*RUN, "--secret", "FOO="), ["FOO", "no value"]),
        ((*RUN, "--secrets", "empty.env"), ["A", "no value"]),
        ((*RUN, "--secret", "=x"), ["--secret", "no name"]),
        ((*RUN, "--secret", "A=1", "--secret", "A=2"), ["A", "twice"]),
        ((*RUN, "--secret", "A=" + "x" * 5000), ["A", "4096"]),
        ((*RUN, "--secrets", "no.json"), ["no.json"]),
        ((*RUN, "--secrets", "list.json"), ["list.json", "JSON object"]),
        ((*RUN, "--secrets", "twice.json"), ["twice.json", "'A'", "twice"]),
        ((*RUN, "--secrets", "number.json"), ["number.json", "'A'", "string"]),
        ((*RUN, "--secrets", "stranger.json"), ["'nobody'", "welcome"]),
        ((*RUN, "--secrets", "bad.env"), ["bad.env", "line 2"]),
        ((*RUN, "--secrets", "twice.env"), ["twice.env", "line 2", "'A'"]),
        ((*RUN, "--secrets", "cut.json"), ["cut.json", "line 1, column"]),
        ((*RUN, "--timeout", "0"), ["--timeout", "0.001"]),
        ((*RUN, "--timeout", "nan"), ["--timeout"]),
        ((*RUN, "--timeout", "1e9"), ["--timeout", "600"]),
        ((*RUN, "--timeout", "x"), ["--timeout"]),
        ((*RUN, "--memory", "1"), ["--memory", "32"]),
        ((*RUN, "--memory", "999999"), ["--memory", "2048"]),
        ((*RUN, "--clock", "noon"), ["--clock", "noon", "ISO 8601"]),
        ((*RUN, "--seed", "x"), ["--seed"]),
        ((*RUN, "--stub", "no.yaml"), ["no.yaml"]),
        ((*RUN, "--allow", "https://a.example"), ["--allow", "without http://"]),
        ((*RUN, "--stub", "wrong.json"), ["wrong.json", "list"]),
        ((*RUN, "--nonsense"), ["--nonsense"]),
        (("run",), ["ACTION"]),
        (("nonsense",), ["nonsense"]),
        (("event", "nope"), ["nope"]),
        (("types", "post-login", "--language", "ruby"), ["js or py", "ruby"]),
        (("new", "post-login", "--language", "ruby"), ["js or py"]),
        (("new", "post-login", "-o", "welcome.js"), ["exists already"]),
        (("new", "post-login", "-o", "x.rb"), [".js"]),
        (("new", "post-login", "-o", "x.py", "-l", "js"), ["does not fit"]),
        (("new", "post-login", "-o", "no/x.py"), ["no/x.py"]),
        (("new", "nope"), ["nope"]),
        (("test", "no"), ["no"]),
        (("test", "."), ["no case file"]),
        (("check", "no.js"), ["no.js"]),
    ],
)
def test_one_clear_message(cli: Cli, folder: Path, arguments: tuple[str, ...], words: list[str]) -> None:
    event = json.loads(cli("event", "post-login").out)
    event["user"]["email"] = 3
    files = {
        "e.txt": "",
        "list.json": "[]",
        "wrong.json": json.dumps(event),
        "twice.json": '{"A": "1", "A": "2"}',
        "number.json": '{"A": 1}',
        "stranger.json": '{"nobody": {"A": "1"}}',
        "cut.json": '{"A": ',
        "empty.env": "A=\n",
        "bad.env": "A=1\njust words\n",
        "twice.env": "A=1\nA=2\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    result = cli(*arguments)
    assert result.status == 2
    assert result.out == ""
    flat = " ".join(result.err.replace("│", " ").split())
    for word in words:
        assert word in flat


def test_a_misspelt_handler_names_what_there_is(cli: Cli) -> None:
    guessed = cli("run", "misspelt.js")
    assert guessed.status == 2
    assert "onExecutePostLogn" in guessed.err
    assert "onExecutePostLogin" in guessed.err
    told = cli("run", "misspelt.js", "--trigger", "post-login")
    assert told.status == 2
    assert "onExecutePostLogn" in told.out
    assert "onExecutePostLogin" in told.out


def test_a_syntax_error_has_file_line_column_and_caret(cli: Cli) -> None:
    result = cli("run", "broken.js", "--trigger", "post-login")
    assert result.status == 2
    lines = result.out.splitlines()
    at = next(i for i, text in enumerate(lines) if "broken.js:2:13" in text)
    assert lines[at + 1].endswith("const x = ;")
    assert lines[at + 2].index("^") == lines[at + 1].index(";")


def test_an_invalid_claim_name_is_a_typed_failure(cli: Cli, folder: Path) -> None:
    (folder / "claim.js").write_text(
        "exports.onExecutePostLogin = async (event, api) => {\n"
        "  api.idToken.setCustomClaim('scope', 1);\n};\n"
    )
    result = cli("run", "claim.js")
    assert result.status == 2
    assert "invalid_command" in result.out
    assert "scope" in result.out
    assert "claim.js:2:" in result.out


def test_actions_of_several_triggers_need_the_trigger_named(cli: Cli, folder: Path) -> None:
    (folder / "other.js").write_text("exports.onExecuteEventStream = async () => {};")
    result = cli("run", "welcome.js", "other.js")
    assert result.status == 2
    assert "different triggers" in result.err
    (folder / "two.js").write_text(
        "exports.onExecuteEventStream = async () => {}; exports.onExecutePostLogin = async () => {};"
    )
    result = cli("run", "two.js")
    assert result.status == 2
    assert "several triggers" in result.err
    assert cli("run", "two.js", "welcome.js").status == 0


def test_a_secret_is_not_echoed_when_it_is_mistyped(cli: Cli) -> None:
    result = cli(*RUN, "--secret", "hunter2-is-my-password")
    assert "hunter2" not in result.err


def test_a_folder_that_cannot_hold_a_suspended_flow(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACTIONBOX_STATE", str(folder / "welcome.js"))
    result = cli("run", "consent.js")
    assert result.status == 2
    assert "cannot be kept" in result.err
    assert "ACTIONBOX_STATE" in result.err


class TestFaults:
    @pytest.fixture
    def faulty(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import runner.cli.author.about as about

        def fail(_: str) -> None:
            raise RuntimeError("the inner story")

        monkeypatch.setattr(about, "event_command", fail)

    def test_a_fault_of_ours_shows_an_id_and_no_story(self, cli: Cli, faulty: None) -> None:
        result = cli("event", "post-login")
        assert result.status == 2
        assert "fault" in result.err
        assert "inner story" not in result.err

    def test_debug_keeps_the_story_in_a_file(
        self, cli: Cli, faulty: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        result = cli("--debug", "event", "post-login")
        assert result.status == 2
        (log,) = tmp_path.glob("actionbox-*.log")
        assert str(log) in result.err
        assert "the inner story" in log.read_text()
        assert log.stat().st_mode & 0o077 == 0
