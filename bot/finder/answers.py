"""What can be answered: every topic with an answer, a guide or a task, and every known issue; and how each is told."""

from __future__ import annotations

from bot.finder.known_issues import known_issues
from bot.nlu.lookups import symptom_titles

KNOWN = "known_issue/"
PROBLEM = "device_problem/"
# Intents that are heard or obeyed; no question asks for them.
NO_ANSWERS = frozenset(
    {
        "affirm",
        "chitchat",
        "complain",
        "deny",
        "goodbye",
        "greet",
        "inform",
        "nlu_fallback",
        "out_of_scope",
        "request_human",
        "thank",
    }
)


def is_answer(label: str) -> bool:
    """Is this full label a topic that a question can ask for?"""
    return label.partition("/")[0] not in NO_ANSWERS


def topic_of(answer: str) -> str:
    """The full label that an answer belongs to: a known issue's is its trouble."""
    if not answer.startswith(KNOWN):
        return answer
    issue = next(issue for issue in known_issues() if KNOWN + issue["id"] == answer)
    return PROBLEM + str(issue["topic"])


def told() -> list[tuple[str, str]]:
    """How the designers tell of answers, as (text, answer): titles of troubles, symptoms of known issues."""
    titles = [
        (text, PROBLEM + topic)
        for topic, title in symptom_titles().items()
        if topic != "other"
        for text in title.values()
    ]
    symptoms = [
        (text, KNOWN + issue["id"])
        for issue in known_issues()
        for texts in (issue.get("symptoms") or {}).values()
        for text in texts
    ]
    return [*titles, *symptoms]
