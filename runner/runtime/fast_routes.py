"""The short way to `invoke` and `resume`, which are called for every login.

Most of what a framework does for a request (layers of middleware, matching among many routes, solving
dependencies) costs more than running a short Action. So the app asks here first; this reads the parameters
itself and calls the function of the route. That it refuses what the routes refuse is for its tests.
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
from runner.runtime.routes import invoke, resume, router
from runner.runtime.schemas import InvokeBody, InvokeHeaders, ResumeBody

_HEADERS: Final = ("Idempotency-Key", "traceparent", "prefer")
_HANDLE: Final = "actionbox.handle"
"""In a scope: what answers it."""
Model = TypeVar("Model", bound=BaseModel)


class FastRoutes:
    """An ASGI app for the requests that it `takes`, and no others."""

    def __init__(self) -> None:
        found = {route.endpoint: route for route in router.routes if isinstance(route, ApiRoute)}
        self._routes = tuple(
            (found[endpoint], found[endpoint].admitting(handler))
            for endpoint, handler in ((invoke, _invoke), (resume, _resume))
        )

    def takes(self, scope: Scope) -> bool:
        """Whether this request is for one of the routes; then that is noted in `scope`."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return False
        for route, handle in self._routes:
            matched = route.path_regex.match(scope["path"])
            if matched is not None:
                scope["route"], scope["path_params"] = route, matched.groupdict()
                scope[_HANDLE] = handle
                return True
        return False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await scope[_HANDLE](request)
        except Exception as error:
            found = await answer_to(request, error)
            if found is None:
                raise
            response = found
        await response(scope, receive, send)


async def _invoke(service: ApiService, request: Request) -> Response:
    parsed, body, headers = await _read(service, request, InvokeBody)
    caller = Caller(request.state.principal, service)
    trigger_id = request.path_params["trigger_id"]
    return await invoke(parsed, trigger_id, body, caller, request.app.state.runtime, headers)


async def _resume(service: ApiService, request: Request) -> Response:
    parsed, body, headers = await _read(service, request, ResumeBody)
    caller = Caller(request.state.principal, service)
    return await resume(parsed, body, caller, request.app.state.runtime, headers)


async def _read(
    service: ApiService, request: Request, model: type[Model]
) -> tuple[ParsedRequest, Model, InvokeHeaders]:
    raw, value = await read_json(service, request)
    body = _validated(model, value, "body")
    given = {name: request.headers[name] for name in _HEADERS if name in request.headers}
    headers = _validated(InvokeHeaders, given, "header")
    return ParsedRequest(request.scope, request.receive, raw, value), body, headers


def _validated(model: type[Model], value: Any, where: str) -> Model:
    """`value` as `model`; refused as FastAPI refuses the `body` or a `header`."""
    if where == "body" and value is None:
        raise RequestValidationError([{"type": "missing", "loc": (where,), "msg": "Field required"}])
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = [{**item, "loc": (where, *item["loc"])} for item in error.errors(include_url=False)]
        raise RequestValidationError(found) from None
