"""What a login leaves in PostgreSQL: rows, bytes, log, transactions, connections; by its own statistics."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from rich.table import Table

from bench.scale.measured import Bench, running

CLIENTS: Final = (1, 8, 32)
SECONDS: Final = 6.0
IDLE_SECONDS: Final = 6.0
_FLUSH_SECONDS: Final = 1.5
"""PostgreSQL tells what a backend did once it has been idle for a second."""
_COUNTED: Final = ("rows", "updated", "transactions", "writing", "log", "heap", "indexes", "toast")
_QUERY: Final = """
select
  (select sum(n_tup_ins) from pg_stat_user_tables),
  (select sum(n_tup_upd + n_tup_del) from pg_stat_user_tables),
  (select xact_commit from pg_stat_database where datname = current_database()),
  pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
  pg_current_wal_lsn() - '0/0',
  (select sum(pg_relation_size(relid)) from pg_stat_user_tables),
  (select sum(pg_indexes_size(relid)) from pg_stat_user_tables),
  (select sum(pg_table_size(relid) - pg_relation_size(relid)) from pg_stat_user_tables)
"""
_CONNECTIONS: Final = "select count(*) from pg_stat_activity where datname = current_database()"


@dataclass(frozen=True)
class Footprint:
    """Of one login, in rows, bytes and transactions; `idle`: transactions a second without logins."""

    clients: int
    logins: int
    each: dict[str, float]
    connections: int
    idle: float


def table() -> Table:
    """By clients that log in one after another: the more there are, the more share a transaction."""
    made = Table(title="One login in PostgreSQL: one JavaScript Action, 3 kB event, one worker")
    titles = ("clients", "logins", "rows", "rows changed later", "transactions that write", "transactions",
              "log, bytes", "table, bytes", "indexes, bytes", "toast, bytes", "connections")  # fmt: skip
    for title in titles:
        made.add_column(title)
    with running(1) as bench:
        for found in footprints(bench):
            each = found.each
            made.add_row(
                str(found.clients),
                str(found.logins),
                *(f"{each[name]:.2f}" for name in ("rows", "updated", "writing", "transactions")),
                *(f"{each[name]:.0f}" for name in ("log", "heap", "indexes", "toast")),
                str(found.connections),
            )
        made.caption = f"without logins: {found.idle:.1f} transactions a second, which are subtracted"
    return made


def footprints(bench: Bench) -> list[Footprint]:
    """Measured on a running service."""
    bench.point(1, 0.5)
    first = _counts(bench)
    time.sleep(IDLE_SECONDS)
    after = _counts(bench)
    idle = [(now - was) / (IDLE_SECONDS + _FLUSH_SECONDS) for was, now in zip(first, after, strict=True)]
    found = []
    for clients in CLIENTS:
        began, before = time.perf_counter(), _counts(bench)
        executions = _executions(bench)
        bench.point(clients, SECONDS)
        connections = int(bench.ask(_CONNECTIONS)[0]) - 1
        now, took = _counts(bench), time.perf_counter() - began
        logins = _executions(bench) - executions
        each = {
            name: (end - start - quiet * took) / logins
            for name, start, end, quiet in zip(_COUNTED, before, now, idle, strict=True)
        }
        found.append(Footprint(clients, logins, each, connections, idle[2]))
    return found


def _counts(bench: Bench) -> list[float]:
    time.sleep(_FLUSH_SECONDS)
    return [float(value) for value in bench.ask(_QUERY)]


def _executions(bench: Bench) -> int:
    return int(bench.ask("select count(*) from executions")[0])
