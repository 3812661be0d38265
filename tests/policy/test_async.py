"""Coroutines, asynchronous loops, context managers and comprehensions."""

from __future__ import annotations

from tests.policy.check import Policy


def run(source: str) -> str:
    return "import asyncio\n" + source + "\nasyncio.run(main())\n"


def test_await(policy: Policy) -> None:
    """It allows async def and await."""
    source = "async def f():\n    return 1\nasync def main():\n    print(await f())"
    assert policy.prints(run(source)) == ["1"]


def test_async_for_and_comprehensions(policy: Policy) -> None:
    """It allows async for, asynchronous generators and comprehensions."""
    source = """
async def count(n):
    for i in range(n):
        yield i
        await asyncio.sleep(0)
async def main():
    async for i in count(2):
        print(i)
    else:
        print("end")
    print([i async for i in count(3) if i], {i: i async for i in count(1)})
"""
    assert policy.prints(run(source)) == ["0", "1", "end", "[1, 2] {0: 0}"]


def test_async_with(policy: Policy) -> None:
    """It allows async with, own and asyncio's."""
    source = """
class Door:
    async def __aenter__(self):
        return "in"
    async def __aexit__(self, *error):
        print("out")
async def main():
    async with Door() as d, asyncio.timeout(5):
        print(d)
"""
    assert policy.prints(run(source)) == ["in", "out"]


def test_frames_of_coroutines(policy: Policy) -> None:
    """It denies the frame of a coroutine and of an asynchronous generator."""
    assert policy.refused("async def f():\n    f().cr_frame")[:2] == (2, 5)
    assert policy.refused("async def f():\n    yield f().ag_frame")[:2] == (2, 11)
