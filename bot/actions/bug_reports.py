"""Bug reports to the shop's R&D, and the promise of an answer that goes with each."""

from __future__ import annotations

from typing import Any

from bot.actions import dates, words
from bot.actions.clients.shop import shop
from bot.actions.turn import Turn

FACTS = ("device_model", "firmware_version", "app_version", "os", "os_version", "phone_model")
LONGEST_TITLE = 120
LONGEST_DESCRIPTION = 1000


async def file(turn: Turn, issue: dict[str, Any], facts: dict[str, str | None]) -> None:
    """Files the trouble with R&D, promises an answer with its time, and offers return or exchange meanwhile."""
    told = {name: value for name in FACTS if (value := facts.get(name) or turn.slot(name))}
    spoken = [text for text in issue["words"] if text]
    title = issue["title"]["zh"] if issue.get("title") else " ".join(spoken)[:LONGEST_TITLE] or issue["topic"]
    report = await shop().file_bug_report(
        {
            **told,
            "symptom": title,
            "description": ("\n".join(spoken) or title)[:LONGEST_DESCRIPTION],
            "tried": list(dict.fromkeys([*(turn.slot("tried") or []), *issue["given"]])),
            "conversation": turn.conversation,
        },
        key=f"{turn.turn_id}:bug_report",
    )
    issue["report"] = report["id"]
    due = dates.moment_in_languages(report["answer_due_at"])
    turn.append(
        "promises",
        {
            "kind": "bug_report",
            "reference": report["id"],
            "text": words.both("utter_devices/promise", reference=report["id"], due=due),
            "due_at": report["answer_due_at"],
        },
    )
    turn.say("utter_devices/reported", reference=report["id"], due=due[turn.language])


async def tell_again(turn: Turn, issue: dict[str, Any]) -> None:
    """The same trouble again after a report: R&D's answer when there is one, else how it stands."""
    report = await shop().bug_report(issue["report"])
    if report["status"] == "answered":
        turn.say("utter_devices/report_answered", reference=report["id"], answer=turn.local(report["answer"]))
    else:
        turn.say(
            "utter_devices/report_open",
            reference=report["id"],
            due=dates.moment(report["answer_due_at"], turn.language),
        )
