"""A pool for tests: its event loop runs in a thread, so that tests and fixtures stay plain functions."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import asdict, replace
from typing import Any, TypeVar

from runner.model.action import Action, with_unique_names
from runner.model.outcome import FlowOutcome
from runner.records.policy import Wish
from runner.replay.record import FlowRecord, stamped
from runner.suspension.stores import PinnedAction
from runner.workers import LegCall, LegReply, PoolSettings, ResumeCall, WorkerPool
from runner.workers.parent.requests import LegRecord
from sandbox.core.program import Language, Source
from triggers import get_trigger

Result = TypeVar("Result")
EVENT: Mapping[str, Any] = get_trigger("post-login").example_event
EVERYTHING = Wish(16 * 1024 * 1024, always="all")
QUICK = PoolSettings(workers=1, grace_seconds=1.0, start_seconds=60)


def javascript(body: str, **options: Any) -> Action:
    """An Action for `post-login` with this body."""
    text = f"exports.onExecutePostLogin = async (event, api) => {{\n{body}\n}};"
    return Action(options.pop("name", "js"), Source(Language.JAVASCRIPT, "js.js", text), **options)


def python(body: str, **options: Any) -> Action:
    """The same in Python; `body` is indented here."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    text = f"async def on_execute_post_login(event, api):\n{lines}\n"
    return Action(options.pop("name", "py"), Source(Language.PYTHON, "py.py", text), **options)


class LivePool:
    """A started pool and the loop it lives on."""

    def __init__(self, settings: PoolSettings, **parts: Any) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.pool = WorkerPool(settings, **parts)

    def wait(self, work: Coroutine[Any, Any, Result], seconds: float = 60.0) -> Result:
        return self.begin(work).result(seconds)

    def begin(self, work: Coroutine[Any, Any, Result]) -> Future[Result]:
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def call(self, *actions: Action, tenant: str = "harbor", **options: Any) -> Future[LegReply]:
        """Begin a leg on the example event."""
        call = LegCall(
            trigger=options.pop("trigger", "post-login"),
            event=options.pop("event", EVENT),
            actions=actions,
            **options,
        )
        return self.begin(self.pool.run(tenant, call))

    def run(self, *actions: Action, **options: Any) -> FlowOutcome:
        return self.call(*actions, **options).result(60).outcome

    def resume(self, handle: str, tenant: str = "harbor", **options: Any) -> FlowOutcome:
        return self.wait(self.pool.resume(tenant, ResumeCall(handle=handle, **options))).outcome

    def record(self, reply: LegReply, *actions: Action) -> FlowRecord:
        """The record of a leg, with the Actions that the service adds."""

        async def arrived() -> LegRecord:
            assert reply.record is not None
            return await reply.record

        found = self.wait(arrived())
        assert not found.lost
        pinned = [PinnedAction.of(action).model_dump(mode="json") for action in with_unique_names(actions)]
        record = {**json.loads(found.text), "actions": pinned, "digest": ""}
        return stamped(FlowRecord.model_validate(record))

    def pids(self) -> list[int]:
        return [worker.pid for worker in self.pool.stats().workers]

    def until(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        """Wait until `condition` holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"never came true: {self.pool.stats()}"
            time.sleep(0.01)

    def healthy(self) -> bool:
        """All workers are ready."""
        workers = self.pool.stats().workers
        return len(workers) == self.pool.settings.workers and all(item.state == "ready" for item in workers)

    def close(self, grace_seconds: float = 0.1) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            self.wait(self.pool.stop(grace_seconds))
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@contextlib.contextmanager
def pool(settings: PoolSettings = QUICK, **parts: Any) -> Iterator[LivePool]:
    """A started pool; options of `PoolSettings` by keyword go over `settings`."""
    names = {name: parts.pop(name) for name in asdict(settings) if name in parts}
    live = LivePool(replace(settings, **names), **parts)
    try:
        live.wait(live.pool.start(), 120)
        yield live
    finally:
        live.close()
