"""The endpoint that identity providers call, `POST /hooks/v1/{tenant}/{provider}/{hook}`.

Everything is in the path, because some of them send no header of ours. It is no route of the framework:
these requests carry no token, each provider has its own shape of a refusal, and a flood of bad ones must cost
little (`runner.runtime.fast_routes` has the reasons). A document that a provider fetches is below it
(`Provider.document`), at `GET /hooks/v1/{tenant}/{provider}/{hook}/{document}`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from runner.hooks.model import PREFIX, ROUTE, Answer, Case, Hook, Provider, Result
from runner.hooks.providers import PROVIDERS
from runner.hooks.receiver import Receiver
from runner.http.errors import error_response

_PATH: Final = re.compile(
    re.escape(PREFIX) + r"(?P<tenant>[^/]{1,64})/(?P<provider>[a-z0-9-]{1,32})/(?P<hook>[A-Za-z0-9._-]{1,64})"
    r"(?:/(?P<document>[A-Za-z0-9._-]{1,64}))?"
)
_DOCUMENT: Final = {
    "Cache-Control": "public, max-age=3600",
    "Content-Type": "text/plain; charset=utf-8",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class _Route:
    """What the log calls these requests."""

    path: str


_ROUTE: Final = _Route(ROUTE)
_DOCUMENT_ROUTE: Final = _Route(f"{_ROUTE.path}/{{document}}")


class HookEndpoint:
    """An ASGI app for the requests that it `takes`, and no others."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def takes(self, scope: Scope) -> bool:
        """Whether the request is for a hook."""
        path: str = scope["path"] if scope["type"] == "http" else ""
        return path.startswith(PREFIX)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await (await self._response(request))(scope, receive, send)

    async def _response(self, request: Request) -> Response:
        scope = request.scope
        matched = _PATH.fullmatch(scope["path"])
        provider = None if matched is None else PROVIDERS.get(matched["provider"])
        if matched is None or provider is None:
            return error_response(404, "There is no such path.")
        scope["route"], scope["path_params"] = _ROUTE, matched.groupdict()
        hook = provider.hooks.get(matched["hook"])
        if matched["document"] is not None:
            scope["route"] = _DOCUMENT_ROUTE
            return _document(provider, hook, matched["document"], request.method)
        if request.method != "POST":
            return error_response(405, "This path does not take that method.", headers={"Allow": "POST"})
        if hook is None:
            refused = Result(Case.REFUSED, f"{provider.title} has no such hook here.", status=404)
            return _http(provider.response_of(provider.any_hook, {}, refused))
        return _http(await self._receiver.answer(request, scope["app"].state.service, provider, hook))


def _document(provider: Provider, hook: Hook | None, name: str, method: str) -> Response:
    """The same whatever the tenant: it does not tell which there are."""
    text = None if hook is None else provider.document(hook, name)
    if text is None:
        return error_response(404, "There is no such path.")
    if method not in ("GET", "HEAD"):
        return error_response(405, "This path does not take that method.", headers={"Allow": "GET, HEAD"})
    return Response(text, headers=_DOCUMENT)


def _http(answer: Answer) -> Response:
    return Response(answer.body, answer.status, dict(answer.headers))
