"""What customers say while they wait: a graver reason moves them up, danger is advised on, who asks hears the wait."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import structlog
from sqlalchemy import func, select

from handoff.agents.models import Group
from handoff.assistant.client import BotHandoff
from handoff.clock import now
from handoff.conversations.models import BOT, CLOSED, QUEUE, Conversation, Message, OwnershipEvent, Sender
from handoff.conversations.ownership import change_owner
from handoff.conversations.service import CANCEL_HANDOFF, Conversations
from handoff.locales import both, text
from handoff.queue.announcement import announce, standing
from handoff.queue.hours import opens_at
from handoff.queue.leaving import asks_about_wait, wants_to_leave
from handoff.queue.models import CARE_MATTERS, GRAVE, PRIORITY, Handoff, Reason, State
from handoff.queue.service import Queue

log = structlog.get_logger(__name__)


class Waiting(Queue):
    """The waiting line, for what is said by those who stand in it. Conversations are locked by the caller."""

    async def heed(self, conversation: Conversation, wish: BotHandoff) -> None:
        """Act on a message for which the bot would hand over, if the customer waits; doing so again changes nothing.

        A graver reason than the present one labels the handoff anew and moves it up. In a danger that was not told of
        before in this matter, the customer hears at once what to do.
        """
        handoff = await self.open_handoff(conversation.id)
        if handoff is None or wish.reason not in GRAVE:
            return
        if _is_graver(wish, handoff):
            await self._label_anew(conversation, handoff, wish)
        if wish.reason == Reason.SAFETY:
            advice = {str(language): words for language, words in (wish.advice or {}).items()}
            await self._advise(conversation, handoff, {**both("queue.understood_safety"), **advice})

    async def note(self, conversation: Conversation, seq: int, words: str) -> None:
        """Tell once a wait how it stands to who asks, and once how to leave to who no longer wants to wait."""
        handoff = await self.open_handoff(conversation.id)
        if handoff is None:
            return
        said = await self._notices(conversation, handoff.created_at)
        leaves = wants_to_leave(words)
        if not leaves and not asks_about_wait(words):
            return
        key = "queue.noted_leaving" if leaves else "queue.noted"
        if not said or seq < said[0][0] or _holds(said, both(key)) or (len(said) > 1 and not leaves):
            return
        language = conversation.reading_language
        place = standing(await self.place(handoff), await self._group(handoff.group_name), language)
        await self._notify(conversation, "\n".join([text(key, language), place]), offer_to_leave=leaves)

    async def _label_anew(self, conversation: Conversation, handoff: Handoff, wish: BotHandoff) -> None:
        before = handoff.group_name
        await self._move(handoff, await self._group(wish.group if wish.reason in CARE_MATTERS else before))
        handoff.reason, handoff.priority = wish.reason, min(handoff.priority, _priority_of(wish))
        handoff.evidence = [seq for seq in wish.evidence if 0 < seq <= conversation.last_seq]
        handoff.explanation = wish.explanation.model_dump(mode="json") if wish.explanation else None
        conversation.group_name = handoff.group_name
        change_owner(self.session, conversation, QUEUE, by="system", reason=wish.reason)
        await self.session.flush()
        log.info("moved_up", conversation=conversation.id, reason=str(wish.reason), priority=handoff.priority)
        for group in {before, handoff.group_name}:
            self._tell(group)

    async def _move(self, handoff: Handoff, group: Group) -> None:
        """Put a handoff into a group's line, unless that opens later than the one in which it stands."""
        # One after the other, or two customers would be told the same rank.
        await self.session.refresh(group, with_for_update={"key_share": True})
        closed_until = opens_at(group, now())
        if closed_until and (handoff.opens_at is None or closed_until > handoff.opens_at):
            return
        handoff.group_name, handoff.opens_at = group.name, closed_until
        handoff.state = State.TICKET if closed_until else State.WAITING

    async def _advise(self, conversation: Conversation, handoff: Handoff, advice: Mapping[str, str]) -> None:
        if _holds(await self._notices(conversation, await self._with_people_since(conversation)), advice):
            return
        language = conversation.reading_language
        place, group = await self.place(handoff), await self._group(handoff.group_name)
        await self._notify(conversation, announce(Reason.SAFETY, place, group, language, advice[language]))

    async def _notify(self, conversation: Conversation, words: str, *, offer_to_leave: bool = False) -> None:
        language = conversation.reading_language
        button = {"title": text("queue.give_up", language), "payload": CANCEL_HANDOFF}
        await Conversations(self.session).append(
            conversation,
            Sender.SYSTEM,
            words,
            sender_name=text("desk.system", language),
            buttons=[button] if offer_to_leave else None,
        )

    async def _notices(self, conversation: Conversation, since: datetime) -> list[tuple[int, str]]:
        """Return what the desk itself has told the customer from a time on, with the messages' numbers."""
        rows = await self.session.execute(
            select(Message.seq, Message.text)
            .where(
                Message.conversation_id == conversation.id,
                Message.sender == Sender.SYSTEM,
                Message.created_at >= since,
            )
            .order_by(Message.seq)
        )
        return [(seq, words) for seq, words in rows]

    async def _with_people_since(self, conversation: Conversation) -> datetime:
        """Return when the conversation was last taken from the bot, or opened."""
        before = await self.session.scalar(
            select(func.max(OwnershipEvent.created_at)).where(
                OwnershipEvent.conversation_id == conversation.id, OwnershipEvent.to_owner.in_([BOT, CLOSED])
            )
        )
        return before or conversation.created_at


def _priority_of(wish: BotHandoff) -> int:
    return wish.priority or PRIORITY[wish.reason]


def _is_graver(wish: BotHandoff, handoff: Handoff) -> bool:
    """Tell whether the bot's wish weighs more than the reason for which somebody waits already."""
    if _priority_of(wish) != handoff.priority:
        return _priority_of(wish) < handoff.priority
    if wish.reason == Reason.SAFETY:
        return handoff.reason != Reason.SAFETY
    present = next((reason for reason in GRAVE if reason == handoff.reason), None)
    return present is not None and GRAVE.index(wish.reason) < GRAVE.index(present)


def _holds(said: list[tuple[int, str]], words: Mapping[str, str]) -> bool:
    """Tell whether one of the messages has these words, in any language."""
    return any(one in message for _, message in said for one in words.values())
