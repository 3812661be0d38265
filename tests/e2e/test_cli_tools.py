"""The commands around running: check, new, test, event, types, schema, triggers, images."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from runner.cli.app import app
from runner.cli.tenant.app import tenant_app
from triggers import all_triggers

from .conftest import Cli

ROOT = Path(__file__).parents[2]
TRIGGERS = [trigger.id for trigger in all_triggers()]


class TestCheck:
    def test_good_actions(self, cli: Cli) -> None:
        result = cli("check", "welcome.js", "roles.py", "consent.js")
        assert result.status == 0
        assert "ok welcome.js: post-login (onExecutePostLogin)" in result.out
        assert "ok roles.py: post-login (on_execute_post_login)" in result.out
        assert "onContinuePostLogin" in result.out

    def test_every_problem_of_every_file_is_shown(self, cli: Cli) -> None:
        result = cli("check", "broken.js", "misspelt.js", "no.js", "welcome.js")
        assert result.status == 2
        assert "broken.js:2:13" in result.err
        assert "did you mean onExecutePostLogin" in result.err
        assert "no.js" in result.err
        assert "ok welcome.js" in result.out

    def test_against_one_trigger(self, cli: Cli) -> None:
        result = cli("check", "welcome.js", "--trigger", "event-stream")
        assert result.status == 2
        assert "does not export onExecuteEventStream; it exports onExecutePostLogin" in result.err

    def test_no_handler_runs(self, cli: Cli, folder: Path) -> None:
        (folder / "loud.py").write_text("def on_execute_post_login(event, api):\n    while True: pass\n")
        assert cli("check", "loud.py").status == 0

    def test_a_top_level_that_fails(self, cli: Cli, folder: Path) -> None:
        (folder / "top.js").write_text("throw new Error('at once');")
        result = cli("check", "top.js")
        assert result.status == 2
        assert "at once" in result.err


class TestNew:
    @pytest.mark.parametrize("trigger", TRIGGERS)
    @pytest.mark.parametrize("language", ["js", "py"])
    def test_what_it_writes_checks_runs_and_passes_its_case(
        self, cli: Cli, trigger: str, language: str
    ) -> None:
        written = cli("new", trigger, "--language", language)
        assert written.status == 0
        stem = trigger.replace("-", "_") if language == "py" else trigger
        file = f"{stem}.{language}"
        assert cli("check", file).status == 0
        ran = cli("run", file)
        assert ran.status == 0, ran.out
        assert f"running for trigger {trigger}" in ran.out
        assert cli("test", f"{stem}.case.yaml").status == 0

    def test_both_languages_fit_into_one_folder(self, cli: Cli, folder: Path) -> None:
        for output in ("mine.js", "mine.py"):
            assert cli("new", "post-login", "-o", output).status == 0
            assert cli("test", *(str(case) for case in folder.glob("mine*.case.yaml"))).status == 0
        for language in ("js", "py"):
            assert cli("new", "post-login", "--language", language).status == 0
        found = {"mine.case.yaml", "mine.py.case.yaml", "post-login.case.yaml", "post_login.case.yaml"}
        assert {case.name for case in folder.glob("*.case.yaml")} == found
        assert cli("new", "post-login", "-o", "mine.js").status == 2, "and nothing is replaced"

    def test_the_output_tells_the_language(self, cli: Cli, folder: Path) -> None:
        assert cli("new", "post-login", "-o", "mine.py").status == 0
        assert "async def on_execute_post_login" in (folder / "mine.py").read_text()
        assert (folder / "mine.case.yaml").exists()

    def test_force_replaces(self, cli: Cli, folder: Path) -> None:
        assert cli("new", "post-login", "-o", "welcome.js", "--force").status == 0
        assert "running for trigger" in (folder / "welcome.js").read_text()


class TestTest:
    CASES = """
trigger: post-login
cases:
  - {name: good, actions: [welcome.js], expect: {decision: allow}}
  - {name: bad, actions: [throw.js], expect: {decision: allow, effects: {id_token_claims: {a: 1}}}}
  - {name: later, actions: [welcome.js], skip: not yet, expect: {decision: allow}}
"""

    def test_differences_are_shown_and_the_status_is_1(self, cli: Cli, folder: Path) -> None:
        (folder / "a.case.yaml").write_text(self.CASES)
        result = cli("test", "--junit", "report.xml")
        assert result.status == 1
        for text in ("ok", "FAIL", ":: bad", "$.decision", "'allow'", "'failed'", "no such plan", "not yet"):
            assert text in result.out
        assert "1 passed, 1 failed, 1 skipped" in result.out
        root: Any = ET.parse(folder / "report.xml").getroot()
        assert root.find("testsuite").get("tests") == "3"

    def test_a_filter(self, cli: Cli, folder: Path) -> None:
        (folder / "a.case.yaml").write_text(self.CASES)
        result = cli("test", ".", "--filter", "GOOD")
        assert result.status == 0
        assert "1 passed" in result.out
        assert cli("test", ".", "--filter", "nothing").status == 2

    def test_an_unusable_file_is_status_2_and_the_others_run(self, cli: Cli, folder: Path) -> None:
        (folder / "a.case.yaml").write_text(self.CASES)
        (folder / "b.case.yaml").write_text("{trigger: post-login, expect: {decison: 1}}")
        result = cli("test", "--junit", "report.xml")
        assert result.status == 2
        assert "b.case.yaml" in result.out
        assert "ok" in result.out
        root: Any = ET.parse(folder / "report.xml").getroot()
        assert [suite.get("errors") for suite in root] == ["0", "1"]


class TestAbout:
    def test_triggers(self, cli: Cli) -> None:
        result = cli("triggers")
        assert result.status == 0
        assert all(trigger in result.out for trigger in TRIGGERS)
        listed = json.loads(cli("triggers", "--json").out)
        assert [item["id"] for item in listed if not item["experimental"]] == TRIGGERS
        assert any(item["experimental"] for item in listed)
        assert listed[0]["handlers"] == ["onExecutePostLogin", "onContinuePostLogin"]

    @pytest.mark.parametrize("trigger", TRIGGERS)
    def test_each_example_event_runs(self, cli: Cli, folder: Path, trigger: str) -> None:
        (folder / "event.json").write_text(cli("event", trigger).out)
        cli("new", trigger, "--language", "js")
        assert cli("run", f"{trigger}.js", "--event", "event.json").status == 0

    def test_schema_is_json(self, cli: Cli) -> None:
        assert "$schema" in json.loads(cli("schema", "post-login").out)
        outcome = json.loads(cli("schema", "outcome").out)
        printed = json.loads(cli("run", "welcome.js", "--json").out)
        assert set(printed) == set(outcome["properties"])

    def test_images_are_there_at_once_the_second_time(self, cli: Cli) -> None:
        assert cli("images").status == 0
        began = time.monotonic()
        result = cli("images")
        assert result.status == 0
        assert time.monotonic() - began < 5
        assert "ready" in result.err

    def test_help_of_every_command(self, cli: Cli) -> None:
        names = [
            command.name or command.callback.__name__
            for group in (app, tenant_app)
            for command in group.registered_commands
            if command.callback
        ]
        assert len(names) >= 11
        page = (ROOT / "docs" / "cli.md").read_text()
        for name in names:
            result = cli(name, "--help")
            assert result.status == 0
            assert re.search(rf"^\|.*`{name}[ `]", page, re.MULTILINE), f"docs/cli.md does not mention {name}"

    def test_the_version(self, cli: Cli) -> None:
        assert cli("--version").out.startswith("actionbox ")


class TestProcess:
    """The real thing, as a shell starts it."""

    def call(self, *arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "from runner.cli import main; main()", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        )

    def test_an_event_from_standard_input_and_json_on_standard_output(self, folder: Path) -> None:
        event = self.call("event", "post-login").stdout
        result = self.call("run", "welcome.js", "deny.js", "--event", "-", "--json", stdin=event)
        assert result.returncode == 1
        assert result.stderr == ""
        assert json.loads(result.stdout)["decision"] == "deny"

    def test_output_is_plain_without_a_terminal(self, folder: Path) -> None:
        result = self.call("run", "throw.js", "welcome.js", "-t", "post-login")
        assert result.returncode == 2
        assert "\x1b" not in result.stdout + result.stderr

    def test_a_terminal_of_few_characters_is_no_problem(self, folder: Path) -> None:
        (folder / "a.py").write_text("def on_execute_post_login(event, api):\n    print('日本 👩')\n")
        result = self.call("run", "a.py", PYTHONIOENCODING="ascii")
        assert result.returncode == 0
        assert "\\u65e5" in result.stdout

    def test_a_reader_that_goes_away_is_no_traceback(self, folder: Path) -> None:
        process = subprocess.Popen(
            [sys.executable, "-c", "from runner.cli import main; main()", "types"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PYTHONPATH": str(ROOT)},
            cwd=folder,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        error = process.stderr.read().decode()
        process.wait(60)
        process.stderr.close()
        assert "Traceback" not in error
        assert "Exception ignored" not in error

    def test_watch_runs_again_on_a_change(self, folder: Path) -> None:
        process = subprocess.Popen(
            [
                sys.executable,
                "-u",
                "-c",
                "from runner.cli import main; main()",
                "run",
                "welcome.js",
                "--watch",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert process.stdout is not None
        try:
            self.read_until(process.stdout, "hello Maya")
            time.sleep(0.5)  # the watch begins after the first run
            (folder / "welcome.js").write_text("exports.onExecutePostLogin = () => (")
            self.read_until(process.stdout, "syntax")
            (folder / "welcome.js").write_text(
                "exports.onExecutePostLogin = async () => { console.log('second'); };"
            )
            self.read_until(process.stdout, "second")
        finally:
            process.terminate()
            process.wait(10)
            process.stdout.close()

    def test_an_interrupt_ends_a_spinning_guest_at_once(self, folder: Path) -> None:
        process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                # A shell starts background jobs with SIGINT ignored, and children inherit that.
                "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
                "from runner.cli import main; main()",
                "run",
                "spin.js",
                "-t",
                "post-login",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert process.stderr is not None
        self.read_until(process.stderr, "example event")
        time.sleep(0.5)  # the guest spins by now
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        _, error = process.communicate(timeout=30)
        assert time.monotonic() - began < 5, "the guest had nearly 20 s left"
        assert process.returncode == 130
        assert "Traceback" not in error

    def read_until(self, stream: Any, text: str) -> None:
        for line in stream:
            if text in line:
                return
        pytest.fail(f"the command ended without {text!r}")


def test_a_machine_that_cannot_be_set_up_is_no_fault_of_ours(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong with the cache, npm or a compiler is told with what to do, as for any other mistake."""
    cache = tmp_path / "cache"
    cache.mkdir()
    cache.chmod(0o777)
    monkeypatch.setenv("ACTIONBOX_CACHE", str(cache))
    monkeypatch.setattr("os.geteuid", lambda: 4711)
    result = cli("images", "--list")
    assert result.status == 2
    assert result.err.startswith(f"error: The cache folder {cache} cannot be trusted: it ")
    assert "set ACTIONBOX_CACHE to a folder of your own" in result.err
