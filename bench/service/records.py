"""What records of executions cost: in the time of an invoke, and in bytes."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import string
import time
from pathlib import Path
from typing import Any, Final

from bench.engine.latency import bench_event
from bench.measure import spread
from bench.report import Figure, Report
from bench.service.caller import Caller
from bench.service.invoke import INVOKE, deploy, running_service
from bench.service.load import processor_seconds
from bench.service.tenants import add_tenants
from runner.client import Api
from runner.records.policy import DEFAULT
from sandbox.core.program import Language
from triggers import Trigger, get_trigger, known_triggers

POLICY: Final = "/api/v2/record-policy"
_POLICIES: Final = {"off": "off", "default": DEFAULT.text, "all": "all"}
_ROUNDS: Final = 60
_BLOCK: Final = 10
"""Requests by one policy in a row."""
_RECORDS: Final = 60
"""Of each trigger."""
_SETTLE_SECONDS: Final = 60.0


def cost() -> Report:
    """An invoke by each policy in turns, and what a service's process and its worker compute for one."""
    made = Report(
        "Invoke of one client by what is recorded (1 worker, SQLite)",
        ("language", "policy"),
        ("invoke", "p50 relative to off", "target", "processor: service and worker", "processor, relative"),
    )
    targets = {"off": "", "default": "<= 1.02 x", "all": "<= 1.05 x"}
    with running_service(1, "sqlite", ACTIONBOX_RECORD_QUOTA_MB="100000") as served:
        tenants = add_tenants(served, len(_POLICIES))
        for language in Language:
            callers = {}
            for (name, policy), tenant in zip(_POLICIES.items(), tenants, strict=True):
                api = tenant.api(served.url)
                deploy(api, language)
                api.send("PATCH", POLICY, body={"policy": policy})
                callers[name] = Caller(served.url, tenant.token)
            samples, used = asyncio.run(_timed(served.process.pid, callers))
            first = spread(samples["off"]).p50
            for name in _POLICIES:
                found = spread(samples[name])
                made.add(
                    language.value,
                    name,
                    found,
                    Figure(found.p50 / first, "x", 3),
                    targets[name],
                    Figure(1000 * used[name] / len(samples[name]), "ms", 2),
                    Figure(used[name] / used["off"], "x", 2),
                )
    return made


async def _timed(pid: int, callers: dict[str, Caller]) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Milliseconds of each request, and seconds of processor time of all by one policy. What one block leaves
    to be stored is stored before the next begins: it would be another policy's cost."""
    body = json.dumps({"event": json.loads(bench_event())}).encode()
    samples: dict[str, list[float]] = {name: [] for name in callers}
    used = dict.fromkeys(callers, 0.0)
    order = list(callers)
    for number in range(-3, _ROUNDS):
        random.shuffle(order)
        for name in order:
            before, taken = sum(processor_seconds(pid)), []
            for _ in range(_BLOCK):
                began = time.perf_counter()
                answer = await callers[name].send(INVOKE, body)
                taken.append((time.perf_counter() - began) * 1000)
                assert answer.status == 200, answer.body
            await asyncio.sleep(0.2)
            if number >= 0:
                samples[name] += taken
                used[name] += sum(processor_seconds(pid)) - before
    return samples, used


def sizes() -> Report:
    """Bytes of a record as it is stored, by trigger, over events of which each value is another one's."""
    made = Report(
        f"Records as stored: {_RECORDS} executions of each trigger, every value of the event drawn",
        ("trigger",),
        ("median", "p99", "event as JSON"),
    )
    with running_service(1, "sqlite", ACTIONBOX_RECORD_POLICY="all") as served:
        api = served.api()
        for trigger in known_triggers():
            if trigger.experimental or trigger.binding_policy == "entity-bound":
                continue
            length = _run(api, trigger)
            found = sorted(_stored(served.data, trigger.id))
            made.add(
                trigger.id,
                Figure(found[len(found) // 2], "B", 0),
                Figure(found[min(len(found) - 1, int(len(found) * 0.99))], "B", 0),
                Figure(length, "B", 0),
            )
    return made


def _run(api: Api, trigger: Trigger) -> int:
    """Run the trigger as often as is wanted; mean bytes of an event."""
    code = (
        f"exports.{trigger.execute_handler} = async (event, api) => {{\n"
        "  console.log('for', event.user?.user_id ?? event.client?.client_id, Date.now());\n};\n"
    )
    versions = [{"id": trigger.id, "version": trigger.version}]
    body = {"name": trigger.id, "code": code, "runtime": "node22", "supported_triggers": versions}
    action = api.send("POST", "/api/v2/actions/actions", body=body).value
    api.send("POST", f"/api/v2/actions/actions/{action['id']}/deploy", query={"wait": True})
    bindings = [{"ref": {"type": "action_id", "value": action["id"]}, "display_name": "a"}]
    api.send("PATCH", f"/api/v2/actions/triggers/{trigger.id}/bindings", body={"bindings": bindings})
    drawn, total = random.Random(1), 0
    for _ in range(_RECORDS):
        event = _another(trigger.id, drawn)
        total += len(json.dumps(event))
        api.send("POST", f"/runtime/v1/triggers/{trigger.id}/invoke", body={"event": event})
    return total // _RECORDS


def _another(trigger: str, drawn: random.Random) -> dict[str, Any]:
    """The example's event with other values; as it is where the trigger takes no others."""
    event = get_trigger(trigger).example_event
    for name, part in event.items():
        changed = {**event, name: _other(part, drawn)}
        try:
            get_trigger(trigger).parse_event(changed)
        except ValueError:
            continue
        event = changed
    return event


def _other(value: Any, drawn: random.Random) -> Any:
    """The same shape with other letters and digits."""
    if isinstance(value, str):
        return "".join(
            drawn.choice(string.ascii_lowercase)
            if char.isalpha()
            else drawn.choice(string.digits)
            if char.isdigit()
            else char
            for char in value
        )
    if isinstance(value, dict):
        return {name: _other(item, drawn) for name, item in value.items()}
    return [_other(item, drawn) for item in value] if isinstance(value, list) else value


def _stored(data: Path, trigger: str) -> list[int]:
    """Bytes of the records, once all are there."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    while True:
        with sqlite3.connect(f"file:{data / 'actionbox.db'}?mode=ro", uri=True) as database:
            rows = database.execute("select bytes from execution_records where trigger_id = ?", (trigger,))
            found = [row[0] for row in rows]
        if len(found) >= _RECORDS:
            return found
        assert time.monotonic() < deadline, f"{len(found)} records of {trigger}"
        time.sleep(0.2)
