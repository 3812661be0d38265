"""The app: both APIs, the console, tokens and health, on what `Service` holds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from runner.console import open_paths, sign_in, simulations
from runner.console import routers as console_routers
from runner.console.oidc.grants import provider_of
from runner.console.pages import ConsolePages
from runner.hooks.endpoint import HookEndpoint
from runner.hooks.management.routes import router as hooks_router
from runner.http.auth import oauth
from runner.http.errors import install_error_handlers
from runner.http.head import HeadAsGet
from runner.http.middleware import RequestContext
from runner.http.routing import check_routes
from runner.management import routers as management_routers
from runner.management.base.service import Service
from runner.runtime.fast_routes import FastRoutes
from runner.runtime.record_routes import router as record_router
from runner.runtime.routes import router as runtime_router
from runner.server import health
from runner.server.background import management_running
from runner.server.composition import Plane
from runner.server.openapi import describe
from runner.workers.parent.requests import WorkerStartError

_PUBLIC: Final = frozenset({"/oauth/token", *health.PATHS, *open_paths()})
"""Paths that need no token. Adding one here is a decision about security."""
_THREADS: Final = 4
"""In which the Management API works. Each more is one more that takes the interpreter lock from the event
loop, on which logins hang, and they do not get done more between them."""


class App(FastAPI):
    """The framework's app, with a way past its layers of middleware, which cost more than a short Action.

    Attributes:
        shortcuts: which requests take one, and the app that answers them.
    """

    shortcuts: tuple[tuple[Callable[[Scope], bool], ASGIApp], ...] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for takes, app in self.shortcuts:
            if takes(scope):
                scope["app"] = self
                await app(scope, receive, send)
                return
        await super().__call__(scope, receive, send)


def create_app(service: Service, plane: Plane | None = None, more: Sequence[APIRouter] = ()) -> FastAPI:
    """The app; building it checks that every route declares its scopes.

    Args:
        plane: the runtime side; without it the app serves the Management API only.
        more: routers beside those of both APIs.
    """
    app = App(
        title="actionbox",
        summary="Management API for Actions, and the runtime API that platforms invoke.",
        version="1",
        openapi_url="/openapi.json",
        docs_url=None,  # its pages load scripts from elsewhere
        redoc_url=None,
        lifespan=_lifespan(plane),
        redirect_slashes=False,
    )
    app.state.service = service
    app.state.stopping = False
    app.state.start_error = None
    app.state.plane = plane
    install_error_handlers(app)
    app.state.sign_ins = sign_in.SignInLimits.usual()
    app.state.oidc = provider_of(service.settings)
    routers = [oauth.router, health.router, *management_routers(), hooks_router, *console_routers()]
    pages = ConsolePages()
    app.shortcuts = ((pages.takes, RequestContext(pages)),)
    if plane is not None:
        app.state.runtime = plane.runtime
        routers += [runtime_router, record_router, simulations.router]
        fast, hooks = FastRoutes(), HookEndpoint(plane.hooks)
        app.shortcuts = (
            (fast.takes, RequestContext(fast)),
            (hooks.takes, RequestContext(hooks)),
            *app.shortcuts,
        )
    for router in (*routers, *more):
        # As they are: `include_router` would make each route, and the validators of its answers, once more.
        app.router.routes.extend(router.routes)
    check_routes(app, _PUBLIC)
    app.add_middleware(HeadAsGet)
    app.add_middleware(RequestContext)
    describe(app)
    return app


def _lifespan(plane: Plane | None) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = _THREADS
        try:
            async with management_running(app.state.service) if plane is None else plane.running():
                try:
                    yield
                finally:
                    app.state.stopping = True
        except WorkerStartError as error:
            app.state.start_error = error
            raise

    return lifespan
