"""A flow runs Actions in order and hands back one record."""

from __future__ import annotations

import pytest

from runner.action import Action
from runner.library import Runner
from runner.outcome import Decision, FlowOutcome
from sandbox.egress import NoEgress
from sandbox.program import Language, Source
from triggers import get_trigger


@pytest.fixture
def runner() -> Runner:
    return Runner(egress=NoEgress())


def python(name: str, body: str) -> Action:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    text = f"async def on_execute_post_login(event, api):\n{lines}\n"
    return Action(name, Source(Language.PYTHON, f"{name}.py", text))


def test_a_flow_collects_effects_of_all_actions_in_order(runner: Runner) -> None:
    actions = [
        python("one", "api.id_token.set_custom_claim('a', 1)"),
        python("two", "api.id_token.set_custom_claim('b', 2)"),
    ]
    outcome = runner.run("post-login", get_trigger("post-login").example_event, actions)
    assert outcome.decision is Decision.ALLOW
    assert outcome.effects["id_token_claims"] == {"a": 1, "b": 2}
    assert [record.status.value for record in outcome.actions] == ["ran", "ran"]
    assert FlowOutcome.from_json(outcome.to_json()) == outcome
