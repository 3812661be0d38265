"""The guest image: CPython with our guest modules, RestrictedPython and PyJWT, compiled for this machine.

Built once per machine and version (componentize-py, then Cranelift: 15-45 s), kept by
`sandbox.wasm.artefacts`, loaded in milliseconds. Native code and initial memory are kept side by side: the
memory is taken from an instance that has warmed up, so that no further one needs to.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.resources
import importlib.util
import logging
import os
import platform
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import wasmtime
from wasmtime.component import Component

from sandbox.core.setup_error import SetUpError
from sandbox.python.data import LayoutError, take_out
from sandbox.python.immortal import make_immortal
from sandbox.python.instance import Guest, WarmError
from sandbox.python.memory_export import with_gauge
from sandbox.wasm import artefacts, binary
from sandbox.wasm.engine import configuration_key, make_engine
from sandbox.wasm.memories import Memories
from sandbox.wasm.native import load_component

_log = logging.getLogger(__name__)

_HERE: Final = Path(__file__).parent
_GUEST: Final = _HERE / "guest"
_WIT: Final = _HERE / "guest.wit"
_DISTRIBUTIONS: Final = ("componentize-py", "PyJWT", "RestrictedPython", "tzdata", "wasmtime")
_PACKAGES: Final = ("RestrictedPython", "jwt")
"""Installed packages that are built into the image, from their sources."""
_BUILD_SECONDS: Final = 600
_SIZE: Final = struct.Struct("<Q")
"""What a compiled image begins with: bytes of initial memory, which follow; the rest is native code."""

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Image:
    """A guest ready to instantiate.

    Attributes:
        memories: where its instances have their memory.
        digest: names the image; code built by one image runs only on it.
    """

    engine: wasmtime.Engine
    component: Component
    memories: Memories
    digest: str


def load_image(progress: Progress | None = None) -> Image:
    """The image, from the cache or built now.

    Raises:
        ImageError: it could not be built; the message holds the tool's last words.
    """
    say = progress or (lambda _text: None)
    key = image_key()
    blob = artefacts.load_or_build(
        "python-native", f"{key};{configuration_key()};{_machine()}", lambda: _compile(key, say)
    )
    (size,) = _SIZE.unpack_from(blob)
    native = _SIZE.size + size
    memories = Memories(memoryview(blob)[_SIZE.size : native])
    engine = make_engine(component_model=True, memories=memories)
    component = load_component(engine, blob, native)
    return Image(engine, component, memories, hashlib.sha256(key.encode()).hexdigest()[:32])


class ImageError(SetUpError):
    """The guest image cannot be built."""


def image_key() -> str:
    """Everything that the component's bytes depend on."""
    versions = [f"{name}={importlib.metadata.version(name)}" for name in _DISTRIBUTIONS]
    digest = hashlib.sha256()
    for path in sorted(_sources()):
        content = path.read_bytes()
        digest.update(f"{path.name}\0{len(content)}\0".encode() + content)
    return ";".join([*versions, f"guest={digest.hexdigest()}"])


def _machine() -> str:
    """The machine that native code is for; wasmtime itself checks CPU features."""
    return f"{platform.system()};{platform.machine()};{platform.processor()}"


def _sources() -> Iterator[Path]:
    yield _WIT
    yield Path(binary.__file__)
    yield from (_HERE / f"{module}.py" for module in ("data", "image", "immortal", "memory_export"))
    yield from _GUEST.rglob("*.py")
    for package in _PACKAGES:
        yield from _folder(package).rglob("*.py")


def _folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ImageError(f"{package} is not installed; install actionbox's requirements")
    return Path(spec.origin).parent


def _compile(key: str, say: Progress) -> bytes:
    component = artefacts.load_or_build("python-component", key, lambda: _componentize(say))
    say("Python sandbox: compiling to native code (once per machine and version)")
    began = time.monotonic()
    try:
        code, memory = take_out(component)
    except LayoutError as error:
        raise ImageError(f"{error}; the requirements of actionbox name the versions that fit") from None
    memories = Memories(memory)
    try:
        engine = make_engine(component_model=True, memories=memories)
        compiled = Component(engine, code)
        warm = _warmed(Guest(engine, compiled), memories)
    finally:
        memories.close()
    say(f"Python sandbox: compiled in {time.monotonic() - began:.0f} s")
    return _SIZE.pack(len(warm)) + warm + bytes(compiled.serialize())


def _warmed(guest: Guest, memories: Memories) -> bytes:
    """Memory of an instance that has run a rehearsal and is ready for its first call."""
    instance = guest.instantiate()
    try:
        instance.warm()
        (memory,) = memories.contents()
    except WarmError as error:
        raise ImageError(str(error)) from None
    finally:
        instance.close()
    return memory


def _componentize(say: Progress) -> bytes:
    say("Python sandbox: packing CPython and the guest modules (once per version)")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="actionbox-python-") as folder:
        content = _run_componentize(Path(folder))
    say(f"Python sandbox: packed in {time.monotonic() - began:.0f} s")
    return content


def _run_componentize(folder: Path) -> bytes:
    """Run componentize-py on a copy of the sources, away from this process's environment."""
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc", "tests")
    shutil.copytree(_GUEST, folder / "guest", ignore=ignore)
    for package in _PACKAGES:
        shutil.copytree(_folder(package), folder / "packages" / package, ignore=ignore)
    (folder / "packages" / "zone_data.py").write_text(zone_module(), encoding="utf-8")
    output = folder / "guest.wasm"
    command = [
        *_tool(), "--quiet", "--wit-path", str(_WIT), "--world", "guest", "componentize", "entry",
        "--python-path", str(folder / "guest"), "--python-path", str(folder / "packages"),
        "--output", str(output),
    ]  # fmt: skip
    environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(folder), "TMPDIR": str(folder)}
    done = subprocess.run(  # noqa: S603 - our own tool with our own arguments
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_BUILD_SECONDS,
        check=False,
    )
    if done.returncode != 0 or not output.exists():
        words = (done.stderr or done.stdout).partition("Stack backtrace:")[0].strip()
        raise ImageError(f"componentize-py failed: {words[-2000:]}")
    return _finished(output.read_bytes())


def _finished(component: bytes) -> bytes:
    """The component made cheaper and measurable. One that is laid out otherwise works as it is."""
    for improve in (make_immortal, with_gauge):
        try:
            component = improve(component)
        except LayoutError as error:
            _log.warning("the Python image is used as it is: %s", error)
    return component


def zone_module() -> str:
    """Source of the guest module `zone_data`: every time zone of the tzdata package, by name."""
    data = importlib.resources.files("tzdata")
    names = data.joinpath("zones").read_text(encoding="utf-8").split()
    contents = {name: data.joinpath("zoneinfo", *name.split("/")).read_bytes() for name in names}
    distinct = sorted(set(contents.values()))
    places = {content: index for index, content in enumerate(distinct)}
    lines = [f"_DATA = {distinct!r}", "ZONES = {"]
    lines += [f"    {name!r}: _DATA[{places[content]}]," for name, content in contents.items()]
    return "\n".join([*lines, "}", ""])


def _tool() -> list[str]:
    """The command of componentize-py in this very environment."""
    return [
        sys.executable,
        "-c",
        "import componentize_py, sys; sys.argv[0] = 'componentize-py'; componentize_py.script()",
    ]
