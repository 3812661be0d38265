"""Arms stay put: over replicas, growing shares, and whatever a client sends along."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from runner.model.arms import Arms, Cohort, position
from runner.model.traits import Trait, value_at
from triggers import get_trigger

KEYS = st.binary(min_size=32, max_size=32)
NAMES = st.text(min_size=1, max_size=40)
PERCENTS = st.floats(0.01, 99.99)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


def arms(key: bytes = b"k" * 32, percent: float = 5, **more: Any) -> Arms:
    return Arms("rol_1", 0, percent, more.pop("path", "user.user_id"), key, **more)


def event(user: Any = "auth0|1", **more: Any) -> dict[str, Any]:
    example = get_trigger("post-login").example_event
    return {**example, "user": {**example["user"], "user_id": user}, **more}


@given(KEYS, NAMES, PERCENTS, PERCENTS)
def test_a_growing_share_moves_nobody_back(key: bytes, name: str, one: float, other: float) -> None:
    few, many = sorted((one, other))
    if arms(key, few).assign(event(name)).arm == "canary":
        assert arms(key, many).assign(event(name)).arm == "canary"


@given(KEYS, NAMES, PERCENTS, JSON, JSON)
def test_replicas_agree_and_clients_have_no_say(
    key: bytes, name: str, percent: float, request: Any, more: Any
) -> None:
    here = arms(key, percent).assign(event(name))
    there = arms(bytes(key), percent).assign({"user": {"user_id": name}, "request": request, "more": more})
    assert here == there
    assert name not in (here.user, here.reason)


def test_the_share_is_the_share() -> None:
    chosen = [arms(percent=5).assign(event(f"user {number}")).arm for number in range(20_000)]
    assert 0.045 < chosen.count("canary") / len(chosen) < 0.055


def test_rollouts_choose_for_themselves() -> None:
    names = [f"user {number}".encode() for number in range(2_000)]
    first, second = ([position(key * 32, name) < 2**63 for name in names] for key in (b"a", b"b"))
    assert 0.45 < sum(map(lambda one, other: one is other, first, second)) / len(names) < 0.55


@given(JSON)
def test_an_event_without_the_key_stays_on_the_control(user: Any) -> None:
    chosen = arms(percent=99.99).assign({"user": user})
    named = user.get("user_id") if isinstance(user, dict) else None
    if not isinstance(named, str | int) or isinstance(named, bool) or named == "":
        assert (chosen.arm, chosen.group, chosen.user) == ("control", "no_key", "")
        assert chosen.reason == "no user.user_id in the event"


@given(st.dictionaries(NAMES, JSON, max_size=4))
def test_no_event_is_a_fault(odd: dict[str, Any]) -> None:
    cohort = Cohort("odd", 50, (Trait(role="r"), Trait(email="*@d"), Trait(where={"user.app_metadata.a": 1})))
    arms(cohorts=(cohort,), lockout=(Trait(role="admin"), Trait(user_id="x"))).assign(odd)
    for part in odd.values():
        arms(cohorts=(cohort,)).assign({"user": part, "authorization": part})


def test_a_cohort_has_a_share_of_its_own() -> None:
    staff = Cohort("staff", 100, (Trait(email="*@Quay.example"), Trait(role="staff")))
    nobody = Cohort("partners", 0, (Trait(where={"user.app_metadata.partner": True}),))
    divided = arms(percent=99.99, cohorts=(nobody, staff))
    for more in ({"email": "a@quay.EXAMPLE"}, {"email": "b@QUAY.example", "app_metadata": {"partner": 1}}):
        chosen = divided.assign({"user": {"user_id": "u", **more}})
        assert (chosen.arm, chosen.group, chosen.reason) == ("canary", "cohort:staff", "cohort staff 100 %")
    roles = {"user": {"user_id": "u"}, "authorization": {"roles": ["staff"]}}
    assert divided.assign(roles).group == "cohort:staff"
    partner = {"user": {"user_id": "u", "email": "a@quay.example", "app_metadata": {"partner": True}}}
    chosen = divided.assign(partner)
    assert (chosen.arm, chosen.reason) == ("control", "cohort partners 0 %"), "the first that holds counts"


def test_who_is_on_the_lock_out_list_is_noted_on_either_arm() -> None:
    guarded = arms(lockout=(Trait(role="admin"),))
    admin = {"user": {"user_id": "u"}, "authorization": {"roles": ["admin", "staff"]}}
    assert guarded.assign(admin).protected
    assert not guarded.assign({**admin, "authorization": {"roles": ["administrator"]}}).protected


@pytest.mark.parametrize(
    "trait",
    [{}, {"role": ""}, {"rôle": "x"}, {"where": {}}, {"where": {"request.ip": "1"}}, {"where": {"a": None}}],
)
def test_a_trait_says_something_of_the_user(trait: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Trait.model_validate(trait)


@given(JSON, st.lists(NAMES, min_size=1, max_size=3))
def test_a_path_that_leads_nowhere_is_nothing(value: Any, path: list[str]) -> None:
    found = value_at({"a": value}, ".".join(path))
    assert found is None or isinstance(value, dict) or path[0].partition(".")[0] == "a"
