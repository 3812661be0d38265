"""Options that name the service and the client, which all commands for tenants have."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from runner.client import Api
    from runner.tenant.profile import Profile


@dataclass(frozen=True, slots=True)
class Target:
    """The service and client that the options name."""

    profile: Annotated[
        str, typer.Option("--profile", metavar="NAME", help="Name under which `login` keeps a connection.")
    ] = "default"
    url: Annotated[
        str | None, typer.Option("--url", metavar="URL", help="The service; also ACTIONBOX_URL.")
    ] = None
    token: Annotated[
        str | None, typer.Option("--token", metavar="TOKEN", help="A bearer token; also ACTIONBOX_TOKEN.")
    ] = None
    client_id: Annotated[
        str | None, typer.Option("--client-id", metavar="ID", help="Also ACTIONBOX_CLIENT_ID.")
    ] = None
    client_secret: Annotated[
        str | None, typer.Option("--client-secret", metavar="SECRET", help="Also ACTIONBOX_CLIENT_SECRET.")
    ] = None
    ca_file: Annotated[
        Path | None,
        typer.Option("--ca-file", metavar="PEM", help="Certificate authority; also ACTIONBOX_CA_FILE."),
    ] = None

    def resolved(self) -> Profile:
        """Raises `InputError`."""
        from runner.tenant.profile import resolve

        given = {
            "url": self.url,
            "token": self.token,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "ca_file": None if self.ca_file is None else str(self.ca_file),
        }
        return resolve(self.profile, given, os.environ)

    def api(self) -> Api:
        """Raises `InputError`."""
        from runner.client import Api

        return Api(self.resolved().connection())
