"""`api.transaction.setMetadata`."""

from __future__ import annotations

import pytest

from tests.triggers.driver import ABSENT, Flow, error


def test_values_and_removal() -> None:
    flow = Flow("post-login").action(
        ("transaction.setMetadata", "s", "x"),
        ("transaction.setMetadata", "n", 1.5),
        ("transaction.setMetadata", "b", False),
        ("transaction.setMetadata", "gone", 1),
        ("transaction.setMetadata", "gone", None),
        ("transaction.setMetadata", "never there", None),
    )
    assert flow.effects.transaction_metadata == {"s": "x", "n": 1.5, "b": False}
    assert flow.session().event["transaction"]["metadata"] == {"s": "x", "n": 1.5, "b": False}
    assert Flow("post-login").action().effects.transaction_metadata is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("k" * 64, "v"),
        ("k", "v" * 8192),
        ("k", "ü" * 4096),
        ("k", 2**53 - 1),
        ("k", -(2**53) + 1),
        ("k", 0.1),
        ("k", ""),
        (".$ \0", "any key"),
    ],
)
def test_within_the_limits(key: str, value: object) -> None:
    assert Flow("post-login").action(
        ("transaction.setMetadata", key, value)
    ).effects.transaction_metadata == {key: value}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "key is required"),
        (["k"], "value is required"),
        (["", "v"], "key must not be empty"),
        (["k" * 65, "v"], "key must have at most 64 characters, not 65"),
        ([5, "v"], "key must be a string"),
        (["k", "v" * 8193], "value takes 8193 bytes; the limit is 8192"),
        (["k", "ü" * 4097], "value takes 8194 bytes; the limit is 8192"),
        (["k", 2**53], "must be a safe integer"),
        (["k", -(2**53)], "must be a safe integer"),
        (["k", 1e300], "must be a safe integer"),
        (["k", 2**1000], "must be a safe integer"),
        (["k", []], "value must be a string, a number, true or false or null, not []"),
        (["k", {}], "value must be"),
    ],
)
def test_beyond_the_limits(arguments: list, says: str) -> None:
    assert says in error(Flow("post-login").call("transaction.setMetadata", *arguments))


def test_all_together() -> None:
    flow = Flow("post-login").action(
        ("transaction.setMetadata", "a", "v" * 8191), ("transaction.setMetadata", "b", "v" * 8190)
    )
    assert "would take 16386 bytes; the limit is 16384" in error(
        flow.call("transaction.setMetadata", "c", "xx")
    )
    assert "error" not in flow.call("transaction.setMetadata", "b", "smaller")
    assert "error" not in flow.call("transaction.setMetadata", "c", None)
    flow.action(("transaction.setMetadata", "b", "v" * 8191))
    assert "16385" in error(flow.call("transaction.setMetadata", "c", ""))


@pytest.mark.parametrize("value", [ABSENT, None])
def test_without_a_transaction_the_object_is_made(value: object) -> None:
    flow = Flow("post-login", {"transaction": value})
    assert flow.call("transaction.setMetadata", "a", 1)["event"] == [
        (["transaction"], {"metadata": {"a": 1}})
    ]


def test_every_transaction_has_metadata() -> None:
    flow = Flow("post-login", {"transaction.metadata": ABSENT})
    assert flow.session().event["transaction"]["metadata"] == {}
    assert flow.effects.transaction_metadata is None
    assert "transaction" not in Flow("post-login", {"transaction": ABSENT}).session().event


def test_a_token_exchange_hands_metadata_on_to_the_login() -> None:
    exchange = Flow("custom-token-exchange")
    assert exchange.session().event["transaction"]["metadata"] == {}
    assert exchange.call("transaction.setMetadata", "a", 1)["event"] == [
        (["transaction", "metadata"], {"a": 1})
    ]
    exchange.action(("authentication.setUserById", "u"), ("transaction.setMetadata", "a", 1))
    handed_on = exchange.effects.transaction_metadata
    assert handed_on == {"a": 1}
    nothing = Flow(
        "post-login", {"transaction.metadata": Flow("custom-token-exchange").effects.transaction_metadata}
    )
    assert nothing.session().event["transaction"]["metadata"] == {}
    login = Flow("post-login", {"transaction.metadata": handed_on})
    assert login.session().event["transaction"]["metadata"] == {"a": 1}
    assert login.action(("transaction.setMetadata", "b", 2)).effects.transaction_metadata == {"a": 1, "b": 2}
