"""The key ring of a running service: found or made at start, read again when its file changes. One that does
not open what is stored is never used."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from runner.config.settings import ServiceSettings
from runner.model.errors import InputError
from runner.store.database.engine import Store
from runner.store.sealed.key_checks import check_ring, forget_checks, unknown_keys
from runner.store.sealed.sealing import KeyRing, SealError

_log: Final = structlog.get_logger("actionbox.keys")
_AGAIN_SECONDS: Final = 5.0
"""A file that was refused is looked at again after this time: other processes may have gone on."""
_Stamp = tuple[int, int]


class Keys:
    """Gives the key ring; safe between threads. A rotation in another process is seen at the next use."""

    def __init__(
        self,
        ring: KeyRing,
        path: Path | None = None,
        check: Callable[[KeyRing], object] = lambda _: None,
        look: Callable[[KeyRing], object] = lambda _: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`check`: raises `SealError` for a ring that does not open what is stored. `look`: the same, and
        writes nothing."""
        self._ring = ring.renewable(self._renewed)
        self._path: Final = path
        self._check = check
        self._look = look
        self._monotonic = monotonic
        self._stamp = _stamp(path)
        self._refused: _Stamp | None = None
        self._again = 0.0
        self._lock = threading.Lock()

    @property
    def ring(self) -> KeyRing:
        stamp = _stamp(self._path)
        changed = stamp is not None and stamp != self._stamp
        if changed and (stamp != self._refused or self._monotonic() >= self._again):
            self._take_up(stamp)
        return self._ring

    def _take_up(self, stamp: _Stamp | None) -> None:
        if not self._lock.acquire(blocking=False):
            return  # somebody else does it
        try:
            assert self._path is not None
            ring = KeyRing.load(self._path)
            self._check(ring)
            self._ring, self._stamp, self._refused = ring.renewable(self._renewed), stamp, None
        except (SealError, SQLAlchemyError) as error:
            if self._refused != stamp:
                _log.error("the changed key ring is not used: the one before stays", reason=str(error))
            self._refused, self._again = stamp, self._monotonic() + _AGAIN_SECONDS
        finally:
            self._lock.release()

    def _renewed(self) -> KeyRing:
        """The file's ring now, for a value under a key that the ring from before lacks: a rotation seals with
        the new key as soon as the file has it, and whoever takes up the file may wait for the rotation to let
        it write. Raises `SealError`."""
        if self._path is None:
            return self._ring
        ring = KeyRing.load(self._path)
        self._look(ring)
        return ring


def open_keys(settings: ServiceSettings, store: Store, *, fresh: bool) -> Keys:
    """The key ring that the settings name, which opens what is stored. `fresh`: nothing is stored yet, so a
    new ring may be made.

    Raises:
        InputError: `no_key_ring` or `invalid_key_ring`. A lost ring is never replaced: what is sealed with
            it could not be opened (threat-model S1).
    """
    path = settings.key_path

    def check(ring: KeyRing) -> None:
        check_ring(store, ring)

    def look(ring: KeyRing) -> None:
        unknown_keys(store, ring)

    try:
        if settings.keys is not None:
            ring, path_of_it = KeyRing.from_text(settings.keys.get_secret_value()), None
        elif path.exists():
            ring, path_of_it = KeyRing.load(path), path
        elif fresh:
            ring, path_of_it = KeyRing.create(path), path
            with store.begin() as session:
                forget_checks(session)
        else:
            raise InputError(
                "no_key_ring",
                f"the database holds data, and there is no key ring {path} to open it with",
                next_step="Restore the file from a backup, or name it with ACTIONBOX_KEY_FILE.",
            )
    except SealError as error:
        raise InputError("invalid_key_ring", str(error)) from None
    return Keys(checked(store, ring), path_of_it, check, look)


def checked(store: Store, ring: KeyRing) -> KeyRing:
    """The ring itself. Raises `InputError` (`wrong_key_ring`) when it does not open what is stored."""
    try:
        check_ring(store, ring)
    except SealError as error:
        raise InputError(
            "wrong_key_ring",
            f"the key ring does not fit the database: {error}",
            next_step="Use the ring that the data was sealed with. If it is lost, `actionbox keys forget` "
            "deletes the secrets that it alone opens; their owners set them anew.",
        ) from None
    return ring


def _stamp(path: Path | None) -> _Stamp | None:
    try:
        found = path.stat() if path is not None else None
    except OSError:
        return None
    return None if found is None else (found.st_mtime_ns, found.st_ino)
