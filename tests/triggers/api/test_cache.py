"""`api.cache`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.triggers.driver import NOW, Flow, error
from triggers import MemoryCache, all_triggers
from triggers.engine.services import CacheRecord

MS = int(NOW * 1000)


def put(flow: Flow, key: object, value: object, *options: object) -> Any:
    return flow.call("cache.set", key, value, *options)["ok"]


def code(flow: Flow, key: object, value: object, *options: object) -> object:
    answer = put(flow, key, value, *options)
    return answer.get("code") if isinstance(answer, dict) else None


@pytest.mark.parametrize("trigger", [trigger.id for trigger in all_triggers()])
def test_every_trigger_has_the_cache(trigger: str) -> None:
    flow = Flow(trigger)
    assert put(flow, "k", "v") == {"type": "success", "record": {"value": "v", "expires_at": MS + 900_000}}
    assert flow.call("cache.get", "k") == {"ok": {"value": "v", "expires_at": MS + 900_000}}
    assert flow.call("cache.delete", "k") == {"ok": {"type": "success"}}
    assert flow.call("cache.get", "k") == {}
    assert flow.call("cache.delete", "k")["ok"] == {"type": "error", "code": "CacheKeyDoesNotExist"}


def test_records_stay_though_the_action_fails() -> None:
    flow = Flow("post-login")
    put(flow, "k", "v")
    assert flow.state.commands == ()
    assert flow.call("cache.get", "k")["ok"]["value"] == "v"


def test_records_expire_by_the_clock() -> None:
    now = [NOW]
    flow = Flow("post-login", clock=lambda: now[0])
    put(flow, "k", "v", {"ttl": 1000})
    now[0] = NOW + 0.999
    assert "ok" in flow.call("cache.get", "k")
    now[0] = NOW + 1
    assert flow.call("cache.get", "k") == {}
    assert flow.call("cache.delete", "k")["ok"]["code"] == "CacheKeyDoesNotExist"


@pytest.mark.parametrize(
    ("options", "expires_at"),
    [
        ({}, MS + 900_000),
        (None, MS + 900_000),
        ({"ttl": 1}, MS + 1),
        ({"expires_at": MS + 5}, MS + 5),
        ({"ttl": 10, "expires_at": MS + 5}, MS + 5),
        ({"ttl": 5, "expires_at": MS + 10}, MS + 5),
        ({"ttl": 5.0}, MS + 5),
        ({"ttl": 86_400_000}, MS + 86_400_000),
        ({"ttl": 86_400_001}, MS + 86_400_000),
        ({"expires_at": 2**53 - 1}, MS + 86_400_000),
    ],
)
def test_when_a_record_expires(options: object, expires_at: int) -> None:
    assert put(Flow("post-login"), "k", "v", options)["record"]["expires_at"] == expires_at


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({"ttl": float("nan")}, "InvalidExpiry"),
        ({"ttl": None}, "InvalidExpiry"),
        ({"ttl": "5"}, "InvalidExpiry"),
        ({"ttl": True}, "InvalidExpiry"),
        ({"expires_at": float("inf")}, "InvalidExpiry"),
        ({"expires_at": []}, "InvalidExpiry"),
        ({"ttl": 0.5}, "InvalidExpiry"),
        ({"expires_at": 2**53}, "InvalidExpiry"),
        ({"expires_at": 2**1000}, "InvalidExpiry"),
        ({"ttl": 0}, "ItemAlreadyExpired"),
        ({"ttl": -1}, "ItemAlreadyExpired"),
        ({"expires_at": MS}, "ItemAlreadyExpired"),
        ({"expires_at": 0, "ttl": 5}, "ItemAlreadyExpired"),
        ({"ttl": None, "expires_at": 0}, "InvalidExpiry"),
    ],
)
def test_an_expiry_that_is_refused(options: object, answer: str) -> None:
    flow = Flow("post-login")
    assert code(flow, "k", "v", options) == answer
    assert flow.call("cache.get", "k") == {}


@pytest.mark.parametrize(
    ("key", "value", "answer"),
    [
        ("k" * 64, "v", None),
        ("k" * 65, "v", "CacheKeySizeExceeded"),
        ("ü" * 32, "v", None),
        ("ü" * 33, "v", "CacheKeySizeExceeded"),
        ("k", "v" * 4096, None),
        ("k", "v" * 4097, "CacheValueSizeExceeded"),
        ("k", "\u20ac" * 1366, "CacheValueSizeExceeded"),
        ("", "", None),
    ],
)
def test_sizes_are_bytes(key: str, value: str, answer: str | None) -> None:
    assert code(Flow("post-login"), key, value) == answer


def test_all_records_together() -> None:
    flow = Flow("post-login")
    for key in "abcd":
        assert code(flow, key, "v" * 4095) is None
    assert code(flow, "e", "v" * 255) is None  # 16 640 bytes
    assert code(flow, "f", "") == "CacheSizeExceeded"


def test_the_old_value_of_the_key_counts_too() -> None:
    flow = Flow("post-login")
    for key in "abcd":
        put(flow, key, "v" * 4095)
    assert code(flow, "a", "v" * 255) is None
    assert code(flow, "b", "v" * 4096) == "CacheSizeExceeded"


def test_twenty_records_and_not_one_more() -> None:
    flow = Flow("post-login")
    assert [code(flow, f"k{n}", "v") for n in range(20)] == [None] * 20
    assert code(flow, "more", "v") == "CacheSizeExceeded"
    assert code(flow, "k3", "new") is None


def test_expired_records_make_room() -> None:
    now = [NOW]
    flow = Flow("post-login", clock=lambda: now[0])
    for n in range(20):
        put(flow, f"k{n}", "v" * 800, {"ttl": 1000})
    now[0] += 1
    assert code(flow, "more", "v" * 4096) is None


def test_checks_come_in_the_packages_order() -> None:
    flow = Flow("post-login")
    assert code(flow, "k" * 65, "v" * 4097, {"ttl": None}) == "CacheKeySizeExceeded"
    assert code(flow, "k", "v" * 4097, {"ttl": None}) == "CacheValueSizeExceeded"
    for key in "abcd":
        put(flow, key, "v" * 4095)
    assert code(flow, "k", "v" * 4096, {"ttl": None}) == "CacheSizeExceeded"


@pytest.mark.parametrize("arguments", [[], [5, "v"], ["k"], ["k", {"a": 1}], ["k", None], ["k", "v", 5]])
def test_what_is_not_a_string_throws(arguments: list) -> None:
    assert Flow("post-login").call("cache.set", *arguments)["error"]["name"] == "TypeError"


def test_reading_with_odd_keys() -> None:
    assert Flow("post-login").call("cache.get", "k" * 10_000) == {}
    assert "key must be a string" in error(Flow("post-login").call("cache.get", 5))
    assert Flow("post-login").call("cache.delete", "k" * 10_000)["ok"]["code"] == "CacheKeyDoesNotExist"


def test_the_memory_cache_counts_live_records_only() -> None:
    cache = MemoryCache()
    cache.set("ü", CacheRecord("xyz", 100), 0)
    assert cache.usage(99) == (1, 5)
    assert cache.usage(100) == (0, 0)
    assert cache.get("ü", 0) is None  # swept
