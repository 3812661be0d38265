"""An author's folder: its files are read and written by name, inside it, and never through a link.

Names have `/` between their parts and begin at the folder. Every part is opened relative to the one before,
with links refused, so that nobody who swaps a folder for a link meanwhile leads us elsewhere.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runner.model.caps import MAX_INPUT_FILE_BYTES
from runner.model.errors import InputError

MAX_FILES: Final = 2_000
"""Files of a folder that are looked at; more are no folder of Actions."""
_MAX_DEPTH: Final = 8
_MAX_NAME: Final = 512
_PASSED_OVER: Final = frozenset({"node_modules", "__pycache__", "venv", "dist", "build"})
"""Folders that hold what others wrote or made; hidden ones are passed over too."""
_INSIDE: Final = os.O_NOFOLLOW | os.O_CLOEXEC


class FileChangedError(Exception):
    """The file is not the one that the writer has read. `current`: what is there; None when nothing is."""

    def __init__(self, current: File | None) -> None:
        super().__init__("the file was changed meanwhile")
        self.current: Final = current


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was read. `text`: with `\\n` at the ends of lines, however the file has them; `tag`: names
    its bytes."""

    name: str
    text: str
    tag: str


class Folder:
    """Reads and writes. Raises `InputError` everywhere: `invalid_path`, `not_found`, `not_a_file`,
    `unreadable`, `unwritable`, `too_large`, `not_utf8`."""

    def __init__(self, root: Path) -> None:
        """Raises `InputError` (`not_found`) unless `root` is a folder."""
        if not root.is_dir():
            raise InputError("not_found", f"there is no folder {root}", source=str(root))
        self.root: Final = root.resolve()

    def path(self, name: str) -> Path:
        """Where the file is, for those who read it themselves."""
        return self.root.joinpath(*_parts(name))

    def names(self) -> list[str]:
        """The regular files, sorted. What lies in hidden folders, and links, are left out."""
        found: list[str] = []
        for folder, inner, files in os.walk(self.root):
            here = Path(folder)
            parts = here.relative_to(self.root).parts
            inner[:] = [] if len(parts) >= _MAX_DEPTH else sorted(filter(is_seen, inner))
            for file in sorted(filter(is_seen, files)):
                if (here / file).is_symlink() or not (here / file).is_file():
                    continue
                found.append("/".join((*parts, file)))
                if len(found) >= MAX_FILES:
                    return sorted(found)
        return sorted(found)

    def read(self, name: str) -> File:
        with self._parent(name) as (parent, last):
            raw = _raw(parent, last, name)
        if raw is None:
            raise _missing(name)
        return _file(name, raw)

    def tag(self, name: str) -> str | None:
        """The tag of the file as it is now; None when there is none."""
        with contextlib.suppress(InputError), self._parent(name) as (parent, last):
            return _tag(_raw(parent, last, name))
        return None

    def write(self, name: str, text: str, *, expected: str | None) -> File:
        """Put `text` in place of the file's, at once or not at all; line ends stay as the file has them.

        Args:
            expected: tag of what is replaced; None for a file that is not there yet.

        Raises:
            FileChangedError: something else is there.
        """
        try:
            with self._parent(name) as (parent, last):
                raw = _raw(parent, last, name)
                _check(name, raw, expected)
                data = text.encode("utf-8")
                if raw is not None and b"\r\n" in raw and "\r" not in text:
                    data = data.replace(b"\n", b"\r\n")
                if len(data) > MAX_INPUT_FILE_BYTES:
                    raise InputError("too_large", f"{name} would be larger than {MAX_INPUT_FILE_BYTES} bytes")
                _replace(parent, last, name, data, expected)
        except OSError as error:
            raise InputError(
                "unwritable", f"{name} cannot be written: {error.strerror}", source=name
            ) from None
        except UnicodeEncodeError:
            raise InputError("not_utf8", f"{name} would hold half a pair of surrogates") from None
        return _file(name, data)

    @contextmanager
    def _parent(self, name: str) -> Iterator[tuple[int, str]]:
        """The open folder that holds the file, and the file's last name."""
        *folders, last = _parts(name)
        try:
            opened = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise _unreadable(str(self.root), error) from None
        try:
            for part in folders:
                try:
                    inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | _INSIDE, dir_fd=opened)
                except FileNotFoundError:
                    raise _missing(name) from None
                except OSError:
                    raise InputError(
                        "invalid_path", f"{name}: {part} is a link or no folder", source=name
                    ) from None
                os.close(opened)
                opened = inner
            yield opened, last
        finally:
            os.close(opened)


def is_seen(part: str) -> bool:
    """Whether a file or folder of this name is one of the author's."""
    return not part.startswith(".") and part not in _PASSED_OVER


def _parts(name: str) -> list[str]:
    parts = name.split("/")
    good = 0 < len(name) <= _MAX_NAME and len(parts) <= _MAX_DEPTH + 1 and name.isprintable()
    if not good or "\\" in name or not all(part and is_seen(part) for part in parts):
        raise InputError(
            "invalid_path",
            "a file is named by its path from the folder on, without `..`, hidden folders or links",
        )
    return parts


def _raw(parent: int, last: str, name: str) -> bytes | None:
    """The bytes of a regular file; None when there is none."""
    try:
        opened = os.open(last, os.O_RDONLY | os.O_NONBLOCK | _INSIDE, dir_fd=parent)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise InputError("invalid_path", f"{name} is a link", source=name) from None
        raise _unreadable(name, error) from None
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise InputError("not_a_file", f"{name} is not a regular file", source=name)
    with os.fdopen(opened, "rb") as file:
        raw = file.read(MAX_INPUT_FILE_BYTES + 1)
    if len(raw) > MAX_INPUT_FILE_BYTES:
        raise InputError("too_large", f"{name} is larger than {MAX_INPUT_FILE_BYTES} bytes", source=name)
    return raw


def _replace(parent: int, last: str, name: str, data: bytes, expected: str | None) -> None:
    draft = f".{last[:100]}.{secrets.token_hex(8)}"
    opened = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _INSIDE, 0o666, dir_fd=parent)
    try:
        with os.fdopen(opened, "wb") as file:
            file.write(data)
            file.flush()
            if expected is not None:
                os.fchmod(file.fileno(), stat.S_IMODE(os.stat(last, dir_fd=parent).st_mode))
            os.fsync(file.fileno())
        _check(name, _raw(parent, last, name), expected)
        if expected is None:
            # A link, because it fails when there is such a file by now; a rename would replace it.
            os.link(draft, last, src_dir_fd=parent, dst_dir_fd=parent)
        else:
            os.rename(draft, last, src_dir_fd=parent, dst_dir_fd=parent)
    except FileExistsError:
        raw = _raw(parent, last, name)
        raise FileChangedError(None if raw is None else _file(name, raw)) from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(draft, dir_fd=parent)


def _check(name: str, raw: bytes | None, expected: str | None) -> None:
    if _tag(raw) != expected:
        raise FileChangedError(None if raw is None else _file(name, raw))


def _file(name: str, raw: bytes) -> File:
    tag = _tag(raw)
    assert tag is not None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            "not_utf8",
            f"{name} is not UTF-8 text: byte {raw[error.start]:#04x} at offset {error.start}",
            next_step="Save the file as UTF-8.",
            source=name,
        ) from None
    return File(name, text.replace("\r\n", "\n"), tag)


def _tag(raw: bytes | None) -> str | None:
    return None if raw is None else hashlib.sha256(raw).hexdigest()[:32]


def _missing(name: str) -> InputError:
    return InputError("not_found", f"there is no file {name}", source=name)


def _unreadable(name: str, error: OSError) -> InputError:
    return InputError("unreadable", f"{name} cannot be read: {error.strerror}", source=name)
