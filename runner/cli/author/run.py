"""`actionbox run`: load, run, print; also what `resume` shares with it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from runner.cli.author.images import open_engines
from runner.cli.author.stubs import write_stubs
from runner.cli.inputs import (
    allow_rules,
    gather_secrets,
    limits_of,
    load_actions,
    parse_clock,
    read_object,
)
from runner.cli.options import LegOptions, RunOptions
from runner.cli.render import show_outcome
from runner.cli.terminal import error_console, line, output_console
from runner.flow.handlers import infer_trigger
from runner.flow.runner import Runner, public_egress
from runner.model.action import Action
from runner.model.outcome import Decision, FlowOutcome
from runner.model.settings import Settings
from runner.replay.record import Recorder, write_record
from runner.suspension.stores import FileStore, default_folder
from runner.testing.cases.load import load_stubs
from runner.testing.cases.worlds import frozen_clock, seeded_entropy
from runner.testing.partial_event import completed
from sandbox.egress import Egress, RecordingEgress, StubEgress, preload
from sandbox.egress.narrowing import narrowed
from triggers import Trigger, get_trigger

EXIT_STATUS: Final = {
    Decision.ALLOW: 0,
    Decision.DENY: 1,
    Decision.FAILED: 2,
    Decision.SUSPENDED: 3,
}


def run_command(options: RunOptions) -> None:
    """Run once and exit with the outcome's status."""
    sys.exit(EXIT_STATUS[run_once(options).decision])


def run_once(options: RunOptions) -> FlowOutcome:
    """Run the flow and print its outcome. Raises what the library raises."""
    known = get_trigger(options.trigger) if options.trigger is not None else None
    secrets = gather_secrets(options.secrets, options.secrets_file)
    event = read_object(options.event, "event") if options.event else None
    actions = load_actions(options.actions, secrets.with_defaults((event or {}).get("secrets")))
    runner, recorder = make_runner(options)
    if options.stub is None and any(_may_make_requests(action) for action in actions):
        preload()
    open_engines(action.language for action in actions)
    trigger = known or infer_trigger(actions)
    outcome = runner.run(trigger, _whole(trigger, event, strict=options.strict), actions)
    finish(outcome, options, recorder, [action.every_secret for action in actions], runner.egress)
    return outcome


def _may_make_requests(action: Action) -> bool:
    """A guess, which only says what to load while the sandbox starts."""
    return any(word in action.source.text for word in ("fetch", "http", "require("))


def _whole(trigger: Trigger, event: dict[str, Any] | None, *, strict: bool) -> dict[str, Any]:
    """The event that was given, filled up from the example unless `strict`; the example when none was."""
    if event is None:
        text = f"no --event was given: running on the example event of {trigger.id}"
        whole = trigger.example_event
    elif strict:
        return event
    else:
        made = completed(trigger, event)
        text, whole = made.sentence(trigger), made.event
    if text:
        error_console().print(line((text, "dim")))
    return whole


def make_runner(options: LegOptions) -> tuple[Runner, Recorder]:
    """The runner that the options ask for, and what records it; suspended flows wait in the user's state
    folder."""
    limits, budget_ms = limits_of(options.timeout, options.memory)
    recorder = Recorder(keep_secrets=options.record_secrets)
    runner = Runner(
        settings=Settings(limits=limits, budget_ms=budget_ms),
        egress=_egress(options),
        store=FileStore(default_folder()),
        clock=frozen_clock(parse_clock(options.clock)),
        entropy=seeded_entropy(options.seed),
    )
    return (replace(runner, observer=recorder) if options.record else runner), recorder


def _egress(options: LegOptions) -> Egress:
    """The way out that the options ask for."""
    if options.stub is not None:
        egress: Egress = StubEgress(load_stubs(options.stub))
    else:
        egress = public_egress(allow_private=options.allow_private_network)
    if options.record_stubs is not None:
        egress = RecordingEgress(egress)
    return narrowed(egress, allow_rules(options.allow))


def finish(
    outcome: FlowOutcome,
    options: LegOptions,
    recorder: Recorder,
    secrets: Sequence[Mapping[str, str]],
    egress: Egress,
) -> None:
    """Print the outcome, and write the record and the stubs that were asked for."""
    if options.as_json:
        sys.stdout.write(outcome.to_json() + "\n")
    else:
        show_outcome(outcome, output_console(), secrets)
    if options.record_stubs is not None:
        write_stubs(options.record_stubs, egress)
    if options.record is not None:
        write_record(options.record, recorder.record(outcome))
        error_console().print(line((f"record written to {options.record}", "dim")))
