"""Options and names of the commands for tenants of a service; their bodies are in `commands`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from runner.cli.options import OutcomeJson, SecretOption, SecretsFile, with_options
from runner.cli.tenant.connection import Target

tenant_app = typer.Typer()

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Force = Annotated[
    str | None,
    typer.Option("--force", metavar="REASON", help="Deploy even what would lock people out; it is audited."),
]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=100, help="How many, the latest ones.")]


@tenant_app.command()
@with_options
def login(
    target: Target,
    url: Annotated[str, typer.Argument(help="The service, such as https://localhost:8443.")],
) -> None:
    """Sign in to a service, and keep the connection for later commands."""
    from runner.cli.tenant.commands import login_command

    login_command(replace(target, url=url))


@tenant_app.command()
@with_options
def push(
    target: Target,
    folder: Annotated[Path, typer.Argument(help="The folder with actionbox.yaml.")] = Path(),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and stop.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete Actions and modules that the folder does not name.")
    ] = False,
    rollout: Annotated[
        Path | None,
        typer.Option(
            "--rollout", metavar="FILE", help="Roll out what is deployed already, as this file says."
        ),
    ] = None,
    force: Force = None,
    secret: SecretOption = [],  # noqa: B006 - typer makes a new one
    secrets: SecretsFile = None,
) -> None:
    """Bring a folder's Actions, modules and bindings to the service: drafts, deploys, binds."""
    from runner.cli.tenant.commands import push_command

    push_command(
        target,
        folder,
        secrets=secret,
        secrets_file=secrets,
        dry_run=dry_run,
        yes=yes,
        prune=prune,
        rollout=rollout,
        force=force,
    )


@tenant_app.command()
@with_options
def pull(
    target: Target,
    folder: Annotated[Path, typer.Argument(help="The folder to write to.")] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Replace files that are different.")] = False,
) -> None:
    """Write the service's Actions, modules and bindings to a folder."""
    from runner.cli.tenant.commands import pull_command

    pull_command(target, folder, force=force)


@tenant_app.command()
@with_options
def rollback(
    target: Target,
    action: Annotated[str, typer.Argument(help="Name of the Action.")],
    version: Annotated[int, typer.Argument(min=1, help="Number of the version to deploy again.")],
    update_draft: Annotated[
        bool, typer.Option("--update-draft", help="Put the version's content into the draft as well.")
    ] = False,
    force: Force = None,
) -> None:
    """Deploy an earlier version of an Action again."""
    from runner.cli.tenant.commands import rollback_command

    rollback_command(target, action, version, update_draft=update_draft, force=force)


@tenant_app.command()
@with_options
def invoke(
    target: Target,
    trigger: Annotated[str, typer.Argument(help="Trigger id.")],
    event: Annotated[
        Path | None,
        typer.Option(
            "--event",
            "-e",
            metavar="FILE",
            help="Event as JSON, - for standard input; left out: the example.",
        ),
    ] = None,
    action: Annotated[
        str | None, typer.Option("--action", metavar="ID", help="The Action, for triggers bound to entities.")
    ] = None,
    as_json: OutcomeJson = False,
) -> None:
    """Invoke a trigger of the service, as a platform does, with what is bound to it there.

    Exit status as for `run`: 0 allowed or accepted, 1 denied, 2 failed or refused, 3 suspended.
    """
    from runner.cli.tenant.invoke import invoke_command

    invoke_command(target, trigger, event, action, as_json=as_json)


@tenant_app.command()
@with_options
def executions(
    target: Target,
    trigger: Annotated[str | None, typer.Option("--trigger", "-t", help="Only of this trigger.")] = None,
    action: Annotated[str | None, typer.Option("--action", help="Only those that ran this Action.")] = None,
    status: Annotated[str | None, typer.Option("--status", help="Only with this status.")] = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List the latest executions."""
    from runner.cli.tenant.commands import executions_command

    filters = {"trigger": trigger, "action": action, "status": status}
    executions_command(target, filters, limit, as_json=as_json)


@tenant_app.command()
@with_options
def logs(
    target: Target,
    action: Annotated[str | None, typer.Option("--action", help="Only of this Action.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """Show what Actions wrote to their console."""
    from runner.cli.tenant.commands import logs_command

    logs_command(target, action, follow=follow, limit=limit, as_json=as_json)
