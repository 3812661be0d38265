"""npm tarballs made in memory, honest and hostile, and a folder of them."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any


def tarball(files: dict[str, Any], *extra: tarfile.TarInfo, prefix: str = "package/") -> bytes:
    """A `.tgz` with `files` (paths below the package's folder) and `extra` entries without content."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for path, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            entry = tarfile.TarInfo(prefix + path)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        for entry in extra:
            archive.addfile(entry)
    return gzip.compress(out.getvalue(), 1)


def package(name: str, version: str = "1.0.0", code: str = "", **manifest: Any) -> bytes:
    """A package whose `index.js` is `code`; further files as `files={path: text}`."""
    files = manifest.pop("files", {})
    data = {"name": name, "version": version, "main": "index.js", **manifest}
    return tarball({"package.json": json.dumps(data), "index.js": code, **files})


class Shelf:
    """A folder of tarballs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def add(self, name: str, version: str = "1.0.0", code: str = "", **manifest: Any) -> Shelf:
        self.put(f"{name.replace('/', '-')}-{version}.tgz", package(name, version, code, **manifest))
        return self

    def put(self, filename: str, data: bytes) -> None:
        (self.folder / filename).write_bytes(data)
