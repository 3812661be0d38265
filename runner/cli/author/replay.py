"""`actionbox replay`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from runner.cli.author.images import open_engines
from runner.cli.inputs import gather_secrets
from runner.cli.render import plural, show_outcome
from runner.cli.terminal import line, output_console
from runner.model.secret_names import flattened
from runner.replay.record import read_record
from runner.replay.replay import Replay, replay


def replay_command(
    file: Path, secret_options: Sequence[str], secrets_file: Path | None, *, as_json: bool
) -> None:
    """Replay and exit: 0 the same, 1 it diverges."""
    secrets = gather_secrets(secret_options, secrets_file)
    record = read_record(file)

    open_engines(action.source.language for action in record.actions)
    result = replay(record, secrets.of_pinned)
    if as_json:
        sys.stdout.write(_as_json(result) + "\n")
    else:
        kept = record.secrets or [flattened(secrets.of_pinned(item)) for item in record.actions]
        _show(result, output_console(), kept)
    sys.exit(0 if result.same else 1)


def _show(result: Replay, console: Console, secrets: Sequence[Mapping[str, str]]) -> None:
    show_outcome(result.outcome, console, secrets)
    console.print()
    if result.same:
        console.print(
            line(("Replayed", "bold green"), f": {plural(result.host_calls, 'host call')}, all as recorded")
        )
        return
    console.print(line(("Diverged", "bold red")))
    for item in result.divergences:
        console.print(
            line((f"Action {item.action + 1}", "bold"), f" at entry {item.divergence.position}", indent=2)
        )
        console.print(line(("recorded  ", "green"), item.divergence.expected, indent=4))
        console.print(line(("now       ", "red"), item.divergence.actual, indent=4))
    for difference in result.differences:
        console.print(line((difference.path, "bold"), indent=2))
        console.print(line(("recorded  ", "green"), difference.expected, indent=4))
        console.print(line(("now       ", "red"), difference.found, indent=4))


def _as_json(result: Replay) -> str:
    return json.dumps(
        {
            "same": result.same,
            "divergences": [
                {
                    "action": item.action,
                    "position": item.divergence.position,
                    "recorded": item.divergence.expected,
                    "now": item.divergence.actual,
                }
                for item in result.divergences
            ],
            "differences": [
                {"path": item.path, "recorded": item.expected, "now": item.found}
                for item in result.differences
            ],
            "outcome": result.outcome.to_dict(),
        }
    )
