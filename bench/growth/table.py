"""`python -m bench growth [SIZE …] [sqlite] [postgresql]`: what grows with the executions.

By default 10,000, a million and ten million of them in each database: 1.1 GB of disk for each million and
database (the databases of one kind are there at once), and a quarter of an hour to fill ten million.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from rich.table import Table

from bench.engine.latency import bench_event
from bench.growth.asked import READS
from bench.growth.cleaning import cleaning
from bench.growth.rows import BIG, SMALL, fill_postgresql, fill_sqlite
from bench.growth.services import Grown
from bench.measure import spread
from bench.service.invoke import INVOKE
from runner.store import Store, migrate
from tests.postgres import new_database

SIZES: Final = (10_000, 1_000_000, 10_000_000)
ROUNDS: Final = 5
STARTS: Final = 3
RUNS: Final = 20
_SLOW_MS: Final = 1_000.0
_SLOW_ROUNDS: Final = 2
_KINDS: Final = ("sqlite", "postgresql")


def tables(options: Sequence[str] = ()) -> Iterator[Table]:
    """For each kind of database: times by size, and the cleaner beside logins.

    Args:
        options: sizes, and kinds of databases.
    """
    sizes = sorted({int(option) for option in options if option.isdecimal()}) or list(SIZES)
    kinds = [kind for kind in _KINDS if kind in options] or list(_KINDS)
    for kind in kinds:
        with _filled(kind, sizes) as grown:
            yield _times(kind, grown)
            yield cleaning(kind, grown)


@contextmanager
def _filled(kind: str, sizes: Sequence[int]) -> Iterator[list[Grown]]:
    with tempfile.TemporaryDirectory() as name:
        made = []
        for size in sizes:
            folder = Path(name) / f"{kind}-{size}"
            folder.mkdir()
            file = folder / "actionbox.db"
            url = f"sqlite:///{file}" if kind == "sqlite" else new_database()
            store = Store.open(url)
            migrate.upgrade(store)
            store.close()
            _say(f"{kind}: filling {size:,}")
            if kind == "sqlite":
                fill_sqlite(str(file), size)
            else:
                fill_postgresql(url, size)
            made.append(Grown.of(size, folder, url))
        for grown in made:
            with grown.running():
                pass
        yield made


def _times(kind: str, grown: Sequence[Grown]) -> Table:
    sizes = [f"{item.size:,}" for item in grown]
    made = Table(title=f"{kind}: p50 in ms with so many executions on record, one client")
    for column in ("asked for", "tenant", *sizes, "last / first", "bytes, last / first"):
        made.add_column(column)
    for _ in range(STARTS):
        for item in grown:
            with item.running():
                pass
    with ExitStack() as stack:
        for item in grown:
            stack.enter_context(item.running())
        event = json.dumps({"event": json.loads(bench_event())}).encode()
        for tenant in (BIG, SMALL):
            _row(made, "invoke", tenant, [(item, INVOKE) for item in grown], event)
        for name, path in READS.items():
            for tenant in (BIG, SMALL):
                _row(made, name, tenant, [(item, path(item, tenant)) for item in grown])
        _row(made, "/metrics", "", [(item, "/metrics") for item in grown])
    starts = [1000 * spread(item.started).p50 for item in grown]
    _add(made, "start of the service", "", starts, [1] * len(grown))
    return made


def _row(
    made: Table, name: str, tenant: str, asked: Sequence[tuple[Grown, str]], body: bytes | None = None
) -> None:
    """Each is asked in turn; one that takes long, once a turn."""
    samples: list[list[float]] = [[] for _ in asked]
    sizes = [len(item.timed(tenant, path, body)[1]) for item, path in asked]
    for round_ in range(ROUNDS):
        for (item, path), kept in zip(asked, samples, strict=True):
            first, _ = item.timed(tenant, path, body)
            slow = first > _SLOW_MS
            if slow and round_ < _SLOW_ROUNDS:
                kept.append(first)
            elif not slow:
                kept += [item.timed(tenant, path, body)[0] for _ in range(RUNS)]
    _add(made, name, tenant, [spread(kept).p50 for kept in samples], sizes)


def _add(made: Table, name: str, tenant: str, found: Sequence[float], sizes: Sequence[int]) -> None:
    """`sizes`: of the answers, in bytes: a longer one takes longer, however many rows are beside it."""
    cells = (*(f"{each:.2f}" for each in found), f"{found[-1] / found[0]:.2f}", f"{sizes[-1] / sizes[0]:.2f}")
    made.add_row(name, tenant, *cells)
    _say(name, tenant, *cells)


def _say(*words: str) -> None:
    print(*words, file=sys.stderr, flush=True)
