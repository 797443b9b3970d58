"""One ear for all open pages: what happens is told to the pages that show it, and to no others.

Two hundred people may have pages open on one desk, so an event costs a page nothing unless the page shows what changed,
and everything that several pages show is read once for all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import select, update

from handoff.agents.models import Agent, AgentSession
from handoff.agents.service import agent_view
from handoff.clock import now
from handoff.console import overview
from handoff.console.lists import Lists
from handoff.console.pulse import Pulse
from handoff.conversations.models import BOT
from handoff.database import DATABASE_AWAY
from handoff.desk import desk
from handoff.identifiers import hash_token
from handoff.realtime.hub import Event

if TYPE_CHECKING:
    from handoff.console.live import LivePage

log = structlog.get_logger(__name__)
LINE_PAUSE = 0.5
CONCERN_PAUSE = 2.0
HELD_PAUSE = 0.1
PEOPLE_PAUSE = 1.0
BOARD_PAUSE = 1.0
SIGN_OF_LIFE = 10.0


class Switchboard:
    """The pages that are open, and the lists they share; from the first page on it listens."""

    def __init__(self) -> None:
        self.lists = Lists()
        self._pages: set[LivePage] = set()
        self._showing: dict[str, set[LivePage]] = {}
        self._changed: set[str] = set()
        self._owners: set[str] = set()
        self._people: set[str] = set()
        self._pulses: dict[str, Pulse] = {}
        self._breathing: asyncio.Task[None] | None = None
        self._preparing = asyncio.Lock()
        self._is_stale = True

    async def prepare(self, agent: Agent) -> None:
        """Make sure that everything this person's page shows is read."""
        async with self._preparing:
            if self._breathing is None:
                self._start()
            if self._is_stale:
                await self.lists.read_line()
                await self.lists.read_concern()
                self._is_stale = False
            if agent.owner_key not in self.lists.held:
                await self.lists.read_held([agent.owner_key])

    def join(self, page: LivePage) -> None:
        """Tell this page what happens, until it leaves."""
        self._pages.add(page)

    def leave(self, page: LivePage) -> None:
        """The page is gone."""
        self._pages.discard(page)
        self.show(page, None)
        if all(other.owner_key != page.owner_key for other in self._pages):
            self.lists.drop_held(page.owner_key)

    def show(self, page: LivePage, conversation_id: str | None) -> None:
        """Note which conversation is open on the page."""
        for shown, pages in list(self._showing.items()):
            pages.discard(page)
            if not pages:
                del self._showing[shown]
        if conversation_id is not None:
            self._showing.setdefault(conversation_id, set()).add(page)

    def look_again(self, page: LivePage) -> None:
        """Read what this page shows anew, whatever was heard."""
        self._owners.add(page.owner_key)
        self.mark("line", "concern", "held")

    def mark(self, *names: str) -> None:
        """Ask for what many pages show to be read again."""
        for name in names:
            self._pulses[name].mark()

    def _start(self) -> None:
        self._pulses = {
            "line": Pulse(self._refresh_line, LINE_PAUSE),
            "concern": Pulse(self._refresh_concern, CONCERN_PAUSE),
            "held": Pulse(self._refresh_held, HELD_PAUSE),
            "people": Pulse(self._refresh_people, PEOPLE_PAUSE),
            "board": Pulse(self._refresh_board, BOARD_PAUSE),
        }
        for pulse in self._pulses.values():
            pulse.start()
        desk.hub.listen(self._hear)
        self._breathing = asyncio.create_task(self._breathe())

    async def _hear(self, event: Event) -> None:
        kind, conversation_id = event["kind"], event["conversation_id"]
        if not self._pages:
            self._is_stale = True
            return
        if kind == "missed":
            self._owners |= set(self.lists.held)
            self.mark("line", "concern", "held", "people", "board")
            for page in list(self._pages):
                page.hear(event)
            return
        for page in list(self._showing.get(conversation_id or "", ())):
            page.hear(event)
        if kind == "message":
            self._hear_message(event)
        elif kind == "read":
            self._changed.add(conversation_id or "")
            self.mark("held")
        elif kind == "queue":
            self.mark("line", "board")
            self._tell_designers(event)
        elif kind == "owner":
            self._owners |= {event["before"], event["owner"]} & set(self.lists.held)
            self.mark("line", "concern", "held", "board")
        elif kind == "presence":
            self._people.add(event["agent"])
            self.mark("people", "board")

    def _hear_message(self, event: Event) -> None:
        if event["owner"] in self.lists.held:
            self._changed.add(event["conversation_id"])
            self.mark("held")
        elif event["owner"] == BOT and event["sender"] == "bot":
            self.mark("concern", "board")
            self._tell_designers(event)

    def _tell_designers(self, event: Event) -> None:
        for page in self._pages:
            if page.follows_the_bot:
                page.hear(event)

    async def _refresh_line(self) -> None:
        await self.lists.read_line()
        self._show_lists(self._pages)

    async def _refresh_concern(self) -> None:
        await self.lists.read_concern()
        self._show_lists(self._pages)

    async def _refresh_held(self) -> None:
        owners, self._owners = self._owners & set(self.lists.held), set()
        changed, self._changed = self._changed, set()
        try:
            await self.lists.read_held(owners)
            owners |= await self.lists.read_some(changed)
        except DATABASE_AWAY:
            self._owners |= owners
            self._changed |= changed
            raise
        self._show_lists(page for page in self._pages if page.owner_key in owners)

    def _show_lists(self, pages: Iterable[LivePage]) -> None:
        for page in list(pages):
            page.show_lists()

    async def _refresh_people(self) -> None:
        """Tell pages whose presence changed, and send those away whose login ended with it."""
        people, self._people = self._people, set()
        await self._check([page for page in self._pages if page.agent.id in people])
        async with desk.database.read() as session:
            views = [agent_view(one) for one in await session.scalars(select(Agent).where(Agent.id.in_(people)))]
        for page in list(self._pages):
            page.tell_people(views)

    async def _refresh_board(self) -> None:
        pages = [page for page in self._pages if page.shows_the_board]
        if pages:
            board = await overview.board()
            for page in pages:
                page.push(board=board)

    async def _breathe(self) -> None:
        """An open page is a sign of life; a login that ended meanwhile leads back to the login."""
        while True:
            await asyncio.sleep(SIGN_OF_LIFE)
            try:
                found = await self._check(list(self._pages))
                async with desk.database.write() as session:
                    await session.execute(update(Agent).where(Agent.id.in_(found)).values(last_seen_at=now()))
            except DATABASE_AWAY as error:
                log.warning("sign_of_life_missed", error=type(error).__name__)

    async def _check(self, pages: list[LivePage]) -> set[str]:
        """Give each page its person as the database knows them now; returns the ids of who is still logged in."""
        tokens = {page: hash_token(page.token) for page in pages}
        query = (
            select(AgentSession.token_hash, Agent)
            .join(Agent, Agent.id == AgentSession.agent_id)
            .where(
                AgentSession.token_hash.in_(tokens.values()),
                AgentSession.revoked_at.is_(None),
                AgentSession.expires_at > now(),
            )
        )
        async with desk.database.read() as session:
            found = {token: agent for token, agent in await session.execute(query)}
        for page in pages:
            page.renew(found.get(tokens[page]))
        return {agent.id for agent in found.values()}


switchboard = Switchboard()
