"""Secrets at rest: AES-256-GCM under a ring of keys (threat-model S1).

What a value belongs to is its associated data, so a row that is copied to another owner does not open.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32
ACTION: Final = "action"
VERSION: Final = "version"
MODULE: Final = "module"
MODULE_VERSION: Final = "module_version"
HOOK: Final = "hook"
ROLLOUT: Final = "rollout"
"""Kinds of owners of secrets: drafts and versions, hooks of identity providers, rollouts."""
_KEY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")


class SealError(Exception):
    """A value does not open, or a key ring cannot be used. The message holds no secret."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """`data`: nonce, ciphertext and tag; `key_id`: which key of the ring."""

    key_id: str
    data: bytes


class KeyRing:
    """Keys by id. The first one seals; all of them open."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        """`keys`: 32 bytes each, the one that seals first. Raises `SealError`."""
        if not keys:
            raise SealError("the key ring is empty")
        for key_id, key in keys.items():
            if not _KEY_ID.fullmatch(key_id):
                raise SealError("an id of a key has 1 to 32 letters, digits, `_` or `-`")
            if len(key) != _KEY_BYTES:
                raise SealError(f"key {key_id} has {len(key)} bytes instead of {_KEY_BYTES}")
        self._keys = dict(keys)
        self._renewed: Callable[[], KeyRing] | None = None
        self.current: Final = next(iter(keys))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """From `{"keys": {"id": "base64", …}}`, the sealing key first. Raises `SealError`."""
        try:
            keys = json.loads(text)["keys"]
            return cls({name: base64.b64decode(value, validate=True) for name, value in keys.items()})
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
            raise SealError('a key ring is a JSON object {"keys": {"id": "32 bytes in base64"}}') from None

    @classmethod
    def load(cls, path: Path) -> Self:
        """From a file that only its owner can read. Raises `SealError`."""
        try:
            if os.name == "posix" and path.stat().st_mode & 0o077:
                raise SealError(f"{path} can be read by others; run chmod 600 on it")
            return cls.from_text(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise SealError(f"the key ring {path} cannot be read: {error.strerror}") from None

    @classmethod
    def create(cls, path: Path) -> Self:
        """A ring with one new key, written to `path`, which must not exist. Raises `SealError`."""
        ring = cls({"k1": os.urandom(_KEY_BYTES)})
        if path.exists():
            raise SealError(
                f"there is a key ring {path} already; `actionbox keys rotate` adds a new key to it"
            )
        ring._write(path, exclusive=True)
        return ring

    def renewable(self, renewed: Callable[[], KeyRing]) -> KeyRing:
        """The same keys; a value under any other is opened with the ring that `renewed` gives."""
        ring = KeyRing(self._keys)
        ring._renewed = renewed
        return ring

    @property
    def ids(self) -> Sequence[str]:
        return tuple(self._keys)

    def rotated(self) -> KeyRing:
        """With a new key that seals from now on; the others still open."""
        numbers = [int(name[1:]) for name in self._keys if re.fullmatch(r"k[0-9]{1,9}", name)]
        return KeyRing({f"k{max(numbers, default=0) + 1}": os.urandom(_KEY_BYTES), **self._keys})

    def without(self, unused: Sequence[str]) -> KeyRing:
        """Without keys that nothing is sealed with any more; the sealing key stays."""
        return KeyRing(
            {name: key for name, key in self._keys.items() if name == self.current or name not in unused}
        )

    def save(self, path: Path) -> None:
        """Replace the file in one step; it keeps its owner. On disk when this returns. Raises `SealError`."""
        self._write(path, exclusive=False)

    def seal(self, value: str, context: Sequence[str]) -> Sealed:
        """Seal `value` for what `context` names."""
        return Sealed(self.current, self.seal_with(self.current, value, context))

    def seal_with(self, key_id: str, value: str, context: Sequence[str]) -> bytes:
        """The same with a key that need not be the current one; nonce, ciphertext and tag."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self._keys[key_id]).encrypt(nonce, value.encode(), associated(context))

    def open(self, sealed: Sealed, context: Sequence[str]) -> str:
        """The value. Raises `SealError`: sealed for something else, altered, or with a lost key."""
        key = self._keys.get(sealed.key_id)
        if key is None and self._renewed is not None:
            key = self._renewed()._keys.get(sealed.key_id)
        if key is None:
            raise SealError(f"a value was sealed with key {sealed.key_id!r}, which is not in the key ring")
        nonce, body = sealed.data[:_NONCE_BYTES], sealed.data[_NONCE_BYTES:]
        try:
            return AESGCM(key).decrypt(nonce, body, associated(context)).decode()
        except (InvalidTag, ValueError):
            raise SealError(
                "a sealed value does not open: it was altered, or copied from elsewhere"
            ) from None

    def derive(self, purpose: str) -> Sequence[bytes]:
        """32 bytes for another use from each key, the current one's first (HKDF, RFC 5869)."""
        return tuple(
            HKDF(SHA256(), _KEY_BYTES, salt=None, info=purpose.encode()).derive(key)
            for key in self._keys.values()
        )

    def _write(self, path: Path, *, exclusive: bool) -> None:
        """Whole or not at all, even through a power loss: rows sealed with these keys are lost without it."""
        text = json.dumps(
            {"keys": {name: base64.b64encode(key).decode() for name, key in self._keys.items()}}, indent=2
        )
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            temporary.unlink(missing_ok=True)
            try:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
                with os.fdopen(os.open(temporary, flags, 0o600), "w", encoding="utf-8") as file:
                    file.write(text + "\n")
                    file.flush()
                    os.fsync(file.fileno())
                if exclusive:
                    os.link(temporary, path)
                else:
                    _keep_owner(path, temporary)
                    temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
            _sync_folder(path.parent)
        except OSError as error:
            raise SealError(f"the key ring {path} cannot be written: {error.strerror}") from None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Nobody else changes the ring at `path` during the block. Raises `SealError` when somebody does."""
    if os.name != "posix":
        yield
        return
    import fcntl

    try:
        folder = os.open(path.parent, os.O_RDONLY)
    except OSError as error:
        raise SealError(f"the key ring {path} cannot be read: {error.strerror}") from None
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SealError(f"the key ring {path} is being changed by another process; wait for it") from None
        yield
    finally:
        os.close(folder)


def _keep_owner(path: Path, temporary: Path) -> None:
    """An operator who rotates as root must not take the file from the service."""
    with contextlib.suppress(FileNotFoundError):
        found = path.stat()
        if os.name == "posix" and found.st_uid != os.geteuid():
            os.chown(temporary, found.st_uid, found.st_gid)


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def secret_context(tenant: str, owner_kind: str, owner_id: str, name: str) -> tuple[str, ...]:
    """The context of a tenant's secret, for `seal` and `open`."""
    return ("secret", tenant, owner_kind, owner_id, name)


def associated(context: Sequence[str]) -> bytes:
    """The parts with their lengths, so that no two contexts are the same bytes."""
    return b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in context)
