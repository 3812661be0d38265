"""Notices that a transaction sends when it commits, and never before: caches, workers, log streams listen.

On PostgreSQL other processes hear it too, see `runner.store.database.listening`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

BINDINGS: Final = "bindings"
"""What a trigger (`key`) of a tenant runs has changed."""
JOBS: Final = "jobs"
"""There is a job of a kind (`key`) to run."""
EXECUTIONS: Final = "executions"
"""An execution (`key`) of a tenant was recorded; told while somebody watches the tenant."""
WATCHED: Final = "watched"
"""Somebody watches the tenant's executions, for some seconds more."""
HOOKS: Final = "hooks"
"""A tenant's hooks of identity providers have changed."""
MISSED: Final = "missed"
"""Never sent: notices of other processes may have been missed, so look at everything again."""
CHANNEL: Final = "actionbox"
"""PostgreSQL's."""
MAX_PAYLOAD_BYTES: Final = 7_999
"""PostgreSQL's limit of one payload."""
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
    """The notices to be sent after `session`, in the order in which they were announced."""
    return tuple(session.info.get(_INFO, ()))


def send(session: Session, sender: str, notices: Iterable[Notice]) -> None:
    """Have PostgreSQL tell `notices` of `sender` to all that listen, when the transaction commits."""
    payloads = [payload(sender, notice) for notice in notices]
    if payloads:
        query = text("select pg_notify(:channel, payload) from unnest(cast(:payloads as text[])) as payload")
        session.execute(query, {"channel": CHANNEL, "payloads": payloads})


def payload(sender: str, notice: Notice | None = None) -> str:
    """As it is sent. Without a notice it only says that its sender lives."""
    return json.dumps([sender] if notice is None else [sender, notice.topic, notice.tenant, notice.key])


def parse(sent: str) -> tuple[str, Notice | None]:
    """The sender and the notice. Raises `ValueError` for what none of us has sent."""
    try:
        found = json.loads(sent)
    except RecursionError:
        raise ValueError("not a notice") from None
    if not isinstance(found, list) or not all(isinstance(part, str) for part in found):
        raise ValueError("not a notice")
    if len(found) == 1:
        return found[0], None
    sender, topic, tenant, key = found
    return sender, Notice(topic, tenant, key)
