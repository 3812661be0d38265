"""Lists of executions and jobs are cut by bytes, read no more than they show, and go on where they ended."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from runner.model.caps import MAX_LIST_BYTES
from runner.runtime.log_hub import Hub
from runner.runtime.log_tail import Follower
from runner.runtime.records import executions
from runner.runtime.records.executions import Filters, get_execution, list_executions, list_jobs
from runner.store import Store
from runner.store.database.by_size import bytes_of
from runner.store.tables.columns import now
from runner.store.tables.runs import ExecutionRow, JobRow
from tests.runtime.tenants import tenant

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def record(
    store: Store, t: str, number: int, text: str, *, outcome: str = "{}", at: int | None = None
) -> str:
    """An execution whose only log line is `text`."""
    moment = START + timedelta(seconds=number if at is None else at)
    line = {"at_ms": 0.0, "level": "log", "text": text, "cut_bytes": 0}
    with store.begin() as session:
        session.add(
            ExecutionRow(
                tenant_id=t,
                id=f"e{number:03}",
                trigger_id="post-login",
                status="final",
                decision="allow",
                results=[{"action_name": "a", "logs": [line]}],
                outcome=outcome,
                created_at=moment,
                updated_at=moment,
                expires_at=moment,
            )
        )
    return f"e{number:03}"


def walk(store: Store, t: str, per_page: int) -> Iterator[list[str]]:
    """Ids of part after part."""
    after = None
    while True:
        with store.read() as session:
            part = list_executions(session, t, Filters(), 0, per_page, after)
        yield [item["id"] for item in part.items]
        after = part.following
        if after is None:
            return


@pytest.mark.parametrize("per_page", [1, 3, 7, 100])
def test_parts_together_are_the_whole_list_whatever_their_size(
    store: Store, monkeypatch: pytest.MonkeyPatch, per_page: int
) -> None:
    t = tenant(store)
    sizes = [10, 3000, 10, 10, 9000, 10, 500, 500, 500, 10, 10, 10]
    made = [record(store, t, number, "x" * size, at=number // 3) for number, size in enumerate(sizes)]
    monkeypatch.setattr(executions, "MAX_LIST_BYTES", 2000)
    parts = list(walk(store, t, per_page))
    assert [key for part in parts for key in part] == sorted(made, reverse=True)
    assert all(len(part) <= per_page for part in parts)
    shown = dict(zip(made, sizes, strict=True))
    assert all(len(part) == 1 or sum(shown[key] for key in part) <= 2000 for part in parts)


def test_bytes_count_and_not_characters(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    t = tenant(store)
    for number in range(4):
        record(store, t, number, "日" * 400)
    monkeypatch.setattr(executions, "MAX_LIST_BYTES", 2400)
    assert [len(part) for part in walk(store, t, 100)] == [1, 1, 1, 1]
    monkeypatch.setattr(executions, "MAX_LIST_BYTES", 2800)
    assert [len(part) for part in walk(store, t, 100)] == [2, 2], "no escapes make more of them"


@pytest.mark.parametrize(
    "text", ["日" * 1000, "é" * 1000, "\U0001f600" * 1000, "plain", "\ud800 alone", "\x00"]
)
def test_what_is_stored_takes_the_bytes_of_its_text(store: Store, text: str) -> None:
    t = tenant(store)
    record(store, t, 1, text)
    with store.read() as session:
        (part,) = list_executions(session, t, Filters(), 0, 10).items
        size = session.scalar(select(bytes_of(session, ExecutionRow.results)))
    assert part["results"][0]["logs"][0]["text"] == text
    assert size is not None
    assert size <= len(text.encode("utf-8", "surrogatepass")) + 150


def test_a_part_costs_the_memory_of_what_it_shows(store: Store) -> None:
    t = tenant(store)
    for number in range(60):
        record(store, t, number, "x" * 250_000, outcome="y" * 250_000)
    tracemalloc.start()
    try:
        with store.read() as session:
            part = list_executions(session, t, Filters(), 0, 100)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 10 <= len(part.items) < 20
    assert part.following is not None
    assert peak < 6 * MAX_LIST_BYTES


def test_pages_by_number_still_count_executions(store: Store) -> None:
    t = tenant(store)
    made = [record(store, t, number, "x") for number in range(5)]
    with store.read() as session:
        second = list_executions(session, t, Filters(), 1, 2)
        past = list_executions(session, t, Filters(), 9, 2)
    assert [item["id"] for item in second.items] == [made[2], made[1]]
    assert second.following is not None
    assert (past.items, past.following) == ([], None)


def test_jobs_are_listed_without_their_events(store: Store) -> None:
    t = tenant(store)
    record(store, t, 1, "x")
    flow: dict[str, Any] = {
        "payload": {"trigger": "post-login", "body": {"event": {"secret\0": "z" * 100_000}}},
        "kind": "flow",
    }
    with store.begin() as session:
        for number, facts in enumerate(
            ({**flow, "execution_id": "e001"}, {**flow, "execution_id": "gone"}, {"kind": "build"})
        ):
            at = now() + timedelta(seconds=number)
            session.add(JobRow(tenant_id=t, state="dead", next_at=at, created_at=at, **facts))
    read: list[str] = []

    @event.listens_for(store.engine, "before_cursor_execute")
    def note(_c: Any, _u: Any, statement: str, *_: Any) -> None:
        read.append(statement)

    with store.read() as session:
        listed = list_jobs(session, t, "dead", 0, 20)
        whole = get_execution(session, t, "e001")
    assert [(job["kind"], job["trigger_id"]) for job in listed] == [
        ("flow", "post-login"),
        ("flow", "post-login"),
        ("build", None),
    ]
    assert whole is not None
    assert [job["trigger_id"] for job in whole["jobs"]] == ["post-login"]
    assert sum("payload" in statement for statement in read) == 1, "of the job whose execution is gone"


def test_followers_read_a_few_megabytes_at_a_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    t = tenant(store)
    made = [record(store, t, number, "x" * 1000) for number in range(9)]
    monkeypatch.setattr(executions, "MAX_LIST_BYTES", 2500)
    portions: list[int] = []
    real = executions.executions_of

    def counted(session: Any, owner: str, ids: Any) -> Any:
        portions.append(len(ids))
        return real(session, owner, ids)

    monkeypatch.setattr("runner.runtime.log_tail.executions_of", counted)

    async def go() -> list[str]:
        hub = Hub()
        follower = Follower(store, hub)
        async with hub.reader(t) as reader:
            await follower._look(t, START - timedelta(seconds=1))
            shown = [await reader.next(0.1) for _ in made]
        return [item.item["id"] for item in shown if item is not None]

    assert asyncio.run(go()) == made
    assert max(portions) == 2
