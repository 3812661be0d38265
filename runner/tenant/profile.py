"""The service and client of a command: from options, then the environment, then what `login` kept."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runner.client.http import Connection
from runner.model.errors import InputError

ENVIRONMENT: Final = {
    "url": "ACTIONBOX_URL",
    "token": "ACTIONBOX_TOKEN",
    "client_id": "ACTIONBOX_CLIENT_ID",
    "client_secret": "ACTIONBOX_CLIENT_SECRET",
    "ca_file": "ACTIONBOX_CA_FILE",
}
"""Environment variable of each member of a profile."""
HOME: Final = "ACTIONBOX_PROFILES"
"""Environment variable: the folder in which `login` keeps profiles."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class Profile(BaseModel):
    """Address of a service, and how to sign in to it.

    Attributes:
        url: scheme, host and port, without a path.
        token: a bearer token; or
        client_id, client_secret: for `POST /oauth/token`, asked anew by every command.
        ca_file: PEM file of certificate authorities to trust in place of the system's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    token: str | None = Field(default=None, repr=False)
    client_id: str | None = None
    client_secret: str | None = Field(default=None, repr=False)
    ca_file: str | None = None

    def connection(self) -> Connection:
        """For `Api`."""
        return Connection(self.url, self.token, self.client_id, self.client_secret, self.ca_file)

    def checked(self) -> Self:
        """Itself. Raises `InputError` (`invalid_profile`) when no request could be made with it."""
        parts = urlsplit(self.url)
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.path.strip("/")
            or parts.query
        ):
            raise _invalid(
                f"{self.url!r} is not the address of a service",
                "Write scheme, host and port only, such as https://localhost:8443.",
            )
        if self.token is None and (self.client_id is None or self.client_secret is None):
            raise _invalid(
                f"there is nothing to sign in to {self.url} with",
                f"Give --token, or --client-id and --client-secret, or set {ENVIRONMENT['token']}.",
            )
        if self.ca_file is not None and not Path(self.ca_file).is_file():
            raise _invalid(f"there is no CA file {self.ca_file}", "Correct --ca-file.")
        return self


def resolve(name: str, given: Mapping[str, str | None], environment: Mapping[str, str]) -> Profile:
    """The profile of a command: `given` outranks `environment`, which outranks what is kept under `name`.

    Raises:
        InputError: `no_profile`, `invalid_profile`.
    """
    values: dict[str, str] = {}
    kept = load(name)
    if kept is not None:
        values |= kept.model_dump(exclude_none=True)
    for layer in ({key: environment.get(variable) for key, variable in ENVIRONMENT.items()}, given):
        found = {key: value for key, value in layer.items() if value}
        if "token" in found:
            values.pop("client_id", None)
            values.pop("client_secret", None)
        elif "client_id" in found:
            values.pop("token", None)
        values |= found
    if "url" not in values:
        raise InputError(
            "no_profile",
            f"no service is known under the profile {name!r}",
            next_step=f"Run `actionbox login URL` first, or set {ENVIRONMENT['url']}.",
        )
    return Profile(**values).checked()


def load(name: str) -> Profile | None:
    """The profile kept by `login` under `name`, or None. Raises `InputError` (`invalid_profile`)."""
    path = _path(name)
    try:
        return Profile.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValidationError, UnicodeDecodeError):
        raise _invalid(
            f"the profile {name!r} in {path} cannot be read", "Run `actionbox login URL` again."
        ) from None


def save(name: str, profile: Profile) -> Path:
    """Keep `profile` for later commands, readable by its owner only. Returns the file."""
    path = _path(name)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(profile.model_dump(exclude_none=True), file, indent=2)
    temporary.replace(path)
    return path


def _path(name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise _invalid(f"{name!r} is no name of a profile", "Use letters, digits, `_`, `.` and `-`.")
    home = os.environ.get(HOME) or platformdirs.user_config_dir("actionbox", appauthor=False)
    return Path(home) / "profiles" / f"{name}.json"


def _invalid(problem: str, next_step: str) -> InputError:
    return InputError("invalid_profile", problem, next_step=next_step)
