"""A real asyncio event loop whose waiting happens on the host."""

import asyncio
import asyncio.base_events
import asyncio.events
import math
import time

from . import wire
from .console import emit
from .records import parse


class UnsettledError(BaseException):
    """The loop waits for something that nothing can settle. Never reaches tenant code."""


class _HostSelector:
    """What the loop takes for a selector: its events are answers of the host."""

    def __init__(self, pending):
        self._pending = pending

    def select(self, timeout):
        if not self._pending:
            if timeout is None:
                raise UnsettledError
            if timeout <= 0:
                return []
        milliseconds = None if timeout is None else math.ceil(timeout * 1000)
        text = wire.wait_any(list(self._pending), milliseconds)
        return [text] if text else []

    def get_map(self):
        return {}

    def close(self):
        pass


class HostLoop(asyncio.base_events.BaseEventLoop):
    """One loop per execution. `pending` maps handles of the host to futures."""

    def __init__(self):
        super().__init__()
        self.pending = {}
        self._selector = _HostSelector(self.pending)
        self._clock_resolution = 0.001

    def time(self):
        return time.monotonic()

    def start(self, operation, argument, convert):
        """Start a host operation; a future of `convert(answer)`, where the answer has `ok` or `error`."""
        future = self.create_future()
        handle = wire.start(operation, argument)
        self.pending[handle] = (future, convert)
        future.add_done_callback(lambda done: self._forget(handle, done))
        return future

    def settle_blocking(self, operation, argument):
        """The answer of a host operation, waited for with everything else standing still."""
        handle = wire.start(operation, argument)
        while True:
            text = wire.wait_any([handle], None)
            if text:
                return parse(text)

    def _forget(self, handle, future):
        if self.pending.pop(handle, None) is not None and future.cancelled():
            wire.call("cancel", str(handle))

    def _process_events(self, events):
        for text in events:
            answer = parse(text)
            future, convert = self.pending.pop(answer["id"], (None, None))
            if future is None or future.done():
                continue
            try:
                future.set_result(convert(answer))
            except Exception as error:
                future.set_exception(error)

    def _write_to_self(self):
        pass

    def call_exception_handler(self, context):
        """asyncio reports what nobody awaited: a line in the log, never a failure."""
        error = context.get("exception")
        text = context.get("message", "unhandled error in asyncio")
        emit("warn", f"{text}: {type(error).__name__}: {error}" if error is not None else text)

    def complete(self, coroutine):
        """Run `coroutine` to its end; its first step at once, without a turn of the loop."""
        asyncio.events._set_running_loop(self)
        try:
            task = asyncio.Task(coroutine, loop=self, eager_start=True)
        finally:
            asyncio.events._set_running_loop(None)
        return task.result() if task.done() else self.run_until_complete(task)


_loop = None


def current():
    """The loop of this execution, made when first asked for."""
    global _loop
    if _loop is None:
        _loop = HostLoop()
    return _loop


def run(main, *, debug=None, loop_factory=None):
    """`asyncio.run`: in a plain handler or at top level, where no loop is running."""
    if asyncio.events._get_running_loop() is not None:
        raise RuntimeError("asyncio.run() cannot be called from an async handler; use await")
    if asyncio.isfuture(main):
        return current().run_until_complete(main)
    if not asyncio.iscoroutine(main):
        raise ValueError(f"a coroutine was expected, got {type(main).__name__}")
    return current().complete(main)


def forget():
    """Before the snapshot: the next execution makes its own loop."""
    global _loop
    _loop = None
