"""The commands. Bodies live in modules of their own, imported when called, so that `--help` is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from runner.cli import service
from runner.cli.hook.app import hooks
from runner.cli.options import (
    ActionFiles,
    PackageOptions,
    ResumeOptions,
    RunOptions,
    SecretOption,
    SecretsFile,
    StrictOption,
    TriggerOption,
    with_options,
)
from runner.cli.replay.options import ReplayOptions
from runner.cli.rollout.app import rollouts
from runner.cli.shadow.options import ShadowOptions
from runner.cli.tenant.app import tenant_app
from runner.cli.tenant.connection import Target

app = typer.Typer(
    name="actionbox",
    help="Runs tenant-authored auth-event Actions in isolated WebAssembly sandboxes.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

LanguageOption = Annotated[str | None, typer.Option("--language", "-l", help="js or py.")]


def _version(wanted: bool) -> None:
    if wanted:
        from runner.cli.author.about import version_text

        typer.echo(version_text())
        raise typer.Exit


@app.callback()
def root(
    debug: Annotated[bool, typer.Option("--debug", help="Keep a log when actionbox itself fails.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Runs tenant-authored auth-event Actions in isolated WebAssembly sandboxes."""


@app.command()
@with_options
def run(
    options: RunOptions,
    packages: PackageOptions,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Run again when a file changes.")] = False,
) -> None:
    """Run one Action, or a flow of several, on an event.

    Exit status: 0 allowed, 1 denied, 2 failed or bad input, 3 suspended.
    """
    from runner.cli.author.run import run_command

    packages.use()
    if watch:
        from runner.cli.author.watch import watch_command

        watch_command(options)
    else:
        run_command(options)


@app.command()
@with_options
def resume(options: ResumeOptions) -> None:
    """Go on with a suspended flow. Exit status as for `run`."""
    from runner.cli.author.resume import resume_command

    resume_command(options)


@app.command()
@with_options
def check(actions: ActionFiles, packages: PackageOptions, trigger: TriggerOption = None) -> None:
    """Compile Actions and check policy and handlers, without running a handler."""
    from runner.cli.author.check import check_command

    packages.use()
    check_command(actions, trigger)


@app.command()
def new(
    trigger: Annotated[str, typer.Argument(help="Trigger id.")],
    language: LanguageOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The Action file to write.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
) -> None:
    """Write a first Action for a trigger, and a test case beside it."""
    from runner.cli.author.scaffold import new_command

    new_command(trigger, language, output, force=force)


@app.command()
def event(trigger: Annotated[str, typer.Argument(help="Trigger id.")]) -> None:
    """Print the example event of a trigger as JSON."""
    from runner.cli.author.about import event_command

    event_command(trigger)


@app.command()
def types(
    trigger: Annotated[str | None, typer.Argument(help="Trigger id; left out: all triggers.")] = None,
    language: LanguageOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write files for both languages to this folder.")
    ] = None,
) -> None:
    """Print typings for editors: .d.ts for JavaScript, .pyi for Python."""
    from runner.cli.author.about import types_command

    types_command(trigger, language, out)


@app.command()
def schema(
    trigger: Annotated[str, typer.Argument(help="Trigger id, or `outcome` for the record of a run.")],
) -> None:
    """Print the JSON Schema of a trigger's event and api, or of the outcome record."""
    from runner.cli.author.about import schema_command

    schema_command(trigger)


@app.command()
def triggers(as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """List the triggers."""
    from runner.cli.author.about import triggers_command

    triggers_command(as_json=as_json)


@app.command("test")
@with_options
def run_tests(
    packages: PackageOptions,
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATH]...", help="Folders or *.case.yaml files.")
    ] = None,
    name_filter: Annotated[
        str | None,
        typer.Option("--filter", "-k", metavar="TEXT", help="Only cases whose name contains TEXT."),
    ] = None,
    junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML.")] = None,
    strict: StrictOption = False,
) -> None:
    """Run declarative test cases. Exit status: 0 passed, 1 a case failed, 2 a case cannot be used."""
    from runner.cli.author.test import test_command

    packages.use()
    test_command(paths or [Path()], name_filter, junit, strict=strict)


@app.command()
@with_options
def dev(
    packages: PackageOptions,
    folder: Annotated[Path, typer.Argument(help="The folder of Actions.")] = Path(),
    opens: Annotated[bool, typer.Option("--open", help="Open a browser.")] = False,
    port: Annotated[int | None, typer.Option("--port", "-p", help="Port; left out, a free one.")] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes that run Actions (default 1).")
    ] = None,
    secret: SecretOption = [],  # noqa: B006 - typer makes a new one
    secrets: SecretsFile = None,
) -> None:
    """Open the console on a folder of Actions: write, run and test them, and click through a whole login.

    Serves on this machine alone, with a database that is gone afterwards. What is saved in the console is
    written to the files.
    """
    from runner.cli.author.dev import dev_command

    packages.use()
    dev_command(folder, secret, secrets, port=port, workers=workers, opens=opens)


@app.command()
@with_options
def replay(options: ReplayOptions, packages: PackageOptions, target: Target) -> None:
    """Run what was recorded again, bit by bit: an execution of the service, a file, or a folder of files.

    Only an execution's record is fetched; nothing else touches the network.

    Exit status: 0 the same, 1 something differs, 2 it cannot be used.
    """
    from runner.cli.replay.command import replay_command

    packages.use()
    replay_command(options, target)


@app.command()
@with_options
def shadow(options: ShadowOptions, packages: PackageOptions, target: Target) -> None:
    """Run a draft on what happened, and tell what would have been different: on a folder of records here, or
    on those of the service.

    Nothing is sent and no effect is applied.

    Exit status: 0 nothing differs, 1 something does, 2 a record cannot be used.
    """
    from runner.cli.shadow.command import shadow_command

    packages.use()
    shadow_command(options, target)


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of records (*.json).")],
    secret: SecretOption = [],  # noqa: B006 - typer makes a new one
    secrets: SecretsFile = None,
    junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Replay a folder of records against this build of the engines, as an upgrade's CI does.

    Exit status: 0 all the same, 1 one differs, 2 a file cannot be used.
    """
    from runner.cli.inputs import gather_secrets
    from runner.cli.replay.folder import folder_command

    folder_command(folder, gather_secrets(secret, secrets), as_json=as_json, junit=junit)


@app.command()
def images(
    show: Annotated[bool, typer.Option("--list", help="List what the cache holds; build nothing.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Remove what nobody has used lately.")] = False,
    unused_days: Annotated[
        float | None,
        typer.Option("--unused-days", metavar="DAYS", help="With --prune: unused for how long (default 14)."),
    ] = None,
) -> None:
    """Build the guest images that are not in the cache yet; or list and prune the cache."""
    from runner.cli.author.images import images_command

    images_command(show=show, prune=prune, unused_days=unused_days)


app.add_typer(tenant_app)
app.add_typer(hooks)
app.add_typer(rollouts)
app.command("serve")(service.serve)
app.command("worker")(service.worker)
app.command("config")(service.show_config)
app.add_typer(service.tenants, name="tenant")
app.add_typer(service.clients, name="client")
app.add_typer(service.console, name="console")
app.add_typer(service.keys, name="keys")
