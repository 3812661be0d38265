"""Storage of the service: one database, SQLite or PostgreSQL, with the tenant in every key and query.

    store = Store.open("sqlite:////var/lib/actionbox/actionbox.db")
    with store.begin() as session:
        session.add(Tenant(id="north-quay", name="North Quay"))

Knows neither HTTP nor sandboxes. Calls block; the service makes them in threads.
"""

from __future__ import annotations

from runner.store.database.engine import Store, StoreError
from runner.store.sealed.sealing import KeyRing, Sealed, SealError

__all__ = ["KeyRing", "SealError", "Sealed", "Store", "StoreError"]
