"""What is read again and again finds its rows along an index, in both databases, without statistics or with
them: its cost does not grow with the executions on record."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, update

from bench.growth.rows import BIG, SMALL, fill_postgresql, fill_sqlite
from runner.http.cursor_pagination import Cursor
from runner.jobs import queue
from runner.jobs.cleaner import Cleaner
from runner.jobs.queue import JobQueue
from runner.management.logs.entries import FAILURE, TYPES, Entries, LogPosition, Wanted
from runner.runtime.records.executions import (
    Filters,
    changed_since,
    get_execution,
    list_executions,
    list_jobs,
)
from runner.store import Store
from runner.store.tables.runs import ExecutionAction
from tests.databases import migrated_database, migrated_file

COUNT = 10_000
NOW = datetime.now(UTC)
THEN = NOW - timedelta(days=4)
FILTERS = {
    "all": Filters(),
    "trigger": Filters(trigger="post-login"),
    "rare trigger": Filters(trigger="post-change-password"),
    "action": Filters(action="enrich-token"),
    "old action": Filters(action="retired"),
    "no action": Filters(action="never"),
    "status": Filters(status="final"),
    "rare status": Filters(status="suspended"),
    "no status": Filters(status="canceled"),
    "decision": Filters(decision="allow"),
    "rare decision": Filters(decision="failed"),
    "no decision": Filters(decision="never"),
    "from": Filters(since=THEN),
    "to": Filters(until=THEN),
    "trigger and decision": Filters(trigger="post-login", decision="deny"),
    "action and decision": Filters(action="risk-score", decision="deny"),
    "action and trigger": Filters(action="risk-score", trigger="post-login"),
    "action and dates": Filters(action="enrich-token", since=THEN, until=THEN + timedelta(hours=3)),
}
LOGS: dict[str, Collection[str] | None] = {
    "all": None,
    "logins": {"s"},
    "failed logins": {"f"},
    "sign-ups": {"fs", "ss"},
    "failed Actions": {FAILURE},
    "all types": TYPES,
}
_CHEAP = 20
"""Cost of reading a table that fits into a few pages: PostgreSQL then looks at no index."""
_DEAR = ("enable_seqscan", "enable_sort", "enable_bitmapscan")
"""What PostgreSQL does only when no index serves, once it is off: what it would choose depends on a sample of
the rows, which is another one each time."""
TABLES = "executions|execution_actions|jobs|idempotency_keys"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def grown(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path: Path = tmp_path_factory.mktemp("grown") / "actionbox.db"
    url = migrated_database() if request.param == "postgresql" else f"sqlite:///{migrated_file(path)}"
    store = Store.open(url)
    store.close()  # it connects again
    if store.is_sqlite:
        fill_sqlite(str(path), COUNT)
    else:
        fill_postgresql(url, COUNT)
    yield store
    store.close()


@contextmanager
def flat(store: Store) -> Iterator[None]:
    """Every statement of the block reads what it needs along an index."""
    plans: list[tuple[str, str]] = []
    asking = False
    how = "explain query plan" if store.is_sqlite else "explain"

    def explain(_c: Any, cursor: Any, statement: str, parameters: Any, _x: Any, many: bool) -> None:
        nonlocal asking
        if asking or not re.match(r"\s*(select|with|delete|update)\b", statement, re.IGNORECASE):
            return
        asking = True
        other = cursor.connection.cursor()
        for dear in () if store.is_sqlite else _DEAR:
            other.execute(f"set local {dear} = off")
        rows = other.execute(f"{how} {statement}", parameters[0] if many else parameters).fetchall()
        for dear in () if store.is_sqlite else _DEAR:
            other.execute(f"set local {dear} = on")
        other.close()
        plans.append((statement, "\n".join(str(row[-1]) for row in rows)))
        asking = False

    event.listen(store.engine, "before_cursor_execute", explain)
    try:
        yield
    finally:
        event.remove(store.engine, "before_cursor_execute", explain)
    assert plans
    for statement, plan in plans:
        assert not whole_tables(plan), f"{statement}\n{plan}"


def whole_tables(plan: str) -> list[str]:
    """Lines of a plan that read all rows of a table, or sort more than a few."""
    found = re.findall(rf"^SCAN (?:{TABLES})\b.*|.*MULTI-INDEX.*|.*Semi Join.*", plan, re.MULTILINE)
    scans = rf"^.*\bSeq Scan on (?:{TABLES})\b.*\.\.(\d+).*$"
    found += [f"Seq Scan of {cost}" for cost in re.findall(scans, plan, re.MULTILINE) if int(cost) > _CHEAP]
    if "jobs_by_execution" not in plan:  # an execution has few jobs
        found += re.findall(r".*TEMP B-TREE FOR ORDER BY.*", plan)
    sorts = re.findall(r"^.*\bSort  \(cost=\S+ rows=(\d+).*$", plan, re.MULTILINE)
    if "Incremental" not in plan:
        found += [f"Sort of {rows} rows" for rows in sorts if int(rows) > COUNT / 20]
    return found


@pytest.mark.parametrize("tenant", [BIG, SMALL])
@pytest.mark.parametrize("name", FILTERS)
def test_lists(grown: Store, tenant: str, name: str) -> None:
    with grown.read() as session, flat(grown):
        first = list_executions(session, tenant, FILTERS[name], 0, 20)
        list_executions(session, tenant, FILTERS[name], 0, 20, first.following or Cursor(THEN, "a"))


def test_an_action_of_an_earlier_release_is_found(grown: Store) -> None:
    """Its rows do not say when their executions began."""
    with grown.read() as session:
        wanted = list_executions(session, BIG, Filters(action="risk-score"), 0, 50).items
    undated = update(ExecutionAction).where(
        ExecutionAction.tenant_id == BIG, ExecutionAction.execution_id == wanted[3]["id"]
    )
    with grown.begin() as session:
        session.execute(undated.values(created_at=None))
        found = list_executions(session, BIG, Filters(action="risk-score"), 0, 50).items
        session.execute(undated.values(created_at=datetime.fromisoformat(wanted[3]["created_at"])))
    assert wanted == found


@pytest.mark.parametrize("tenant", [BIG, SMALL])
def test_one_execution(grown: Store, tenant: str) -> None:
    with grown.read() as session:
        (one,) = list_executions(session, tenant, Filters(until=THEN), 0, 1).items
        with flat(grown):
            assert get_execution(session, tenant, one["id"]) is not None


@pytest.mark.parametrize("tenant", [BIG, SMALL])
@pytest.mark.parametrize("oldest", [False, True])
@pytest.mark.parametrize("types", list(LOGS))
def test_the_log(grown: Store, tenant: str, types: str, *, oldest: bool) -> None:
    for wanted in (Wanted(LOGS[types]), Wanted(LOGS[types], THEN), Wanted(LOGS[types], None, THEN)):
        with grown.read() as session, flat(grown):
            entries = Entries(session, tenant)
            entries.page(wanted, 0, 50, oldest=oldest)
            entries.total(wanted, 50)


def test_the_log_from_a_checkpoint(grown: Store) -> None:
    with grown.read() as session, flat(grown):
        for slot in (0, 1):
            assert Entries(session, BIG).after(LogPosition(THEN, "a", slot), 50)
        changed_since(session, BIG, THEN, 500)


@pytest.mark.parametrize("state", ["dead", "done", "ready"])
def test_jobs(grown: Store, state: str) -> None:
    with grown.read() as session, flat(grown):
        list_jobs(session, BIG, state, 0, 20)


def test_the_queue(grown: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    found = JobQueue(grown).counts()
    assert found["done"] > 20
    monkeypatch.setattr(queue, "_COUNTS", queue._counts(20))
    with flat(grown):
        assert JobQueue(grown).counts()["done"] == 20, "no more of them are counted"


def test_the_cleaner(grown: Store) -> None:
    """The oldest tenth goes."""
    with flat(grown):
        gone = Cleaner(grown, lambda: NOW + timedelta(days=2)).clean()
    assert COUNT / 20 < gone["executions"] < COUNT / 5
    assert gone["jobs"] > 10
