"""`actionbox run` and `resume`: outcomes, exit status and what is printed."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from runner.model.outcome import FlowOutcome
from runner.replay.record import FlowRecord, stamped, write_record

from .conftest import Cli

CALL = """
exports.onExecutePostLogin = async () => {
  const { n } = await (await fetch("https://api.example/n")).json();
  console.log("n is", n);
};
"""


class TestRun:
    def test_a_mixed_flow_shows_timeline_logs_and_effects(self, cli: Cli) -> None:
        result = cli("run", "welcome.js", "roles.py", "--trigger", "post-login")
        assert result.status == 0
        for text in (
            "post-login v3 · 2 Actions",
            "1 welcome",
            "2 roles",
            "welcome maya.okafor@harbor.example",
            "Allowed",
            '"hello Maya"',
            '"gold"',
        ):
            assert text in result.out
        assert "example event" in result.err

    def test_a_denial_is_status_1_with_the_reason(self, cli: Cli) -> None:
        result = cli("run", "deny.js", "welcome.js")
        assert result.status == 1
        assert "Denied (access_denied): closed on Sundays" in result.out
        assert re.search(r"2 welcome +javascript +skipped", result.out)

    def test_a_failure_is_status_2_with_place_caret_and_stack(self, cli: Cli) -> None:
        result = cli("run", "throw.js", "--trigger", "post-login")
        assert result.status == 2
        lines = result.out.splitlines()
        at = next(i for i, line in enumerate(lines) if "throw.js:3:" in line)
        assert lines[at + 1].strip().startswith('throw new TypeError("no such plan')
        assert lines[at + 2].strip() == "^"
        column = int(lines[at].rpartition(":")[2])
        assert lines[at + 2].index("^") == lines[at + 1].index("throw") - 2 + column - 1
        assert "throw: TypeError: no such plan: undefined" in result.out
        assert "at check (throw.js:3:" in result.out
        assert "next: " in result.out
        assert "about to fail" in result.out

    def test_a_time_limit_stops_the_flow(self, cli: Cli) -> None:
        result = cli("run", "spin.js", "--trigger", "post-login", "--timeout", "0.2")
        assert result.status == 2
        assert "timeout" in result.out

    def test_a_memory_limit_stops_an_action(self, cli: Cli, folder: Path) -> None:
        (folder / "eat.js").write_text(
            "exports.onExecutePostLogin = async () => {"
            " const a = []; while (true) a.push('x'.repeat(1e6) + a.length); };"
        )
        result = cli("run", "eat.js", "--trigger", "post-login", "--memory", "32")
        assert result.status == 2
        assert "memory" in result.out

    def test_json_is_the_outcome_and_nothing_else(self, cli: Cli) -> None:
        result = cli("run", "welcome.js", "deny.js", "--trigger", "post-login", "--json")
        assert result.status == 1
        assert result.out.count("\n") == 1
        outcome = FlowOutcome.from_json(result.out)
        assert outcome.decision == "deny"
        assert json.loads(result.out)["schema"] == "actionbox.outcome/1"

    def test_an_event_from_a_file(self, cli: Cli, folder: Path) -> None:
        event = json.loads(cli("event", "post-login").out)
        event["user"]["given_name"] = "Ada"
        (folder / "event.json").write_text(json.dumps(event))
        result = cli("run", "welcome.js", "--event", "event.json")
        assert '"hello Ada"' in result.out
        assert result.err == ""

    def test_guest_text_cannot_steer_the_terminal(self, cli: Cli, folder: Path) -> None:
        (folder / "evil.js").write_text(
            r"exports.onExecutePostLogin = async (event, api) => {"
            r" console.log('\x1b[2J\u202e\r\nAllowed'); api.access.deny('\x1b[31m\u2066x\nAllowed'); };"
        )
        result = cli("run", "evil.js")
        assert result.status == 1
        assert not set(result.out) & {"\x1b", "\u202e", "\u2066", "\r"}
        assert "Allowed" not in result.out.splitlines()

    def test_secrets_reach_the_action_and_not_the_screen(self, cli: Cli, folder: Path) -> None:
        (folder / "leak.py").write_text(
            "async def on_execute_post_login(event, api):\n"
            "    print(event.secrets.API_KEY, event.secrets.OTHER)\n"
            "    api.id_token.set_custom_claim('k', event.secrets.API_KEY)\n"
        )
        (folder / "secrets.env").write_text("# ours\nexport OTHER='short'\nAPI_KEY=from-the-file\n")
        result = cli("run", "leak.py", "--secrets", "secrets.env", "--secret", "API_KEY=from=the=option")
        assert result.status == 0
        assert "[secret API_KEY] short" in result.out
        assert "option" not in result.out

    def test_secrets_of_single_actions(self, cli: Cli, folder: Path) -> None:
        show = "async def on_execute_post_login(event, api):\n    print(event.secrets.A, event.secrets.B)\n"
        (folder / "one.py").write_text(show)
        (folder / "two.py").write_text(show)
        (folder / "s.json").write_text('{"A": "all", "one": {"B": "1"}, "two.py": {"B": "2"}}')
        result = cli("run", "one.py", "two.py", "--secrets", "s.json")
        assert "all 1" in result.out
        assert "all 2" in result.out

    def test_secrets_in_the_event_file_come_last(self, cli: Cli, folder: Path) -> None:
        (folder / "show.py").write_text(
            "async def on_execute_post_login(event, api):\n    print(len(event.secrets.API_KEY))\n"
        )
        (folder / "event.json").write_text(cli("event", "post-login").out)
        own = cli("run", "show.py", "--event", "event.json")
        assert own.out.count(f"log   {len('example-secret-value')}\n") == 1
        assert "log   3\n" in cli("run", "show.py", "--event", "event.json", "--secret", "API_KEY=abc").out

    def test_answers_that_were_recorded_answer_the_next_run(self, cli: Cli, folder: Path) -> None:
        (folder / "call.js").write_text(CALL)
        (folder / "stubs.yaml").write_text("- {url: https://api.example/*, answer: {json: {n: 42}}}\n")
        first = cli("run", "call.js", "--stub", "stubs.yaml", "--record-stubs", "kept.yaml")
        assert "1 stub written to kept.yaml" in first.err
        assert (folder / "kept.yaml").stat().st_mode & 0o077 == 0
        assert "url_exact: https://api.example/n" in (folder / "kept.yaml").read_text()
        second = cli("run", "call.js", "--stub", "kept.yaml")
        assert "n is 42" in first.out
        assert "n is 42" in second.out

    def test_stubs_that_cannot_be_written_are_told(self, cli: Cli) -> None:
        result = cli("run", "welcome.js", "--trigger", "post-login", "--record-stubs", "no/folder.yaml")
        assert result.status == 2
        assert "stubs cannot be written to no/folder.yaml" in result.err

    def test_only_allowed_hosts_are_reached(self, cli: Cli, folder: Path) -> None:
        (folder / "call.js").write_text(CALL)
        (folder / "stubs.yaml").write_text("- {url: https://api.example/*, answer: {json: {n: 42}}}\n")
        run = ("run", "call.js", "--stub", "stubs.yaml")
        assert cli(*run, "--allow", "b.example", "--allow", "GET api.example/n").status == 0
        result = cli(*run, "--allow", "POST api.example")
        assert result.status == 2
        assert "egress: " in result.out
        assert "allow-list" in result.out

    def test_requests_are_answered_from_stubs(self, cli: Cli, folder: Path) -> None:
        (folder / "call.py").write_text(
            "async def on_execute_post_login(event, api):\n"
            "    print((await fetch('https://api.example/x')).json()['n'])\n"
        )
        (folder / "stubs.yaml").write_text("- {url: https://api.example/*, answer: {json: {n: 42}}}\n")
        result = cli("run", "call.py", "--stub", "stubs.yaml")
        assert result.status == 0, result.out
        assert "42" in result.out
        assert "1 request" in result.out

    def test_clock_and_randomness_can_be_fixed(self, cli: Cli, folder: Path) -> None:
        (folder / "now.js").write_text(
            "exports.onExecutePostLogin = async () => console.log(new Date().toISOString(), Math.random());"
        )
        first, second = (
            cli("run", "now.js", "--clock", "2025-03-16T09:00:00+01:00", "--seed", "5", "--json").out
            for _ in range(2)
        )
        texts = [json.loads(out)["actions"][0]["logs"][0]["text"] for out in (first, second)]
        assert texts[0].startswith("2025-03-16T08:00:00.000Z 0.")
        assert texts[0] == texts[1]

    def test_private_addresses_are_refused_without_leave(self, cli: Cli, folder: Path) -> None:
        (folder / "call.py").write_text(
            "async def on_execute_post_login(event, api):\n    await fetch('http://127.0.0.1:9/')\n"
        )
        result = cli("run", "call.py")
        assert result.status == 2
        assert "egress" in result.out

    @pytest.mark.parametrize("language", ["js", "py"])
    def test_a_local_server_is_reached_with_leave(self, cli: Cli, folder: Path, language: str) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                self.send_response(201)
                self.send_header("content-type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps({"got": json.loads(body)}).encode())

            def log_message(self, *_: object) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/x"
        (folder / "call.js").write_text(
            "exports.onExecutePostLogin = async (event, api) => {"
            f" const reply = await fetch('{url}', {{ method: 'POST', body: JSON.stringify({{ a: 1 }}) }});"
            " console.log(reply.status, JSON.stringify(await reply.json())); };"
        )
        (folder / "call.py").write_text(
            "import json\nasync def on_execute_post_login(event, api):\n"
            f"    reply = await fetch('{url}', method='POST', json={{'a': 1}})\n"
            "    print(reply.status, json.dumps(reply.json(), separators=(',', ':')))\n"
        )
        try:
            result = cli("run", f"call.{language}", "--allow-private-network")
        finally:
            server.shutdown()
            server.server_close()
        assert result.status == 0, result.out
        assert '201 {"got":{"a":1}}' in result.out


class TestResume:
    def handle(self, out: str) -> list[str]:
        """The arguments of the command that the run printed."""
        found = re.search(r"resume with: actionbox (resume .*)", out)
        assert found is not None, out
        return found[1].split()

    def test_a_redirect_suspends_with_status_3_and_prints_how_to_resume(self, cli: Cli) -> None:
        asked = cli("run", "consent.js", "welcome.js")
        assert asked.status == 3
        assert "Suspended" in asked.out
        assert "https://consent.example/ask?state=" in asked.out
        command = self.handle(asked.out)
        done = cli(*command, "--query", "answer=yes")
        assert done.status == 0, done.err
        assert "leg 2" in done.out
        assert "hello Maya" in done.out
        again = cli(*command, "--query", "answer=yes")
        assert again.status == 2
        assert "used before" in again.err

    def test_the_answer_decides(self, cli: Cli) -> None:
        command = self.handle(cli("run", "consent.js").out)
        assert cli(*command, "--query", "answer=no").status == 1

    def test_a_wrong_state_loses_the_transaction(self, cli: Cli) -> None:
        command = self.handle(cli("run", "consent.js").out)
        lost = cli("resume", command[1], "--query", "state=wrong")
        assert lost.status == 2
        assert "state" in lost.err
        assert cli(*command).status == 2

    def test_secrets_are_given_again(self, cli: Cli) -> None:
        asked = cli("run", "consent.js", "--secret", "KEY=12345678")
        assert "--secret KEY=..." in asked.out
        command = self.handle(asked.out.replace(" --secret KEY=...", ""))
        refused = cli(*command, "--query", "answer=yes")
        assert refused.status == 2
        assert "KEY" in refused.err
        done = cli(*command, "--query", "answer=yes", "--secret", "KEY=12345678", "--json")
        assert done.status == 0
        assert json.loads(done.out)["actions"][0]["logs"][0]["text"] == "key present"

    def test_a_form_resumes_with_its_answers(self, cli: Cli) -> None:
        asked = cli("run", "form.py")
        assert asked.status == 3
        assert "--field" in asked.out
        done = cli(*self.handle(asked.out), "--field", "agree=yes", "--var", "plan=gold")
        assert done.status == 0
        assert "agreed: yes gold" in done.out

    def test_a_challenge_resumes_with_the_factor(self, cli: Cli, folder: Path) -> None:
        (folder / "mfa.js").write_text(
            "exports.onExecutePostLogin = async (event, api) => {"
            " api.authentication.enrollWith({ type: 'recovery-code' }); };"
        )
        asked = cli("run", "mfa.js", "welcome.js")
        assert asked.status == 3, asked.out
        silent = cli(*self.handle(asked.out))
        assert silent.status == 2
        assert "--enrolled" in silent.err
        done = cli(*self.handle(asked.out), "--enrolled", "recovery-code", "--method", "recovery-code")
        assert done.status == 0, done.err
        assert "hello Maya" in done.out

    def test_limits_of_the_first_run_hold_unless_others_are_given(self, cli: Cli, folder: Path) -> None:
        (folder / "slow.js").write_text(
            "exports.onExecutePostLogin = async (_, api) => { api.redirect.sendUserTo('https://x.test/'); };"
            "exports.onContinuePostLogin = async () => { while (true) {} };"
        )
        command = self.handle(cli("run", "slow.js", "--timeout", "0.3").out)
        assert json.loads(cli(*command, "--json").out)["timing"]["budget_ms"] == 300
        command = self.handle(cli("run", "slow.js").out)
        assert json.loads(cli(*command, "--timeout", "0.2", "--json").out)["timing"]["budget_ms"] == 200

    def test_the_pinned_source_runs(self, cli: Cli, folder: Path) -> None:
        command = self.handle(cli("run", "consent.js").out)
        (folder / "consent.js").write_text("throw new Error('changed meanwhile');")
        assert cli(*command, "--query", "answer=yes").status == 0

    @pytest.mark.parametrize("handle", ["abx_nothing", "", "../../x", "--", "\ud800"])
    def test_another_handle_is_unknown(self, cli: Cli, handle: str) -> None:
        result = cli("resume", "--query", "state=x", "--", handle)
        assert result.status == 2
        assert "no suspended flow" in result.err

    @pytest.mark.parametrize("option", [("--query", "x"), ("--body", "=x"), ("--field", "x")])
    def test_parameters_need_name_and_value(self, cli: Cli, option: tuple[str, str]) -> None:
        command = self.handle(cli("run", "form.py").out)
        result = cli(*command, *option)
        assert result.status == 2
        assert option[0] in result.err
        assert cli(*command).status == 0, "the handle was not used up"


class TestReplay:
    def test_a_record_replays_the_same(self, cli: Cli, folder: Path) -> None:
        recorded = cli("run", "welcome.js", "roles.py", "-t", "post-login", "--record", "a.record.json")
        assert recorded.status == 0
        again = cli("replay", "a.record.json")
        assert again.status == 0, again.out
        assert "all as recorded" in again.out
        assert "hello Maya" in again.out

    def test_a_changed_source_diverges_with_status_1(self, cli: Cli, folder: Path) -> None:
        cli("run", "roles.py", "--record", "a.record.json", "--record-secrets")
        record = json.loads((folder / "a.record.json").read_text())
        for entry in record["executions"][0]["journal"]["entries"]:
            if entry["operation"] == "log":
                entry["arguments"]["text"] = "roles of another time"
        (folder / "a.record.json").write_text(json.dumps(record))
        refused = cli("replay", "a.record.json")
        assert refused.status == 2
        assert "a.record.json is damaged: $.executions[0].journal.entries[" in refused.err
        write_record(folder / "a.record.json", stamped(FlowRecord.model_validate(record)))
        again = cli("replay", "a.record.json")
        assert again.status == 1
        assert "Different\n  Action 1 (roles), call " in again.out
        assert "another time" in again.out
        as_json = json.loads(cli("replay", "a.record.json", "--json").out)
        assert as_json["same"] is False
        assert as_json["legs"][0]["divergences"][0]["action"] == 0

    def test_secrets_are_told_apart(self, cli: Cli) -> None:
        cli("run", "roles.py", "--secret", "KEY=12345678", "--record", "a.record.json")
        without = cli("replay", "a.record.json")
        assert "placeholders stand for secrets: KEY of roles" in without.out
        wrong = cli("replay", "a.record.json", "--secret", "KEY=87654321")
        assert wrong.status == 2
        assert "secret KEY of Action 'roles' is not the value that it had" in wrong.err
        assert cli("replay", "a.record.json", "--secret", "KEY=12345678").status == 0
        cli("run", "roles.py", "--secret", "KEY=12345678", "--record", "a.record.json", "--record-secrets")
        assert cli("replay", "a.record.json").status == 0

    @pytest.mark.parametrize("name", ["no.json", "welcome.js"])
    def test_what_is_no_record(self, cli: Cli, name: str) -> None:
        result = cli("replay", name)
        assert result.status == 2
        assert result.err.startswith("error: ")
