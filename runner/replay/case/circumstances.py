"""The world of a test case, as far as a record tells: answers, clock, cache, directory, the return."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from runner.replay.record import FlowRecord
from sandbox.egress import EgressError, RecordingEgress
from sandbox.egress.model import FetchResponse, Outcome
from sandbox.egress.none import NoEgress
from sandbox.egress.wire import read_error, read_request

_DIRECTORY: Final = {"groups": "id", "roles": "id"}


def stubs(record: FlowRecord, *, bodies: bool) -> list[dict[str, Any]]:
    """Answers to the requests of a leg, as case files have them. `bodies`: each is for a request of the same
    body only."""
    egress = RecordingEgress(NoEgress())
    for execution in record.executions:
        entries = execution.journal["entries"]
        answers = {}
        for entry in entries:
            if entry["operation"] == "wait" and entry["result"]["answer"]:
                answer = json.loads(entry["result"]["answer"])
                answers[answer["id"]] = answer
        for entry in entries:
            if entry["operation"] == "start" and entry["result"]["handle"] in answers:
                try:
                    asked = read_request(entry["arguments"]["arguments"])
                except EgressError:
                    continue  # refused as such again by the same check
                egress.keep(asked, _outcome(answers[entry["result"]["handle"]]))
    made = egress.stubs()
    return made if bodies else [{name: stub[name] for name in stub if name != "body"} for stub in made]


def _outcome(answer: Mapping[str, Any]) -> Outcome:
    if "error" in answer:
        return read_error(answer["error"])
    ok = answer["ok"]
    return FetchResponse(
        status=ok["status"],
        status_text=ok["statusText"],
        url=ok["url"],
        redirected=ok["redirected"],
        headers=tuple((name, value) for name, value in ok["headers"]),
        body=base64.b64decode(ok["body"]),
    )


def clock(record: FlowRecord) -> str | None:
    """When the leg ran, in ISO 8601; None when nothing in it read a clock."""
    walls = [
        entry["result"]["ms"]
        for execution in record.executions
        for entry in execution.journal["entries"]
        if entry["operation"] == "wall"
    ]
    times = walls or [int(time * 1000) for execution in record.executions for time in execution.clock]
    if not times:
        return None
    moment = datetime.fromtimestamp(min(times) / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def cache(records: tuple[FlowRecord, ...]) -> dict[str, str]:
    """What the cache held before the flow, as far as it was read."""
    held: dict[str, str] = {}
    written: set[str] = set()
    for path, arguments, reply in _api_calls(records):
        key = str(arguments[0]) if arguments else ""
        if path in ("cache.set", "cache.delete"):
            written.add(key)
        elif path == "cache.get" and key not in written and isinstance(reply, dict):
            value = reply.get("value")
            if isinstance(value, str):
                held.setdefault(key, value)
    return held


def directory(records: tuple[FlowRecord, ...]) -> dict[str, list[Any]]:
    """Groups and roles of the user, as far as they were asked for."""
    found: dict[str, dict[str, Any]] = {}
    for path, _, reply in _api_calls(records):
        kind = path.partition(".")[0]
        if kind not in _DIRECTORY or not isinstance(reply, dict):
            continue
        items = list(reply.get(kind) or ())
        for told in (reply.get("memberships") or {}).values():
            items += told.get("matches") or ()
        for item in items:
            known = found.setdefault(kind, {}).setdefault(str(item[_DIRECTORY[kind]]), {})
            known.update(item)
    return {kind: list(items.values()) for kind, items in found.items()}


def _api_calls(records: tuple[FlowRecord, ...]) -> Iterator[tuple[str, list[Any], Any]]:
    for record in records:
        for execution in record.executions:
            for entry in execution.journal["entries"]:
                if entry["operation"] == "api":
                    arguments = json.loads(entry["arguments"]["arguments"])
                    reply = json.loads(entry["result"]["reply"] or "{}")
                    yield entry["arguments"]["path"], arguments, reply.get("ok")


def resume(record: FlowRecord, before: FlowRecord) -> dict[str, Any]:
    """The return of the user that began a leg, as `resume` of a step. `before`: the leg that suspended."""
    kind = (before.outcome["suspension"] or {}).get("kind")
    event: Mapping[str, Any] = record.state["event"]
    if kind == "redirect":
        request = event.get("request") or {}
        parts = {name: dict(request.get(name) or {}) for name in ("query", "body")}
        for part in parts.values():
            part.pop("state", None)
        return {name: part for name, part in parts.items() if part}
    if kind == "prompt":
        prompt = event.get("prompt") or {}
        return {"prompt": {name: prompt[name] for name in ("fields", "vars") if prompt.get(name)}}
    methods = (event.get("authentication") or {}).get("methods") or []
    known = (before.state["event"].get("authentication") or {}).get("methods") or []
    added = [item for item in methods if item not in known]
    return {"methods": added} if kind == "challenge" else {"enrolled": [{"type": "otp"}]}
