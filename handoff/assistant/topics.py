"""What a message is about, in the contract's own names of intents.

The bot tells given facts ("LM2611030042", "iOS 17") apart from wishes, as `inform`; the contract knows no such intent.
Who hears of the desk reads the topic in which the facts were given instead.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.conversations.models import Message, Sender, StoredMessage

TOPIC = "topic"
TALK = frozenset(
    {"greet", "thank", "goodbye", "affirm", "deny", "capabilities", "who_are_you", "chitchat", "out_of_scope"}
)
TOPICS = frozenset(
    {
        "track_order",
        "cancel_order",
        "change_address",
        "invoice",
        "delivery",
        "parcel_problem",
        "return_exchange",
        "refund",
        "warranty",
        "firmware_update",
        "device_problem",
        "product_advice",
        "request_human",
        "complain",
    }
)
RECENT = 20


def is_known(intent: str) -> bool:
    """Tell whether the contract names this intent, or one of which it is a finer kind."""
    return intent.partition("/")[0] in TALK | TOPICS


async def with_topic(session: AsyncSession, message: Message | StoredMessage, nlu: dict[str, Any]) -> dict[str, Any]:
    """Return what was understood of a message, with the running topic where the contract does not name its intent."""
    if is_known(nlu["intent"]):
        return nlu
    earlier = await session.scalars(
        select(Message.nlu)
        .where(
            Message.conversation_id == message.conversation_id,
            Message.seq < message.seq,
            Message.sender == Sender.CUSTOMER,
            Message.nlu.is_not(None),
        )
        .order_by(Message.seq.desc())
        .limit(RECENT)
    )
    intents = (str(one["intent"]) for one in earlier if one)
    topic = next((intent for intent in intents if intent.partition("/")[0] in TOPICS), None)
    return {**nlu, TOPIC: topic}


def told(nlu: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return what people and programs read of it: None where no topic runs that the contract could name."""
    if nlu is None:
        return None
    view = {key: value for key, value in nlu.items() if key != TOPIC}
    if is_known(nlu["intent"]):
        return view
    return {**view, "intent": nlu[TOPIC]} if nlu.get(TOPIC) else None
