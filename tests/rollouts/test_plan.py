"""What can be asked of a rollout."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from runner.http.validation import first_problem
from runner.rollouts.plan import RolloutPlan
from tests.rollouts.test_arms import JSON

CANARY = {"canary": {"percent": 5, "events": 200}}
PROMOTE = {"promote": True}
STAGES = st.lists(
    st.one_of(
        st.just(PROMOTE),
        st.just({"shadow": {"events": 300, "hours": 24}}),
        st.integers(-1, 101).map(lambda percent: {"canary": {"percent": percent, "events": 10}}),
    ),
    max_size=6,
)


def problem(**body: Any) -> str:
    with pytest.raises(ValidationError) as found:
        RolloutPlan.model_validate({"stages": [CANARY, PROMOTE], **body})
    return first_problem([{**error, "loc": ("body", *error["loc"])} for error in found.value.errors()])[0]


@given(STAGES)
def test_stages_are_in_order_and_end(stages: list[dict[str, Any]]) -> None:
    kinds = [next(iter(stage)) for stage in stages]
    shares = [stage["canary"]["percent"] for stage in stages if "canary" in stage]
    right = len(stages) > 1 and kinds.index("promote") == len(stages) - 1 if "promote" in kinds else False
    right = right and all(0 < share < 100 for share in shares) and all(a < b for a, b in pairwise(shares))
    right = right and kinds == sorted(kinds, key=("shadow", "canary", "promote").index)
    try:
        plan = RolloutPlan.model_validate({"stages": stages})
    except ValidationError:
        assert not right, stages
    else:
        assert right, stages
        stored = plan.model_dump(mode="json", exclude_none=True)
        assert RolloutPlan.model_validate(stored) == plan


@given(JSON)
def test_nothing_else_is_a_plan(body: Any) -> None:
    with pytest.raises(ValidationError):
        RolloutPlan.model_validate(body)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"stages": []}, "at $.stages"),
        ({"stages": [CANARY]}, "the rollout would never end' at $.stages"),
        ({"stages": [PROMOTE]}, "a shadow or canary stage comes before promote"),
        ({"stages": [CANARY, PROMOTE, PROMOTE]}, "stage 1 promotes and others follow"),
        ({"stages": [CANARY, CANARY, PROMOTE]}, "stage 1 has 5 after 5' at $.stages"),
        ({"stages": [{"canary": {"percent": 5}}, PROMOTE]}, "at $.stages[0].canary.events"),
        ({"stages": [{"canary": {"percent": 100, "events": 1}}, PROMOTE]}, "at $.stages[0].canary.percent"),
        ({"stages": [{"canary": {"percent": "5", "events": 1}}, PROMOTE]}, "at $.stages[0].canary.percent"),
        ({"stages": [{**CANARY, **PROMOTE}]}, "a stage is one of shadow, canary and promote' at $.stages[0]"),
        ({"stages": [CANARY, {"promote": False}]}, "at $.stages[1].promote"),
        ({"stages": [CANARY, {"shadow": {"events": 1}}, PROMOTE]}, "shadow stages come before canary stages"),
        ({"alpha": 0}, "at $.alpha"),
        ({"alpha": 0.5}, "at $.alpha"),
        ({"guards": {"failed": {"max_ratio": 0.5}}}, "at $.guards.failed.max_ratio"),
        ({"guards": {"faild": {}}}, "'Additional properties not allowed: faild' at $.guards.faild"),
        ({"guards": {"new_hosts": {"max": -1}}}, "at $.guards.new_hosts.max"),
        ({"cohorts": {"staff": 101}}, "at $.cohorts.staff.percent"),
        ({"cohorts": {"": 1}}, "a cohort's name"),
        ({"cohorts": {"staff": {"percent": 1, "who": []}}}, "at $.cohorts.staff.who"),
        ({"lockout": [{}]}, "name a role, an email, a user_id or where' at $.lockout[0]"),
        ({"key": "request.headers.x-arm"}, "what comes from the client"),
        ({"key": "user..id"}, "a path is names joined by dots"),
        ({"candidate": {}}, "at $.candidate"),
        ({"candidate": {"draft": True, "version": 2}}, "at $.candidate"),
        ({"on_regression": "promote"}, "at $.on_regression"),
        ({"more": 1}, "'Additional properties not allowed: more' at $.more"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(body: dict[str, Any], said: str) -> None:
    assert said in problem(**body)


def test_guards_that_are_given_are_all_there_are() -> None:
    usual = RolloutPlan.model_validate({"stages": [CANARY, PROMOTE]})
    assert usual.guards.statistical == {"failed": 1.0, "denied": 1.0, "costly": 1.0}
    assert usual.guards.new_hosts is not None
    assert usual.alpha_each() == pytest.approx(0.01 / 3)
    given_ = RolloutPlan.model_validate({"stages": [CANARY, PROMOTE], "guards": {"denied": {"max_ratio": 2}}})
    assert given_.guards.statistical == {"denied": 2.0}
    assert given_.guards.new_hosts is None
    assert given_.alpha_each() == 0.01


def test_a_number_of_a_cohort_is_of_those_with_its_role() -> None:
    plan = RolloutPlan.model_validate({"stages": [CANARY, PROMOTE], "cohorts": {"staff": 100}})
    assert plan.model_dump(mode="json", exclude_none=True)["cohorts"] == {"staff": {"percent": 100.0}}
