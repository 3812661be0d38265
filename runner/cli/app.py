"""The commands. Bodies live in modules of their own, imported when called, so that `--help` is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from runner.cli import service
from runner.cli.tenant.app import tenant_app

app = typer.Typer(
    name="actionbox",
    help="Runs tenant-authored auth-event Actions in isolated WebAssembly sandboxes.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ActionFiles = Annotated[
    list[Path], typer.Argument(metavar="ACTION...", help="Action files (.js, .ts, .py, …), in order.")
]
TriggerOption = Annotated[
    str | None,
    typer.Option("--trigger", "-t", help="Trigger id; found from the exported handlers if left out."),
]
SecretOption = Annotated[
    list[str] | None, typer.Option("--secret", "-s", metavar="NAME=VALUE", help="A secret; may be repeated.")
]
SecretsFile = Annotated[
    Path | None,
    typer.Option("--secrets", metavar="FILE", help="Secrets as a JSON object or NAME=VALUE lines."),
]
Timeout = Annotated[
    float | None, typer.Option("--timeout", metavar="SECONDS", help="Wall time of the flow (default 20).")
]
Memory = Annotated[
    int | None, typer.Option("--memory", metavar="MB", help="Memory of each Action (default 128).")
]
Json = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON and nothing else.")]
PrivateNetwork = Annotated[
    bool, typer.Option("--allow-private-network", help="Let Actions reach private and loopback addresses.")
]
StubFile = Annotated[
    Path | None, typer.Option("--stub", metavar="FILE", help="Stubbed fetch answers (YAML or JSON list).")
]
AllowOption = Annotated[
    list[str] | None,
    typer.Option(
        "--allow",
        metavar="RULE",
        help=r"The only hosts that Actions may reach: \[METHODS ]HOST\[:PORT]\[/PATH], repeatable.",
    ),
]
RecordStubs = Annotated[
    Path | None,
    typer.Option("--record-stubs", metavar="FILE", help="Keep the answers to requests, for --stub."),
]
RecordFile = Annotated[
    Path | None, typer.Option("--record", metavar="FILE", help="Write a record for `actionbox replay`.")
]
RecordSecrets = Annotated[
    bool, typer.Option("--record-secrets", help="Keep secret values in the record, in clear.")
]
ClockOption = Annotated[
    str | None,
    typer.Option("--clock", metavar="TIME", help="Stop the Actions' clock at a time (ISO 8601)."),
]
SeedOption = Annotated[
    int | None, typer.Option("--seed", metavar="N", help="Make the Actions' randomness repeatable.")
]
RegistryOption = Annotated[
    str | None,
    typer.Option("--registry", metavar="URL", help="npm registry (default: npm's own setting)."),
]
PackagesOption = Annotated[
    Path | None,
    typer.Option("--packages", metavar="DIR", help="A folder of npm tarballs to use instead of a registry."),
]
WheelsOption = Annotated[
    Path | None,
    typer.Option("--wheels", metavar="DIR", help="The folder of wheels with Python packages of Actions."),
]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="Refuse an event that is not whole, as the service does.")
]
LanguageOption = Annotated[str | None, typer.Option("--language", "-l", help="js or py.")]


def _version(wanted: bool) -> None:
    if wanted:
        from runner.cli.author.about import version_text

        typer.echo(version_text())
        raise typer.Exit


def _packages_from(registry: str | None, packages: Path | None, wheels: Path | None) -> None:
    """Note where packages come from, and say what is going on while they are fetched."""
    from runner.cli.terminal import error_console, line
    from runner.project.dependencies import show_progress, use

    use(registry, packages, wheels)
    show_progress(lambda text: error_console().print(line((text, "dim"))))


@app.callback()
def root(
    debug: Annotated[bool, typer.Option("--debug", help="Keep a log when actionbox itself fails.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Runs tenant-authored auth-event Actions in isolated WebAssembly sandboxes."""


@app.command()
def run(
    actions: ActionFiles,
    trigger: TriggerOption = None,
    event: Annotated[
        Path | None,
        typer.Option(
            "--event",
            "-e",
            metavar="FILE",
            help="Event as JSON, - for standard input; what it lacks, the example gives.",
        ),
    ] = None,
    strict: StrictOption = False,
    secret: SecretOption = None,
    secrets: SecretsFile = None,
    timeout: Timeout = None,
    memory: Memory = None,
    as_json: Json = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Run again when a file changes.")] = False,
    allow_private_network: PrivateNetwork = False,
    stub: StubFile = None,
    allow: AllowOption = None,
    record_stubs: RecordStubs = None,
    clock: ClockOption = None,
    seed: SeedOption = None,
    record: RecordFile = None,
    record_secrets: RecordSecrets = False,
    registry: RegistryOption = None,
    packages: PackagesOption = None,
    wheels: WheelsOption = None,
) -> None:
    """Run one Action, or a flow of several, on an event.

    Exit status: 0 allowed, 1 denied, 2 failed or bad input, 3 suspended.
    """
    from runner.cli.author.run import RunOptions, run_command

    _packages_from(registry, packages, wheels)

    options = RunOptions(
        actions=tuple(actions),
        trigger=trigger,
        event=event,
        strict=strict,
        secrets=tuple(secret or ()),
        secrets_file=secrets,
        timeout=timeout,
        memory=memory,
        as_json=as_json,
        allow_private_network=allow_private_network,
        stub=stub,
        allow=tuple(allow or ()),
        record_stubs=record_stubs,
        clock=clock,
        seed=seed,
        record=record,
        record_secrets=record_secrets,
    )
    if watch:
        from runner.cli.author.watch import watch_command

        watch_command(options)
    else:
        run_command(options)


@app.command()
def resume(
    handle: Annotated[str, typer.Argument(help="The handle that the suspended run printed.")],
    query: Annotated[
        list[str] | None, typer.Option("--query", metavar="NAME=VALUE", help="Query parameter.")
    ] = None,
    body: Annotated[
        list[str] | None, typer.Option("--body", metavar="NAME=VALUE", help="Body parameter.")
    ] = None,
    request: Annotated[
        Path | None,
        typer.Option("--request", metavar="FILE", help="event.request as JSON; options come on top."),
    ] = None,
    form_field: Annotated[
        list[str] | None, typer.Option("--field", metavar="NAME=VALUE", help="Form field.")
    ] = None,
    form_var: Annotated[
        list[str] | None, typer.Option("--var", metavar="NAME=VALUE", help="Form variable.")
    ] = None,
    prompt: Annotated[
        Path | None, typer.Option("--prompt", metavar="FILE", help="The form's result as JSON: fields, vars.")
    ] = None,
    method: Annotated[
        list[str] | None, typer.Option("--method", metavar="TYPE", help="Factor that was passed.")
    ] = None,
    enrolled: Annotated[
        list[str] | None, typer.Option("--enrolled", metavar="TYPE", help="Factor that was enrolled.")
    ] = None,
    secret: SecretOption = None,
    secrets: SecretsFile = None,
    timeout: Timeout = None,
    memory: Memory = None,
    as_json: Json = False,
    allow_private_network: PrivateNetwork = False,
    stub: StubFile = None,
    allow: AllowOption = None,
    record_stubs: RecordStubs = None,
    clock: ClockOption = None,
    seed: SeedOption = None,
    record: RecordFile = None,
    record_secrets: RecordSecrets = False,
) -> None:
    """Go on with a suspended flow. Exit status as for `run`."""
    from runner.cli.author.resume import ResumeOptions, resume_command

    resume_command(
        ResumeOptions(
            handle=handle,
            query=tuple(query or ()),
            body=tuple(body or ()),
            request=request,
            fields=tuple(form_field or ()),
            vars=tuple(form_var or ()),
            prompt=prompt,
            methods=tuple(method or ()),
            enrolled=tuple(enrolled or ()),
            secrets=tuple(secret or ()),
            secrets_file=secrets,
            timeout=timeout,
            memory=memory,
            as_json=as_json,
            allow_private_network=allow_private_network,
            stub=stub,
            allow=tuple(allow or ()),
            record_stubs=record_stubs,
            clock=clock,
            seed=seed,
            record=record,
            record_secrets=record_secrets,
        )
    )


@app.command()
def check(
    actions: ActionFiles,
    trigger: TriggerOption = None,
    registry: RegistryOption = None,
    packages: PackagesOption = None,
    wheels: WheelsOption = None,
) -> None:
    """Compile Actions and check policy and handlers, without running a handler."""
    from runner.cli.author.check import check_command

    _packages_from(registry, packages, wheels)

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
def run_tests(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATH]...", help="Folders or *.case.yaml files.")
    ] = None,
    name_filter: Annotated[
        str | None,
        typer.Option("--filter", "-k", metavar="TEXT", help="Only cases whose name contains TEXT."),
    ] = None,
    junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML.")] = None,
    strict: StrictOption = False,
    registry: RegistryOption = None,
    packages: PackagesOption = None,
    wheels: WheelsOption = None,
) -> None:
    """Run declarative test cases. Exit status: 0 passed, 1 a case failed, 2 a case cannot be used."""
    from runner.cli.author.test import test_command

    _packages_from(registry, packages, wheels)
    test_command(paths or [Path()], name_filter, junit, strict=strict)


@app.command()
def replay(
    record: Annotated[Path, typer.Argument(help="A file written by `run --record`.")],
    secret: SecretOption = None,
    secrets: SecretsFile = None,
    as_json: Json = False,
) -> None:
    """Run a record again, bit by bit. Exit status: 0 the same, 1 it diverges, 2 it cannot be used."""
    from runner.cli.author.replay import replay_command

    replay_command(record, tuple(secret or ()), secrets, as_json=as_json)


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
app.command("serve")(service.serve)
app.command("worker")(service.worker)
app.command("config")(service.show_config)
app.add_typer(service.tenants, name="tenant")
app.add_typer(service.clients, name="client")
app.add_typer(service.keys, name="keys")
