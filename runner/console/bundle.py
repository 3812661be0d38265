"""The console's files: in the package of a wheel, else built here from `web` and kept in the cache of images.

Node builds them, by the lock file in `web`; nothing of Node is needed to serve them. A bundle is a zip file
with `index.html` and `assets/…`.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from sandbox.javascript.toolchain import Progress, ToolchainError, installed, node, run_tool
from sandbox.wasm import artefacts

WEB: Final = Path(__file__).parent / "web"
PACKAGED: Final = Path(__file__).parent / "bundle.zip"
PAGE: Final = "index.html"
_NAME: Final = "console-bundle"
_SCRIPT: Final = "build.mjs"
_BUILD_SECONDS: Final = 300
_NOT_SOURCES: Final = frozenset({"node_modules", "dist", "build", "tests"})
_DATE: Final = (1980, 1, 1, 0, 0, 0)
"""Of all files, so that equal sources make equal bundles."""
Files = Mapping[str, bytes]
"""Content by path, such as `assets/app-5f3c.js`."""


def find() -> Files | None:
    """The bundle; None when it was not built yet."""
    if PACKAGED.is_file():
        return _opened(PACKAGED.read_bytes())
    if not _has_sources():
        return None
    found = artefacts.find(_NAME, sources_digest())
    return None if found is None else _opened(found)


def build(progress: Progress) -> None:
    """See that `find` finds the bundle. Quick when it does already.

    Raises:
        ToolchainError: npm or the build failed, with the end of its output.
    """
    if not PACKAGED.is_file() and _has_sources():
        artefacts.load_or_build(_NAME, sources_digest(), lambda: packed(progress))


def packed(progress: Progress) -> bytes:
    """The bundle, built; its size is told. Raises `ToolchainError`."""
    modules = installed(WEB, progress, development=False)
    progress("Console: bundling")
    with tempfile.TemporaryDirectory(dir=artefacts.cache_directory(), prefix="bundling-") as name:
        out = Path(name)
        said = run_tool(
            [str(node()), str(WEB / _SCRIPT), str(out)],
            cwd=out,
            environment={"NODE_PATH": str(modules)},
            seconds=_BUILD_SECONDS,
            what="bundling the console",
        )
        if not (out / PAGE).is_file():
            raise ToolchainError(f"bundling the console made no {PAGE}")
        progress(said.strip())
        return _zipped(out)


def sources_digest() -> str:
    """Digest of all that a bundle is made of."""
    digest = hashlib.sha256()
    for path in _sources():
        digest.update(path.relative_to(WEB).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _has_sources() -> bool:
    return (WEB / _SCRIPT).is_file()


def _sources() -> Iterator[Path]:
    for folder, folders, files in os.walk(WEB):
        folders[:] = sorted(set(folders) - _NOT_SOURCES)
        yield from (Path(folder) / name for name in sorted(files))


def _zipped(folder: Path) -> bytes:
    text = io.BytesIO()
    with zipfile.ZipFile(text, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(item for item in folder.rglob("*") if item.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return text.getvalue()


def _opened(data: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {
            PurePosixPath(name).as_posix(): archive.read(name)
            for name in archive.namelist()
            if not name.endswith("/")
        }
