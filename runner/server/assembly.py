"""From settings, database and keys to a service that is ready to start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from runner.admin.first_client import FirstClient, new_tenant
from runner.admin.tenants import any_tenant
from runner.config.keys import Keys
from runner.config.settings import ServiceSettings
from runner.http.auth.assertions import Assertions
from runner.http.auth.authenticator import Authenticator
from runner.http.auth.sessions import Sessions
from runner.http.auth.tokens import Tokens
from runner.http.concurrency_limits import InFlight, Slots
from runner.http.rate_limit import RateLimiter
from runner.jobs.queue import JobQueue
from runner.management.base.build_queue import BuildQueue
from runner.management.base.interfaces import Builder, FlowRunner, Records
from runner.management.base.service import Service
from runner.records.store import RecordStore
from runner.server.in_process import InProcess
from runner.store.database.engine import Store

FIRST_TENANT: Final = "main"
_FAILURES_PER_SECOND: Final = 5
_FAILURES_BURST: Final = 200
"""Bad tokens or client secrets from one address; further ones are answered 429. Good ones always pass: others
may share the address, and nobody guesses 256 random bits."""
_TESTS_EACH: Final = 4
_TESTS: Final = 16
"""Tests of drafts that run at a time: of one tenant, and of all."""


def make_service(
    settings: ServiceSettings,
    store: Store,
    keys: Keys,
    engines: Callable[[ServiceSettings], tuple[FlowRunner, Builder]] | None = None,
) -> Service:
    """Everything but the sockets. `engines`: what runs and builds Actions; this process when None."""
    flows, builder = (engines or _inside)(settings)
    tokens, queue = Tokens(keys), JobQueue(store)
    return Service(
        settings=settings,
        store=store,
        keys=keys,
        tokens=tokens,
        authenticator=Authenticator(tokens, store),
        assertions=Assertions(store, settings.url),
        sessions=Sessions(
            store, secure=settings.url.startswith("https:"), hours=settings.console_session_hours
        ),
        limiter=RateLimiter(settings.rate_per_second, settings.rate_burst),
        failures=RateLimiter(_FAILURES_PER_SECOND, _FAILURES_BURST),
        flows=flows,
        builder=builder,
        queue=queue,
        builds=BuildQueue(queue),
        requests=InFlight(settings.tenant_requests),
        tests=Slots(_TESTS_EACH, _TESTS),
        records=records_of(store, keys),
    )


def records_of(store: Store, keys: Keys) -> Records:
    """Records of executions, for shadow runs."""
    return RecordStore(store, lambda: keys.ring)


def _inside(settings: ServiceSettings) -> tuple[FlowRunner, Builder]:
    engine = InProcess.of(settings)
    return engine, engine


def ensure_tenant(service: Service) -> FirstClient | None:
    """On the first start: a tenant with a client that has all scopes; None later."""
    with service.store.begin() as session:
        if any_tenant(session):
            return None
        return new_tenant(session, service.settings, service.keys, FIRST_TENANT)
