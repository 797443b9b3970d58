"""What to ask when a message was not understood, and what else to offer when it was only likely understood."""

from __future__ import annotations

from bot.actions import catalogue, words
from bot.actions.skill import SkillAction
from bot.actions.turn import LISTEN, Turn, payload
from bot.finder.answers import is_answer, topic_of

MOST_CHOICES = 3
OTHERS = 2
ACTION = "action_clarify"


class Clarify(SkillAction):
    """Not understood: one question with what the message could have meant, to choose from."""

    def name(self) -> str:
        return ACTION

    async def answer(self, turn: Turn) -> None:
        clarify(turn)
        # It is also Rasa's fallback, after which no rule says what comes next: without this it would be run again.
        turn.follow(LISTEN)


def clarify(turn: Turn) -> None:
    """Asks what was meant, the second time in other words and with a person; a bare file is acknowledged instead."""
    if turn.attachments:
        turn.say("utter_social/attachment")
        return
    choices = _choices(turn, [*turn.answers, *turn.ranking])[:MOST_CHOICES]
    if turn.times(ACTION):
        turn.say("utter_social/clarify_again", buttons=[*choices, turn.button("person", "/request_human")])
    elif len(choices) >= 2:
        turn.say("utter_social/clarify", buttons=choices)
    else:
        turn.say("utter_social/clarify_open")


def title_of(turn: Turn, label: str) -> str | None:
    """The short name of a topic; None for one that has none, or that cannot be asked for."""
    intent, _, topic = label.partition("/")
    if not is_answer(label):
        return None
    if intent == "device_problem":
        guide = catalogue.guides().get(topic)
        return turn.local(guide["title"]) if guide else None
    name = f"topic_{label.replace('/', '_')}"
    return turn.label(name) if words.knows(f"utter_label/{name}") else None


def as_guess(turn: Turn, topic: str, said: words.Words) -> tuple[words.Words, list[words.Button]]:
    """An answer that is only likely the right one: it says what was understood and offers what else it could be."""
    title = title_of(turn, topic)
    if not turn.doubtful or not title:
        return said, []
    own = topic_of(topic)
    others = _choices(turn, [answer for answer in turn.answers if topic_of(answer) != own])[:OTHERS]
    if not others:
        return said, []
    return words.Words(turn.label("guess", title=title, text=said.text), said.buttons), others


def _choices(turn: Turn, answers: list[str]) -> list[words.Button]:
    """Buttons for answers, one for each topic."""
    topics = dict.fromkeys(topic_of(answer) for answer in answers)
    return [
        {"title": title, "payload": payload(topic.partition("/")[0], **({"topic": topic} if "/" in topic else {}))}
        for topic in topics
        if (title := title_of(turn, topic))
    ]
