"""The cache of compiled guest images: native code, so only what this installation made is loaded.

wasmtime does not check what it deserialises (threat-model E2), so each file carries an HMAC under a
key that only the owner can read; a file that fails the check is built again.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import logging
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import platformdirs

if os.name == "posix":
    import fcntl

_log = logging.getLogger(__name__)
_TAG_BYTES: Final = hashlib.sha256().digest_size


def cache_directory() -> Path:
    """The owner-only folder for images; `ACTIONBOX_CACHE` overrides the user's cache folder."""
    override = os.environ.get("ACTIONBOX_CACHE")
    path = Path(override) if override else Path(platformdirs.user_cache_dir("actionbox"))
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = path.stat().st_mode & 0o077
    if mode & 0o022:
        path.chmod(0o700)
    return path


def load_or_build(name: str, key: str, build: Callable[[], bytes]) -> bytes:
    """The artefact `name` for `key`, from the cache or made by `build` (once, over all processes).

    Args:
        name: a short file-name stem, e.g. `javascript-base`.
        key: everything the bytes depend on (versions, digests of sources, engine configuration).
        build: makes the bytes; may take a minute.
    """
    digest = hashlib.sha256(key.encode()).hexdigest()[:32]
    path = cache_directory() / f"{name}-{digest}.bin"
    found = _read(path)
    if found is not None:
        return found
    with _exclusive(path.with_suffix(".lock")):
        found = _read(path)
        if found is None:
            found = build()
            _write(path, found)
    return found


def _key() -> bytes:
    """The installation's key, made on first use; readable by the owner only."""
    path = cache_directory() / "artefact.key"
    with contextlib.suppress(FileExistsError):
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(secrets.token_bytes(32))
    return path.read_bytes()


def _tag(path: Path, payload: bytes) -> bytes:
    return hmac.digest(_key(), path.name.encode() + b"\0" + payload, "sha256")


def _read(path: Path) -> bytes | None:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    tag, payload = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
    if hmac.compare_digest(tag, _tag(path, payload)):
        return payload
    _log.warning("cached image %s failed its integrity check and is built again", path.name)
    return None


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
    with path.open("wb") as file:
        if os.name == "posix":
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
