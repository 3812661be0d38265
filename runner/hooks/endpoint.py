"""The endpoint that identity providers call, `POST /hooks/v1/{tenant}/{provider}/{hook}`.

Everything is in the path, because some of them send no header of ours. It is no route of the framework:
these requests carry no token, each provider has its own shape of a refusal, and a flood of bad ones must cost
little (`runner.runtime.fast_invoke` has the reasons).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from runner.hooks.model import PREFIX, Answer, Case, Result
from runner.hooks.providers import PROVIDERS
from runner.hooks.receiver import Receiver
from runner.http.errors import error_response

_PATH: Final = re.compile(
    re.escape(PREFIX) + r"(?P<tenant>[^/]{1,64})/(?P<provider>[a-z0-9-]{1,32})/(?P<hook>[A-Za-z0-9._-]{1,64})"
)


@dataclass(frozen=True)
class _Route:
    """What the log calls these requests."""

    path: str


_ROUTE: Final = _Route(f"{PREFIX}{{tenant}}/{{provider}}/{{hook}}")


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
        document = None if hook is None else provider.document(hook)
        if document is not None and request.method in ("GET", "HEAD"):
            return Response(document[1], media_type=document[0])
        if request.method != "POST":
            return error_response(405, "This path does not take that method.", headers={"Allow": "POST"})
        if hook is None:
            refused = Result(Case.REFUSED, f"{provider.title} has no such hook here.", status=404)
            return _http(provider.response_of(provider.any_hook, {}, refused))
        return _http(await self._receiver.answer(request, scope["app"].state.service, provider, hook))


def _http(answer: Answer) -> Response:
    return Response(answer.body, answer.status, dict(answer.headers))
