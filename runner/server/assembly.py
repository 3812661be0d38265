"""From settings, database and keys to a service that is ready to start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from runner.server.first_client import FirstClient, new_tenant
from runner.server.in_process import InProcess
from runner.server.interfaces import Builder, FlowRunner
from runner.server.keys import Keys
from runner.server.services import Service
from runner.server.settings import ServiceSettings
from runner.server.tenants import any_tenant
from runner.store.engine import Store

FIRST_TENANT: Final = "main"


def make_service(
    settings: ServiceSettings,
    store: Store,
    keys: Keys,
    engines: Callable[[ServiceSettings], tuple[FlowRunner, Builder]] | None = None,
) -> Service:
    """Everything but the sockets. `engines`: what runs and builds Actions; this process when None."""
    if engines is None:
        inside = InProcess.of(settings)
        return Service.of(settings, store, keys, inside, inside)
    flows, builder = engines(settings)
    return Service.of(settings, store, keys, flows, builder)


def ensure_tenant(service: Service) -> FirstClient | None:
    """On the first start: a tenant with a client that has all scopes; None later."""
    with service.store.begin() as session:
        if any_tenant(session):
            return None
        return new_tenant(session, service.settings, service.keys, FIRST_TENANT)
