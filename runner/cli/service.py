"""`actionbox serve`, `config`, `tenant`, `client` and `keys`: for whoever runs the service."""

from __future__ import annotations

import json
import os
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from runner.cli.options import with_options
from runner.model.caps import MAX_KEY_FILE_BYTES

if TYPE_CHECKING:
    from runner.admin.first_client import FirstClient
    from runner.config.settings import ServiceSettings
    from runner.http.auth.assertions import PublicKey
    from runner.store import Store

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", metavar="FILE", help="Settings file (TOML); also ACTIONBOX_CONFIG."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """The installation that a command is about."""

    config: ConfigOption = None
    data_dir: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Folder of the database and key ring.")
    ] = None

    def settings(self, **options: Any) -> ServiceSettings:
        """Its settings; what the environment has that looks like one and is none is told."""
        from runner.config.settings import load_settings, misspelt

        for text in misspelt(os.environ):
            typer.echo(f"warning: {text}", err=True)
        return load_settings(self.config, data_dir=self.data_dir, **options)

    def store(self) -> closing[Store]:
        """Its database, open for the block."""
        from runner.admin.setup import open_store

        return closing(open_store(self.settings()))


JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
KeyFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--public-key",
        metavar="FILE",
        help="Log in by assertions that this key (PEM or JWK) verifies, without a secret; may be repeated.",
    ),
]
tenants = typer.Typer(help="Tenants of the service.", no_args_is_help=True)
clients = typer.Typer(help="API clients of a tenant.", no_args_is_help=True)
console = typer.Typer(help="The console of the service.", no_args_is_help=True)
keys = typer.Typer(help="The key ring that seals secrets and signs tokens.", no_args_is_help=True)


@with_options
def serve(
    service: Installation,
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option("--port", "-p", help="Port; 0 takes a free one.")] = None,
    https: Annotated[
        bool | None, typer.Option("--https", help="Serve HTTPS; with a certificate made here unless given.")
    ] = None,
    cert: Annotated[
        Path | None, typer.Option("--cert", metavar="FILE", help="Certificate chain (PEM).")
    ] = None,
    key: Annotated[Path | None, typer.Option("--key", metavar="FILE", help="Its private key (PEM).")] = None,
    workers: Annotated[int | None, typer.Option("--workers", help="Processes that run Actions.")] = None,
) -> None:
    """Serve the Management and the runtime API.

    Needs no configuration for a first try: a database is made, and credentials and a curl are printed.
    """
    from runner.server.serve import serve as run

    run(service.settings(host=host, port=port, https=https, tls_cert=cert, tls_key=key, workers=workers))


def worker(
    config: ConfigOption = None,
    workers: Annotated[int | None, typer.Option("--workers", help="Processes that run Actions.")] = None,
) -> None:
    """Run asynchronous triggers only; any number of these on any number of machines share a database."""
    from runner.server.worker_command import work

    work(Installation(config=config).settings(workers=workers))


@with_options
def show_config(service: Installation) -> None:
    """Print the effective settings as JSON, without secrets."""
    typer.echo(json.dumps(service.settings().shown(), indent=2))


@tenants.command("add")
@with_options
def add_tenant(
    service: Installation,
    tenant: Annotated[str, typer.Argument(help="Its id.")],
    name: Annotated[str, typer.Option("--name", help="For people.")] = "",
) -> None:
    """Add a tenant with a client that has all scopes, and print the client's credentials."""
    from runner.admin.first_client import new_tenant
    from runner.admin.setup import open_service_keys, open_store

    settings = service.settings()
    with closing(open_store(settings)) as store:
        keys = open_service_keys(settings, store)
        with store.begin() as session:
            made = new_tenant(session, settings, keys, tenant, name)
    _show_first(settings, made)


@tenants.command("credentials")
@with_options
def show_credentials(
    service: Installation,
    tenant: Annotated[str, typer.Argument(help="Id of the tenant.")],
) -> None:
    """Print the credentials of a tenant's first client again, with a new token."""
    from runner.admin.first_client import first_client
    from runner.admin.setup import open_service_keys, open_store

    settings = service.settings()
    with closing(open_store(settings)) as store:
        keys = open_service_keys(settings, store)
        with store.read() as session:
            found = first_client(session, settings, keys, tenant)
    _show_first(settings, found)


@tenants.command("list")
@with_options
def list_tenants(service: Installation, as_json: JsonOption = False) -> None:
    """List the tenants."""
    from sqlalchemy import select

    from runner.store.tables.models import Tenant

    with service.store() as store, store.read() as session:
        rows = session.scalars(select(Tenant).order_by(Tenant.id)).all()
    found = [{"id": row.id, "name": row.name, "created_at": row.created_at.isoformat()} for row in rows]
    _list(found, as_json=as_json, nothing="no tenants; `actionbox tenant add` makes one")


@tenants.command("remove")
@with_options
def remove_tenant(
    service: Installation,
    tenant: Annotated[str, typer.Argument(help="Id of the tenant.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove a tenant with all it has: clients, Actions, secrets, executions."""
    from runner.admin.tenants import find_tenant
    from runner.admin.tenants import remove_tenant as remove
    from runner.model.errors import InputError

    with service.store() as store:
        with store.read() as session:
            find_tenant(session, tenant)
        if not yes:
            if not os.isatty(0):
                raise InputError(
                    "not_confirmed", f"there is nobody to ask about {tenant}", next_step="Use --yes."
                )
            typer.confirm(f"Remove {tenant} with all it has?", err=True, abort=True)
        with store.begin() as session:
            remove(session, tenant)
    typer.echo(f"removed {tenant}")


@clients.command("list")
@with_options
def list_clients(
    service: Installation,
    tenant: Annotated[str | None, typer.Argument(help="Only of this tenant.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the API clients, without secrets."""
    from sqlalchemy import select

    from runner.admin.tenants import find_tenant
    from runner.store.tables.models import ApiClient

    query = select(ApiClient).order_by(ApiClient.tenant_id, ApiClient.created_at)
    with service.store() as store, store.read() as session:
        if tenant is not None:
            find_tenant(session, tenant)
            query = query.where(ApiClient.tenant_id == tenant)
        rows = session.scalars(query).all()
    found = [
        {
            "tenant": row.tenant_id,
            "id": row.id,
            "name": row.name,
            "state": "active" if row.revoked_at is None else "revoked",
            "login": "secret" if row.secret_digest else "public key",
            "scopes": row.scopes if as_json else _scopes(row.scopes),
        }
        for row in rows
    ]
    _list(found, as_json=as_json, nothing="no clients; `actionbox client add` makes one")


@clients.command("add")
@with_options
def add_client(
    service: Installation,
    tenant: Annotated[str, typer.Argument(help="Id of the tenant.")],
    name: Annotated[str, typer.Option("--name", help="For people.")] = "client",
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="A scope; may be repeated. Left out: all.")
    ] = None,
    public_key: KeyFiles = None,
) -> None:
    """Add an API client; its secret is printed once. With a public key it has none."""
    from runner.admin.tenants import create_client

    keys = _read_keys(public_key or [])
    with service.store() as store, store.begin() as session:
        made = create_client(session, tenant, name, scope or None, keys)
    _show(made)


@clients.command("rekey")
@with_options
def rekey_client(
    service: Installation,
    client: Annotated[str, typer.Argument(help="Id of the client.")],
    public_key: KeyFiles = None,
) -> None:
    """Replace the public keys of a client. To change keys, name old and new, and later the new one."""
    from runner.admin.tenants import replace_keys

    keys = _read_keys(public_key or [])
    if not keys:
        raise typer.BadParameter("name at least one file", param_hint="--public-key")
    with service.store() as store, store.begin() as session:
        replace_keys(session, client, keys)
    typer.echo(f"client {client} logs in with {len(keys)} public key{'s' if len(keys) > 1 else ''}")


@clients.command("revoke")
@with_options
def revoke_client(
    service: Installation,
    client: Annotated[str, typer.Argument(help="Id of the client.")],
) -> None:
    """Make a client's secret and tokens worthless, within seconds."""
    from runner.admin.tenants import revoke_client as revoke

    with service.store() as store, store.begin() as session:
        revoke(session, client)
    typer.echo(f"revoked {client}")


@console.command("link")
@with_options
def console_link(
    service: Installation,
    tenant: Annotated[str, typer.Argument(help="Id of the tenant whose Actions are shown first.")],
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="A scope; may be repeated. Left out: all, in every tenant."),
    ] = None,
    actor: Annotated[str, typer.Option("--name", help="Who signs in, for the audit trail.")] = "operator",
    minutes: Annotated[float, typer.Option("--minutes", min=1, max=1440, help="How long it is good.")] = 15,
) -> None:
    """Print a link that signs in to the console once."""
    from runner.console.links import OPERATOR, new_link

    settings = service.settings()
    with service.store() as store, store.begin() as session:
        link = new_link(session, settings, tenant, actor=actor, scopes=scope or OPERATOR, minutes=minutes)
    typer.echo(link)


@keys.command("create")
@with_options
def create_keys(service: Installation) -> None:
    """Make the key ring; for PostgreSQL, once, before the first start. Copy it to every replica."""
    from runner.admin.rotation import create

    typer.echo(f"made {create(service.settings())}")


@keys.command("rotate")
@with_options
def rotate_keys(
    service: Installation,
    prune: Annotated[
        bool, typer.Option("--prune", help="Also drop the old keys; tokens signed with them end.")
    ] = False,
) -> None:
    """Make a new key and seal every secret with it. Running replicas take it up by themselves."""
    from runner.admin.rotation import rotate

    done = rotate(service.settings(), prune=prune)
    typer.echo(
        f"sealed {done.resealed} secrets with key {done.key_id}; the ring holds {', '.join(done.ring)}"
    )


@keys.command("forget")
@with_options
def forget_lost(service: Installation) -> None:
    """Delete the secrets that the key ring does not open, when the ring that does is lost."""
    from runner.admin.rotation import forget

    count = forget(service.settings())
    typer.echo(f"deleted {count} secrets that the key ring does not open")


def _read_keys(files: list[Path]) -> list[PublicKey]:
    from runner.http.auth.assertions import public_key
    from runner.project.jsonfile import read_text

    return [public_key(read_text(file, "the public key", limit=MAX_KEY_FILE_BYTES)) for file in files]


def _scopes(scopes: list[Any]) -> str:
    from runner.http.auth.scopes import ALL_SCOPES

    return "all" if set(scopes) >= set(ALL_SCOPES) else " ".join(scopes)


def _list(rows: list[dict[str, Any]], *, as_json: bool, nothing: str) -> None:
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    elif not rows:
        typer.echo(nothing)
    else:
        widths = {name: max(len(str(row[name])) for row in rows) for name in rows[0]}
        for row in rows:
            typer.echo("  ".join(str(value).ljust(widths[name]) for name, value in row.items()).rstrip())


def _show_first(settings: ServiceSettings, made: FirstClient) -> None:
    from runner.admin.first_client import credential_lines

    typer.echo("\n".join(credential_lines(settings, made)))


def _show(made: object) -> None:
    from runner.admin.tenants import Credentials

    assert isinstance(made, Credentials)
    typer.echo(f"tenant         {made.tenant}")
    typer.echo(f"client id      {made.client_id}")
    if made.client_secret:
        typer.echo(f"client secret  {made.client_secret}")
    typer.echo(f"scopes         {' '.join(made.scopes)}")
