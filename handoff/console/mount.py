"""Where NiceGUI answers: the console's own addresses and nothing else."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.routing import Match, Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PREFIXES = ("/desk", "/supervisor", "/designer", "/_nicegui", "/_nicegui_ws")
HEADERS = {
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "frame-ancestors 'none'; base-uri 'self'; object-src 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


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


def guarded(app: ASGIApp) -> ASGIApp:
    """Return `app` with headers that keep its pages out of other sites' frames."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await app(scope, receive, send_guarded)

    return answer


def replace_mount(parent: FastAPI, nicegui_app: ASGIApp) -> None:
    """Put the console's mount in the place of the one that NiceGUI added."""
    parent.router.routes[:] = [
        route for route in parent.router.routes if not (isinstance(route, Mount) and route.app is nicegui_app)
    ]
    parent.router.routes.append(ConsoleMount(nicegui_app))
