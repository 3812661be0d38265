"""`actionbox serve`: bind, say where, serve until told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from types import FrameType
from typing import Any, Final
from urllib.parse import urlsplit

import uvicorn
from fastapi import APIRouter, FastAPI
from starlette.types import Message, Receive, Scope, Send

from runner.admin.first_client import command, credential_lines
from runner.admin.setup import open_service_keys, open_store
from runner.config.settings import ServiceSettings
from runner.console.links import new_link
from runner.management.base.service import Service
from runner.model.errors import InputError
from runner.runtime.metrics import Metrics
from runner.server.app import create_app
from runner.server.assembly import ensure_tenant, make_service
from runner.server.composition import Plane
from runner.server.logs import configure_logs, say
from runner.server.signals import in_order
from runner.server.transport.connections import Early, limits_of, protocol, watch
from runner.server.transport.tls import TlsFiles, self_made
from sandbox.core.garbage import settle

_MAX_HEADER_BYTES: Final = 64 * 1024
_KEEP_ALIVE_SECONDS: Final = 75
"""Seconds for which an idle connection stays open. Clients close theirs earlier: one that is busy meanwhile
sends its next request without having seen that we closed."""
_TLS_FAREWELL_SECONDS: Final = 1.0
_HANDSHAKE_SECONDS: Final = 10.0
_BACKLOG: Final = 512
_SWITCH_SECONDS: Final = 0.0005
"""How long the event loop, on which logins hang, waits for the interpreter lock before it demands it from a
thread that answers the Management API. It needs it some forty times for a login: 5 ms each made 200 ms."""


class Edition:
    """A kind of service: what one has beside both APIs, and what it says at its start."""

    routers: Sequence[APIRouter] = ()

    def prepared(self, service: Service) -> Service:
        """The service as it is to be, before anything starts."""
        return service

    def greet(self, service: Service, tls: TlsFiles | None) -> None:
        """Once it takes requests."""
        _greet(service, tls)


def serve(settings: ServiceSettings, edition: Edition | None = None) -> None:
    """Serve until SIGINT or SIGTERM; must be called in the main thread.

    Raises:
        InputError: the database, key ring, certificate or address cannot be used.
        WorkerStartError: workers cannot be started.
    """
    with in_order() as told:
        _serve(settings, told, edition or Edition())


def _serve(settings: ServiceSettings, told: threading.Event, edition: Edition) -> None:
    sys.setswitchinterval(_SWITCH_SECONDS)
    configure_logs(settings.log_level, settings.log_format)
    listener = _bind(settings)
    settings = settings.model_copy(update={"port": listener.getsockname()[1]})
    store = open_store(settings)
    try:
        tls = _tls(settings)
        keys = open_service_keys(settings, store)
        plane = Plane.of(settings, store, keys)
        service = make_service(settings, store, keys, lambda _: (plane.pooled, plane.pooled))
        service = edition.prepared(service)
        app = create_app(service, plane, edition.routers)
        serve_metrics(settings, plane.metrics)
        server = _Server(
            app,
            _config(_Briefly(app), settings, tls, plane.unsigned),
            lambda: edition.greet(service, tls),
            told,
        )
        server.run(sockets=[listener])
    finally:
        listener.close()
        store.close()


def serve_metrics(settings: ServiceSettings, metrics: Metrics) -> None:
    """Prometheus metrics on a port of their own, which is not for tenants. Raises `InputError`."""
    if settings.metrics_port == 0:
        return
    from prometheus_client import start_http_server

    try:
        start_http_server(settings.metrics_port, settings.metrics_host, registry=metrics.registry)
    except OSError as error:
        raise InputError(
            "address",
            f"cannot serve metrics on {settings.metrics_host}:{settings.metrics_port}: {error.strerror}",
            next_step="Choose another `metrics_port`.",
        ) from None


class _Briefly:
    """The app, which says in a sentence why it cannot start, where frameworks print a stack."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification, "Lifespan"."""
        if scope["type"] == "lifespan":
            send = partial(self._tell, send)
        await self._app(scope, receive, send)

    async def _tell(self, send: Send, message: Message) -> None:
        error = self._app.state.start_error
        if message["type"] == "lifespan.startup.failed" and error is not None:
            message = {**message, "message": str(error)}
        await send(message)


class _Server(uvicorn.Server):
    """Says when it is ready, looks after its connections, and ends with status 0 when it was told to end."""

    def __init__(
        self, app: FastAPI, config: uvicorn.Config, ready: Callable[[], None], told: threading.Event
    ) -> None:
        super().__init__(config)
        self._app = app
        self._ready = ready
        self._told = told
        self._loop: asyncio.AbstractEventLoop | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Streams end and load balancers look elsewhere from the first signal on; requests are finished.
        A second SIGINT ends at once. Does not call uvicorn's own, which would raise the signal again at the
        end, as if it had killed us."""
        del frame
        self._app.state.stopping = True
        self.force_exit |= self.should_exit and sig == signal.SIGINT
        self.should_exit = True
        if self.force_exit and self._loop is not None:
            self._loop.call_soon_threadsafe(self._abort)

    def _abort(self) -> None:
        """End all connections. uvicorn does not wait for what they do any more, but from Python 3.12 on a
        listener that is closed waits for them."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.should_exit |= self._told.is_set()  # before we had the signals
        self._loop = asyncio.get_running_loop()
        if self.config.is_ssl:
            # A client that keeps an idle connection does not answer our farewell; asyncio waits 30 s for it.
            loop = asyncio.get_running_loop()
            loop.create_server = partial(  # type: ignore[method-assign]
                loop.create_server,
                ssl_shutdown_timeout=_TLS_FAREWELL_SECONDS,
                ssl_handshake_timeout=_HANDSHAKE_SECONDS,
            )
        try:
            await super().startup(sockets=sockets)
        except SystemExit:
            if self._app.state.start_error is None:
                raise
            raise self._app.state.start_error from None
        if self.started:
            settle()
            self._watching = asyncio.create_task(watch(self.server_state.connections))
            self._ready()


def _config(app: Any, settings: ServiceSettings, tls: TlsFiles | None, early: Early) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=protocol(limits_of(settings), early),  # h11: one strict parser (threat-model P6)
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.shutdown_seconds,
        h11_max_incomplete_event_size=_MAX_HEADER_BYTES,
        ssl_certfile=None if tls is None else str(tls.cert),
        ssl_keyfile=None if tls is None else str(tls.key),
    )


def _tls(settings: ServiceSettings) -> TlsFiles | None:
    if settings.tls_cert is not None and settings.tls_key is not None:
        return TlsFiles(settings.tls_cert, settings.tls_key)
    if not settings.https:
        return None
    return self_made(settings.data_dir / "tls", urlsplit(settings.url).hostname or "")


def _bind(settings: ServiceSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # With the protocol named: asyncio sets TCP_NODELAY only then, and without it every answer on a kept
    # connection waits 40 ms for the client's delayed acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        reason = error.strerror or str(error)
        raise InputError(
            "address",
            f"cannot listen on {settings.host}:{settings.port}: {reason}",
            next_step="Choose another one with --host and --port.",
        ) from None
    return listener


def _greet(service: Service, tls: TlsFiles | None) -> None:
    """Say where it serves; on the first start, make the tenant and say its credentials, which whoever ends a
    start that takes long would otherwise never see."""
    first = ensure_tenant(service)
    settings = service.settings
    again = command(settings, "console link TENANT")
    lines = [f"actionbox serves {settings.url}", f"  database  {settings.shown()['database_url']}"]
    ca = None if tls is None else tls.ca
    if ca is not None:
        lines.append(f"  CA file   {ca}")
    if first is None:
        show = command(settings, "tenant credentials TENANT")
        lines.append(f"Console: {settings.url}/console (`{again}` prints a link that signs in).")
        lines.append(f"Tokens: POST /oauth/token with a client's id and secret (`{show}` shows them).")
    else:
        show = command(settings, f"tenant credentials {first.credentials.tenant}")
        lines += ["", f"First start. These are the credentials; `{show}` shows them again:"]
        lines += [f"  {text}".rstrip() for text in credential_lines(settings, first, ca)]
        with service.store.begin() as session:
            link = new_link(session, settings, first.credentials.tenant)
        lines += ["", "Open the console; the link signs in once, within 15 minutes:", f"  {link}"]
    say("\n".join(lines) + "\n\n")
