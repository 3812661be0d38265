"""Options and names of `actionbox rollout`; bodies are in `commands`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from runner.cli.options import with_options
from runner.cli.tenant.connection import Target

rollouts = typer.Typer(
    name="rollout",
    help="Give a candidate a growing share of an Action's events; it goes back by itself when it does harm.",
    no_args_is_help=True,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ActionName = Annotated[str, typer.Argument(metavar="ACTION", help="Name of the Action.")]
RolloutId = Annotated[
    str | None, typer.Option("--id", metavar="ID", help="Of the rollout; left out: the latest one.")
]
Force = Annotated[
    str | None,
    typer.Option("--force", metavar="REASON", help="Start even what would lock people out; it is audited."),
]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Show it until it has ended or is paused.")]


@rollouts.command("start")
@with_options
def start(
    target: Target,
    action: ActionName,
    plan: Annotated[
        Path | None,
        typer.Option("--plan", "-p", metavar="FILE", help="YAML or JSON: stages, guards and the rest."),
    ] = None,
    version: Annotated[
        int | None, typer.Option("--version", min=1, help="An older version instead of the draft.")
    ] = None,
    force: Force = None,
    watch: Watch = False,
    as_json: Json = False,
) -> None:
    """Start a rollout of the draft: by default 5 % of the users for 200 events, 25 % for 500, then all."""
    from runner.cli.rollout.commands import start_command

    start_command(target, action, plan, version, force=force, watch=watch, as_json=as_json)


@rollouts.command("watch")
@with_options
def watch_(target: Target, action: ActionName, rollout: RolloutId = None, as_json: Json = False) -> None:
    """Show a rollout until it has ended or is paused.

    Exit status: 0 promoted, 1 rolled back or aborted, 3 paused.
    """
    from runner.cli.rollout.commands import watch_command

    watch_command(target, action, rollout, as_json=as_json)


@rollouts.command("list")
@with_options
def list_(target: Target, action: ActionName, as_json: Json = False) -> None:
    """List the rollouts of an Action, the latest first."""
    from runner.cli.rollout.commands import list_command

    list_command(target, action, as_json=as_json)


@rollouts.command("pause")
@with_options
def pause(target: Target, action: ActionName, rollout: RolloutId = None) -> None:
    """Begin no further stage. Nobody changes the version because of it, and the guards go on."""
    from runner.cli.rollout.commands import change_command

    change_command(target, action, rollout, "pause")


@rollouts.command("resume")
@with_options
def resume(target: Target, action: ActionName, rollout: RolloutId = None) -> None:
    """Go on with a rollout that is paused."""
    from runner.cli.rollout.commands import change_command

    change_command(target, action, rollout, "resume")


@rollouts.command("abort")
@with_options
def abort(target: Target, action: ActionName, rollout: RolloutId = None) -> None:
    """Give everybody the control again."""
    from runner.cli.rollout.commands import change_command

    change_command(target, action, rollout, "abort")


@rollouts.command("promote")
@with_options
def promote(target: Target, action: ActionName, rollout: RolloutId = None) -> None:
    """Make the candidate the deployed version at once."""
    from runner.cli.rollout.commands import change_command

    change_command(target, action, rollout, "promote")
