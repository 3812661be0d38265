"""Other answers in place of recorded ones: the record of what might have happened, to run a version on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from runner.model.errors import InputError
from runner.replay.leg import journal_of
from runner.replay.record import FlowRecord, RecordedExecution
from sandbox.core import caps
from sandbox.core.json_text import encode
from sandbox.egress.model import EgressError, FetchResponse
from sandbox.egress.wire import answer, handle_of
from sandbox.port.journal import Entry, Journal

_ASKED: Final = ("cache.get", "groups.", "roles.")
"""Members of the api whose answer comes from outside; all others follow from event, arguments and clock."""
MAX_WALL_MS: Final = 8_640_000_000_000_000
"""The last moment that a date of JavaScript can hold."""


@dataclass(frozen=True, slots=True)
class OtherAnswer:
    """One answer to put in the place of a recorded one.

    Attributes:
        leg: number of the leg, from 1.
        execution: index among the executions of the leg.
        entry: sequence number of the call in its journal.
        value: of a request `{"status", "headers", "body"}` or `{"error": message}`; of a question to the api
            what it returns; of a reading of the wall clock its milliseconds since 1970, by which all later
            readings move too.
    """

    leg: int
    execution: int
    entry: int
    value: Any


def with_answers(record: FlowRecord, others: Sequence[OtherAnswer]) -> FlowRecord:
    """`record` with those of `others` that are for its leg.

    Raises:
        InputError: `invalid_answer`; the message says which call, and what may stand in its place.
    """
    mine = [item for item in others if item.leg == record.number]
    if not mine:
        return record
    executions = list(record.executions)
    for item in mine:
        if not 0 <= item.execution < len(executions):
            raise _invalid(item, f"leg {item.leg} has {len(executions)} executions")
        executions[item.execution] = _changed(executions[item.execution], item)
    return record.model_copy(update={"executions": tuple(executions)})


def _changed(execution: RecordedExecution, item: OtherAnswer) -> RecordedExecution:
    journal = journal_of(execution)
    if not 1 <= item.entry <= len(journal.entries):
        raise _invalid(item, f"there are {len(journal.entries)} calls")
    entry = journal.entries[item.entry - 1]
    change = _CHANGES.get(entry.operation)
    if change is None:
        raise _invalid(item, f"the answer of `{entry.operation}` cannot be another one")
    entries = change(journal.entries, entry, item)
    return execution.model_copy(update={"journal": Journal(tuple(entries), journal.outcome).to_data()})


def _request(entries: Sequence[Entry], entry: Entry, item: OtherAnswer) -> list[Entry]:
    handle = entry.result["handle"]
    settled = next(
        (
            other.sequence
            for other in entries[entry.sequence :]
            if other.operation == "wait"
            and other.result["answer"]
            and handle_of(other.result["answer"]) == handle
        ),
        None,
    )
    if settled is None:
        raise _invalid(item, "nobody waited for the answer of this request")
    text = answer(handle, _outcome(entry, item))
    return _with(entries, settled, {"answer": text})


def _outcome(entry: Entry, item: OtherAnswer) -> FetchResponse | EgressError:
    value = item.value
    if not isinstance(value, dict):
        raise _invalid(item, _REQUEST_FORM)
    if set(value) == {"error"} and isinstance(value["error"], str):
        return EgressError("network", value["error"][:1_000])
    status, headers, body = value.get("status"), value.get("headers", {}), value.get("body", "")
    if not isinstance(status, int) or isinstance(status, bool) or not 100 <= status <= 599:
        raise _invalid(item, _REQUEST_FORM)
    if (
        not set(value) <= {"status", "headers", "body"}
        or not _are_headers(headers)
        or not isinstance(body, str)
    ):
        raise _invalid(item, _REQUEST_FORM)
    octets = body.encode("utf-8", "surrogatepass")
    if len(octets) > caps.MAX_FETCH_RESPONSE_BODY_BYTES:
        raise _invalid(item, f"a body has at most {caps.MAX_FETCH_RESPONSE_BODY_BYTES} bytes")
    return FetchResponse(
        status=status,
        status_text="",
        url=_url(entry),
        redirected=False,
        headers=tuple((name.lower(), text) for name, text in headers.items()),
        body=octets,
    )


_REQUEST_FORM: Final = (
    'the answer of a request is {"status": 200, "headers": {"name": "value"}, "body": "text"} or '
    '{"error": "message"}'
)


def _are_headers(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and len(value) <= caps.MAX_FETCH_HEADERS
        and all(isinstance(text, str) for text in value.values())
    )


def _url(entry: Entry) -> str:
    try:
        return str(json.loads(entry.arguments["arguments"])["url"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def _question(entries: Sequence[Entry], entry: Entry, item: OtherAnswer) -> list[Entry]:
    path = entry.arguments["path"]
    if not path.startswith(_ASKED):
        raise _invalid(item, f"`api.{path}` answers from the event; change a cache, group, role or request")
    reply = encode({} if item.value is None else {"ok": item.value})
    return _with(entries, entry.sequence, {"reply": reply})


def _wall(entries: Sequence[Entry], entry: Entry, item: OtherAnswer) -> list[Entry]:
    if not _is_whole(item.value) or not 0 <= item.value <= MAX_WALL_MS:
        raise _invalid(item, f"a time is whole milliseconds since 1970, up to {MAX_WALL_MS}")
    moved = item.value - entry.result["ms"]
    return [
        replace(other, result={"ms": other.result["ms"] + moved})
        if other.operation == "wall" and other.sequence >= entry.sequence
        else other
        for other in entries
    ]


def _with(entries: Sequence[Entry], sequence: int, result: Mapping[str, Any]) -> list[Entry]:
    return [
        replace(entry, result={**entry.result, **result}) if entry.sequence == sequence else entry
        for entry in entries
    ]


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_CHANGES: Final = {"start": _request, "api": _question, "wall": _wall}


def _invalid(item: OtherAnswer, why: str) -> InputError:
    return InputError(
        "invalid_answer",
        f"call {item.entry} of execution {item.execution} of leg {item.leg} cannot have this answer: {why}",
    )
