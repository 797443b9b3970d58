"""The closing note: problem, cause, solution and the promises that are left, written from the same evidence."""

from __future__ import annotations

from handoff.conversations.models import Sender
from handoff.locales import text
from handoff.summary.designers import match, trouble
from handoff.summary.gist import gist, lines
from handoff.summary.labels import moment
from handoff.summary.record import Record
from handoff.summary.speech import problem_text


def closing_note(record: Record, language: str) -> str:
    """Return the note, one line for each part that the conversation tells of."""
    told = gist(lines(record.matter), language)
    solved = [sentence.text for sentence in told if sentence.by == Sender.AGENT]
    solved = solved or [sentence.text for sentence in told if sentence.by == Sender.BOT]
    parts = [
        ("problem", problem_text(record, language)),
        ("cause", _cause(record, language)),
        ("solution", solved[-1] if solved else ""),
        ("promises", text("summary.semicolon", language).join(_left(record, language))),
    ]
    return "\n".join(text(f"summary.closing_{name}", language, words=words) for name, words in parts if words)


def _cause(record: Record, language: str) -> str:
    """Return the cause that the matching known issue names; nothing where no fact makes it certain."""
    data = trouble()
    topic = data.topic_of(record.symptom.value) if record.symptom else None
    known = match(data, topic, {name: fact.value for name, fact in record.latest.items()}) if topic else None
    return str(known.issue["cause"][language]) if known and not known.unknown else ""


def _left(record: Record, language: str) -> list[str]:
    """Return the promises still to be kept, with their time where one was named."""
    left = []
    for promise in record.promises:
        if promise.state in {"open", "broken"}:
            words = promise.text_en if language == "en" else promise.text_zh
            left.append(
                text("summary.closing_due", language, words=words, due=moment(promise.due_at, record, language))
            )
    accounted = {promise.seq for promise in record.promises}
    left += [pledge.quote for pledge in record.pledges if pledge.seq not in accounted and not pledge.told]
    return left
