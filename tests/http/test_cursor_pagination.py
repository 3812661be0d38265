"""Cursors come back as they went, and lists that go on from them lose and repeat nothing."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import create_engine, delete, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from runner.http.cursor_pagination import Cursor, CursorPage
from runner.http.errors import ApiError
from runner.store.tables.columns import Moment

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 2**53).map(lambda number: EPOCH + timedelta(microseconds=number))
IDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=40)


class Base(DeclarativeBase):
    """Tables of this test."""


class Item(Base):
    """One item of a list."""

    __tablename__ = "items"
    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment())


@pytest.fixture
def session() -> Iterator[Session]:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()


def fill(session: Session, moments: list[int]) -> None:
    """Items of these seconds, with ids in another order."""
    session.execute(delete(Item))
    for number, second in enumerate(moments):
        session.add(Item(id=f"{(number * 7) % 100:02d}-{number}", at=EPOCH + timedelta(seconds=second)))
    session.flush()


@given(MOMENTS, IDS)
def test_a_cursor_comes_back_as_it_went(at: datetime, item: str) -> None:
    cursor = Cursor(at, item)
    assert Cursor.of(str(cursor)) == cursor
    assert str(cursor).isascii()
    assert not set(str(cursor)) & set("+/=&?# ")


@given(st.text(max_size=60))
@example("====")
@example("é")
def test_any_other_text_is_a_cursor_or_is_refused(text: str) -> None:
    with contextlib.suppress(ApiError):
        cursor = Cursor.of(text)
        assert cursor.id
        assert Cursor.of(str(cursor)) == cursor


@pytest.mark.parametrize(
    "inside", [b"", b":", b"1", b"1:", b":a", b"-1:a", b"1.5:a", b"\xff:a", b"1:\0", b"9" * 17 + b":a"]
)
def test_what_no_list_gave_is_refused(inside: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        Cursor.of(base64.urlsafe_b64encode(inside).decode().rstrip("="), "after")
    assert (caught.value.status_code, caught.value.error_code) == (400, "invalid_query_string")
    assert "'after' is not a checkpoint" in caught.value.message


@pytest.mark.parametrize("newest", [False, True])
@pytest.mark.parametrize("take", [1, 2, 3, 7, 8])
def test_pages_are_the_whole_list_in_order(session: Session, take: int, newest: bool) -> None:
    fill(session, [3, 1, 2, 2, 2, 3, 0])
    found: list[Item] = []
    start: str | None = None
    while True:
        rows, start = CursorPage(start, take).fetch(session, select(Item), Item.at, Item.id, newest=newest)
        found += rows
        assert len(rows) <= take
        if start is None:
            break
        assert len(rows) == take
    assert len(found) == 7
    keys = [(item.at, item.id) for item in found]
    assert keys == sorted(keys, reverse=newest)


def test_what_a_cursor_stood_on_may_be_deleted(session: Session) -> None:
    fill(session, [1, 2, 3])
    (first,), start = CursorPage(None, 1).fetch(session, select(Item), Item.at, Item.id)
    session.delete(first)
    session.flush()
    rows, start = CursorPage(start, 5).fetch(session, select(Item), Item.at, Item.id)
    assert [item.at.second for item in rows] == [2, 3]
    assert start is None


def test_a_list_that_ends_with_the_page_has_no_next_one(session: Session) -> None:
    fill(session, [1, 2])
    _, start = CursorPage(None, 2).fetch(session, select(Item), Item.at, Item.id)
    assert start is None
