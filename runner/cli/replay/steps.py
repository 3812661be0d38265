"""`actionbox replay --step`: the host calls of an execution, one after another."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

from rich.console import Console

from runner.cli.inputs import Secrets
from runner.cli.replay.show import show_origin
from runner.cli.terminal import line, output_console
from runner.flow.redact import Redactor
from runner.model.text import one_line
from runner.replay.logpoints.taps import Taps
from runner.replay.recorded import Recorded
from runner.replay.secrets import secrets_of
from runner.replay.whole import WholeReplay, replay_all

_SHOWN: Final = 1_000
"""Characters of a call, and of its answer."""


def step_through(recorded: Recorded, secrets: Secrets) -> bool:
    """Walk through the calls: on a terminal Enter shows the next and q ends, elsewhere all are printed.
    Returns whether the replay was identical."""
    result = _replayed(recorded, secrets)
    console = output_console()
    show_origin(recorded, console)
    waits = sys.stdin.isatty() and console.is_terminal
    if waits:
        console.print(line(("Enter shows the next call, q ends.", "dim")))
    for _ in _calls(result, secrets, console):
        if waits and not _goes_on():
            break
    word = ("Identical", "bold green") if result.same else ("Different", "bold red")
    console.print(line(word, "" if result.same else ": `actionbox replay` without --step shows where"))
    return result.same


def _replayed(recorded: Recorded, secrets: Secrets) -> WholeReplay:
    """A replay that also tells lines; one that does not, where telling them is in its way."""
    watched = replay_all(recorded, secrets.of_pinned, without_secrets=True, taps=Taps((), watched=True))
    return watched if watched.same else replay_all(recorded, secrets.of_pinned, without_secrets=True)


def _goes_on() -> bool:
    try:
        return input().strip().lower() not in ("q", "quit")
    except EOFError:
        return False


def _calls(result: WholeReplay, secrets: Secrets, console: Console) -> Iterator[None]:
    """Print one call after another."""
    for record, leg in zip(result.recorded.legs, result.legs, strict=True):
        redactor = Redactor(secrets_of(record, secrets.of_pinned, without_secrets=True).values)
        for number, execution in enumerate(record.executions):
            name = record.actions[execution.action].name
            console.print(line((f"leg {record.number}, Action {execution.action + 1} ({name})", "bold")))
            places = leg.places[number] if number < len(leg.places) else {}
            for entry in execution.journal["entries"]:
                place = places.get(entry["sequence"], "")
                call = one_line(redactor.text(_call(entry["operation"], entry["arguments"])), _SHOWN)
                console.print(
                    line((f"{entry['sequence']:>4}  ", "dim"), call, (f"  {place}".rstrip(), "cyan"))
                )
                for text in _answer(entry["operation"], entry["result"], entry.get("repeat", 1)):
                    console.print(line(("→ ", "dim"), one_line(redactor.text(text), _SHOWN), indent=6))
                yield


def _call(operation: str, arguments: Mapping[str, Any]) -> str:
    if operation == "api":
        return f"api.{arguments['path']} {arguments['arguments']}"
    if operation == "log":
        return f"console.{arguments['level']} {arguments['text']}"
    if operation == "start":
        return f"{arguments['operation']} {arguments['arguments']}"
    if operation == "wait" and not arguments["handles"]:
        return f"sleep {arguments['timeout_ms']} ms"
    if operation == "wait":
        return f"wait for request {', '.join(map(str, arguments['handles']))}"
    names = {"wall": "read the date", "monotonic": "read the clock", "random": "draw random bytes"}
    rest = " ".join(f"{name}={value}" for name, value in arguments.items())
    return f"{names.get(operation, operation)} {rest}".rstrip()


def _answer(operation: str, result: Mapping[str, Any], repeat: int) -> Iterator[str]:
    if operation in ("wall", "monotonic"):
        yield f"{result['ms']} ms" + (f", {repeat} times" if repeat > 1 else "")
    elif operation == "api" and result["reply"]:
        yield result["reply"]
    elif operation == "start":
        yield f"request {result['handle']}"
    elif operation == "wait" and result["answer"]:
        yield from _fetched(result["answer"])
    elif operation == "random":
        yield base64.b64decode(result["base64"]).hex()
    elif operation == "compute":
        yield result["answer"]
    elif operation == "stop":
        yield f"{result['code']}: {result['message']}"


def _fetched(answer: str) -> Iterator[str]:
    try:
        value = json.loads(answer)
        ok = value.get("ok")
        if not isinstance(ok, dict):
            yield json.dumps(value.get("error"), ensure_ascii=False)
            return
        body = base64.b64decode(ok["body"]).decode("utf-8", "replace")
        yield f"{ok['status']} {ok['statusText']} {body}"
    except (ValueError, KeyError, TypeError, AttributeError):
        yield answer
