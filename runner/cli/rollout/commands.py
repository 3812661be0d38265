"""Commands of `actionbox rollout`."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import typer
from rich.console import Console

from runner.cli.tenant.commands import action_id
from runner.cli.tenant.connection import Target
from runner.cli.terminal import line, output_console
from runner.client.http import Api
from runner.model.errors import InputError
from runner.tenant.apply import forced
from runner.tenant.remote import ACTIONS
from runner.tenant.rollout_file import USUAL, read_plan

_LOOK_SECONDS: Final = 1.0
_EXITS: Final = {"promoted": 0, "rolled_back": 1, "aborted": 1, "paused": 3}
_STYLES: Final = {"promoted": "green", "rolled_back": "red", "aborted": "red", "paused": "yellow"}


def start_command(
    target: Target,
    name: str,
    plan: Path | None,
    version: int | None,
    *,
    force: str | None,
    watch: bool,
    as_json: bool,
) -> None:
    """Start a rollout, and show it."""
    body: dict[str, Any] = dict(USUAL) if plan is None else read_plan(plan)
    if version is not None:
        body["candidate"] = {"version": version}
    api = target.api()
    path = f"{ACTIONS}/{action_id(api, name)}/rollouts"
    made = api.send("POST", path, query=forced(force), body=body).value
    if watch:
        _watched(api, f"{path}/{made['id']}", as_json=as_json)
        return
    _show(made, output_console(), as_json=as_json)


def watch_command(target: Target, name: str, rollout: str | None, *, as_json: bool) -> None:
    """Show a rollout until it has ended or is paused."""
    api = target.api()
    _watched(api, _path(api, name, rollout), as_json=as_json)


def list_command(target: Target, name: str, *, as_json: bool) -> None:
    """List the rollouts of an Action."""
    api = target.api()
    found = api.pages(f"{ACTIONS}/{action_id(api, name)}/rollouts", "rollouts")
    console = output_console()
    if as_json:
        console.print(json.dumps(found, indent=2), markup=False)
        return
    for item in found:
        console.print(line(*_title(item)))
    if not found:
        console.print(line(("no rollouts", "dim")))


def change_command(target: Target, name: str, rollout: str | None, change: str) -> None:
    """Pause, resume, abort or promote."""
    api = target.api()
    made = api.send("POST", f"{_path(api, name, rollout)}/{change}").value
    _show(made, output_console(), as_json=False)


def _path(api: Api, name: str, rollout: str | None) -> str:
    """Of a rollout, by default the latest of the Action."""
    path = f"{ACTIONS}/{action_id(api, name)}/rollouts"
    if rollout is not None:
        return f"{path}/{rollout}"
    found = api.some(path, "rollouts", 1)
    if not found:
        raise InputError(
            "no_rollout",
            f"{name} has no rollout",
            next_step="Start one with `actionbox rollout start`.",
        )
    return f"{path}/{found[0]['id']}"


def _watched(api: Api, path: str, *, as_json: bool) -> None:
    console, shown = output_console(), None
    with contextlib.suppress(KeyboardInterrupt):
        for found in _looks(api, path):
            facts = (found["state"], found["stage"], found["arms"], found["next"].get("waits"))
            if facts != shown:
                _show(found, console, as_json=as_json, once=False)
                shown = facts
            if found["state"] in _EXITS:
                raise typer.Exit(_EXITS[found["state"]])


def _looks(api: Api, path: str) -> Iterator[Mapping[str, Any]]:
    while True:
        yield api.get(path).value
        time.sleep(_LOOK_SECONDS)


def _show(found: Mapping[str, Any], console: Console, *, as_json: bool, once: bool = True) -> None:
    if as_json:
        console.print(json.dumps(found, indent=2 if once else None), markup=False)
        return
    console.print(line(*_title(found)))
    for text in _lines(found):
        console.print(line(text, indent=2))


def _title(found: Mapping[str, Any]) -> Sequence[str | tuple[str, str]]:
    state = found["state"]
    versions = " → ".join(str(found[side].get("number", "?")) for side in ("control", "candidate"))
    return (
        f"{found['id']}  version {versions}  ",
        (state.replace("_", " "), _STYLES.get(state, "cyan")),
        f"  {found['reason']}" if found.get("reason") else "",
    )


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    for stage in found["stages"]:
        of = f" {stage['events']} of {stage['of']} events" if "of" in stage else ""
        percent = f" {stage['percent']:g} %" if "percent" in stage else ""
        yield f"{stage['kind']}{percent}: {stage['state'].replace('_', ' ')}{of}"
    for arm in found["arms"]:
        named = arm["arm"] if arm["group"] == "share" else f"{arm['arm']} ({arm['group']})"
        counts = ", ".join(f"{arm[kind]} {kind}" for kind in ("failed", "denied", "suspended", "costly"))
        yield f"{named}: {arm['events']} events, {counts}"
    for item in found["evidence"]:
        yield f"{item['guard']}: evidence {item['factor']:g} of {item['needed']:g}"
    yield f"next: {found['next']['step']}; {found['next']['waits']}"
