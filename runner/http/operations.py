"""How the answers of an operation are declared, beside its route and for the API's description only.

FastAPI would make descriptions from response models, and check and copy every answer on its way out for it.
Answers here are written by code that is tested against the types instead (`tests/service/conformance.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """One way to succeed.

    Attributes:
        body: type of the JSON; None for an empty body.
        tagged: it has an `ETag`.
        media: content type.
    """

    status: int
    body: Any
    description: str
    tagged: bool = False
    media: str = JSON


@dataclass(frozen=True, slots=True)
class Operation:
    """What an operation answers.

    Attributes:
        answers: successes.
        refusals: statuses beside those that its kind of route has anyway (`runner.server.openapi`).
        matched: it takes `If-Match`, and refuses with 412.
    """

    answers: tuple[Answer, ...]
    refusals: tuple[int, ...] = ()
    matched: bool = False


def ok(body: Any, description: str, *, tagged: bool = False) -> tuple[Answer, ...]:
    """A 200 with JSON, and nothing else."""
    return (Answer(200, body, description, tagged),)


@with_config(ConfigDict(extra="forbid"))
class Error(TypedDict):
    """Why a request is refused, or failed."""

    statusCode: int
    error: str
    message: str
    errorCode: NotRequired[str]


@with_config(ConfigDict(extra="forbid"))
class OAuthError(TypedDict):
    """RFC 6749 section 5.2, with what the service's other errors have."""

    error: str
    error_description: str
    statusCode: int
    message: str


@with_config(ConfigDict(extra="forbid"))
class AccessToken(TypedDict):
    """RFC 6749 section 5.1. `expires_in`: seconds."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


@with_config(ConfigDict(extra="forbid"))
class Health(TypedDict):
    """`status`: `ok`, `stopping` or `unavailable`; what is not there, by name."""

    status: str
    workers: NotRequired[str]
    database: NotRequired[str]


_READY: Final = "A worker is ready and the database answers."
OPERATIONS: Final[Mapping[str, Operation]] = {
    "POST /oauth/token": Operation(ok(AccessToken, "The token.")),
    "GET /health": Operation(ok(Health, "The process lives.")),
    "GET /ready": Operation(
        (Answer(200, Health, _READY), Answer(503, Health, "It cannot serve now, or is stopping."))
    ),
}
