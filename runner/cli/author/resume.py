"""`actionbox resume`."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any, Final

from runner.cli.author.images import open_engines
from runner.cli.author.run import EXIT_STATUS, finish, make_runner
from runner.cli.inputs import gather_secrets, parse_pairs, read_object
from runner.cli.options import ResumeOptions
from runner.model.errors import ResumeError
from runner.model.secret_names import flattened
from runner.model.settings import Settings
from runner.suspension.stores import SuspendedFlow
from runner.testing.simulated_return import returning_request, with_timestamps


def resume_command(options: ResumeOptions) -> None:
    """Resume once and exit with the outcome's status."""
    secrets = gather_secrets(options.secrets, options.secrets_file)
    runner, recorder = make_runner(options)
    waiting = runner.waiting(options.handle)
    runner = replace(runner, settings=_settings(runner.settings, options, waiting))

    request = _request(options, waiting)
    prompt = _prompt(options, waiting)
    open_engines(action.source.language for action in waiting.actions)
    try:
        outcome = runner.resume(
            options.handle,
            request=request,
            prompt=prompt,
            methods=with_timestamps(
                [{"name": "mfa", "type": item} for item in options.methods] or None, runner.clock.wall()
            ),
            enrolled=[{"type": item} for item in options.enrolled] or None,
            secrets=secrets.of_pinned,
        )
    except ResumeError as error:
        raise _in_options(error, waiting.kind) from None
    values = [flattened(secrets.of_pinned(action)) for action in waiting.actions]
    finish(outcome, options, recorder, values, runner.egress)
    sys.exit(EXIT_STATUS[outcome.decision])


_WAITS: Final = {
    "redirect": ("the user to come back", "--query state=…"),
    "prompt": ("a form", "--field NAME=VALUE, --var NAME=VALUE or --prompt FILE"),
    "challenge": ("a challenge", "--method FACTOR, such as --method otp"),
    "enroll": ("an enrolment", "--enrolled FACTOR, such as --enrolled otp"),
}
"""By kind of suspension: what for, and which options say how it ended."""


def _in_options(error: ResumeError, kind: str) -> ResumeError:
    """A wrong result, told in the words of the command line."""
    if error.code != "wrong_result":
        return error
    what, options = _WAITS[kind]
    return ResumeError(
        error.code, f"the flow waits for {what}", next_step=f"Say how it ended with {options}."
    )


def _settings(settings: Settings, options: ResumeOptions, waiting: SuspendedFlow) -> Settings:
    """Those of the run that suspended, unless the options name others."""
    limits = waiting.limits
    if options.timeout is not None:
        limits = replace(limits, wall_ms=settings.limits.wall_ms)
    if options.memory is not None:
        limits = replace(limits, memory_bytes=settings.limits.memory_bytes)
    budget_ms = waiting.budget_ms if options.timeout is None else settings.budget_ms
    return replace(settings, limits=limits, budget_ms=budget_ms)


def _request(options: ResumeOptions, waiting: SuspendedFlow) -> dict[str, Any]:
    given = read_object(options.request, "request") if options.request else {}
    return returning_request(
        waiting,
        query=parse_pairs(options.query, "--query", "query parameter"),
        body=parse_pairs(options.body, "--body", "body parameter"),
        patch=given,
    )


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _prompt(options: ResumeOptions, waiting: SuspendedFlow) -> dict[str, Any] | None:
    fields = parse_pairs(options.fields, "--field", "form field")
    variables = parse_pairs(options.vars, "--var", "form variable")
    given = read_object(options.prompt, "form result") if options.prompt else {}
    if waiting.kind != "prompt" and not (fields or variables or given):
        return None
    return {
        **given,
        "fields": {**_mapping(given.get("fields")), **fields},
        "vars": {**_mapping(given.get("vars")), **variables},
    }
