"""The guest image: QuickJS with our prelude evaluated, frozen, compiled and cached."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import platform
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final, NamedTuple

import wasmtime

from sandbox.core.caps import (
    JAVASCRIPT_STACK_BYTES,
    MAX_IMAGE_BYTES,
    MAX_TABLE_ELEMENTS,
    Limits,
)
from sandbox.core.failure import BuildError, Failure, FailureCode
from sandbox.core.setup_error import SetUpError
from sandbox.engine import EngineIdentity
from sandbox.javascript import locales, toolchain
from sandbox.javascript.boot import Equipment, boot, compile_prelude
from sandbox.javascript.hostcalls import IMPORTS
from sandbox.javascript.packages.files import NO_FILES, PackageFiles
from sandbox.javascript.quickjs import engine_patch
from sandbox.javascript.quickjs.machine import EXPORTS, Layout
from sandbox.javascript.quickjs.memory_image import export_positions, without_memory
from sandbox.wasm.artefacts import load_or_build
from sandbox.wasm.calls import Exports, Linked, link
from sandbox.wasm.engine import configuration_key, make_engine
from sandbox.wasm.memories import MAX_IDLE, Chosen, Memories
from sandbox.wasm.native import load_module
from sandbox.wasm.slices import Timed, longest, overseen
from sandbox.wasm.traps import GuestStopped, StopKind

QUICKJS_SHA256: Final = "d4c9375f2b1ca4dc95f72c8aa2982a7a9951ac8011490d79c6582df732b4bbd9"
_FORMAT: Final = 7
"""Raise it when the code below or boot.py changes what an image means."""
_SLOTS: Final = 64
"""Instances that can live at once in one process; further executions wait for one to end."""
_EQUIPPED_IDLE: Final = 2
"""Memories kept for the next instances of the image of one Action version."""
_SIZE: Final = struct.Struct("<I")
_MAX_NOTES, _MAX_NOTE = 100, 1_000


class ImageError(SetUpError):
    """The guest image cannot be made; the text says why."""


@dataclass(frozen=True, slots=True)
class Code:
    """The engine's compiled code, which all images share.

    Attributes:
        slots: taken by living instances.
        positions: of the exports.
    """

    engine: wasmtime.Engine
    slots: threading.BoundedSemaphore
    linked: Linked
    positions: dict[str, int]
    chosen: Chosen


@dataclass(frozen=True, slots=True)
class Image:
    """A memory image, ready to be instantiated.

    Attributes:
        memories: where its instances have their memory.
        digest: names this image; bytecode of one image is never given to another.
        files: of the packages in it.
        notes: what whoever builds an Action with it should know.
    """

    code: Code
    memories: Memories
    layout: Layout
    digest: str
    files: PackageFiles = NO_FILES
    notes: tuple[str, ...] = ()

    def instantiate(self, store: wasmtime.Store) -> Exports:
        """A fresh instance in `store`. Raises `GuestStopped` when it does not fit the store's limits."""
        with self.code.chosen.image(self.memories):
            return self.code.linked.instantiate(store, self.code.positions)

    @contextlib.contextmanager
    def store(
        self, limits: Limits, deadline: float, patience: float = 0.0, least: float = 0.0
    ) -> Iterator[Timed]:
        """A store that ends with the block, limited in memory and in time.

        Args:
            limits: what its memory may grow to.
            deadline: in `time.monotonic()` seconds.
            patience, least: see `Timed`.

        Raises:
            GuestStopped: the image is larger than the limit, or no slot became free before the deadline.
        """
        # wasmtime looks at what the module declares, which is not the image.
        if self.memories.size > limits.memory_bytes:
            raise GuestStopped(StopKind.MEMORY)
        if not self.code.slots.acquire(timeout=max(deadline + longest(least) - time.monotonic(), 0.0)):
            raise GuestStopped(StopKind.DEADLINE)
        try:
            store = wasmtime.Store(self.code.engine)
            try:
                store.set_limits(limits.memory_bytes, MAX_TABLE_ELEMENTS, 1, 1, 1)
                timed = Timed(store, deadline, patience, least)
                with overseen(timed.go_on):
                    yield timed
            finally:
                # Here and not in a thread of its own: handing over costs more than closing (measured).
                store.close()
        finally:
            self.code.slots.release()


def open_image(progress: toolchain.Progress) -> Image:
    """The image for this machine, from the cache or built now (some seconds).

    Raises:
        ImageError, ToolchainError: it cannot be built.
    """
    locales.prepare(progress)
    blob = load_or_build("javascript-image", _base_key(), lambda: _build(progress))
    return _read(_open_code(progress), blob, base_digest(), MAX_IDLE)


def _open_code(progress: toolchain.Progress) -> Code:
    chosen = Chosen()
    engine = make_engine(component_model=False, memories=chosen)

    def build() -> bytes:
        bare = without_memory(ingredients(progress).binary, EXPORTS)
        positions = json.dumps(export_positions(bare)).encode()
        return _SIZE.pack(len(positions)) + positions + bytes(wasmtime.Module(engine, bare).serialize())

    blob = load_or_build("javascript-code", _code_key(), build)
    start = _SIZE.size + _SIZE.unpack_from(blob)[0]
    return Code(
        engine=engine,
        slots=threading.BoundedSemaphore(_SLOTS),
        linked=link(engine, load_module(engine, blob, start), IMPORTS),
        positions=json.loads(blob[_SIZE.size : start]),
        chosen=chosen,
    )


@functools.cache
def _guest_key() -> tuple[str, ...]:
    """What the guest consists of, whatever runs it."""
    return (
        f"format {_FORMAT}",
        QUICKJS_SHA256,
        engine_patch.key(),
        toolchain.sources_digest(),
        locales.key(),
    )


@functools.cache
def identity() -> EngineIdentity:
    """See `sandbox.engine.Engine.identity`."""
    return EngineIdentity(
        wasm=QUICKJS_SHA256,
        guest=hashlib.sha256("\n".join(_guest_key()).encode()).hexdigest(),
        wasmtime=version("wasmtime"),
        flags=f"{configuration_key()}; guest stack {JAVASCRIPT_STACK_BYTES}",
        machine=platform.machine(),
    )


@functools.cache
def _base_key() -> str:
    return "\n".join(
        [
            *_guest_key(),
            version("wasmtime"),
            configuration_key(),
            platform.machine(),
            f"stack {JAVASCRIPT_STACK_BYTES}",
        ]
    )


def base_digest() -> str:
    """Names the image that `open_image` opens."""
    return hashlib.sha256(_base_key().encode()).hexdigest()


EQUIPPED: Final = "javascript-action"
"""What the cache calls images of Action versions."""


def equipped_key(base: str, digest: str) -> str:
    """The cache's key of the image with the packages and modules that `digest` names."""
    return f"{base}\n{digest}"


def open_equipped(
    base: Image, digest: str, make: Callable[[], Equipment], progress: toolchain.Progress
) -> Image:
    """The image of an Action version: the guest of `base` with packages and modules in it, from the cache or
    built now (some seconds).

    Args:
        digest: names what `make` makes.

    Raises:
        ImageError, ToolchainError, BootError: it cannot be built.
        BuildError: it is larger than `MAX_IMAGE_BYTES`.
    """
    key = equipped_key(base.digest, digest)
    blob = load_or_build(EQUIPPED, key, lambda: _bounded(_build(progress, make())))
    return _read(base.code, blob, hashlib.sha256(key.encode()).hexdigest(), _EQUIPPED_IDLE)


def _bounded(blob: bytes) -> bytes:
    if len(blob) <= MAX_IMAGE_BYTES:
        return blob
    raise BuildError(
        Failure(
            FailureCode.DEPENDENCY,
            f"The packages, once loaded, take {len(blob)} bytes, more than the {MAX_IMAGE_BYTES} there are.",
            next_step="Use smaller packages, or fewer.",
            detail={"rule": "size", "limit": "image_bytes", "value": MAX_IMAGE_BYTES},
        )
    )


def _read(code: Code, blob: bytes, digest: str, most_idle: int) -> Image:
    header, files_at = _header(blob)
    start = files_at + header["files"]
    return Image(
        code=code,
        memories=Memories(memoryview(blob)[start:], header["size"], most_idle=most_idle),
        layout=Layout(**header["layout"]),
        digest=digest,
        files=PackageFiles(blob[files_at:start]),
        notes=tuple(header["notes"]),
    )


def _header(blob: bytes) -> tuple[dict[str, Any], int]:
    """The header before files of packages and the compiled module, and where these begin."""
    length = struct.unpack_from("<I", blob)[0]
    return json.loads(blob[4 : 4 + length]), 4 + length


def notes_of(blob: bytes) -> tuple[str, ...]:
    """`Image.notes` of a built image, without opening it. Empty for bytes that are none: they may come from a
    process that tenant code has run in."""
    try:
        found = _header(blob)[0]["notes"]
        return tuple(str(note)[:_MAX_NOTE] for note in found[:_MAX_NOTES])
    except (ValueError, struct.error, RecursionError, KeyError, TypeError):
        return ()


def _code_key() -> str:
    return "\n".join(
        [
            f"format {_FORMAT}",
            QUICKJS_SHA256,
            engine_patch.key(),
            version("wasmtime"),
            configuration_key(),
            platform.machine(),
        ]
    )


def _bootable(engine: wasmtime.Engine, binary: bytes) -> wasmtime.Module:
    """QuickJS with its own initial memory, in which images are made; compiled once for all of them."""
    blob = load_or_build(
        "javascript-engine", _code_key(), lambda: bytes(wasmtime.Module(engine, binary).serialize())
    )
    return load_module(engine, blob)


class Ingredients(NamedTuple):
    """The parts of every image: the engine's binary, amended, the same compiled, and our own prelude in
    bytecode."""

    engine: wasmtime.Engine
    binary: bytes
    module: wasmtime.Module
    prelude: bytes


_gathering: Final = threading.Lock()
_gathered: Final[list[Ingredients]] = []


def ingredients(progress: toolchain.Progress) -> Ingredients:
    """Gathered once; reads files and, on a new machine, starts the bundler on our own sources. Sees nothing
    of a tenant's.

    Raises:
        ImageError, ToolchainError: they cannot be had.
    """
    with _gathering:
        if not _gathered:
            _gathered.append(_gather(progress))
        return _gathered[0]


def _gather(progress: toolchain.Progress) -> Ingredients:
    modules = toolchain.packages(progress)
    binary = (modules / "quickjs-wasi" / "quickjs.wasm").read_bytes()
    if hashlib.sha256(binary).hexdigest() != QUICKJS_SHA256:
        raise ImageError("quickjs.wasm is not the binary that this version was made for")
    binary = engine_patch.amend(binary)
    engine = make_engine(component_model=False)
    module = _bootable(engine, binary)

    def compile_it() -> bytes:
        bundle = toolchain.bundle(modules, "index.js")
        return compile_prelude(engine, binary, module, f"(() => {{{bundle}\nreturn guest.install; }})()")

    return Ingredients(engine, binary, module, load_or_build("javascript-prelude", _base_key(), compile_it))


def _build(progress: toolchain.Progress, equipment: Equipment | None = None) -> bytes:
    progress(
        "JavaScript: building the guest image" if equipment is None else "JavaScript: loading the packages"
    )
    booted = boot(*ingredients(progress), equipment)
    notes, files = ((), NO_FILES) if equipment is None else (equipment.notes(), equipment.files)
    told = {
        "layout": booted.layout.to_dict(),
        "notes": notes,
        "files": len(files.blob),
        "size": len(booted.memory),
    }
    header = json.dumps(told).encode()
    return _SIZE.pack(len(header)) + header + files.blob + booted.memory.rstrip(b"\0")
