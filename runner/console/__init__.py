"""The console: its page, and the routes under `/console/api` for what only a console has. Everything else it
takes from the two APIs, whose routes take its session's cookie in the place of a token."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import APIRouter


def routers() -> tuple[APIRouter, ...]:
    """Every router under `/console/api`."""
    from runner.console import audit, clients, sessions, sign_in, tenants
    from runner.console.oidc import routes as oidc

    parts = (sign_in, oidc, sessions, audit, clients, tenants)
    return *(part.router for part in parts), oidc.callback_router


def open_paths() -> tuple[str, ...]:
    """Paths that need no session, because they are for signing in."""
    from runner.console import sign_in
    from runner.console.oidc import routes as oidc

    return *sign_in.PATHS, *oidc.PATHS
