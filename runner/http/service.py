"""Dependencies of the routes of every API, put together once at start."""

from __future__ import annotations

from dataclasses import dataclass

from runner.config.settings import ServiceSettings
from runner.http.auth.assertions import Assertions
from runner.http.auth.authenticator import Authenticator
from runner.http.auth.sessions import Sessions
from runner.http.auth.tokens import Tokens
from runner.http.concurrency_limits import InFlight
from runner.http.rate_limit import RateLimiter
from runner.store.database.engine import Store


@dataclass(frozen=True)
class ApiService:
    """Attributes:
    limiter: requests by tenant.
    failures: failed authentications by address.
    requests: requests of each tenant that are being answered.
    """

    settings: ServiceSettings
    store: Store
    tokens: Tokens
    authenticator: Authenticator
    assertions: Assertions
    sessions: Sessions
    limiter: RateLimiter
    failures: RateLimiter
    requests: InFlight
