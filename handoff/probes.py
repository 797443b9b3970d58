"""What operators ask: alive, ready, metrics."""

from __future__ import annotations

import ipaddress
import secrets

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import text as sql
from sqlalchemy.exc import SQLAlchemyError

from handoff import errors, metrics
from handoff.desk import desk
from handoff.settings import settings

log = structlog.get_logger(__name__)
router = APIRouter()


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def ready() -> JSONResponse:
    """The desk can serve: its database answers. A broken bot is a handoff, so it is reported and is no failure."""
    try:
        async with desk.database.read() as session:
            await session.execute(sql("SELECT 1 FROM conversations LIMIT 1"))
    except SQLAlchemyError as error:
        log.error("database_unavailable", error=type(error).__name__)
        return JSONResponse({"status": "unavailable", "database": "failed"}, 503, headers={"Retry-After": "5"})
    return JSONResponse({"status": "ok", "database": "ok", "bot": "ok" if await desk.bot.healthy() else "failed"})


@router.get("/metrics")
async def show_metrics(request: Request) -> Response:
    """Prometheus metrics: with the token, or from loopback when none is set."""
    if _may_see_metrics(request):
        return metrics.page()
    return JSONResponse(errors.ApiError(403, "forbidden").body(errors.caller_language(request)), 403)


def _may_see_metrics(request: Request) -> bool:
    if settings.metrics_token:
        given = request.headers.get("authorization", "")
        return secrets.compare_digest(given.encode(), f"Bearer {settings.metrics_token}".encode())
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
