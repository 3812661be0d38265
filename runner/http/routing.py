"""The route class of both APIs: authenticate, check the scope, count, and only then read the body.

Each route declares its scopes by `runner.http.auth.caller.needs`; one that declares none does not start
(threat-model P2).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import TypeAdapter
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute

from runner.http.auth.caller import bearer_token, check_scopes, current_caller, unauthorized
from runner.http.auth.same_origin import SAFE, check_same_origin
from runner.http.auth.tokens import Principal, TokenError
from runner.http.described import BODY_METHODS, of_token_holders
from runner.http.errors import ApiError, bad_request, invalid_body
from runner.http.form_body import FORM, Schema, parse_form
from runner.http.json_body import BodyError, parse_body
from runner.http.queries import Kinds, check_path, check_query, query_kinds
from runner.http.service import ApiService
from runner.http.validation import shown
from runner.store import audit

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
SMALL_BYTES: Final = 16 * 1024
"""Larger bodies are parsed in a thread, from which the event loop can take the interpreter lock."""
_DRAINED_BYTES: Final = 8 * 1024 * 1024
_DRAIN_SECONDS: Final = 2.0
"""How much of a refused body is taken in and thrown away, and for how long."""


class ApiRoute(APIRoute):
    """A route for holders of tokens, and for who is signed in to the console. `plane`: path of the API that
    the token must be for."""

    plane = ""

    def __init__(self, path: str, endpoint: Callable[..., Any], **given: Any) -> None:
        super().__init__(path, endpoint, **of_token_holders(path, given))

    def get_route_handler(self) -> Handler:
        original = super().get_route_handler()
        has_body = self.body_field is not None
        form = self._form()

        async def answer(service: ApiService, request: Request) -> Response:
            if has_body and request.method in BODY_METHODS:
                request = await _with_json(service, request, form)
            elif request.method in BODY_METHODS:
                await _check_empty(service, request)
            return await original(request)

        return self.admitting(answer)

    def admitting(self, answer: Callable[[ApiService, Request], Awaitable[Response]]) -> Handler:
        """Admits a request to this route, and counts it while `answer`, which reads the body, is at it."""
        scopes = declared_scopes(self.dependant)
        queries = query_kinds(self.dependant)

        async def handle(request: Request) -> Response:
            service = await self._admit(request, scopes, queries)
            principal: Principal = request.state.principal
            with service.requests.taken(principal.tenant):
                act = audit.begin(getattr(request.state, "request_id", ""), principal.session_id)
                if not principal.session_id or request.method in SAFE:
                    return await answer(service, request)
                return await _on_record(service, request, act, answer)

        return handle

    def _form(self) -> Schema | None:
        """Schema of a body that may come as a form; None when it may not."""
        return None

    async def _admit(self, request: Request, scopes: list[str], queries: Kinds) -> ApiService:
        """Raises `ApiError` for whom the route does not serve; nothing of the body was read."""
        service: ApiService = request.app.state.service
        principal = await _authenticate(service, request, self.plane)
        request.state.principal = principal
        allowance = service.limiter.take(principal.tenant)
        request.state.headers = allowance.headers
        if allowance.retry_after:
            raise ApiError(429, "Too many requests: the tenant's rate limit is reached.", "too_many_requests")
        if principal.session_id:
            check_same_origin(request, service.settings.url)
        check_scopes(principal, scopes)
        check_path(request)
        check_query(request, queries)
        return service


class ManagementRoute(ApiRoute):
    plane = "/api/v2/"

    def _form(self) -> Schema | None:
        if self.body_field is None:
            return None
        body: Any = self.body_field.field_info.annotation
        return TypeAdapter(body).json_schema()


class RuntimeRoute(ApiRoute):
    plane = "/runtime/v1/"


def declared_scopes(dependant: Dependant) -> list[str]:
    """The scopes that a route needs; empty when it declares none."""
    for item in dependant.dependencies:
        if item.call is current_caller:
            return list(item.own_oauth_scopes or ())
    return []


def check_routes(app: FastAPI, public: frozenset[str]) -> None:
    """Raises `RuntimeError` for a route that is neither in `public` (paths) nor declares scopes, and for one
    that does not declare what it answers."""
    for route in api_routes(app.routes):
        name = f"{sorted(route.methods or ())} {route.path}"
        if route.path not in public and not (
            isinstance(route, ApiRoute) and declared_scopes(route.dependant)
        ):
            raise RuntimeError(f"route {name} declares no scope")
        is_json = route.status_code != 204 and isinstance(route.response_class, DefaultPlaceholder)
        if is_json and route.response_model is None:
            raise RuntimeError(f"route {name} declares no response_model")


def api_routes(routes: Sequence[BaseRoute]) -> Iterator[APIRoute]:
    """Every route of an app's `routes`, those of included routers too, with their whole paths."""
    for context in iter_route_contexts(routes):
        route = context.original_route
        if isinstance(route, APIRoute):
            yield route


async def _on_record(
    service: ApiService,
    request: Request,
    act: audit.Act,
    answer: Callable[[ApiService, Request], Awaitable[Response]],
) -> Response:
    """The answer to a session's request that may change something, which leaves an audit row whatever comes
    of it: that of the change, or one of its own."""
    status = 500
    try:
        response = await answer(service, request)
        status = response.status_code
        return response
    except RequestValidationError:
        status = 400
        raise
    except HTTPException as error:
        status = error.status_code
        raise
    finally:
        if status >= 400 or not act.noted:
            await run_in_threadpool(_note_request, service, request, act, status)


def _note_request(service: ApiService, request: Request, act: audit.Act, status: int) -> None:
    principal: Principal = request.state.principal
    route: APIRoute = request.scope["route"]
    named = "/".join(map(str, request.path_params.values()))
    with service.store.begin() as session:
        audit.note_request(
            session,
            principal.tenant,
            principal.client_id,
            f"{request.method} {route.path}",
            named,
            act,
            status,
        )


async def _authenticate(service: ApiService, request: Request, plane: str) -> Principal:
    """Raises `ApiError` 401."""
    cookie = service.sessions.cookie_of(request)
    if cookie is not None and "authorization" not in request.headers:
        return await signed_in(service, request, cookie)
    text = bearer_token(request)
    principal = service.authenticator.recall(text)
    if principal is None:
        try:
            principal = await run_in_threadpool(service.authenticator.authenticate, text)
        except TokenError as error:
            raise _bad_token(service, request, str(error)) from None
    if plane not in principal.planes:
        raise unauthorized(f"Bad audience: expected one that ends in {plane}")
    return principal


async def signed_in(service: ApiService, request: Request, cookie: str) -> Principal:
    """Whose session a cookie names. Raises `ApiError` 401 (`session_ended`)."""
    try:
        return await run_in_threadpool(service.sessions.authenticate, cookie)
    except TokenError as error:
        refused = _bad_token(service, request, str(error))
        code = "session_ended" if refused.status_code == 401 else refused.error_code
        raise ApiError(refused.status_code, refused.message, code, headers=refused.headers) from None


def _bad_token(service: ApiService, request: Request, why: str) -> ApiError:
    """401, or 429 after too many of them from one address."""
    allowance = service.failures.take(request.client.host if request.client else "")
    if not allowance.retry_after:
        return unauthorized(why)
    message = "Too many requests with bad tokens from this address."
    return ApiError(429, message, "too_many_requests", headers=allowance.headers)


async def read_capped(service: ApiService, request: Request) -> bytes:
    """The body. Raises `ApiError`: 413 as soon as it is too large, 408 when it comes too slowly."""
    limit, seconds = service.settings.max_body_bytes, service.settings.read_seconds
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > limit + _DRAINED_BYTES:
        raise _too_large(limit)
    body = bytearray()
    stream = request.stream()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in stream:
                body += chunk
                if len(body) > limit:
                    break
    except TimeoutError:
        raise ApiError(
            408, f"The body did not come within {seconds:g} s.", headers={"Connection": "close"}
        ) from None
    except ClientDisconnect:
        raise bad_request("The client went away while it sent the body.") from None
    if len(body) > limit:
        await _drain(stream)
        raise _too_large(limit)
    return bytes(body)


async def _drain(stream: AsyncIterator[bytes]) -> None:
    """Take in a little more of a body that is refused: a client that still sends would not see the answer."""
    taken = 0
    with contextlib.suppress(TimeoutError, ClientDisconnect):
        async with asyncio.timeout(_DRAIN_SECONDS):
            async for chunk in stream:
                taken += len(chunk)
                if taken > _DRAINED_BYTES:
                    return


def _too_large(limit: int) -> ApiError:
    return ApiError(413, f"The body is larger than {limit} bytes.", headers={"Connection": "close"})


async def read_json(service: ApiService, request: Request) -> tuple[bytes, Any]:
    """The body, checked, and its value; b"" and None without one."""
    _check_encoding(request)
    raw = await read_capped(service, request)
    if raw:
        check_json_type(request.headers.get("content-type", "application/json"))
    try:
        if not raw.strip():
            value = None
        elif len(raw) <= SMALL_BYTES:
            value = parse_body(raw)
        else:
            value = await run_in_threadpool(parse_body, raw)
    except BodyError as error:
        raise invalid_body(str(error)) from None
    return (b"" if value is None else raw), value


async def _with_json(service: ApiService, request: Request, form: Schema | None = None) -> Request:
    """The request again, with its body read, checked and parsed. `form`: its schema, if it may be a form."""
    if form is not None and _media_type(request.headers.get("content-type", "")) == FORM:
        value = await _read_form(service, request, form)
        raw = b"" if value is None else json.dumps(value).encode()
    else:
        raw, value = await read_json(service, request)
    scope = dict(request.scope, headers=list(request.scope["headers"]))
    MutableHeaders(scope=scope)["content-type"] = "application/json"
    return ParsedRequest(scope, request.receive, raw, value)


async def _check_empty(service: ApiService, request: Request) -> None:
    """Of a request that has no body: clients send `null` and `{}` for it, and anything else is refused."""
    _, value = await read_json(service, request)
    if isinstance(value, dict) and value:
        name = shown(next(iter(value)))
        raise invalid_body(f"'Additional properties not allowed: {name}' at $.{name}.")
    if value is not None and value != {}:
        raise invalid_body("there is nothing to say in a body here.")


async def _read_form(service: ApiService, request: Request, schema: Schema) -> Any:
    _check_encoding(request)
    raw = await read_capped(service, request)
    if raw[:1] in (b"{", b"["):
        raise ApiError(415, f"The body is JSON, and its Content-Type says {FORM}: send application/json.")
    try:
        return parse_form(raw, schema) if raw else None
    except BodyError as error:
        raise invalid_body(str(error)) from None


def _check_encoding(request: Request) -> None:
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise ApiError(415, "Compressed request bodies are not taken.")


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def check_json_type(content_type: str) -> None:
    """Raises `ApiError` 415 unless it is JSON in UTF-8."""
    charset = content_type.partition(";")[2].strip().lower().removeprefix("charset=").strip('"')
    if _media_type(content_type) != "application/json" or charset not in ("", "utf-8"):
        raise ApiError(415, f"Send application/json in UTF-8, not {shown(content_type)}.")


class ParsedRequest(Request):
    """A request whose body was read before. A body of `null` counts as none: an older Go SDK sends it."""

    def __init__(self, scope: Any, receive: Any, raw: bytes, value: Any) -> None:
        super().__init__(scope, receive)
        self._body = raw
        self._json = value
