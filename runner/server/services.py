"""What the routes of the service share, put together once at start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runner.http.assertions import Assertions
from runner.http.auth import Authenticator
from runner.http.concurrency_limits import InFlight, Slots
from runner.http.rate_limit import RateLimiter
from runner.http.tokens import Tokens
from runner.jobs.queue import JobQueue
from runner.management.builds import Builds
from runner.server.interfaces import Builder, FlowRunner
from runner.server.keys import Keys
from runner.server.settings import ServiceSettings
from runner.store.engine import Store

_FAILURES_PER_SECOND: Final = 5
_FAILURES_BURST: Final = 200
"""Bad tokens or client secrets from one address; further ones are answered 429. Good ones always pass: others
may share the address, and nobody guesses 256 random bits."""

_TESTS_EACH: Final = 4
_TESTS: Final = 16
"""Tests of drafts that run at a time: of one tenant, and of all."""


@dataclass(frozen=True)
class Service:
    """Attributes:
    flows, builder: run and build Actions.
    queue: work that outlives a restart.
    builds: orders builds.
    limiter: requests by tenant.
    failures: failed authentications by address.
    requests: requests of each tenant that are being answered.
    tests: tests of drafts that run.
    """

    settings: ServiceSettings
    store: Store
    keys: Keys
    tokens: Tokens
    authenticator: Authenticator
    assertions: Assertions
    limiter: RateLimiter
    failures: RateLimiter
    flows: FlowRunner
    builder: Builder
    queue: JobQueue
    builds: Builds
    requests: InFlight
    tests: Slots

    @classmethod
    def of(
        cls, settings: ServiceSettings, store: Store, keys: Keys, flows: FlowRunner, builder: Builder
    ) -> Service:
        """Put together; starts nothing."""
        tokens, queue = Tokens(keys), JobQueue(store)
        return cls(
            settings=settings,
            store=store,
            keys=keys,
            tokens=tokens,
            authenticator=Authenticator(tokens, store),
            assertions=Assertions(store, settings.url),
            limiter=RateLimiter(settings.rate_per_second, settings.rate_burst),
            failures=RateLimiter(_FAILURES_PER_SECOND, _FAILURES_BURST),
            flows=flows,
            builder=builder,
            queue=queue,
            builds=Builds(queue),
            requests=InFlight(settings.tenant_requests),
            tests=Slots(_TESTS_EACH, _TESTS),
        )
