"""Records and replays: bit by bit the same, or the first place that differs."""

from __future__ import annotations

import base64
import json
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from runner import Action, FailPolicy, InputError, Limits, Runner, Settings
from runner.model.outcome import FlowOutcome
from runner.privacy.redaction import redacted
from runner.replay.record import FlowRecord, Recorder, write_record
from runner.replay.recorded import read_recorded
from runner.replay.replay import Replay, replay
from sandbox.egress import StubEgress, parse_stubs
from tests.flow.actions import both, javascript, python

REDIRECT = "api.redirect.sendUserTo('https://site.example/ask');"
BUSY = """
import asyncio, random, time, uuid
print(random.random(), uuid.uuid4(), time.time())
kept = api.cache.get("key")
api.cache.set("key", "value", ttl=60000)
token = api.redirect.encode_token(secret=event.secrets.KEY * 4, payload={"a": 1})
reply = await fetch("https://api.example/x", headers={"authorization": f"Bearer {event.secrets.KEY}"})
print(kept, reply.json()["n"], event.secrets.KEY)
api.id_token.set_custom_claim("n", reply.json()["n"])
api.user.set_user_metadata("token", token)
"""
SECRET = 's3cr3t-"quoted"-välue'


def recorded(
    runner: Runner,
    event: dict[str, Any],
    actions: list[Action],
    *,
    keep_secrets: bool = False,
    **changes: Any,
) -> tuple[FlowOutcome, FlowRecord]:
    recorder = Recorder(keep_secrets=keep_secrets)
    outcome = replace(runner, observer=recorder, **changes).run("post-login", event, actions)
    return outcome, recorder.record(outcome)


def giving(values: Mapping[str, str]) -> Callable[[Any], Mapping[str, str]]:
    return lambda _: values


class TestReplay:
    @pytest.fixture
    def stubbed(self, runner: Runner) -> Runner:
        stubs = [{"url": "https://api.example/x", "answer": {"json": {"n": 7}}}]
        return replace(runner, egress=StubEgress(parse_stubs(stubs)))

    def test_everything_an_action_saw_is_the_same_again(self, stubbed: Runner, event: dict[str, Any]) -> None:
        action = python(BUSY, secrets={"KEY": SECRET})
        outcome, record = recorded(stubbed, event, [action])
        assert outcome.ok, outcome.failure
        again = replay(record, giving({"KEY": SECRET}))
        assert again.same, (again.divergences, again.differences)
        assert again.host_calls > 5
        assert again.outcome.effects == outcome.effects
        assert [line.text for line in again.outcome.actions[0].logs] == [
            line.text for line in outcome.actions[0].logs
        ]

    def test_javascript_too(self, stubbed: Runner, event: dict[str, Any]) -> None:
        body = """
            console.log(Math.random(), crypto.randomUUID(), Date.now(), performance.now());
            const [one, two] = await Promise.all([1, 2].map(() => fetch("https://api.example/x")));
            await new Promise((done) => setTimeout(done, 20));
            api.idToken.setCustomClaim("n", (await one.json()).n + (await two.json()).n);
        """
        outcome, record = recorded(stubbed, event, [javascript(body)])
        assert outcome.effects.id_token_claims == {"n": 14}, outcome.failure
        again = replay(record)
        assert again.same, (again.divergences, again.differences)
        assert again.outcome.actions[0].logs[0].text == outcome.actions[0].logs[0].text

    def test_signatures_made_on_the_host(self, runner: Runner, event: dict[str, Any]) -> None:
        body = """
import hashlib, jwt
token = jwt.encode({"a": 1}, event.secrets.KEY, algorithm="ES256")
print(token, jwt.decode(token, event.secrets.KEY, algorithms=["ES256"]))
print(hashlib.scrypt(b"p", salt=b"s", n=2, r=8, p=1).hex())
"""
        key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        outcome, record = recorded(runner, event, [python(body, secrets={"KEY": key.decode()})])
        assert outcome.ok, outcome.failure
        again = replay(record, giving({"KEY": key.decode()}))
        assert again.same, (again.divergences, again.differences)

    def test_a_record_without_secrets_holds_none_of_them(
        self, stubbed: Runner, event: dict[str, Any], tmp_path: Path
    ) -> None:
        _, record = recorded(stubbed, event, [python(BUSY, secrets={"KEY": SECRET})])
        write_record(tmp_path / "a.json", record)
        text = (tmp_path / "a.json").read_text()
        for form in (SECRET, json.dumps(SECRET)[1:-1], json.dumps(json.dumps(SECRET))[1:-1]):
            assert form not in text
        assert "välue" not in text.replace("\\u00e4", "ä")

    @pytest.mark.parametrize(
        "action",
        [
            javascript(
                "const body = JSON.stringify({ key: event.secrets.KEY });"
                "const reply = await fetch('https://echo.example/', { method: 'POST', body });"
                "await reply.text();",
                secrets={"KEY": SECRET},
            ),
            python(
                "import json\n"
                "body = json.dumps({'key': event.secrets.KEY}, ensure_ascii=False)\n"
                "reply = await fetch('https://echo.example/', method='POST', body=body)\n"
                "reply.json()",
                secrets={"KEY": SECRET},
            ),
        ],
        ids=["javascript", "python"],
    )
    def test_bodies_hold_no_secret_either(
        self, runner: Runner, event: dict[str, Any], action: Action
    ) -> None:
        egress = StubEgress(
            parse_stubs([{"url": "https://echo.example/", "answer": {"json": {"key": SECRET}}}])
        )
        outcome, record = recorded(runner, event, [action], egress=egress)
        assert outcome.ok, outcome.failure
        _, keeping = recorded(runner, event, [action], egress=egress, keep_secrets=True)
        for made in (record, redacted(keeping, b"k" * 32)[0]):
            found = re.findall(r'body\\*": ?\\*"([A-Za-z0-9+/=]+)', made.model_dump_json())
            bodies = [base64.b64decode(item).decode() for item in found]
            assert len(bodies) == 2
            assert all("lue" not in body for body in bodies)
        assert replay(record, giving({"KEY": SECRET})).same
        assert not replay(record, without_secrets=True).divergences
        assert replay(keeping).same

    def test_a_record_with_secrets_needs_none(
        self, stubbed: Runner, event: dict[str, Any], tmp_path: Path
    ) -> None:
        _, record = recorded(stubbed, event, [python(BUSY, secrets={"KEY": SECRET})], keep_secrets=True)
        write_record(tmp_path / "a.json", record)
        assert replay(read_recorded(tmp_path / "a.json").legs[0]).same

    def test_secrets_that_are_missing_are_named(self, stubbed: Runner, event: dict[str, Any]) -> None:
        _, record = recorded(stubbed, event, [python(BUSY, secrets={"KEY": SECRET})])
        with pytest.raises(InputError, match="KEY") as caught:
            replay(record)
        assert caught.value.code == "missing_secrets"

    def test_a_wrong_secret_is_told_as_such(self, runner: Runner, event: dict[str, Any]) -> None:
        action = python("print(len(event.secrets.KEY))", name="pricing", secrets={"KEY": SECRET})
        _, record = recorded(runner, event, [python("pass"), action])
        with pytest.raises(InputError, match="secret KEY of Action 'pricing'") as caught:
            replay(record, giving({"KEY": "another-value"}))
        assert caught.value.code == "wrong_secret"

    def test_a_placeholder_does_for_a_secret_that_only_passes_through(
        self, stubbed: Runner, event: dict[str, Any]
    ) -> None:
        body = """
            const answer = await fetch("https://api.example/x", {headers: {key: event.secrets.KEY}});
            console.log(JSON.stringify(event.secrets), (await answer.json()).n);
        """
        _, record = recorded(stubbed, event, [javascript(body, secrets={"KEY": SECRET})])
        again = replay(record, without_secrets=True)
        assert again.same, (again.divergences, again.differences)
        assert again.placeholders == (("js", "KEY"),)
        assert replay(record, giving({"KEY": SECRET}), without_secrets=True).placeholders == ()

    def test_a_placeholder_shows_where_the_value_matters(self, runner: Runner, event: dict[str, Any]) -> None:
        action = python("print(len(event.secrets.KEY))", secrets={"KEY": SECRET})
        _, record = recorded(runner, event, [action])
        again = replay(record, without_secrets=True)
        assert not again.same
        assert again.placeholders == (("py", "KEY"),)

    def test_an_action_cannot_draw_a_secret_out_by_writing_a_mark(
        self, runner: Runner, event: dict[str, Any]
    ) -> None:
        action = python("print('[secret KEY]', '[secret 0.KEY.0 0000000000000000]')", secrets={"KEY": SECRET})
        _, record = recorded(runner, event, [action])
        again = replay(record, giving({"KEY": SECRET}))
        assert again.same
        assert again.outcome.actions[0].logs[0].text == "[secret KEY] [secret 0.KEY.0 0000000000000000]"

    def test_the_second_leg_of_a_flow_replays_too(self, runner: Runner, event: dict[str, Any]) -> None:
        action = both(
            f"api.user.setUserMetadata('a', 1); {REDIRECT}",
            "api.user.setUserMetadata('b', Math.random()); console.log(event.request.query.answer);",
        )
        recorder = Recorder()
        watched = replace(runner, observer=recorder)
        asked = watched.run("post-login", event, [action])
        assert asked.suspension is not None
        first = recorder.record(asked)
        request = {**event["request"], "query": {"state": asked.suspension.state, "answer": "yes"}}
        done = watched.resume(asked.suspension.handle, request=request)
        second = recorder.record(done)
        assert replay(first).same
        again = replay(second)
        assert again.same, (again.divergences, again.differences)
        assert again.outcome.effects.user_metadata == done.effects.user_metadata
        assert list(done.effects.user_metadata) == ["b"]

    @pytest.mark.parametrize(
        "body",
        [
            "raise ValueError('x')",
            "api.access.deny('no')",
            "api.access.deny(5)",
            "for i in range(2000): print(i)",
            "await fetch('https://nowhere.example/')",
        ],
    )
    def test_other_ends_replay(self, runner: Runner, event: dict[str, Any], body: str) -> None:
        outcome, record = recorded(runner, event, [python("pass"), python(body, name="second")])
        again = replay(record)
        assert again.same, (again.divergences, again.differences)
        assert again.outcome.decision is outcome.decision

    def test_an_aborting_refusal_replays(self, runner: Runner, event: dict[str, Any]) -> None:
        body = f"{REDIRECT} try {{ api.prompt.render('ap_1'); }} catch (e) {{}}"
        outcome, record = recorded(runner, event, [javascript(body)])
        assert outcome.failure is not None
        again = replay(record)
        assert again.same, (again.divergences, again.differences)

    def test_a_time_limit_replays_wherever_it_strikes(self, runner: Runner, event: dict[str, Any]) -> None:
        settings = Settings(budget_ms=200)
        _, record = recorded(runner, event, [python("while True:\n    pass")], settings=settings)
        assert replay(record).same

    def test_a_last_good_version_replays(self, runner: Runner, event: dict[str, Any]) -> None:
        good = python("api.id_token.set_custom_claim('v', 1)").source
        action = python("raise ValueError('x')", fail_policy=FailPolicy.LAST_GOOD, last_good=good)
        _, record = recorded(runner, event, [action, python("pass")])
        assert len(record.executions) == 3
        assert replay(record).same


class TestDivergence:
    def diverging(self, record: FlowRecord, old: str, new: str) -> Replay:
        """Replay with a changed source."""
        text = record.model_dump_json(by_alias=True)
        source = record.actions[0].source
        changed = replace(source, text=source.text.replace(old, new))
        action = Action("py", changed)
        pinned = record.actions[0].model_copy(update={"source": changed, "digest": action.digest})
        assert changed.text != source.text
        return replay(FlowRecord.model_validate_json(text).model_copy(update={"actions": (pinned,)}))

    def test_another_call_is_shown_with_its_position(self, runner: Runner, event: dict[str, Any]) -> None:
        body = "print('one')\napi.id_token.set_custom_claim('a', 1)\nprint('two')"
        _, record = recorded(runner, event, [python(body)])
        again = self.diverging(record, "'a', 1", "'b', 1")
        assert not again.same
        (found,) = again.divergences
        assert found.action == 0
        assert found.divergence.expected.startswith("api.idToken.setCustomClaim")
        assert '"a"' in found.divergence.expected
        assert '"b"' in found.divergence.actual
        assert again.outcome.failure is not None
        assert again.outcome.failure.code == "divergence"

    def test_a_call_too_few(self, runner: Runner, event: dict[str, Any]) -> None:
        _, record = recorded(runner, event, [python("print('one')\nprint('two')")])
        again = self.diverging(record, "\n    print('two')", "")
        assert [item.divergence.actual for item in again.divergences] == ["the end of the execution"]

    def test_an_action_that_runs_no_more(self, runner: Runner, event: dict[str, Any]) -> None:
        _, record = recorded(runner, event, [python("pass"), python("print('x')", name="second")])
        shorter = record.model_copy(
            update={"executions": (*record.executions, record.executions[1].model_copy(update={"action": 1}))}
        )
        (found,) = replay(shorter).divergences
        assert (found.action, found.divergence.actual) == (1, "it does not run")

    def test_an_altered_outcome_is_noticed(self, runner: Runner, event: dict[str, Any]) -> None:
        _, record = recorded(runner, event, [python("pass")])
        altered = record.model_copy(update={"outcome": {**record.outcome, "decision": "deny"}})
        assert [item.path for item in replay(altered).differences] == ["$.decision"]


class TestFiles:
    @pytest.fixture
    def record(self, runner: Runner, event: dict[str, Any]) -> FlowRecord:
        actions = [python("print(1)", limits=Limits(wall_ms=5000), secrets={"K": "12345678"})]
        return recorded(runner, event, actions)[1]

    def test_a_record_survives_its_file(self, record: FlowRecord, tmp_path: Path) -> None:
        path = tmp_path / "a.record.json"
        write_record(path, record)
        assert read_recorded(path).legs[0] == record
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [item.name for item in tmp_path.iterdir()] == [path.name]

    @pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema": "actionbox.record/1"}', "\ud800"])
    def test_what_is_no_record_is_refused(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "a.record.json"
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
        with pytest.raises(InputError) as caught:
            read_recorded(path)
        assert caught.value.code in ("invalid_record", "not_utf8", "not_json")

    def test_a_folder_that_is_not_there_cannot_be_written(self, record: FlowRecord, tmp_path: Path) -> None:
        with pytest.raises(InputError) as caught:
            write_record(tmp_path / "no" / "a.json", record)
        assert caught.value.code == "unwritable"

    @pytest.mark.parametrize(
        ("change", "match"),
        [
            ({"trigger": "nope"}, "nope"),
            ({"trigger_version": "v1"}, "v1"),
            ({"state": {"event": 1}}, "state"),
        ],
    )
    def test_a_record_of_something_else_is_refused(
        self, record: FlowRecord, change: dict[str, Any], match: str
    ) -> None:
        with pytest.raises(InputError, match=match) as caught:
            replay(record.model_copy(update=change), giving({"K": "12345678"}))
        assert caught.value.code == "invalid_record"

    def test_a_damaged_journal_is_refused(self, record: FlowRecord) -> None:
        broken = record.executions[0].model_copy(update={"journal": {"version": 1, "entries": [5]}})
        with pytest.raises(InputError, match="journal"):
            replay(record.model_copy(update={"executions": (broken,)}), giving({"K": "12345678"}))
