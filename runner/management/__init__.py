"""The Management API, `/api/v2`, as the reference has it (reference/management-api.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import APIRouter


def routers() -> tuple[APIRouter, ...]:
    """Every router of the API."""
    from runner.management import bindings, clients, declarations, record_policy, token_exchange_profiles
    from runner.management.actions import draft_tests, versions
    from runner.management.actions import routes as actions
    from runner.management.logs import executions
    from runner.management.logs import routes as logs
    from runner.management.modules import routes as modules
    from runner.management.modules import versions as module_versions
    from runner.management.providers import email, phone
    from runner.management.replays import routes as replays
    from runner.management.rollouts import routes as rollouts
    from runner.management.shadows import routes as shadows
    from runner.management.streams import deliveries
    from runner.management.streams import routes as streams

    parts = (
        actions,
        versions,
        rollouts,
        draft_tests,
        shadows,
        bindings,
        declarations,
        executions,
        replays,
        modules,
        module_versions,
        clients,
        token_exchange_profiles,
        streams,
        deliveries,
        logs,
        email,
        phone,
        record_policy,
    )
    return tuple(part.router for part in parts)
