"""Building versions: packages are had and bundled by the parent, tenants' text is compiled by workers."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from runner.model.caps import MAX_TRANSPILED
from runner.project.dependencies import make_origin
from runner.workers.parent.requests import BuildCall, TooBusyError
from runner.workers.parent.services.images import Images
from runner.workers.protocol.messages import TranspileAsk
from sandbox.action_build import Build, build_action
from sandbox.core.caps import MAX_SOURCE_BYTES, Limits
from sandbox.core.failure import BuildError
from sandbox.core.program import Dependencies, Language, Program, Source
from sandbox.javascript.building.confined import Finished, ToolTimeoutError
from sandbox.javascript.building.transpile import run_compiler
from sandbox.javascript.image import notes_of
from sandbox.packages.npm.origin import Origin
from sandbox.packages.npm.store import TarballStore

_log: Final = logging.getLogger(__name__)
_AT_ONCE: Final = 4
_WAITING: Final = 64
Compile = Callable[[str, Source, Limits], Coroutine[Any, Any, Program]]
"""Has a worker compile a source for a tenant. Raises `BuildError`."""


class BuildService:
    """Args:
    compile_source: see `Compile`.
    origin: makes the origin of npm packages.
    wheels: folder of the packages of Python Actions; None for none.
    """

    def __init__(
        self, compile_source: Compile, origin: Callable[[], Origin] | None, wheels: Path | None = None
    ) -> None:
        self._compile = compile_source
        self._origin = origin or make_origin
        self._wheels = wheels
        self._threads, self._threads_with_packages = (
            ThreadPoolExecutor(_AT_ONCE, thread_name_prefix=name)
            for name in ("actionbox-build", "actionbox-packages")
        )
        self._tools = ThreadPoolExecutor(2, thread_name_prefix="actionbox-bundler")
        self._tenants: dict[tuple[str, bool], asyncio.Lock] = {}
        self._waiting = 0
        self._images = Images(self.transpiled)
        self._transpiled: OrderedDict[tuple[str, str], Finished] = OrderedDict()

    def close(self) -> None:
        """Begin nothing more."""
        for threads in (self._threads, self._threads_with_packages, self._tools):
            threads.shutdown(wait=False, cancel_futures=True)

    async def build(self, tenant: str, call: BuildCall, report: Callable[[Build], None]) -> Build:
        """Build a version; for each tenant one at a time, and one with packages. Raises `TooBusyError`."""
        if self._waiting >= _WAITING:
            raise TooBusyError("service", 5)
        self._waiting += 1
        turn = tenant, bool(call.wanted or call.modules)
        lock = self._tenants.setdefault(turn, asyncio.Lock())
        try:
            async with lock:
                return await self._build(tenant, call, report)
        finally:
            self._waiting -= 1
            if not lock.locked():
                self._tenants.pop(turn, None)

    async def _build(self, tenant: str, call: BuildCall, report: Callable[[Build], None]) -> Build:
        loop = asyncio.get_running_loop()

        def compile_here(source: Source, limits: Limits) -> Program:
            return asyncio.run_coroutine_threadsafe(self._compiled(tenant, source, limits), loop).result()

        def work() -> Build:
            return build_action(
                call.source,
                call.wanted,
                origin=self._origin,
                modules=call.modules,
                lock=call.lock,
                compile_source=compile_here,
                store=TarballStore(),
                wheels=self._wheels,
                report=report,
            )

        heavy = call.wanted or call.modules
        return await loop.run_in_executor(self._threads_with_packages if heavy else self._threads, work)

    async def _compiled(self, tenant: str, source: Source, limits: Limits) -> Program:
        notes: tuple[str, ...] = ()
        if source.dependencies is not None and source.language is Language.JAVASCRIPT:
            notes = notes_of(await self._images.get(source.dependencies))
        return replace(await self._compile(tenant, source, limits), notes=notes)

    # --- what workers ask while they compile ---

    async def image(self, dependencies: Dependencies | None) -> tuple[dict[str, Any], bytes]:
        """The answer with an image; an error for packages that the worker has nothing to do with."""
        if dependencies is None:
            return {"error": "no source that it has uses these packages"}, b""
        try:
            return {"ok": True}, await self._images.get(dependencies)
        except BuildError as error:
            return {"error": error.failure.message}, b""

    async def transpiled(self, ask: TranspileAsk, body: bytes) -> tuple[dict[str, Any], bytes]:
        """The answer with what the bundler says, which runs in a confined process of its own."""
        text = body.decode("utf-8", "replace")
        if len(body) > 4 * MAX_SOURCE_BYTES:
            return {"error": "the source is larger than any may be"}, b""
        try:
            done = await self._bundler(ask.filename, text)
        except ToolTimeoutError:
            return {"ok": None}, b""
        except Exception:  # noqa: BLE001 - the worker waits
            _log.exception("the bundler could not be run")
            return {"error": "the bundler could not be run"}, b""
        stderr = base64.b64encode(done.stderr[:65_536]).decode("ascii")
        return {"ok": {"done": done.ok, "exhausted": done.exhausted, "stderr": stderr}}, done.stdout

    async def _bundler(self, filename: str, text: str) -> Finished:
        """Each worker compiles a source once; the bundler need not run again for each of them."""
        key = (filename, text)
        found = self._transpiled.get(key)
        if found is None:
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(self._tools, run_compiler, filename, text)
            self._transpiled[key] = found
            while len(self._transpiled) > MAX_TRANSPILED:
                self._transpiled.popitem(last=False)
        return found
