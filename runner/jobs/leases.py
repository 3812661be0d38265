"""Leases of running jobs: their holder, and whether that process still lives."""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runner.store.database.process import lock_of, process

_LOCKED: Final = "L"


@dataclass(frozen=True, slots=True)
class Lease:
    """The worker of a running job, as its row says.

    Attributes:
        machine, number, process: whose it is.
        locked: the process held its lock (`runner.store.database.process`) when it took the lease.
    """

    machine: str
    number: str
    process: str
    locked: bool

    @classmethod
    def of(cls, text: str) -> Lease:
        """As it was written; what is missing in leases of other releases is empty."""
        machine, number, process, _, mark, *_ = (*text.split(":"), "", "", "", "")
        return cls(machine, number, process, mark == _LOCKED)

    @property
    def lock(self) -> int | None:
        """The lock that its process holds while it lives; None when it is not known to hold one."""
        try:
            return lock_of(self.process) if self.locked else None
        except ValueError:
            return None

    @property
    def is_gone(self) -> bool:
        """The process ran on this machine and has ended."""
        if self.machine != _machine() or not self.number.isdecimal():
            return False
        if int(self.number) == os.getpid():
            return self.process != process()  # our number, before us: containers start with the same one
        try:
            os.kill(int(self.number), 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return _is_ended(int(self.number))


def _is_ended(number: int) -> bool:
    """It has ended, but whoever started it has not asked how: such a process keeps its number."""
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError, UnicodeDecodeError):
        return False
    return state in ("Z", "X")


def process_name() -> str:
    """The first part of every lease of this process: machine, number and something random."""
    return f"{_machine()}:{os.getpid()}:{process()}"


def new_lease(owner: str, *, locked: bool) -> str:
    """A lease of `owner`, unlike any other: a job that is put anew while it runs gets another one."""
    return f"{owner}:{secrets.token_hex(8)}" + (f":{_LOCKED}" if locked else "")


def _machine() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:16]
