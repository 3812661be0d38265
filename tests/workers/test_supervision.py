"""Workers that die, hang, are late, lie or wear out: each costs what it ran, and nothing else."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from runner.workers import PoolSettings, TooBusyError, WorkerStartError
from runner.workers.parent.processes import supervisor
from sandbox.core.caps import Limits
from sandbox.egress import StubEgress
from tests.workers.conftest import STUBS
from tests.workers.pools import LivePool, javascript, pool

LOOP = javascript("for (;;) {}")
OK = javascript("console.log('ok');")
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def failure(outcome: Any) -> tuple[str, str]:
    assert outcome.decision == "failed"
    assert outcome.effects.id_token_claims == {}
    return outcome.failure.code.value, outcome.failure.message


def running(live: LivePool, count: int = 1) -> None:
    live.until(lambda: live.pool.stats().running >= count)
    time.sleep(0.1)


def test_a_killed_worker_costs_what_it_ran_and_is_replaced() -> None:
    with pool() as live:
        first = live.pids()
        calls = [live.call(LOOP, tenant="a"), live.call(LOOP, OK, tenant="b")]
        running(live, 2)
        os.kill(first[0], signal.SIGKILL)
        alone, pair = (call.result(30).outcome for call in calls)
        assert failure(alone) == ("internal", "The worker that ran it died.")
        assert (alone.failed_action, alone.actions[0].status) == (0, "failed")
        assert failure(pair) == failure(alone)
        assert (pair.failed_action, len(pair.actions)) == (None, 2)
        assert pair.warnings == ("It is not known which Actions ran: their worker gave no outcome.",)
        assert live.run(OK).decision == "allow"
        stats = live.pool.stats()
        assert stats.restarts == {"died": 1}
        assert (stats.lost, stats.tenants["a"].lost) == (2, 1)
        assert live.pids() != first


def test_what_a_dead_worker_had_not_begun_runs_elsewhere() -> None:
    with pool(wait_seconds=60) as live:
        live.run(OK)
        pid = live.pids()[0]
        os.kill(pid, signal.SIGSTOP)
        calls = [live.call(OK), live.call(OK)]
        live.until(lambda: live.pool.stats().running == 2)
        os.kill(pid, signal.SIGKILL)
        ends = [call.result(30).outcome for call in calls]
        assert failure(ends[0])[0] == "internal"
        assert ends[1].decision == "allow"


def test_a_stopped_worker_is_killed_and_its_late_leg_is_a_timeout() -> None:
    with pool(grace_seconds=0.5) as live:
        quick = javascript("console.log('ok');", limits=Limits(wall_ms=200))
        live.run(quick)
        os.kill(live.pids()[0], signal.SIGSTOP)
        outcome = live.call(quick).result(30).outcome
        code, message = failure(outcome)
        assert code == "timeout"
        assert message == "The execution did not end within 200 ms and its worker was stopped."
        assert live.run(quick).decision == "allow"
        assert live.pool.stats().restarts == {"late": 1}


def test_a_silent_worker_is_killed_long_before_the_limit_of_its_legs() -> None:
    with pool(hang_seconds=1.5) as live:
        live.run(OK)
        os.kill(live.pids()[0], signal.SIGSTOP)
        assert failure(live.call(OK).result(30).outcome) == (
            "internal",
            "The worker that ran it hung.",
        )
        assert live.pool.stats().restarts == {"hung": 1}


def test_a_guest_that_only_loops_is_stopped_by_the_sandbox_not_by_us() -> None:
    with pool(hang_seconds=1.5) as live:
        outcome = live.run(javascript("for (;;) {}", limits=Limits(wall_ms=300)))
        assert failure(outcome)[0] == "timeout"
        assert outcome.actions[0].statistics is not None, "the worker gave this outcome"
        assert live.pool.stats().restarts == {}


def test_a_worn_worker_is_replaced_without_losing_a_call() -> None:
    with pool(recycle_legs=5) as live:
        first = live.pids()
        for _ in range(10):
            assert live.run(OK).decision == "allow"
        live.until(lambda: live.pool.stats().recycled >= 1 and live.pids() != first and live.healthy())
        assert live.run(OK).decision == "allow"
        assert (live.pool.stats().restarts, live.pool.stats().lost) == ({}, 0)


@linux
def test_workers_die_with_a_killed_parent() -> None:
    import subprocess

    code = (
        "import asyncio, os, signal\n"
        "from runner.workers import PoolSettings, WorkerPool\n"
        "async def main():\n"
        "    pool = WorkerPool(PoolSettings(workers=1))\n"
        "    await pool.start()\n"
        "    print(pool.stats().workers[0].pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    pid = int(done.stdout)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and not _is_dead(pid):
        assert time.monotonic() < deadline, "the worker outlived its parent"
        time.sleep(0.02)


def _is_dead(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


# --- ends of the pool ---


def test_stopping_finishes_what_runs_and_waits_and_refuses_the_rest() -> None:
    with pool(egress=StubEgress(STUBS), tenant_running=1) as live:
        slow = javascript('await fetch("https://api.example/slow");')
        calls = [live.call(slow), live.call(slow)]
        running(live)
        stopping = live.begin(live.pool.stop(20))
        live.until(lambda: not live.pool.stats().healthy)
        with pytest.raises(TooBusyError) as refused:
            live.run(OK)
        assert (refused.value.scope, refused.value.retry_after) == ("stopping", 1)
        assert [call.result(30).outcome.decision for call in calls] == ["allow", "allow"]
        stopping.result(30)
        assert live.pids() == []


def test_stopping_ends_what_does_not_end() -> None:
    with pool(tenant_running=1) as live:
        calls = [live.call(LOOP), live.call(OK)]
        running(live)
        live.wait(live.pool.stop(0.2))
        assert failure(calls[0].result(30).outcome) == (
            "internal",
            "The worker that ran it was stopped.",
        )
        with pytest.raises(TooBusyError):
            calls[1].result(30)
        assert live.pids() == []


def test_limits_of_tenant_and_service() -> None:
    with pool(tenant_running=1, tenant_queue=1, queue=2, wait_seconds=0.6) as live:
        loop = javascript("for (;;) {}", limits=Limits(wall_ms=3000))
        first = live.call(loop, tenant="a")
        running(live)
        waits = live.call(OK, tenant="a")
        live.until(lambda: live.pool.stats().queue == 1)
        with pytest.raises(TooBusyError) as refused:
            live.run(OK, tenant="a")
        assert refused.value.scope == "tenant"
        assert refused.value.retry_after >= 1
        assert live.run(OK, tenant="b").decision == "allow", "another tenant is not held up"
        assert live.pool.stats().tenants["a"].refused == 1
        with pytest.raises(TooBusyError):
            waits.result(30)  # it waited too long
        assert failure(first.result(30).outcome)[0] == "timeout"
        assert live.run(OK, tenant="a").decision == "allow"


def test_a_cancelled_call_that_waits_never_runs_and_one_that_runs_reaches_nothing_more() -> None:
    egress = StubEgress(STUBS)
    with pool(egress=egress, tenant_running=1) as live:
        runs = live.call(
            javascript("""
              for (const end = Date.now() + 500; Date.now() < end; ) {}
              await fetch("https://api.example/greeting");
            """)
        )
        running(live)
        waits = live.call(javascript('await fetch("https://other.example/");'))
        live.until(lambda: live.pool.stats().queue == 1)
        waits.cancel()
        live.until(lambda: live.pool.stats().queue == 0)
        runs.cancel()
        live.until(lambda: live.pool.stats().running == 0)
        assert egress.requests == ()
        assert live.run(OK).decision == "allow"


# --- workers that lie ---

LIAR = """
import json, socket, struct, sys, time
connection = socket.socket(fileno=int(sys.argv[1]))
def send(head, body=b"", lengths=None):
    head = head if isinstance(head, bytes) else json.dumps(head).encode()
    connection.sendall(struct.pack("<II", *(lengths or (len(head), len(body)))) + head + body)
kept = b""
def receive():
    global kept
    while True:
        if len(kept) >= 8:
            head, body = struct.unpack_from("<II", kept)
            if len(kept) >= 8 + head + body:
                found = json.loads(kept[8:8 + head])
                kept = kept[8 + head + body:]
                return found
        data = connection.recv(65536)
        if not data:
            sys.exit()
        kept += data
send({"t": "ready", "rights": {}})
while True:
    call = receive()
    if call["t"] not in ("leg", "resume"):
        continue
    LIE
    time.sleep(60)
"""

OUTCOME = """
outcome = {"schema": "actionbox.outcome/1", "execution_id": call["execution_id"], "leg": 1,
  "tenant": "harbor", "trigger": {"id": "post-login", "version": "v3", "blocking": True},
  "decision": "allow", "effects": {},
  "actions": [{"index": 0, "name": "js", "language": "javascript", "digest": DIGEST, "status": "ran"}],
  "timing": {"started_at": 1.0, "wall_ms": 1.0, "budget_ms": 1}}
def reply(outcome, waiting=b"", kept=b"", expires_at=None):
    parts = [json.dumps(outcome).encode(), waiting, kept]
    send({"t": "done", "id": call["id"], "parts": [len(part) for part in parts], "expires_at": expires_at},
         b"".join(parts))
"""

FETCH = """
fetch = {"t": "fetch", "id": call["id"], "session": 1, "fetch": 1, "allow": -1, "left_ms": 1}
request = b'{"url": "https://api.example/"}'
"""

LIES = {
    "no JSON": 'send(b"\\x80\\x04N.")',
    "no message": 'send({"t": "shutdown"})',
    "deep": 'send(b"[" * 100000)',
    "large head": 'send(b"", lengths=(1 << 31, 0))',
    "large body": 'send(b"{}", lengths=(2, 1 << 31))',
    "foreign call": 'send({"t": "fault", "id": call["id"] + 1, "fault": "x"})',
    "ready twice": 'send({"t": "ready", "rights": {}})',
    "no outcome": 'send({"t": "done", "id": call["id"], "parts": [2, 0, 0]}, b"{}")',
    "wrong parts": 'send({"t": "done", "id": call["id"], "parts": [9, 0, 0]}, b"{}")',
    "other execution": OUTCOME + 'outcome["execution_id"] = "exe_other"; reply(outcome)',
    "other tenant": OUTCOME + 'outcome["tenant"] = "victim"; reply(outcome)',
    "other version": OUTCOME + 'outcome["actions"][0]["digest"] = "0" * 64; reply(outcome)',
    "another one on record": OUTCOME
    + 'reply(outcome, kept=json.dumps({**outcome, "tenant": "victim"}).encode())',
    "nothing on record": OUTCOME + 'reply(outcome, kept=b"{}")',
    "not blocking": OUTCOME + 'outcome["trigger"]["blocking"] = False; reply(outcome)',
    "fewer Actions": OUTCOME + 'outcome["actions"] = []; reply(outcome)',
    "a suspended flow from nowhere": OUTCOME + 'reply(outcome, waiting=b"{}", expires_at=1e12)',
    "a suspension without its flow": OUTCOME
    + 'outcome["suspension"] = {"kind": "prompt", "handle": "h", "state": "", "action": 0}\n'
    + 'outcome["suspension"]["expires_at"] = 1.0; reply(outcome)',
    "foreign cache": 'send({"t": "cache", "ask": 1, "id": 999, "op": "get", "key": "k", "now": 1})',
    "a record that nobody wished for": 'send({"t": "kept", "id": call["id"]}, b"{}")',
    "foreign list": FETCH + 'send({**fetch, "allow": 3}, request)',
    "same request": FETCH + "send(fetch, request); send(fetch, request)",
}


@pytest.mark.parametrize("name", LIES)
def test_a_worker_that_lies_is_ended_and_believed_nothing(name: str) -> None:
    lie = LIES[name].replace("DIGEST", repr(OK.digest))
    indented = "\n".join("    " + line for line in lie.splitlines())
    settings = PoolSettings(workers=1, command=("-I", "-S", "-c", LIAR.replace("    LIE", indented)))
    with pool(settings, egress=StubEgress()) as live:
        outcome = live.run(OK)
        assert failure(outcome) == ("internal", "The worker that ran it broke its protocol.")
        assert outcome.execution_id.startswith("exe_")
        live.until(live.healthy)
        assert live.pool.stats().restarts == {"protocol": 1}


def test_the_liar_would_be_believed_if_it_told_the_truth() -> None:
    """Else the cases above prove nothing."""
    truth = (OUTCOME + "reply(outcome)").replace("DIGEST", repr(OK.digest))
    indented = "\n".join("    " + line for line in truth.splitlines())
    settings = PoolSettings(workers=1, command=("-I", "-S", "-c", LIAR.replace("    LIE", indented)))
    with pool(settings) as live:
        assert live.run(OK).decision == "allow"


def test_a_worker_that_cannot_start_says_why() -> None:
    settings = PoolSettings(workers=1, command=("-I", "-c", "raise SystemExit('no sandbox here')"))
    with pytest.raises(WorkerStartError, match="status 1; it said: no sandbox here"), pool(settings):
        pass


def test_missing_images_are_built_once_and_outside_of_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[int] = []
    monkeypatch.setattr(supervisor, "_build_images", lambda: built.append(1))
    settings = PoolSettings(workers=1, command=("-I", "-c", "raise SystemExit(3)"))
    with pytest.raises(WorkerStartError, match="status 3"), pool(settings):
        pass
    assert built == [1]


def test_a_worker_that_lacks_images_ends_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On a busy machine an interpreter that ends in order takes longer than a worker is waited for: it was
    killed, nobody learned of the images, and the first start of a service failed."""
    built: list[int] = []
    monkeypatch.setattr(supervisor, "_build_images", lambda: built.append(1))
    monkeypatch.setenv("ACTIONBOX_CACHE", str(tmp_path))
    slow = "import atexit, time; atexit.register(time.sleep, 20)"
    settings = PoolSettings(
        workers=1, command=("-I", "-c", f"{slow}; from runner.workers.child.main import main; main()")
    )
    with pytest.raises(WorkerStartError, match="status 3"), pool(settings):
        pass
    assert built == [1]


def test_a_worker_that_never_gets_ready_is_an_error_too() -> None:
    settings = PoolSettings(workers=1, start_seconds=0.5, command=("-I", "-c", "import time; time.sleep(60)"))
    with pytest.raises(WorkerStartError, match="did not start in time"), pool(settings):
        pass


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="slots must be above 0"):
        PoolSettings(slots=0)


def test_the_stats_are_json() -> None:
    with pool() as live:
        live.run(OK)
        data = json.loads(live.pool.stats().model_dump_json())
        assert data["healthy"] is True
        assert data["tenants"]["harbor"]["done"] == 1
        assert data["workers"][0]["rights"]["limits"] is True
        assert data["workers"][0]["resident_bytes"] > 10_000_000


def running_of(live: LivePool, tenant: str) -> int:
    found = live.pool.stats().tenants.get(tenant)
    return found.running if found is not None else 0


def test_a_tenant_that_computes_gets_few_legs_when_others_call_and_all_of_them_when_it_waits() -> None:
    with pool(workers=1, tenant_running=8, egress=StubEgress(STUBS)) as live:
        live.run(OK, tenant="quiet")
        loops = [live.call(LOOP, tenant="loud") for _ in range(6)]
        live.until(lambda: live.pool.stats().running == 2 and live.pool.stats().queue == 4)
        waits = javascript('await fetch("https://api.example/slow");')
        slow = [live.call(waits, tenant="patient") for _ in range(6)]
        live.until(lambda: running_of(live, "patient") == 6)
        assert live.run(OK, tenant="quiet").decision == "allow"
        assert running_of(live, "loud") == 2
        assert all(call.result(30).outcome.decision == "allow" for call in slow)
        live.wait(live.pool.stop(0.1))
        for call in loops:
            with pytest.raises((TooBusyError, AssertionError)):
                assert call.result(30).outcome.failure is None
