"""Options and names of `actionbox hook`; bodies are in `commands`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from runner.cli.options import with_options
from runner.cli.tenant.connection import Target

hooks = typer.Typer(
    name="hook", help="Hooks by which identity providers call a tenant's Actions.", no_args_is_help=True
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ProviderName = Annotated[str, typer.Argument(metavar="PROVIDER", help="Such as zitadel.")]
HookName = Annotated[str, typer.Argument(metavar="HOOK", help="Such as preaccesstoken.")]
SecretValue = Annotated[
    str | None,
    typer.Option("--secret", metavar="SECRET", help="Checks requests; @FILE reads it from a file."),
]
DecryptionKey = Annotated[
    Path | None, typer.Option("--decryption-key", metavar="PEM", help="Private key for encrypted requests.")
]


@hooks.command("add")
@with_options
def add(
    target: Target,
    provider: ProviderName,
    hook: HookName,
    secret: SecretValue = None,
    decryption_key: DecryptionKey = None,
    defaults: Annotated[
        Path | None,
        typer.Option("--defaults", metavar="FILE", help="JSON: connection and client of events."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A setting of the provider; may be repeated."),
    ] = None,
    on_uncarried: Annotated[
        str, typer.Option("--on-uncarried", metavar="deny|allow", help="When effects cannot be carried.")
    ] = "deny",
    budget_ms: Annotated[
        int | None, typer.Option("--budget-ms", min=50, help="Time for an answer; default: the hook's.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Let a provider call a hook; prints the address to paste there."""
    from runner.cli.hook.commands import add_command

    add_command(
        target,
        provider,
        hook,
        secret=secret,
        decryption_key=decryption_key,
        defaults=defaults,
        settings=settings or [],
        on_uncarried=on_uncarried,
        budget_ms=budget_ms,
        as_json=as_json,
    )


@hooks.command("list")
@with_options
def list_(
    target: Target,
    available: Annotated[
        bool, typer.Option("--available", help="What every provider offers, without asking a service.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List the tenant's hooks."""
    from runner.cli.hook.commands import available_command, list_command

    if available:
        available_command(as_json=as_json)
    else:
        list_command(target, as_json=as_json)


@hooks.command("rotate")
@with_options
def rotate(
    target: Target,
    provider: ProviderName,
    hook: HookName,
    secret: SecretValue = None,
    decryption_key: DecryptionKey = None,
    drop_old: Annotated[
        bool, typer.Option("--drop-old", help="Delete the other secrets of this use at once.")
    ] = False,
) -> None:
    """Add a secret beside the present ones; with --drop-old it takes their place."""
    from runner.cli.hook.commands import rotate_command

    rotate_command(target, provider, hook, secret, decryption_key, drop_old=drop_old)


@hooks.command("remove")
@with_options
def remove(target: Target, provider: ProviderName, hook: HookName) -> None:
    """Refuse the provider's requests from now on."""
    from runner.cli.hook.commands import remove_command

    remove_command(target, provider, hook)


@hooks.command("test")
@with_options
def try_(
    target: Target,
    provider: ProviderName,
    hook: HookName,
    payload: Annotated[
        Path | None,
        typer.Option("--payload", "-p", metavar="FILE", help="JSON; left out: the provider's example."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Run the bound Actions as this hook would: the event, the provider's answer, what cannot be carried.

    Exit status: 0 the provider goes on, 1 it refuses.
    """
    from runner.cli.hook.commands import test_command

    test_command(target, provider, hook, payload, as_json=as_json)


@hooks.command("simulate")
def simulate(
    provider: ProviderName,
    hook: HookName,
    url: Annotated[str, typer.Option("--url", metavar="URL", help="Where to send it.")],
    secret: Annotated[
        str, typer.Option("--secret", metavar="SECRET", help="Signs it; @FILE reads it from a file.")
    ],
    event: Annotated[
        Path | None,
        typer.Option("--event", "-e", metavar="FILE", help="The payload; left out: the provider's example."),
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option("--ca-file", metavar="PEM", help="Certificate authority to trust.")
    ] = None,
) -> None:
    """Send the provider's signed request to any address, and show the answer.

    Exit status: 0 the provider goes on, 1 it refuses, 2 no answer.
    """
    from runner.cli.hook.commands import simulate_command

    simulate_command(provider, hook, url, secret, event, ca_file)
