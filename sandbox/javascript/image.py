"""The guest image: QuickJS with our prelude evaluated, frozen, compiled and cached."""

from __future__ import annotations

import hashlib
import json
import platform
import struct
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

import wasmtime

from sandbox.caps import JAVASCRIPT_STACK_BYTES
from sandbox.javascript import toolchain
from sandbox.javascript.boot import boot
from sandbox.javascript.hostcalls import IMPORTS
from sandbox.javascript.machine import EXPORTS, Layout
from sandbox.javascript.snapshot import export_positions, freeze
from sandbox.wasm.artefacts import load_or_build
from sandbox.wasm.calls import Linked, link
from sandbox.wasm.engine import configuration_key, make_engine

QUICKJS_SHA256: Final = "d4c9375f2b1ca4dc95f72c8aa2982a7a9951ac8011490d79c6582df732b4bbd9"
_FORMAT: Final = 1
"""Raise it when the code below changes what an image means."""


class ImageError(Exception):
    """The guest image cannot be made; the text says why."""


@dataclass(frozen=True, slots=True)
class Image:
    """A compiled image, ready to be instantiated.

    Attributes:
        digest: names this image; bytecode of one image is never given to another.
    """

    engine: wasmtime.Engine
    linked: Linked
    positions: dict[str, int]
    layout: Layout
    digest: str


def open_image(progress: toolchain.Progress) -> Image:
    """The image for this machine, from the cache or built now (some seconds).

    Raises:
        ImageError, ToolchainError: it cannot be built.
    """
    engine = make_engine(component_model=False)
    key = "\n".join(
        [
            f"format {_FORMAT}",
            QUICKJS_SHA256,
            toolchain.sources_digest(),
            version("wasmtime"),
            configuration_key(),
            platform.machine(),
            f"stack {JAVASCRIPT_STACK_BYTES}",
        ]
    )
    blob = load_or_build("javascript-image", key, lambda: _build(engine, progress))
    length = struct.unpack_from("<I", blob)[0]
    header = json.loads(blob[4 : 4 + length])
    module = wasmtime.Module.deserialize(engine, blob[4 + length :])
    return Image(
        engine=engine,
        linked=link(engine, module, IMPORTS),
        positions=header["positions"],
        layout=Layout(**header["layout"]),
        digest=hashlib.sha256(key.encode()).hexdigest(),
    )


def _build(engine: wasmtime.Engine, progress: toolchain.Progress) -> bytes:
    modules = toolchain.packages(progress)
    progress("JavaScript: building the guest image")
    binary = (modules / "quickjs-wasi" / "quickjs.wasm").read_bytes()
    if hashlib.sha256(binary).hexdigest() != QUICKJS_SHA256:
        raise ImageError("quickjs.wasm is not the binary that this version was made for")
    bundle = toolchain.bundle(modules, "index.js")
    booted = boot(engine, binary, f"(() => {{{bundle}\nreturn guest.install; }})()")
    frozen = freeze(binary, booted.memory, EXPORTS)
    header = json.dumps({"positions": export_positions(frozen), "layout": booted.layout.to_dict()}).encode()
    return struct.pack("<I", len(header)) + header + wasmtime.Module(engine, frozen).serialize()
