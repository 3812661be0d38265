"""Clients of the service. Platforms use `RuntimeClient`; the tenant command line uses `Api`."""

from __future__ import annotations

from runner.client.http import Api, Connection, ServiceError
from runner.client.runtime import Accepted, Delivery, RuntimeClient

__all__ = ["Accepted", "Api", "Connection", "Delivery", "RuntimeClient", "ServiceError"]
