"""Finding the customer whom a request is about: by any of our ids, by the company's, by phone or e-mail address."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.conversations.models import Conversation, Message
from handoff.customers.models import Customer
from handoff.privacy.finder import digits_of, fold
from handoff.summary.models import Fact

BATCH = 5000
SHORTEST_NUMBER = 7


async def find_customers(session: AsyncSession, words: str) -> list[Customer]:
    """Return the customers with this id (ours, the company's, a conversation's, an integration's sender).

    A phone number or e-mail address finds whoever wrote it or whose facts hold it, however it was spelled; that reads
    every message once, in batches.
    """
    words = words.strip()
    conversations = select(Conversation.customer_id).where(
        or_(Conversation.id == words, Conversation.external_sender == words)
    )
    known = or_(Customer.id == words, Customer.external_id == words, Customer.id.in_(conversations))
    found = list(await session.scalars(select(Customer).where(known).order_by(Customer.created_at)))
    if found:
        return found
    ids = await _who_wrote(session, words)
    query = select(Customer).join(Conversation, Conversation.customer_id == Customer.id)
    by_words = await session.scalars(query.where(Conversation.id.in_(ids)).distinct().order_by(Customer.created_at))
    return list(by_words)


async def _who_wrote(session: AsyncSession, words: str) -> set[str]:
    digits = digits_of(words)
    address = fold(words).casefold() if "@" in fold(words) else ""
    if not address and len(digits) < SHORTEST_NUMBER:
        return set()
    ids: set[str] = set()
    for table, column in ((Message, Message.text), (Fact, Fact.value)):
        last = 0
        while True:
            page = select(table.id, table.conversation_id, column).where(table.id > last).order_by(table.id)
            rows: list[Any] = list(await session.execute(page.limit(BATCH)))
            if not rows:
                break
            last = rows[-1][0]
            ids |= set(_matching(rows, digits, address))
    return ids


def _matching(rows: Iterable[Any], digits: str, address: str) -> Iterable[str]:
    for _, conversation_id, said in rows:
        if address:
            if address in fold(said).casefold():
                yield conversation_id
        elif digits in digits_of(said):
            yield conversation_id
