"""What people at work do with a conversation: speak, note, take over, pass on, give back, close."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.agents.models import Agent, Group, Role
from handoff.agents.rights import (
    CONCERN_THRESHOLD,
    may_read,
    needs_intervention,
    not_owner,
    oversees,
    owns,
    require_action,
    require_desk_role,
    require_overseer,
    serves,
)
from handoff.clock import iso, now
from handoff.conversations.models import (
    BOT,
    CLOSED,
    QUEUE,
    Conversation,
    Message,
    Note,
    OwnershipEvent,
    Rating,
    Sender,
    agent_of,
)
from handoff.conversations.ownership import change_owner
from handoff.conversations.schemas import conversation_view
from handoff.conversations.service import Conversations, Said
from handoff.customers.models import Customer
from handoff.database import after_commit
from handoff.desk import desk
from handoff.errors import ApiError, fields_at_fault
from handoff.locales import text
from handoff.privacy.masking import preview
from handoff.queue.models import Handoff, Reason, State
from handoff.queue.service import Queue, handoff_view

PAGE = 50
EARLIER = 20
PREVIEW = 200
TAG = 4
SAME_NOTE = timedelta(minutes=10)


class Work:
    """One person's work within one transaction; conversations are passed in locked."""

    def __init__(self, session: AsyncSession, agent: Agent) -> None:
        self.session, self.agent = session, agent

    async def say(self, conversation: Conversation, said: Said) -> Message:
        """Reply to the customer; 409 `not_owner` unless this person owns the conversation."""
        if not owns(self.agent, conversation):
            raise not_owner(self.agent, conversation)
        if said.payload is not None:
            raise ApiError(422, "text_or_payload")
        desk.limits.agent("messages", self.agent.id)
        conversation.agent_read_seq = conversation.last_seq
        return await Conversations(self.session).append(
            conversation, Sender.AGENT, said.text, sender_name=self.agent.name, sender_id=self.agent.id, said=said
        )

    async def note(self, conversation: Conversation, words: str) -> Note:
        """Leave an internal note; the same words again within a moment are a repeated request, and stored once."""
        last = await self.session.scalar(
            select(Note).where(Note.conversation_id == conversation.id).order_by(Note.id.desc()).limit(1)
        )
        if last and (last.author, last.text) == (self.agent.owner_key, words) and now() - last.created_at < SAME_NOTE:
            return last
        note = Note(
            conversation_id=conversation.id,
            after_seq=conversation.last_seq,
            author=self.agent.owner_key,
            author_name=self.agent.name,
            text=words,
            created_at=now(),
        )
        self.session.add(note)
        await self.session.flush()
        after_commit(self.session, lambda: desk.hub.publish("note", conversation.id))
        return note

    async def take_over(self, conversation: Conversation) -> None:
        """Become the owner: of a bot's or waiting conversation of an own group, or, for overseers, of any open one."""
        require_desk_role(self.agent)
        if owns(self.agent, conversation):
            return
        agent = await self.session.get_one(Agent, self.agent.id)
        if conversation.owner not in {QUEUE, BOT} or not serves(agent, conversation.group_name):
            require_overseer(agent)
        if conversation.owner == CLOSED:
            raise ApiError(409, "closed")
        await Queue(self.session).seat(agent, off_duty=oversees(agent))
        await Queue(self.session).finish(conversation)
        await Queue(self.session).leave_line(conversation, State.CLAIMED, agent)
        await Conversations(self.session).close_buttons(conversation)
        flagged = not serves(agent, conversation.group_name) or conversation.agent_id is not None
        reason = Reason.SUPERVISOR if oversees(agent) else "took_over"
        change_owner(self.session, conversation, agent.owner_key, by=agent.owner_key, reason=reason, flagged=flagged)
        await Queue(self.session).greet(conversation, agent)

    async def release(self, conversation: Conversation) -> None:
        """Give the conversation back to the bot, with an end mark; the bot forgets the old trouble."""
        flagged = require_action(self.agent, conversation)
        if not conversation.agent_id:
            raise ApiError(409, "not_owner")
        await Queue(self.session).finish(conversation)
        conversation.reset_pending = True
        change_owner(self.session, conversation, BOT, by=self.agent.owner_key, reason="released", flagged=flagged)
        await self._system(conversation, "desk.released", name=self.agent.name)

    async def resolve(self, conversation: Conversation, outcome: str, note: str | None) -> None:
        """Close the conversation; 409 `closed` when it already is."""
        flagged = require_action(self.agent, conversation)
        if conversation.owner == CLOSED:
            raise ApiError(409, "closed")
        await Queue(self.session).leave_line(conversation, State.DONE)
        await Queue(self.session).finish(conversation)
        await Conversations(self.session).close_buttons(conversation)
        if note:
            await self.note(conversation, note)
        conversation.outcome, conversation.closed_at = outcome, now()
        change_owner(
            self.session, conversation, CLOSED, by=self.agent.owner_key, reason=outcome, note=note, flagged=flagged
        )
        await self._system(conversation, "desk.resolved" if conversation.asks_for_rating else "desk.resolved_unrated")

    async def transfer_to_group(self, conversation: Conversation, group: str, note: str) -> None:
        """Put the conversation into another group's line; overseers may do so with the bot's and waiting ones too."""
        flagged = require_action(self.agent, conversation)
        if await self.session.get(Group, group) is None:
            raise ApiError(404, "no_such_group")
        if conversation.owner == CLOSED:
            raise ApiError(409, "closed")
        await Queue(self.session).finish(conversation)
        await Queue(self.session).leave_line(conversation, State.DONE)
        await self._leave_note(conversation, note)
        await Queue(self.session).enqueue(
            conversation,
            Reason.TRANSFERRED if conversation.agent_id else Reason.SUPERVISOR,
            by=self.agent.owner_key,
            group=group,
            note=note or None,
            flagged=flagged,
        )

    async def transfer_to_agent(self, conversation: Conversation, colleague: Agent, note: str) -> None:
        """Give the conversation to a colleague who is on duty and has room."""
        flagged = require_action(self.agent, conversation)
        if colleague.role == Role.DESIGNER:
            raise ApiError(404, "no_such_agent")
        if conversation.owner == CLOSED:
            raise ApiError(409, "closed")
        if owns(colleague, conversation):
            details = {"by": colleague.name}
            raise ApiError(409, "already_claimed", details, wording="colleague_has_it", name=colleague.name)
        await self._seat(colleague)
        await self._leave_note(conversation, note)
        await Queue(self.session).leave_line(conversation, State.CLAIMED, colleague)
        change_owner(
            self.session,
            conversation,
            colleague.owner_key,
            by=self.agent.owner_key,
            reason=Reason.TRANSFERRED,
            note=note or None,
            flagged=flagged,
        )
        await Queue(self.session).greet(conversation, colleague)

    async def _seat(self, colleague: Agent) -> None:
        """Seat a colleague; the refusals are those of `Queue.seat`, in words for who passes the conversation on."""
        try:
            await Queue(self.session).seat(colleague)
        except ApiError as error:
            if colleague.id == self.agent.id:
                raise
            wording = f"colleague_{error.code}"
            raise ApiError(409, error.code, error.details, wording=wording, name=colleague.name) from None

    async def _leave_note(self, conversation: Conversation, note: str) -> None:
        if note:
            await self.note(conversation, note)

    async def _system(self, conversation: Conversation, key: str, **values: object) -> None:
        language = conversation.reading_language
        await Conversations(self.session).append(
            conversation, Sender.SYSTEM, text(key, language, **values), sender_name=text("desk.system", language)
        )

    async def search(self, owner: str | None, words: str | None, after: str | None, concern: bool) -> dict[str, Any]:
        """Return a page of conversations, newest first, with the customer's name and the last message.

        `owner`: `bot`, `queue`, `closed`, `me`, `agent` (anybody) or `agent:<id>`; 422 for anything else.
        """
        require_desk_role(self.agent)
        if owner and owner not in {BOT, QUEUE, CLOSED, "me", "agent"} and not agent_of(owner):
            raise fields_at_fault(owner="owner_filter")
        query = (
            select(Conversation)
            .where(self._visible())
            .order_by(Conversation.updated_at.desc(), Conversation.id)
            .limit(PAGE + 1)
        )
        if owner:
            mine = self.agent.owner_key if owner == "me" else owner
            query = query.where(
                Conversation.owner.startswith("agent:") if owner == "agent" else Conversation.owner == mine
            )
        if concern:
            query = query.where(Conversation.owner == BOT, Conversation.concern >= CONCERN_THRESHOLD)
        if words:
            pattern = "%" + words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
            spoken = select(Message.id).where(
                Message.conversation_id == Conversation.id, Message.text.ilike(pattern, escape="\\")
            )
            named = select(Customer.id).where(
                Customer.id == Conversation.customer_id, Customer.name.ilike(pattern, escape="\\")
            )
            query = query.where(or_(spoken.exists(), named.exists(), Conversation.id == words, _tagged(words)))
        if after:
            last = await self.session.get(Conversation, after)
            if last is None:
                raise fields_at_fault(after="unknown")
            query = query.where(
                or_(
                    Conversation.updated_at < last.updated_at,
                    and_(Conversation.updated_at == last.updated_at, Conversation.id > last.id),
                )
            )
        rows = list(await self.session.scalars(query))
        items = [{**conversation_view(row), **await self.row(row)} for row in rows[:PAGE]]
        return {"items": items, "next": rows[PAGE - 1].id if len(rows) > PAGE else None}

    def _visible(self) -> ColumnElement[bool]:
        if oversees(self.agent):
            return Conversation.id.is_not(None)
        if self.agent.role != Role.AGENT:
            return false()
        groups = Conversation.group_name.in_(self.agent.group_names)
        waiting = or_(
            Conversation.owner == QUEUE, and_(Conversation.owner == BOT, Conversation.concern >= CONCERN_THRESHOLD)
        )
        closed_by_me = and_(Conversation.owner == CLOSED, Conversation.last_agent_id == self.agent.id)
        return or_(Conversation.owner == self.agent.owner_key, closed_by_me, and_(waiting, groups))

    async def is_earlier(self, conversation: Conversation) -> bool:
        """Tell whether this is an earlier conversation of a customer whose later one this person may read."""
        later = (
            select(Conversation.id)
            .where(
                Conversation.customer_id == conversation.customer_id, Conversation.created_at > conversation.created_at
            )
            .where(self._visible())
        )
        return conversation.owner == CLOSED and await self.session.scalar(later.limit(1)) is not None

    async def row(self, conversation: Conversation) -> dict[str, Any]:
        """Return the customer's name, the last message, and what is unread, for a list."""
        customer = await self.session.get_one(Customer, conversation.customer_id)
        last = await self.session.scalar(
            select(Message).where(Message.conversation_id == conversation.id, Message.seq == conversation.last_seq)
        )
        return {
            "customer": {"id": customer.id, "name": customer.name, "external_id": customer.external_id},
            "last_message": {
                "sender": last.sender,
                "text": preview(last.text, PREVIEW, conversation.reading_language),
                "created_at": iso(last.created_at),
            }
            if last
            else None,
            "unread": max(0, conversation.last_customer_seq - conversation.agent_read_seq),
            "needs_intervention": needs_intervention(conversation),
        }

    async def surroundings(self, conversation: Conversation) -> dict[str, Any]:
        """Return who the customer is, the handoff at hand, and the customer's earlier conversations."""
        earlier = await self.session.scalars(
            select(Conversation)
            .where(
                Conversation.customer_id == conversation.customer_id, Conversation.created_at < conversation.created_at
            )
            .order_by(Conversation.created_at.desc())
            .limit(EARLIER)
        )
        handoff = await self.session.scalar(
            select(Handoff)
            .where(Handoff.conversation_id == conversation.id)
            .order_by(Handoff.arrival.desc())
            .limit(1)
        )
        rating = await self.session.scalar(
            select(Rating).where(Rating.conversation_id == conversation.id).order_by(Rating.stretch.desc()).limit(1)
        )
        view = (
            handoff_view(handoff, await Queue(self.session).position(handoff), conversation.reading_language)
            if handoff
            else None
        )
        mine = may_read(self.agent, conversation)
        return {
            **await self.row(conversation),
            "handoff": view,
            "rating": {"score": rating.score, "comment": rating.comment} if rating else None,
            "earlier": [
                {"id": row.id, "owner": row.owner, "created_at": iso(row.created_at), "outcome": row.outcome}
                for row in earlier
                if mine
            ],
        }

    async def events(self, conversation: Conversation) -> list[OwnershipEvent]:
        """Return the audit, oldest first."""
        return list(
            await self.session.scalars(
                select(OwnershipEvent)
                .where(OwnershipEvent.conversation_id == conversation.id)
                .order_by(OwnershipEvent.id)
            )
        )

    async def notes(self, conversation: Conversation) -> list[Note]:
        """Return the internal notes, oldest first."""
        return list(
            await self.session.scalars(select(Note).where(Note.conversation_id == conversation.id).order_by(Note.id))
        )


def _tagged(words: str) -> ColumnElement[bool]:
    """Match the few letters of the id by which lists tell anonymous customers apart."""
    letters = func.lower(func.replace(func.replace(Conversation.id, "-", ""), "_", ""))
    return letters.endswith(words.lower(), autoescape=True) if len(words) == TAG else false()
