"""Where the console answers, to whom, and with which headers."""

from __future__ import annotations

import secrets

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse
from starlette.routing import Match, Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handoff.console import access

PREFIXES = ("/desk", "/supervisor", "/designer", "/_nicegui", "/_nicegui_ws")
SOCKET = "/_nicegui_ws"
HEADERS = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
TLS_HEADERS = {"Strict-Transport-Security": "max-age=31536000"}


class ConsoleMount(Mount):
    """NiceGUI mounted at `/` would answer every unknown path and wrong method with a page of its own; this does not."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__("/", app=guarded(app), name="console")

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match the console's addresses only."""
        return super().matches(scope) if is_console(scope.get("path", "")) else (Match.NONE, {})


def is_console(path: str) -> bool:
    """Tell whether the address belongs to the console."""
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in PREFIXES)


def policy(host: str, nonce: str) -> str:
    """Return the pages' content security policy.

    NiceGUI's own scripts stand inline in the page, so they carry the nonce. Vue makes functions of the components'
    templates in the browser and needs 'unsafe-eval' for that; no template contains anything that a person wrote.
    """
    return (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self'; "
        f"img-src 'self' data: blob:; media-src 'self'; connect-src 'self' ws://{host} wss://{host}; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def strict_policy() -> str:
    """Return the policy of pages that are not NiceGUI's: no inline script, no evaluation."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def guarded(app: ASGIApp) -> ASGIApp:
    """Return `app` with the console's headers, and its socket for nobody but logged-in people's own pages."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        if scope["path"].startswith(f"{SOCKET}/") and not await _may_connect(connection):
            await _refuse(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})
        scope["state"]["nonce"], scope["state"]["language"] = nonce, access.language_of(connection)
        is_page = scope["path"] in access.PAGES
        csp = policy(connection.headers.get("host", ""), nonce) if is_page else strict_policy()

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in {**HEADERS, "Content-Security-Policy": csp}.items():
                    headers.setdefault(name, value)
                if access.is_secure(connection):
                    headers.update(TLS_HEADERS)
                if is_page:
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await app(scope, receive, send_guarded)

    return answer


async def _may_connect(connection: HTTPConnection) -> bool:
    """Decide when a connection opens; later polls of it name its unguessable id."""
    if not access.is_own_origin(connection):
        return False
    return "sid" in connection.query_params or await access.current(connection) is not None


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await PlainTextResponse("Log in first.", 403)(scope, receive, send)


def replace_mount(parent: FastAPI, nicegui_app: FastAPI) -> None:
    """Put the console's mount in the place of the one that NiceGUI added; what it does not know is answered plainly."""
    parent.router.routes[:] = [
        route for route in parent.router.routes if not (isinstance(route, Mount) and route.app is nicegui_app)
    ]
    parent.router.routes.append(ConsoleMount(nicegui_app))

    @nicegui_app.exception_handler(404)
    async def _nothing_here(request: Request, error: Exception) -> PlainTextResponse:
        return PlainTextResponse("Nothing is here. 这里没有内容。", 404)
