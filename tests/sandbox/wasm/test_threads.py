"""Guests run on a stack that is large enough, whatever thread they are called from."""

from __future__ import annotations

import threading

import pytest

import sandbox
from sandbox import ExecutionResult, Language, Limits, Request, Source
from sandbox.core.caps import MIB
from sandbox.egress.none import NoEgress
from sandbox.port.live import LivePort
from sandbox.wasm import threads
from sandbox.wasm.threads import NEEDED_BYTES, stack_bytes, with_room
from tests.sandbox.ports import FakeApi

RECURSION = {
    Language.JAVASCRIPT: "exports.onExecutePostLogin = () => { const f = () => [1].map(f); f(); };",
    Language.PYTHON: "def on_execute_post_login(event, api):\n    def f():\n        f()\n    f()\n",
}


def in_a_thread_of(size: int, work: threading.Thread) -> None:
    # Under the lock, or what the new thread starts meanwhile would leave `size` to all later threads.
    with threads._starting:
        before = threading.stack_size(size)
        try:
            work.start()
        finally:
            threading.stack_size(before)
    work.join()
    assert threading.stack_size() == before


@pytest.mark.parametrize("language", RECURSION)
def test_recursion_on_a_small_thread_ends_as_anywhere(language: Language) -> None:
    ended: list[ExecutionResult] = []

    def execute() -> None:
        suffix = "js" if language is Language.JAVASCRIPT else "py"
        program = sandbox.build(Source(language, f"action.{suffix}", RECURSION[language]), Limits())
        port = LivePort(FakeApi(), NoEgress(), Limits())
        ended.append(sandbox.run(program, Request("onExecutePostLogin", "{}", "{}"), Limits(), port))

    in_a_thread_of(512 * 1024, threading.Thread(target=execute))
    assert ended[0].failure is not None
    assert ended[0].failure.code == "stack"


def test_a_large_thread_is_not_left() -> None:
    found: list[tuple[int, str]] = []

    @with_room
    def work() -> None:
        found.append((stack_bytes(), threading.current_thread().name))

    for size, name in ((NEEDED_BYTES + MIB, "large"), (512 * 1024, "small")):
        in_a_thread_of(size, threading.Thread(target=work, name=name))
    assert [name for _, name in found] == ["large", "actionbox-guest"]
    assert all(size >= NEEDED_BYTES for size, _ in found)


def test_what_it_raises_is_raised_here() -> None:
    raised: list[BaseException] = []

    @with_room
    def fail() -> None:
        raise LookupError("mine")

    def call() -> None:
        try:
            fail()
        except LookupError as error:
            raised.append(error)

    in_a_thread_of(256 * 1024, threading.Thread(target=call))
    assert [str(error) for error in raised] == ["mine"]
