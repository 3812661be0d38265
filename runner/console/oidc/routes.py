"""`/console/api/sign-in/oidc`: to the OpenID provider, and back.

What the way back needs travels in a cookie of the browser, sealed with the service's keys: no row is written
for who only begins, and any replica can end it.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import quote

from anyio import CapacityLimiter, to_thread
from fastapi import Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from sqlalchemy import select

from runner.console.base import OpenRoute, console_router
from runner.console.oidc import provider
from runner.console.oidc.grants import CALLBACK, signed_in_by
from runner.console.oidc.provider import OpenIdProvider, ProviderError, SignInError
from runner.console.sign_in import SignInLimits, open_session
from runner.http.auth.sessions import SignedIn
from runner.http.described import refusals
from runner.http.errors import not_found
from runner.http.queries import Absent
from runner.management.base.service import Service
from runner.store.sealed.sealing import Sealed, SealError
from runner.store.tables.models import Tenant

PATHS: Final = ("/console/api/sign-in/oidc", CALLBACK)
_SECONDS: Final = 600
"""In which somebody must have signed in at the provider."""
_SLOTS: Final = CapacityLimiter(4)
"""Threads that wait for the provider; those of the Management API are few, and not for waiting."""
_CONTEXT: Final = ("actionbox console sign-in v1",)
_HOME: Final = "/console"
_FAILED: Final = "/console#sign-in-failed="


class CallbackRoute(OpenRoute):
    """Providers add parameters of their own."""

    strict = False


router: Final = console_router("Console: sign-in", OpenRoute)
callback_router: Final = console_router("Console: sign-in", CallbackRoute)
Text = Annotated[str | Absent, Query(max_length=4_096)]


@router.get(
    "/sign-in/oidc",
    summary="Sign in with the identity provider",
    status_code=302,
    response_class=RedirectResponse,
    response_description="To the identity provider.",
    responses=refusals(404),
)
async def begin_sign_in(
    request: Request,
    to: Annotated[
        str | Absent, Query(max_length=2_048, description="Address in the console to go to.")
    ] = None,
) -> Response:
    """404 where the service is set up without one."""
    found = _provider(request)
    attempt = provider.Request(*(secrets.token_urlsafe(32) for _ in range(3)))
    try:
        address = await to_thread.run_sync(found.address, attempt, limiter=_SLOTS)
    except ProviderError as error:
        return _failed(request, str(error))
    response = _to(address)
    service: Service = request.app.state.service
    content = [attempt.state, attempt.nonce, attempt.verifier, _inside(to), time.time() + _SECONDS]
    sealed = service.keys.ring.seal(json.dumps(content), _CONTEXT)
    value = f"{sealed.key_id}.{base64.urlsafe_b64encode(sealed.data).decode()}"
    response.set_cookie(
        _cookie(service),
        value,
        max_age=_SECONDS,
        path="/",
        secure=service.sessions.secure,
        httponly=True,
        samesite="lax",
    )
    return response


@callback_router.get(
    "/sign-in/oidc/callback",
    summary="Come back from the identity provider",
    status_code=302,
    response_class=RedirectResponse,
    response_description="Into the console, with a session; or with what is wrong behind `#sign-in-failed=`.",
    responses=refusals(404),
)
async def end_sign_in(request: Request, code: Text = None, state: Text = None, iss: Text = None) -> Response:
    """Opens a session when it is the browser that began."""
    found = _provider(request)
    service: Service = request.app.state.service
    try:
        attempt, to = await run_in_threadpool(_begun, request, service)
        if not hmac.compare_digest((state or "").encode(), attempt.state.encode()):
            raise SignInError("This sign-in was begun elsewhere. Try again.")
        if not code or (iss is not None and iss != service.settings.oidc_issuer):
            raise SignInError("The identity provider did not sign you in.")
        claims = await to_thread.run_sync(found.claims, attempt, code, limiter=_SLOTS)
        who = await run_in_threadpool(_granted, service, claims)
    except SignInError as error:
        return _failed(request, str(error))
    opened = await open_session(request, who)
    response = _to(to)
    response.raw_headers += [pair for pair in opened.raw_headers if pair[0] == b"set-cookie"]
    _forget(service, response)
    return response


def _granted(service: Service, claims: Mapping[str, Any]) -> SignedIn:
    """Raises `SignInError`."""
    with service.store.read() as session:
        tenants = frozenset(session.scalars(select(Tenant.id)))
    settings = service.settings
    return signed_in_by(claims, settings.oidc_groups_claim, settings.oidc_grants, tenants)


def _begun(request: Request, service: Service) -> tuple[provider.Request, str]:
    """What the browser's cookie holds. Raises `SignInError`. May read the database: call it in a thread."""
    key_id, _, data = request.cookies.get(_cookie(service), "").partition(".")
    try:
        sealed = Sealed(key_id, base64.b64decode(data, altchars=b"-_", validate=True))
        state, nonce, verifier, to, until = json.loads(service.keys.ring.open(sealed, _CONTEXT))
    except (SealError, binascii.Error, ValueError):
        raise SignInError("This sign-in was begun elsewhere, or took too long. Try again.") from None
    if time.time() > until:
        raise SignInError("This sign-in took too long. Try again.")
    return provider.Request(state, nonce, verifier), to


def _provider(request: Request) -> OpenIdProvider:
    found: OpenIdProvider | None = request.app.state.oidc
    if found is None:
        raise not_found("way to sign in")
    return found


def _inside(to: str | None) -> str:
    """`to`, if it is an address of the console's page; else its first."""
    inside = to is not None and (to == _HOME or to.startswith(_HOME + "/")) and to.isprintable()
    return to if to is not None and inside and "\\" not in to else _HOME


def _failed(request: Request, why: str) -> Response:
    """Back to the page with a reason, or 429 after too many."""
    limits: SignInLimits = request.app.state.sign_ins
    refused = limits.refusal(request, why)
    if refused.status_code == 429:
        raise refused
    response = _to(_FAILED + quote(why))
    _forget(request.app.state.service, response)
    return response


def _to(address: str) -> RedirectResponse:
    return RedirectResponse(address, 302, {"Referrer-Policy": "no-referrer"})


def _forget(service: Service, response: Response) -> None:
    response.delete_cookie(
        _cookie(service), path="/", secure=service.sessions.secure, httponly=True, samesite="lax"
    )


def _cookie(service: Service) -> str:
    return f"{service.sessions.cookie.removesuffix('_session')}_sign_in"
