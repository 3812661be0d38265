"""Tenants beside the one that a service starts with."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from runner.admin.setup import open_store
from runner.admin.tenants import create_client, create_tenant
from runner.client import Api, Connection
from runner.client.http import RUNTIME
from runner.config.settings import ServiceSettings
from tests.e2e.serving import Served


@dataclass(frozen=True, slots=True)
class Tenant:
    """`token`: for the runtime API."""

    client_id: str
    secret: str
    token: str

    def api(self, url: str) -> Api:
        """Its Management API."""
        return Api(Connection(url, client_id=self.client_id, client_secret=self.secret))


def add_tenants(served: Served, count: int) -> list[Tenant]:
    """New ones, each with a client."""
    settings = ServiceSettings(data_dir=served.data)
    with contextlib.closing(open_store(settings)) as store, store.begin() as session:
        for number in range(count):
            create_tenant(session, f"bench{number}")
        made = [create_client(session, f"bench{number}", "bench", None) for number in range(count)]
    clients = [Tenant(item.client_id, item.client_secret, "") for item in made]
    return [
        Tenant(client.client_id, client.secret, client.api(served.url).token(RUNTIME)) for client in clients
    ]
