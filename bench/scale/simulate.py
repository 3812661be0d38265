"""`python -m bench simulate [NAME=MS …]`: what fleets do at the peak of a day, and in trouble.

Costs are measured first, or given (`front=1.3 worker=1.4`, see `Costs`). What is measured is checked: two
more points are measured and simulated.
"""

from __future__ import annotations

import dataclasses
import math
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table

from bench.scale.fleet import simulate
from bench.scale.measured import Point, costs_of, running
from bench.scale.model import Answer, Costs, Found, Shape, Traffic, percentile
from bench.service.share import NoShareError

PEAK: Final = 3.0
"""Of the day's mean: the busiest hour takes an eighth of the day's logins."""
FILLED: Final = 0.6
"""Of what a replica can do at most, at the peak: the others must carry one that died."""
LOG_BYTES: Final = 2550
STORED_BYTES: Final = 2700
"""Of a login, in PostgreSQL's log and tables: see docs/scaling.md."""
WORKERS: Final = 2
"""Of a replica, beside its front."""
ROUNDS: Final = 2
_SECONDS: Final = 4.0
_FRONT_SHARE: Final = 0.3
_WORKER_SHARE: Final = 0.15
"""Of a core: with one worker it is what all wait for, with two the front is as busy."""
_DIES: Final = 3
_BACK: Final = 11
_END: Final = 18
"""Seconds: a replica dies, another one takes its place, and the end."""
_CELL: Final = 2
"""So many replicas with their part of the traffic stand for a fleet: only the database is shared."""


@dataclass(frozen=True)
class Day:
    """So many logins a day, of so many tenants."""

    logins: int
    tenants: int

    @property
    def peak(self) -> float:
        """Logins a second."""
        return self.logins / 86_400 * PEAK

    def replicas(self, costs: Costs) -> int:
        """How many it takes; two at least, for one may die."""
        return max(2, math.ceil(self.peak / (FILLED * most(costs))))


DAYS: Final = (Day(1_000_000, 50), Day(100_000_000, 1000))


def most(costs: Costs, workers: int = WORKERS) -> float:
    """Logins a second of one replica at most. Busy, it commits as often as it may."""
    left = 1 - (costs.commit / costs.spacing if costs.spacing else 0)
    return min(1000 * left / costs.front, 1000 * workers / costs.worker)


def tables(arguments: tuple[str, ...] = ()) -> RenderableType:
    """Raises `ValueError` for an argument that is none."""
    if arguments:
        costs = given(arguments)
        checked: tuple[Table, ...] = ()
    else:
        costs, fit = calibrated()
        checked = (fit,)
    return Group(*checked, _costs(costs), _one(costs), _days(costs), _slow(costs), _death(costs))


def given(arguments: tuple[str, ...]) -> Costs:
    """`front=1.3`, …; what is not named is as `Costs` has it. Raises `ValueError`."""
    known = {item.name for item in dataclasses.fields(Costs)}
    values: dict[str, float] = {"front": 1.2, "worker": 1.4, "client": 0.1}
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name not in known:
            raise ValueError(f"{argument!r} is none of {', '.join(sorted(known))} with =MS")
        values[name] = float(value)
    return Costs(**values)


def calibrated() -> tuple[Costs, Table]:
    """Costs by one client and by thirty-two; and eight of them, measured and simulated. All are held to
    shares of a core, which they get on a busy machine, too."""
    made = _columns(f"Eight clients; the front has {_FRONT_SHARE} of a core, a worker {_WORKER_SHARE}",
                    "round", "workers", "measured: answers/s, p50 ms", "from those costs", "of it",
                    "from costs of its own", "of it")  # fmt: skip
    found: list[Costs] = []
    with running(1) as one, running(2) as two, ExitStack() as stack:
        try:
            for bench in (one, two):
                stack.enter_context(bench.held(_FRONT_SHARE, _WORKER_SHARE))
        except NoShareError as error:
            made.add_row(f"NOT MEASURED: {error}")
            return given(()), made
        sync = one.sync_ms()
        for number in range(ROUNDS):
            found.append(costs_of(one.point(1, _SECONDS), one.point(32, _SECONDS), sync))
            for point in (one.point(8, _SECONDS), two.point(8, _SECONDS)):
                cells = [f"{point.rate:.0f}, {point.p50:.0f}"]
                for costs in (found[-1], own(found[-1], point)):
                    ours = as_measured(costs, point)
                    p50 = percentile(ours.latencies(), 0.5)
                    cells.append(f"{ours.rate():.0f}, {p50:.0f}")
                    cells.append(f"{ours.rate() / point.rate:.2f}, {p50 / point.p50:.2f}")
                made.add_row(str(number + 1), str(point.workers), *cells)
    return min(found, key=lambda item: item.front + item.worker), made


def own(costs: Costs, point: Point) -> Costs:
    """What a login cost in that very point; a transaction as before."""
    front = max(0.1 * point.front, point.front - costs.commit * point.commits)
    return dataclasses.replace(costs, front=front, worker=point.worker, client=point.client)


def as_measured(costs: Costs, point: Point) -> Found:
    """What the model makes of the clients and workers of a point."""
    slower = dataclasses.replace(
        costs,
        front=costs.front / _FRONT_SHARE,
        commit=costs.commit / _FRONT_SHARE,
        worker=costs.worker / _WORKER_SHARE,
    )
    traffic = Traffic(clients=point.clients, tenants=1, seconds=20, warm=2)
    return simulate(Shape(workers=point.workers), slower, traffic)


def _costs(costs: Costs) -> Table:
    made = Table(title="Costs, ms")
    for item in dataclasses.fields(costs):
        made.add_column(item.name)
    made.add_row(*(f"{value:.2f}" for value in dataclasses.astuple(costs)))
    return made


def _columns(title: str, *names: str) -> Table:
    made = Table(title=title)
    for name in names:
        made.add_column(name)
    return made


def _times(found: Found) -> str:
    ordered = found.latencies()
    return f"{percentile(ordered, 0.5):.0f} / {percentile(ordered, 0.99):.0f}"


def _one(costs: Costs) -> Table:
    """One replica, by workers and how full it is."""
    made = _columns("One replica", "workers", "cores", "logins/s", "of its most", "p50 / p99 ms",
                    "front busy", "workers busy", "commits/s")  # fmt: skip
    for workers in (1, WORKERS):
        for part in (FILLED, 0.8, 0.95):
            rate = part * most(costs, workers)
            found = simulate(Shape(workers=workers), costs, Traffic(rate=rate, seconds=5, warm=1))
            made.add_row(str(workers), str(workers + 1), f"{rate:.0f}", f"{100 * part:.0f} %", _times(found),
                         f"{100 * found.front_busy:.0f} %", f"{100 * found.worker_busy:.0f} %",
                         f"{found.commits:.0f}")  # fmt: skip
    return made


def _days(costs: Costs) -> Table:
    made = _columns(f"The peak of a day ({PEAK:.0f} times its mean)", "logins a day", "peak, a second",
                    "replicas", "cores", "p50 / p99 ms", "refused", "front busy", "database cores busy",
                    "commits/s", "log MB/s", "stored GB a day")  # fmt: skip
    for day in DAYS:
        shape = Shape(replicas=day.replicas(costs), workers=WORKERS)
        seconds = 4.0 if day.peak > 1000 else 30.0
        traffic = Traffic(rate=day.peak, tenants=day.tenants, seconds=seconds, warm=1)
        found = simulate(shape, costs, traffic)
        made.add_row(
            f"{day.logins:,}", f"{day.peak:.0f}", str(shape.replicas), str(shape.replicas * (WORKERS + 1)),
            _times(found), f"{100 * found.part('refused'):.1f} %", f"{100 * found.front_busy:.0f} %",
            f"{found.database_busy * shape.database_cores:.1f}", f"{found.commits:.0f}",
            f"{day.peak * LOG_BYTES / 1e6:.1f}", f"{day.logins * STORED_BYTES / 1e9:.0f}",
        )  # fmt: skip
    return made


def _slow(costs: Costs) -> Table:
    """Actions that wait for somebody else."""
    made = _columns("A slow third party, at the peak", "logins a day", "replicas", "tenants that call it",
                    "it takes", "p50 / p99 ms of the others", "refused: others", "refused: callers",
                    "p50 / p99 ms of callers")  # fmt: skip

    def others(answer: Answer) -> bool:
        return not answer.slow

    def callers(answer: Answer) -> bool:
        return answer.slow

    for day in DAYS:
        replicas = day.replicas(costs)
        shape = Shape(replicas=min(replicas, _CELL), workers=WORKERS)
        for part, wait in ((1.0, 0.1), (0.1, 2.0), (1.0, 2.0)):
            traffic = Traffic(
                rate=day.peak * shape.replicas / replicas,
                tenants=day.tenants, slow=part, slow_wait=wait, warm=1 + 2 * wait, seconds=10,
            )  # fmt: skip
            found = simulate(shape, costs, traffic)
            both = []
            for chosen in (others, callers):
                ordered = found.latencies(chosen)
                both.append(f"{percentile(ordered, 0.5):.0f} / {percentile(ordered, 0.99):.0f}")
            refused = [f"{100 * found.part('refused', chosen):.1f} %" for chosen in (others, callers)]
            if part == 1.0:
                both[0] = refused[0] = ""
            made.add_row(f"{day.logins:,}", str(replicas), f"{100 * part:.0f} %", f"{wait} s",
                         both[0], *refused, both[1])  # fmt: skip
    return made


def _death(costs: Costs) -> Table:
    """One replica dies at the peak and another one takes its place."""
    made = _columns(f"A replica dies, and is back {_BACK - _DIES} s later",
                    "logins a day", "a second", "replicas",
                    "fronts busy", "p99 ms before", "lost", "p99 ms while it is away",
                    "refused while it is away", "as before after, s")  # fmt: skip
    small, large = DAYS
    two = FILLED * 2 * most(costs)
    many, tight = large.replicas(costs), math.ceil(large.peak / (0.9 * most(costs)))
    for name, rate, replicas in (
        (f"{small.logins:,}", small.peak, small.replicas(costs)),
        (f"{two * 86_400 / PEAK:,.0f}", two, 2),
        (f"{large.logins:,}", large.peak, many),
        (f"{large.logins:,}", large.peak, tight),
    ):
        traffic = Traffic(rate=rate, warm=1, seconds=_END - 1, dies=_DIES, back=_BACK)
        found = simulate(Shape(replicas=replicas, workers=WORKERS), costs, traffic)
        made.add_row(name, f"{rate:.0f}", str(replicas), *told(found))
    return made


def told(found: Found) -> tuple[str, ...]:
    """Before, while a replica is away, and when all is as before."""

    def within(start: float, end: float) -> list[float]:
        return found.latencies(lambda item: start * 1000 <= item.came < end * 1000)

    def refused(start: float, end: float) -> float:
        return found.part("refused", lambda item: start * 1000 <= item.came < end * 1000)

    usual = percentile(within(1, _DIES), 0.99)
    bad = [
        second
        for second in range(_DIES, _END)
        if percentile(within(second, second + 1), 0.99) > 1.5 * usual or refused(second, second + 1)
    ]
    healed = bad[-1] + 1 - _DIES if bad else 0
    return (
        f"{100 * found.front_busy:.0f} %",
        f"{usual:.0f}",
        str(sum(item.how == "lost" for item in found.answers)),
        f"{percentile(within(_DIES, _BACK), 0.99):.0f}",
        f"{100 * refused(_DIES, _BACK):.1f} %",
        f"more than {healed - 1}" if healed + _DIES == _END else str(healed),
    )
