"""Unpacking npm tarballs: regular files only, below the package's own folder, within caps (threat-model D2).

Files are given one by one and never written here; nothing of an archive decides where anything goes on disk
but a path that was checked.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
import zlib
from collections.abc import Iterator
from typing import Final

from sandbox.core.caps import (
    KIB,
    MAX_PACKAGE_BYTES,
    MAX_PACKAGE_ENTRIES,
    MAX_PACKAGE_FILE_BYTES,
    MIB,
)
from sandbox.packages.archive import Archive

_CHUNK: Final = 256 * KIB
MANIFEST: Final = "package.json"


def files(tarball: bytes, package: str) -> Iterator[tuple[str, bytes]]:
    """Path below the package's folder, and content, of every file. One may be there again in equal bytes
    (agent-base 7.1.4 has `./dist/index.js` too), and is given once.

    Args:
        tarball: a gzipped tar archive.
        package: named in errors.

    Raises:
        DependencyError: `archive` or `cap`, when the entry in question is reached.
    """
    reader = io.BytesIO(_inflate(tarball, package))
    count, seen = 0, dict[str, tuple[str, bytes]]()
    try:
        with tarfile.open(fileobj=reader, mode="r:", errorlevel=2) as archive:
            for entry in archive:
                count += 1
                if count > MAX_PACKAGE_ENTRIES:
                    raise _archive(package).cap(f"has more than {MAX_PACKAGE_ENTRIES} entries")
                if entry.isdir():
                    _checked_path(entry.name, package)
                    continue
                path = _checked_file(entry, package)
                reader_of_entry = archive.extractfile(entry)
                assert reader_of_entry is not None  # only a file has got here
                content = reader_of_entry.read()
                known = (path, hashlib.sha256(content).digest())
                before = seen.setdefault(path.lower(), known)
                if before != known:
                    raise _archive(package).bad(f"holds {path!r} twice")
                if before is known:
                    yield path, content
    except (tarfile.TarError, EOFError, OSError, ValueError, OverflowError) as error:
        raise _archive(package).bad(f"cannot be read ({type(error).__name__})") from error


def manifest_text(tarball: bytes, package: str) -> bytes:
    """The `package.json` of the archive. Raises `DependencyError` (`archive`, `cap`)."""
    for path, content in files(tarball, package):
        if path == MANIFEST:
            return content
    raise _archive(package).bad("has no package.json")


def _inflate(tarball: bytes, package: str) -> bytes:
    """The tar archive itself; stops as soon as it is larger than a package may be."""
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    allowed = MAX_PACKAGE_BYTES + MIB
    out = bytearray()
    view = memoryview(tarball)
    try:
        for start in range(0, len(view), _CHUNK):
            data: bytes | memoryview = view[start : start + _CHUNK]
            while data:
                out += inflater.decompress(data, allowed - len(out) + 1)
                if len(out) > allowed:
                    raise _archive(package).cap(f"inflates to more than {MAX_PACKAGE_BYTES} bytes")
                data = inflater.unconsumed_tail
    except zlib.error as error:
        raise _archive(package).bad("is no gzip file") from error
    if not inflater.eof:
        raise _archive(package).bad("ends too early")
    return bytes(out)


def _checked_file(entry: tarfile.TarInfo, package: str) -> str:
    if entry.issym() or entry.islnk():
        raise _archive(package).bad(f"holds a link, {entry.name[:100]!r}")
    if not entry.isreg() or entry.sparse is not None:
        raise _archive(package).bad(f"holds {entry.name[:100]!r}, which is no regular file")
    if entry.size > MAX_PACKAGE_FILE_BYTES:
        raise _archive(package).cap(
            f"holds a file of more than {MAX_PACKAGE_FILE_BYTES} bytes, {entry.name[:100]!r}"
        )
    path = _checked_path(entry.name, package)
    if not path:
        raise _archive(package).bad(f"holds the file {entry.name[:100]!r} outside its folder")
    return path


def _checked_path(name: str, package: str) -> str:
    """`name` without its first folder (which npm ignores), when it stays below it."""
    parts = [part for part in name.rstrip("/").split("/") if part != "."]
    return "/".join(_archive(package).check_path("/".join(parts))[1:])


def _archive(package: str) -> Archive:
    return Archive(package, f"The archive of {package}", "Use another version of it.")
