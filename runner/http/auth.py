"""Who may call what: bearer tokens, their clients, and the scopes that routes declare."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer, SecurityScopes
from sqlalchemy import select

from runner.http.errors import ApiError
from runner.http.tokens import GRANTED, Principal, TokenError, Tokens
from runner.store.engine import Store
from runner.store.models import ApiClient

if TYPE_CHECKING:
    from runner.server.services import Service

_CLIENT_SECONDS: Final = 5.0
"""A revoked client is noticed after this time at the latest."""
_MAX_KEPT: Final = 4096
_CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}


class Authenticator:
    """Reads tokens; safe between threads. Answers for tokens seen lately come from memory."""

    def __init__(
        self,
        tokens: Tokens,
        store: Store,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock`: when tokens end; `monotonic`: how long answers are kept, whatever the clock does."""
        self._tokens = tokens
        self._store = store
        self._clock = clock
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, tuple[Principal, float]] = OrderedDict()

    def recall(self, text: str) -> Principal | None:
        """The principal of a token that was good a moment ago, without touching the database."""
        with self._lock:
            found = self._kept.get(_digest(text))
        if found is None or self._monotonic() >= found[1] or self._clock() >= found[0].expires_at:
            return None
        return found[0]

    def authenticate(self, text: str) -> Principal:
        """The principal of a token. Raises `TokenError`. Reads the database: call it in a thread."""
        principal = self._tokens.read(text)
        with self._store.read() as session:
            query = select(ApiClient.revoked_at, ApiClient.scopes).where(
                ApiClient.tenant_id == principal.tenant, ApiClient.id == principal.client_id
            )
            found = session.execute(query).one_or_none()
        if found is None or found[0] is not None:
            raise TokenError("The client of this token was removed")
        if principal.scopes == frozenset(GRANTED):
            principal = replace(principal, scopes=frozenset(found[1]))
        with self._lock:
            self._kept[_digest(text)] = (principal, self._monotonic() + _CLIENT_SECONDS)
            while len(self._kept) > _MAX_KEPT:
                self._kept.popitem(last=False)
        return principal


def bearer_token(request: Request) -> str:
    """The token of a request's header. Raises `ApiError` 401."""
    given = request.headers.getlist("authorization")
    if not given:
        raise ApiError(401, "Missing authentication", headers=_CHALLENGE)
    scheme, _, text = given[0].partition(" ")
    if len(given) != 1 or scheme.lower() != "bearer" or not text.strip():
        raise unauthorized("Bad HTTP authentication header format")
    return text.strip()


def unauthorized(message: str) -> ApiError:
    """401."""
    return ApiError(
        401, message, "invalid_token", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}
    )


def check_scopes(principal: Principal, needed: list[str]) -> None:
    """Raises `ApiError` 403 unless the token has each scope exactly."""
    if all(scope in principal.scopes for scope in needed):
        return
    raise ApiError(
        403,
        f"Insufficient scope, expected any of: {', '.join(needed)}",
        "insufficient_scope",
        headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{" ".join(needed)}"'},
    )


_scheme: Final = HTTPBearer(auto_error=False, bearerFormat="JWT", description="An access token (JWT).")


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated request: who asks, and the service that is asked."""

    principal: Principal
    service: Service

    @property
    def tenant(self) -> str:
        return self.principal.tenant


async def current_caller(
    request: Request, scopes: SecurityScopes, _: Annotated[Any, Depends(_scheme)]
) -> Caller:
    """Who calls. The route's class has authenticated and checked the scopes before it read the body
    (`runner.http.routing`); here a second look costs nothing."""
    principal: Principal = request.state.principal
    check_scopes(principal, scopes.scopes)
    return Caller(principal, request.app.state.service)


def needs(*scopes: str) -> Any:
    """The dependency of a route that needs `scopes`: `Annotated[Caller, needs("read:actions")]`."""
    return Security(current_caller, scopes=list(scopes))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
