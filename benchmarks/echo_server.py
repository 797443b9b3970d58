"""The raw limit for `relay`: python-socketio on uvicorn, a message in, the same message out to another socket."""

from __future__ import annotations

import itertools
from typing import Any

import socketio


def make_app() -> socketio.ASGIApp:
    """Return the server; who connects with `receiver` gets the others' messages in turn."""
    server = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins="*")
    receivers: list[str] = []
    turn = itertools.count()

    @server.event
    async def connect(sid: str, environ: dict[str, Any], auth: dict[str, Any] | None) -> None:
        if auth and auth.get("receiver"):
            receivers.append(sid)

    @server.event
    async def send(sid: str, data: Any) -> dict[str, Any]:
        await server.emit("message", data, to=receivers[next(turn) % len(receivers)])
        return {"ok": True}

    return socketio.ASGIApp(server)
