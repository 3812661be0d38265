"""What is simulated, and what comes of it: costs, a fleet, its traffic."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from runner.runtime.records.group_commit import _SPACING_SECONDS


@dataclass(frozen=True)
class Costs:
    """Processor time in ms; `sync` is waiting for the disk.

    Attributes:
        spacing: from the begin of one transaction of a replica to that of the next.
        front, worker, database: of a login, in the service's own process, in a worker, in PostgreSQL.
        commit, database_commit: of a transaction, whatever is in it.
        client: of a login, of what sends it on: nginx.
        spread: standard deviation of a part as a multiple of its mean.
    """

    front: float
    worker: float
    database: float = 0.3
    commit: float = 0.5
    database_commit: float = 0.2
    sync: float = 1.0
    client: float = 0.0
    spread: float = 0.3
    spacing: float = _SPACING_SECONDS * 1000


@dataclass(frozen=True)
class Shape:
    """The fleet.

    Attributes:
        workers: of each replica, which has a core for each of them and one for its front.
        database_cores: of the machine with the database.
    """

    replicas: int = 1
    workers: int = 2
    database_cores: int = 8
    tenant_running: int = 16
    tenant_queue: int = 64
    queue: int = 512


@dataclass(frozen=True)
class Traffic:
    """Open arrivals, or `clients` that send one login after another.

    Attributes:
        rate: logins a second.
        tenants: they share the logins evenly.
        wait: how long an Action waits for a fetch.
        slow, slow_wait: the part of the tenants whose Actions wait longer, and how long.
        dies, back: when a replica dies, and when another one stands in its place; seconds.
    """

    rate: float = 0.0
    clients: int = 0
    seconds: float = 10.0
    warm: float = 2.0
    tenants: int = 100
    wait: float = 0.0
    slow: float = 0.0
    slow_wait: float = 0.0
    dies: float | None = None
    back: float = math.inf


@dataclass
class Answer:
    """One login: when it came, when and how it ended (`ok`, `refused` or `lost`); its tenant waits long."""

    came: float
    slow: bool
    ended: float = math.nan
    how: str = "open"


@dataclass
class Found:
    """What a run came to, after its warm-up: of open arrivals those that came, of clients those that ended.

    Attributes:
        front_busy, worker_busy, database_busy: part of the time, of each.
        commits: of all replicas, a second.
        ended: how many of all logins ended how, with those of the warm-up.
    """

    answers: list[Answer]
    seconds: float
    front_busy: float
    worker_busy: float
    database_busy: float
    commits: float
    ended: Mapping[str, int]

    def rate(self) -> float:
        """Logins answered, a second."""
        return len(self.latencies()) / self.seconds

    def latencies(self, chosen: Callable[[Answer], bool] = lambda _: True) -> list[float]:
        """Of those answered 200, in ms, sorted."""
        return sorted(item.ended - item.came for item in self.answers if item.how == "ok" and chosen(item))

    def part(self, how: str, chosen: Callable[[Answer], bool] = lambda _: True) -> float:
        """How many of the logins ended so, of 1."""
        among = [item for item in self.answers if item.how != "open" and chosen(item)]
        return sum(item.how == how for item in among) / max(1, len(among))


def percentile(ordered: Sequence[float], part: float) -> float:
    """Of sorted numbers; nan of none."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else math.nan
