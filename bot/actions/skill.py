"""The base of a skill's actions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher

from bot.actions import open_question, second_wish
from bot.actions.clients.shop import ShopError
from bot.actions.turn import Turn


class SkillAction(Action, ABC):
    """An action of a skill. When the shop fails, a person takes over: the customer is never left without an answer."""

    group: str = "care"

    @abstractmethod
    async def answer(self, turn: Turn) -> None:
        """Says and sets what this turn needs."""

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        """Runs `answer`; a shop that fails becomes a handoff."""
        turn = Turn(dispatcher, tracker)
        try:
            if not await open_question.answered(turn, self.name()):
                await self.answer(turn)
            if turn.alone and not turn.followed:
                second_wish.offer(turn)
        except ShopError:
            turn = Turn(dispatcher, tracker)
            dispatcher.messages.clear()
            turn.hand_over("bot_error", self.group, priority=2)
        turn.settle()
        return turn.events
