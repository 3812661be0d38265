"""Helpers of the console's routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from runner.http.auth.caller import Caller as AnyCaller
from runner.http.auth.same_origin import SAFE, check_same_origin
from runner.http.auth.tokens import CONSOLE_PATH
from runner.http.described import (
    BODY_METHODS,
    REFUSALS,
    Error,
    Responses,
    headers,
    operation_id,
    refusal_headers,
    refusals,
)
from runner.http.queries import check_query, query_kinds
from runner.http.routing import ApiRoute, Handler
from runner.http.service import ApiService
from runner.management.base.service import Service

Caller: TypeAlias = AnyCaller[Service]
"""Who calls a route of the console."""


class ConsoleRoute(ApiRoute):
    """A route for who is signed in, or has a token for `/console/api/`."""

    plane = CONSOLE_PATH


class OpenRoute(ApiRoute):
    """A route that anybody may ask, because it is for signing in. A page of another site may not, so that
    nobody is signed in as somebody else without knowing. `strict`: whether unknown parameters are refused."""

    strict = True

    def __init__(self, path: str, endpoint: Callable[..., Any], **given: Any) -> None:
        statuses = [400, 401, 403, 429]
        if BODY_METHODS.intersection(given["methods"]):
            statuses += [408, 413, 415]
        declared: Responses = {given["status_code"] or 200: headers(), **refusals(500, 503)}
        for status in statuses:
            declared[status] = {"model": Error, "description": REFUSALS[status]}
            declared[status] |= refusal_headers(status, limited=False)
        declared |= given["responses"] or {}
        APIRoute.__init__(self, path, endpoint, **{**given, "responses": declared})

    def admitting(self, answer: Callable[[ApiService, Request], Awaitable[Response]]) -> Handler:
        queries = query_kinds(self.dependant)

        async def handle(request: Request) -> Response:
            service: ApiService = request.app.state.service
            if request.method not in SAFE:
                check_same_origin(request, service.settings.url)
            if self.strict:
                check_query(request, queries)
            return await answer(service, request)

        return handle


def console_router(tag: str, kind: type[ApiRoute] = ConsoleRoute) -> APIRouter:
    """A router for paths below `/console/api`."""
    return APIRouter(
        prefix=_PREFIX,
        tags=[tag],
        route_class=kind,
        generate_unique_id_function=lambda route: f"console_{operation_id(route)}",
    )


_PREFIX: Final = CONSOLE_PATH.rstrip("/")
