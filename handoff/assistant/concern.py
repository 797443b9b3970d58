"""How badly a bot conversation goes (待干预): 0 is fine, from `CONCERN_THRESHOLD` people should look."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.conversations.models import Conversation, Message, Sender
from handoff.settings import settings

RECENT = 5
HEAVY = {"angry": 50, "abusive": 60, "sarcastic": 40, "disappointed": 25, "anxious": 15}
NOT_UNDERSTOOD = {"out_of_scope", "nlu_fallback"}
GROUPS = {
    "orders": {
        "track_order",
        "cancel_order",
        "change_address",
        "invoice",
        "delivery",
        "parcel_problem",
        "return_exchange",
    },
    "tech": {"firmware_update", "device_problem", "warranty"},
}


async def concern_of(session: AsyncSession, conversation: Conversation) -> None:
    """Set the conversation's concern from the last customer messages, and the skill group that would help."""
    rows = list(
        await session.scalars(
            select(Message)
            .where(
                Message.conversation_id == conversation.id, Message.sender == Sender.CUSTOMER, Message.nlu.is_not(None)
            )
            .order_by(Message.seq.desc())
            .limit(RECENT)
        )
    )
    moods = [HEAVY.get(row.nlu["emotion"]["label"], 0) * row.nlu["emotion"]["score"] for row in rows if row.nlu]
    lost = sum(1 for row in rows if row.nlu and row.nlu["intent"] in NOT_UNDERSTOOD)
    conversation.concern = min(100, int(max(moods, default=0) + sum(moods) / 4 + 25 * lost))
    conversation.group_name = (
        next((found for row in rows if (found := _group(row))), None)
        or conversation.group_name
        or settings.default_group
    )


def _group(message: Message) -> str | None:
    base = (message.nlu or {}).get("intent", "").partition("/")[0]
    return next((group for group, intents in GROUPS.items() if base in intents), None)
