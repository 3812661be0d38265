"""Which service a command talks to: six options that every command for tenants has."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec, get_type_hints

import typer

if TYPE_CHECKING:
    from runner.client import Api
    from runner.tenant.profile import Profile

Options = ParamSpec("Options")


@dataclass(frozen=True, slots=True)
class Target:
    """What the options say about the service."""

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


def connected(command: Callable[Concatenate[Target, Options], None]) -> Callable[..., None]:
    """`command` with the options of `Target` in place of its first parameter. An option that it has itself
    (the argument of `login`) is not added."""
    hints = get_type_hints(command, include_extras=True)
    own = list(inspect.signature(command).parameters.values())[1:]
    types = get_type_hints(Target, include_extras=True)
    names = [item.name for item in fields(Target) if item.name not in hints]
    added = [
        inspect.Parameter(
            item.name, inspect.Parameter.KEYWORD_ONLY, default=item.default, annotation=types[item.name]
        )
        for item in fields(Target)
        if item.name in names
    ]

    @functools.wraps(command)
    def wrapper(**given: Any) -> None:
        target = Target(**{name: given.pop(name) for name in names})
        command(target, **given)  # type: ignore[call-arg]

    kept = [item.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[item.name]) for item in own]
    wrapper.__signature__ = inspect.Signature([*kept, *added])  # type: ignore[attr-defined]
    wrapper.__annotations__ = {item.name: item.annotation for item in [*kept, *added]}
    return wrapper
