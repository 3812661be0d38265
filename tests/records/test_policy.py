"""Which executions are kept: what policies say, as text and together."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.model.outcome import ActionRecord, Decision, FlowOutcome, Status, Timing, TriggerRef
from runner.records.policy import DEFAULT, MAX_POLICY, NOTHING, PolicyError, RecordPolicy, Wish
from runner.records.states import RecordState
from sandbox.core.program import Language
from triggers import Effects

policies = st.builds(
    RecordPolicy,
    failures=st.booleans(),
    denials=st.booleans(),
    sample=st.integers(0, 1_000_000).map(lambda count: count / 1_000_000),
    all=st.booleans(),
)


def outcome(decision: Decision, *statuses: Status) -> FlowOutcome:
    return FlowOutcome(
        execution_id="e",
        tenant="t",
        trigger=TriggerRef(id="post-login", version="v3", blocking=True),
        decision=decision,
        effects=Effects(),
        actions=tuple(
            ActionRecord(index=index, name="a", language=Language.PYTHON, digest="", status=status)
            for index, status in enumerate(statuses)
        ),
        timing=Timing(started_at=0.0, wall_ms=0.0, budget_ms=1),
    )


@given(policies)
def test_a_policy_is_read_as_it_is_written(policy: RecordPolicy) -> None:
    assert RecordPolicy.parse(policy.text) == policy
    assert len(policy.text) <= MAX_POLICY
    state = RecordState("sample", policy.text)
    assert RecordState.read(state.text) == state
    json.dumps(policy.to_dict())


@given(st.text() | st.from_regex(r"(off|failures|denials|sample: ?[0-9.]*|all|, ?)*", fullmatch=True))
def test_any_text_is_a_policy_or_told_why_not(text: str) -> None:
    try:
        policy = RecordPolicy.parse(text)
    except PolicyError:
        assert text != DEFAULT.text
    else:
        assert RecordPolicy.parse(policy.text) == policy
        assert 0 <= policy.sample <= 1


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("off", NOTHING),
        ("failures, denials, sample: 0.05", DEFAULT),
        (" denials ,all", RecordPolicy(denials=True, all=True)),
        ("sample:.5", RecordPolicy(sample=0.5)),
        ("sample:0", NOTHING),
        ("sample: 0.000001", RecordPolicy(sample=0.000001)),
    ],
)
def test_policies(text: str, policy: RecordPolicy) -> None:
    assert RecordPolicy.parse(text) == policy


@pytest.mark.parametrize(
    "text",
    [
        "",
        "off, all",
        "all, off",
        "failures, failures",
        "sample",
        "sample: 2",
        "sample: 1.1",
        "sample: -1",
        "sample: nan",
        "sample: 1e-3",
        "sample: 0.1, sample: 0.2",
        "everything",
        "all: 1",
        "All",
        "failures denials",
        "sample: 0.0000001",
        "sample: ٠.٥",
    ],
)
def test_what_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises(PolicyError):
        RecordPolicy.parse(text)


def test_the_message_names_the_part_and_what_there_is() -> None:
    with pytest.raises(PolicyError, match="'faliures' is no part of a policy; parts are off, failures, den"):
        RecordPolicy.parse("faliures")


@given(st.lists(policies, min_size=1, max_size=5))
def test_a_flow_keeps_what_one_of_its_bindings_keeps_unless_one_is_off(items: list[RecordPolicy]) -> None:
    first, *others = items
    together = first.with_others(others)
    if NOTHING in items:
        assert together == NOTHING
    else:
        for part in ("failures", "denials", "all"):
            assert getattr(together, part) == any(getattr(item, part) for item in items)
        assert together.sample == max(item.sample for item in items)


def test_the_share_of_a_sample_is_met_and_an_execution_stays_in_it() -> None:
    policy = RecordPolicy(sample=0.05)
    ids = [f"{number:032x}" for number in range(20_000)]
    wished = [policy.wish(execution_id, 1) for execution_id in ids]
    assert 0.04 < sum(wish is not None for wish in wished) / len(ids) < 0.06
    assert wished == [policy.wish(execution_id, 1) for execution_id in ids]
    assert all(RecordPolicy(sample=1).wish(execution_id, 1) for execution_id in ids)
    assert NOTHING.wish(ids[0], 1) is None


@pytest.mark.parametrize(
    ("decision", "statuses", "reason"),
    [
        (Decision.ALLOW, (Status.RAN,), None),
        (Decision.ALLOW, (Status.FAILED, Status.RAN), "failures"),
        (Decision.FAILED, (), "failures"),
        (Decision.DENY, (Status.FAILED, Status.DENIED), "failures"),
        (Decision.DENY, (Status.DENIED,), "denials"),
        (Decision.SUSPENDED, (Status.SUSPENDED,), "waits"),
    ],
)
def test_the_outcome_decides(decision: Decision, statuses: tuple[Status, ...], reason: str | None) -> None:
    found = outcome(decision, *statuses)
    wish = RecordPolicy(failures=True, denials=True).wish("e", 100)
    assert wish is not None
    assert Wish.read(json.loads(json.dumps(wish.wire))) == wish
    assert wish.reason(found) == reason
    assert Wish(100, always="sample").reason(found) == "sample"
    if reason != "failures":
        assert Wish(100, failures=True).reason(found) == ("waits" if reason == "waits" else None)
