"""The outbox as a queue: nothing is lost, nobody holds up the others, and a lost lease keeps no result."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from runner.jobs.policy import FLOW, attempts_of
from runner.jobs.queue import LEASE_SECONDS, Job, JobQueue, new_owner
from runner.store import Store


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
    clock.pass_by(2)
    (again,) = second.claim([FLOW], 10)
    assert (again.id, again.attempt) == (job.id, 2)
    assert finish(store, first, job) is False
    assert finish(store, second, again) is True
    assert second.counts() == {"done": 1}


def test_a_long_queue_of_one_tenant_does_not_hold_up_another(store: Store, clock: Clock) -> None:
    queue = JobQueue(store, "w", clock)
    put(store, queue, *["busy"] * 20, "quiet")
    assert Counter(job.tenant for job in queue.claim([FLOW], 4)) == {"busy": 3, "quiet": 1}


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
    machine, own, _ = new_owner().split(":")
    assert int(own) == os.getpid()
    owners = {
        f"{machine}:{gone.stdout.strip()}:1": True,
        f"{machine}:{own}:2": True,
        f"{machine}:{os.getppid()}:3": False,
        f"elsewhere:{gone.stdout.strip()}:4": False,
    }
    setup = JobQueue(store, "setup", clock)
    for owner in owners:
        put(store, setup, "t")
        assert len(JobQueue(store, owner, clock).claim([FLOW], 1)) == 1
    queue = JobQueue(store, new_owner(), clock)
    assert queue.reclaim() == 2
    assert queue.reclaim() == 0
    assert len(queue.claim([FLOW], 10)) == 2


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
    assert [attempts_of("event-stream").pause_after(number) for number in (1, 2, 3, 4)] == [1, 2, 4, None]
    assert attempts_of("custom-phone-provider").most == 6
    assert attempts_of("post-user-registration").most == 1
