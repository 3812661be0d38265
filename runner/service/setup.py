"""From settings to a service that is ready to start."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from typing import Final

from runner.errors import InputError
from runner.service.container import Service
from runner.service.inprocess import InProcess
from runner.service.keys import Keys, open_keys
from runner.service.ports import Builder, FlowRunner
from runner.service.settings import ServiceSettings
from runner.service.tenants import Credentials, any_tenant, create_client, create_tenant
from runner.service.tokens import PLANES
from runner.store.engine import Store, StoreError
from runner.store.migrate import upgrade

FIRST_TENANT: Final = "main"
_FIRST_TOKEN_SECONDS: Final = 30 * 86_400


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
    return open_keys(settings, fresh=empty and store.is_sqlite)


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


def ensure_tenant(service: Service) -> tuple[Credentials, str] | None:
    """On the first start: a tenant, a client with all scopes, and a token of it; None later."""
    with service.store.begin() as session:
        if any_tenant(session):
            return None
        create_tenant(session, FIRST_TENANT)
        made = create_client(session, FIRST_TENANT, "first client")
    audiences = [service.settings.url + plane for plane in PLANES]
    token = service.tokens.issue(made.tenant, made.client_id, made.scopes, audiences, _FIRST_TOKEN_SECONDS)
    return made, token


def opened(store: Store) -> AbstractContextManager[Store]:
    """Closes the store at the end of a block."""
    return closing(store)
