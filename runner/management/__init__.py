"""The Management API, `/api/v2`, as the reference has it (reference/management-api.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import APIRouter


def routers() -> tuple[APIRouter, ...]:
    """Every router of the API."""
    from runner.management import (
        actions,
        bindings,
        clients,
        deliveries,
        emailprovider,
        exchanges,
        executions,
        logs,
        modules,
        moduleversions,
        phoneproviders,
        streams,
        testing,
        versions,
    )

    parts = (
        actions,
        versions,
        testing,
        bindings,
        executions,
        modules,
        moduleversions,
        clients,
        exchanges,
        streams,
        deliveries,
        logs,
        emailprovider,
        phoneproviders,
    )
    return tuple(part.router for part in parts)
