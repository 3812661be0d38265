"""Rules, reports and the lock-out list."""

from __future__ import annotations

from datetime import date
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from runner.model.traits import Trait, is_covered
from runner.shadow.differences import Cause, Difference, attributed
from runner.shadow.leg import LegShadow
from runner.shadow.report import EXAMPLES, MAX_GROUPS, ShadowReport, Tally
from runner.shadow.rules import IgnoreRule, left

TODAY = date(2026, 12, 1)


def difference(
    cause: Cause = Cause.CLAIM, path: str = "id_token_claims.a", *, proof: bool = True
) -> Difference:
    return Difference(cause, path, "1", "2", proof)


class TestRules:
    @given(st.text("ab.*", min_size=1, max_size=12), st.text("ab.", max_size=12))
    def test_a_star_is_any_text(self, pattern: str, text: str) -> None:
        rule = IgnoreRule(path=pattern, owner="ann", until=TODAY)
        assert rule.covers(difference(path=text)) == fnmatchcase(text, pattern)

    def test_a_long_pattern_is_no_trouble(self) -> None:
        rule = IgnoreRule(path="*a" * 99 + "b", owner="ann", until=TODAY)
        assert not rule.covers(difference(path="a" * 5_000))

    def test_a_rule_is_for_its_cause_and_holds_to_its_last_day(self) -> None:
        rule = IgnoreRule(cause=Cause.LOG, owner="ann", until=TODAY)
        found = (difference(), difference(Cause.LOG, "actions.a.logs"))
        assert left(found, [rule]) == (found[:1], (rule,))
        assert rule.holds(TODAY)
        assert not rule.holds(date(2026, 12, 2))

    @pytest.mark.parametrize("given_", [{}, {"owner": "a"}, {"until": TODAY}, {"owner": "", "until": TODAY}])
    def test_it_has_an_owner_and_an_end(self, given_: dict[str, object]) -> None:
        with pytest.raises(ValidationError):
            IgnoreRule.model_validate(given_)


class TestReports:
    def test_the_weightiest_proof_is_what_a_leg_is_put_down_to(self) -> None:
        found = [
            difference(Cause.DECISION, "decision", proof=False),
            difference(Cause.LOG, "actions.a.logs"),
            difference(Cause.UNANSWERED, "GET https://a.example/"),
        ]
        assert attributed(found) == found[2]
        assert attributed(found[:1]) == found[0]
        assert attributed([]) is None

    def test_groups_are_counted_with_three_executions_and_go_on_where_they_were(self) -> None:
        tally = Tally(today=TODAY)
        for number in range(5):
            tally.add(f"exe_{number}", [difference(), difference(), difference(Cause.LOG, "l", proof=False)])
        tally.add("exe_same", [])
        tally.skip("timeout")
        report = tally.report()
        assert (report.compared, report.different, report.bound) == (6, 5, None)
        assert report.causes == {Cause.CLAIM: 5}
        claim, log = report.groups
        assert (claim.count, claim.unproven, claim.recorded, claim.now) == (5, 0, "1", "2")
        assert claim.executions == tuple(f"exe_{number}" for number in range(EXAMPLES))
        assert (log.count, log.unproven) == (5, 5)
        text = report.model_dump_json(by_alias=True)
        again = Tally.going_on(ShadowReport.model_validate_json(text), [], TODAY)
        again.count("exe_more", LegShadow(differences=(difference(),), self_check=(difference(),)))
        more = again.report()
        assert (more.compared, more.different, more.groups[0].count) == (7, 6, 6)
        assert (more.self_checks, more.faults[0].executions) == (1, ("exe_more",))
        assert more.skipped == {"timeout": 1}

    @pytest.mark.parametrize(("legs", "bound"), [(1, 1.0), (300, 0.01), (10_000, 0.0003)])
    def test_the_bound_of_what_never_differs(self, legs: int, bound: float) -> None:
        tally = Tally(today=TODAY)
        for number in range(legs):
            tally.add(str(number), [])
        assert tally.report().bound == pytest.approx(bound)

    def test_paths_without_end_end_in_one_group(self) -> None:
        tally = Tally(today=TODAY)
        for number in range(3 * MAX_GROUPS):
            tally.add("exe", [difference(path=f"id_token_claims.{number}")])
        groups = tally.report().groups
        assert len(groups) == MAX_GROUPS + 1
        assert max(group.count for group in groups) == 2 * MAX_GROUPS


EVENT = {
    "user": {"user_id": "auth0|1", "email": "Ann@Ops.example"},
    "authorization": {"roles": ["admin"]},
}


class TestLockout:
    @pytest.mark.parametrize(
        ("rule", "covers"),
        [
            ({"role": "admin"}, True),
            ({"role": "adm"}, False),
            ({"email": "ann@ops.EXAMPLE"}, True),
            ({"email": "*@ops.example"}, True),
            ({"email": "*@example"}, False),
            ({"user_id": "auth0|1"}, True),
            ({"user_id": "auth0|1", "role": "reader"}, False),
        ],
    )
    def test_all_that_a_rule_says_must_hold(self, rule: dict[str, Any], covers: bool) -> None:
        assert is_covered([Trait(**rule)], EVENT) is covers

    @given(
        st.recursive(
            st.none() | st.text() | st.integers(),
            lambda inner: (
                st.lists(inner)
                | st.dictionaries(
                    st.sampled_from(["user", "authorization", "roles", "email", "user_id"]), inner
                )
            ),
        )
    )
    def test_any_event_is_on_the_list_or_not(self, event: object) -> None:
        rules = [Trait(role="a"), Trait(email="*@b"), Trait(user_id="c")]
        if isinstance(event, dict):
            assert is_covered(rules, event) in (True, False)
