"""asyncio in Actions: a real loop whose waiting happens on the host."""

# ruff: noqa: E501 - tables of one-line programs

from __future__ import annotations

import time

import pytest

from sandbox.core.caps import Limits
from sandbox.core.failure import FailureCode
from sandbox.egress.doubles.stub import Stub, StubEgress
from tests.sandbox.python.actions import Runner


def test_sleep_and_timers_run_in_order(runner: Runner) -> None:
    lines = """
        import asyncio
        async def say(text, after):
            await asyncio.sleep(after)
            print(text)
            return text
        print(await asyncio.gather(say("b", 0.06), say("a", 0.02), say("c", 0.1)))
    """
    began = time.monotonic()
    assert runner.printed(lines) == ["a", "b", "c", "['b', 'a', 'c']"]
    assert time.monotonic() - began >= 0.1


def test_task_groups_timeouts_queues_and_locks(runner: Runner) -> None:
    lines = """
        import asyncio
        queue, lock, done = asyncio.Queue(), asyncio.Lock(), asyncio.Event()
        async def produce():
            for i in range(3):
                async with lock:
                    await queue.put(i)
            done.set()
        async with asyncio.TaskGroup() as group:
            group.create_task(produce())
            print([await queue.get() for _ in range(3)])
        await done.wait()
        try:
            async with asyncio.timeout(0.02):
                await asyncio.sleep(10)
        except TimeoutError:
            print("timeout")
        finished, pending = await asyncio.wait([asyncio.create_task(asyncio.sleep(0, "x"))])
        print(finished.pop().result(), pending)
        async for task in asyncio.as_completed([asyncio.sleep(0, 1)]):
            print(await task)
        print(await asyncio.to_thread(max, 1, 2))
    """
    assert runner.printed(lines) == ["[0, 1, 2]", "timeout", "x set()", "1", "2"]


def test_cancellation(runner: Runner) -> None:
    lines = """
        import asyncio
        async def forever():
            try:
                await asyncio.Event().wait()
            finally:
                print("cleaned")
        task = asyncio.create_task(forever())
        await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            print("cancelled")
    """
    assert runner.printed(lines) == ["cleaned", "cancelled"]


def test_asyncio_run_in_a_plain_handler(runner: Runner) -> None:
    source = """
import asyncio
async def main():
    await asyncio.sleep(0.01)
    return 5
def on_execute_post_login(event, api):
    print(asyncio.run(main()), asyncio.run(main()))
"""
    result = runner.run(source)
    assert [line.text for line in result.logs] == ["5 5"]


def test_asyncio_run_in_an_async_handler(runner: Runner) -> None:
    lines = "import asyncio\nasync def f(): pass\nasyncio.run(f())"
    assert "cannot be called from an async handler; use await" in runner.failure(lines).message


@pytest.mark.parametrize(
    "lines",
    [
        "await asyncio.Event().wait()",
        "await asyncio.get_running_loop().create_future()",
        "await asyncio.Queue().get()",
        "lock = asyncio.Lock()\nawait lock.acquire()\nawait lock.acquire()",
        "await asyncio.gather(asyncio.Event().wait(), asyncio.sleep(0))",
        "try:\n    await asyncio.Event().wait()\nexcept BaseException:\n    pass",
        "async def f():\n    await task\ntask = asyncio.create_task(f())\nawait asyncio.sleep(0)\nawait asyncio.Event().wait()",
    ],
)
def test_what_nothing_can_settle_ends_at_once(runner: Runner, lines: str) -> None:
    began = time.monotonic()
    failure = runner.failure("import asyncio\n" + lines, limits=Limits(wall_ms=120_000))
    assert failure.code is FailureCode.UNSETTLED, failure
    assert time.monotonic() - began < 5


def test_tasks_left_behind_end_with_the_handler(runner: Runner) -> None:
    lines = """
        import asyncio
        async def late():
            await asyncio.sleep(0.05)
            api.access.deny("late")
        asyncio.create_task(late())
        await asyncio.sleep(0)
    """
    result = runner.body(lines)
    assert result.failure is None
    assert result.commands == ()


READY = {
    "tasks": "for n in ('a', 'b'):\n    asyncio.create_task(deny(n))",
    "tasks that give others a turn": "async def slow(n):\n    for _ in range(500):\n        await asyncio.sleep(0)\n"
    "    await deny(n)\nfor n in ('a', 'b'):\n    asyncio.create_task(slow(n))",
    "callbacks": "for n in ('a', 'b'):\n    asyncio.get_running_loop().call_soon(lambda n=n: api.access.deny(n))",
    "gather": "asyncio.gather(deny('a'), deny('b'))",
    "queue": "queue = asyncio.Queue()\nasync def work():\n    while True:\n        await deny(await queue.get())\n"
    "asyncio.create_task(work())\nqueue.put_nowait('a')\nqueue.put_nowait('b')",
    "done callback": "async def find():\n    return 'a'\ntask = asyncio.create_task(find())\n"
    "task.add_done_callback(lambda done: (api.access.deny(done.result()), asyncio.create_task(deny('b'))))",
}


@pytest.mark.parametrize("name", READY)
@pytest.mark.parametrize("before", ["", "await asyncio.sleep(0.01)\n"])
def test_tasks_that_are_ready_when_the_handler_ends_run_with_the_api_open(
    runner: Runner, name: str, before: str
) -> None:
    head = "import asyncio\nasync def deny(n):\n    api.access.deny(n)\n    print('seen')\n"
    result = runner.body(head + before + READY[name])
    assert result.failure is None
    assert [command.arguments for command in result.commands] == [["a"], ["b"]]


def test_tasks_that_are_ready_run_also_when_the_handler_fails(runner: Runner) -> None:
    lines = """
        import asyncio
        async def told():
            print("seen")
        asyncio.create_task(told())
        raise ValueError("own")
    """
    result = runner.body(lines)
    assert result.failure is not None
    assert (result.failure.message, [line.text for line in result.logs]) == ("own", ["seen"])


def test_a_request_that_a_task_left_behind_begins_is_sent(runner: Runner) -> None:
    egress = StubEgress([Stub("https://api.example.com/hook")])
    lines = """
        import asyncio
        async def hook():
            await fetch("https://api.example.com/hook")
            print("late")
        asyncio.create_task(hook())
    """
    assert runner.printed(lines, egress=egress) == []
    assert [request.url for request in egress.requests] == ["https://api.example.com/hook"]


def test_what_is_cancelled_last_is_not_waited_for(runner: Runner) -> None:
    egress = StubEgress([Stub("https://api.example.com/", delay_ms=60_000)])
    result = runner.body("fetch('https://api.example.com/').cancel()", egress=egress)
    assert result.failure is None
    assert [entry.operation for entry in result.journal.entries][-2:] == ["start", "cancel"]


@pytest.mark.parametrize("when", ["", "await asyncio.sleep(0)\n"])
def test_an_error_in_a_task_left_behind_is_logged(runner: Runner, when: str) -> None:
    head = (
        "import asyncio\nasync def broken():\n    raise ValueError('lost')\nasyncio.create_task(broken())\n"
    )
    result = runner.body(head + when)
    assert result.failure is None
    assert [(line.level, line.text) for line in result.logs] == [
        ("warn", "Task exception was never retrieved: ValueError: lost")
    ]


def test_an_error_in_a_task_nobody_awaits_is_logged(runner: Runner) -> None:
    lines = """
        import asyncio
        async def broken():
            raise ValueError("lost")
        task = asyncio.create_task(broken())
        await asyncio.sleep(0)
        task = None
    """
    result = runner.body(lines)
    assert result.failure is None
    assert [(line.level, line.text) for line in result.logs] == [
        ("warn", "Task exception was never retrieved: ValueError: lost")
    ]


@pytest.mark.parametrize("value", ["1", "None", "'text'", "object()"])
def test_awaiting_what_is_not_awaitable(runner: Runner, value: str) -> None:
    failure = runner.failure(f"await {value}")
    assert (failure.code, failure.error_name) == (FailureCode.THROW, "TypeError")


def test_awaitables_of_ones_own_must_be_asyncio_s(runner: Runner) -> None:
    lines = "class X:\n    def __await__(self):\n        yield 5\nawait X()"
    failure = runner.failure(lines)
    assert (failure.code, failure.message) == (FailureCode.THROW, "Task got bad yield: 5")


def test_time_sleep_blocks_on_the_host(runner: Runner) -> None:
    lines = "import time\na = time.monotonic_ns()\ntime.sleep(0.05)\nprint(50_000_000 <= time.monotonic_ns() - a < 2 * 10**9)"
    assert runner.printed(lines) == ["True"]
