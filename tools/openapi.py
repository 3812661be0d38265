"""`python -m tools.openapi` writes the descriptions of both APIs and of the console's routes to
`docs/openapi`; `--check` only says which are stale."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter

from runner.console import routers as console_routers
from runner.console import simulations
from runner.dev.routes import router as folder_router
from runner.hooks.management.routes import router as hooks_router
from runner.http.auth import oauth
from runner.management import routers
from runner.runtime.record_routes import router as record_router
from runner.runtime.routes import router as runtime_router
from runner.server import health
from runner.server.openapi import description

DOCS: Final = Path(__file__).resolve().parents[1] / "docs" / "openapi"
_APIS: Final = {
    "management": ("actionbox: Management API for Actions", (*routers(), hooks_router, oauth.router)),
    "console": (
        "actionbox: routes of the console; those under /console/api/dev are there on a folder only",
        (*console_routers(), simulations.router, folder_router),
    ),
    "runtime": ("actionbox: runtime API", (runtime_router, record_router, oauth.router, health.router)),
}


def documents() -> dict[str, str]:
    """Text of each description, by its file's name."""
    found = {f"{name}.json": _description(title, included) for name, (title, included) in _APIS.items()}
    return {name: json.dumps(value, indent=1, ensure_ascii=False) + "\n" for name, value in found.items()}


def whole() -> dict[str, Any]:
    """The description of everything, as a service with both APIs gives it."""
    included = (
        oauth.router,
        health.router,
        *routers(),
        hooks_router,
        runtime_router,
        record_router,
        *console_routers(),
        simulations.router,
    )
    return _description("actionbox", included)


def _description(title: str, included: Iterable[APIRouter]) -> dict[str, Any]:
    return description((route for router in included for route in router.routes), title, "")


def main(arguments: Sequence[str]) -> int:
    """Exit status: 0, or 1 when `--check` found stale documents."""
    check = "--check" in arguments
    DOCS.mkdir(exist_ok=True)
    stale = 0
    for name, text in documents().items():
        path = DOCS / name
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        if not check:
            path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{'stale' if check else 'wrote'} docs/openapi/{name}\n")
    return int(check and bool(stale))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
