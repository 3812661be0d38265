"""The short way to routes that are called for every login.

Most of what a framework does for a request (matching among many routes, solving dependencies) costs more than
running a short Action. A direct route is matched first and reads its own parameters; that it does so as its
declaration says is for its tests. It stays an ordinary route for the API's description.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from runner.http.errors import answer_to

if TYPE_CHECKING:
    from fastapi.routing import APIRoute

    from runner.http.routing import Handler

Model = TypeVar("Model", bound=BaseModel)


class DirectRoutes:
    """ASGI middleware: requests for `routes` go to their handlers, all others to the app."""

    def __init__(self, app: ASGIApp, routes: Iterable[APIRoute]) -> None:
        self._app = app
        self._routes: Final[list[tuple[APIRoute, Handler]]] = [
            (route, route.get_route_handler()) for route in routes
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            for route, handler in self._routes:
                found = route.path_regex.match(scope["path"])
                if found and scope["method"] in (route.methods or ()):
                    scope["route"] = route
                    scope["path_params"] = found.groupdict()
                    await _answer(handler, Request(scope, receive), send)
                    return
        await self._app(scope, receive, send)


async def _answer(handler: Handler, request: Request, send: Send) -> None:
    try:
        response = await handler(request)
    except Exception as error:
        found = await answer_to(request, error)
        if found is None:
            raise
        response = found
    await response(request.scope, request.receive, send)


def validated(model: type[Model], value: Any, where: str) -> Model:
    """`value` as `model`, refused as FastAPI refuses it.

    Args:
        where: `body`, `header`, `path` or `query`.

    Raises:
        RequestValidationError: see there.
    """
    if where == "body" and value is None:
        raise RequestValidationError([{"type": "missing", "loc": (where,), "msg": "Field required"}])
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = [{**item, "loc": (where, *item["loc"])} for item in error.errors(include_url=False)]
        raise RequestValidationError(found) from None


def given_headers(request: Request, *names: str) -> Mapping[str, str]:
    """Those of the headers `names` that the request has, by name."""
    headers = request.headers
    return {name: headers[name] for name in names if name in headers}
