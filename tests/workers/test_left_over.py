"""What a handler does not wait for, in a worker with its rights given up: as in process."""

from __future__ import annotations

from sandbox.core.caps import Limits
from sandbox.egress import StubEgress, parse_stubs
from tests.workers.pools import LivePool, javascript, pool, python
from tests.workers.test_pool import logs

QUEUED = """["reader", "writer"].forEach(async (role) => {
  const found = await (async () => role.length)();
  console.log(role, found); api.idToken.setCustomClaim("https://x.example/" + role, found);
});
process.nextTick(() => queueMicrotask(() => { Promise.reject(new TypeError("lost")); }));"""

TASKS = """import asyncio
async def tell(role):
    await asyncio.sleep(0)
    print(role, len(role))
    api.id_token.set_custom_claim("https://x.example/" + role, len(role))
async def broken():
    raise TypeError("lost")
tasks = [asyncio.create_task(tell(role)) for role in ("reader", "writer")]
asyncio.create_task(broken())"""

CLAIMS = {"https://x.example/reader": 6, "https://x.example/writer": 6}


def test_what_is_queued_runs_with_the_api_open(live: LivePool) -> None:
    for action, told in (
        (javascript(QUEUED), "(node:1) UnhandledPromiseRejectionWarning: TypeError: lost"),
        (python(TASKS), "Task exception was never retrieved: TypeError: lost"),
    ):
        outcome = live.run(action)
        assert outcome.failure is None, outcome.failure
        assert outcome.effects.id_token_claims == CLAIMS
        lines = logs(outcome)
        assert sorted(lines[:2] if lines[0].startswith("reader") else lines[1:]) == ["reader 6", "writer 6"]
        assert any(line.startswith(told) for line in lines)


def test_a_queue_without_end_is_a_timeout_and_the_worker_goes_on(live: LivePool) -> None:
    limits = Limits(wall_ms=300)
    endless = (
        javascript("(async () => { for (;;) await null; })();", limits=limits),
        python(
            "import asyncio\nasync def spin():\n    while True:\n        await asyncio.sleep(0)\n"
            "asyncio.create_task(spin())",
            limits=limits,
        ),
    )
    pids = live.pids()
    for action in endless:
        failure = live.run(action).failure
        assert failure is not None
        assert failure.code == "timeout"
    assert live.run(javascript("api.access.deny('x')")).decision == "deny"
    assert live.pids() == pids


def test_a_chain_that_nobody_awaits_goes_on_to_further_requests() -> None:
    egress = StubEgress(
        parse_stubs([{"url": "https://api.example/*", "answer": {"text": "t", "delay_ms": 20}}])
    )
    body = """const later = () => new Promise((done) => setImmediate(done));
      later().then(() => fetch("https://api.example/token")).then(async (answer) => {
        const token = await answer.text(); await later();
        await fetch("https://api.example/hook", { method: "POST", body: token });
        console.log("late"); api.access.deny("late");
      });"""
    with pool(workers=1, egress=egress) as started:
        outcome = started.run(javascript(body))
    assert (outcome.failure, outcome.decision, logs(outcome)) == (None, "allow", [])
    assert [(asked.url, asked.text) for asked in egress.requests] == [
        ("https://api.example/token", ""),
        ("https://api.example/hook", "t"),
    ]
