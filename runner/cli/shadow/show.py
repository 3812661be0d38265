"""Reports of shadow runs, for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from runner.cli.render import plural
from runner.cli.terminal import line

_STYLES: Final = {"decision": "bold red", "denial_text": "red", "log": "dim", "cost": "dim"}
_REASONS: Final = {
    "timeout": "ran out of time then, which is chance",
    "internal": "met a fault of the service then",
    "gone": "need packages that are not kept any more",
    "unusable": "cannot be run on",
    "busy": "found the service too busy",
    "lost": "ended with their worker",
    "dropped": "came too fast, with all that were skipped then",
}


@contextmanager
def progress(console: Console, total: int) -> Iterator[Callable[[int, int], None]]:
    """A bar around the block, on a terminal. What it gives is told how many legs are done, and differ."""
    if not console.is_terminal:
        yield lambda _done, _different: None
        return
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("legs", total=total)

        def told(done: int, different: int) -> None:
            text = f"legs, {different} different" if different else "legs"
            bar.update(task, completed=done, total=max(total, done), description=text)

        yield told


def show_report(report: Mapping[str, Any], console: Console) -> None:
    """Print a report, as `ShadowReport` has it or the service answers it."""
    compared, different = report["compared"], report["different"]
    if different:
        share = f"{100 * different / compared:.1f} %"
        console.print(
            line(("Different", "bold yellow"), f": {different} of {plural(compared, 'leg')} ({share})")
        )
        for cause, count in report["causes"].items():
            console.print(line(f"{count:>7}  ", (cause, _STYLES.get(cause, "yellow")), indent=2))
        console.print()
        _show_groups(report["groups"], console)
    elif compared:
        bound = f"{100 * report['bound']:.2g} %"
        console.print(
            line(("Same", "bold green"), f": {plural(compared, 'leg')}, so fewer than {bound} differ (95 %)")
        )
    else:
        console.print(line(("Nothing was compared", "bold yellow")))
    _show_rest(report, console)


def _show_rest(report: Mapping[str, Any], console: Console) -> None:
    for reason, count in report["skipped"].items():
        console.print(line((f"{plural(count, 'leg')} left out: they {_REASONS.get(reason, reason)}", "dim")))
    for use in report["ignored"]:
        rule = use.get("rule", use)
        about = f"{rule.get('cause') or 'any'} at {rule['path']}, of {rule['owner']}"
        if use["expired"]:
            console.print(line(("not ignored", "yellow"), f": {about}: the rule ended on {rule['until']}"))
        elif use["count"]:
            console.print(line((f"ignored in {plural(use['count'], 'leg')}: {about}", "dim")))
    if report["faults"]:
        console.print(line(("A fault of actionbox", "bold red"), ": what is on record differs from itself"))
        _show_groups(report["faults"], console)


def _show_groups(groups: Sequence[Mapping[str, Any]], console: Console) -> None:
    for group in groups:
        unproven = f", {group['unproven']} of them after an unknown request" if group["unproven"] else ""
        cause = group["cause"], _STYLES.get(group["cause"], "yellow")
        console.print(
            line(cause, f"  {group['path']}  ", (f"× {group['count']}{unproven}", "bold"), indent=2)
        )
        for name, word, colour in (("recorded", "recorded  ", "green"), ("now", "now       ", "red")):
            if group.get(name) is not None:
                console.print(line((word, colour), group[name], indent=6))
        console.print(line((", ".join(group["executions"]), "dim"), indent=6))
