"""Keeps the cache of images from growing for ever: what nobody has used for long goes.

An image counts as used when it is loaded (its time of change is set then) and as long as a process that
loaded it runs and holds a lock on it, which the system releases whatever becomes of the process. So other
installations that share the folder keep what they use. Removing too much costs a build and nothing else.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sandbox.core.caps import CACHE_UNUSED_DAYS, MAX_CACHE_BYTES

if os.name == "posix":
    import fcntl

DAY_SECONDS: Final = 86_400
_TOUCH_SECONDS: Final = 600
"""A use is noted no more often than this."""
_RECENT_SECONDS: Final = 3_600
"""What was used so lately is never removed for its size."""
_STAMP: Final = "pruned"
"""A file whose time of change says when the cache was last pruned after a build."""
_FOLDERS: Final = "javascript-packages-*"
_REMAINS: Final = ("*.bin?*", "artefact.key?*", "bundling-*", "removing-*", "*.lock")
"""What processes that were killed leave behind."""

_held: Final[dict[str, int]] = {}


@dataclass(frozen=True, slots=True)
class Cached:
    """One entry of the cache.

    Attributes:
        path: a file, or a folder of packages.
        size: bytes.
        used_at: seconds since 1970.
        in_use: a running process holds it.
    """

    path: Path
    size: int
    used_at: float
    in_use: bool = False

    @property
    def name(self) -> str:
        """The entry's name without the digest."""
        return self.path.name.rpartition("-")[0]


@dataclass(frozen=True, slots=True)
class Pruned:
    """The result of pruning.

    Attributes:
        removed, kept: entries.
    """

    removed: tuple[Cached, ...]
    kept: tuple[Cached, ...]


def note_use(path: Path) -> None:
    """Remember that `path` is used now. One that cannot be written is left as it is."""
    with contextlib.suppress(OSError):
        if time.time() - path.stat().st_mtime > _TOUCH_SECONDS:
            os.utime(path)


def hold(path: Path) -> None:
    """Keep others from removing `path` as long as this process lives. Does nothing where that cannot be."""
    if os.name != "posix" or str(path) in _held:
        return
    with contextlib.suppress(OSError):
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            raise
        _held[str(path)] = file


def cached(folder: Path) -> list[Cached]:
    """Everything in the cache that may be made again, the last used first."""
    found = []
    for path in folder.glob("*.bin"):
        with contextlib.suppress(OSError):
            status = path.stat()
            found.append(Cached(path, status.st_size, status.st_mtime, _is_held(path)))
    for path in folder.glob(_FOLDERS):
        with contextlib.suppress(OSError):
            found.append(Cached(path, _size(path), path.stat().st_mtime))
    return sorted(found, key=lambda one: -one.used_at)


def prune(
    folder: Path, *, unused_days: float = CACHE_UNUSED_DAYS, max_bytes: int = MAX_CACHE_BYTES
) -> Pruned:
    """Remove what nobody has used for `unused_days`, and then the longest unused until no more than
    `max_bytes` are kept. What a process uses or builds stays. Safe between processes, at any time; may be
    killed at any time."""
    now = time.time()
    removed, kept = [], []
    total = 0
    for one in cached(folder):
        age = now - one.used_at
        unwanted = age > unused_days * DAY_SECONDS or (total + one.size > max_bytes and age > _RECENT_SECONDS)
        if unwanted and not one.in_use and _remove(one):
            removed.append(one)
        else:
            kept.append(one)
            total += one.size
    _sweep(folder, now)
    return Pruned(tuple(removed), tuple(kept))


def prune_at_times(folder: Path) -> None:
    """Prune, unless that was done in the last ten minutes: every file of the cache is looked at."""
    stamp = folder / _STAMP
    with contextlib.suppress(FileNotFoundError):
        if 0 <= time.time() - stamp.stat().st_mtime < _TOUCH_SECONDS:
            return
    stamp.touch(mode=0o600)
    prune(folder)


def _remove(one: Cached) -> bool:
    """Remove an entry, unless it is being built, held or was used meanwhile."""
    if one.path.is_dir():
        return _remove_folder(one.path)
    lock = one.path.with_suffix(".lock")
    with _locked(lock, "ab") as nobody_builds, _locked(one.path, "rb") as nobody_holds:
        try:
            if not (nobody_builds and nobody_holds) or one.path.stat().st_mtime != one.used_at:
                return False
            one.path.unlink()
            lock.unlink(missing_ok=True)
        except OSError:
            return False
    return True


def _remove_folder(path: Path) -> bool:
    """First out of the way in one step, so that nobody finds half a folder."""
    aside = path.with_name(f"removing-{os.getpid()}-{path.name}")
    try:
        path.rename(aside)
    except OSError:
        return False
    shutil.rmtree(aside, ignore_errors=True)
    return True


def _sweep(folder: Path, now: float) -> None:
    """Drop the remains of processes that ended in the middle, a day later."""
    for pattern in _REMAINS:
        for path in folder.glob(pattern):
            with contextlib.suppress(OSError):
                if now - path.stat().st_mtime <= DAY_SECONDS:
                    continue
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                elif path.suffix != ".lock" or not path.with_suffix(".bin").exists():
                    _drop(path)


def _drop(path: Path) -> None:
    with _locked(path, "rb") as free:
        if free:
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(path: Path, mode: str) -> Iterator[bool]:
    """Whether this process alone has `path` for the length of the block."""
    if os.name != "posix":
        yield True
        return
    try:
        file = path.open(mode)
    except OSError:
        yield False
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


def _is_held(path: Path) -> bool:
    with _locked(path, "rb") as free:
        return not free


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += path.lstat().st_size
    return total
