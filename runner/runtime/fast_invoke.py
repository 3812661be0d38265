"""The short way to `invoke`, which is called for every login.

Most of what a framework does for a request (layers of middleware, matching among many routes, solving
dependencies) costs more than running a short Action. So the app asks here first; this reads the parameters
itself and calls the function of the route. That it refuses what the route refuses is for its tests.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from runner.http.auth.caller import Caller
from runner.http.errors import answer_to
from runner.http.routing import ApiRoute, ParsedRequest, read_json
from runner.http.service import ApiService
from runner.runtime.routes import invoke, router
from runner.runtime.schemas import InvokeBody, InvokeHeaders

_HEADERS: Final = ("Idempotency-Key", "traceparent", "prefer")
Model = TypeVar("Model", bound=BaseModel)


class FastInvoke:
    """An ASGI app for the requests that it `takes`, and no others."""

    def __init__(self) -> None:
        self._route = next(
            route for route in router.routes if isinstance(route, ApiRoute) and route.endpoint is invoke
        )
        self._handle = self._route.admitting(_invoke)

    def takes(self, scope: Scope) -> bool:
        """Whether this request is an invoke; then its route is noted in `scope`."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return False
        matched = self._route.path_regex.match(scope["path"])
        if matched is not None:
            scope["route"], scope["path_params"] = self._route, matched.groupdict()
        return matched is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._handle(request)
        except Exception as error:
            found = await answer_to(request, error)
            if found is None:
                raise
            response = found
        await response(scope, receive, send)


async def _invoke(service: ApiService, request: Request) -> Response:
    raw, value = await read_json(service, request)
    body = _validated(InvokeBody, value, "body")
    given = {name: request.headers[name] for name in _HEADERS if name in request.headers}
    headers = _validated(InvokeHeaders, given, "header")
    caller = Caller(request.state.principal, service)
    parsed = ParsedRequest(request.scope, request.receive, raw, value)
    runtime = request.app.state.runtime
    return await invoke(parsed, request.path_params["trigger_id"], body, caller, runtime, headers)


def _validated(model: type[Model], value: Any, where: str) -> Model:
    """`value` as `model`; refused as FastAPI refuses the `body` or a `header`."""
    if where == "body" and value is None:
        raise RequestValidationError([{"type": "missing", "loc": (where,), "msg": "Field required"}])
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = [{**item, "loc": (where, *item["loc"])} for item in error.errors(include_url=False)]
        raise RequestValidationError(found) from None
