"""Tarballs by the SHA-512 of their bytes, in the owner-only cache; what is read is hashed again (D3)."""

from __future__ import annotations

import base64
import contextlib
import os
import tempfile
from pathlib import Path

from sandbox.core.caps import MAX_TARBALL_BYTES
from sandbox.packages.npm.lock import sha512
from sandbox.wasm.artefacts import cache_directory


class TarballStore:
    """A folder of tarballs. Safe between threads and processes. A store that cannot be written costs
    downloads and nothing else."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or cache_directory() / "npm-tarballs"

    def get(self, integrity: str) -> bytes | None:
        """The bytes whose integrity is `integrity`; None when they are not there, or altered."""
        try:
            with self._path(integrity).open("rb") as file:
                data = file.read(MAX_TARBALL_BYTES + 1)
        except OSError:
            return None
        return data if sha512(data) == integrity else None

    def put(self, data: bytes) -> None:
        """Keep `data`."""
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self._folder)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                Path(temporary).replace(self._path(sha512(data)))
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise

    def _path(self, integrity: str) -> Path:
        digest = base64.b64decode(integrity.removeprefix("sha512-")).hex()
        return self._folder / f"{digest}.tgz"
