"""Discrete events: logins through a balancer, replicas, their workers and one database. Times in ms.

What decides who waits for whom is the service's own (`FairQueue` and its limits); what takes time is a number
of `Costs`. A front computes one thing at a time, as the interpreter does, and so does a worker.
"""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter
from collections.abc import Generator
from functools import partial
from typing import Any, Final

import simpy

from bench.scale.model import Answer, Costs, Found, Shape, Traffic
from runner.runtime.records.group_commit import _MOST
from runner.workers.parent.processes.worker import AHEAD
from runner.workers.parent.queueing import FairQueue, QueueFullError, TenantNumbers
from runner.workers.parent.settings import PoolSettings

Steps = Generator[simpy.Event, Any, None]
_IN: Final = 0.55
"""Of a front's time for a login: before its Actions run. The rest is the outcome's."""
_SECOND: Final = 1000.0
_SWEEP_MS: Final = 250.0
_DRAIN_MS: Final = 30_000.0
"""After the last login came: longer than any may take."""
_SLOTS: Final = PoolSettings().slots


class _Leg:
    def __init__(self, env: simpy.Environment, tenant: str, answer: Answer, wait: float) -> None:
        self.tenant, self.answer, self.wait = tenant, answer, wait
        self.queued = env.now
        self.done = env.event()

    @staticmethod
    def waits_since(moment: float, leg: _Leg) -> bool:
        """It waits since before `moment`."""
        return leg.queued < moment


class _Worker:
    def __init__(self, env: simpy.Environment) -> None:
        self.lane = simpy.Resource(env)
        self.holding = self.pending = 0


class _Replica:
    """A front, its workers and its group commit."""

    def __init__(self, world: _World) -> None:
        self._world, self._env, shape = world, world.env, world.shape
        self.alive, self.open = True, set[_Leg]()
        self._front = simpy.Resource(self._env)
        self._workers = [_Worker(self._env) for _ in range(shape.workers)]
        self._queue: FairQueue[_Leg] = FairQueue(
            tenant_running=shape.tenant_running, tenant_queue=shape.tenant_queue, queue=shape.queue
        )
        self._waiting: list[simpy.Event] = []
        self._expected, self._writing, self._next, self._timed = 0, False, 0.0, False
        self._env.process(self.sweep())

    def login(self, leg: _Leg) -> Steps:
        """Ends `leg.done` with how."""
        costs = self._world.costs
        self.open.add(leg)
        self._expected += 1
        yield from self._world.computes(self._front, costs.front * _IN, "front")
        leg.queued = self._env.now
        ran = leg.done if not self._put(leg) else self._env.event()
        if ran is leg.done:
            self._expected -= 1
            self._end(leg, "refused")
            return
        self._world.after[leg] = ran
        self._dispatch()
        how = yield ran
        if how == "ok":
            yield from self._world.computes(self._front, costs.front * (1 - _IN), "front")
            written = self._env.event()
            self._waiting.append(written)
            self._expected -= 1
            self._begin()
            yield written
        else:
            self._expected -= 1
        self._end(leg, how)

    def die(self) -> None:
        """All that is under way is lost."""
        self.alive = False
        for leg in list(self.open):
            self._end(leg, "lost")

    def _end(self, leg: _Leg, how: str) -> None:
        self.open.discard(leg)
        if not leg.done.triggered:
            leg.done.succeed(how)

    # --- workers ---

    def _put(self, leg: _Leg) -> bool:
        try:
            self._queue.put(leg.tenant, leg)
        except QueueFullError:
            return False
        return True

    def sweep(self) -> Steps:
        """Refuse what has waited for too long, now and then."""
        while self.alive:
            yield self._env.timeout(_SWEEP_MS)
            oldest = self._env.now - PoolSettings().wait_seconds * _SECOND
            for leg in self._queue.remove_all(partial(_Leg.waits_since, oldest)):
                self._world.after.pop(leg).succeed("refused")

    def _with_room(self) -> list[_Worker]:
        return [item for item in self._workers if item.holding < AHEAD and item.pending < _SLOTS]

    def _dispatch(self) -> None:
        def place(numbers: TenantNumbers, _: _Leg) -> _Worker | None:
            free = sum(_SLOTS - worker.pending for worker in self._workers)
            if self._world.mixed and 0 < numbers.running >= free:
                return None
            return min(self._with_room(), key=lambda item: (item.holding, item.pending), default=None)

        while len(self._queue) and self._with_room() and (found := self._queue.take(place)) is not None:
            leg, worker = found
            worker.holding += 1
            worker.pending += 1
            self._env.process(self._run(leg, worker))

    def _run(self, leg: _Leg, worker: _Worker) -> Steps:
        cost = self._world.costs.worker
        if leg.wait:
            yield from self._world.computes(worker.lane, cost / 2, "worker")
            worker.holding -= 1
            self._dispatch()
            yield self._env.timeout(leg.wait)
            yield from self._world.computes(worker.lane, cost / 2, "worker")
        else:
            yield from self._world.computes(worker.lane, cost, "worker")
            worker.holding -= 1
        worker.pending -= 1
        self._queue.ended(leg.tenant)
        self._world.after.pop(leg).succeed("ok")
        self._dispatch()

    # --- group commit: see `GroupCommit` ---

    def _begin(self) -> None:
        if self._writing or not self._waiting:
            return
        pause = self._next - self._env.now
        if not self._expected or pause <= 0:
            self._writing = True
            self._env.process(self._write())
        elif not self._timed:
            self._timed = True
            self._env.process(self._later(pause))

    def _later(self, pause: float) -> Steps:
        yield self._env.timeout(pause)
        self._timed = False
        self._begin()

    def _write(self) -> Steps:
        world, costs = self._world, self._world.costs
        batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
        self._next = self._env.now + costs.spacing
        yield from world.computes(self._front, costs.commit, "front")
        yield from world.computes(
            world.database, costs.database_commit + costs.database * len(batch), "database"
        )
        yield self._env.timeout(costs.sync)
        world.commits += 1
        for item in batch:
            item.succeed()
        self._writing = False
        self._begin()


class _World:
    def __init__(self, shape: Shape, costs: Costs, traffic: Traffic, seed: int) -> None:
        self.env = simpy.Environment()
        self.shape, self.costs, self._traffic = shape, costs, traffic
        self.mixed = traffic.tenants > 1
        self._random = random.Random(seed)
        self._costs_random = random.Random(seed + 1)
        self.database = simpy.Resource(self.env, shape.database_cores)
        self.replicas = [_Replica(self) for _ in range(shape.replicas)]
        self.after: dict[_Leg, simpy.Event] = {}
        self.busy = {"front": 0.0, "worker": 0.0, "database": 0.0, "client": 0.0}
        self.commits = 0
        self.answers: list[Answer] = []
        self._turn = itertools.count()
        variance = math.log(1 + costs.spread**2)
        self._sigma, self._mu = math.sqrt(variance), -variance / 2

    def computes(self, by: simpy.Resource | None, mean: float, part: str) -> Steps:
        """`by` computes for a while."""
        took = mean if not self._sigma else mean * self._costs_random.lognormvariate(self._mu, self._sigma)
        if took <= 0:
            return
        if by is not None:
            asked = by.request()
            yield asked
        if self.env.now >= self._traffic.warm * _SECOND:
            self.busy[part] += took
        yield self.env.timeout(took)
        if by is not None:
            by.release(asked)

    def run(self) -> Found:
        traffic = self._traffic
        until = (traffic.warm + traffic.seconds) * _SECOND
        if traffic.dies is not None:
            self.env.process(self._death(traffic.dies, traffic.back))
        if traffic.clients:
            for number in range(traffic.clients):
                self.env.process(self._client(str(number % traffic.tenants), until))
        else:
            self.env.process(self._arrivals(until))
        self.env.run(until=until)
        busy, commits = dict(self.busy), self.commits
        self.env.run(until=until + _DRAIN_MS)
        begun = traffic.warm * _SECOND
        counted = [item for item in self.answers if item.came >= begun]
        if traffic.clients:
            counted = [item for item in self.answers if begun <= item.ended < until]
        whole = traffic.seconds * _SECOND * self.shape.replicas
        return Found(
            answers=counted,
            seconds=traffic.seconds,
            front_busy=busy["front"] / whole,
            worker_busy=busy["worker"] / whole / self.shape.workers,
            database_busy=busy["database"] / traffic.seconds / _SECOND / self.shape.database_cores,
            commits=commits / (traffic.warm + traffic.seconds),
            ended=Counter(item.how for item in self.answers),
        )

    def _arrivals(self, until: float) -> Steps:
        while True:
            yield self.env.timeout(self._random.expovariate(self._traffic.rate) * _SECOND)
            if self.env.now >= until:
                return
            self.env.process(self._login(str(self._random.randrange(self._traffic.tenants))))

    def _client(self, tenant: str, until: float) -> Steps:
        while self.env.now < until:
            yield from self._login(tenant)

    def _login(self, tenant: str) -> Steps:
        traffic = self._traffic
        slow = int(tenant) < traffic.slow * traffic.tenants
        answer = Answer(self.env.now, slow)
        self.answers.append(answer)
        wait = (traffic.slow_wait if slow else traffic.wait) * _SECOND
        leg = _Leg(self.env, tenant, answer, wait)
        yield from self.computes(None, self.costs.client, "client")
        replica = self._next_replica()
        if replica is None:
            answer.how, answer.ended = "lost", self.env.now
            return
        self.env.process(replica.login(leg))
        answer.how = yield leg.done
        answer.ended = self.env.now

    def _next_replica(self) -> _Replica | None:
        """In turn, as nginx does; one that takes no connection is passed over at once."""
        for _ in self.replicas:
            found = self.replicas[next(self._turn) % len(self.replicas)]
            if found.alive:
                return found
        return None

    def _death(self, at: float, back: float) -> Steps:
        yield self.env.timeout(at * _SECOND)
        self.replicas[0].die()
        if math.isfinite(back):
            yield self.env.timeout((back - at) * _SECOND)
            self.replicas[0] = _Replica(self)


def simulate(shape: Shape, costs: Costs, traffic: Traffic, seed: int = 1) -> Found:
    """One run; the same for the same `seed`."""
    return _World(shape, costs, traffic, seed).run()
