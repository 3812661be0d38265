"""From settings to the database and the keys, for the service and for the commands of operators."""

from __future__ import annotations

from runner.admin.tenants import any_tenant
from runner.config.keys import Keys, open_keys
from runner.config.settings import ServiceSettings
from runner.model.errors import InputError
from runner.store.database.engine import Store, StoreError
from runner.store.migrate import upgrade


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
