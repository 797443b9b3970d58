"""What to ask when a message was not understood."""

from __future__ import annotations

from bot.actions import catalogue, words
from bot.actions.turn import LISTEN, SkillAction, Turn, payload

MOST_CHOICES = 3
NOT_OFFERED = frozenset(
    {"affirm", "deny", "inform", "complain", "greet", "thank", "goodbye", "chitchat", "out_of_scope"}
)


class Clarify(SkillAction):
    """Not understood: one question with what the message could have meant, to choose from."""

    def name(self) -> str:
        return "action_clarify"

    async def answer(self, turn: Turn) -> None:
        clarify(turn)
        # It is also Rasa's fallback, after which no rule says what comes next: without this it would be run again.
        turn.follow(LISTEN)


def clarify(turn: Turn) -> None:
    """Asks what was meant; a file without words is acknowledged instead."""
    if turn.attachments:
        turn.say("utter_social/attachment")
        return
    choices = [choice for label in turn.ranking if (choice := _choice(turn, label))]
    unique = list({choice["title"]: choice for choice in choices}.values())[:MOST_CHOICES]
    if len(unique) >= 2:
        turn.say("utter_social/clarify", buttons=unique)
    else:
        turn.say("utter_social/clarify_open")


def _choice(turn: Turn, label: str) -> dict[str, str] | None:
    """A button for a fine label, titled readably; None for what is no task."""
    intent, _, topic = label.partition("/")
    if intent in NOT_OFFERED:
        return None
    if intent == "device_problem":
        guide = catalogue.guides().get(topic)
        title = turn.local(guide["title"]) if guide else None
    else:
        name = f"topic_{label.replace('/', '_')}"
        title = turn.label(name) if words.knows(f"utter_label/{name}") else None
    if not title:
        return None
    return {"title": title, "payload": payload(intent, topic=label) if topic else payload(intent)}
