"""Changes of what a trigger runs are told once they are committed, and never before."""

from __future__ import annotations

import contextlib

from runner.store import Store
from runner.store.database.notices import BINDINGS
from runner.store.generations import bump, generation


def test_a_change_is_told_when_it_is_committed(store: Store) -> None:
    told: list[tuple[str, str]] = []
    store.listen(BINDINGS, lambda notice: told.append((notice.tenant, notice.key)))
    with store.begin() as session:
        bump(session, "t", "post-login")
        bump(session, "t", "post-login")
        assert told == []
    assert told == [("t", "post-login")]
    with store.read() as session:
        assert generation(session, "t", "post-login") == 2
        assert generation(session, "other", "post-login") == 0


def test_a_change_that_is_rolled_back_is_not_told(store: Store) -> None:
    told: list[tuple[str, str]] = []
    store.listen(BINDINGS, lambda notice: told.append((notice.tenant, notice.key)))
    with contextlib.suppress(KeyError), store.begin() as session:
        bump(session, "t", "post-login")
        raise KeyError
    assert told == []
    with store.read() as session:
        assert generation(session, "t", "post-login") == 0
