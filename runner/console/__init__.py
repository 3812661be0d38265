"""The console: its page, and the routes under `/console/api` for what only a console has. Everything else it
takes from the two APIs, whose routes take its session's cookie in the place of a token."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import APIRouter


def routers() -> tuple[APIRouter, ...]:
    """Every router under `/console/api`."""
    from runner.console import audit, clients, sessions, sign_in, tenants

    return tuple(part.router for part in (sign_in, sessions, audit, clients, tenants))
