"""The files of the packages of one Action version, as its programs may read and load them.

Packed once, when the version is built, from the verified archives of the packages; unpacked file by file when
a program asks. Programs see `/node_modules/…`, and of a shared module `/modules/NAME/node_modules/…`. Each
answer is a function of its arguments, so none appears in the journal.
"""

from __future__ import annotations

import functools
import json
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sandbox.core.caps import MAX_PACKAGE_ARCHIVE_BYTES, MAX_PACKAGE_FILES

_LENGTH: Final = struct.Struct("<I")
_LAST: Final = (".d.ts", ".d.mts", ".d.cts", ".map", ".md", ".markdown", ".ts", ".mts", ".cts", ".flow")
"""What programs read least: it goes first when there is too much."""
_CODE: Final = (".js", ".cjs", ".mjs", ".json")
_ROOM: Final = 4 * MAX_PACKAGE_ARCHIVE_BYTES
"""Compressed bytes for which files are collected, before it is known which of them are loaded."""
NOTHING, FOLDER = -2, -1

Place = tuple[int, int, int]
"""Begin and end of the compressed bytes, and how many they become."""


class Packer:
    """Collects files, compressed as they come: all of them together may be large."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[bytes, int]] = {}
        self._room = _ROOM
        self._left_out = 0

    def add(self, path: str, content: bytes) -> None:
        """Take a file; `path` is absolute, as programs see it."""
        if self._room < 0 and not path.endswith(_CODE):
            self._left_out += 1
            return
        packed = zlib.compress(content, 6)
        self._room -= len(packed)
        self._files[path] = (packed, len(content))

    def paths(self) -> Iterator[str]:
        """Of all files."""
        return iter(self._files)

    def read(self, path: str) -> bytes | None:
        """The content of a file; None when there is none."""
        found = self._files.get(path)
        return None if found is None else zlib.decompress(found[0])

    def size(self, paths: Iterable[str]) -> int:
        """Bytes of these files, as far as they are there."""
        return sum(self._files[path][1] for path in paths if path in self._files)

    def pack(
        self,
        eager: Iterable[str],
        links: Mapping[str, Mapping[str, str]],
        code: Mapping[str, Mapping[str, Any]],
        scopes: Mapping[str, Mapping[str, Any]],
    ) -> bytes:
        """The archive, with as many of the files as it may hold and all of those that are loaded.

        Args:
            eager: scripts that are loaded, or may be, by name.
            links: file to what it requires by name to the file that is meant.
            code: file to `{"text", "module", "declared"}`: see bundler.cjs.
            scopes: see `PackageFiles.scopes`.
        """
        eager = tuple(eager)
        needed = {*eager, *(path for names in links.values() for path in names.values())}
        body = bytearray()
        converted: dict[str, list[Any]] = {}
        for path, made in code.items():
            text = made["text"].encode()
            converted[path] = [
                *_append(body, zlib.compress(text, 6), len(text)),
                made["module"],
                made["declared"],
            ]
        files: dict[str, Place] = {}
        left_out = self._left_out
        for path in sorted(self._files, key=lambda item: (_rank(item, needed), item)):
            packed, size = self._files[path]
            full = len(files) >= MAX_PACKAGE_FILES or len(body) + len(packed) > MAX_PACKAGE_ARCHIVE_BYTES
            if full and _rank(path, needed) > 0:
                left_out += 1
                continue
            files[path] = _append(body, packed, size)
        index = {
            "files": files,
            "eager": eager,
            "links": links,
            "code": converted,
            "scopes": scopes,
            "left_out": left_out,
        }
        head = zlib.compress(json.dumps(index, separators=(",", ":")).encode(), 6)
        return _LENGTH.pack(len(head)) + head + bytes(body)


def _append(body: bytearray, packed: bytes, size: int) -> Place:
    begin = len(body)
    body += packed
    return begin, len(body), size


def _rank(path: str, needed: set[str]) -> int:
    if path in needed or path.endswith("/package.json"):
        return 0
    return 2 if path.endswith(_LAST) else 1


class PackageFiles:
    """The files of packages that `Packer.pack` made, or none. Safe to use from several threads.

    Args:
        blob: of `pack`, or empty. It may come from a process in which code of these packages ran: what it
            says is only ever handed to programs that use them.
    """

    def __init__(self, blob: bytes = b"") -> None:
        self._blob = blob
        self._body = _LENGTH.size + _LENGTH.unpack_from(blob)[0] if blob else 0

    @property
    def blob(self) -> bytes:
        """The bytes that it was made of."""
        return self._blob

    @functools.cached_property
    def _index(self) -> dict[str, Any]:
        """Read when it is first needed: most executions ask for no file."""
        if not self._blob:
            return {"files": {}, "eager": [], "links": {}, "code": {}, "scopes": {}, "left_out": 0}
        index: dict[str, Any] = json.loads(zlib.decompress(self._blob[_LENGTH.size : self._body]))
        return index

    @functools.cached_property
    def _folders(self) -> dict[str, dict[str, bool]]:
        """Folder to the names in it, and whether each is a folder itself."""
        folders: dict[str, dict[str, bool]] = {"/": {}}
        for path in self._index["files"]:
            is_folder = False
            while path != "/":
                parent, _, name = path.rpartition("/")
                parent = parent or "/"
                known = folders.setdefault(parent, {})
                if name in known:
                    break
                known[name] = is_folder
                path, is_folder = parent, True
        return folders

    @property
    def eager(self) -> tuple[str, ...]:
        """Scripts that some line requires by name."""
        return tuple(self._index["eager"])

    @property
    def scopes(self) -> Mapping[str, Mapping[str, Any]]:
        """Scope (empty, or `actions:NAME`) to `{"at", "names"}`: the folder that its `node_modules` is in,
        with a slash at its end, and the packages that it declares."""
        found: dict[str, dict[str, Any]] = self._index["scopes"]
        return found

    @property
    def left_out(self) -> int:
        """The number of files that found no place."""
        return int(self._index["left_out"])

    def kind(self, path: str) -> int:
        """Bytes of a file; `FOLDER`; `NOTHING`."""
        place = self._index["files"].get(path)
        if place is not None:
            return int(place[2])
        return FOLDER if path in self._folders else NOTHING

    def names(self, path: str) -> list[tuple[str, bool]] | None:
        """The entries of a folder by name, and whether each is a folder; None where there is no folder."""
        found = self._folders.get(path)
        return None if found is None else sorted(found.items())

    def content(self, path: str) -> bytes | None:
        """The bytes of a file; None when there is none."""
        place = self._index["files"].get(path)
        return None if place is None else self._bytes(place)

    def link(self, origin: str, name: str) -> str | None:
        """The file that `origin` means by `name`, when it was known before it ran."""
        found: str | None = self._index["links"].get(origin, {}).get(name)
        return found

    def script(self, path: str) -> str | None:
        """The text of a function that is the file's code, by the number of its parameters (guest/packages/
        module.js): five, as Node's, of CommonJS; four of an ES module; six of one that only its text says to
        be one. None without such a file."""
        converted = self._index["code"].get(path)
        data = self._bytes(converted) if converted is not None else self.content(path)
        if data is None:
            return None
        text = data.decode("utf-8", "replace").removeprefix("\ufeff")
        if text.startswith("#!"):
            text = "//" + text[2:]
        if converted is not None and converted[3]:
            more = "" if converted[4] else ", _, __"
            return f'(function (exports, require, module, importMeta{more}) {{"use strict";{text}\n}})'
        return f"(function (exports, require, module, __filename, __dirname) {{{text}\n}})"

    def _bytes(self, place: Any) -> bytes:
        begin, end = self._body + place[0], self._body + place[1]
        return zlib.decompress(self._blob[begin:end])


NO_FILES: Final = PackageFiles()
