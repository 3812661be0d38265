"""A record of one leg that carries given values in every form in which Actions hand them on."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final
from urllib.parse import quote

from runner import Runner
from runner.privacy.fields import Place, event_shape, mapped
from runner.privacy.vocabulary import PIECE
from runner.replay.record import FlowRecord, Recorder
from sandbox.egress import NoEgress
from tests.flow.actions import python
from tests.flow.fixtures import PROGRAMS
from triggers import get_trigger
from triggers.events.model.classes import FieldClass

NOW_MS: Final = 1_796_000_000_000
_CLASSED: Final = frozenset(FieldClass) - {FieldClass.PLAIN}


@cache
def base() -> FlowRecord:
    """A real record, of an Action that does nothing."""
    recorder = Recorder()
    outcome = Runner(egress=NoEgress(), programs=PROGRAMS, observer=recorder).run(
        "post-login", get_trigger("post-login").example_event, [python("pass")]
    )
    return recorder.record(outcome)


def record_of(trigger_id: str, event: Any, texts: list[str], extra: Any = None) -> FlowRecord:
    """A record of `event`, whose journal and outcome hold `texts` in logs, arguments, URLs, bodies and
    answers."""
    record = base()
    event = {name: value for name, value in event.items() if name not in ("secrets", "configuration")}
    journal = {"version": 1, "outcome": None, "entries": _numbered(_entries(texts, extra))}
    outcome = {
        **record.outcome,
        "trigger": {"id": trigger_id, "version": "v1", "blocking": True},
        "effects": {**record.outcome["effects"], "id_token_claims": {"a": texts, "b": extra}},
        "actions": [{**record.outcome["actions"][0], "logs": [_log(text) for text in texts]}],
    }
    return record.model_copy(
        update={
            "trigger": trigger_id,
            "state": {**record.state, "trigger": trigger_id, "event": event},
            "executions": (record.executions[0].model_copy(update={"journal": journal}),),
            "outcome": outcome,
        }
    )


def _log(text: str) -> dict[str, Any]:
    return {"level": "log", "text": f"<{text}>", "cut_bytes": 0}


def _entries(texts: list[str], extra: Any) -> Iterator[dict[str, Any]]:
    yield {"operation": "wall", "arguments": {}, "result": {"ms": NOW_MS}}
    for number, text in enumerate(texts, 1):
        inner = json.dumps({"of": text, text: [text, extra]})
        request = {
            "url": f"https://api.example/users/{quote(text, safe='', errors='replace')}?q=1",
            "method": "POST",
            "headers": [["x-of", text]],
            "body": _base64(inner),
        }
        answer = {"status": 200, "headers": [["x-of", text]], "body": _base64(json.dumps({"a": inner}))}
        yield {
            "operation": "log",
            "arguments": {"level": "log", "text": f"<{text}>"},
            "result": {"at_ms": 1.0, "cut_bytes": 0},
        }
        yield {
            "operation": "api",
            "arguments": {"path": "idToken.setCustomClaim", "arguments": json.dumps([text, inner])},
            "result": {"reply": json.dumps({"ok": inner}), "recorded": True},
        }
        yield {
            "operation": "start",
            "arguments": {"operation": "fetch", "arguments": json.dumps(request)},
            "result": {"handle": number},
        }
        yield {
            "operation": "wait",
            "arguments": {"handles": [number], "timeout_ms": None},
            "result": {"answer": json.dumps({"id": number, "ok": answer})},
        }


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "replace")).decode()


def _numbered(entries: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"sequence": at, **entry} for at, entry in enumerate(entries, 1)]


def classed(trigger_id: str, event: Any) -> dict[str, FieldClass]:
    """The texts in the fields of an event that have a class and may not be shown."""
    found: dict[str, FieldClass] = {}

    def visit(place: Place, value: Any) -> Any:
        if place.kind in _CLASSED:
            for text in _values(value):
                found[text] = FieldClass(place.kind)
        return value

    private = ("secrets", "configuration")  # which are in no state
    told = {name: value for name, value in event.items() if name not in private}
    mapped(event_shape(trigger_id), None, told, "", visit, str)
    return found


def _values(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _values(item)


def leaves(value: Any) -> Iterator[str]:
    """All texts in a value, names in objects too, and those that stand in JSON text and base64."""
    if isinstance(value, str):
        yield value
        for inner in (value, _plain(value)):
            if inner[:1] in ("{", "["):
                try:
                    yield from leaves(json.loads(inner))
                except ValueError:
                    yield inner
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)


def _plain(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        return ""


def shown(record: FlowRecord) -> list[str]:
    """What is to be read in a record, but for its sources."""
    data = record.model_dump(mode="json", include={"state", "executions", "outcome", "redirect_state"})
    return [*leaves(data), json.dumps(data, ensure_ascii=False)]


def survives(text: str, where: list[str]) -> bool:
    """Whether a text stands somewhere, not as a part of another word."""
    pattern = re.compile(f"(?<!{PIECE[:-1]}){re.escape(text)}(?!{PIECE[:-1]})")
    return any(text in leaf and pattern.search(leaf) for leaf in where)
