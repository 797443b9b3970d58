"""Mounting the console."""

from __future__ import annotations

from fastapi import FastAPI
from nicegui import app as nicegui_app
from nicegui import ui
from starlette.requests import Request
from starlette.responses import Response

from handoff.console import STORAGE, access, files
from handoff.console.assets import FOLDER, icon, style_link
from handoff.console.designer_page import DesignerPage
from handoff.console.desk_page import DeskPage
from handoff.console.login_page import LoginPage
from handoff.console.mount import replace_mount
from handoff.console.supervisor_page import SupervisorPage
from handoff.locales import text
from handoff.settings import settings

RECONNECT_SECONDS = 15.0
STATIC = "/desk/static"
BUILD_SECONDS = 30.0


def install(app: FastAPI) -> None:
    """Add the console's pages to the desk; API paths, `/` and unknown addresses keep their own answers."""
    STORAGE.mkdir(parents=True, exist_ok=True)
    STORAGE.chmod(0o700)
    ui.run_with(
        app,
        storage_secret=settings.secret_key,
        session_middleware_kwargs={"session_cookie": "jieli_console", "same_site": "lax"},
        title=text("console.brand", "zh"),
        viewport="width=device-width, initial-scale=1, interactive-widget=resizes-content",
        favicon=icon(),
        reconnect_timeout=RECONNECT_SECONDS,
        binding_refresh_interval=None,
        tailwind=False,
        show_welcome_message=False,
    )
    replace_mount(app, nicegui_app)


def _dress(language: str, page: str) -> None:
    ui.add_head_html(style_link(STATIC))
    ui.page_title(text("console.title", language, page=text(f"console.page_{page}", language)))


@ui.page(access.LOGIN, response_timeout=BUILD_SECONDS)
async def login_page(request: Request, next: str | None = None) -> Response | None:
    """The login; whoever is logged in already goes on to work."""
    caller = await access.current()
    if caller is not None:
        return Response(status_code=303, headers={"Location": access.home_of(caller.agent.role, next)})
    language = access.language_of(request)
    _dress(language, "login")
    LoginPage(language, next)
    return None


@ui.page("/desk", response_timeout=BUILD_SECONDS)
async def desk_page(request: Request) -> Response | None:
    """The agents' desk."""
    caller = await access.admit("/desk")
    if isinstance(caller, Response):
        return caller
    language = access.language_of(request)
    _dress(language, "desk")
    DeskPage(caller, language)
    return None


@ui.page("/supervisor", response_timeout=BUILD_SECONDS)
async def supervisor_page(request: Request) -> Response | None:
    """The supervisors' page."""
    caller = await access.admit("/supervisor")
    if isinstance(caller, Response):
        return caller
    language = access.language_of(request)
    _dress(language, "supervisor")
    SupervisorPage(caller, language)
    return None


@ui.page("/designer", response_timeout=BUILD_SECONDS)
async def designer_page(request: Request) -> Response | None:
    """The conversation designers' page."""
    caller = await access.admit("/designer")
    if isinstance(caller, Response):
        return caller
    language = access.language_of(request)
    _dress(language, "designer")
    DesignerPage(caller, language)
    return None


nicegui_app.add_static_files(STATIC, str(FOLDER), max_cache_age=3600)
nicegui_app.include_router(files.router)
