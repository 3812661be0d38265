"""The key ring of a running service: found or made at start, read again when its file changes."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

import structlog

from runner.errors import InputError
from runner.service.settings import ServiceSettings
from runner.store.sealing import KeyRing, SealError

_log: Final = structlog.get_logger("actionbox.keys")


class Keys:
    """Gives the key ring; safe between threads. A rotation in another process is seen at the next use."""

    def __init__(self, ring: KeyRing, path: Path | None = None) -> None:
        self._ring = ring
        self._path: Final = path
        self._stamp = _stamp(path)
        self._lock = threading.Lock()

    @property
    def ring(self) -> KeyRing:
        stamp = _stamp(self._path)
        if self._path is None or stamp is None or stamp == self._stamp:
            return self._ring
        with self._lock:
            if stamp != self._stamp:
                try:
                    self._ring = KeyRing.load(self._path)
                except SealError as error:
                    _log.error(
                        "the key ring cannot be read again; the one read before stays", reason=str(error)
                    )
                self._stamp = stamp
            return self._ring


def open_keys(settings: ServiceSettings, *, fresh: bool) -> Keys:
    """The key ring that the settings name. `fresh`: nothing is stored yet, so a new ring may be made.

    Raises:
        InputError: `no_key_ring` or `invalid_key_ring`. A lost ring is never replaced: what is sealed with
            it could not be opened (threat-model S1).
    """
    path = settings.key_path
    try:
        if settings.keys is not None:
            return Keys(KeyRing.from_text(settings.keys.get_secret_value()))
        if path.exists():
            return Keys(KeyRing.load(path), path)
        if fresh:
            return Keys(KeyRing.create(path), path)
    except SealError as error:
        raise InputError("invalid_key_ring", str(error)) from None
    raise InputError(
        "no_key_ring",
        f"the database holds data, and there is no key ring {path} to open it with",
        next_step="Restore the file from a backup, or name it with ACTIONBOX_KEY_FILE.",
    )


def _stamp(path: Path | None) -> tuple[int, int] | None:
    try:
        found = path.stat() if path is not None else None
    except OSError:
        return None
    return None if found is None else (found.st_mtime_ns, found.st_ino)
