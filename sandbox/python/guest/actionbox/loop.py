"""A real asyncio event loop whose waiting happens on the host."""

import asyncio
import asyncio.base_events
import asyncio.events
import math
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from . import wire
from .console import emit
from .errors import UnsettledError
from .records import parse

Pending = dict[int, tuple[asyncio.Future[Any], Callable[[Any], Any]]]


class _HostSelector:
    """The loop's selector, whose events are answers of the host."""

    def __init__(self, pending: Pending) -> None:
        self._pending = pending

    def select(self, timeout: float | None) -> list[str]:
        if not self._pending:
            if timeout is None:
                raise UnsettledError
            if timeout <= 0:
                return []
        milliseconds = None if timeout is None else math.ceil(timeout * 1000)
        text = wire.wait_any(self._pending, milliseconds)
        return [text] if text else []

    def close(self) -> None:
        """There is nothing to close."""


class HostLoop(asyncio.base_events.BaseEventLoop):
    """The loop of one execution."""

    _starting = False
    _ready: deque[asyncio.Handle]  # of BaseEventLoop

    def __init__(self) -> None:
        super().__init__()
        self._pending: Pending = {}
        self._selector = _HostSelector(self._pending)
        self._clock_resolution = 0.001
        self._spent: Any = None

    def time(self) -> float:
        return time.monotonic()

    def is_running(self) -> bool:
        """Also while a first step runs at once: only then does asyncio start a task eagerly."""
        return self._starting or super().is_running()

    def start(self, operation: str, argument: str, convert: Callable[[Any], Any]) -> asyncio.Future[Any]:
        """Start a host operation; a future of `convert(answer)`, where the answer has `ok` or `error`."""
        future = self.create_future()
        handle = 0 if self._spent else wire.start(operation, argument)
        if not handle:
            _settle(future, self._refusal(), convert)
            return future
        self._pending[handle] = (future, convert)
        future.add_done_callback(lambda done: self._forget(handle, done))
        return future

    def wait_for_answer(self, operation: str, argument: str) -> Any:
        """The answer of a host operation, with everything else standing still meanwhile."""
        handle = 0 if self._spent else wire.start(operation, argument)
        if not handle:
            return self._refusal()
        while True:
            text = wire.wait_any((handle,), None)
            if text:
                return parse(text)

    def _refusal(self) -> Any:
        """The host's answer to everything that is still to be started."""
        if self._spent is None:
            self._spent = parse(wire.no_more())
        return self._spent

    def complete(self, coroutine: Any) -> Any:
        """Run `coroutine` to its end; its first step at once, without a turn of the loop."""
        asyncio.events._set_running_loop(self)
        self._starting = True
        try:
            task = asyncio.Task(coroutine, loop=self, eager_start=True)
        finally:
            self._starting = False
            asyncio.events._set_running_loop(None)
        return task.result() if task.done() else self.run_until_complete(task)

    def drain(self) -> None:
        """Run what is ready, and what that makes ready, without waiting for anything: tasks that a handler
        began and did not wait for. Answers and timers are left alone, also those that are due."""
        asyncio.events._set_running_loop(self)
        try:
            while self._ready:
                handle = self._ready.popleft()
                if not handle._cancelled:
                    handle._run()
                del handle  # or the error of a task is held by its own traceback, and nobody is told of it
        finally:
            asyncio.events._set_running_loop(None)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """asyncio reports what nobody awaited: a line in the log, never a failure."""
        error = context.get("exception")
        text = context.get("message", "unhandled error in asyncio")
        emit("warn", text if error is None else f"{text}: {type(error).__name__}: {error}")

    def _forget(self, handle: int, future: asyncio.Future[Any]) -> None:
        if self._pending.pop(handle, None) is not None and future.cancelled():
            wire.call("cancel", str(handle))

    def _process_events(self, events: list[str]) -> None:
        for text in events:
            answer = parse(text)
            future, convert = self._pending.pop(answer["id"], (None, None))
            if future is None or convert is None or future.done():
                continue
            _settle(future, answer, convert)

    def _write_to_self(self) -> None:
        """Nobody wakes this loop from another thread."""


def _settle(future: asyncio.Future[Any], answer: Any, convert: Callable[[Any], Any]) -> None:
    try:
        future.set_result(convert(answer))
    except Exception as error:
        future.set_exception(error)


_loop = HostLoop()


def current() -> HostLoop:
    """The loop of this execution."""
    return _loop


def renew() -> None:
    """After a rehearsal: a loop that has run nothing."""
    global _loop
    _loop = HostLoop()


def run(main: Any, *, debug: object = None, loop_factory: object = None) -> Any:  # noqa: ARG001
    """`asyncio.run`: in a plain handler or at top level, where no loop is running."""
    if asyncio.events._get_running_loop() is not None:
        raise RuntimeError("asyncio.run() cannot be called from an async handler; use await")
    if asyncio.isfuture(main):
        return current().run_until_complete(main)
    if not asyncio.iscoroutine(main):
        raise ValueError(f"a coroutine was expected, got {type(main).__name__}")
    return current().complete(main)
