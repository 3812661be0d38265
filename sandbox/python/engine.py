"""The Python sandbox: CPython in WebAssembly, a fresh instance for every build and execution."""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import json
import platform
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Final

from sandbox.core.caps import (
    MAX_PACKAGE_SOURCE_BYTES,
    MAX_PACKAGES_COMPILE_SECONDS,
    MAX_PACKAGES_LOAD_SECONDS,
    MAX_SOURCE_BYTES,
    MAX_SOURCE_LINES,
    Limits,
)
from sandbox.core.failure import BuildError, Failure, FailureCode
from sandbox.core.program import Language, Program, Request, Source
from sandbox.egress.none import NoEgress
from sandbox.engine import EngineIdentity, EngineReport
from sandbox.port.drain import linger, until
from sandbox.port.interface import HostPort
from sandbox.port.live import LivePort, NoApi
from sandbox.python import failures
from sandbox.python.dependency_image import Compiled, Units, build_equipped
from sandbox.python.image import Image, ImageError, image_key, load_image
from sandbox.python.instance import Guest, Instance, WasmtimeError
from sandbox.python.pool import Pool
from sandbox.wasm.engine import configuration_key
from sandbox.wasm.threads import with_room

_OK: Final[dict[str, object]] = {"ok": True}
"""What the guest answers when the handler completed; nothing else is success (threat-model K3)."""

_OTHER_IMAGE: Final = Failure(
    FailureCode.INTERNAL,
    "This program was built by another version of the Python sandbox.",
    next_step="Build the Action again.",
)
_NO_TEXT: Final = re.compile("[\0\ud800-\udfff]")
"""Characters that no parser may see."""

_PACKAGE: Final = '{"kind": "package"'
"""How the context of a package's file begins."""

_COMPILE_MS: Final = 4_000
"""Longest build, of processor time when the machine is busy. An honest source of the largest size takes
0.3 s, the worst known one 1.4 s."""
POOL_SIZE: Final = 3
"""Warmed instances kept ready; see `bench/` for what they save."""


@functools.cache
def _identity() -> EngineIdentity:
    key = hashlib.sha256(image_key().encode()).hexdigest()
    return EngineIdentity(key, key, version("wasmtime"), configuration_key(), platform.machine())


class PythonEngine:
    """Runs Python Actions. Meets `sandbox.engine.Engine`.

    Args:
        progress: told one sentence per step while the guest image is built.
        pool_size: warmed instances kept ready.
        policy: False compiles without the policy. Only for the escape suite, which proves that the
            boundary is the WebAssembly instance.

    Raises:
        ImageError: the image could not be built.
    """

    def __init__(
        self,
        progress: Callable[[str], None] | None = None,
        *,
        pool_size: int = POOL_SIZE,
        policy: bool = True,
    ) -> None:
        self._image: Image = load_image(progress)
        _identity()  # reads files, which a worker cannot do later
        self._pool = Pool(Guest(self._image.engine, self._image.component), pool_size)
        self._policy = policy
        self._closing = threading.Lock()

    @property
    def language(self) -> Language:
        return Language.PYTHON

    @property
    def identity(self) -> EngineIdentity:
        return _identity()

    @property
    def image_digest(self) -> str:
        """Names the guest image; programs of another image are refused."""
        return self._image.digest

    @property
    def image(self) -> Image:
        """The guest image."""
        return self._image

    def warm(self) -> None:
        """Wait until instances are ready."""
        self._pool.fill()

    def close(self) -> None:
        """Stop the background thread. The engine is of no use afterwards."""
        with self._closing:
            self._pool.close()

    # --- Engine ---

    @with_room
    def build(self, source: Source, limits: Limits, *, load: bool = False) -> Program:
        """Check and compile. See `sandbox.engine.Engine.build`."""
        if source.dependencies is None:
            return self._compile(source, limits, "").program
        until = time.monotonic() + MAX_PACKAGES_COMPILE_SECONDS

        def compile_part(part: Source, context: str) -> Compiled:
            left = int((until - time.monotonic()) * 1000)
            if left <= 0:
                raise BuildError(_too_much_to_compile())
            return self._compile(part, replace(limits, wall_ms=min(limits.wall_ms, left)), context)

        return build_equipped(source, compile_part, functools.partial(self._load, limits) if load else None)

    def _load(self, limits: Limits, program: Program) -> None:
        """Import packages once. Raises `BuildError` when that never ends, or takes too much."""
        limits = replace(limits, wall_ms=min(limits.wall_ms, MAX_PACKAGES_LOAD_SECONDS * 1000))
        port, units = LivePort(NoApi(), NoEgress(), limits), Units(program)
        port.begin(time.monotonic() + limits.wall_ms / 1000)
        try:
            answer = self._execute(program, Request("", "{}", "{}"), limits, port, units).answer
        finally:
            port.end()
        if isinstance(answer, Failure) and answer.code in _ENDLESS:
            raise BuildError(_unloadable(answer, units.last))

    def _compile(self, source: Source, limits: Limits, context: str) -> Compiled:
        is_package = context.startswith(_PACKAGE)
        text = _checked(source, MAX_PACKAGE_SOURCE_BYTES if is_package else MAX_SOURCE_BYTES)
        if not is_package:
            limits = replace(limits, wall_ms=min(limits.wall_ms, _COMPILE_MS))
        policy = "on" if self._policy else "off"
        least = limits.wall_ms / 1000
        answer = self._call(limits, "build", text, source.filename, policy, context, least=least).answer
        if isinstance(answer, Failure):
            raise BuildError(_of_build(answer, limits))
        report = failures.decode(answer)
        if report is None:
            raise BuildError(failures.internal("The compiler gave no answer.", answer[:500]))
        if "failure" in report:
            raise BuildError(failures.from_guest(report["failure"], source, limits))
        imports = report.get("imports")
        names = tuple(map(str, imports)) if isinstance(imports, list) else ()
        return Compiled(self._program(source, report), names)

    def _program(self, source: Source, report: dict[str, object]) -> Program:
        code, exports = report.get("code"), report.get("exports")
        if not isinstance(code, str) or not isinstance(exports, list):
            raise BuildError(failures.internal("The compiler gave no code.", str(report)[:500]))
        try:
            raw = base64.b64decode(code, validate=True)
        except binascii.Error as error:
            raise BuildError(failures.internal("The compiler gave no code.", str(error))) from None
        mark = b"r:" if self._policy else b"u:"
        return Program(source, mark + raw, self.image_digest, tuple(str(name) for name in exports))

    @with_room
    def exports(
        self,
        program: Program,
        limits: Limits,
        port: HostPort,
        wanted: Sequence[str] = (),  # noqa: ARG002 - all that there is is listed
    ) -> tuple[str, ...]:
        """Functions that the top level defines. See `sandbox.engine.Engine.exports`."""
        request = Request(handler="", event="{}", surface="{}")
        port.begin(time.monotonic() + limits.wall_ms / 1000)
        try:
            answer = self._execute(program, request, limits, port).answer
        finally:
            port.end()
        if isinstance(answer, Failure):
            raise BuildError(answer)
        names = answer.get("exports")
        if not isinstance(names, list):
            raise BuildError(failures.internal("The guest listed no exports.", str(answer)[:500]))
        return tuple(str(name) for name in names[:1000])

    @with_room
    def run(self, program: Program, request: Request, limits: Limits, port: HostPort) -> EngineReport:
        """Run the handler. See `sandbox.engine.Engine.run`. The peak of memory is not known of a guest
        that trapped: then it is 0, or the limit when memory is what it wanted."""
        outcome = self._execute(program, request, limits, port)
        answer = outcome.answer
        if isinstance(answer, Failure):
            return EngineReport(answer, outcome.memory_bytes)
        text = "The guest's answer is unclear."
        failure = None if answer == _OK else failures.internal(text, str(answer)[:200])
        return EngineReport(failure, outcome.memory_bytes)

    # --- calls into the guest ---

    def _execute(
        self, program: Program, request: Request, limits: Limits, port: HostPort, units: Units | None = None
    ) -> _Report:
        if program.image != self.image_digest:
            return _Report(_OTHER_IMAGE)
        code = program.code.decode("latin-1")  # a character per byte: the guest's interface has strings only
        surface = surface_lines(request.surface)
        arguments = (code, request.handler, request.event, surface, request.module_secrets)
        outcome = self._call(limits, "execute", *arguments, port=port, units=units or Units(program))
        if isinstance(outcome.answer, Failure):
            return _Report(outcome.answer, outcome.memory_bytes)
        report = _read(outcome.answer, program, limits)
        if not isinstance(report, Failure):
            linger(port, outcome.handles, until(outcome.deadline))
        return _Report(report, outcome.memory_bytes)

    def _call(
        self,
        limits: Limits,
        name: str,
        *arguments: str,
        port: HostPort | None = None,
        units: Units | None = None,
        least: float = 0.0,
    ) -> _CallResult:
        """The guest's answer, or why there is none. `least`: see `Timed`."""
        deadline = time.monotonic() + limits.wall_ms / 1000
        try:
            instance = self._pool.take()
        except (WasmtimeError, RuntimeError, OSError) as error:
            return _CallResult(
                failures.internal("No instance of the Python sandbox could be made.", str(error))
            )
        try:
            instance.bind(port, limits, deadline, least)
            if units is not None:
                instance.binding.unit = units.code
            text = instance.call(name, *arguments)
            memory = instance.memory_bytes()
            handles = instance.binding.handles
        except WasmtimeError as error:
            failure = _stopped(instance, port, error, limits)
            return _CallResult(failure, limits.memory_bytes if failure.code is FailureCode.MEMORY else 0)
        finally:
            self._pool.give_back(instance)
        if instance.binding.late():
            return _CallResult(failures.timed_out(limits), memory)
        return _CallResult(text, memory, deadline, handles)


@dataclass(frozen=True, slots=True)
class _CallResult:
    """The result of a call into a guest, the linear memory it took (0: not known), its deadline, and the
    operations that it left behind."""

    answer: str | Failure
    memory_bytes: int = 0
    deadline: float = 0.0
    handles: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Report:
    """The same, with the guest's text read."""

    answer: dict[str, object] | Failure
    memory_bytes: int = 0


@functools.lru_cache(maxsize=64)
def surface_lines(surface: str) -> str:
    """A surface as the guest reads it: a line for each member, its name, a tab, its JSON. The same few
    surfaces come again with every execution, and reading one whole costs the guest 0.15 ms.

    Raises:
        ValueError: it is no JSON object, which a trigger never says.
    """
    members = json.loads(surface)
    if not isinstance(members, dict):
        raise ValueError("an api surface is a JSON object")
    return "\n".join(f"{name}\t{json.dumps(member)}" for name, member in members.items())


def _read(text: str, program: Program, limits: Limits) -> dict[str, object] | Failure:
    report = failures.decode(text)
    if report is None:
        return failures.internal("The guest's answer is no JSON object.", text[:200])
    if "failure" in report:
        others = [item.source for item in program.modules]
        return failures.from_guest(report["failure"], program.source, limits, others)
    return report


def _stopped(instance: Instance, port: HostPort | None, error: WasmtimeError, limits: Limits) -> Failure:
    """The reason for a trap: what we know ourselves comes before what the trap says."""
    if instance.binding.fault is not None:
        return instance.binding.fault
    if port is not None and port.fatal is not None:
        return port.fatal
    if instance.binding.late():
        return failures.timed_out(limits)
    return failures.from_trap(error, limits)


def _of_build(failure: Failure, limits: Limits) -> Failure:
    """The same failure in words about a source, which has not run."""
    if failure.code is FailureCode.TIMEOUT:
        return failures.timed_out(limits, "The source took")
    if failure.code is FailureCode.STACK:
        return Failure(FailureCode.SYNTAX, "The source is nested too deeply to compile.")
    return failure


_ENDLESS: Final = (FailureCode.TIMEOUT, FailureCode.MEMORY, FailureCode.STACK)
"""How a package ends that cannot be loaded. One that throws may load where there is a network."""


def _unloadable(failure: Failure, filename: str) -> Failure:
    """The failure of packages that cannot be loaded: of the one whose file was imported last."""
    first, _, rest = filename.partition("/")
    folder = first if "-" in first else rest.partition("/")[0]  # a module's packages stand below its name
    is_module = filename.startswith("actions:")
    name = filename if is_module else folder.rpartition("-")[0]
    what = f"The module {name}" if is_module else f"The package {name}"
    did = {
        FailureCode.TIMEOUT: "does not finish loading: what it runs at its top level takes too long.",
        FailureCode.MEMORY: "needs more memory than it may have to load.",
        FailureCode.STACK: "recurses too deeply while it loads.",
    }[failure.code]
    step = "Use another version of it, or another package."
    return Failure(failure.code, f"{what} {did}", next_step=step, detail={"package": name})


def _too_much_to_compile() -> Failure:
    return Failure(
        FailureCode.TIMEOUT,
        f"The packages of the Action take longer than {MAX_PACKAGES_COMPILE_SECONDS} s to compile.",
        next_step="Use smaller packages.",
    )


def _checked(source: Source, most: int) -> str:
    """The text to compile: caps and characters that no parser may see are refused here.

    Raises:
        BuildError: too large, or not text.
    """
    text = source.text.removeprefix("\ufeff")
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > most:
        raise BuildError(_too_large(source, f"{size} bytes", f"{most} bytes"))
    lines = text.count("\n") + 1
    if lines > MAX_SOURCE_LINES:
        raise BuildError(_too_large(source, f"{lines} lines", f"{MAX_SOURCE_LINES} lines"))
    found = _NO_TEXT.search(text)
    if found is not None:
        index = found.start()
        line = text.count("\n", 0, index) + 1
        column = index - text.rfind("\n", 0, index)
        what = "a NUL character" if found[0] == "\0" else "half of a surrogate pair, which is no character"
        raise BuildError(failures.syntax(source, f"The source contains {what}.", line, column))
    return text


def _too_large(source: Source, found: str, limit: str) -> Failure:
    return Failure(
        FailureCode.OUTPUT,
        f"The source {source.filename} has {found}; it may have {limit}.",
        next_step="Make the Action smaller, or split it into several.",
    )


__all__ = ["POOL_SIZE", "ImageError", "PythonEngine"]
