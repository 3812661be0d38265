"""`actionbox replay` and `verify`: records of files, folders and a service, and changes to them."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from runner.cli.replay.show import fidelity_text
from runner.replay.execution_record import ExecutionRecord
from runner.replay.record import FlowRecord, stamped, write_record
from runner.replay.recorded import read_recorded
from sandbox.core.program import Language

from .conftest import Cli

ID = "01890a5d-ac96-774b-bcce-b302099a8057"
DENY = """\
exports.onExecutePostLogin = async (event, api) => {
  const roles = event.authorization?.roles ?? [];
  console.log("roles", roles, Date.now());
  if (!roles.includes("admin")) {
    return api.access.deny("no admin");
  }
};
"""


@pytest.fixture
def denied(cli: Cli, folder: Path) -> FlowRecord:
    """A login that was denied, as the service would keep it."""
    (folder / "staff.js").write_text(DENY)
    assert cli("run", "staff.js", "--record", "staff.json").status == 1
    record = read_recorded(folder / "staff.json").legs[0].model_copy(update={"execution_id": ID})
    (folder / "staff.json").unlink()
    return stamped(record)


def whole(*legs: FlowRecord, **changes: Any) -> ExecutionRecord:
    now = datetime(2026, 12, 1, 14, 0, tzinfo=UTC)
    facts: dict[str, Any] = {
        "execution_id": legs[0].execution_id,
        "tenant": "local",
        "trigger": "post-login",
        "form": "plain",
        "kept_because": "denials",
        "created_at": now,
        "expires_at": now + timedelta(days=7),
        "legs": legs,
    }
    return ExecutionRecord(**{**facts, **changes})


class _Service(ThreadingHTTPServer):
    """Answers requests for records, and keeps their tokens."""

    answers: dict[str, tuple[int, str]]
    tokens: list[str]


@pytest.fixture
def service(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Service]:
    class Handler(BaseHTTPRequestHandler):
        server: _Service

        def do_GET(self) -> None:
            self.server.tokens.append(self.headers.get("authorization", ""))
            status, text = self.server.answers.get(
                self.path, (404, '{"statusCode": 404, "message": "That execution does not exist."}')
            )
            self.send_response(status)
            self.send_header("content-length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = _Service(("127.0.0.1", 0), Handler)
    server.answers, server.tokens = {}, []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("ACTIONBOX_PROFILES", str(folder.parent / "profiles"))
    monkeypatch.setenv("ACTIONBOX_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("ACTIONBOX_TOKEN", "a-token-of-the-tenant")
    yield server
    server.shutdown()
    server.server_close()


def test_a_fidelity_stamp_is_told_in_words() -> None:
    told = {"verdict": "differs", "call": "call 3", "field": "$.user.email"}
    assert fidelity_text(told) == "differs at call 3 because $.user.email was masked"
    assert fidelity_text({**told, "field": None}) == "differs at call 3 because of what was masked"
    assert fidelity_text({"verdict": "same decision"}) == "same decision"
    assert fidelity_text({}) == "unknown"


def path_of(execution_id: str) -> str:
    return f"/runtime/v1/executions/{execution_id}/record"


class TestOfAService:
    def test_an_execution_is_fetched_and_runs_again(
        self, cli: Cli, folder: Path, denied: FlowRecord, service: _Service
    ) -> None:
        service.answers[path_of(ID)] = (
            200,
            whole(denied, form="redacted", fidelity={"verdict": "exact"}).to_json(),
        )
        result = cli("replay", ID, "--save", "kept.json")
        assert result.status == 0, result.err
        assert f"{ID} · redacted record · fidelity: exact · recorded 2026-12-01 14:00" in result.out
        assert "kept until 2026-12-08" in result.out
        assert "Denied (access_denied): no admin" in result.out
        assert "Identical: 4 host calls, all as recorded" in result.out
        assert service.tokens == ["Bearer a-token-of-the-tenant"]
        assert stat.S_IMODE((folder / "kept.json").stat().st_mode) == 0o600
        assert cli("replay", "kept.json").status == 0
        assert len(service.tokens) == 1

    @pytest.mark.parametrize(
        ("status", "message", "told"),
        [
            (404, "That execution does not exist.", "`actionbox executions` lists"),
            (404, "It was not kept: the policy keeps failures.", "the policy keeps failures"),
            (410, "Its record was erased.", "cannot be had again"),
            (410, "Its record expired on 2026-11-01.", "expired on 2026-11-01"),
            (
                403,
                "The token lacks read:execution_data.",
                "a client that has the scope",
            ),
            (401, "The token is not valid.", "Sign in again"),
        ],
    )
    def test_what_the_service_does_not_give_is_told_in_its_words(
        self, cli: Cli, service: _Service, status: int, message: str, told: str
    ) -> None:
        service.answers[path_of(ID)] = (status, json.dumps({"statusCode": status, "message": message}))
        result = cli("replay", ID)
        assert result.status == 2
        assert f"the service answered {status}: {message}" in result.err
        assert told in result.err

    def test_another_execution_is_not_taken_for_it(
        self, cli: Cli, denied: FlowRecord, service: _Service
    ) -> None:
        other = f"exe_{'0' * 32}"
        service.answers[path_of(other)] = (200, whole(denied).to_json())
        result = cli("replay", other)
        assert result.status == 2
        assert f"the service gave the record of {ID}" in result.err

    @pytest.mark.parametrize("text", ["", "[]", "nonsense", '{"schema": "actionbox.execution-record/7"}'])
    def test_a_service_may_answer_anything(self, cli: Cli, service: _Service, text: str) -> None:
        service.answers[path_of(ID)] = (200, text)
        assert cli("replay", ID).status == 2

    def test_without_a_connection_it_says_what_to_do(
        self, cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ACTIONBOX_PROFILES", str(folder.parent / "none"))
        for name in ("ACTIONBOX_URL", "ACTIONBOX_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        result = cli("replay", ID)
        assert result.status == 2
        assert "actionbox login URL" in result.err
        nothing = cli("replay", "exe_12")
        assert "there is no record exe_12, and it is no id of an execution" in nothing.err


class TestLegs:
    def test_a_flow_that_suspended_is_replayed_as_one(self, cli: Cli, folder: Path) -> None:
        asked = cli("run", "consent.js", "--record", "one.json", "--json")
        handle = json.loads(asked.out)["suspension"]
        cli(
            "resume", handle["handle"], "--query", f"state={handle['state']}", "--query", "answer=no",
            "--record", "two.json",
        )  # fmt: skip
        record = whole(read_recorded(folder / "one.json").legs[0], read_recorded(folder / "two.json").legs[0])
        write_record(folder / "flow.json", record)
        result = cli("replay", "flow.json")
        assert result.status == 0, result.out
        assert "Suspended" in result.out
        assert "Denied (access_denied): no consent" in result.out
        assert "Identical: 2 legs, " in result.out
        (folder / "consent.js").write_text((folder / "consent.js").read_text().replace("no consent", "no"))
        changed = cli("replay", "flow.json", "--with", "consent.js")
        assert changed.status == 1
        assert "leg 2, Action 1 (consent), call " in changed.out, changed.out
        assert 'recorded  api.access.deny ["no consent"]' in changed.out
        facts = json.loads(cli("replay", "flow.json", "--with", "consent.js", "--json").out)
        assert [leg["result"] for leg in facts["legs"]] == ["same", "differs"]


class TestWith:
    @pytest.fixture(autouse=True)
    def recorded(self, folder: Path, denied: FlowRecord) -> None:
        write_record(folder / "staff.json", denied)

    def test_the_same_source_does_the_same(self, cli: Cli) -> None:
        result = cli("replay", "staff.json", "--with", "staff.js")
        assert (result.status, result.out.splitlines()[-1]) == (
            0,
            "Same: the same calls and the same outcome as recorded",
        )

    def test_a_draft_that_differs_shows_both_sides(self, cli: Cli, folder: Path) -> None:
        (folder / "draft.js").write_text(DENY.replace('"admin"', '"berth-manager"'))
        result = cli("replay", "staff.json", "--with", "draft.js", "--case", "mended.case.yaml")
        assert result.status == 1
        assert 'Action 1 (staff), call 4\n    recorded  api.access.deny ["no admin"]\n' in result.out
        assert "    now       nothing more" in result.out
        assert "$.decision\n    recorded  'deny'\n    now       'allow'" in result.out
        assert cli("test", "mended.case.yaml").status == 0
        assert "file: draft.js" in (folder / "mended.case.yaml").read_text()

    def test_what_the_record_does_not_know_is_told(self, cli: Cli, folder: Path) -> None:
        ask = 'await fetch("https://api.example/x");\n  const roles'
        (folder / "draft.js").write_text(DENY.replace("const roles", ask))
        result = cli("replay", "staff.json", "--with", "draft.js")
        assert result.status == 1
        told = "Asked what the record does not know: Action 1: GET https://api.example/x"
        assert told in result.out
        facts = json.loads(cli("replay", "staff.json", "--with", "draft.js", "--json").out)
        assert facts["result"] == "asked"

    def test_which_action_it_replaces_is_found_or_asked_for(self, cli: Cli, folder: Path) -> None:
        cli("run", "welcome.js", "roles.py", "deny.js", "-t", "post-login", "--record", "three.json")
        (folder / "other.py").write_text((folder / "roles.py").read_text())
        assert cli("replay", "three.json", "--with", "deny.js").status == 0
        unsure = cli("replay", "three.json", "--with", "other.py")
        assert unsure.status == 2
        assert "there are 'welcome', 'roles', 'deny'" in unsure.err
        assert cli("replay", "three.json", "--with", "other.py", "--action", "roles").status == 0
        wrong = cli("replay", "three.json", "--with", "other.py", "--action", "deny")
        assert "other.py is python, and Action 'deny' is javascript" in wrong.err


class TestLooking:
    def test_expressions_and_steps(self, cli: Cli, folder: Path, denied: FlowRecord) -> None:
        write_record(folder / "staff.json", denied)
        logged = cli(
            "replay", "staff.json", "--log", "staff.js:4 roles", "--log", "staff.js:5 event.user.email"
        )
        assert logged.status == 0
        assert "staff.js:4  roles = [ 'berth-manager' ]" in logged.out
        assert "staff.js:5  event.user.email = maya.okafor@harbor.example" in logged.out
        near = cli("replay", "staff.json", "--log", "staff.js:6 roles")
        assert "no statement begins on line 6; one does on 2, 3, 4, 5" in near.err
        steps = cli("replay", "staff.json", "--step")
        assert steps.status == 0
        assert '   4  api.access.deny ["no admin"]  staff.js:5' in steps.out
        assert steps.out.endswith("Identical\n")

    @pytest.mark.parametrize(
        "options", [["--watch"], ["--step", "--json"], ["--log", "x"], ["--case", "a.yaml"]]
    )
    def test_options_that_do_not_fit_are_refused(
        self, cli: Cli, folder: Path, denied: FlowRecord, options: list[str]
    ) -> None:
        write_record(folder / "staff.json", denied)
        assert cli("replay", "staff.json", *options).status == 2


class TestFolders:
    @pytest.fixture
    def records(self, folder: Path, denied: FlowRecord) -> Path:
        records = folder / "records" / "deeper"
        records.mkdir(parents=True)
        write_record(records.parent / "a.json", denied)
        write_record(records / "b.json", whole(denied))
        return records.parent

    def test_a_folder_of_records(self, cli: Cli, records: Path) -> None:
        for command in ("replay", "verify"):
            result = cli(command, "records")
            assert result.status == 0, result.out
            assert "same       records/a.json  post-login  1 leg  4 host calls" in result.out
            assert result.out.splitlines()[-1] == "2 same of 2 files"

    def test_differences_and_bad_files_are_counted_and_end_nothing(
        self, cli: Cli, records: Path, denied: FlowRecord
    ) -> None:
        (records / "c.json").write_text("{")
        assert cli("verify", "records").status == 2
        guest = denied.engines[Language.JAVASCRIPT].model_copy(update={"guest": "0" * 64})
        outcome = {**denied.outcome, "decision": "allow"}
        other = denied.model_copy(update={"outcome": outcome, "engines": {Language.JAVASCRIPT: guest}})
        write_record(records / "d.json", stamped(other))
        result = cli("verify", "records", "--junit", "report.xml")
        assert result.status == 1
        assert result.out.splitlines()[-1] == "2 same, 1 different, 1 unusable of 4 files"
        assert "UNUSABLE   records/c.json" in result.out
        assert "leg 1, $.decision: recorded 'allow', now 'deny'" in result.out
        assert "other engine: recorded by javascript guest 000000000000" in result.out
        facts = json.loads(cli("verify", "records", "--json").out)
        assert [item["result"] for item in facts["files"]] == ["same", "unusable", "different", "same"]
        suite = ET.parse(records.parent / "report.xml").getroot()
        assert {name: suite.get(name) for name in ("tests", "failures", "errors")} == {
            "tests": "4",
            "failures": "1",
            "errors": "1",
        }

    def test_folders_without_records(self, cli: Cli, folder: Path) -> None:
        assert "there is no record (*.json) in" in cli("replay", ".").err
        assert cli("verify", "nowhere").status == 2
        assert "--with takes one record" in cli("replay", ".", "--with", "deny.js").err
