"""The shop as an ASGI application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI

from examples.shop import endpoints, errors
from examples.shop.bug_reports import BugReportService, keep_answering
from examples.shop.clock import Clock, utc_now
from examples.shop.faults import Faults
from examples.shop.guard import Guard
from examples.shop.seed import open_database
from examples.shop.service import ShopService
from examples.shop.settings import Settings


def create_app(settings: Settings, clock: Clock = utc_now) -> FastAPI:
    """Open the database (filled on the first start) and build the application."""
    database = open_database(settings.database, clock())
    bug_reports = BugReportService(database, clock)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        task = None
        if settings.rnd_answer_after is not None:
            task = asyncio.create_task(keep_answering(bug_reports, settings.rnd_answer_after))
        yield
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        database.close()

    app = FastAPI(
        title="Lanmo shop, back office", lifespan=lifespan, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    app.state.database = database
    app.state.shop = ShopService(database, settings.identity_secret, clock)
    app.state.bug_reports = bug_reports
    app.include_router(endpoints.router)
    errors.install(app)
    app.add_middleware(Guard, token=settings.api_token)
    if settings.faults:
        app.add_middleware(Faults, faults=settings.faults)
    return app
