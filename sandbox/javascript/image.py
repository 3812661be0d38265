"""The guest image: QuickJS with our prelude evaluated, frozen, compiled and cached."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import logging
import platform
import struct
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final, NamedTuple

import wasmtime

from sandbox.core.caps import (
    JAVASCRIPT_STACK_BYTES,
    MAX_IMAGE_BYTES,
    MAX_MEMORY_BYTES,
    MAX_TABLE_ELEMENTS,
    MIB,
    Limits,
)
from sandbox.core.failure import BuildError, Failure, FailureCode
from sandbox.core.setup_error import SetUpError
from sandbox.javascript import locales, toolchain
from sandbox.javascript.boot import Equipment, boot
from sandbox.javascript.hostcalls import IMPORTS
from sandbox.javascript.packages.files import NO_FILES, PackageFiles
from sandbox.javascript.quickjs import engine_patch
from sandbox.javascript.quickjs.machine import EXPORTS, Layout
from sandbox.javascript.quickjs.memory_image import export_positions, freeze
from sandbox.wasm.artefacts import load_or_build
from sandbox.wasm.calls import Linked, link
from sandbox.wasm.engine import Pool, configuration_key, make_engine
from sandbox.wasm.native import load_module
from sandbox.wasm.slices import Timed, longest, overseen
from sandbox.wasm.traps import GuestStopped, StopKind

_log: Final = logging.getLogger(__name__)

QUICKJS_SHA256: Final = "d4c9375f2b1ca4dc95f72c8aa2982a7a9951ac8011490d79c6582df732b4bbd9"
_FORMAT: Final = 5
"""Raise it when the code below or boot.py changes what an image means."""
_SLOTS: Final = 64
"""Instances that can live at once in one process; further executions wait for one to end."""
_RESIDENT_BYTES: Final = 5 * MIB
"""The image with what a small execution allocates."""
_TABLE_ELEMENTS: Final = 1_024
_MAX_NOTES, _MAX_NOTE = 100, 1_000


class ImageError(SetUpError):
    """The guest image cannot be made; the text says why."""


@dataclass(frozen=True, slots=True)
class Image:
    """A compiled image, ready to be instantiated.

    Attributes:
        digest: names this image; bytecode of one image is never given to another.
        files: of the packages in it.
        notes: what whoever builds an Action with it should know.
    """

    engine: wasmtime.Engine
    slots: threading.BoundedSemaphore
    linked: Linked
    positions: dict[str, int]
    layout: Layout
    digest: str
    files: PackageFiles = NO_FILES
    notes: tuple[str, ...] = ()

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
            GuestStopped: no slot became free before the deadline.
        """
        if not self.slots.acquire(timeout=max(deadline + longest(least) - time.monotonic(), 0.0)):
            raise GuestStopped(StopKind.DEADLINE)
        try:
            store = wasmtime.Store(self.engine)
            try:
                store.set_limits(limits.memory_bytes, MAX_TABLE_ELEMENTS, 1, 1, 1)
                timed = Timed(store, deadline, patience, least)
                with overseen(timed.go_on):
                    yield timed
            finally:
                # Here and not in a thread of its own: handing over costs more than closing (measured).
                store.close()
        finally:
            self.slots.release()


def open_image(progress: toolchain.Progress) -> Image:
    """The image for this machine, from the cache or built now (some seconds).

    Raises:
        ImageError, ToolchainError: it cannot be built.
    """
    engine = _make_engine()
    locales.prepare(progress)
    blob = load_or_build("javascript-image", _base_key(), lambda: _build(engine, progress))
    return _read(engine, threading.BoundedSemaphore(_SLOTS), blob, base_digest())


@functools.cache
def _base_key() -> str:
    return "\n".join(
        [
            f"format {_FORMAT}",
            QUICKJS_SHA256,
            engine_patch.key(),
            toolchain.sources_digest(),
            locales.key(),
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
    blob = load_or_build(EQUIPPED, key, lambda: _bounded(_build(base.engine, progress, make())))
    return _read(base.engine, base.slots, blob, hashlib.sha256(key.encode()).hexdigest())


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


def _read(engine: wasmtime.Engine, slots: threading.BoundedSemaphore, blob: bytes, digest: str) -> Image:
    header, files_at = _header(blob)
    start = files_at + header["files"]
    module = load_module(engine, blob, start)
    return Image(
        engine=engine,
        slots=slots,
        linked=link(engine, module, IMPORTS),
        positions=header["positions"],
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


def _make_engine() -> wasmtime.Engine:
    pool = Pool(_SLOTS, MAX_MEMORY_BYTES, _RESIDENT_BYTES, _TABLE_ELEMENTS)
    try:
        return make_engine(component_model=False, pool=pool)
    except wasmtime.WasmtimeError as error:  # no address space for it, say under a limit
        _log.warning("JavaScript runs without pooled memory, which is slower: %s", error)
        return make_engine(component_model=False)


def _quickjs(engine: wasmtime.Engine, binary: bytes) -> wasmtime.Module:
    """QuickJS without an image, compiled once for all images."""
    key = "\n".join(
        [QUICKJS_SHA256, engine_patch.key(), version("wasmtime"), configuration_key(), platform.machine()]
    )
    blob = load_or_build("javascript-engine", key, lambda: bytes(wasmtime.Module(engine, binary).serialize()))
    return load_module(engine, blob)


class Ingredients(NamedTuple):
    """The parts of every image: the engine's binary, amended, the same compiled, and our own prelude."""

    binary: bytes
    module: wasmtime.Module
    script: str


_gathered: Final[weakref.WeakKeyDictionary[wasmtime.Engine, Ingredients]] = weakref.WeakKeyDictionary()


def ingredients(engine: wasmtime.Engine, progress: toolchain.Progress) -> Ingredients:
    """Gathered once for an engine; reads files and starts the bundler on our own sources, but sees nothing of
    a tenant's.

    Raises:
        ImageError, ToolchainError: they cannot be had.
    """
    found = _gathered.get(engine)
    if found is None:
        found = _gathered[engine] = _gather(engine, progress)
    return found


def _gather(engine: wasmtime.Engine, progress: toolchain.Progress) -> Ingredients:
    modules = toolchain.packages(progress)
    binary = (modules / "quickjs-wasi" / "quickjs.wasm").read_bytes()
    if hashlib.sha256(binary).hexdigest() != QUICKJS_SHA256:
        raise ImageError("quickjs.wasm is not the binary that this version was made for")
    binary = engine_patch.amend(binary)
    bundle = toolchain.bundle(modules, "index.js")
    return Ingredients(binary, _quickjs(engine, binary), f"(() => {{{bundle}\nreturn guest.install; }})()")


def _build(
    engine: wasmtime.Engine, progress: toolchain.Progress, equipment: Equipment | None = None
) -> bytes:
    progress(
        "JavaScript: building the guest image" if equipment is None else "JavaScript: loading the packages"
    )
    binary, module, script = ingredients(engine, progress)
    booted = boot(engine, binary, module, script, equipment)
    used = len(booted.memory.rstrip(b"\0"))
    if equipment is None and used > _RESIDENT_BYTES:
        _log.warning("the JavaScript image has %d bytes, more than are kept resident", used)
    frozen = freeze(binary, booted.memory, EXPORTS)
    notes, files = ((), NO_FILES) if equipment is None else (equipment.notes(), equipment.files)
    told = {
        "positions": export_positions(frozen),
        "layout": booted.layout.to_dict(),
        "notes": notes,
        "files": len(files.blob),
    }
    header = json.dumps(told).encode()
    return struct.pack("<I", len(header)) + header + files.blob + wasmtime.Module(engine, frozen).serialize()
