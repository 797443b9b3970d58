"""The running desk: the long-lived parts that everything shares, made once at start-up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handoff.customers.networks import Networks
from handoff.database import Database
from handoff.limits import Limits
from handoff.realtime.hub import Hub
from handoff.settings import settings

if TYPE_CHECKING:
    from handoff.assistant.client import BotClient
    from handoff.assistant.turns import Turns
    from handoff.assistant.whispers import Whispers


class Desk:
    """Holds the database, the hub, the limits, customers' networks, the bot's client, its turns, its whispers."""

    database: Database
    hub: Hub
    limits: Limits
    networks: Networks
    bot: BotClient
    turns: Turns
    whispers: Whispers

    def open(self) -> None:
        """Make the parts; nothing runs yet."""
        from handoff.assistant.client import BotClient
        from handoff.assistant.turns import Turns
        from handoff.assistant.whispers import Whispers

        self.database = Database(settings.database)
        self.hub = Hub(settings.redis_url)
        self.limits = Limits()
        self.networks = Networks()
        self.bot = BotClient(settings.bot_urls, settings.bot_token, settings.bot_timeout)
        self.turns = Turns(self)
        self.whispers = Whispers(self)

    async def close(self) -> None:
        """Let running turns end, then give everything back."""
        await self.turns.stop()
        await self.whispers.stop()
        await self.bot.close()
        await self.hub.stop()
        await self.database.close()


desk = Desk()
