"""A share of a core for processes, by Linux control groups: what more cores would show, on a few."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_ROOT: Final = Path("/sys/fs/cgroup")
_PERIOD_US: Final = 20_000
_WEIGHT: Final = 50
"""As many ordinary processes weigh."""


class NoShareError(Exception):
    """This machine, or this user, has no control groups for processors."""


@contextmanager
def share(pids: Sequence[int], cores: float) -> Iterator[None]:
    """Each of `pids` gets at most `cores` of a core, for the block, and before others on a busy machine.

    Raises:
        NoShareError: see there.
    """
    quota = round(cores * _PERIOD_US)
    groups = [_group(f"actionbox-bench-{os.getpid()}-{pid}", quota) for pid in pids]
    try:
        for group, pid in zip(groups, pids, strict=True):
            (group / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        for group, pid in zip(groups, pids, strict=True):
            with contextlib.suppress(OSError):
                (group.parent / "cgroup.procs").write_text(str(pid))
            with contextlib.suppress(OSError):
                group.rmdir()


def _group(name: str, quota: int) -> Path:
    first = _ROOT / "cpu"
    try:
        if first.is_dir():
            group = first / name
            group.mkdir()
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
            (group / "cpu.shares").write_text(str(_WEIGHT * 1024))
        else:
            (_ROOT / "cgroup.subtree_control").write_text("+cpu")
            group = _ROOT / name
            group.mkdir()
            (group / "cpu.max").write_text(f"{quota} {_PERIOD_US}")
            (group / "cpu.weight").write_text(str(_WEIGHT * 100))
    except OSError as error:
        raise NoShareError(f"no share of a core can be given: {error}") from None
    return group
