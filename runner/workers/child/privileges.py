"""Privileges that a worker gives up before it sees anything of a tenant's."""

from __future__ import annotations

import contextlib
import ctypes
import linecache
import os
import signal
import sys
from collections.abc import Mapping
from typing import Any, Final

from runner.workers.child import seccomp

if os.name == "posix":
    import resource

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_NOBODY: Final = 65_534
_GIB: Final = 1024**3
ADDRESS_BYTES: Final = 1024 * _GIB
"""Address space: 256 GiB are set aside for JavaScript's memories, 6 GiB for each Python instance."""
DATA_BYTES: Final = 16 * _GIB
"""Writable memory that is really there, above what the parent lets a worker have."""
OPEN_FILES: Final = 1024
"""The socket, and the memory files of images."""


def give_up(parent: int) -> dict[str, bool]:
    """Give up files, network, new processes, environment and, if it is root, its user.

    Args:
        parent: the process that may have died before this one could ask to die with it.

    Returns:
        Which measures hold; those that this system does not know are False.
    """
    os.environ.clear()
    linecache.updatecache = _no_lines
    held = {"user": _leave_root(), **_limits(), **_flags()}
    if os.getppid() != parent:
        sys.exit("the parent is gone")
    held["system_calls"] = seccomp.install()
    return held


def _no_lines(filename: str, module_globals: Mapping[str, Any] | None = None) -> list[str]:  # noqa: ARG001
    """A stack of ours names its lines, and does not try to show them: that would open their files."""
    return []


def _leave_root() -> bool:
    """Run as nobody instead of root. Nothing is opened any more, so nothing need be readable."""
    if os.name != "posix" or os.geteuid() != 0:
        return os.name == "posix"
    try:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    except OSError:  # a container without the right to change its user
        return False
    return True


def _limits() -> dict[str, bool]:
    if os.name != "posix":
        return {"limits": False}
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_AS: ADDRESS_BYTES,
        resource.RLIMIT_DATA: DATA_BYTES,
    }
    held = [_limit(kind, value) for kind, value in wanted.items()]
    return {"limits": all(held)}


def _limit(kind: int, value: int) -> bool:
    with contextlib.suppress(OSError, ValueError):
        _, hard = resource.getrlimit(kind)
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (most, most))
        return True
    return False


def _flags() -> dict[str, bool]:
    """Never more rights again, no look into this process for others of its user, and no life without its
    parent. Set after the user is changed, which resets them."""
    if not sys.platform.startswith("linux"):
        return {"no_new_privileges": False, "not_traceable": False, "dies_with_parent": False}
    libc = ctypes.CDLL(None, use_errno=True)
    return {
        "no_new_privileges": libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0,
        "not_traceable": libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0,
        "dies_with_parent": libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) == 0,
    }
