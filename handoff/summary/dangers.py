"""Dangers that the customer tells of: to life or body, from a device, of being cheated. They come before all else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from handoff.conversations.models import Message, Sender
from handoff.queue.models import Handoff, Reason
from handoff.summary.evidence import excerpt, fold
from handoff.summary.wording import patterns

PATTERNS = patterns("dangers.yml")
LONGEST_QUOTE = 120
DEVICE = "device"
FRAUD = "fraud"
# Nothing else in such a message is a wish: its writer may not want to live, or tells what a cheat wants.
ONLY_MATTER = ("life", FRAUD)
# Where nothing but a life counts: no word of orders and devices.
VITAL = ("life", "swallowed")


@dataclass(frozen=True)
class Danger:
    """A danger: its kind (an entry of `dangers.yml`, else `device`), the customer's words and the message."""

    kind: str
    quote: str
    seq: int


def dangers(messages: Iterable[Message], handoffs: Iterable[Handoff]) -> list[Danger]:
    """Return the dangers in customers' typed words, in order: those for which a person was called, and every fraud."""
    called = {seq for handoff in handoffs if handoff.reason == Reason.SAFETY for seq in _evidence(handoff)}
    found = []
    for message in messages:
        if message.sender != Sender.CUSTOMER or message.payload is not None or not message.text.strip():
            continue
        words = fold(message.text)
        kinds = [kind for kind, pattern in PATTERNS.items() if pattern.search(words)]
        if message.seq in called or FRAUD in kinds:
            kind = kinds[0] if kinds else DEVICE
            told = PATTERNS[kind].search(words) if kinds else None
            around = message.text[told.start() : told.end()] if told else None
            found.append(Danger(kind, excerpt(message.text, LONGEST_QUOTE, around), message.seq))
    return found


def _evidence(handoff: Handoff) -> list[int]:
    """Return the messages that speak of the danger; where the bot gave no signals, all that it named."""
    signals = (handoff.explanation or {}).get("signals") or []
    named = [seq for signal in signals if signal["reason"] == Reason.SAFETY for seq in signal["evidence"]]
    return named or handoff.evidence
