"""What to do next, each with its source: promises first, then what the designers know of the trouble, then advice."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from handoff.clock import now
from handoff.conversations.models import Sender
from handoff.locales import LANGUAGES, text
from handoff.queue.models import Reason
from handoff.summary import mood
from handoff.summary.corrections import called_wrong
from handoff.summary.designers import Match, Trouble, already_updated, match, trouble
from handoff.summary.hopes import Hope
from handoff.summary.labels import moment, order_state, readable
from handoff.summary.record import Record, intent
from handoff.summary.speech import problem

ADVICE = Path(__file__).with_name("advice.yml")
MOST_STEPS = 5
ORDER_HOPES = {"delivery", "cancel", "address", "invoice", "parcel_right", "refund", "return", "exchange"}
OPENINGS = ("angry", "abusive", "disappointed", "sarcastic", "anxious")


@dataclass(frozen=True)
class Step:
    """One proposal and what it rests on: a message, a promise, a known issue, a guide or the designers' advice."""

    text: str
    source: dict[str, Any]


@cache
def advice() -> dict[str, dict[str, dict[str, str]]]:
    """Return the designers' advice: `reasons`, `moods` and `hopes`."""
    return yaml.safe_load(ADVICE.read_text(encoding="utf8"))


def next_steps(record: Record, wished: list[Hope], language: str) -> list[dict[str, Any]]:
    """Return at most five steps, the most urgent first; nothing that was tried already or called wrong."""
    steps = _steps(record, wished, language)
    wrong = called_wrong("next_steps", record.corrections)
    if wrong:
        others = [_steps(record, wished, one) for one in LANGUAGES]
        steps = [
            step for step, *same in zip(steps, *others, strict=False) if wrong.isdisjoint(one.text for one in same)
        ]
    return [{"text": step.text, "source": step.source} for step in steps[:MOST_STEPS]]


def _steps(record: Record, wished: list[Hope], language: str) -> list[Step]:
    steps = [
        *_first(record, language),
        *_promised(record, language),
        *_cure(record, language),
        *_order(record, wished, language),
        *_wishes(wished, language),
        *_reason(record, language),
    ]
    unique: dict[str, Step] = {}
    for step in steps:
        unique.setdefault(step.text, step)
    return list(unique.values())


def _first(record: Record, language: str) -> list[Step]:
    """What comes before everything: safety, then the customer's feelings."""
    if record.handoff is not None and record.handoff.reason == Reason.SAFETY:
        return _reason(record, language)
    feeling = mood.emotion(record.said_by_customer)
    if feeling["label"] not in OPENINGS:
        return []
    seq = next(felt["seq"] for felt in reversed(feeling["course"]) if felt["label"] == feeling["label"])
    return [_advised("moods", feeling["label"], language, seq)]


def _promised(record: Record, language: str) -> list[Step]:
    steps = []
    for promise in record.promises:
        words = promise.text_en if language == "en" else promise.text_zh
        overdue = promise.state == "broken" or (promise.state == "open" and promise.due_at <= now())
        if not overdue and promise.state != "open":
            continue
        key = "summary.next_overdue" if overdue else "summary.next_promised"
        source: dict[str, Any] = {"promise": promise.id, "reference": promise.reference}
        if promise.seq in record.by_seq:
            source["seq"] = promise.seq
        steps.append(Step(text(key, language, promise=words, due=moment(promise.due_at, record, language)), source))
    return steps


def _cure(record: Record, language: str) -> list[Step]:
    """The known issue that the facts allow, else the guide's next step that was neither tried nor proposed."""
    data, topic = trouble(), _topic(record)
    if topic is None:
        return []
    facts = {name: fact.value for name, fact in record.latest.items()}
    known = match(data, topic, facts)
    steps = [_known(record, known, facts, language)] if known else []
    if known is None or known.unknown or not _untried(record, known, facts):
        steps += _guide(record, data, topic, facts, language)
    return steps


def _topic(record: Record) -> str | None:
    """Return the topic of the trouble: from the symptom, else from how the problem's message was understood."""
    data = trouble()
    if record.symptom:
        return data.topic_of(record.symptom.value)
    found = problem(record)
    name, _, topic = intent(record.by_seq[found.seq]).partition("/") if found else ("", "", "")
    return topic if name == "device_problem" and topic in data.guides else None


def _untried(record: Record, known: Match, facts: dict[str, str]) -> list[dict[str, Any]]:
    return [
        step
        for step in known.issue["fix"].get("steps") or []
        if step["code"] not in record.tried_codes and not already_updated(step["code"], known.issue, facts)
    ]


def _known(record: Record, known: Match, facts: dict[str, str], language: str) -> Step:
    issue = known.issue
    source: dict[str, Any] = {"known_issue": issue["id"]}
    told = _told_by_bot(record, issue)
    if told:
        source["seq"] = told
    values = {"reports": issue["reports"], "cause": issue["cause"][language]}
    if known.unknown:
        missing = text("summary.and", language).join(text(f"summary.fact_{name}", language) for name in known.unknown)
        return Step(text("summary.next_known_unsure", language, missing=missing, **values), source)
    rest = _untried(record, known, facts)
    way_out = rest[0] if rest else issue.get("workaround") or issue.get("expected")
    cure = way_out[language] if way_out else text("summary.next_no_cure", language)
    return Step(text("summary.next_known", language, cure=cure, **values), source)


def _told_by_bot(record: Record, issue: dict[str, Any]) -> int | None:
    """Return the number of the message in which the bot told of this issue, if it did."""
    causes = tuple(issue["cause"].values())
    return next(
        (
            message.seq
            for message in reversed(record.matter)
            if message.sender == Sender.BOT and any(cause in message.text for cause in causes)
        ),
        None,
    )


def _guide(record: Record, data: Trouble, topic: str, facts: dict[str, str], language: str) -> list[Step]:
    given = "\n".join(message.text for message in record.matter if message.sender == Sender.BOT)
    for step in data.guides.get(topic, {}).get("steps") or []:
        wrong_phone = step.get("platforms") and facts.get("os") not in step["platforms"]
        if step["code"] in record.tried_codes or wrong_phone or step["zh"] in given or step["en"] in given:
            continue
        return [Step(text("summary.next_guide", language, step=step[language]), {"guide": topic})]
    return [Step(text("summary.next_guide_done", language), {"guide": topic})]


def _order(record: Record, wished: list[Hope], language: str) -> list[Step]:
    order = record.latest.get("order_number")
    if order is None or not any(hope.key in ORDER_HOPES for hope in wished):
        return []
    if record.order is not None:
        words = text("summary.next_order_known", language, order=order_state(record.order, language))
        return [Step(words, {"lookup": f"order {record.order.number}"})]
    source = {"seq": order.source_seq} if order.source_seq else {"context": True}
    key = "summary.next_order" if record.value("phone_last4") else "summary.next_order_proof"
    return [Step(text(key, language, number=readable("order_number", order.value, language)), source)]


def _wishes(wished: list[Hope], language: str) -> list[Step]:
    return [_advised("hopes", hope.key, language, hope.seq) for hope in wished if hope.key in advice()["hopes"]]


def _reason(record: Record, language: str) -> list[Step]:
    reason = record.handoff.reason if record.handoff else ""
    if reason not in advice()["reasons"]:
        return []
    evidence = [seq for seq in record.handoff.evidence if seq in record.by_seq] if record.handoff else []
    return [_advised("reasons", reason, language, evidence[-1] if evidence else None)]


def _advised(kind: str, key: str, language: str, seq: int | None) -> Step:
    source: dict[str, Any] = {"advice": f"{kind}.{key}"}
    if seq is not None:
        source["seq"] = seq
    return Step(advice()[kind][key][language], source)
