"""Whether the process lives, and whether it can serve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

if TYPE_CHECKING:
    from runner.service.container import Service
    from runner.service.plane import Plane

router: Final = APIRouter(tags=["Health"])
PATHS: Final = ("/health", "/ready")


@router.get("/health", summary="The process lives")
async def health() -> dict[str, str]:
    """Always 200 while the process answers at all."""
    return {"status": "ok"}


@router.get("/ready", summary="The service can serve")
async def ready(request: Request) -> JSONResponse:
    """200 when a worker is ready, the database answers and the service is not stopping, else 503."""
    service: Service = request.app.state.service
    if getattr(request.app.state, "stopping", False):
        return JSONResponse({"status": "stopping"}, 503)
    plane: Plane | None = request.app.state.plane
    if plane is not None and not plane.workers.snapshot().healthy:
        return JSONResponse({"status": "unavailable", "workers": "none is ready"}, 503)
    if not await run_in_threadpool(_database_answers, service):
        return JSONResponse({"status": "unavailable", "database": "no answer"}, 503)
    return JSONResponse({"status": "ok"})


def _database_answers(service: Service) -> bool:
    try:
        with service.store.read() as session:
            session.execute(text("select 1"))
    except SQLAlchemyError:
        return False
    return True
