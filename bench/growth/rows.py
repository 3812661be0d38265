"""Executions by the million, made inside the database: spread over tenants, triggers, days and results."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final

import psycopg

BIG: Final = "main"
"""Tenant of six executions in ten; its Actions run in the service under test."""
SMALL: Final = "small"
"""Tenant of one execution in a hundred."""
DAYS: Final = 9
"""All executions are of these days, evenly, so that none is due for the cleaner while others are timed."""
_CHUNK: Final = 500_000
_TABLES: Final = ("executions", "execution_actions", "jobs", "idempotency_keys")
_ACTION: Final = "5b0a1f0e-8f53-4d6a-9c4e-0d8f1f0c2a11"
_OK: Final = (
    '[{"action_name":"enrich-token","action_id":"5b0a1f0e-8f53-4d6a-9c4e-0d8f1f0c2a11","version_id":'
    '"7c2f7a52-1be5-43c3-8a4f-3f5f1a2b9d10","status":"ok","started_at":"2026-01-01T00:00:00.000Z","ended_at":'
    '"2026-01-01T00:00:00.002Z","logs":[],"statistics":{"wall_ms":2.1}}]'
)
_FAILED: Final = _OK.replace('"status":"ok"', '"status":"failed"').replace(
    '"logs"',
    '"error":{"id":"uncaught","msg":"x is not a function (a.js:1)"},"failure":{"name":"TypeError","message":'
    '"x is not a function","stack":["at onExecutePostLogin (a.js:1)"]},"logs"',
)
_OUTCOME: Final = '{"decision":"allow","effects":{},"actions":[]}'
# The spread: number `i` is drawn from by multiples of it that share no pattern.
_TENANT: Final = (
    f"case when i % 100 < 60 then '{BIG}' when i % 100 = 60 then '{SMALL}' "
    "else 'tenant-' || (i * 7919 / 100 % 149) end"
)
_TRIGGER: Final = (
    "case when draw < 850 then 'post-login' when draw < 930 then 'credentials-exchange' "
    "when draw < 960 then 'pre-user-registration' when draw < 980 then 'post-user-registration' "
    "when draw < 990 then 'post-change-password' else 'send-phone-message' end"
)
_DECISION: Final = (
    "case when luck < 960 then 'allow' when luck < 985 then 'deny' when luck < 998 then 'failed' "
    "else 'suspended' end"
)
_STATUS: Final = "case when luck < 10 then 'partial' when luck < 998 then 'final' else 'suspended' end"
_HAS_FAILED: Final = "luck < 10 or (luck >= 985 and luck < 998)"
_ASYNCHRONOUS: Final = "trigger_id in ('post-user-registration', 'post-change-password')"
_COLUMNS: Final = (
    "tenant_id, id, trigger_id, status, decision, results, outcome, trace_id, created_at, updated_at, "
    "expires_at"
)


def fill_sqlite(path: str, count: int) -> None:
    """Add `count` executions, with what belongs to them, to the empty database at `path`."""
    database = sqlite3.connect(path, isolation_level=None)
    run = database.execute
    for pragma in ("journal_mode = off", "synchronous = off", "cache_size = -3000000", "temp_store = memory"):
        run(f"pragma {pragma}").fetchall()
    run("begin")
    named = ", ".join(f"'{table}'" for table in _TABLES)
    indexes = run(
        "select name, sql from sqlite_master where type = 'index' and sql is not null "
        f"and tbl_name in ({named})"
    ).fetchall()
    for name, _ in indexes:
        run(f"drop index {name}")
    uuid = "lower(hex(randomblob(16)))"
    at = "strftime('%Y-%m-%d %H:%M:%f', {}, 'unixepoch') || '000'"
    first = float(run("select strftime('%s', 'now')").fetchone()[0]) - DAYS * 86400
    numbers = (
        "with recursive n(i) as (select {begin} union all select i + 1 from n where i + 1 < {end}) "
        "select i from n"
    )
    for begin in range(0, count, _CHUNK):
        source = numbers.format(begin=begin, end=min(begin + _CHUNK, count))
        run(_executions(source, uuid, at, first, count, "{}"))
    _rest(run, at, first, "0", "1", at.format(first + (DAYS - 1) * 86400))
    for _, sql in indexes:
        run(sql)
    run("commit")
    run("pragma journal_mode = wal").fetchall()
    database.close()


def fill_postgresql(url: str, count: int) -> None:
    """The same in PostgreSQL."""
    with psycopg.connect(url, autocommit=True) as database:
        run = database.execute
        run("set maintenance_work_mem = '1GB'")
        run("set synchronous_commit = off")
        indexes = database.execute(
            "select indexname, indexdef from pg_indexes where tablename = any(%s) and indexname not like %s",
            (list(_TABLES), "%_pkey"),
        ).fetchall()
        for name, _ in indexes:
            run(f"drop index {name}")
        keys = ("tenant_id, id", "tenant_id, execution_id, position", "tenant_id, id", "tenant_id, key")
        for table in _TABLES:
            run(f"alter table {table} drop constraint {table}_pkey")
        first = run("select extract(epoch from now())").fetchone()[0] - DAYS * 86400  # type: ignore[index]
        for begin in range(0, count, _CHUNK):
            source = (
                f"select i::bigint from generate_series({begin}, {min(begin + _CHUNK, count) - 1}) as g(i)"
            )
            run(
                _executions(
                    source, "gen_random_uuid()::text", "to_timestamp({})", float(first), count, "{}::json"
                )
            )
        last_day = f"to_timestamp({float(first) + (DAYS - 1) * 86400})"
        _rest(run, "to_timestamp({})", float(first), "false", "true", last_day)
        for table, key in zip(_TABLES, keys, strict=True):
            run(f"alter table {table} add primary key ({key})")
        for _, definition in indexes:
            run(definition)
        run("vacuum analyze")
        run("checkpoint")


def _executions(source: str, uuid: str, at: str, first: float, count: int, json: str) -> str:
    created = at.format(f"{first!r} + i * {DAYS * 86400 / count!r}")
    expires = at.format(f"{first!r} + 10 * 86400 + i * {DAYS * 86400 / count!r}")
    results = (
        f"case when {_HAS_FAILED} then {json.format(_quoted(_FAILED))} else {json.format(_quoted(_OK))} end"
    )
    drawn = (
        f"select i, i * 48271 / 7 % 1000 as draw, i * 69621 / 11 % 1000 as luck from ({source}) as numbers"
    )
    return (
        f"insert into executions ({_COLUMNS}) select {_TENANT}, {uuid}, {_TRIGGER}, {_STATUS}, {_DECISION}, "
        f"{results}, {_quoted(_OUTCOME)}, null, {created}, {created}, {expires} from ({drawn}) as drawn"
    )


def _rest(run: Callable[[str], object], at: str, first: float, no: str, yes: str, last_day: str) -> None:
    """What hangs on executions. One Action ran in the first hundredth of the time only."""
    early = at.format(first + DAYS * 864)
    name = (
        f"case when created_at < {early} then 'retired' when substr(id, 1, 1) = '0' then 'risk-score' "
        "else 'enrich-token' end"
    )
    failed = f"case when status = 'partial' or decision = 'failed' then {yes} else {no} end"
    run(
        "insert into execution_actions (tenant_id, execution_id, position, action_id, action_name, failed, "
        f"recorded_at, created_at) select tenant_id, id, 0, '{_ACTION}', {name}, {failed}, created_at, "
        "created_at from executions"
    )
    state = "case when substr(id, 1, 2) = '00' then 'dead' else 'done' end"
    run(
        "insert into jobs (tenant_id, id, kind, payload, execution_id, state, attempts, next_at, created_at, "
        f"updated_at) select tenant_id, 'j' || substr(id, 2), 'flow', '{{}}', id, {state}, 1, created_at, "
        f"created_at, created_at from executions where {_ASYNCHRONOUS} and (created_at >= {last_day} or "
        "substr(id, 1, 2) = '00')"
    )
    run(
        "insert into idempotency_keys (tenant_id, key, digest, status, answer, expires_at) select tenant_id, "
        f"id, id, 200, 'x', expires_at from executions where created_at >= {last_day} and "
        "substr(id, 1, 1) = 'a'"
    )


def _quoted(text: str) -> str:
    return f"'{text}'"
