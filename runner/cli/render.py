"""The outcome of a flow as people read it; `--json` prints the same record."""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from rich.console import Console

from runner.cli.problems import show_failure
from runner.cli.terminal import line
from runner.flow.redact import Redactor
from runner.model.caps import KIB
from runner.model.outcome import ActionRecord, Decision, FlowOutcome, Status, SuspensionRecord
from runner.model.text import one_line
from triggers import Effects

_HEADLINES: Final = {
    Decision.ALLOW: ("Allowed", "bold green"),
    Decision.DENY: ("Denied", "bold yellow"),
    Decision.SUSPENDED: ("Suspended", "bold cyan"),
    Decision.FAILED: ("Failed", "bold red"),
}
_STATUS_STYLES: Final = {
    Status.RAN: "green",
    Status.DENIED: "yellow",
    Status.SUSPENDED: "cyan",
    Status.FAILED: "red",
    Status.SKIPPED: "dim",
}
_LEVEL_STYLES: Final = {"error": "red", "warn": "yellow", "debug": "dim", "trace": "dim"}
_MAX_VALUE: Final = 400


def show_outcome(
    outcome: FlowOutcome, console: Console, secrets: Sequence[Mapping[str, str]] = (), *, local: bool = True
) -> None:
    """Print timeline, logs and failures per Action, then what the platform is asked to do.

    `secrets`: of the flow's Actions; their values are redacted in the effects shown, and a resume needs
    them again. `local`: it ran here, so that `actionbox resume` can go on with it.
    """
    count = len(outcome.actions)
    actions = "1 Action" if count == 1 else f"{count} Actions"
    leg = f" · leg {outcome.leg}" if outcome.leg > 1 else ""
    timing = f"{outcome.timing.wall_ms:.1f} ms of {outcome.timing.budget_ms} ms"
    console.print(
        line((f"{outcome.trigger.id} {outcome.trigger.version}", "bold"), f"{leg} · {actions} · {timing}")
    )
    console.print()
    width = max((len(one_line(record.name)) for record in outcome.actions), default=0)
    for record in outcome.actions:
        _show_action(record, width, console)
    console.print()
    _show_headline(outcome, console)
    _show_effects(Redactor(secrets).value(outcome.effects.model_dump(mode="json")), console)
    for warning in outcome.warnings:
        console.print(line(("warning: ", "yellow"), one_line(warning), indent=2))
    if outcome.suspension is not None and outcome.suspension.handle:
        names = {name for values in secrets for name in values}
        _show_suspension(outcome.suspension, names, console, local=local)


def _show_action(record: ActionRecord, width: int, console: Console) -> None:
    name = one_line(record.name).ljust(width)
    status = (record.status.value.ljust(9), _STATUS_STYLES[record.status])
    console.print(
        line(
            f"{record.index + 1:>3} ",
            (name, "bold"),
            f"  {record.language.value:<10}  ",
            status,
            _figures(record),
        )
    )
    for entry in record.logs:
        level = (entry.level.ljust(5), _LEVEL_STYLES.get(entry.level, "cyan"))
        first, *rest = entry.text.split("\n")
        console.print(line((f"{entry.at_ms:>8.1f} ms ", "dim"), level, f" {first}", indent=4))
        for more in rest:
            console.print(line(more, indent=22))
    if record.logs_cut_bytes:
        console.print(
            line((f"{record.logs_cut_bytes} bytes more were logged than are kept", "yellow"), indent=4)
        )
    if record.failure is not None:
        title = "the current version failed, the last good one ran: " if _recovered(record) else ""
        show_failure(record.failure, console, indent=4, title=title)


def _recovered(record: ActionRecord) -> bool:
    return record.used_last_good and record.status is not Status.FAILED


def _figures(record: ActionRecord) -> str:
    statistics = record.statistics
    if statistics is None:
        return ""
    parts = [f"{statistics.wall_ms:>7.1f} ms"]
    if statistics.peak_memory_bytes:
        parts.append(f"{statistics.peak_memory_bytes / KIB / KIB:>5.1f} MB")
    if record.commands:
        parts.append(plural(len(record.commands), "command"))
    fetches = statistics.host_calls.get("fetch", 0)
    if fetches:
        parts.append(plural(fetches, "request"))
    return "  " + "  ".join(parts)


def plural(count: int, noun: str) -> str:
    """`1 command`, `2 commands`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _show_headline(outcome: FlowOutcome, console: Console) -> None:
    headline = _HEADLINES[outcome.decision]
    denial = outcome.effects.denial
    if outcome.decision is Decision.DENY and denial:
        console.print(line(headline, f" ({one_line(denial.code)}): {one_line(denial.reason)}"))
        if denial.user_message:
            console.print(line("shown to the user: ", one_line(denial.user_message), indent=2))
    elif outcome.failure is not None:
        console.print(line(headline, f": {_blame(outcome)}"))
    else:
        console.print(line(headline))


def _blame(outcome: FlowOutcome) -> str:
    assert outcome.failure is not None
    index = outcome.failed_action or 0
    consequence = "" if outcome.trigger.blocking else "; the user's operation goes on"
    name = one_line(outcome.actions[index].name)
    return f"{outcome.failure.code.value} in Action {index + 1}, {name}{consequence}"


def _show_effects(effects: dict[str, Any], console: Console) -> None:
    """Show the effects that differ from those of a flow that asks for nothing."""
    nothing = Effects().model_dump(mode="json")
    for name, value in effects.items():
        if name in {"decision", "denial"} or value == nothing.get(name) or value is None:
            continue
        title = name.replace("_", " ")
        if name in {"warnings"}:
            for text in value:
                console.print(line(("warning: ", "yellow"), one_line(text), indent=2))
        elif isinstance(value, dict):
            console.print(line((title, "bold"), indent=2))
            default = nothing.get(name)
            _show_members(value, default if isinstance(default, dict) else {}, console)
        elif isinstance(value, list):
            console.print(line((title, "bold"), indent=2))
            for item in value:
                console.print(line(_value(item), indent=4))
        else:
            console.print(line((title, "bold"), f"  {_value(value)}", indent=2))


def _show_members(value: dict[str, Any], default: dict[str, Any], console: Console) -> None:
    shown = {key: item for key, item in value.items() if key not in default or item != default[key]}
    width = max((len(one_line(key)) for key in shown), default=0)
    for key, item in shown.items():
        console.print(line(one_line(key).ljust(width), f"  {_value(item)}", indent=4))


def _value(value: Any) -> str:
    text = value if isinstance(value, str) and "://" in value else json.dumps(value, ensure_ascii=False)
    return one_line(text, _MAX_VALUE)


def _show_suspension(
    suspension: SuspensionRecord, secret_names: Collection[str], console: Console, *, local: bool
) -> None:
    if not local:
        console.print()
        where = f"POST /runtime/v1/resume and the handle {suspension.handle}"
        console.print(line(("resume with: ", "cyan"), where))
        return
    arguments = ["actionbox", "resume", suspension.handle]
    if suspension.kind == "redirect":
        arguments += ["--query", f"state={suspension.state}"]
    for name in sorted(secret_names):
        arguments += ["--secret", f"{name}=..."]
    hints = {
        "redirect": "add what the site sends back with --query NAME=VALUE or --body NAME=VALUE",
        "prompt": "add the form's answers with --field NAME=VALUE and --var NAME=VALUE",
        "challenge": "add --method TYPE for each factor that was passed, e.g. --method otp",
        "enroll": "add --enrolled TYPE for each factor that was enrolled, e.g. --enrolled otp",
    }
    console.print()
    console.print(line(("resume with: ", "cyan"), shlex.join(arguments)))
    hint = hints.get(suspension.kind)
    if hint:
        console.print(line(f"({hint})", indent=2))
