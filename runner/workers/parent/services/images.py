"""Images of packages and modules: made by a process of their own, kept and handed out by the parent.

Such an image is the memory that Actions with these packages start from, and the packages' code has run in it
(threat-model E2). So it is made in a process that has given up its rights like a worker, sees one set of
packages and modules and nothing else, and ends afterwards; and it is filed under the digest of exactly that
set. Who could alter it can only alter it for those who use these very packages.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any, Final

from runner.workers.parent.processes.process import WorkerProcess
from runner.workers.protocol import messages
from runner.workers.protocol.codec import dependencies_bytes, read_failure
from runner.workers.protocol.frames import FrameError
from sandbox.core.failure import BuildError, Failure, FailureCode
from sandbox.core.program import Dependencies
from sandbox.javascript.image import EQUIPPED, base_digest, equipped_key
from sandbox.wasm import artefacts

_log: Final = logging.getLogger(__name__)
BUILDER: Final = ("-I", "-X", "utf8", "-m", "runner.workers.child.main", "build")
_SECONDS: Final = 180.0
"""From the start of the process to the image."""
_AT_ONCE: Final = 2
_REFUSED_SECONDS: Final = 600.0
"""How long it is remembered that packages cannot be loaded."""
_MOST_REFUSED: Final = 256


Transpile = Callable[[messages.TranspileAsk, bytes], Coroutine[Any, Any, tuple[dict[str, Any], bytes]]]
"""Answers a compiler's ask for the bundler."""


class Images:
    """The images that workers may ask for. For one event loop."""

    def __init__(self, transpile: Transpile) -> None:
        self._transpile = transpile
        self._making: dict[str, asyncio.Task[bytes]] = {}
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._refused: OrderedDict[str, tuple[float, Failure]] = OrderedDict()

    async def get(self, dependencies: Dependencies) -> bytes:
        """The image of `dependencies`, from the cache or made now (seconds).

        Raises:
            BuildError: it cannot be made.
        """
        key = await asyncio.to_thread(lambda: equipped_key(base_digest(), dependencies.digest))
        found = await asyncio.to_thread(artefacts.find, EQUIPPED, key)
        if found is not None:
            return found
        until, failure = self._refused.get(key, (0.0, None))
        if failure is not None and time.monotonic() < until:
            raise BuildError(failure)
        task = self._making.get(key)
        if task is None:
            task = self._making[key] = asyncio.get_running_loop().create_task(self._make(key, dependencies))
            task.add_done_callback(lambda _: self._making.pop(key, None))
        return await asyncio.shield(task)

    async def _make(self, key: str, dependencies: Dependencies) -> bytes:
        try:
            async with self._places:
                made = await _Order(dependencies, self._transpile).filled()
        except BuildError as error:
            self._refuse(key, error.failure)
            raise
        await asyncio.to_thread(artefacts.keep, EQUIPPED, key, made)
        return made

    def _refuse(self, key: str, failure: Failure) -> None:
        """Whoever builds with these packages again need not keep a builder busy to learn the same."""
        if failure.code is FailureCode.INTERNAL:
            return
        self._refused[key] = (time.monotonic() + _REFUSED_SECONDS, failure)
        while len(self._refused) > _MOST_REFUSED:
            self._refused.popitem(last=False)


class _Order:
    """One image, asked of one builder."""

    def __init__(self, dependencies: Dependencies, transpile: Transpile) -> None:
        self._dependencies = dependencies
        self._transpile = transpile
        self._answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._process = WorkerProcess(BUILDER, self._received, self._lost)
        self._tasks: set[asyncio.Task[None]] = set()

    async def filled(self) -> bytes:
        """The image. Raises `BuildError`."""
        await self._process.start()
        try:
            async with asyncio.timeout(_SECONDS):
                return await self._answer
        except TimeoutError:
            raise BuildError(_no_image("The packages take too long to load.", FailureCode.TIMEOUT)) from None
        finally:
            self._process.kill("done")
            await self._process.ended()

    def _received(self, message: Any, body: bytes) -> None:
        if isinstance(message, messages.Log):
            _log.warning("builder: %s", message.text)
        elif isinstance(message, messages.Ready):
            self._process.tell({"t": "equip"}, dependencies_bytes(self._dependencies))
        elif isinstance(message, messages.TranspileAsk) and not self._tasks:
            task = asyncio.get_running_loop().create_task(self._reply(message, body))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif isinstance(message, messages.ImageMade) and not self._answer.done():
            self._made(message, body)
        else:
            raise FrameError("not what a builder says")

    def _made(self, message: messages.ImageMade, body: bytes) -> None:
        if message.ok:
            self._answer.set_result(body)
        else:
            self._answer.set_exception(BuildError(read_failure(body)))

    async def _reply(self, ask: messages.TranspileAsk, text: bytes) -> None:
        found, body = await self._transpile(ask, text)
        self._tasks.clear()
        self._process.tell({"t": "answer", "ask": ask.ask, **found}, body)

    def _lost(self) -> None:
        if not self._answer.done():
            status, told = self._process.exit_status, self._process.told
            _log.error("a builder ended with status %s: %s", status, told)
            self._answer.set_exception(BuildError(_no_image("The builder of the packages died.")))


def _no_image(message: str, code: FailureCode = FailureCode.INTERNAL) -> Failure:
    return Failure(code, message)
