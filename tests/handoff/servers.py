"""Real servers on free ports, inside the test's own event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp

from handoff.server import config as server_config

BOT_TOKEN = "bot-token-of-the-tests"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def serving(app: ASGIApp, port: int) -> AsyncIterator[str]:
    """Serve `app` as the product does until the block ends; yields its address."""
    config = server_config(app, "127.0.0.1", port)
    config.timeout_graceful_shutdown = 1
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve())
    while not server.started:
        if task.done():
            await task
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


Behaviour = Callable[[dict[str, Any]], Awaitable[dict[str, Any] | JSONResponse]]


def understood(intent: str = "track_order", label: str = "calm", score: float = 0.8) -> dict[str, Any]:
    """Return what the bot understands of one message."""
    return {"intent": intent, "confidence": 0.9, "language": "zh", "emotion": {"label": label, "score": score}}


def answer(*texts: str, body: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Return a whole answer of the bot's door."""
    count = len(body["messages"]) if body else 1
    full = {
        "messages": [{"text": words, "buttons": None} for words in texts],
        "language": "zh",
        "facts": [],
        "tried": [],
        "nlu": [understood() for _ in range(count)],
        "handoff": None,
        "promises": [],
        "done": [],
    }
    return full | more


class ScriptedBot:
    """A server that speaks the bot's door as a test wants: to be slow, wrong, broken or repeat itself at will."""

    def __init__(self) -> None:
        self.turns: list[dict[str, Any]] = []
        self.resets: list[dict[str, Any]] = []
        self.meant: dict[str, str] = {}
        self.parses: list[dict[str, Any]] = []
        self.behave: Behaviour = self.echo
        self.calls: dict[str, dict[str, Any]] = {}  # for which texts the assessment calls a person, and how
        self.hears = True
        self.app = FastAPI()
        self.app.post("/webhooks/desk/turn")(self._turn)
        self.app.post("/webhooks/desk/parse")(self._parse)
        self.app.post("/webhooks/desk/reset")(self._reset)
        self.app.get("/webhooks/desk/health")(self._health)

    async def echo(self, body: dict[str, Any]) -> dict[str, Any]:
        """Answer with what was said, so that a test sees which messages made one turn."""
        said = "+".join(message.get("text") or message.get("payload") or "file" for message in body["messages"])
        return answer(f"echo {said}", body=body)

    async def _turn(self, request: Request) -> Any:
        body = await request.json()
        self.turns.append(body)
        return await self.behave(body)

    async def _parse(self, request: Request) -> Any:
        body = await request.json()
        if not self.hears:
            return JSONResponse({"error": {"code": "starting"}}, 503)
        self.parses.append(body)
        texts = {message["seq"]: message["text"] for message in body["messages"]}
        calls = [self.calls.get(texts[talk[-1]]) for talk in body["talks"]]
        return {
            "nlu": [understood(self.meant.get(one["text"], "device_problem"), "anxious") for one in body["messages"]],
            "facts": [],
            "tried": [],
            "handoffs": [
                call and {"evidence": [talk[-1]]} | call for talk, call in zip(body["talks"], calls, strict=True)
            ],
        }

    async def _reset(self, request: Request) -> Any:
        self.resets.append(await request.json())
        return {}

    async def _health(self) -> dict[str, str]:
        return {"status": "ok"}
