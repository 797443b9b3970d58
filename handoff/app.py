"""The desk as one ASGI application: API, webhooks, sockets, pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from handoff import errors
from handoff.agents.endpoints import router as agents_router
from handoff.attachments.endpoints import router as attachments_router
from handoff.caretaker import Caretaker
from handoff.conversations.endpoints import router as conversations_router
from handoff.customers.service import SHORTEST_SECRET
from handoff.desk import desk
from handoff.gate import Gate
from handoff.integrations.callback import CallbackSender
from handoff.integrations.endpoints import router as integrations_router
from handoff.locales import catalogue
from handoff.logs import configure as configure_logs
from handoff.probes import router as probes_router
from handoff.promises.endpoints import router as promises_router
from handoff.queue.endpoints import router as queue_router
from handoff.realtime.guard import SocketDoor
from handoff.realtime.server import make_server
from handoff.reference import document as reference
from handoff.reference.endpoints import router as reference_router
from handoff.settings import settings
from handoff.summary.endpoints import router as summary_router
from handoff.widget.endpoints import router as widget_router

log = structlog.get_logger(__name__)


def create_app(*, pages: bool = True) -> ASGIApp:
    """Build the application; the desk's parts start and stop with it. `pages`: with the console."""
    configure_logs()
    catalogue()
    desk.open()
    main = FastAPI(title="Jieli", docs_url=None, redoc_url=None, openapi_url=None, lifespan=_life)
    main.mount("/api", make_api())
    main.mount("/webhooks", make_webhooks())
    main.include_router(probes_router)
    main.include_router(widget_router)
    if pages:
        from handoff.console.pages import install as install_console

        install_console(main)
    return Gate(SocketDoor(make_server(), main))


def make_api() -> FastAPI:
    """The public API, a sub-application of its own so that its errors never turn into pages."""
    api = FastAPI(
        title="Jieli API",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
    )
    errors.install(api)
    for router in (
        conversations_router,
        queue_router,
        agents_router,
        attachments_router,
        summary_router,
        promises_router,
        reference_router,
    ):
        api.include_router(router)
    reference.install(api)
    api.add_middleware(
        CORSMiddleware,
        allow_origins=settings.widget_origins or ["*"],
        allow_methods=["*"],
        allow_headers=["Authorization", "Content-Type", "Accept-Language"],
        expose_headers=["Retry-After"],
    )
    return api


def make_webhooks() -> FastAPI:
    """Rasa's REST channel for existing integrations."""
    webhooks = FastAPI(title="Jieli webhooks", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    errors.install(webhooks)
    webhooks.include_router(integrations_router)
    return webhooks


@asynccontextmanager
async def _life(_app: FastAPI) -> AsyncIterator[None]:
    await desk.hub.start()
    caretaker = Caretaker()
    await caretaker.start()
    callbacks = CallbackSender()
    await callbacks.start()
    if 0 < len(settings.identity_secret.encode()) < SHORTEST_SECRET:
        log.error("identity_secret_too_short", bytes_needed=SHORTEST_SECRET, effect="every customer is anonymous")
    log.info("desk_started", database=desk.database.engine.dialect.name)
    yield
    await asyncio.gather(caretaker.stop(), callbacks.stop(), desk.turns.stop())
    await desk.close()
    log.info("desk_stopped")
