"""What was thrown as the reason of a refusal: every trigger's members, in both languages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner import Runner, load_action
from triggers import get_trigger

SCRIPTS = Path(__file__).parent.parent / "wild" / "contracts"
SAID = "no seat is left: Größe 0"
EVERYWHERE = [
    ("post-login", "deny"),
    ("post-login", "invalid"),
    ("post-login", "session"),
    ("post-login", "refresh"),
    ("credentials-exchange", "coded"),
    ("pre-user-registration", "signup"),
    ("pre-user-registration", "invalid"),
    ("password-reset-post-challenge", "deny"),
    ("custom-token-exchange", "coded"),
    ("custom-token-exchange", "token"),
    ("post-credential-validation", "credential"),
    ("post-credential-validation", "bare"),
    ("custom-phone-provider", "drop"),
    ("custom-phone-provider", "retry"),
    ("custom-email-provider", "drop"),
    ("custom-email-provider", "retry"),
]


def reason(runner: Runner, script: str, trigger: str, how: str, what: str) -> str | None:
    event: dict[str, Any] = get_trigger(trigger).example_event
    if how == "refresh":
        event["transaction"]["protocol"] = "oauth2-refresh-token"
    action = load_action(SCRIPTS / script, secrets={"HOW": how, "WHAT": what})
    outcome = runner.run(trigger, event, [action])
    assert outcome.failure is None, outcome.failure
    effects = outcome.effects
    if effects.notification is not None:
        return effects.notification.reason
    assert effects.denial is not None
    return effects.denial.reason


@pytest.mark.parametrize("script", ["refuse.js", "refuse.py"])
@pytest.mark.parametrize(("trigger", "how"), EVERYWHERE)
def test_an_error_stands_for_its_message(runner: Runner, script: str, trigger: str, how: str) -> None:
    for what in ("plain", "own"):
        assert reason(runner, script, trigger, how, what) == SAID


@pytest.mark.parametrize(
    ("script", "what", "said"),
    [
        ("refuse.js", "old", SAID),
        ("refuse.js", "dom", SAID),
        ("refuse.js", "silent", "QuotaError"),
        ("refuse.js", "type", "Cannot read properties of null (reading 'seats')"),
        ("refuse.js", "text", SAID),
        ("refuse.js", "object", '{"seats":0}'),
        ("refuse.py", "odd", "OddError"),
        ("refuse.py", "silent", "QuotaError"),
        ("refuse.py", "type", "'NoneType' object has no attribute 'seats'"),
        ("refuse.py", "key", "'seats'"),
    ],
)
def test_every_kind_of_error(runner: Runner, script: str, what: str, said: str) -> None:
    assert reason(runner, script, "post-login", "deny", what) == said
