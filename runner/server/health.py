"""Whether the process lives, and whether it can serve."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final, NotRequired

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse
from typing_extensions import TypedDict

from runner.http.answer_types import closed
from runner.http.described import headers, operation_id
from runner.store.database.engine import Store
from runner.store.database.health import NO_ANSWER, trouble

if TYPE_CHECKING:
    from runner.server.composition import Plane

router: Final = APIRouter(tags=["Health"], generate_unique_id_function=operation_id)
_PATIENCE_SECONDS: Final = 3.0
_REMEMBERED_SECONDS: Final = 0.5
PATHS: Final = ("/health", "/ready")


@closed
class Health(TypedDict):
    """`status`: `ok`, `stopping` or `unavailable`; what is not there, by name."""

    status: str
    workers: NotRequired[str]
    database: NotRequired[str]


@router.get(
    "/health",
    summary="The process lives",
    response_description="The process lives.",
    responses={200: headers()},
)
async def health() -> Health:
    """Always 200 while the process answers at all."""
    return {"status": "ok"}


@router.get(
    "/ready",
    summary="The service can serve",
    response_model=Health,
    response_description="A worker is ready and the database answers.",
    responses={
        200: headers(),
        503: {"model": Health, "description": "It cannot serve now, or is stopping.", **headers()},
    },
)
async def ready(request: Request) -> JSONResponse:
    """200 when a worker is ready, the database answers and keeps what is written, and the service is not
    stopping; else 503."""
    if getattr(request.app.state, "stopping", False):
        return JSONResponse({"status": "stopping"}, 503)
    plane: Plane | None = request.app.state.plane
    if plane is not None and not plane.workers.stats().healthy:
        return JSONResponse({"status": "unavailable", "workers": "none is ready"}, 503)
    found = await _look_of(request.app).trouble()
    if found:
        return JSONResponse({"status": "unavailable", "database": found}, 503)
    return JSONResponse({"status": "ok"})


class _Look:
    """Looks at the database for whoever asks, one look at a time and two a second at most: anybody may ask,
    and a database that hangs is to hold one thread, not one more for every question."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._looking: asyncio.Future[str] | None = None
        self._began = 0.0

    async def trouble(self) -> str:
        """As `runner.store.database.health.trouble`."""
        look = self._looking
        if look is None or (look.done() and time.monotonic() - self._began >= _REMEMBERED_SECONDS):
            self._began = time.monotonic()
            look = self._looking = asyncio.ensure_future(asyncio.to_thread(trouble, self._store))
        await asyncio.wait({look}, timeout=_PATIENCE_SECONDS)
        return look.result() if look.done() else NO_ANSWER


def _look_of(app: FastAPI) -> _Look:
    found: _Look | None = getattr(app.state, "database_look", None)
    if found is None:
        found = app.state.database_look = _Look(app.state.service.store)
    return found
