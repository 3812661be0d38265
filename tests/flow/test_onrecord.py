"""What goes on record of a leg: no secrets, nothing that resumes it, and bounded after every escape."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from runner import FlowOutcome, Runner
from sandbox.core.caps import KIB
from tests.flow.actions import both, javascript, python

SECRET = "correct-horse-battery"
Record = Callable[..., tuple[FlowOutcome, FlowOutcome | None]]


@pytest.fixture
def record(runner: Runner, event: dict[str, Any]) -> Record:
    """Runs Actions: the outcome, and what is recorded of it."""

    def run(*actions: Any, **changes: Any) -> tuple[FlowOutcome, FlowOutcome | None]:
        kept: list[FlowOutcome | None] = []
        outcome = replace(runner, recorder=kept.append, **changes).run("post-login", event, actions)
        return outcome, kept[0]

    return run


def test_a_plain_outcome_is_on_record_as_it_is(record: Record) -> None:
    body = "api.idToken.setCustomClaim('https://x.example/a', 'b'); console.log('said', event.secrets.KEY);"
    outcome, kept = record(javascript(body, secrets={"KEY": SECRET}))
    assert outcome.ok, outcome.failure
    assert kept is None


@pytest.mark.parametrize(
    "body",
    [
        "api.id_token.set_custom_claim('https://x.example/a', event.secrets.KEY)",
        "api.id_token.set_custom_claim('https://x.example/a', {event.secrets.KEY: [event.secrets.KEY]})",
        "api.user.set_user_metadata('a', 'x' + event.secrets.KEY)",
        "api.access.deny(event.secrets.KEY)",
        "api.prompt.render('ap_1', vars={'key': event.secrets.KEY})",
        "api.redirect.send_user_to('https://x.example/', query={'key': event.secrets.KEY})",
    ],
)
def test_effects_are_applied_as_they_are_and_kept_without_secrets(record: Record, body: str) -> None:
    outcome, kept = record(python(body, secrets={"KEY": SECRET}))
    assert outcome.failure is None, outcome.failure
    assert SECRET in outcome.effects.model_dump_json()
    assert kept is not None
    assert SECRET not in kept.to_json()
    assert kept.decision is outcome.decision
    assert kept.execution_id == outcome.execution_id


def test_nothing_that_resumes_is_kept(record: Record) -> None:
    body = """
        const token = api.redirect.encodeToken({ secret: event.secrets.KEY.repeat(2), payload: { a: 1 } });
        console.log("made", token);
        api.user.setUserMetadata("token", `x${token}x`);
        api.redirect.sendUserTo("https://x.example/ask?hint=1", { query: { session_token: token } });
    """
    outcome, kept = record(both(body, "", secrets={"KEY": SECRET}))
    assert outcome.suspension is not None
    assert kept is not None
    suspension, redirect = outcome.suspension, outcome.effects.redirect
    assert redirect is not None
    token = outcome.actions[0].logs[0].text.removeprefix("made ")
    assert token.count(".") == 2
    text = kept.to_json()
    for resumes in (suspension.handle, suspension.state, suspension.url, redirect.url, redirect.state, token):
        assert resumes
        assert resumes in outcome.to_json()
        assert resumes not in text
    assert "x.example/ask" not in text
    assert kept.actions[0].logs[0].text == "made [session token]"
    assert kept.effects.user_metadata == {"token": "x[session token]x"}
    assert kept.suspension is not None
    assert (kept.suspension.kind, kept.suspension.action) == ("redirect", 0)


def test_the_other_leg_is_kept_without_it_too(runner: Runner, event: dict[str, Any]) -> None:
    kept: list[FlowOutcome | None] = []
    watched = replace(runner, recorder=kept.append)
    away = "api.redirect.sendUserTo('https://x.example/again', { query: { n: '2' } });"
    asked = watched.run("post-login", event, [both(away, away)])
    assert asked.suspension is not None
    request = {**event["request"], "query": {"state": asked.suspension.state}}
    second = watched.resume(asked.suspension.handle, request=request)
    assert second.suspension is not None
    assert kept[1] is not None
    assert second.suspension.state not in kept[1].to_json()
    assert "x.example/again" not in kept[1].to_json()


def test_a_secret_that_is_a_word_of_the_record(record: Record) -> None:
    body = "api.authentication.challengeWith({ type: 'webauthn-platform' });"
    outcome, kept = record(javascript(body, secrets={"KEY": "webauthn-platform", "OTHER": "challenge"}))
    assert outcome.failure is None, outcome.failure
    assert kept is not None
    assert "webauthn-platform" not in kept.effects.model_dump_json()


@pytest.mark.parametrize("char", ["\\u0001", '"', "\\\\", "\\n", "\\u00e9", "\\u65e5", "\\u{1f600}", "x"])
def test_a_log_on_record_is_within_its_cap_after_escapes(record: Record, char: str) -> None:
    body = f"for (let i = 0; i < 6; i++) console.log('{char}'.repeat(60000));".replace("'\"'", '`"`')
    outcome, kept = record(javascript(body))
    logs = [line.model_dump(mode="json") for line in (kept or outcome).actions[0].logs]
    assert len(json.dumps(logs, ensure_ascii=False).encode()) <= 264 * KIB
    if char in ("x", "\\u00e9", "\\u65e5", "\\u{1f600}"):
        assert kept is None, "no escape makes it longer"
    else:
        assert "bytes more" in logs[-1]["text"]


def test_ten_thousand_empty_lines_are_within_it(record: Record) -> None:
    outcome, kept = record(javascript("for (let i = 0; i < 10000; i++) console.log('');"))
    assert len(outcome.actions[0].logs) == 10_000
    assert kept is not None
    logs = [line.model_dump(mode="json") for line in kept.actions[0].logs]
    assert len(json.dumps(logs).encode()) <= 264 * KIB
    assert 2_000 < len(logs) < 10_000


def test_a_record_is_bounded_as_a_whole(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.flow.recorded_outcome.MAX_RECORDED_BYTES", 6_000)
    body = "for i in range(%d): api.id_token.set_custom_claim(f'https://x.example/{i %% %d}', 'y' * 300)"
    outcome, kept = record(python(body % (15, 5)))
    assert outcome.ok, outcome.failure
    assert kept is not None
    assert kept.effects == outcome.effects
    assert [(item.path, item.arguments) for item in kept.actions[0].commands] == [
        ("idToken.setCustomClaim", ())
    ] * 15
    outcome, kept = record(python(body % (30, 30)))
    assert len(outcome.effects.id_token_claims) == 30
    assert kept is not None
    assert kept.effects.id_token_claims == {}
    assert kept.effects.warnings == ("What this leg asked for is not on record: it is too large.",)
    assert len(kept.to_json()) <= 6_000
