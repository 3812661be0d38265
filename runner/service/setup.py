"""From settings to a service that is ready to start."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from typing import Final

from runner.errors import InputError
from runner.service.container import Service
from runner.service.firstclient import FirstClient, new_tenant
from runner.service.inprocess import InProcess
from runner.service.keys import Keys, open_keys
from runner.service.ports import Builder, FlowRunner
from runner.service.settings import ServiceSettings
from runner.service.tenants import any_tenant
from runner.store.engine import Store, StoreError
from runner.store.migrate import upgrade

FIRST_TENANT: Final = "main"


def open_store(settings: ServiceSettings) -> Store:
    """The database with its newest schema. Raises `InputError` (`database`)."""
    try:
        store = Store.open(settings.database)
        upgrade(store)
    except StoreError as error:
        raise InputError("database", str(error), next_step="Check DATABASE_URL.") from None
    return store


def open_service_keys(settings: ServiceSettings, store: Store) -> Keys:
    """The key ring; an embedded database that is empty gets a new one. Raises `InputError`."""
    with store.read() as session:
        empty = not any_tenant(session)
    return open_keys(settings, store, fresh=empty and store.is_sqlite)


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


def opened(store: Store) -> AbstractContextManager[Store]:
    """Closes the store at the end of a block."""
    return closing(store)
