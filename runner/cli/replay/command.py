"""`actionbox replay`: one record, as it was or with something changed."""

from __future__ import annotations

import sys
from pathlib import Path

from runner.cli.author.images import open_engines
from runner.cli.author.watch import watch_files
from runner.cli.inputs import Secrets, gather_secrets
from runner.cli.replay.changed import Draft, is_same, print_draft_json, run_draft, show_draft
from runner.cli.replay.folder import folder_command
from runner.cli.replay.options import ReplayOptions, files_of
from runner.cli.replay.origin import find_record
from runner.cli.replay.show import replay_json, show_logged, show_origin, show_replay
from runner.cli.replay.steps import step_through
from runner.cli.tenant.connection import Target
from runner.cli.terminal import error_console, line, output_console
from runner.model.errors import InputError
from runner.replay.case.make import MadeCase, write_case
from runner.replay.logpoints.taps import Taps, parse_logpoint
from runner.replay.record import comparable, write_record
from runner.replay.recorded import Recorded
from runner.replay.secrets import secrets_of
from runner.replay.whole import replay_all


def replay_command(options: ReplayOptions, target: Target) -> None:
    """Replay and exit: 0 the same, 1 something differs."""
    _check(options)
    secrets = gather_secrets(options.secret, options.secrets)
    if options.record != "-" and Path(options.record).is_dir():
        folder_command(Path(options.record), secrets, as_json=options.as_json, junit=None)
    recorded = find_record(options.record, target, options.reveal)
    if options.save is not None:
        write_record(options.save, recorded.envelope or recorded.legs[0])
        error_console().print(line((f"record written to {options.save}", "dim")))
    open_engines(action.source.language for leg in recorded.legs for action in leg.actions)
    if options.step:
        sys.exit(0 if step_through(recorded, secrets) else 1)
    if options.watch:
        _watch(options, recorded)
    elif options.draft is not None:
        sys.exit(0 if _try(options, options.draft, recorded, secrets) else 1)
    else:
        sys.exit(0 if _replay(options, recorded, secrets) else 1)


def _check(options: ReplayOptions) -> None:
    """Raises `InputError` (`invalid_option`) for options that do not go together."""
    if options.watch and options.draft is None:
        raise InputError("invalid_option", "--watch runs again what --with names; give both")
    if options.step and (options.draft is not None or options.log or options.as_json):
        raise InputError(
            "invalid_option", "--step walks through what was recorded: leave --with, --log and --json"
        )
    if Path(options.record).is_dir() and options.record != "-":
        alone = {
            "--with": options.draft,
            "--case": options.case,
            "--log": options.log,
            "--step": options.step,
            "--save": options.save,
        }
        for name, value in alone.items():
            if value:
                raise InputError(
                    "invalid_option", f"{name} takes one record, and {options.record} is a folder"
                )


def _replay(options: ReplayOptions, recorded: Recorded, secrets: Secrets) -> bool:
    taps = Taps([parse_logpoint(text) for text in options.log]) if options.log else None
    result = replay_all(recorded, secrets.of_pinned, without_secrets=True, taps=taps)
    if options.case is not None:
        _say(write_case(recorded, options.case))
    if options.as_json:
        sys.stdout.write(replay_json(result, taps) + "\n")
        return result.same
    console = output_console()
    show_origin(recorded, console)
    values = [secrets_of(leg, secrets.of_pinned, without_secrets=True).values for leg in recorded.legs]
    show_replay(result, console, values)
    show_logged(taps, console, [item for leg in values for item in leg])
    return result.same


def _try(options: ReplayOptions, draft: Path, recorded: Recorded, secrets: Secrets) -> bool:
    """Run the draft; whether it did the same."""
    taps = Taps([parse_logpoint(text) for text in options.log]) if options.log else None
    runs = run_draft(recorded, Draft(draft, options.action), secrets, taps)
    if options.case is not None:
        outcomes = [comparable(leg.run.outcome) for leg in runs]
        _say(write_case(recorded, options.case, drafts={runs[0].index: draft}, outcomes=outcomes))
    if options.as_json:
        print_draft_json(runs, taps)
    else:
        show_origin(recorded, output_console())
        show_draft(runs, output_console())
        show_logged(taps, output_console(), [item for leg in runs for item in leg.secrets])
    return is_same(runs)


def _say(made: MadeCase) -> None:
    console = error_console()
    for path in made.sources:
        console.print(line((f"the recorded source is written to {path}", "dim")))
    console.print(line((f"case written to {made.path}; run it with: actionbox test {made.path}", "dim")))


def _watch(options: ReplayOptions, recorded: Recorded) -> None:
    """Run the draft each time it is saved, until interrupted."""

    def attempt() -> None:
        assert options.draft is not None
        secrets = gather_secrets(options.secret, options.secrets)
        _try(options, options.draft, recorded, secrets)

    watch_files(files_of(options), attempt)
