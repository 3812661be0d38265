"""Authorization of requests: their token, and the scopes that routes declare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, TypeVar

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer, SecurityScopes

from runner.http.auth.tokens import Principal
from runner.http.errors import ApiError
from runner.http.service import ApiService

_CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}


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


ServiceT = TypeVar("ServiceT", bound=ApiService)


@dataclass(frozen=True, slots=True)
class Caller(Generic[ServiceT]):
    """An authenticated request: who asks, and the service that is asked, of which an API may know more."""

    principal: Principal
    service: ServiceT

    @property
    def tenant(self) -> str:
        return self.principal.tenant


async def current_caller(
    request: Request, scopes: SecurityScopes, _: Annotated[Any, Depends(_scheme)]
) -> Caller[ApiService]:
    """The caller. The route's class has authenticated and checked the scopes before it read the body
    (`runner.http.routing`); here a second look costs nothing."""
    principal: Principal = request.state.principal
    check_scopes(principal, scopes.scopes)
    return Caller(principal, request.app.state.service)


def needs(*scopes: str) -> Any:
    """The dependency of a route that needs `scopes`: `Annotated[Caller, needs("read:actions")]`."""
    return Security(current_caller, scopes=list(scopes))
