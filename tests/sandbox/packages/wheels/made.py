"""Wheels made for tests, and wheels of packages that are installed here."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path


def record_line(path: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(content)}"


def wheel_bytes(
    name: str,
    version: str,
    files: Mapping[str, str | bytes],
    *,
    record: Mapping[str, str] | None = None,
    unlisted: Mapping[str, bytes] | None = None,
    metadata: str | None = None,
) -> bytes:
    """A wheel whose RECORD fits, but for what `record` (path to line) and `unlisted` make of it."""
    folder = f"{name}-{version}.dist-info"
    head = (
        metadata
        if metadata is not None
        else f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nName: other\n"
    )
    contents = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
    contents[f"{folder}/METADATA"] = head.encode()
    contents[f"{folder}/WHEEL"] = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    lines = {path: record_line(path, content) for path, content in contents.items()} | dict(record or {})
    lines[f"{folder}/RECORD"] = f"{folder}/RECORD,,"
    contents |= unlisted or {}
    contents[f"{folder}/RECORD"] = "\n".join(line for line in lines.values() if line).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in contents.items():
            archive.writestr(path, content)
    return out.getvalue()


def put(
    folder: Path,
    name: str,
    version: str = "1.0",
    files: Mapping[str, str | bytes] | None = None,
    **more: object,
) -> Path:
    """A wheel in a folder; the usual one is a package with one function."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    usual = {f"{name}/__init__.py": "def add(a, b):\n    return a + b\n"}
    path.write_bytes(wheel_bytes(name, version, files if files is not None else usual, **more))  # type: ignore[arg-type]
    return path


def put_installed(folder: Path, name: str) -> str:
    """The wheel of a pure-Python distribution that is installed here; its version."""
    found = importlib.metadata.distribution(name)
    files = {
        str(path): path.read_binary()
        for path in found.files or ()
        if ".dist-info" not in str(path) and "__pycache__" not in str(path) and not str(path).startswith("..")
    }
    put(folder, name.replace("-", "_"), found.version, files)
    return found.version
