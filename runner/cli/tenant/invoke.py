"""`actionbox invoke`: what the service runs for an event, shown as `run` shows it."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from runner.cli.author.run import EXIT_STATUS
from runner.cli.inputs import read_object
from runner.cli.render import show_outcome
from runner.cli.tenant.connection import Target
from runner.cli.terminal import error_console, line, output_console
from runner.client.runtime import Accepted, RuntimeClient
from triggers import get_trigger


def invoke_command(
    target: Target, trigger: str, file: Path | None, action: str | None, *, as_json: bool
) -> None:
    """Invoke and exit with the outcome's status. The service takes whole events only."""
    if file is None:
        event = get_trigger(trigger).example_event
        text = f"no --event was given: invoking with the example event of {trigger}"
        error_console().print(line((text, "dim")))
    else:
        event = read_object(file, "event")
    outcome = RuntimeClient.over(target.api()).invoke(trigger, event, action=action)
    if isinstance(outcome, Accepted):
        if as_json:
            sys.stdout.write(json.dumps(asdict(outcome)) + "\n")
        else:
            output_console().print(line(f"accepted: runs later as execution {outcome.execution_id}"))
        return
    if as_json:
        sys.stdout.write(outcome.to_json() + "\n")
    else:
        show_outcome(outcome, output_console(), local=False)
    sys.exit(EXIT_STATUS[outcome.decision])
