"""A page that stays in touch: calls from the browser, news from the hub, signs of life."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from nicegui import Client, ui
from pydantic import ValidationError

from handoff.agents.service import agent_view
from handoff.clock import iso, now
from handoff.console import access
from handoff.console.components import Bridge
from handoff.console.pulse import Pulse
from handoff.console.words import words
from handoff.conversations.endpoints import invalid
from handoff.database import DATABASE_AWAY
from handoff.desk import desk
from handoff.errors import ApiError, unavailable
from handoff.principals import AgentCaller, identify
from handoff.realtime.hub import Event

log = structlog.get_logger(__name__)
SIGN_OF_LIFE = 10.0
Handler = Callable[[AgentCaller, dict[str, Any]], Awaitable[Any]]


class LivePage:
    """One open page of one person. Subclasses name their `handlers` and `pulses`, and hear the hub's events."""

    def __init__(self, caller: AgentCaller, language: str, page: str) -> None:
        self.token, self.agent_id, self.language = caller.token, caller.agent.id, language
        self.handlers: dict[str, Handler] = {
            "ready": self.on_ready,
            "language": self.on_language,
        }
        self.pulses: dict[str, Pulse] = {}
        self._unlisten: Callable[[], None] | None = None
        self._breathing: asyncio.Task[None] | None = None
        state = {
            "language": language,
            "page": page,
            "pages": access.pages_of(caller.agent.role),
            "me": agent_view(caller.agent),
            "server_time": iso(now()),
        }
        self.bridge = Bridge(words(), state)
        self.bridge.on("call", self._call)
        client: Client = ui.context.client
        client.on_delete(self.stop)

    async def caller(self) -> AgentCaller:
        """Return the caller as the database knows them now; 401 when the login ended."""
        found = await identify(self.token)
        if not isinstance(found, AgentCaller):
            raise ApiError(401, "unauthenticated")
        return found

    def push(self, **topics: Any) -> None:
        """Put new values into the browser's store."""
        self.bridge.push(**topics)

    def mark(self, *names: str) -> None:
        """Ask for refreshes."""
        for name in names:
            self.pulses[name].mark()

    async def _call(self, event: Any) -> None:
        number, name, args = event.args["number"], event.args["name"], event.args.get("args") or {}
        self.bridge.answer(number, await self._answer(str(name), args))

    async def _answer(self, name: str, args: dict[str, Any]) -> dict[str, Any]:
        try:
            handler = self.handlers.get(name)
            if handler is None:
                raise ApiError(404, "not_found")
            return {"ok": True, "data": await handler(await self.caller(), args)}
        except ApiError as error:
            return self._refusal(error)
        except ValidationError as error:
            return self._refusal(invalid(error))
        except DATABASE_AWAY:
            return self._refusal(unavailable())
        except Exception:  # the person must hear that it did not work
            log.exception("console_call_failed", call=name)
            return self._refusal(ApiError(500, "internal"))

    def _refusal(self, error: ApiError) -> dict[str, Any]:
        if error.status == 401:
            self.push(login=access.LOGIN)
        return {"ok": False, "status": error.status, **error.body(self.language)}

    async def on_ready(self, caller: AgentCaller, args: dict[str, Any]) -> None:
        """The browser is there: begin to listen, and fill the page."""
        if self._unlisten is None:
            for pulse in self.pulses.values():
                pulse.start()
            self._unlisten = desk.hub.listen(self._listen)
            self._breathing = asyncio.create_task(self._breathe())
        self.mark(*self.pulses)

    async def on_language(self, caller: AgentCaller, args: dict[str, Any]) -> None:
        """Switch the console's language; what the server wrote comes anew."""
        self.language = "en" if args["language"] == "en" else "zh"
        self.mark(*self.pulses)

    async def _listen(self, event: Event) -> None:
        if event["kind"] == "missed":
            self.mark(*self.pulses)
        else:
            await self.hear(event)

    async def hear(self, event: Event) -> None:
        """Mark what an event makes due; called for every event of the desk, so it must be quick."""
        raise NotImplementedError

    async def _breathe(self) -> None:
        """An open page is a sign of life; a login that ended meanwhile leads back to the login."""
        while True:
            await asyncio.sleep(SIGN_OF_LIFE)
            try:
                self.push(me=agent_view((await self.caller()).agent))
            except DATABASE_AWAY:
                log.warning("sign_of_life_missed")
            except ApiError:
                self.push(login=access.LOGIN)
                return

    async def stop(self) -> None:
        """The page is gone: nothing of it stays behind."""
        if self._unlisten is not None:
            self._unlisten()
        if self._breathing is not None:
            self._breathing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._breathing
        for pulse in self.pulses.values():
            await pulse.stop()
