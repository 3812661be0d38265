"""The outbox as a queue: nothing is lost, nobody holds up the others, and a lost lease keeps no result."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from runner.jobs.fair_share import Turns
from runner.jobs.leases import process_name
from runner.jobs.policy import BUILD, FLOW, NOTIFICATION, policy_of
from runner.jobs.queue import Job, JobQueue
from runner.store import Store
from runner.store.database.process import CLASS, lock_of
from tests.databases import migrated_database

LEASE_SECONDS = policy_of(FLOW).lease_seconds


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def put(store: Store, queue: JobQueue, *tenants: str, delay: float = 0.0) -> list[str]:
    with store.begin() as session:
        return [
            queue.put(session, tenant, FLOW, {"n": number}, delay_seconds=delay)
            for number, tenant in enumerate(tenants)
        ]


def finish(store: Store, queue: JobQueue, job: Job) -> bool:
    with store.begin() as session:
        return queue.done(session, job)


def test_a_job_is_put_with_what_caused_it_or_not_at_all(store: Store, clock: Clock) -> None:
    queue = JobQueue(store, "w", clock)
    try:
        with store.begin() as session:
            queue.put(session, "t", FLOW, {})
            raise KeyError
    except KeyError:
        pass
    assert queue.claim([FLOW], 10) == []


def test_a_claimed_job_is_nobody_elses_until_its_lease_ends(store: Store, clock: Clock) -> None:
    first, second = JobQueue(store, "a", clock), JobQueue(store, "b", clock)
    put(store, first, "t")
    (job,) = first.claim([FLOW], 10)
    assert (job.attempt, job.payload) == (1, {"n": 0})
    assert second.claim([FLOW], 10) == []
    clock.pass_by(LEASE_SECONDS - 1)
    first.renew([job])
    clock.pass_by(LEASE_SECONDS - 1)
    assert second.claim([FLOW], 10) == []
    assert second.recover() == 0
    clock.pass_by(2)
    assert second.recover() == 1
    (again,) = second.claim([FLOW], 10)
    assert (again.id, again.attempt) == (job.id, 2)
    assert finish(store, first, job) is False
    assert finish(store, second, again) is True
    assert second.counts() == {"done": 1}


def test_a_long_queue_of_one_tenant_does_not_hold_up_another(store: Store, clock: Clock) -> None:
    queue = JobQueue(store, "w", clock)
    put(store, queue, *["busy"] * 20, "quiet")
    assert Counter(job.tenant for job in queue.claim([FLOW], 4)) == {"busy": 3, "quiet": 1}


def test_free_places_go_to_tenants_with_the_least_running(store: Store, clock: Clock) -> None:
    queue, other = JobQueue(store, "w", clock), JobQueue(store, "v", clock)
    put(store, queue, *["busy"] * 20)
    assert len(other.claim([FLOW], 3)) == 3
    clock.pass_by(1)
    put(store, queue, *["quiet"] * 3, *["third"] * 3)
    turns = Turns([FLOW])
    order = [job.tenant for _ in range(8) for job in queue.claim([FLOW], 1, turns)]
    assert Counter(order[:6]) == {"quiet": 3, "third": 3}
    assert order[6:] == ["busy", "busy"]


def test_a_worker_with_one_place_serves_one_tenant_after_another(store: Store, clock: Clock) -> None:
    queue = JobQueue(store, "w", clock)
    put(store, queue, *["busy"] * 20)
    clock.pass_by(1)
    put(store, queue, *["a"] * 2, *["z"] * 2)
    turns, order = Turns([FLOW]), []
    for _ in range(6):
        (job,) = queue.claim([FLOW], 1, turns)
        order.append(job.tenant)
        assert finish(store, queue, job)
    assert order == ["a", "busy", "z", "a", "busy", "z"]


def test_every_one_of_many_tenants_gets_its_turn(store: Store, clock: Clock) -> None:
    queue = JobQueue(store, "w", clock)
    tenants = [f"t{number:03}" for number in range(150)]
    put(store, queue, *tenants, *tenants)
    turns = Turns([FLOW])
    claimed = [job.tenant for _ in range(15) for job in queue.claim([FLOW], 10, turns)]
    assert sorted(claimed) == tenants
    assert len({job.tenant for _ in range(15) for job in queue.claim([FLOW], 10, turns)}) == 150


def test_a_kind_may_have_one_job_of_a_tenant_at_a_time(store: Store, clock: Clock) -> None:
    queue = JobQueue(store, "w", clock)
    with store.begin() as session:
        for tenant in ("t", "t", "u"):
            queue.put(session, tenant, BUILD, {})
    assert policy_of(BUILD).tenant_running == 1
    first = queue.claim([BUILD], 10)
    assert sorted(job.tenant for job in first) == ["t", "u"]
    assert queue.claim([BUILD], 10) == []
    assert all(finish(store, queue, job) for job in first)
    assert [job.tenant for job in queue.claim([BUILD], 10)] == ["t"]


def test_a_job_that_is_put_anew_keeps_nothing_of_the_run_before(store: Store, clock: Clock) -> None:
    queue = JobQueue(store, "w", clock)

    def order(number: int) -> None:
        with store.begin() as session:
            assert queue.put(session, "t", BUILD, {"n": number}, job_id="b") == "b"

    order(1)
    (old,) = queue.claim([BUILD], 1)
    order(2)
    (new,) = queue.claim([BUILD], 1)
    assert (new.payload, new.attempt) == ({"n": 2}, 1)
    queue.renew([old])
    queue.hand_back([old])
    assert finish(store, queue, old) is False
    assert finish(store, queue, new) is True
    order(3)
    with store.begin() as session:
        queue.cancel(session, "t", "b")
    assert queue.claim([BUILD], 1) == []


def test_what_is_handed_back_is_ready_and_has_not_been_tried(store: Store, clock: Clock) -> None:
    queue, other = JobQueue(store, "w", clock), JobQueue(store, "v", clock)
    put(store, queue, "t")
    queue.hand_back(queue.claim([FLOW], 1))
    (job,) = other.claim([FLOW], 1)
    assert (job.attempt, job.crashes) == (1, 0)


def test_what_a_claim_took_that_was_not_confirmed_is_ready_soon(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that is cut while it commits: nobody else knows what the claim came to."""
    queue = JobQueue(store, "w", clock)
    put(store, queue, "t")
    begin = store.begin

    @contextmanager
    def cut(**options: Any) -> Iterator[Session]:
        with begin(**options) as session:
            yield session
        raise OperationalError("COMMIT", {}, Exception("the connection is closed"))

    with monkeypatch.context() as patch:
        patch.setattr(store, "begin", cut)
        with pytest.raises(OperationalError):
            queue.claim([FLOW], 10)
    assert queue.claim([FLOW], 10) == []
    assert queue.recover() == 1
    (job,) = queue.claim([FLOW], 10)
    assert (job.attempt, job.crashes) == (1, 0)
    assert queue.recover() == 0
    assert finish(store, queue, job) is True


def test_how_long_until_something_is_due(store: Store, clock: Clock) -> None:
    queue = JobQueue(store, "w", clock)
    assert queue.look([FLOW], 1) == ([], None)
    put(store, queue, "t", delay=7)
    assert queue.look([FLOW, BUILD], 1) == ([], 7)
    assert queue.look([BUILD], 1) == ([], None)
    clock.pass_by(9)
    put(store, queue, "u", delay=4)
    jobs, due = queue.look([FLOW], 2)
    assert ([job.tenant for job in jobs], due) == (["t"], None), "it was not asked"
    assert queue.look([FLOW], 2) == ([], 4)
    with store.begin() as session:
        queue.put(session, "u", BUILD, {})
        queue.put(session, "u", BUILD, {})
    assert len(queue.claim([BUILD], 2)) == 1
    assert queue.look([BUILD], 1) == ([], 0), "one waits for another of its tenant"


def test_what_is_put_off_waits_and_what_is_buried_can_be_revived(store: Store, clock: Clock) -> None:
    queue = JobQueue(store, "w", clock)
    (job_id,) = put(store, queue, "t", delay=5)
    assert queue.claim([FLOW], 1) == []
    clock.pass_by(5)
    (job,) = queue.claim([FLOW], 1)
    with store.begin() as session:
        assert queue.put_off(session, job, 10, "why")
    assert queue.claim([FLOW], 1) == []
    clock.pass_by(10)
    (job,) = queue.claim([FLOW], 1)
    assert job.attempt == 2
    with store.begin() as session:
        assert queue.bury(session, job, "x" * 10_000)
    assert queue.counts() == {"dead": 1}
    with store.begin() as session:
        assert queue.revive(session, "other", job_id) is False
        assert queue.revive(session, "t", job_id) is True
    (job,) = queue.claim([FLOW], 1)
    assert job.attempt == 1


def test_leases_of_a_process_that_is_gone_are_ended_at_once(store: Store, clock: Clock) -> None:
    print_id = [sys.executable, "-c", "import os; print(os.getpid())"]
    gone = subprocess.run(print_id, capture_output=True, text=True)
    unasked = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, unasked.pid, os.WEXITED | os.WNOWAIT)
    machine, own, _ = process_name().split(":")
    assert int(own) == os.getpid()
    owners = {
        f"{machine}:{gone.stdout.strip()}:1": True,
        f"{machine}:{own}:2": True,
        f"{machine}:{os.getppid()}:3": False,
        f"{machine}:{unasked.pid}:5": True,
        process_name(): False,
        f"elsewhere:{gone.stdout.strip()}:4": False,
    }
    setup = JobQueue(store, "setup", clock)
    for owner in owners:
        put(store, setup, "t")
        assert len(JobQueue(store, owner, clock).claim([FLOW], 1)) == 1
    queue = JobQueue(store, clock=clock)
    assert queue.recover() == 3
    assert queue.recover() == 0
    assert len(queue.claim([FLOW], 10)) == 3
    unasked.wait()


def test_a_worker_elsewhere_is_gone_when_it_does_not_hold_its_lock_any_more(clock: Clock) -> None:
    """On PostgreSQL, which drops the lock with the connection."""
    store = Store.open(migrated_database())
    living, dying = "00000001", "f0000002"
    setup, queue = JobQueue(store, "setup", clock), JobQueue(store, clock=clock)
    store.hears = True
    for process in (living, dying):
        put(store, setup, "t")
        assert len(JobQueue(store, f"elsewhere:1:{process}", clock).claim([FLOW], 1)) == 1
    with store.engine.connect() as one, store.engine.connect() as other:
        for connection, process in ((one, living), (other, dying)):
            connection.execute(text(f"select pg_advisory_lock_shared({CLASS}, {lock_of(process)})"))
        clock.pass_by(10)
        assert queue.recover() == 0
        other.execute(text("select pg_advisory_unlock_all()"))
        assert queue.recover() == 0, "it may be about to connect again"
        clock.pass_by(1.9)
        assert queue.recover() == 0
        clock.pass_by(0.2)
        assert queue.recover() == 1
        one.execute(text("select pg_advisory_unlock_all()"))
        assert queue.recover() == 0
        clock.pass_by(1.9)
        one.execute(text(f"select pg_advisory_lock_shared({CLASS}, {lock_of(living)})"))
        assert queue.recover() == 0
        one.execute(text("select pg_advisory_unlock_all()"))
        clock.pass_by(1)
        assert queue.recover() == 0, "it was there meanwhile"
    store.close()


def test_workers_at_once_get_each_job_once(store: Store) -> None:
    setup = JobQueue(store, "setup")
    ids = put(store, setup, *["t"] * 30, *["u"] * 30)
    claimed: list[str] = []

    def work(owner: str) -> None:
        queue = JobQueue(store, owner)
        while jobs := queue.claim([FLOW], 3):
            claimed.extend(job.id for job in jobs)
            for job in jobs:
                assert finish(store, queue, job)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    remaining = setup.claim([FLOW], 100)
    assert sorted(claimed + [job.id for job in remaining]) == sorted(ids)
    assert len(claimed) == len(set(claimed)) > 0


def test_attempts_are_those_of_the_reference() -> None:
    stream = policy_of(FLOW, "event-stream")
    assert [stream.pause_after(number) for number in (1, 2, 3, 4)] == [1, 2, 4, None]
    message = policy_of(NOTIFICATION, "custom-phone-provider")
    assert (message.attempts, message.delay) == (5, 15), "and the request itself was the first"
    assert policy_of(FLOW, "post-user-registration").attempts == 1


def test_a_clock_that_is_set_back_holds_up_no_job(store: Store, clock: Clock) -> None:
    queue = JobQueue(store, "w", clock)
    put(store, queue, "t")
    put(store, queue, "t", delay=60)
    assert queue.recover() == 0, "one is due, one waits as it should"
    clock.pass_by(-5)
    assert queue.recover() == 0, "clocks of machines differ by seconds"
    clock.pass_by(-3600)
    assert queue.claim([FLOW], 10) == []
    assert queue.recover() == 2
    assert len(queue.claim([FLOW], 10)) == 2
