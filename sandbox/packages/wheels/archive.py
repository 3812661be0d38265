"""Reading a wheel (PyPA: binary distribution format): checked against its RECORD, nothing written or run."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from packaging.metadata import parse_email
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from sandbox.core.caps import (
    MAX_WHEEL_ENTRIES,
    MAX_WHEEL_FILE_BYTES,
    MAX_WHEEL_INFLATED_BYTES,
)
from sandbox.packages.archive import Archive
from sandbox.packages.errors import DependencyError

_NATIVE: Final = (".so", ".pyd", ".dylib", ".dll", ".a", ".o")
_UNRECORDED: Final = ("RECORD", "RECORD.jws", "RECORD.p7s")
_LINK: Final = 0o120000
_HASHES: Final = ("sha256", "sha384", "sha512")


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel that was read and fits its own RECORD.

    Attributes:
        name: normalised.
        modules: text of every Python file, by its path.
    """

    name: str
    version: str
    modules: Mapping[str, str]


def read_wheel(data: bytes, label: str) -> Wheel:
    """The wheel in `data`; `label` names it in errors.

    Raises:
        DependencyError: `archive`, `cap`, `integrity`, or `native` (machine code in it).
    """
    files = _files(data, label)
    folder = _metadata_folder(files, label)
    _check_record(files, folder, label)
    name, version = _identity(_text(files[f"{folder}/METADATA"], "METADATA", label), label)
    modules = {
        path: _text(content, path, label) for path, content in files.items() if _is_module(path, folder)
    }
    return Wheel(name, version, modules)


def _is_module(path: str, folder: str) -> bool:
    """Scripts, headers and data (`*.data/`) are never used."""
    parts = path.split("/")
    inside = parts[0] != folder and not parts[0].endswith(".data")
    return inside and path.endswith(".py") and all(part.removesuffix(".py").isidentifier() for part in parts)


def _files(data: bytes, label: str) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_WHEEL_ENTRIES:
                raise _archive(label).cap(f"has more than {MAX_WHEEL_ENTRIES} files")
            files: dict[str, bytes] = {}
            seen: set[str] = set()
            room = MAX_WHEEL_INFLATED_BYTES
            for entry in entries:
                _check_entry(entry, seen, label)
                if not entry.is_dir():
                    files[entry.filename] = content = _content(archive, entry, room, label)
                    room -= len(content)
            return files
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError):
        raise _archive(label).bad("cannot be read as a zip archive") from None


def _check_entry(entry: zipfile.ZipInfo, seen: set[str], label: str) -> None:
    path = entry.filename
    _archive(label).check_path(path)
    if path.lower() in seen:
        raise _archive(label).bad(f"holds {path[:100]!r} twice")
    seen.add(path.lower())
    if (entry.external_attr >> 16) & 0o170000 == _LINK:
        raise _archive(label).bad(f"holds a link, {path[:100]!r}")
    if path.lower().endswith(_NATIVE):
        raise DependencyError(
            "native",
            f"The wheel {label} holds machine code, {path[:100]!r}; Actions run pure Python only.",
            package=label,
            next_step="Use a package that is pure Python.",
        )


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, room: int, label: str) -> bytes:
    """The inflated bytes of a file, whatever its header says."""
    with archive.open(entry) as stream:
        content = stream.read(min(room, MAX_WHEEL_FILE_BYTES) + 1)
    if len(content) > MAX_WHEEL_FILE_BYTES:
        raise _archive(label).cap(
            f"holds a file of more than {MAX_WHEEL_FILE_BYTES} bytes, {entry.filename[:100]!r}"
        )
    if len(content) > room:
        raise _archive(label).cap(f"inflates to more than {MAX_WHEEL_INFLATED_BYTES} bytes")
    return content


def _metadata_folder(files: Mapping[str, bytes], label: str) -> str:
    found = {path.partition("/")[0] for path in files if ".dist-info/" in path}
    folder = found.pop() if len(found) == 1 else ""
    if not folder or f"{folder}/METADATA" not in files or f"{folder}/RECORD" not in files:
        raise _archive(label).bad("has no single dist-info folder with METADATA and RECORD")
    return folder


def _check_record(files: Mapping[str, bytes], folder: str, label: str) -> None:
    """Every file is listed with its hash, and everything listed is there (threat-model D3)."""
    listed: set[str] = set()
    for row in csv.reader(io.StringIO(_text(files[f"{folder}/RECORD"], "RECORD", label))):
        if len(row) < 2:
            continue
        path, digest = row[0], row[1]
        listed.add(path)
        if path in (f"{folder}/{name}" for name in _UNRECORDED):
            continue
        content = files.get(path)
        if content is None or not _matches(content, digest):
            raise DependencyError(
                "integrity",
                f"The wheel {label} does not fit its RECORD: {path[:100]!r}.",
                package=label,
                next_step="Get the wheel again from where it came.",
            )
    unlisted = [path for path in files if path not in listed and path.rpartition("/")[2] not in _UNRECORDED]
    if unlisted:
        raise DependencyError(
            "integrity",
            f"The wheel {label} holds a file that its RECORD does not list: {unlisted[0][:100]!r}.",
            package=label,
            next_step="Get the wheel again from where it came.",
        )


def _matches(content: bytes, digest: str) -> bool:
    name, _, value = digest.partition("=")
    if name not in _HASHES:
        return False
    made = base64.urlsafe_b64encode(hashlib.new(name, content).digest()).rstrip(b"=").decode()
    return made == value.rstrip("=")


def _identity(metadata: str, label: str) -> tuple[str, str]:
    """Normalised name and version."""
    found, _ = parse_email(metadata)
    try:
        return canonicalize_name(found["name"]), str(Version(found["version"]))
    except (KeyError, InvalidVersion):
        raise _archive(label).bad("names itself nowhere in its METADATA") from None


def _text(content: bytes, path: str, label: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _archive(label).bad(f"holds {path[:100]!r}, which is not UTF-8 text") from None


def _archive(label: str) -> Archive:
    return Archive(label, f"The wheel {label}", "Get the wheel again from where it came.")
