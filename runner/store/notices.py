"""What a transaction tells when it commits, and never before: caches, workers and log streams listen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

BINDINGS: Final = "bindings"
"""What a trigger (`key`) of a tenant runs has changed."""
JOBS: Final = "jobs"
"""There is a job of a kind (`key`) to run."""
_INFO: Final = "notices"


@dataclass(frozen=True, slots=True)
class Notice:
    """`topic`: one of the constants above; `tenant`, `key`: whom and what it is about, "" for nobody's."""

    topic: str
    tenant: str = ""
    key: str = ""


def announce(session: Session, notice: Notice) -> None:
    """Have `notice` told once the transaction of `session` is committed; the same one is told once."""
    session.info.setdefault(_INFO, {})[notice] = None


def announced(session: Session) -> tuple[Notice, ...]:
    """What is to be told after `session`, in the order in which it was announced."""
    return tuple(session.info.get(_INFO, ()))
