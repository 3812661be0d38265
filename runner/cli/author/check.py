"""`actionbox check`: what can be known of Actions before an event comes in."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

import sandbox
from runner.cli.author.images import open_engines
from runner.cli.problems import describe
from runner.cli.terminal import error_console, line, output_console
from runner.flow.handlers import exported, handlers_among, missing_handler, spelling
from runner.model.action import Action
from runner.model.errors import RunnerError
from runner.project.action_files import load_action
from sandbox.core.failure import BuildError
from triggers import Trigger, get_trigger, known_triggers


def check_command(files: Sequence[Path], trigger: str | None) -> None:
    """Check every file, and exit with 2 when one cannot be used."""
    contract = get_trigger(trigger) if trigger is not None else None
    console = output_console()
    good = [_check(file, contract, console) for file in files]
    sys.exit(0 if all(good) else 2)


def _check(file: Path, trigger: Trigger | None, console: Console) -> bool:
    try:
        action = load_action(file)
        open_engines([action.language])
        names = exported(sandbox.build(action.source))
    except (RunnerError, BuildError) as error:
        describe(error, error_console())
        return False
    found = handlers_among(names, action.language)
    chosen = [trigger] if trigger else known_triggers()
    matching = [item for item in chosen if item.execute_handler in found]
    if not matching:
        _missing(action, names, trigger)
        return False
    for item in matching:
        handlers = [spelling(name, action.language) for name in item.handlers if name in found]
        console.print(line(("ok ", "green"), f"{file}: {item.id} ({', '.join(handlers)})"))
    return True


def _missing(action: Action, names: Sequence[str], trigger: Trigger | None) -> None:
    describe(RunnerError("handler", missing_handler(action, names, trigger)), error_console())
