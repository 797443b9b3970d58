"""Mounting the console."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from nicegui import app as nicegui_app
from nicegui import client as nicegui_client
from nicegui import ui
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.templating import Jinja2Templates

from handoff.console import access, entrance, files
from handoff.console.assets import FOLDER, STATIC, icon, module_links, style_links
from handoff.console.designer_page import DesignerPage
from handoff.console.desk_page import DeskPage
from handoff.console.mount import replace_mount
from handoff.console.supervisor_page import SupervisorPage
from handoff.console.switchboard import switchboard
from handoff.locales import text

RECONNECT_SECONDS = 15.0
BUILD_SECONDS = 30.0
TAB_SECONDS = 3600.0
KEPT_SECONDS = 365 * 24 * 3600
TEMPLATES = Path(__file__).parent / "templates"


def install(app: FastAPI) -> None:
    """Add the console's pages to the desk; API paths, `/` and unknown addresses keep their own answers."""
    nicegui_client.templates = Jinja2Templates(TEMPLATES)
    nicegui_app.storage.max_tab_storage_age = TAB_SECONDS
    ui.run_with(
        app,
        title=text("console.brand", "zh"),
        viewport="width=device-width, initial-scale=1, interactive-widget=resizes-content",
        favicon=icon(),
        reconnect_timeout=RECONNECT_SECONDS,
        binding_refresh_interval=None,
        gzip_middleware_factory=lambda inner: GZipMiddleware(inner, minimum_size=1000, compresslevel=5),
        tailwind=False,
        show_welcome_message=False,
    )
    replace_mount(app, nicegui_app)


def _dress(language: str, page: str) -> None:
    ui.add_head_html(style_links() + module_links())
    ui.page_title(text("console.title", language, page=text(f"console.page_{page}", language)))


@ui.page("/desk", response_timeout=BUILD_SECONDS)
async def desk_page(request: Request) -> Response | None:
    """The agents' desk."""
    caller = await access.admit(request, "/desk")
    if isinstance(caller, Response):
        return caller
    language = access.language_of(request)
    _dress(language, "desk")
    await switchboard.prepare(caller.agent)
    DeskPage(caller, language)
    return None


@ui.page("/supervisor", response_timeout=BUILD_SECONDS)
async def supervisor_page(request: Request) -> Response | None:
    """The supervisors' page."""
    caller = await access.admit(request, "/supervisor")
    if isinstance(caller, Response):
        return caller
    language = access.language_of(request)
    _dress(language, "supervisor")
    await switchboard.prepare(caller.agent)
    SupervisorPage(caller, language)
    return None


@ui.page("/designer", response_timeout=BUILD_SECONDS)
async def designer_page(request: Request) -> Response | None:
    """The conversation designers' page."""
    caller = await access.admit(request, "/designer")
    if isinstance(caller, Response):
        return caller
    language = access.language_of(request)
    _dress(language, "designer")
    await switchboard.prepare(caller.agent)
    DesignerPage(caller, language)
    return None


nicegui_app.add_static_files(STATIC, str(FOLDER), max_cache_age=KEPT_SECONDS)
nicegui_app.include_router(entrance.router)
nicegui_app.include_router(files.router)
