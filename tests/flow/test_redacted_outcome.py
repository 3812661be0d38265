"""Secrets do not leave a flow in logs, failures or commands; effects are applied as they are."""

from __future__ import annotations

from typing import Any

import pytest

from runner import Runner
from tests.flow.actions import javascript, python

SECRET = "correct-horse-battery"


@pytest.mark.parametrize("make", [python, javascript])
def test_logs_failures_and_commands_hold_no_secret(runner: Runner, event: dict[str, Any], make: Any) -> None:
    if make is python:
        body = (
            "print('the key is', event.secrets.KEY, {'k': event.secrets.KEY})\n"
            "api.user.set_user_metadata(event.secrets.KEY, [event.secrets.KEY])\n"
            "raise ValueError('failed with ' + event.secrets.KEY)"
        )
    else:
        body = (
            "console.log('the key is', event.secrets.KEY, {k: event.secrets.KEY});"
            "api.user.setUserMetadata(event.secrets.KEY, [event.secrets.KEY]);"
            "throw new Error('failed with ' + event.secrets.KEY);"
        )
    outcome = runner.run("post-login", event, [make(body, secrets={"KEY": SECRET})])
    assert SECRET not in outcome.to_json()
    assert outcome.failure is not None
    assert outcome.failure.message == "failed with [secret KEY]"
    assert outcome.actions[0].logs[0].text.startswith("the key is [secret KEY]")


def test_a_secret_that_went_through_metadata_is_redacted_in_later_logs(
    runner: Runner, event: dict[str, Any]
) -> None:
    flow = [
        python("api.user.set_user_metadata('k', event.secrets.KEY)", secrets={"KEY": SECRET}),
        python("print(event.user.user_metadata.k)"),
    ]
    outcome = runner.run("post-login", event, flow)
    assert outcome.actions[1].logs[0].text == "[secret KEY]"
    assert outcome.actions[0].commands[0].arguments == ("k", "[secret KEY]")
    assert outcome.effects.user_metadata == {"k": SECRET}
