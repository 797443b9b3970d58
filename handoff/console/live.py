"""A page that stays in touch: calls from the browser, and news from the switchboard."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from nicegui import Client, ui
from pydantic import ValidationError

from handoff.agents.models import Agent
from handoff.agents.service import agent_view
from handoff.clock import iso, now
from handoff.console import access
from handoff.console.components import Bridge
from handoff.console.lists import Rows, Sight, difference
from handoff.console.pulse import Pulse
from handoff.console.switchboard import switchboard
from handoff.console.words import words
from handoff.database import DATABASE_AWAY
from handoff.errors import ApiError, invalid, unavailable
from handoff.principals import AgentCaller, identify
from handoff.realtime.hub import Event
from handoff.settings import settings

log = structlog.get_logger(__name__)
Handler = Callable[[AgentCaller, dict[str, Any]], Awaitable[Any]]


class LivePage:
    """One open page of one person. Subclasses name their `handlers`, `pulses` and lists, and hear events."""

    follows_the_bot = False
    shows_the_board = False

    def __init__(self, caller: AgentCaller, language: str, page: str, **state: Any) -> None:
        self.token, self.agent, self.language = caller.token, caller.agent, language
        self.handlers: dict[str, Handler] = {"ready": self.on_ready, "language": self.on_language}
        self.pulses: dict[str, Pulse] = {}
        self._shown: dict[str, Rows] = {}
        self._is_ready = False
        state |= {
            "language": language,
            "page": page,
            "pages": access.pages_of(caller.agent.role),
            "me": agent_view(caller.agent),
            "server_time": iso(now()),
            "polishes": bool(settings.llm_url),
            "lists": self._news_of_lists(),
        }
        self.bridge = Bridge(words(), state)
        self.bridge.on("call", self._call)
        switchboard.join(self)
        client: Client = ui.context.client
        client.on_delete(self.stop)

    @property
    def owner_key(self) -> str:
        """How conversations name this person as their owner."""
        return self.agent.owner_key

    @property
    def sight(self) -> Sight:
        """What this person may see of the line and of 待干预."""
        return Sight.of(self.agent)

    async def caller(self) -> AgentCaller:
        """Return the caller as the database knows them now; 401 when the login ended."""
        found = await identify(self.token)
        if not isinstance(found, AgentCaller):
            raise ApiError(401, "unauthenticated")
        self.renew(found.agent)
        return found

    def lists(self) -> dict[str, Rows]:
        """Return the lists that this page shows, by their names in the browser's store."""
        return {}

    def push(self, **topics: Any) -> None:
        """Put new values into the browser's store."""
        self.bridge.push(**topics)

    def mark(self, *names: str) -> None:
        """Ask for refreshes."""
        for name in names:
            self.pulses[name].mark()

    def show_lists(self) -> None:
        """Tell the browser what changed in the lists since it was told last."""
        news = self._news_of_lists()
        if news:
            self.push(lists=news)

    def _news_of_lists(self) -> dict[str, Any]:
        changed = {name: rows for name, rows in self.lists().items() if self._shown.get(name) is not rows}
        news = {name: difference(self._shown.get(name), rows) for name, rows in changed.items()}
        self._shown |= changed
        return news

    def tell_people(self, views: list[dict[str, Any]]) -> None:
        """Tell who came, left, or went on a break."""

    def renew(self, agent: Agent | None) -> None:
        """Take this page's person as the database knows them now; None when the login ended: back to the door."""
        if agent is None:
            self.push(login=access.LOGIN)
            return
        before, self.agent = self.agent, agent
        if agent_view(before) != agent_view(agent):
            self.push(me=agent_view(agent))
            self.show_lists()

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
            return self._refusal(invalid(error.errors()))
        except (KeyError, TypeError, ValueError):  # not what our own page sends
            return self._refusal(ApiError(422, "invalid"))
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
        """The browser is there: fill what did not come with the page."""
        if not self._is_ready:
            self._is_ready = True
            for pulse in self.pulses.values():
                pulse.start()
        self.mark(*self.pulses)
        switchboard.look_again(self)

    async def on_language(self, caller: AgentCaller, args: dict[str, Any]) -> None:
        """Switch the console's language; what the server wrote comes anew."""
        self.language = "en" if args["language"] == "en" else "zh"
        self.mark(*self.pulses)

    def hear(self, event: Event) -> None:
        """Mark what an event makes due; called only for what this page shows."""

    async def stop(self) -> None:
        """The page is gone: nothing of it stays behind."""
        switchboard.leave(self)
        for pulse in self.pulses.values():
            await pulse.stop()
