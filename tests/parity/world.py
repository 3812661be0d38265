"""The world that flows run in, the same for all three ways, and changed from one flow to the next."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from runner.flow.runner import Caches
from sandbox.egress.model import Egress, EgressSession
from sandbox.egress.narrowing import narrowed
from sandbox.egress.none import NoEgress
from sandbox.egress.policy.allow import AllowRule
from sandbox.port.live import Clock
from triggers import CacheStore, Directory, StaticDirectory

MOMENT = "1741701600"
"""The mark of the clock of guests, where nothing else is asked for (see `clock`)."""


@dataclass
class World:
    """What flows meet: the network, caches and the directory of a tenant."""

    egress: Egress = field(default_factory=NoEgress)
    caches: Callable[[str, str], CacheStore] = field(default_factory=Caches)
    directory: Directory = field(default_factory=StaticDirectory)


class TheWorld:
    """Egress, caches and directory of whatever world it is now. `now` is set before each flow."""

    def __init__(self) -> None:
        self.now = World()

    def open(self, deadline: float) -> EgressSession:
        """See `Egress.open`."""
        return self.now.egress.open(deadline)

    def narrowed(self, allow: tuple[AllowRule, ...]) -> Egress:
        """See `NarrowableEgress.narrowed`."""
        return narrowed(self.now.egress, allow)

    def caches(self, tenant: str, trigger: str) -> CacheStore:
        return self.now.caches(tenant, trigger)

    def directory(self, tenant: str) -> Directory:
        return Whoever(self)


@dataclass(frozen=True)
class Whoever:
    """The directory of the world as it is when it is asked."""

    world: TheWorld

    def groups(self, user_id: str) -> Sequence[Any]:
        return self.world.now.directory.groups(user_id)

    def roles(self, user_id: str, organization_id: str | None) -> Sequence[Any]:
        return self.world.now.directory.roles(user_id, organization_id)

    def group_type(self, group_id: str) -> Any:
        return self.world.now.directory.group_type(group_id)


def clock(mark: str) -> Clock:
    """A clock that stands at `mark` (epoch seconds), or, with a `t` before it, goes on by a millisecond
    whenever it is read. Here and in `WORKER`."""
    if not mark.startswith("t"):
        return Clock(wall=lambda: float(mark))
    reads = itertools.count()
    return Clock(wall=lambda: float(mark[1:]) + next(reads) / 1000)


def entropy() -> Callable[[int], bytes]:
    """Bytes that each leg draws alike, here and in `WORKER`."""
    return random.Random(1).randbytes


WORKER = """
import itertools
import random
from dataclasses import replace
from runner.flow.runner import Runner
from runner.workers.child import main, worker_server
from sandbox.port.live import Clock

def clock(mark):
    if not mark.startswith("t"):
        return Clock(wall=lambda: float(mark))
    reads = itertools.count()
    return Clock(wall=lambda: float(mark[1:]) + next(reads) / 1000)

class Still(Runner):
    def _leg(self, flow, state, start):
        time, draw = clock(flow.tenant.rpartition("-")[2]), random.Random(1).randbytes
        return Runner._leg(replace(self, clock=time, entropy=draw), flow, state, start)

worker_server.Runner = Still
main.main()
"""
"""A worker whose guests read the clock that their tenant's name ends with, and the same random bytes in every
leg. It gives up its rights like any other."""
COMMAND = ("-I", "-X", "utf8", "-c", WORKER)
