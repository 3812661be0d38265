"""Suspending and resuming: where a flow goes on, and what its handle is worth."""

from __future__ import annotations

import json
import os
import stat
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner import (
    Action,
    Decision,
    EventError,
    FileStore,
    FlowOutcome,
    MemoryStore,
    ResumeError,
    Runner,
    Settings,
    SuspensionStore,
)
from runner.suspension.stores import SuspendedFlow
from tests.flow.actions import both, javascript, python
from triggers import get_trigger

REDIRECT = "api.redirect.sendUserTo('https://site.example/ask', {query: {lang: 'nl'}});"


def request(outcome: FlowOutcome, **query: Any) -> dict[str, Any]:
    """The request that comes back, with the right state unless `query` has one."""
    assert outcome.suspension is not None
    base = get_trigger("post-login").example_event["request"]
    return {**base, "query": {"state": outcome.suspension.state, **query}}


def handle(outcome: FlowOutcome) -> str:
    assert outcome.suspension is not None
    return outcome.suspension.handle


def statuses(outcome: FlowOutcome) -> list[str]:
    return [record.status.value for record in outcome.actions]


class TestRedirect:
    def test_the_same_action_goes_on_in_its_continue_handler_and_later_ones_follow(
        self, runner: Runner, event: dict[str, Any]
    ) -> None:
        flow = [
            python("api.id_token.set_custom_claim('first', 1)", name="first"),
            both(REDIRECT, "api.idToken.setCustomClaim('answer', event.request.query.answer);"),
            python("api.id_token.set_custom_claim('last', 3)", name="last"),
        ]
        asked = runner.run("post-login", event, flow)
        assert asked.decision is Decision.SUSPENDED
        assert statuses(asked) == ["ran", "suspended", "skipped"]
        assert asked.suspension is not None
        assert asked.suspension.kind == "redirect"
        assert asked.suspension.action == 1
        assert asked.suspension.url == f"https://site.example/ask?lang=nl&state={asked.suspension.state}"
        assert asked.suspension.resumes is not None
        assert asked.suspension.resumes.handler == "onContinuePostLogin"

        done = runner.resume(handle(asked), request=request(asked, answer="yes"))
        assert done.decision is Decision.ALLOW
        assert (done.leg, done.execution_id) == (2, asked.execution_id)
        assert statuses(done) == ["skipped", "ran", "ran"]
        assert [record.handler for record in done.actions] == [
            None,
            "onContinuePostLogin",
            "onExecutePostLogin",
        ]
        assert done.effects.id_token_claims == {"first": 1, "answer": "yes", "last": 3}

    def test_nothing_but_pending_metadata_is_handed_over_before_the_user_leaves(
        self, runner: Runner, event: dict[str, Any]
    ) -> None:
        action = both(
            "api.user.setUserMetadata('a', 1); api.user.setAppMetadata('b', 2);"
            f"api.idToken.setCustomClaim('c', 3); {REDIRECT}",
            "console.log(event.user.user_metadata.a); api.user.setUserMetadata('d', 4);",
        )
        asked = runner.run("post-login", event, [action])
        assert asked.effects.user_metadata == {"a": 1}
        assert asked.effects.app_metadata == {"b": 2}
        assert asked.effects.id_token_claims == {}
        done = runner.resume(handle(asked), request=request(asked))
        assert done.effects.user_metadata == {"d": 4}
        assert done.effects.app_metadata == {}
        assert done.effects.id_token_claims == {"c": 3}
        assert done.actions[0].logs[0].text == "1"

    def test_several_redirects_in_one_flow(self, runner: Runner, event: dict[str, Any]) -> None:
        flow = [
            both("api.user.setUserMetadata('a', 1);" + REDIRECT, "api.user.setUserMetadata('b', 2);", "one"),
            both("api.user.setUserMetadata('c', 3);" + REDIRECT, "api.user.setUserMetadata('d', 4);", "two"),
        ]
        first = runner.run("post-login", event, flow)
        second = runner.resume(handle(first), request=request(first))
        assert second.decision is Decision.SUSPENDED
        assert second.effects.user_metadata == {"b": 2, "c": 3}
        assert first.suspension is not None
        assert second.suspension is not None
        assert first.suspension.state != second.suspension.state
        third = runner.resume(handle(second), request=request(second))
        assert third.decision is Decision.ALLOW
        assert third.leg == 3
        assert third.effects.user_metadata == {"d": 4}

    def test_a_continue_handler_may_redirect_again(self, runner: Runner, event: dict[str, Any]) -> None:
        action = both(REDIRECT, f"if (!event.request.query.done) {{ {REDIRECT} }}")
        first = runner.run("post-login", event, [action])
        second = runner.resume(handle(first), request=request(first))
        assert second.decision is Decision.SUSPENDED
        third = runner.resume(handle(second), request=request(second, done="1"))
        assert third.decision is Decision.ALLOW

    def test_a_missing_continue_handler_is_a_handler_failure(
        self, runner: Runner, event: dict[str, Any]
    ) -> None:
        asked = runner.run("post-login", event, [javascript(REDIRECT)])
        done = runner.resume(handle(asked), request=request(asked))
        assert done.decision is Decision.FAILED
        assert done.failure is not None
        assert done.failure.code == "handler"
        assert "onContinuePostLogin" in done.failure.message

    def test_a_failure_after_the_return_applies_nothing_more(
        self, runner: Runner, event: dict[str, Any]
    ) -> None:
        action = both(f"api.user.setUserMetadata('a', 1); {REDIRECT}", "throw new Error('no');")
        asked = runner.run("post-login", event, [action])
        done = runner.resume(handle(asked), request=request(asked))
        assert done.decision is Decision.FAILED
        assert done.effects.user_metadata == {}

    def test_each_leg_has_its_own_budget(self, runner: Runner, event: dict[str, Any]) -> None:
        action = both(REDIRECT, "while (true) {}")
        quick = replace(runner, settings=Settings(budget_ms=300))
        asked = quick.run("post-login", event, [action])
        done = quick.resume(handle(asked), request=request(asked))
        assert done.failure is not None
        assert done.failure.code == "timeout"
        assert done.timing.budget_ms == 300


class TestOtherSuspensions:
    def test_a_form_goes_on_in_the_same_action_with_its_answers(
        self, runner: Runner, event: dict[str, Any]
    ) -> None:
        action = both(
            "api.user.setUserMetadata('asked', true);"
            "api.prompt.render('ap_terms', {fields: {name: 'Maya'}, vars: {plan: 'gold'}});",
            "console.log(event.prompt.id, event.prompt.fields.agree, event.prompt.vars.plan);",
        )
        asked = runner.run("post-login", event, [action])
        assert asked.suspension is not None
        assert asked.suspension.kind == "prompt"
        assert asked.effects.prompt is not None
        assert asked.effects.prompt.model_dump() == {
            "id": "ap_terms",
            "fields": {"name": "Maya"},
            "vars": {"plan": "gold"},
        }
        assert asked.effects.user_metadata == {"asked": True}
        done = runner.resume(
            handle(asked),
            prompt={"fields": {"agree": "yes"}, "vars": {"plan": "gold"}},
            request=request(asked),
        )
        assert done.decision is Decision.ALLOW
        assert done.actions[0].logs[0].text == "ap_terms yes gold"

    def test_a_challenge_goes_on_with_the_next_action(self, runner: Runner, event: dict[str, Any]) -> None:
        event["authentication"]["methods"] = []
        flow = [
            python("api.user.set_user_metadata('a', 1)\napi.authentication.challenge_with({'type': 'otp'})"),
            python("print([(m.name, m.type) for m in event.authentication.methods])", name="next"),
        ]
        event["user"]["enrolledFactors"] = [{"type": "otp"}]
        asked = runner.run("post-login", event, flow)
        assert asked.suspension is not None
        assert asked.suspension.kind == "challenge"
        assert asked.suspension.url is None
        assert asked.suspension.resumes is not None
        assert (asked.suspension.resumes.action, asked.suspension.resumes.handler) == (
            1,
            "onExecutePostLogin",
        )
        assert asked.effects.steps[0].factors == ({"type": "otp"},)
        assert asked.effects.user_metadata == {}, "only a user who leaves needs metadata saved first"
        method = {"name": "mfa", "type": "otp", "timestamp": "2025-03-11T14:02:51.000Z"}
        done = runner.resume(handle(asked), methods=[method], request=request(asked))
        assert done.decision is Decision.ALLOW
        assert statuses(done) == ["skipped", "ran"]
        assert done.actions[1].logs[0].text == "[('mfa', 'otp')]"
        assert done.effects.user_metadata == {"a": 1}

    def test_an_enrolment_after_which_no_action_is_left(self, runner: Runner, event: dict[str, Any]) -> None:
        event["user"]["enrolledFactors"] = []
        action = python(
            "api.authentication.enroll_with({'type': 'otp'})\napi.id_token.set_custom_claim('a', 1)"
        )
        asked = runner.run("post-login", event, [action])
        assert asked.suspension is not None
        assert asked.suspension.kind == "enroll"
        assert asked.suspension.resumes is None
        done = runner.resume(handle(asked), enrolled=[{"type": "otp"}])
        assert done.decision is Decision.ALLOW
        assert statuses(done) == ["skipped"]
        assert done.effects.id_token_claims == {"a": 1}

    def test_a_result_of_another_kind_is_refused_and_the_handle_stays(
        self, runner: Runner, event: dict[str, Any]
    ) -> None:
        asked = runner.run("post-login", event, [both("api.prompt.render('ap_x');", "")])
        with pytest.raises(ResumeError, match="form") as caught:
            runner.resume(handle(asked), request=request(asked))
        assert caught.value.code == "wrong_result"
        assert runner.resume(handle(asked), prompt={}).ok

    def test_a_request_that_breaks_the_schema_is_refused_and_the_handle_stays(
        self, runner: Runner, event: dict[str, Any]
    ) -> None:
        asked = runner.run("post-login", event, [both(REDIRECT, "")])
        with pytest.raises(EventError) as caught:
            runner.resume(handle(asked), request={**request(asked), "ip": 5})
        assert caught.value.problems[0].path == "$.request.ip"
        assert runner.resume(handle(asked), request=request(asked)).ok


class TestState:
    @pytest.mark.parametrize("state", [None, "", "wrong", 7, ["x"]])
    def test_a_wrong_or_missing_state_loses_the_transaction(
        self, runner: Runner, event: dict[str, Any], state: Any
    ) -> None:
        asked = runner.run("post-login", event, [both(REDIRECT, "")])
        returned = request(asked)
        returned["query"] = {} if state is None else {"state": state}
        with pytest.raises(ResumeError) as caught:
            runner.resume(handle(asked), request=returned)
        assert caught.value.code == "invalid_request"
        with pytest.raises(ResumeError) as again:
            runner.resume(handle(asked), request=request(asked))
        assert again.value.code == "handle_used"

    def test_no_request_at_all_is_a_missing_state(self, runner: Runner, event: dict[str, Any]) -> None:
        asked = runner.run("post-login", event, [both(REDIRECT, "")])
        with pytest.raises(ResumeError) as caught:
            runner.resume(handle(asked))
        assert caught.value.code == "invalid_request"

    def test_the_state_may_come_in_the_body(self, runner: Runner, event: dict[str, Any]) -> None:
        asked = runner.run("post-login", event, [both(REDIRECT, "")])
        returned = request(asked)
        returned["body"], returned["query"] = returned["query"], {}
        assert runner.resume(handle(asked), request=returned).ok

    def test_a_second_state_cannot_hide_behind_the_right_one(
        self, runner: Runner, event: dict[str, Any]
    ) -> None:
        asked = runner.run("post-login", event, [both(REDIRECT, "")])
        with pytest.raises(ResumeError) as caught:
            runner.resume(handle(asked), request={**request(asked), "body": {"state": "forged"}})
        assert caught.value.code == "invalid_request"


class TestPinning:
    def test_the_versions_of_the_start_run_whatever_is_given_later(
        self, runner: Runner, event: dict[str, Any]
    ) -> None:
        old = both(REDIRECT, "api.idToken.setCustomClaim('version', 1);", secrets={"KEY": "12345678"})
        new = both(REDIRECT, "api.idToken.setCustomClaim('version', 2);", secrets={"KEY": "12345678"})
        asked = runner.run("post-login", event, [old])
        done = runner.resume(handle(asked), request=request(asked), secrets=[new])
        assert done.effects.id_token_claims == {"version": 1}
        assert done.actions[0].digest == old.digest

    def test_secrets_are_needed_again_and_their_lack_costs_nothing(
        self, runner: Runner, event: dict[str, Any]
    ) -> None:
        action = both(REDIRECT, "console.log(event.secrets.KEY);", secrets={"KEY": "short", "B": "x"})
        asked = runner.run("post-login", event, [action])
        others: tuple[Any, ...] = (None, {}, {"KEY": "short"}, [])
        for lacking in others:
            with pytest.raises(ResumeError, match="both") as caught:
                runner.resume(handle(asked), request=request(asked), secrets=lacking)
            assert caught.value.code == "missing_secrets"
        done = runner.resume(
            handle(asked), request=request(asked), secrets={"KEY": "short", "B": "x", "C": "y"}
        )
        assert done.actions[0].logs[0].text == "short"

    def test_a_provider_is_asked_per_action(self, runner: Runner, event: dict[str, Any]) -> None:
        flow = [
            both(REDIRECT, "console.log(event.secrets.KEY);", "one", secrets={"KEY": "a"}),
            python("print(event.secrets.KEY)", name="two", secrets={"KEY": "b"}),
        ]
        asked = runner.run("post-login", event, flow)
        values = {"one": {"KEY": "first"}, "two": {"KEY": "second"}}
        done = runner.resume(
            handle(asked), request=request(asked), secrets=lambda pinned: values[pinned.name]
        )
        assert [record.logs[0].text for record in done.actions] == ["first", "second"]


def memory(_: Path, clock: Callable[[], float]) -> SuspensionStore:
    return MemoryStore(clock)


def files(folder: Path, clock: Callable[[], float]) -> SuspensionStore:
    return FileStore(folder / "flows", clock)


@pytest.fixture(params=[memory, files])
def clocked(request: pytest.FixtureRequest, runner: Runner, tmp_path: Path) -> tuple[Runner, list[float]]:
    """A runner over either store, and its clock."""
    now = [1_800_000_000.0]
    store = request.param(tmp_path, lambda: now[0])
    return replace(runner, store=store, wall=lambda: now[0]), now


class TestHandles:
    ACTION = both(REDIRECT, "")

    def test_a_handle_works_once(self, clocked: tuple[Runner, list[float]], event: dict[str, Any]) -> None:
        runner, _ = clocked
        asked = runner.run("post-login", event, [self.ACTION])
        assert runner.resume(handle(asked), request=request(asked)).ok
        with pytest.raises(ResumeError) as caught:
            runner.resume(handle(asked), request=request(asked))
        assert caught.value.code == "handle_used"

    def test_a_handle_expires(self, clocked: tuple[Runner, list[float]], event: dict[str, Any]) -> None:
        runner, now = clocked
        asked = runner.run("post-login", event, [self.ACTION])
        assert asked.suspension is not None
        assert asked.suspension.expires_at == now[0] + 3600
        now[0] += 3599
        assert runner.waiting(handle(asked)).kind == "redirect"
        now[0] += 1
        with pytest.raises(ResumeError) as caught:
            runner.resume(handle(asked), request=request(asked))
        assert caught.value.code == "handle_expired"

    def test_expired_flows_do_not_pile_up(
        self, clocked: tuple[Runner, list[float]], event: dict[str, Any]
    ) -> None:
        runner, now = clocked
        asked = runner.run("post-login", event, [self.ACTION])
        now[0] += 3 * 24 * 3600
        runner.run("post-login", event, [self.ACTION])
        with pytest.raises(ResumeError) as caught:
            runner.resume(handle(asked), request=request(asked))
        assert caught.value.code == "unknown_handle"

    @pytest.mark.parametrize("guess", ["", "abx_", "abx_../../etc/passwd", "\x00", "x" * 10_000, "\ud800"])
    def test_another_handle_is_unknown(
        self, clocked: tuple[Runner, list[float]], event: dict[str, Any], guess: str
    ) -> None:
        runner, _ = clocked
        runner.run("post-login", event, [self.ACTION])
        with pytest.raises(ResumeError) as caught:
            runner.resume(guess, request={})
        assert caught.value.code == "unknown_handle"

    def test_a_handle_belongs_to_its_tenant(
        self, clocked: tuple[Runner, list[float]], event: dict[str, Any]
    ) -> None:
        runner, _ = clocked
        asked = runner.run("post-login", event, [self.ACTION], tenant="one")
        for tenant in ("two", "one:", None):
            with pytest.raises(ResumeError) as caught:
                runner.resume(handle(asked), request=request(asked), tenant=tenant)
            assert caught.value.code == "unknown_handle"
        done = runner.resume(handle(asked), request=request(asked), tenant="one")
        assert done.tenant == "one"

    def test_of_many_resumes_at_once_one_wins(
        self, clocked: tuple[Runner, list[float]], event: dict[str, Any]
    ) -> None:
        runner, _ = clocked
        asked = runner.run("post-login", event, [self.ACTION])
        returned, gate = request(asked), threading.Barrier(16)
        ends: list[str] = []

        def attempt() -> None:
            gate.wait()
            try:
                ends.append(runner.resume(handle(asked), request=returned).decision.value)
            except ResumeError as error:
                ends.append(error.code)

        threads = [threading.Thread(target=attempt) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(ends) == ["allow"] + ["handle_used"] * 15


class TestFiles:
    SECRET = "correct-horse-battery"

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path / "flows"

    @pytest.fixture
    def asked(self, runner: Runner, event: dict[str, Any], folder: Path) -> tuple[Runner, FlowOutcome]:
        action: Action = both(REDIRECT, "", secrets={"KEY": self.SECRET})
        stored = replace(runner, store=FileStore(folder))
        return stored, stored.run("post-login", event, [action])

    def test_only_the_owner_can_read_them(self, asked: tuple[Runner, FlowOutcome], folder: Path) -> None:
        (file,) = folder.iterdir()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    def test_neither_handle_nor_secret_is_in_them(
        self, asked: tuple[Runner, FlowOutcome], folder: Path
    ) -> None:
        (file,) = folder.iterdir()
        assert handle(asked[1]) not in file.name + file.read_text()
        assert self.SECRET not in file.read_text()

    def test_a_used_flow_leaves_no_content(self, asked: tuple[Runner, FlowOutcome], folder: Path) -> None:
        runner, outcome = asked
        runner.resume(handle(outcome), request=request(outcome), secrets={"KEY": self.SECRET})
        (file,) = folder.iterdir()
        assert file.read_bytes() == b""

    def test_another_process_can_resume(
        self, asked: tuple[Runner, FlowOutcome], folder: Path, runner: Runner
    ) -> None:
        other = replace(runner, store=FileStore(folder))
        outcome = asked[1]
        assert other.resume(handle(outcome), request=request(outcome), secrets={"KEY": self.SECRET}).ok

    def test_an_altered_source_is_refused(self, asked: tuple[Runner, FlowOutcome], folder: Path) -> None:
        runner, outcome = asked
        (file,) = folder.iterdir()
        data = json.loads(file.read_text())
        data["actions"][0]["source"]["text"] += "// more"
        times = file.stat().st_atime, file.stat().st_mtime
        file.write_text(json.dumps(data))
        os.utime(file, times)
        with pytest.raises(ResumeError) as caught:
            runner.resume(handle(outcome), request=request(outcome), secrets={"KEY": self.SECRET})
        assert caught.value.code == "changed_source"

    @pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b'{"schema_id": 1}'])
    def test_a_damaged_file_is_refused(
        self, asked: tuple[Runner, FlowOutcome], folder: Path, content: bytes
    ) -> None:
        runner, outcome = asked
        (file,) = folder.iterdir()
        times = file.stat().st_atime, file.stat().st_mtime
        file.write_bytes(content)
        os.utime(file, times)
        with pytest.raises(ResumeError) as caught:
            runner.resume(handle(outcome), request=request(outcome))
        assert caught.value.code == "unreadable"


def test_what_is_kept_survives_json(runner: Runner, event: dict[str, Any]) -> None:
    asked = runner.run("post-login", event, [both(REDIRECT, "")])
    waiting = runner.waiting(handle(asked))
    assert SuspendedFlow.model_validate_json(waiting.model_dump_json()) == waiting
