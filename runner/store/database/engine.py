"""Opening the database, and transactions on it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

from pydantic_core import PydanticSerializationError, to_json
from sqlalchemy import Engine, Insert, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as TurnTimeoutError
from sqlalchemy.orm import Session, sessionmaker

from runner.store.database.faults import is_unavailable
from runner.store.database.notices import Notice, announced, send
from runner.store.database.turn import WriterTurn

_BUSY_MS: Final = 10_000
"""How long a writer of SQLite waits for another process."""
_TURN_SECONDS: Final = 10.0
"""How long one waits for others of this process."""
_PATIENCE: Final = {
    "statement_timeout": 30_000,
    "lock_timeout": 10_000,
    # Of a replica whose machine vanished: its locks would stay for hours.
    "idle_in_transaction_session_timeout": 60_000,
}
"""Milliseconds that PostgreSQL gives us; migrations take their time."""
_KEPT_ALIVE: Final = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""A database machine that is gone is noticed within seconds; the system's own defaults are a quarter of an
hour and more."""

_BEGIN: Final = "begin immediate"
"""What a transaction of SQLite begins with that writes."""
Listener = Callable[[Notice], None]


class StoreError(Exception):
    """The database cannot be used; the message names it without its password."""


class Store:
    """The database. Safe between threads.

    Attributes:
        engine: for migrations and for tests.
        token: tells its notices from those of others on the same database.
        hears: whether notices of other processes arrive here at once (`runner.store.database.listening`).
        failing: a transaction failed because the database could not be used, and none has written since.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine: Final = engine
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        # SQLite has one writer. Waiting for our own turn here is fair; its busy handler is not.
        self._writer = WriterTurn() if self.is_sqlite else None
        self._listeners: list[tuple[str, Listener, bool]] = []
        self.token: Final = secrets.token_hex(8)
        self.hears = False
        self.failing = False

    @classmethod
    def open(cls, url: str) -> Self:
        """The store at `url`: `sqlite:///path`, `postgresql://…` or `postgres://…`. Creates no tables.

        Raises:
            StoreError: `url` cannot be understood, or nothing answers there.
        """
        try:
            parsed = _normal(make_url(url))
        except ArgumentError:
            raise StoreError("DATABASE_URL is not a URL of a database") from None
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise StoreError(f"{parsed.get_backend_name()} is not supported; use sqlite or postgresql")
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            _make_folder(Path(parsed.database).parent)
        engine = _engine(parsed)
        try:
            with engine.connect() as connection:
                connection.execute(text("select 1"))
        except SQLAlchemyError as error:
            engine.dispose()
            shown = parsed.render_as_string(hide_password=True)
            raise StoreError(f"{shown} cannot be opened: {_first_line(error)}") from None
        return cls(engine)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def begin(self, *, urgent: bool = False) -> Iterator[Session]:
        """A transaction: committed at the end of the block, rolled back when it raises. What was done in it
        is on disk once the block is left.

        Args:
            urgent: before other writers of this process that wait: a login hangs on it.
        """
        try:
            with self._turn(urgent), self._sessions.begin() as session:
                if self._writer is not None:
                    session.connection().exec_driver_sql(_BEGIN)
                before = self._written(session) if self.failing else None
                yield session
                if self._writer is None:
                    send(session, self.token, announced(session))
                works = before is not None and self._written(session) != before
        except Exception as error:
            self.failing = self.failing or is_unavailable(error)
            raise
        if works:
            self.failing = False
        for notice in announced(session):
            self.tell(notice)

    def insert(self, rows: Mapping[Insert, Sequence[Mapping[str, Any]]]) -> None:
        """Insert the rows of each statement in an urgent transaction of their own, see `begin`. There is no
        session: its bookkeeping takes as long as all the rest."""
        if self.failing:
            with self.begin(urgent=True) as session:
                for statement, found in rows.items():
                    session.connection().execute(statement, found)
            return
        try:
            with self._turn(True), self.engine.connect() as connection:
                if self._writer is not None:
                    connection.exec_driver_sql(_BEGIN)
                for statement, found in rows.items():
                    connection.execute(statement, found)
                connection.commit()
        except Exception as error:
            self.failing = is_unavailable(error)
            raise

    def _written(self, session: Session) -> object:
        """Differs once the transaction has written: one that found nothing to do proves nothing."""
        session.flush()
        if self._writer is None:
            return session.scalar(text("select txid_current_if_assigned()"))
        raw: Any = session.connection().connection.dbapi_connection
        return raw.total_changes

    @contextmanager
    def _turn(self, urgent: bool) -> Iterator[None]:
        """The only writer of SQLite in this process, for the block. Raises `TimeoutError` of SQLAlchemy when
        another one is held up for too long: those behind it are not to wait for all before them."""
        if self._writer is None:
            yield
            return
        if not self._writer.acquire(_TURN_SECONDS, urgent=urgent):
            raise TurnTimeoutError("database is locked: other writers wait for it")
        try:
            yield
        finally:
            self._writer.release()

    def listen(self, topic: str, listener: Listener, *, elsewhere: bool = False) -> None:
        """From now on `listener` is told the notices of `topic`: those that this process commits, from the
        thread that did, unless it is for those of `elsewhere` only; and those of others that are heard. It
        must not block."""
        self._listeners.append((topic, listener, elsewhere))

    def tell(self, notice: Notice, *, elsewhere: bool = False) -> None:
        """Tell the listeners of this process what it has committed, or what was heard from `elsewhere`."""
        for topic, listener, only_elsewhere in self._listeners:
            if topic == notice.topic and (elsewhere or not only_elsewhere):
                listener(notice)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that only reads; it waits for no writer. Rows stay readable after it."""
        with self._sessions() as session:
            try:
                yield session
            finally:
                session.expunge_all()
                session.rollback()

    def close(self) -> None:
        self.engine.dispose()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(f"the folder {folder} cannot be made: {error.strerror}") from None


def _normal(url: URL) -> URL:
    """With the driver that we ship; hosters write `postgres://`."""
    if url.drivername in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    return url


def json_text(value: Any) -> str:
    """JSON without escapes that only ASCII needs, which make three bytes of each of a text; with them where a
    lone surrogate has no other form. Not by Python's encoder, which takes eight times as long for a log."""
    try:
        return to_json(value).decode()
    except PydanticSerializationError:
        return json.dumps(value)


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return _postgresql(url)
    engine = create_engine(
        url,
        hide_parameters=True,
        json_serializer=json_text,
        connect_args={"check_same_thread": False, "timeout": _BUSY_MS / 1000},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: Any) -> None:
        # Transactions are begun by `Store.begin`: the driver's own begin is deferred and may fail late.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode = wal",
            "synchronous = full",  # an acknowledged write survives a power loss (threat-model F2)
            "foreign_keys = on",
            f"busy_timeout = {_BUSY_MS}",
        ):
            cursor.execute(f"pragma {pragma}")
        cursor.close()

    return engine


def _postgresql(url: URL) -> Engine:
    engine = create_engine(
        url,
        pool_size=10,
        max_overflow=20,
        pool_pre_ping=True,
        json_serializer=json_text,
        hide_parameters=True,  # what a statement carries is none of the log's business
        connect_args={"client_encoding": "utf8", "connect_timeout": 10, **_KEPT_ALIVE},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: Any) -> None:
        # Set here and not in the packet that starts a session, in which poolers (PgBouncer) refuse them.
        with connection.cursor() as cursor:
            for name, value in _PATIENCE.items():
                cursor.execute(f"set {name} = {value}")
        connection.commit()

    return engine


def _first_line(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
