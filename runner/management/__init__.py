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
        draft_tests,
        emailprovider,
        executions,
        logs,
        modules,
        moduleversions,
        phoneproviders,
        streams,
        token_exchange_profiles,
        versions,
    )

    parts = (
        actions,
        versions,
        draft_tests,
        bindings,
        executions,
        modules,
        moduleversions,
        clients,
        token_exchange_profiles,
        streams,
        deliveries,
        logs,
        emailprovider,
        phoneproviders,
    )
    return tuple(part.router for part in parts)
