"""Commands of tenants of a service: `login`, `push`, `pull`, `rollback`, `executions`, `logs`."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import typer
from rich.console import Console

from runner.cli.inputs import Secrets, gather_secrets
from runner.cli.tenant.connection import Target
from runner.cli.terminal import error_console, line, output_console
from runner.client.http import RUNTIME, Api, ServiceError
from runner.model.errors import InputError
from runner.tenant.apply import Applier, forced, is_rolled_out
from runner.tenant.hurdles import refuse_hurdles, refuse_sources
from runner.tenant.plan import SHARED, Change, Values, make_plan
from runner.tenant.profile import save
from runner.tenant.project import Project
from runner.tenant.pull import pull
from runner.tenant.remote import ACTIONS, TRIGGERS, fetch
from runner.tenant.rollout_file import read_plan

EXECUTIONS: Final = f"{RUNTIME}/executions"
_STYLES: Final = {"+": "green", "-": "red", "@": "cyan"}


def login_command(target: Target) -> None:
    """Try the connection, then keep it."""
    profile = target.resolved()
    _try(Api(profile.connection()))
    path = save(target.profile, profile)
    console = output_console()
    console.print(line(f"signed in to {profile.url}"))
    console.print(line((f"kept in {path}", "dim")))


def _try(api: Api) -> None:
    """Raises `ServiceError` unless the service knows who asks, whatever they may do there: a token may be for
    one of the two APIs alone, and have few scopes."""
    for path in (TRIGGERS, EXECUTIONS):
        try:
            api.get(path)
        except ServiceError as error:
            if error.status == 401 and path != EXECUTIONS:
                continue
            if error.status != 403:
                raise
        return


def push_command(
    target: Target,
    folder: Path,
    *,
    secrets: Sequence[str],
    secrets_file: Path | None,
    dry_run: bool,
    yes: bool,
    prune: bool,
    rollout: Path | None = None,
    force: str | None = None,
) -> None:
    """Show what would change, ask, and change it. `rollout`: how what is deployed already changes."""
    plan = None if rollout is None else read_plan(rollout)
    project = Project.read(folder)
    values = _values(gather_secrets(secrets, secrets_file), project)
    api = target.api()
    remote = fetch(api, set(project.bindings))
    changes = make_plan(project, remote, values, prune=prune)
    refuse_hurdles(project, remote, changes, prune=prune)
    console = output_console()
    if not changes:
        console.print(line("nothing to change"))
        return
    for change in changes:
        _show(change, console, rolls_out=plan is not None)
    if dry_run:
        refuse_sources(project, changes)
        console.print(line((f"{_count(changes)}; nothing was sent (--dry-run)", "dim")))
        return
    if not yes:
        _confirm(_count(changes))
    applier = Applier(
        api,
        force=force,
        say=lambda text: error_console().print(line((text, "dim"))),
        rollout=plan,
    )
    made = applier.apply(changes, {name: unit.id for name, unit in remote.modules.items()})
    console.print(line((f"{_plural(made, 'change')} made" if made else "nothing changed", "green")))
    for name, started in applier.started.items():
        console.print(line(f"{name}: {started} runs; `actionbox rollout watch {name}` shows it"))


def pull_command(target: Target, folder: Path, *, force: bool) -> None:
    """Write the tenant's Actions, modules and bindings to `folder`."""
    files = pull(fetch(target.api()), folder, force=force)
    output_console().print(line(f"{_plural(len(files), 'file')} written to {folder}"))


def rollback_command(
    target: Target, name: str, number: int, *, update_draft: bool, force: str | None = None
) -> None:
    """Deploy version `number` of an Action again, as a new version."""
    api = target.api()
    found = action_id(api, name)
    for version in api.pages(f"{ACTIONS}/{found}/versions", "versions"):
        if version["number"] == number:
            made = api.send(
                "POST",
                f"{ACTIONS}/{found}/versions/{version['id']}/deploy",
                query=forced(force),
                body={"update_draft": update_draft},
            ).value
            output_console().print(line(f"{name}: version {number} runs again, as version {made['number']}"))
            return
    raise InputError("unknown_version", f"{name} has no version {number}")


def executions_command(
    target: Target, filters: Mapping[str, str | None], limit: int, *, as_json: bool
) -> None:
    """List the latest executions."""
    query: dict[str, str | int | bool] = {name: value for name, value in filters.items() if value}
    found = target.api().some(EXECUTIONS, "executions", limit, **query)
    console = output_console()
    if as_json:
        console.print(json.dumps(found, indent=2), markup=False)
        return
    for item in found:
        console.print(line(_execution_line(item)))
    if not found:
        console.print(line(("no executions", "dim")))


def logs_command(target: Target, action: str | None, *, follow: bool, limit: int, as_json: bool) -> None:
    """Print console output of Actions: what is kept, and with `follow` what comes."""
    api = target.api()
    query: dict[str, str | int | bool] = {"action": action} if action else {}
    console = output_console()
    if not follow:
        found = api.some(EXECUTIONS, "executions", limit, **query)
        for item in reversed(found):
            _show_logs(item, console, as_json=as_json)
        return
    with contextlib.suppress(KeyboardInterrupt):
        for item in _live(api, query):
            _show_logs(item, console, as_json=as_json)


def _live(api: Api, query: Mapping[str, str | int | bool]) -> Iterator[Any]:
    while True:
        yield from api.events(f"{RUNTIME}/logs/stream", **query)
        error_console().print(line(("the stream ended; connecting again", "dim")))


def _show_logs(item: Mapping[str, Any], console: Console, *, as_json: bool) -> None:
    if as_json:
        console.print(json.dumps(item), markup=False)
        return
    console.print(line((_execution_line(item), "bold")))
    for result in item.get("results") or ():
        for entry in result.get("logs") or ():
            console.print(line(f"{entry['level']:<5} ", entry["text"], indent=2))
        if result.get("error"):
            console.print(line((f"{result['action_name']}: {result['error']['msg']}", "red"), indent=2))


def _execution_line(item: Mapping[str, Any]) -> str:
    names = ", ".join(_ran(result) for result in item.get("results") or ())
    decision = item.get("decision") or item.get("status")
    hook = item.get("hook")
    called = f"  {hook['provider']}/{hook['hook']}" if hook else ""
    return f"{item['created_at']}  {item['trigger_id']:<30} {decision:<9} {names}  {item['id']}{called}"


def _ran(result: Mapping[str, Any]) -> str:
    """An Action with its version, and its arm while it is rolled out."""
    parts = [result["action_name"]]
    if result.get("version_number"):
        parts.append(f"v{result['version_number']}")
    if result.get("arm"):
        parts.append(result["arm"])
    return " ".join(parts)


def action_id(api: Api, name: str) -> str:
    """The id of an Action of the service. Raises `InputError` (`unknown_action`)."""
    found = api.get(ACTIONS, actionName=name).value.get("actions") or []
    if not found:
        raise InputError("unknown_action", f"there is no Action {name!r} on the service")
    return str(found[0]["id"])


def _values(secrets: Secrets, project: Project) -> Values:
    owners = set(project.actions) | {f"actions:{name}" for name in project.modules}
    for name in secrets.by_action:
        if name not in owners:
            raise InputError("invalid_secrets", f"there are secrets for {name!r}, but no such Action")
    return {SHARED: secrets.shared, **secrets.by_action}


def _show(change: Change, console: Console, *, rolls_out: bool = False) -> None:
    title = f"{change.step.value} {change.kind} {change.name}"
    if rolls_out and is_rolled_out(change):
        console.print(line((f"{title} and roll it out".removeprefix("deploy "), "bold")))
        _show_lines(change, console)
        return
    if change.deploy and change.step.value in ("create", "update"):
        title += " and deploy it" if change.kind == "action" else " and publish it"
    console.print(line((title, "bold")))
    _show_lines(change, console)


def _show_lines(change: Change, console: Console) -> None:
    for text in change.lines:
        console.print(line((text, _STYLES.get(text[:1], "")), indent=2))


def _count(changes: Sequence[Change]) -> str:
    return _plural(len(changes), "change")


def _plural(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _confirm(what: str) -> None:
    if not os.isatty(0):
        raise InputError(
            "not_confirmed",
            f"{what} to make, but nobody to ask",
            next_step="Use --yes, or --dry-run to look.",
        )
    if not typer.confirm(f"Make {what}?", err=True):
        raise InputError("not_confirmed", "nothing was changed")
