"""Suspended flows in the database: one taker, expiry, and survival of a restart."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from runner.admin.rotation import reseal
from runner.model.errors import ResumeError
from runner.store import KeyRing, SealError, Store
from runner.store.sealed.suspensions import SqlSuspensions, Waiting, forget
from runner.store.tables.runs import SuspensionRow

LATER = 4_000_000_000.0
RING = KeyRing({"k1": b"1" * 32})


def ring() -> KeyRing:
    return RING


def stored(store: Store, key: str = "k") -> str | None:
    with store.read() as session:
        return session.get_one(SuspensionRow, key).text


def test_a_flow_is_sealed_for_its_handle(store: Store) -> None:
    suspensions = SqlSuspensions(store, ring)
    suspensions.put("k", "a secret text", LATER)
    suspensions.put("other", "another", LATER)
    sealed = stored(store)
    assert sealed is not None
    assert sealed.startswith("k1:")
    assert "secret" not in sealed
    with store.begin() as session:
        session.get_one(SuspensionRow, "other").text = sealed
    with pytest.raises(SealError):
        suspensions.take("other")
    assert suspensions.peek("k") == suspensions.take("k") == "a secret text"
    assert stored(store) is None


def test_what_is_no_sealed_flow_does_not_open(store: Store) -> None:
    suspensions = SqlSuspensions(store, ring)
    suspensions.put("k", "text", LATER)
    for text in ("k1:", "k1:x", "k1:\u00e9", "k9:AAAA", "nothing"):
        with store.begin() as session:
            session.get_one(SuspensionRow, "k").text = text
        for look in (suspensions.peek, suspensions.take):
            with pytest.raises(SealError):
                look("k")
        assert stored(store) == text, "it can be taken once the right ring is back"


def test_flows_that_no_key_opens_can_be_given_up(store: Store) -> None:
    suspensions = SqlSuspensions(store, ring)
    suspensions.put("k", "text", LATER)
    other = KeyRing({"k1": b"2" * 32})
    SqlSuspensions(store, lambda: other).put("lost", "text", LATER)
    with store.begin() as session:
        forget(session, RING)
    assert suspensions.take("k") == "text"
    with pytest.raises(ResumeError):
        suspensions.peek("lost")


def test_flows_that_an_earlier_release_left_open_go_on_and_are_sealed_with_the_next_key(store: Store) -> None:
    suspensions = SqlSuspensions(store, ring)
    suspensions.put("k", "text", LATER)
    suspensions.put("used", "text", LATER)
    suspensions.take("used")
    suspensions.put("plain", "{}", LATER)
    with store.begin() as session:
        session.get_one(SuspensionRow, "plain").text = "{}"
    assert suspensions.peek("plain") == "{}"
    rotated = RING.rotated()
    reseal(store, rotated)
    for key, text in (("k", "text"), ("plain", "{}")):
        sealed = stored(store, key)
        assert sealed is not None
        assert sealed.startswith("k2:")
        assert SqlSuspensions(store, lambda: rotated).take(key) == text


def test_of_many_takers_one_has_it(store: Store) -> None:
    suspensions = SqlSuspensions(store, ring)
    suspensions.put("k", "text", LATER, tenant="t", versions=["v1", "v2"])
    assert suspensions.peek("k") == "text"
    assert suspensions.found("k") == Waiting("text", ("v1", "v2"))
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
    suspensions = SqlSuspensions(store, ring, clock=lambda: clock[0])
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
    SqlSuspensions(store, ring).put("k", "text ü", LATER)
    other = Store.open(url)
    assert SqlSuspensions(other, ring).take("k") == "text ü"
    other.close()
