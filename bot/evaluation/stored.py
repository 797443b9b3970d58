"""What would have happened: stored conversations read again by the handoff policy with other settings.

The customers' words are read by the trained model; what the bot answered stays what it was. Nothing is sent or written.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from bot.actions.words import LANGUAGES, variations
from bot.evaluation.loaded import changed, load_bot, settings_of
from bot.policies.assessment import Assessment, Assessor
from bot.policies.told import PERSON_PAYLOAD, TurnTold, told
from bot.reading import Reader, Reading
from bot.wire import Attachment, DoorError, IncomingMessage

_BOT, _QUEUE = "bot", "queue"


@dataclass
class Stretch:
    """The turns between one fresh start of the bot and its end; how that end came, when the bot handed over.

    `reason` is None when the stretch ended otherwise; `by_score`: the score decided, not an action of the bot.
    """

    turns: list[TurnTold] = field(default_factory=list)
    reason: str | None = None
    by_score: bool = False

    @property
    def last_seq(self) -> int:
        """The customer's last message in the stretch."""
        return self.turns[-1].seqs[-1] if self.turns else 0


class Stored:
    """Conversations as `jieli export` writes them, told as the policy reads them."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def stretches(self, conversation: dict[str, Any]) -> list[Stretch]:
        """The bot's stretches of a conversation, in order; those without a word of the customer are left out."""
        handoffs = {one["created_at"]: one for one in conversation.get("handoffs") or []}
        found = [Stretch()]
        waiting: list[dict[str, Any]] = []
        owner = _BOT
        for kind, entry in _timeline(conversation):
            if kind == "event":
                self._tell(found[-1], waiting)
                if owner == _BOT and entry["to_owner"] == _QUEUE and entry["by"] == _BOT:
                    why = _nearest(handoffs, entry["created_at"])
                    found[-1].reason = entry["reason"]
                    found[-1].by_score = bool(((why or {}).get("explanation") or {}).get("signals"))
                if entry["to_owner"] == _BOT and owner != _BOT:
                    found.append(Stretch())
                owner = entry["to_owner"]
            elif owner == _BOT and entry["sender"] == "customer":
                waiting.append(entry)
            elif owner == _BOT and entry["sender"] == "bot":
                self._tell(found[-1], waiting)
                _answer(found[-1], entry)
        self._tell(found[-1], waiting)
        return [stretch for stretch in found if stretch.turns]

    def _tell(self, stretch: Stretch, waiting: list[dict[str, Any]]) -> None:
        """The customer's messages since the last answer are one turn."""
        readings = [reading for entry in waiting if (reading := self._read(entry))]
        waiting.clear()
        if readings:
            parse = self._reader.join(readings)
            stretch.turns.append(told([reading.seq for reading in readings], parse["text"], parse))

    def _read(self, entry: dict[str, Any]) -> Reading | None:
        message = IncomingMessage(seq=entry["seq"], text=entry["text"], payload=entry.get("payload"))
        if entry.get("attachment_id"):
            message.attachment = Attachment(name="file", type="application/octet-stream")
        if message.payload is None and not message.typed and message.attachment is None:
            return None
        try:
            return self._reader.read(message)
        except DoorError:  # a button of the desk's own, which the bot never sees
            return None


def _timeline(conversation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Messages and changes of owner in the order in which they happened: a change follows what was said before it."""
    entries = [("message", entry) for entry in conversation.get("messages") or []]
    entries += [("event", entry) for entry in conversation.get("events") or []]
    yield from sorted(entries, key=lambda pair: (pair[1]["created_at"], _order(*pair)))


def _order(kind: str, entry: dict[str, Any]) -> int:
    return 1 if kind == "event" else 0 if entry["sender"] == "customer" else 2


def _nearest(handoffs: dict[str, dict[str, Any]], moment: str) -> dict[str, Any] | None:
    later = sorted(time for time in handoffs if time >= moment)
    return handoffs[later[0]] if later else None


def _answer(stretch: Stretch, entry: dict[str, Any]) -> None:
    if not stretch.turns:
        return
    turn = stretch.turns[-1]
    turn.said.append(entry["text"])
    turn.offered |= any(button.get("payload") == PERSON_PAYLOAD for button in entry.get("buttons") or [])
    turn.failed |= entry["text"] in _questions_back()


@lru_cache(maxsize=1)
def _questions_back() -> frozenset[str]:
    """What the bot says when it did not understand."""
    names = ("utter_social/clarify", "utter_social/clarify_open")
    return frozenset(
        str(entry["text"]) for name in names for language in LANGUAGES for entry in variations(name, language)
    )


def first_handoff(assessor: Assessor, stretch: Stretch) -> tuple[int, Assessment] | None:
    """The customer's message at which these settings hand a stretch over, and why; None when they do not."""
    for end, turn in enumerate(stretch.turns, 1):
        assessment = assessor.assess_turns(stretch.turns[:end])
        if assessment.hands_over:
            return turn.seqs[-1], assessment
    return None


def difference(assessor: Assessor, conversation: str, stretch: Stretch) -> str | None:
    """What the settings change in one stretch, in a line; None when nothing."""
    would = first_handoff(assessor, stretch)
    now = f"at message {would[0]} for {would[1].handoff()['reason']} ({_signs(would[1])})" if would else ""
    if stretch.reason is None:
        return f"appears  {conversation}: {now}" if would else None
    was = f"at message {stretch.last_seq} for {stretch.reason}"
    if would is None:
        return f"vanishes {conversation}: {was}" if stretch.by_score else None
    if would[0] < stretch.last_seq or (stretch.by_score and would[1].handoff()["reason"] != stretch.reason):
        return f"moves    {conversation}: {was}; now {now}"
    return None


def _signs(assessment: Assessment) -> str:
    signs = " ".join(f"{sign['name']} {sign['weight']:g}" for sign in assessment.explanation()["signals"])
    return f"{assessment.score:.2f}: {signs}"


def conversations_in(path: Path) -> list[dict[str, Any]]:
    """The conversations of an export (`-` reads standard input); raises ValueError when it is none."""
    try:
        content = json.loads(sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8"))
        if not isinstance(content, list):
            raise TypeError
        return [conversation for customer in content for conversation in customer["conversations"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not what `jieli export` writes.") from error


async def run(options: argparse.Namespace) -> None:
    """Print what the settings of `options` would change in the conversations of a file."""
    desk = await load_bot(options.model, changed(settings_of(options.config), options.set))
    stored = Stored(desk.reader)
    found = [
        (str(conversation["id"]), stretch)
        for conversation in conversations_in(options.conversations)
        for stretch in stored.stretches(conversation)
    ]
    lines = [line for name, stretch in found if (line := difference(desk.assessor, name, stretch))]
    await desk.close()
    handed = sum(stretch.reason is not None for _, stretch in found)
    print(f"{len(found)} stretches with the bot, {handed} ended in a handoff of the bot's.")
    for line in sorted(lines):
        print(line)
    print(f"{len(lines)} changed." if lines else "Nothing would change.")
