"""One leg of a flow: order, what the next Action sees, deny, failures, policies and budgets."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from runner import Action, Decision, FailPolicy, FlowError, Limits, Runner, Settings, Status
from tests.flow.actions import javascript, python
from triggers import EventError, UnknownTriggerError, get_trigger

Claim = Callable[[str, int], Action]
THROW = "raise ValueError('broken')"


def statuses(outcome: Any) -> list[str]:
    return [record.status.value for record in outcome.actions]


def with_settings(runner: Runner, **changes: Any) -> Runner:
    return replace(runner, settings=replace(runner.settings, **changes))


class TestOrder:
    def test_actions_run_in_bound_order_and_their_effects_add_up(
        self, runner: Runner, event: dict[str, Any], claim: Claim
    ) -> None:
        outcome = runner.run("post-login", event, [claim("a", 1), claim("b", 2), claim("a", 3)])
        assert outcome.decision is Decision.ALLOW
        assert outcome.effects.id_token_claims == {"a": 3, "b": 2}
        assert statuses(outcome) == ["ran", "ran", "ran"]
        assert [record.index for record in outcome.actions] == [0, 1, 2]

    def test_languages_mix(self, runner: Runner, event: dict[str, Any]) -> None:
        actions = [
            javascript("api.transaction.setMetadata('seen', 'js');"),
            python("api.id_token.set_custom_claim('seen', event.transaction.metadata.seen)"),
        ]
        outcome = runner.run("post-login", event, actions)
        assert outcome.effects.id_token_claims == {"seen": "js"}

    def test_actions_of_one_name_are_told_apart(self, runner: Runner, event: dict[str, Any]) -> None:
        outcome = runner.run("post-login", event, [python("pass"), python("pass"), javascript("")])
        assert [record.name for record in outcome.actions] == ["py", "py#2", "js"]

    def test_the_next_action_sees_metadata_but_not_mutations(
        self, runner: Runner, event: dict[str, Any]
    ) -> None:
        actions = [
            javascript(
                "event.user.email = 'forged@example.com'; event.extra = 1;"
                "api.user.setUserMetadata('color', 'red'); api.user.setAppMetadata('plan', 'gold');"
            ),
            python(
                "user = event.user\n"
                "print(user.email, event.extra, user.user_metadata.color, user.app_metadata.plan)"
            ),
        ]
        outcome = runner.run("post-login", event, actions)
        assert outcome.actions[1].logs[0].text == "maya.okafor@harbor.example None red gold"

    def test_each_action_has_its_own_secrets_and_configuration(
        self, runner: Runner, event: dict[str, Any]
    ) -> None:
        show = "print(event.secrets.KEY, event.secrets.OTHER, event.configuration.region)"
        actions = [
            python(show, secrets={"KEY": "one"}, configuration={"region": "eu"}),
            python(show, secrets={"OTHER": "two"}),
        ]
        outcome = runner.run("post-login", event, actions)
        assert [record.logs[0].text for record in outcome.actions] == ["one None eu", "None two None"]

    def test_secrets_in_the_event_of_the_platform_reach_no_action(
        self, runner: Runner, event: dict[str, Any]
    ) -> None:
        event["secrets"] = {"STRAY": "value"}
        outcome = runner.run("post-login", event, [python("print(event.secrets.STRAY)")])
        assert outcome.actions[0].logs[0].text == "None"

    def test_the_event_of_the_caller_is_not_changed(self, runner: Runner, event: dict[str, Any]) -> None:
        before = get_trigger("post-login").example_event
        runner.run("post-login", event, [python("api.user.set_user_metadata('a', 1)")])
        assert event == before


class TestDeny:
    def test_later_actions_do_not_run_and_the_others_effects_stay(
        self, runner: Runner, event: dict[str, Any], claim: Claim
    ) -> None:
        deny = python("api.access.deny('no')\napi.user.set_user_metadata('tried', True)", name="deny")
        outcome = runner.run("post-login", event, [claim("a", 1), deny, claim("b", 2)])
        assert outcome.decision is Decision.DENY
        assert not outcome.ok
        assert statuses(outcome) == ["ran", "denied", "skipped"]
        assert outcome.effects.denial.reason == "no"
        assert outcome.effects.denial.action == 1
        assert outcome.effects.user_metadata == {"tried": True}

    def test_the_first_reason_stands(self, runner: Runner, event: dict[str, Any]) -> None:
        outcome = runner.run("post-login", event, [python("api.access.deny('one')\napi.access.deny('two')")])
        assert outcome.effects.denial.reason == "one"

    def test_deny_wins_over_a_redirect(self, runner: Runner, event: dict[str, Any]) -> None:
        body = "api.redirect.sendUserTo('https://x.example/'); api.access.deny('no');"
        outcome = runner.run("post-login", event, [javascript(body)])
        assert outcome.decision is Decision.DENY
        assert outcome.suspension is None
        assert outcome.effects.redirect is None

    def test_a_denial_that_is_followed_by_a_failure_is_a_failure(
        self, runner: Runner, event: dict[str, Any]
    ) -> None:
        outcome = runner.run("post-login", event, [python(f"api.access.deny('no')\n{THROW}")])
        assert outcome.decision is Decision.FAILED
        assert outcome.effects.denial is None


class TestFailures:
    def test_a_failure_ends_a_blocking_flow_and_drops_all_effects(
        self, runner: Runner, event: dict[str, Any], claim: Claim
    ) -> None:
        broken = python(f"api.id_token.set_custom_claim('b', 2)\n{THROW}", name="broken")
        outcome = runner.run("post-login", event, [claim("a", 1), broken, claim("c", 3)])
        assert outcome.decision is Decision.FAILED
        assert statuses(outcome) == ["ran", "failed", "skipped"]
        assert outcome.failure is not None
        assert outcome.failure.code == "throw"
        assert outcome.failed_action == 1
        assert outcome.failure == outcome.actions[1].failure
        assert outcome.effects.id_token_claims == {}

    def test_fail_open_skips_the_action(self, runner: Runner, event: dict[str, Any], claim: Claim) -> None:
        broken = python(
            f"api.id_token.set_custom_claim('b', 2)\n{THROW}", name="broken", fail_policy=FailPolicy.OPEN
        )
        outcome = runner.run("post-login", event, [claim("a", 1), broken, claim("c", 3)])
        assert outcome.decision is Decision.ALLOW
        assert outcome.failure is None
        assert outcome.effects.id_token_claims == {"a": 1, "c": 3}
        assert statuses(outcome) == ["ran", "failed", "ran"]
        assert outcome.actions[1].failure is not None

    def test_last_good_runs_in_place_of_a_version_that_fails(
        self, runner: Runner, event: dict[str, Any]
    ) -> None:
        good = python("api.id_token.set_custom_claim('v', 1)").source
        action = python(
            f"api.id_token.set_custom_claim('v', 2)\n{THROW}",
            fail_policy=FailPolicy.LAST_GOOD,
            last_good=good,
        )
        outcome = runner.run("post-login", event, [action])
        assert outcome.decision is Decision.ALLOW
        assert outcome.effects.id_token_claims == {"v": 1}
        record = outcome.actions[0]
        assert record.status is Status.RAN
        assert record.used_last_good
        assert record.failure is not None
        assert record.failure.code == "throw"

    def test_a_last_good_version_may_suspend_or_deny(self, runner: Runner, event: dict[str, Any]) -> None:
        good = python("api.access.deny('by the last good one')").source
        action = python(THROW, fail_policy=FailPolicy.LAST_GOOD, last_good=good)
        assert runner.run("post-login", event, [action]).decision is Decision.DENY

    def test_the_flow_fails_when_the_last_good_version_fails_as_well(
        self, runner: Runner, event: dict[str, Any]
    ) -> None:
        action = python(
            THROW, fail_policy=FailPolicy.LAST_GOOD, last_good=python("raise KeyError('old')").source
        )
        outcome = runner.run("post-login", event, [action])
        assert outcome.decision is Decision.FAILED
        assert outcome.failure is not None
        assert outcome.failure.error_name == "KeyError"

    def test_a_source_that_does_not_build_fails_the_flow_before_anything_runs(
        self, runner: Runner, event: dict[str, Any]
    ) -> None:
        actions = [python("print('ran')"), python("x = (", name="broken"), python("pass")]
        outcome = runner.run("post-login", event, actions)
        assert outcome.decision is Decision.FAILED
        assert statuses(outcome) == ["skipped", "failed", "skipped"]
        assert outcome.failure is not None
        assert outcome.failure.code == "syntax"
        assert outcome.failure.place is not None
        assert outcome.failure.place.file == "broken.py"

    def test_a_source_that_does_not_build_is_skipped_when_it_may_be(
        self, runner: Runner, event: dict[str, Any], claim: Claim
    ) -> None:
        actions = [claim("a", 1), python("x = (", fail_policy=FailPolicy.OPEN)]
        outcome = runner.run("post-login", event, actions)
        assert outcome.effects.id_token_claims == {"a": 1}
        assert statuses(outcome) == ["ran", "failed"]

    @pytest.mark.parametrize("make", [python, javascript])
    def test_a_missing_handler_names_what_there_is(
        self, runner: Runner, event: dict[str, Any], make: Callable[..., Action]
    ) -> None:
        action = (
            make("", handler="onExecutePostLogn") if make is javascript else make("pass", "onExecutePostLogn")
        )
        outcome = runner.run("post-login", event, [action])
        assert outcome.failure is not None
        assert outcome.failure.code == "handler"
        spelled = "onExecutePostLogn" if make is javascript else "on_execute_post_logn"
        assert spelled in outcome.failure.message

    def test_a_redirect_and_a_form_at_once_fail_the_action_even_when_caught(
        self, runner: Runner, event: dict[str, Any]
    ) -> None:
        body = """
            api.redirect.sendUserTo('https://x.example/');
            try { api.prompt.render('ap_1'); } catch (error) { console.log('caught'); }
        """
        outcome = runner.run("post-login", event, [javascript(body)])
        assert outcome.decision is Decision.FAILED
        assert outcome.failure is not None
        assert outcome.failure.code == "invalid_command"


class TestTriggersThatDoNotBlock:
    HANDLER = "onExecutePostUserRegistration"

    def run(self, runner: Runner, *actions: Action) -> Any:
        trigger = get_trigger("post-user-registration")
        return runner.run(trigger, trigger.example_event, actions)

    def test_a_failure_denies_nothing_and_later_actions_run(self, runner: Runner) -> None:
        outcome = self.run(runner, python(THROW, self.HANDLER), python("print('ran')", self.HANDLER))
        assert outcome.decision is Decision.FAILED
        assert not outcome.trigger.blocking
        assert outcome.failed_action == 0
        assert statuses(outcome) == ["failed", "ran"]

    def test_the_first_failure_is_the_one_that_is_reported(self, runner: Runner) -> None:
        outcome = self.run(runner, python(THROW, self.HANDLER), python("raise KeyError('x')", self.HANDLER))
        assert outcome.failure.error_name == "ValueError"

    def test_an_event_stream_delivery_fails_when_its_action_throws(self, runner: Runner) -> None:
        trigger = get_trigger("event-stream")
        outcome = runner.run(trigger, trigger.example_event, [python(THROW, "onExecuteEventStream")])
        assert outcome.decision is Decision.FAILED

    def test_a_failing_provider_does_not_count_as_delivered(self, runner: Runner) -> None:
        trigger = get_trigger("custom-email-provider")
        outcome = runner.run(trigger, trigger.example_event, [python(THROW, "onExecuteCustomEmailProvider")])
        assert outcome.decision is Decision.FAILED
        assert outcome.effects.notification is None


class TestBudget:
    LOOP = "while True:\n    pass"
    SLACK = 1.5

    def test_the_budget_covers_all_actions_of_the_leg(self, runner: Runner, event: dict[str, Any]) -> None:
        slow = [python(self.LOOP, fail_policy=FailPolicy.OPEN) for _ in range(3)]
        quick = with_settings(runner, budget_ms=300)
        began = time.monotonic()
        outcome = quick.run("post-login", event, slow)
        assert time.monotonic() - began < 0.3 + self.SLACK
        failures = [record.failure for record in outcome.actions]
        assert [failure.code for failure in failures if failure] == ["timeout"] * 3
        assert failures[0] is not None
        assert failures[0].detail["budget_ms"] == 300
        assert failures[2] is not None
        assert "did not start" in failures[2].message
        assert outcome.actions[2].statistics is None

    def test_an_action_has_its_own_limit_within_the_budget(
        self, runner: Runner, event: dict[str, Any], claim: Claim
    ) -> None:
        slow = python(self.LOOP, fail_policy=FailPolicy.OPEN, limits=Limits(wall_ms=100))
        outcome = runner.run("post-login", event, [slow, claim("a", 1)])
        assert outcome.decision is Decision.ALLOW
        failure = outcome.actions[0].failure
        assert failure is not None
        assert failure.code == "timeout"
        assert "budget_ms" not in failure.detail
        assert outcome.effects.id_token_claims == {"a": 1}

    def test_limits_of_the_runner_hold_for_actions_without_their_own(
        self, runner: Runner, event: dict[str, Any]
    ) -> None:
        tight = with_settings(runner, limits=Limits(commands=1))
        body = "api.id_token.set_custom_claim('a', 1)\napi.id_token.set_custom_claim('b', 2)"
        failure = tight.run("post-login", event, [python(body)]).failure
        assert failure is not None
        assert failure.code == "output"
        assert tight.run("post-login", event, [python(body, limits=Limits(commands=2))]).ok

    @pytest.mark.parametrize("value", [0, -1, 600_001, 1.5, True])
    def test_a_budget_out_of_range_is_refused(self, value: Any) -> None:
        with pytest.raises(ValueError, match="budget_ms"):
            Settings(budget_ms=value)


class TestCallerMistakes:
    def test_no_action(self, runner: Runner, event: dict[str, Any]) -> None:
        with pytest.raises(FlowError) as caught:
            runner.run("post-login", event, [])
        assert caught.value.code == "no_actions"

    def test_more_actions_than_the_trigger_takes(self, runner: Runner) -> None:
        trigger = get_trigger("event-stream")
        actions = [python("pass", "onExecuteEventStream")] * 2
        with pytest.raises(FlowError, match="at most 1") as caught:
            runner.run("event-stream", trigger.example_event, actions)
        assert caught.value.code == "too_many_actions"

    def test_twenty_actions_are_a_flow(self, runner: Runner, event: dict[str, Any], claim: Claim) -> None:
        assert runner.run("post-login", event, [claim("a", 1)] * 20).ok
        with pytest.raises(FlowError):
            runner.run("post-login", event, [claim("a", 1)] * 21)

    def test_an_unknown_trigger_names_the_nearest(self, runner: Runner, event: dict[str, Any]) -> None:
        with pytest.raises(UnknownTriggerError, match="post-login"):
            runner.run("post-logn", event, [python("pass")])

    def test_an_event_that_does_not_fit_names_the_path(self, runner: Runner, event: dict[str, Any]) -> None:
        event["user"]["email"] = 3
        with pytest.raises(EventError) as caught:
            runner.run("post-login", event, [python("pass")])
        assert caught.value.problems[0].path == "$.user.email"
