"""Counting and deciding, on both databases: each event once, each user once, each decision once."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text

from runner.jobs.queue import JobQueue
from runner.rollouts import lifecycle
from runner.rollouts.conductor import Conductor
from runner.runtime.binding_cache import BindingCache
from runner.store import Store
from runner.store.resolved_flow import Reader
from runner.store.tables.columns import now
from runner.store.tables.rollouts import (
    RolloutDecisionRow,
    RolloutEventRow,
    RolloutRow,
    RolloutSeenRow,
    VersionHostRow,
)
from tests.rollouts.made import CODE, Made, canary, control
from tests.runtime.tenants import RING


def left(store: Store, table: Any) -> int:
    with store.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def decisions(made: Made) -> list[str]:
    with made.store.read() as session:
        order = select(RolloutDecisionRow.decision).order_by(RolloutDecisionRow.at)
        return list(session.scalars(order))


def test_each_event_is_counted_once_and_each_user_once(store: Store) -> None:
    made = Made(store)
    again = [canary(user_digest="one", failed=True), canary(), canary(user_digest="one", failed=True)]
    made.events(
        *again, *[control(user_digest=f"c{n}", denied=True) for n in range(3)], control(is_first=False)
    )
    made.look()
    made.events(*again)
    row = made.look()
    counts = made.counts
    assert row.state == "running"
    assert (counts.total("canary", "events"), counts.total("canary", "failed")) == (6, 4)
    assert (counts.total("control", "events"), counts.total("control", "denied")) == (3, 3)
    (split,) = counts.splits("failed")
    assert (split.share, split.control, split.canary) == (0.5, 0, 1), (
        "one user who comes again is no evidence"
    )
    (split,) = counts.splits("denied")
    assert (split.control, split.canary) == (3, 0)
    assert left(store, RolloutEventRow) == 0
    assert made.look().updated_at == row.updated_at, "there is nothing to do"


def test_the_statistics_roll_back_and_everybody_gets_the_control(store: Store) -> None:
    made = Made(store, guards={"denied": {}})
    with store.read() as session:
        assert Reader(session, RING, made.tenant).bound("post-login").candidates
    made.events(*[canary(user_digest=f"u{n}", denied=True) for n in range(15)])
    row = made.look()
    assert row.state == "rolled_back"
    assert row.reason.startswith("denied: more often than the control; 15 of 15 users fell on the candidate")
    assert decisions(made) == ["start", "rollback"]
    with store.read() as session:
        flow = Reader(session, RING, made.tenant).bound("post-login")
        assert (flow.candidates, flow.versions[0].number) == ((), 1)
        (entry,) = session.scalars(
            select(RolloutDecisionRow).where(RolloutDecisionRow.decision == "rollback")
        )
        (evidence,) = entry.evidence["guards"]
        assert (evidence["canary"], evidence["regression"]) == (15, True)


def test_a_ratio_allows_what_it_allows(store: Store) -> None:
    made = Made(store, guards={"denied": {"max_ratio": 3}})
    made.events(*[canary(user_digest=f"u{n}", denied=True) for n in range(30)])
    made.events(*[control(user_digest=f"c{n}", denied=True) for n in range(12)])
    assert made.look().state == "running"
    made.events(*[canary(user_digest=f"v{n}", denied=True) for n in range(200)])
    assert made.look().state == "rolled_back"


def test_costly_is_what_costs_more_than_the_control_usually_does(store: Store) -> None:
    made = Made(store, guards={"cost": {"max_ratio": 1.5}})
    made.events(*[canary(user_digest=f"a{n}", cost_ms=900.0) for n in range(20)])
    made.events(*[control(user_digest=f"b{n}", cost_ms=9.0 + n % 3) for n in range(60)])
    row = made.look()
    assert (row.state, row.watch["reference_ms"]) == ("running", 10.0)
    made.events(*[canary(user_digest=f"c{n}", cost_ms=14.0) for n in range(50)])
    assert made.look().state == "running"
    made.events(*[canary(user_digest=f"d{n}", cost_ms=16.0) for n in range(15)])
    row = made.look()
    assert row.state == "rolled_back"
    assert row.reason.startswith(
        "cost: more events above 1.5 times the usual cost than the control; 15 of 15"
    )


@pytest.mark.parametrize(
    ("before", "run", "state"),
    [([], 2, "running"), ([], 3, "rolled_back"), ([control(failed=True), *[control()] * 9], 3, "running")],
)
def test_three_failures_in_a_row_unless_the_control_fails_as_well(
    store: Store, before: list[dict[str, Any]], run: int, state: str
) -> None:
    made = Made(store, guards={})
    made.events(*before, canary(failed=True), canary(), *[canary(failed=True)] * run)
    assert made.look().state == state


@pytest.mark.parametrize("alarm", ["death", "lockout"])
def test_an_alarm_needs_no_statistics(store: Store, alarm: str) -> None:
    made = Made(store, guards={})
    made.events(canary(failed=alarm == "death", denied=alarm == "lockout", alarm=alarm, execution_id="exe_9"))
    row = made.look()
    assert (row.state, "exe_9" in row.reason) == ("rolled_back", True)


def test_new_hosts_up_to_as_many_as_are_allowed(store: Store) -> None:
    made = Made(store, guards={"new_hosts": {"max": 1}})
    with store.begin() as session:
        session.add(VersionHostRow(tenant_id=made.tenant, version_id=made.row.control_id, host="a.example"))
    made.events(canary(hosts=["a.example", "b.example"]), canary(hosts=["b.example"]))
    assert made.look().watch["new_hosts"] == ["b.example"]
    made.events(canary(hosts=["c.example"]))
    row = made.look()
    assert (row.state, row.watch["alarm"]["kind"]) == ("rolled_back", "new_host")


def test_too_few_pauses_and_says_so_and_resuming_gives_it_its_hours_again(store: Store) -> None:
    made = Made(store)
    made.events(canary(), control())
    made.conductor = Conductor(store, clock=lambda: now() + timedelta(hours=169))
    row = made.look()
    assert (row.state, row.reason) == ("paused", "too few events: 1 of 1000 in 168 hours")
    with store.begin() as session:
        row = session.get_one(RolloutRow, (made.tenant, made.id))
        lifecycle.resume(session, JobQueue(store), row, "me", {})
    made.conductor = Conductor(store, clock=lambda: now() + timedelta(hours=167))
    assert made.look().state == "running"
    made.conductor = Conductor(store, clock=lambda: now() + timedelta(hours=169))
    assert made.look().state == "paused"
    assert decisions(made) == ["start", "pause", "resume", "pause"]


def test_too_few_may_roll_back(store: Store) -> None:
    made = Made(store, on_too_few="rollback")
    made.conductor = Conductor(store, clock=lambda: now() + timedelta(hours=169))
    assert made.look().state == "rolled_back"


def test_cohorts_and_users_without_a_key_are_no_evidence_and_end_no_stage(store: Store) -> None:
    made = Made(
        store, guards={"denied": {}}, stages=[{"canary": {"percent": 5, "events": 1}}, {"promote": True}]
    )
    made.events(
        *[canary(kind_of_user="cohort:staff", user_digest=f"s{n}", denied=True) for n in range(40)],
        *[control(kind_of_user="no_key", user_digest="") for _ in range(3)],
    )
    row = made.look()
    assert (row.state, made.counts.total("canary", "events")) == ("running", 0)
    assert made.counts.total_without_key() == 3


def test_an_event_counts_for_the_share_under_which_it_was_chosen(store: Store) -> None:
    stages = [{"canary": {"percent": share, "events": 2}} for share in (5, 25)]
    made = Made(store, guards={"failed": {}}, stages=[*stages, {"promote": True}])
    made.events(canary(), canary())
    row = made.look()
    assert (row.stage, [segment["percent"] for segment in row.segments]) == (1, [5, 25])
    made.events(canary(failed=True, is_first=False), canary(segment=1))
    row = made.look()
    assert (row.state, row.stage) == ("running", 1), "what was chosen before does not count for this stage"
    assert [(split.share, split.canary) for split in made.counts.splits("failed")] == [(0.05, 1), (0.25, 0)]
    made.events(canary(segment=1))
    assert made.look().state == "promoted"


def test_many_conductors_at_once_count_and_decide_once(store: Store) -> None:
    made = Made(store, guards={})
    made.events(*[canary(user_digest=f"u{n}", denied=True) for n in range(500)])
    conductors = [Conductor(store) for _ in range(4)]
    threads = [threading.Thread(target=conductor.look) for conductor in conductors]
    for thread in threads:
        thread.start()
    made.events(*[canary(segment=0) for _ in range(499)])
    for thread in threads:
        thread.join()
    made.look()
    assert made.counts.total("canary", "events") == 999
    made.events(canary())
    threads = [threading.Thread(target=conductor.look) for conductor in conductors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made.look().state == "promoted"
    assert decisions(made) == ["start", "promote"]


def test_what_only_a_running_rollout_needs_goes_when_it_has_ended(store: Store) -> None:
    made = Made(store)
    made.events(canary(denied=True), *[canary(failed=True)] * 3)
    assert made.look().state == "rolled_back"
    made.events(canary())
    made.look()
    assert (left(store, RolloutSeenRow), left(store, RolloutEventRow)) == (0, 0)
    assert made.counts.total("canary", "events") == 4, "what came late does not count"
    assert not made.row.cleaned
    made.conductor = Conductor(store, clock=lambda: now() + timedelta(minutes=3))
    assert made.look().cleaned


def test_only_one_rollout_of_an_action_is_active(store: Store) -> None:
    made = Made(store)
    with store.begin() as session:
        first = session.get_one(RolloutRow, (made.tenant, made.id))
        names = [column.name for column in RolloutRow.__table__.columns if column.name != "id"]
        copied = ", ".join(f'"{name}"' for name in names)
        with pytest.raises(Exception, match=r"(?i)unique"), session.begin_nested():
            session.execute(
                text(f"insert into rollouts (id, {copied}) select 'rol_2', {copied} from rollouts")
            )
        assert first.state == "running"


@pytest.mark.parametrize("stage", [{"canary": {"percent": 5, "events": 9}}, {"shadow": {"events": 9}}])
def test_what_is_rolled_out_is_known_before_it_runs(store: Store, stage: dict[str, Any]) -> None:
    made = Made(store, code=CODE + "// 2\n", stages=[stage, {"promote": True}])
    bindings = BindingCache(store, lambda: RING)
    (action,) = bindings.get(made.tenant, "post-login").actions
    (source,) = bindings.refresh(made.tenant, "post-login")
    assert source == replace(action.source, text=CODE + "// 2\n")
    assert len(bindings.get(made.tenant, "post-login").candidates) == ("canary" in stage)
