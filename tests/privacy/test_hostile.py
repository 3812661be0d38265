"""Records that were made to break the redaction, or to keep it busy."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.privacy.redaction import redacted
from runner.replay.record import FlowRecord
from tests.privacy.corpus import KEY
from tests.privacy.records import base, record_of, shown
from tests.strategies import json_values, wild_values
from triggers import get_trigger


def event(**user: Any) -> dict[str, Any]:
    made = get_trigger("post-login").example_event
    return {**made, "user": {**made["user"], **user}}


@given(state=json_values, journal=json_values, outcome=st.dictionaries(st.text(), json_values, max_size=4))
def test_whatever_stands_in_a_record_comes_out_as_a_record(
    state: Any, journal: Any, outcome: dict[str, Any]
) -> None:
    record = base().model_copy(
        update={
            "state": state,
            "outcome": outcome,
            "executions": (base().executions[0].model_copy(update={"journal": journal}),),
        }
    )
    made, _ = redacted(record, KEY)
    FlowRecord.model_validate_json(made.model_dump_json(by_alias=True))


@given(wild_values)
def test_values_that_are_no_json_do_no_harm(value: Any) -> None:
    made, _ = redacted(
        record_of("post-login", event(user_metadata={"a": json.loads(json.dumps(value, default=str))}), []),
        KEY,
    )
    json.dumps(made.model_dump(mode="json"))


@given(st.text(st.characters(), min_size=1, max_size=6))
def test_any_text_with_lone_surrogates(text: str) -> None:
    made, _ = redacted(record_of("post-login", event(name=text), [text]), KEY)
    made.model_dump_json()


def nested(depth: int) -> Any:
    value: Any = "ada-lovelace"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("depth", [64, 101, 500])
def test_deep_values_end(depth: int) -> None:
    made, _ = redacted(record_of("post-login", event(user_metadata={"a": nested(depth)}), []), KEY)
    assert not any("lovelace" in leaf for leaf in shown(made))


def test_json_in_json_in_json_ends() -> None:
    text = "ada-lovelace"
    for _ in range(9):
        text = json.dumps({"of": text})
    made, _ = redacted(record_of("post-login", event(), [text]), KEY)
    assert "lovelace" not in made.model_dump_json()


LONG = 24_000
HUGE = {
    "one word": "a" * LONG,
    "many words": "ab " * (LONG // 3),
    "digits": "1" * LONG,
    "quotes": '["' * (LONG // 2),
    "percent": "%4" * (LONG // 2),
    "escapes": "%41" * (LONG // 3),
    "colons": "a:" * (LONG // 2),
    "dots": "1." * (LONG // 2),
    "plus": "+1 " * (LONG // 3),
    "dates": "2026-01-01T" * (LONG // 11),
    "half a token": "eyJ" * (LONG // 3),
    "marks": "[secret " * (LONG // 8),
    "brackets": "[" * LONG,
    "dashes": "-" * LONG,
    "zones": "Ab/Cd" * (LONG // 5),
    "umlauts": "ü" * LONG,
}


@pytest.mark.parametrize("kind", HUGE)
def test_no_text_takes_more_than_time_in_its_length(kind: str) -> None:
    """Twice the text may take twice the time, never four times: with room for a busy machine."""
    text = HUGE[kind]

    def took(part: str) -> float:
        record = record_of("post-login", event(), [part])
        began = time.process_time()
        redacted(record, KEY)
        return time.process_time() - began

    whole, half = (min(took(part) for _ in range(2)) for part in (text, text[: len(text) // 8]))
    assert whole < max(1.0, half * 8 * 4)


def test_many_values_take_no_more_than_their_number() -> None:
    clients = [{"client_id": "c", "name": f"n{number}"} for number in range(1_000)]
    identities = [{"user_id": f"auth0|{number:06}", "connection": f"c{number}"} for number in range(1_000)]
    text = " ".join(item["user_id"] for item in identities)
    made, _ = redacted(
        record_of("post-login", event(identities=identities, user_metadata={"c": clients}), [text]), KEY
    )
    assert "000123" not in made.model_dump_json()


def test_many_credentials_take_no_more_than_their_number() -> None:
    hashes = {f"k{number}": f"secret-value-{number}-{number}" for number in range(2_000)}
    record = record_of(
        "password-hash-migration",
        {"plaintext_password": "p4ss-word-9", "custom_password_hash": hashes},
        ["p4ss-word-9"],
    )
    made, _ = redacted(record, KEY)
    assert made.state["event"]["custom_password_hash"] == "[credential]"
    assert "p4ss" not in made.model_dump_json()
