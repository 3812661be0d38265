"""`/console/api/session` and `/console/api/sign-in`: who is signed in, and the ways to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal, NotRequired

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from typing_extensions import TypedDict

from runner.console.base import OpenRoute, console_router
from runner.console.links import use_link
from runner.http.answer_types import Instant, closed, moment
from runner.http.auth.oauth import WrongSecretError, client_with_secret
from runner.http.auth.same_origin import check_same_origin
from runner.http.auth.scopes import OPERATE
from runner.http.auth.sessions import SignedIn
from runner.http.auth.tokens import Principal, TokenError
from runner.http.described import refusals
from runner.http.errors import ApiError, not_found
from runner.http.rate_limit import RateLimiter
from runner.http.routing import signed_in
from runner.management.base.context import answer, no_content
from runner.management.base.service import Service
from runner.store import audit
from runner.store.tables.console import SessionRow
from runner.store.tables.models import Tenant

router: Final = console_router("Console: sign-in", OpenRoute)
PATHS: Final = (
    "/console/api/session",
    "/console/api/session/tenant",
    "/console/api/sign-in/client",
    "/console/api/sign-in/link",
)
_ATTEMPTS_PER_SECOND: Final = 0.2
_ATTEMPTS_BURST: Final = 20
"""Failed attempts from one address; further ones are answered 429. A good one always passes: behind a proxy
all come from one address, and nobody guesses 256 random bits."""


@dataclass(frozen=True)
class SignInLimits:
    """Failed attempts to sign in, by address; of one process. `app.state.sign_ins`."""

    limiter: RateLimiter

    @classmethod
    def usual(cls) -> SignInLimits:
        return cls(RateLimiter(_ATTEMPTS_PER_SECOND, _ATTEMPTS_BURST))

    def refusal(self, request: Request, message: str) -> ApiError:
        """401, or 429 after too many."""
        allowance = self.limiter.take(request.client.host if request.client else "")
        if not allowance.retry_after:
            return ApiError(401, message, "sign_in_failed", headers={"WWW-Authenticate": "Bearer"})
        late = "Too many failed attempts to sign in from this address. Try again later."
        return ApiError(429, late, "too_many_attempts", headers=allowance.headers)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class ClientSignIn(_Body):
    """Credentials of an API client, whose tenant and scopes the session has."""

    client_id: Annotated[str, Field(min_length=1, max_length=255)]
    client_secret: Annotated[str, Field(min_length=1, max_length=4096)]


class LinkSignIn(_Body):
    """`token`: what stands behind `#link=` in the address of the link."""

    token: Annotated[str, Field(min_length=1, max_length=255)]


class TenantChoice(_Body):
    """`tenant`: the id of a tenant that the session may change to."""

    tenant: Annotated[str, Field(min_length=1, max_length=64)]


@closed
class ConsoleTenant(TypedDict):
    """A tenant. `name`: for people."""

    id: str
    name: str


@closed
class ConsoleSession(TypedDict):
    """Who is signed in.

    `signed_in`: false, and then nothing is known but the ways to sign in (`client`, `link`, `oidc`).
    `mode`: `dev` where the Actions are files of a folder.
    `tenants`: those that the session may change to; an operator's may change to any.
    """

    signed_in: bool
    ways: list[str]
    mode: Literal["service", "dev"]
    id: NotRequired[str]
    actor: NotRequired[str]
    tenant: NotRequired[ConsoleTenant]
    tenants: NotRequired[list[ConsoleTenant]]
    scopes: NotRequired[list[str]]
    expires_at: NotRequired[Instant]


@router.get("/session", summary="Who is signed in", response_model=ConsoleSession)
async def get_session(request: Request) -> Response:
    """Answers 200 also when nobody is: the console asks first."""
    service: Service = request.app.state.service
    cookie = service.sessions.cookie_of(request)
    try:
        if cookie is not None:
            check_same_origin(request, service.settings.url)
            principal = await run_in_threadpool(service.sessions.authenticate, cookie)
            return answer(await run_in_threadpool(_view, request, principal))
    except TokenError:
        pass
    return answer({"signed_in": False, "ways": _ways(request), "mode": service.home.mode})


@router.post(
    "/sign-in/client",
    summary="Sign in with a client's id and secret",
    response_model=ConsoleSession,
)
async def sign_in_with_client(request: Request, body: ClientSignIn) -> Response:
    """Opens a session with the client's tenant and scopes; it ends when the client is revoked."""
    service: Service = request.app.state.service
    try:
        client = await run_in_threadpool(client_with_secret, service, body.client_id, body.client_secret)
    except WrongSecretError:
        raise _refused(request, "The client id or secret is wrong.") from None
    who = SignedIn(client.tenant, client.id, "client", ["*"], client.id)
    return await open_session(request, who)


@router.post("/sign-in/link", summary="Sign in with a link", response_model=ConsoleSession)
async def sign_in_with_link(request: Request, body: LinkSignIn) -> Response:
    """Opens a session with the token of a link that the service or `actionbox console link` printed."""

    def use() -> SignedIn | None:
        service: Service = request.app.state.service
        with service.store.begin() as session:
            return use_link(session, body.token)

    who = await run_in_threadpool(use)
    if who is None:
        raise _refused(request, "This link was used already, or has expired: ask for another one.")
    return await open_session(request, who)


@router.post(
    "/session/tenant",
    summary="Change to another tenant",
    response_model=ConsoleSession,
    responses=refusals(404),
)
async def change_tenant(request: Request, body: TenantChoice) -> Response:
    """Ends the session and opens one for that tenant, with what its user may do there."""
    service: Service = request.app.state.service
    principal = await signed_in(service, request, service.sessions.cookie_of(request) or "")

    def look() -> SignedIn | None:
        with service.store.read() as session:
            row = session.get(SessionRow, (principal.tenant, principal.session_id))
            if row is None or "\0" in body.tenant or session.get(Tenant, body.tenant) is None:
                return None
        scopes = row.scopes if OPERATE in principal.scopes else row.grants.get(body.tenant)
        if scopes is None:
            return None
        return SignedIn(body.tenant, row.actor, row.way, scopes, grants=row.grants)

    who = await run_in_threadpool(look)
    if who is None:
        raise not_found("tenant")
    return await open_session(request, who, instead_of=principal)


@router.delete("/session", summary="Sign out", status_code=204)
async def sign_out(request: Request) -> Response:
    """Ends the session of the cookie, here and on every replica."""
    service: Service = request.app.state.service
    response = no_content()
    cookie = service.sessions.cookie_of(request)
    if cookie is None:
        return response
    principal = await signed_in(service, request, cookie)

    def end() -> None:
        with service.store.begin() as session:
            service.sessions.end(session, principal.tenant, principal.session_id)
            audit.begin(request.state.request_id, principal.session_id)
            audit.note(
                session, principal.tenant, principal.client_id, "session.sign_out", principal.session_id
            )

    await run_in_threadpool(end)
    forget_cookie(service, response)
    return response


async def open_session(request: Request, who: SignedIn, *, instead_of: Principal | None = None) -> Response:
    """The answer that opens a session: its cookie, and what `GET /session` will say. `instead_of`: one that
    ends by this."""
    service: Service = request.app.state.service

    def make() -> tuple[str, Principal]:
        with service.store.begin() as session:
            if instead_of is not None:
                service.sessions.end(session, instead_of.tenant, instead_of.session_id)
            value = service.sessions.open(session, who, request)
            audit.begin(request.state.request_id, "")
            audit.note(session, who.tenant, who.actor, "session.sign_in", who.way)
        return value, service.sessions.authenticate(value)

    value, principal = await run_in_threadpool(make)
    response = answer(await run_in_threadpool(_view, request, principal))
    set_cookie(service, response, value)
    return response


def set_cookie(service: Service, response: Response, value: str) -> None:
    """Name the session to the browser, for as long as it lasts."""
    sessions = service.sessions
    response.set_cookie(
        sessions.cookie,
        value,
        max_age=int(sessions.lasts.total_seconds()),
        path="/",
        secure=sessions.secure,
        httponly=True,
        samesite="lax",
    )


def forget_cookie(service: Service, response: Response) -> None:
    sessions = service.sessions
    response.delete_cookie(sessions.cookie, path="/", secure=sessions.secure, httponly=True, samesite="lax")


def _refused(request: Request, message: str) -> ApiError:
    limits: SignInLimits = request.app.state.sign_ins
    return limits.refusal(request, message)


def _ways(request: Request) -> list[str]:
    return ["client", "link", *(["oidc"] if request.app.state.oidc is not None else [])]


def _view(request: Request, principal: Principal) -> ConsoleSession:
    service: Service = request.app.state.service
    with service.store.read() as session:
        row = session.get(SessionRow, (principal.tenant, principal.session_id))
        tenant = session.get(Tenant, principal.tenant)
        granted = [] if row is None else list(row.grants)
        others = session.scalars(select(Tenant).where(Tenant.id.in_(granted)).order_by(Tenant.id)).all()
    if row is None or tenant is None:
        raise TokenError("The session has ended")
    return {
        "signed_in": True,
        "ways": _ways(request),
        "mode": service.home.mode,
        "id": row.id,
        "actor": row.actor,
        "tenant": {"id": tenant.id, "name": tenant.name},
        "tenants": [{"id": item.id, "name": item.name} for item in others],
        "scopes": sorted(principal.scopes),
        "expires_at": moment(row.expires_at),
    }
