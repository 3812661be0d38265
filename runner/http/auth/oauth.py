"""`POST /oauth/token`: access tokens for client credentials (RFC 6749 section 4.4).

The secret comes in the body (form or JSON) or as HTTP Basic; in its place an assertion may (RFC 7523).
Answers have the fields of RFC 6749, and those of the service's other errors beside them.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_plus

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from sqlalchemy import select
from typing_extensions import TypedDict

from runner.http.answer_types import closed
from runner.http.auth.assertions import ASSERTION_TYPE, BadAssertionError
from runner.http.auth.client_secrets import secret_matches
from runner.http.auth.scopes import ALL_SCOPES, MANAGEMENT_SCOPES, RUNTIME_SCOPES
from runner.http.auth.tokens import CONSOLE_PATH, GRANTED, MANAGEMENT_PATH, RUNTIME_PATH, plane_of
from runner.http.described import REFUSALS, headers, operation_id, refusal_headers, refusals
from runner.http.errors import ApiError, phrase
from runner.http.form_body import FORM, form_pairs
from runner.http.json_body import BodyError, parse_body
from runner.http.routing import read_capped
from runner.http.service import ApiService
from runner.http.validation import shown
from runner.model.caps import MAX_FORM_FIELDS
from runner.store.tables.models import ApiClient

router: Final = APIRouter(tags=["OAuth"], generate_unique_id_function=operation_id)
_MAX_VALUE: Final = 4096
_FIELDS: Final = {
    "type": "object",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {"type": "string", "enum": ["client_credentials"]},
        "client_id": {"type": "string"},
        "client_secret": {"type": "string"},
        "client_assertion": {
            "type": "string",
            "description": "Instead of a secret: a signed JWT (RFC 7523).",
        },
        "client_assertion_type": {"type": "string", "enum": [ASSERTION_TYPE]},
        "audience": {
            "type": "string",
            "description": "Any URL that ends in /api/v2/, /runtime/v1/ or /console/api/.",
        },
        "scope": {"type": "string", "description": "Blank-separated; all scopes of the client if left out."},
    },
}
_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {FORM: {"schema": _FIELDS}, "application/json": {"schema": _FIELDS}},
    }
}
_DUMMY_DIGEST: Final = "0" * 64
_SCOPES: Final = {
    MANAGEMENT_PATH: MANAGEMENT_SCOPES,
    RUNTIME_PATH: RUNTIME_SCOPES,
    CONSOLE_PATH: ALL_SCOPES,
}


@closed
class OAuthError(TypedDict):
    """RFC 6749 section 5.2, with what the service's other errors have."""

    error: str
    error_description: str
    statusCode: int
    message: str


@closed
class AccessToken(TypedDict):
    """RFC 6749 section 5.1. `expires_in`: seconds."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


@dataclass(frozen=True, slots=True)
class ClientFound:
    """A client that has proven who it is."""

    tenant: str
    id: str
    scopes: tuple[str, ...]


class WrongSecretError(Exception):
    """No client has this id and this secret."""


class _OAuthError(Exception):
    def __init__(
        self, status: int, code: str, description: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(description)
        self.status = status
        self.code = code
        self.description = description
        self.headers = headers or {}


@router.post(
    "/oauth/token",
    summary="Get an access token",
    response_model=AccessToken,
    response_description="The token.",
    responses={
        200: headers(),
        **{
            status: {"model": OAuthError, "description": REFUSALS[status]}
            | refusal_headers(status, limited=False)
            for status in (400, 401, 403, 408, 413, 415, 429)
        },
        **refusals(500, 503),
    },
    openapi_extra=_BODY,
)
async def token(request: Request) -> JSONResponse:
    """Exchange a client id and secret, or a signed client assertion, for an access token."""
    service: ApiService = request.app.state.service
    try:
        fields = _fields(request, await read_capped(service, request))
        client = await run_in_threadpool(_authenticated, service, request, fields)
        return JSONResponse(_grant(service, client, fields), headers={"Pragma": "no-cache"})
    except _OAuthError as error:
        return _refusal(error)
    except ApiError as error:  # of the body: too large, or too slow
        return _refusal(_OAuthError(error.status_code, "invalid_request", error.message, error.headers))


def _fields(request: Request, raw: bytes) -> dict[str, str]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (FORM, "application/json"):
        raise _OAuthError(415, "invalid_request", f"send {FORM} or application/json")
    try:
        value: Any = form_pairs(raw, MAX_FORM_FIELDS) if kind == FORM else parse_body(raw)
    except BodyError as error:
        raise _OAuthError(400, "invalid_request", str(error)) from None
    if not isinstance(value, dict) or not all(isinstance(item, str | None) for item in value.values()):
        raise _OAuthError(400, "invalid_request", "the body must be an object of strings")
    return {
        name: item for name, item in value.items() if item is not None
    }  # auth0-python sends null for none


def _check_grant(fields: dict[str, str]) -> None:
    grant = fields.get("grant_type")
    if grant is None:
        raise _OAuthError(400, "invalid_request", "grant_type is missing")
    if grant != "client_credentials":
        raise _OAuthError(
            400, "unsupported_grant_type", f"grant_type must be client_credentials, not {shown(grant)}"
        )


def _assertion(request: Request, fields: dict[str, str]) -> str:
    """The client assertion; "" when the client has a secret instead."""
    kind, text = fields.get("client_assertion_type"), fields.get("client_assertion")
    if kind is None and text is None:
        return ""
    if not text or kind != ASSERTION_TYPE:
        raise _OAuthError(
            400, "invalid_request", f"client_assertion comes with client_assertion_type={ASSERTION_TYPE}"
        )
    if _basic(request) or fields.get("client_secret"):
        raise _OAuthError(400, "invalid_request", "the client authenticates in two ways at once")
    return text


def _credentials(request: Request, fields: dict[str, str]) -> tuple[str, str]:
    basic = _basic(request)
    pair = basic or (fields.get("client_id", ""), fields.get("client_secret", ""))
    if basic and fields.get("client_secret"):
        raise _OAuthError(400, "invalid_request", "the client authenticates in two ways at once")
    if not all(pair):
        raise _OAuthError(401, "invalid_client", "client_id and client_secret are needed")
    if any(len(text) > _MAX_VALUE or "\0" in text for text in pair):
        raise _OAuthError(401, "invalid_client", "Unauthorized")
    return pair


def _basic(request: Request) -> tuple[str, str] | None:
    """Client id and secret from HTTP Basic, each form-encoded (RFC 6749 section 2.3.1)."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, separator, password = (
            base64.b64decode(text.strip(), validate=True).decode("utf-8").partition(":")
        )
    except (binascii.Error, ValueError):
        raise _OAuthError(401, "invalid_client", "the Authorization header is not HTTP Basic") from None
    if not separator:
        raise _OAuthError(401, "invalid_client", "the Authorization header is not HTTP Basic")
    return unquote_plus(user), unquote_plus(password)


def _authenticated(service: ApiService, request: Request, fields: dict[str, str]) -> ClientFound:
    """Raises `_OAuthError`: also 429 after too many failures from one address."""
    _check_grant(fields)
    assertion = _assertion(request, fields)
    try:
        if assertion:
            row = service.assertions.verify(assertion, fields.get("client_id", ""))
            return ClientFound(row.tenant_id, row.id, tuple(row.scopes))
        return client_with_secret(service, *_credentials(request, fields))
    except BadAssertionError as error:
        why = str(error)
    except WrongSecretError:
        why = "Unauthorized"
    allowance = service.failures.take(request.client.host if request.client else "")
    if allowance.retry_after:
        why = "too many failed requests from this address"
        raise _OAuthError(429, "too_many_requests", why, allowance.headers)
    raise _OAuthError(401, "invalid_client", why)


def client_with_secret(service: ApiService, client_id: str, secret: str) -> ClientFound:
    """The client. Raises `WrongSecretError`. Reads the database: call it in a thread."""
    with service.store.read() as session:
        row = session.scalar(select(ApiClient).where(ApiClient.id == client_id))
        good = secret_matches(secret, row.secret_digest if row is not None else _DUMMY_DIGEST)
        if row is not None and good and row.revoked_at is None:
            return ClientFound(row.tenant_id, row.id, tuple(row.scopes))
    raise WrongSecretError


def _grant(service: ApiService, client: ClientFound, fields: dict[str, str]) -> dict[str, Any]:
    audience = fields.get("audience") or service.settings.url + MANAGEMENT_PATH
    plane = plane_of(audience)
    if plane is None:
        raise _OAuthError(
            403,
            "access_denied",
            f"there is no API {shown(audience)}; an audience ends in /api/v2/, /runtime/v1/ or /console/api/",
        )
    known = _SCOPES[plane]
    every = [scope for scope in client.scopes if scope in known]
    granted = every
    if fields.get("scope"):
        asked = fields["scope"].split()
        granted = [scope for scope in every if scope in asked]
        if not granted:
            raise _OAuthError(403, "invalid_scope", "the client has none of these scopes")
    seconds = service.settings.token_seconds
    written = GRANTED if granted == every else granted
    text = service.tokens.issue(client.tenant, client.id, written, [audience], seconds)
    return {"access_token": text, "scope": " ".join(granted), "expires_in": seconds, "token_type": "Bearer"}


def _refusal(error: _OAuthError) -> JSONResponse:
    headers = {"WWW-Authenticate": 'Basic realm="actionbox"'} if error.status == 401 else {}
    headers.update(error.headers)
    body = {
        "error": error.code,
        "error_description": error.description,
        "statusCode": error.status,
        "message": f"{phrase(error.status)}: {error.description}",
    }
    return JSONResponse(body, error.status, headers)
