"""Who holds a lease, and whether that process still lives."""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
from typing import Final

_PROCESS: Final = secrets.token_hex(4)
"""Tells this process from an earlier one of the same number."""


def process_name() -> str:
    """The first part of every lease of this process: machine, number and something random."""
    return f"{_machine()}:{os.getpid()}:{_PROCESS}"


def new_lease(owner: str) -> str:
    """A lease of `owner`, unlike any other: a job that is put anew while it runs gets another one."""
    return f"{owner}:{secrets.token_hex(8)}"


def is_gone(lease: str) -> bool:
    """The process that holds `lease` ran on this machine and has ended."""
    machine, number, process = (*lease.split(":"), "", "")[:3]
    if machine != _machine() or not number.isdecimal():
        return False
    if int(number) == os.getpid():
        return process != _PROCESS  # our number, but before us: containers start with the same one each time
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _machine() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:16]
