"""The cache of compiled guest images: native code, so only what this installation made is loaded.

wasmtime does not check what it deserialises (threat-model E2), so each file carries an HMAC under a
key that only the owner can read; a file that fails the check is built again. The folder belongs to the
user alone: who can write there could replace key and image together.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import logging
import os
import secrets
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import platformdirs

from sandbox.core.setup_error import SetUpError
from sandbox.wasm import pruning
from sandbox.wasm.processor import processor

if os.name == "posix":
    import fcntl

_log = logging.getLogger(__name__)
_TAG_BYTES: Final = hashlib.sha256().digest_size
_KEY_BYTES: Final = 32
_SERVE_ALL: Final = ("javascript-image", "javascript-locales", "python-native")
"""Images that serve every Action: nobody prunes them as long as a process runs that has loaded them."""


_NATIVE: Final = ("javascript-action", "javascript-engine", "javascript-image", "python-native")
"""What holds native code, which is only good for the processors it was compiled for."""


class UnsafeCacheError(SetUpError):
    """The folder for images belongs to someone else, who could put native code of his own there."""

    def __init__(self, path: Path, reason: str) -> None:
        remedy = "set ACTIONBOX_CACHE to a folder of your own"
        super().__init__(f"The cache folder {path} cannot be trusted: it {reason}; {remedy}.")


def cache_directory() -> Path:
    """The owner-only folder for images; `ACTIONBOX_CACHE` overrides the user's cache folder.

    Raises:
        UnsafeCacheError: it belongs to another user.
        OSError: it cannot be made.
    """
    override = os.environ.get("ACTIONBOX_CACHE")
    path = Path(override) if override else Path(platformdirs.user_cache_dir("actionbox"))
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.name == "posix":
        _secure(path)
    return path


Supply = Callable[[str, str, Callable[[], bytes]], bytes]
"""What `load_or_build` does, for a process that has no cache of its own."""
_supply: Supply | None = None


def supply_by(supply: Supply | None) -> None:
    """From now on `load_or_build` asks `supply`: workers may read no files. None: the cache again."""
    global _supply
    _supply = supply


def load_or_build(name: str, key: str, build: Callable[[], bytes]) -> bytes:
    """The artefact `name` for `key`, from the cache or made by `build` (once, over all processes).

    A cache that cannot be written costs time and nothing else: the image is then built at every start.

    Args:
        name: a short file-name stem, e.g. `javascript-base`.
        key: everything the bytes depend on (versions, digests of sources, engine configuration).
        build: makes the bytes; may take a minute. At times the cache is pruned then (`sandbox.wasm.pruning`).

    Raises:
        UnsafeCacheError: see `cache_directory`.
    """
    if _supply is not None:
        return _supply(name, key, build)
    path = _path(name, key)
    found = _read(path)
    if found is None:
        found = _build_once(path, build)
    _used(name, path)
    return found


def is_cached(name: str, key: str) -> bool:
    """Whether `load_or_build` will find the artefact, unless it is damaged."""
    return _path(name, key).is_file()


def find(name: str, key: str) -> bytes | None:
    """The artefact, if the cache has it. Raises `UnsafeCacheError`."""
    path = _path(name, key)
    found = _read(path)
    if found is not None:
        _used(name, path)
    return found


def keep(name: str, key: str, payload: bytes) -> None:
    """Put an artefact that a process of ours made into the cache; see `load_or_build`."""
    _store(_path(name, key), payload)


def _path(name: str, key: str) -> Path:
    if name in _NATIVE:
        key = f"{key}\0{processor()}"
    digest = hashlib.sha256(key.encode()).hexdigest()[:32]
    return cache_directory() / f"{name}-{digest}.bin"


def _build_once(path: Path, build: Callable[[], bytes]) -> bytes:
    """Keep what `build` makes, unless another process has made it meanwhile."""
    with _exclusive(path.with_suffix(".lock")):
        found = _read(path)
        if found is not None:
            return found
        found = build()
        _store(path, found)
    with contextlib.suppress(OSError):
        pruning.prune_at_times(path.parent)
    return found


def _used(name: str, path: Path) -> None:
    pruning.note_use(path)
    if name in _SERVE_ALL:
        pruning.hold(path)


def _secure(path: Path) -> None:
    """Make sure that nobody else can write to the folder `path`."""
    status = path.stat()
    user = os.geteuid()
    if status.st_uid not in (user, 0):
        raise UnsafeCacheError(path, f"belongs to user {status.st_uid}")
    if not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return
    if status.st_uid != user:
        raise UnsafeCacheError(path, "is open for others to write")
    path.chmod(0o700)


def _key() -> bytes:
    """The installation's key, made on first use; readable by the owner only."""
    path = cache_directory() / "artefact.key"
    with contextlib.suppress(FileNotFoundError):
        key = path.read_bytes()
        if len(key) == _KEY_BYTES and not _is_open(path):
            return key
        path.unlink(missing_ok=True)
    fd, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(fd, "wb") as file:
        file.write(secrets.token_bytes(_KEY_BYTES))
    try:
        # A link appears whole or not at all, so two first starts at once agree on one key.
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        Path(temporary).unlink()
    return path.read_bytes()


def _is_open(path: Path) -> bool:
    """Whether others can read the key: what is tagged with it may be theirs."""
    status = path.stat()
    if not status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return False
    if status.st_uid != os.geteuid():
        raise UnsafeCacheError(path, "can be read by others")
    _log.warning("%s could be read by others: it is made anew, and the images are built again", path)
    return True


def _tag(path: Path, payload: bytes) -> bytes:
    mac = hmac.new(_key(), path.name.encode() + b"\0", "sha256")
    mac.update(payload)  # in two steps: images are tens of megabytes, and a joined copy costs as much again
    return mac.digest()


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            tag, payload = file.read(_TAG_BYTES), file.read()
    except FileNotFoundError:
        return None
    if hmac.compare_digest(tag, _tag(path, payload)):
        return payload
    _log.warning("cached image %s failed its integrity check and is built again", path.name)
    return None


def _store(path: Path, payload: bytes) -> None:
    try:
        _write(path, payload)
    except OSError as error:
        _log.warning("the image %s could not be cached and is built again next time: %s", path.name, error)


def _write(path: Path, payload: bytes) -> None:
    fd, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(_tag(path, payload))
            file.write(payload)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """Hold a lock between processes, so that an image is built once."""
    try:
        file = path.open("wb")
    except OSError:
        # A folder that cannot be written has nothing to guard.
        yield
        return
    with file:
        if os.name == "posix":
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
