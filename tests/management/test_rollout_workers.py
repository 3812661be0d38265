"""Rollouts and the workers that run them: whose fault a death is, and that nobody pays for a cold start."""

from __future__ import annotations

import os
import signal
import threading
import time

from tests.management.test_rollouts import Rolled, counts
from tests.serving.server import Server
from triggers import get_trigger

LOOPS = """
exports.onExecutePostLogin = async (event) => {
  if (event.user.app_metadata.loop) for (;;) {}
};
"""
ALL = {"canary": {"percent": 99.9, "events": 10_000}}


def looping(rolled: Rolled) -> threading.Thread:
    """A login that computes until its worker dies."""
    example = get_trigger("post-login").example_event
    user = {**example["user"], "app_metadata": {"loop": True}}
    body = {"event": {**example, "user": user}}
    path = "//runtime/v1/triggers/post-login/invoke"
    thread = threading.Thread(target=rolled.client.call, args=("POST", path, body))
    thread.start()
    return thread


def worker_dies(whole: Server, *rolled: Rolled) -> None:
    """While it runs such logins, and nothing else."""
    pool = whole.app.state.plane.workers
    threads = [looping(item) for item in rolled]
    deadline = time.monotonic() + 300
    while pool.stats().running < len(threads):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(0.1)  # both have begun
    os.kill(pool.stats().workers[0].pid, signal.SIGKILL)
    for thread in threads:
        thread.join()
    while not pool.stats().healthy:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_death_is_the_candidates_only_when_nothing_else_ran_in_its_worker(whole: Server) -> None:
    rolled, neighbour = (Rolled(whole.client(), LOOPS + "// 2\n", LOOPS) for _ in range(2))
    rollout = rolled.start(ALL)
    worker_dies(whole, rolled, neighbour)
    rolled.on("canary")
    found = rolled.until(rollout, lambda item: counts(item, "canary")["events"] > 0)
    canary = counts(found, "canary")
    what = "what may be a neighbour's doing is no event"
    assert (found["state"], canary["events"], canary["failed"]) == ("running", 1, 0), what
    worker_dies(whole, rolled)
    found = rolled.until(rollout, lambda item: item["state"] == "rolled_back")
    assert found["watch"]["alarm"]["kind"] == "death"


def test_nobody_waits_for_the_candidate_to_be_compiled(whole: Server) -> None:
    rolled = Rolled(whole.client(), LOOPS + "// 2\n", LOOPS)
    rolled.start(ALL)
    body = {"event": get_trigger("post-login").example_event}
    reply = rolled.client.call("POST", "//runtime/v1/triggers/post-login/invoke", body).json
    assert reply["actions"][0]["version"]["arm"] == "canary"
    assert reply["timing"]["build_ms"] == 0, "or its cost would not be compared"
