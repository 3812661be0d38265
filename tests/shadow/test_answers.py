"""Other answers in place of recorded ones: what they may be, and what follows."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.engine.restless import ChanceEgress
from runner import InputError, Runner
from runner.replay.record import FlowRecord
from runner.shadow.answers import OtherAnswer, with_answers
from runner.shadow.run import recorded_actions, run_on
from sandbox.port.journal import Journal
from tests.flow.actions import javascript
from tests.flow.fixtures import PROGRAMS
from tests.shadow.worlds import recorded
from triggers import get_trigger

pytestmark = pytest.mark.usefixtures("no_connections")
ACTION = javascript("""
    const reply = await fetch('https://api.example/a').catch((error) => error);
    api.idToken.setCustomClaim('status', reply.status ?? String(reply.cause?.message));
    if (reply.status !== undefined) api.idToken.setCustomClaim('body', await reply.text());
    api.idToken.setCustomClaim('day', new Date().getUTCDay());
""")


@pytest.fixture
def record(runner: Runner, event: dict[str, Any]) -> FlowRecord:
    return recorded(runner, event, [ACTION], egress=ChanceEgress())[1]


def entry_of(record: FlowRecord, operation: str) -> int:
    journal = Journal.from_data(record.executions[0].journal)
    return next(entry.sequence for entry in journal.entries if entry.operation == operation)


def claims(record: FlowRecord, operation: str, value: Any) -> dict[str, Any]:
    other = OtherAnswer(record.number, 0, entry_of(record, operation), value)
    changed = with_answers(record, [other])
    return run_on(changed, recorded_actions(changed), PROGRAMS).outcome.effects.id_token_claims


def test_a_request_gets_another_response(record: FlowRecord) -> None:
    reply = {"status": 503, "headers": {"Retry-After": "1"}, "body": "later"}
    found = claims(record, "start", reply)
    assert (found["status"], found["body"]) == (503, "later")


def test_a_request_fails(record: FlowRecord) -> None:
    assert "cut off" in str(claims(record, "start", {"error": "cut off"})["status"])


def test_another_day(record: FlowRecord) -> None:
    sunday = 1_767_528_000_000
    assert claims(record, "wall", sunday)["day"] == 0


def test_answers_of_other_legs_change_nothing(record: FlowRecord) -> None:
    assert with_answers(record, [OtherAnswer(record.number + 1, 0, 1, 1)]) is record


@pytest.mark.parametrize(
    ("operation", "value"),
    [
        ("start", 1),
        ("start", {"status": 99}),
        ("start", {"status": True}),
        ("start", {"status": 200, "headers": {"a": 1}}),
        ("start", {"status": 200, "body": {}}),
        ("start", {"status": 200, "more": 1}),
        ("start", {"error": 1}),
        ("wall", "now"),
        ("wall", -1),
        ("wall", 10**18),
        ("api", {}),
        ("wait", ""),
    ],
)
def test_what_cannot_be_an_answer_is_refused(record: FlowRecord, operation: str, value: Any) -> None:
    with pytest.raises(InputError) as refused:
        claims(record, operation, value)
    assert refused.value.code == "invalid_answer"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(entry=st.integers(-2, 12), execution=st.integers(-1, 2), value=_JSON)
def test_nothing_but_a_refusal_or_a_whole_journal(
    entry: int, execution: int, value: Any, kept: list[FlowRecord]
) -> None:
    with suppress(InputError):
        changed = with_answers(kept[0], [OtherAnswer(kept[0].number, execution, entry, value)])
        Journal.from_data(changed.executions[execution].journal)


@pytest.fixture(scope="module")
def kept() -> list[FlowRecord]:
    runner = Runner(egress=ChanceEgress(), programs=PROGRAMS)
    return [recorded(runner, get_trigger("post-login").example_event, [ACTION], egress=ChanceEgress())[1]]
