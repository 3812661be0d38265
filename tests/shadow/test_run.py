"""Shadow runs: a version against itself, and other sources in the world of the record."""

from __future__ import annotations

from typing import Any

import pytest

from bench.engine.restless import ChanceEgress, restless
from runner import Action, InputError, Runner
from runner.replay.record import comparable
from runner.shadow.run import recorded_actions, replaced, run_on
from tests.flow.actions import javascript, python
from tests.flow.fixtures import PROGRAMS
from tests.shadow.worlds import recorded

pytestmark = pytest.mark.usefixtures("no_connections")


@pytest.mark.parametrize("action", restless(), ids=lambda action: action.name)
def test_a_version_against_itself_never_differs(
    runner: Runner, event: dict[str, Any], action: Action
) -> None:
    egress = ChanceEgress()
    for _ in range(3):  # by chance it goes one way or another
        _, record = recorded(runner, event, [action, javascript("api.access.deny('x')")], egress=egress)
        made = egress.made
        run = run_on(record, recorded_actions(record), PROGRAMS)
        assert comparable(run.outcome) == run.record.outcome
        assert run.unanswered == ()
        assert egress.made == made


class TestAnotherVersion:
    def check(
        self, runner: Runner, event: dict[str, Any], action: Action, candidate: Action, **options: Any
    ) -> Any:
        _, record = recorded(runner, event, [action], egress=ChanceEgress(), **options)
        actions = replaced(recorded_actions(record), None, candidate)
        return record, run_on(record, actions, PROGRAMS)

    def test_a_request_that_the_record_does_not_know_is_told_and_breaks(
        self, runner: Runner, event: dict[str, Any]
    ) -> None:
        before = javascript("await fetch('https://api.example/a');")
        after = javascript("""
            api.user.setUserMetadata('a', 1);
            const told = await fetch('https://new.example/', { method: 'PUT' }).catch((error) => error.name);
            api.idToken.setCustomClaim('told', told);
            api.idToken.setCustomClaim('n', (await (await fetch('https://api.example/a')).json()).n);
        """)
        _, run = self.check(runner, event, before, after)
        assert [(item.what, item.commands) for item in run.unanswered] == [("PUT https://new.example/", 1)]
        assert run.outcome.effects.id_token_claims == {"told": "TypeError", "n": 1}

    def test_another_body_is_another_request_and_another_header_is_not(
        self, runner: Runner, event: dict[str, Any]
    ) -> None:
        ask = "await fetch('https://api.example/a', { method: 'POST', body: '%s', headers: { x: '%s' } });"
        _, same = self.check(runner, event, javascript(ask % ("1", "1")), javascript(ask % ("1", "2")))
        assert same.unanswered == ()
        _, other = self.check(runner, event, javascript(ask % ("1", "1")), javascript(ask % ("2", "1")))
        assert [item.what for item in other.unanswered] == ["POST https://api.example/a"]

    def test_requests_in_another_order_get_their_own_answers(
        self, runner: Runner, event: dict[str, Any]
    ) -> None:
        tell = "api.idToken.setCustomClaim('n', [a, b].map((item) => item.path));"
        ask = "(await fetch('https://api.example/%s')).json()"
        before = javascript(f"const a = await {ask % 'a'}; const b = await {ask % 'b'}; {tell}")
        after = javascript(
            f"const [b, a] = await Promise.all(['b', 'a'].map(async (p) => {ask.replace('%s', '')}".replace(
                "'https://api.example/'", "`https://api.example/${p}`"
            )
            + f")); {tell}"
        )
        record, run = self.check(runner, event, before, after)
        assert run.outcome.effects.id_token_claims == {"n": ["a", "b"]}
        assert run.unanswered == ()
        assert comparable(run.outcome)["effects"] == record.outcome["effects"]

    def test_time_goes_on_with_what_was_waited_for(self, runner: Runner, event: dict[str, Any]) -> None:
        before = javascript("""
            api.user.setUserMetadata('at', Date.now());
            await fetch('https://api.example/a');
            api.idToken.setCustomClaim('at', Date.now());
        """)
        after = javascript("""
            Date.now(); console.log(Date.now());
            api.user.setUserMetadata('at', Date.now());
            await fetch('https://api.example/a');
            api.idToken.setCustomClaim('at', Date.now());
            await new Promise((done) => setTimeout(done, 5000));
            api.accessToken.setCustomClaim('at', Date.now());
        """)
        record, run = self.check(runner, event, before, after)
        was, now = record.outcome["effects"], run.outcome.effects
        assert now.user_metadata == was["user_metadata"]
        assert now.id_token_claims == was["id_token_claims"]
        assert 4999 <= now.access_token_claims["at"] - now.id_token_claims["at"] < 5100

    def test_a_sleep_past_the_limit_is_a_timeout_at_once(self, runner: Runner, event: dict[str, Any]) -> None:
        after = python("import asyncio\nawait asyncio.sleep(60)")
        _, run = self.check(runner, event, javascript("1;"), after)
        assert run.outcome.failure.code == "timeout"

    def test_the_cache_shows_what_the_draft_wrote(self, runner: Runner, event: dict[str, Any]) -> None:
        before = javascript("api.cache.set('k', 'old'); console.log(api.cache.get('k'));")
        after = javascript(
            "api.cache.set('k', 'new'); api.idToken.setCustomClaim('k', api.cache.get('k').value);"
        )
        _, run = self.check(runner, event, before, after)
        assert run.outcome.effects.id_token_claims == {"k": "new"}

    def test_a_later_action_meets_its_own_record(self, runner: Runner, event: dict[str, Any]) -> None:
        later = javascript(
            "api.idToken.setCustomClaim('n', [(await (await fetch('https://api.example/b')).json()).path, "
            "event.user.user_metadata.x]);",
            name="later",
        )
        first = javascript("api.user.setUserMetadata('x', 1);", name="first")
        _, record = recorded(runner, event, [first, later], egress=ChanceEgress())
        changed = javascript("api.user.setUserMetadata('x', 2);")
        run = run_on(record, replaced(recorded_actions(record), "first", changed), PROGRAMS)
        assert run.outcome.effects.id_token_claims == {"n": ["b", 2]}

    def test_a_name_that_is_not_in_the_record(self, runner: Runner, event: dict[str, Any]) -> None:
        _, record = recorded(runner, event, [javascript("1;", name="a"), javascript("2;", name="b")])
        actions = recorded_actions(record)
        for name in ("c", None):
            with pytest.raises(InputError) as caught:
                replaced(actions, name, javascript("3;"))
            assert caught.value.code == "no_such_action"
        with pytest.raises(InputError) as caught:
            run_on(record, actions[:1], PROGRAMS)
        assert caught.value.code == "different_flow"
