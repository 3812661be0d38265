"""Suspended flows in the database: one taker, expiry, and survival of a restart."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from runner.errors import ResumeError
from runner.store import SqlSuspensions, Store

LATER = 4_000_000_000.0


def test_of_many_takers_one_has_it(store: Store) -> None:
    suspensions = SqlSuspensions(store)
    suspensions.put("k", "text", LATER, tenant="t", versions=["v1", "v2"])
    assert suspensions.peek("k") == "text"
    assert suspensions.versions("k") == ("v1", "v2")
    results: list[str] = []

    def take() -> None:
        try:
            results.append(suspensions.take("k"))
        except ResumeError as error:
            results.append(error.code)

    threads = [threading.Thread(target=take) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["handle_used"] * 19 + ["text"]


def test_unknown_used_and_expired_are_told_apart(store: Store) -> None:
    clock = [datetime(2026, 1, 1, tzinfo=UTC)]
    suspensions = SqlSuspensions(store, clock=lambda: clock[0])
    suspensions.put("k", "text", clock[0].timestamp() + 10)
    suspensions.put("used", "text", clock[0].timestamp() + 10)
    suspensions.take("used")
    clock[0] = clock[0].replace(second=10)
    for key, code in (("k", "handle_expired"), ("used", "handle_used"), ("none", "handle_unknown")):
        for look in (suspensions.peek, suspensions.take):
            with pytest.raises(ResumeError) as caught:
                look(key)
            assert caught.value.code == code.replace("handle_unknown", "unknown_handle")


def test_what_was_put_is_there_for_another_process(store: Store, url: str) -> None:
    SqlSuspensions(store).put("k", "text ü", LATER)
    other = Store.open(url)
    assert SqlSuspensions(other).take("k") == "text ü"
    other.close()
