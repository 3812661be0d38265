"""Errors as the Management API shapes them (reference/management-api.md section 7).

    {"statusCode": 404, "error": "Not Found", "message": "That action does not exist."}

Everything that leaves the service with a status of 400 or more has this form.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from runner.http.validation import first_problem
from runner.store.database.faults import is_unavailable
from runner.store.sealed.sealing import SealError

_log: Final = structlog.get_logger("actionbox.service")
_PHRASES: Final = {413: "Payload Too Large", 422: "Unprocessable Entity"}
_RETRY_SECONDS: Final = "1"
_KEYS_RETRY_SECONDS: Final = "60"
"""Until an operator has mended the key ring."""


class ApiError(HTTPException):
    """A request is refused. `error_code` is stable where there is one; `message` is for people."""

    def __init__(
        self,
        status: int,
        message: str,
        error_code: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        report: Mapping[str, Any] | None = None,
        stored: Mapping[str, Any] | None = None,
    ) -> None:
        """`report`: what the refusal is founded on, as JSON; `stored`: what is there instead of what the
        request expected."""
        super().__init__(status, message, dict(headers or {}))
        self.message: Final = message
        self.error_code: Final = error_code
        self.report: Final = report
        self.stored: Final = stored


def bad_request(message: str, error_code: str = "") -> ApiError:
    return ApiError(400, message, error_code)


def invalid_body(message: str) -> ApiError:
    """400 for a body that breaks the schema; `message` names the property."""
    return ApiError(400, f"Payload validation error: {message}", "invalid_body")


def not_found(what: str) -> ApiError:
    """404, the same for what another tenant has as for what nobody has."""
    return ApiError(404, f"That {what} does not exist.")


def error_response(
    status: int, message: str, error_code: str = "", headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The answer."""
    return JSONResponse(error_body(status, message, error_code), status, dict(headers or {}))


def error_body(status: int, message: str, error_code: str = "") -> dict[str, Any]:
    """The JSON of an answer."""
    body: dict[str, Any] = {"statusCode": status, "error": phrase(status), "message": message}
    if error_code:
        body["errorCode"] = error_code
    return body


def phrase(status: int) -> str:
    """The reason phrase of a status."""
    return _PHRASES.get(status) or HTTPStatus(status).phrase


def install_error_handlers(app: FastAPI) -> None:
    """Make every error of `app` take the form of this module."""
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)


async def answer_to(request: Request, error: Exception) -> Response | None:
    """The answer that the service gives for `error`; None for a fault of ours."""
    for kind, handler in _HANDLERS.items():
        if isinstance(error, kind) and (kind is not SQLAlchemyError or is_unavailable(error)):
            return await handler(request, error)
    return None


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if isinstance(error, ApiError):
        body = error_body(error.status_code, error.message, error.error_code)
        for name, value in (("report", error.report), ("stored", error.stored)):
            if value is not None:
                body[name] = value
        return JSONResponse(body, error.status_code, error.headers)
    message = {
        404: "There is no such path.",
        405: "This path does not take that method.",
    }.get(error.status_code, phrase(error.status_code))
    headers = {"Allow": _allowed(request)} if error.status_code == 405 else error.headers
    return error_response(error.status_code, message, headers=headers)


def _allowed(request: Request) -> str:
    """Every method that the path takes (RFC 9110 section 15.5.6); the router knows only its first route's."""
    found: set[str] = set()
    for context in iter_route_contexts(request.app.routes):
        route = context.original_route
        if isinstance(route, APIRoute) and route.path_regex.match(request.url.path):
            found |= route.methods or set()
    return ", ".join(sorted(found | ({"HEAD"} if "GET" in found else set())))


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    message, error_code = first_problem(error.errors())
    return error_response(400, message, error_code)


async def _unavailable(_: Request, error: Exception) -> JSONResponse:
    if not is_unavailable(error):
        raise error
    _log.error("database unavailable", reason=str(getattr(error, "orig", None) or error).strip())
    return error_response(
        503,
        "The service's database cannot do this now. Try again.",
        "database_unavailable",
        {"Retry-After": _RETRY_SECONDS},
    )


async def _sealed(_: Request, error: Exception) -> JSONResponse:
    _log.error("a sealed value does not open", reason=str(error))
    return error_response(
        503,
        "A stored secret cannot be opened with the keys of the service. Tell its operator.",
        "sealed_value_unreadable",
        {"Retry-After": _KEYS_RETRY_SECONDS},
    )


_HANDLERS: Final[dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]]] = {
    HTTPException: _http_error,
    RequestValidationError: _invalid,
    SQLAlchemyError: _unavailable,
    SealError: _sealed,
}
