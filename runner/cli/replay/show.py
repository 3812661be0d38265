"""What a replay found, for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rich.console import Console

from runner.cli.render import plural, show_outcome
from runner.cli.terminal import line
from runner.flow.redact import Redactor
from runner.model.text import one_line
from runner.replay.engines import OtherEngine
from runner.replay.logpoints.taps import Taps
from runner.replay.recorded import Recorded
from runner.replay.replay import Replay
from runner.replay.whole import WholeReplay

_MOST_VALUE: Final = 2_000
"""Characters of the value of an expression."""


def show_origin(recorded: Recorded, console: Console) -> None:
    """One line about a record of the service: its form, and how faithful that is."""
    kept = recorded.envelope
    if kept is None:
        return
    expires = "" if kept.expires_at is None else f", kept until {kept.expires_at:%Y-%m-%d %H:%M %Z}"
    fidelity = "" if kept.fidelity is None else f" · fidelity: {fidelity_text(kept.fidelity)}"
    text = (
        f"{kept.execution_id} · {kept.form} record{fidelity} · recorded {kept.created_at:%Y-%m-%d %H:%M %Z}"
    )
    console.print(line((f"{text}{expires}", "dim")))


def fidelity_text(stamp: Mapping[str, Any]) -> str:
    """A fidelity stamp in words: its result, and where it differs and by what."""
    result = str(stamp.get("result") or stamp.get("stamp") or "unknown").replace("_", " ")
    rest = [f"{name} {value}" for name, value in stamp.items() if name in ("at", "because") and value]
    return " ".join((result, *rest))


def show_replay(
    result: WholeReplay, console: Console, secrets: Sequence[Sequence[Mapping[str, str]]]
) -> None:
    """Print each leg's outcome, then whether all is identical, or all that differs. `secrets`: by leg."""
    for leg, values in zip(result.legs, secrets, strict=True):
        show_outcome(leg.outcome, console, values)
        console.print()
    show_notes(result.placeholders, result.engines, console, same=result.same)
    if result.same:
        legs = f"{plural(len(result.legs), 'leg')}, " if len(result.legs) > 1 else ""
        calls = plural(result.host_calls, "host call")
        console.print(line(("Identical", "bold green"), f": {legs}{calls}, all as recorded"))
        return
    console.print(line(("Different", "bold red")))
    for record, leg in zip(result.recorded.legs, result.legs, strict=True):
        place = f"leg {record.number}, " if len(result.legs) > 1 else ""
        for item in leg.divergences:
            name = record.actions[item.action].name
            found = item.divergence
            where = f"{place}Action {item.action + 1} ({name}), call {found.position}"
            show_sides(where, found.expected, found.actual, console)
        for difference in leg.differences:
            show_sides(f"{place}{difference.path}", difference.expected, difference.found, console)


def show_notes(
    placeholders: Iterable[tuple[str, str]], engines: Iterable[OtherEngine], console: Console, *, same: bool
) -> None:
    """Print what may be behind a difference."""
    for engine in engines:
        console.print(line((str(engine), "yellow")))
    names = [f"{name} of {action}" for action, name in placeholders]
    if names:
        after = "" if same else "; where an Action uses more than passes on, give it with --secret"
        console.print(line((f"placeholders stand for secrets: {', '.join(names)}{after}", "yellow")))


def show_sides(where: str, recorded: str, now: str, console: Console) -> None:
    """Print one place at which two runs differ."""
    console.print(line((where, "bold"), indent=2))
    console.print(line(("recorded  ", "green"), recorded, indent=4))
    console.print(line(("now       ", "red"), now, indent=4))


def show_logged(taps: Taps | None, console: Console, secrets: Sequence[Mapping[str, str]]) -> None:
    """Print what the expressions of `--log` came to, secrets redacted."""
    if taps is None:
        return
    redactor = Redactor(secrets)
    console.print()
    for item in taps.logged:
        value = one_line(redactor.text(item.text), _MOST_VALUE)
        place = f"{item.point.file}:{item.point.line}"
        style = "red" if item.failed else ""
        console.print(line((place, "bold"), f"  {item.point.expression} = ", (value, style)))
    passed = {item.point for item in taps.logged}
    for point in taps.points:
        if point not in passed:
            console.print(line((f"{point.file}:{point.line}", "bold"), ("  was not passed", "dim")))


def logged_json(taps: Taps | None) -> list[dict[str, Any]]:
    """The same as JSON values."""
    return [
        {
            "action": item.action,
            "file": item.point.file,
            "line": item.point.line,
            "expression": item.point.expression,
            "value": item.text,
            "failed": item.failed,
        }
        for item in (taps.logged if taps is not None else ())
    ]


def replay_json(result: WholeReplay, taps: Taps | None) -> str:
    """All of it."""
    kept = result.recorded.envelope
    return json.dumps(
        {
            "same": result.same,
            "execution_id": result.recorded.execution_id,
            "form": None if kept is None else kept.form,
            "fidelity": None if kept is None else kept.fidelity,
            "host_calls": result.host_calls,
            "engines": [str(engine) for engine in result.engines],
            "placeholders": [{"action": action, "secret": name} for action, name in result.placeholders],
            "logged": logged_json(taps),
            "legs": [
                {"leg": record.number, **_leg(leg)}
                for record, leg in zip(result.recorded.legs, result.legs, strict=True)
            ],
        }
    )


def _leg(leg: Replay) -> dict[str, Any]:
    return {
        "same": leg.same,
        "divergences": [
            {
                "action": item.action,
                "position": item.divergence.position,
                "recorded": item.divergence.expected,
                "now": item.divergence.actual,
            }
            for item in leg.divergences
        ],
        "differences": [
            {"path": item.path, "recorded": item.expected, "now": item.found} for item in leg.differences
        ],
        "outcome": leg.outcome.to_dict(),
    }
