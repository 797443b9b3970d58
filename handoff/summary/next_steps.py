"""What to do next, each with its source: promises first, then what the designers know of the trouble, then advice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from handoff.clock import now
from handoff.conversations.models import Message, Sender
from handoff.locales import LANGUAGES, text
from handoff.queue.models import Reason
from handoff.summary import mood
from handoff.summary.corrections import called_wrong
from handoff.summary.dangers import VITAL, Danger
from handoff.summary.designers import Match, Trouble, already_updated, match, trouble
from handoff.summary.evidence import fold
from handoff.summary.further import kinds
from handoff.summary.hopes import Hope
from handoff.summary.labels import moment, order_state, readable
from handoff.summary.pledges import Pledge
from handoff.summary.record import Record, intent
from handoff.summary.speech import problem

ADVICE = Path(__file__).with_name("advice.yml")
MOST_STEPS = 5
ORDER_HOPES = {"delivery", "cancel", "address", "invoice", "parcel_right", "refund", "return", "exchange"}
_STATE = re.compile(
    r"签收|发货|打包|付款|送达|送到|在途|运输|取消|退款|退货"
    r"|(?<![a-z])(?:shipped|delivered|packed|paid|on its way|delayed|cancelled|refunded|returned)(?![a-z])",
    re.IGNORECASE,
)
# Hopes whose advice leads back to the device.
TROUBLESHOOTING = {"repair", "warranty", "update_done", "advice"}
OPENINGS = ("angry", "abusive", "disappointed", "sarcastic", "anxious")


@dataclass(frozen=True)
class Step:
    """One proposal and what it rests on: a message, a promise, a known issue, a guide or the designers' advice."""

    text: str
    source: dict[str, Any]


@cache
def advice() -> dict[str, dict[str, dict[str, str]]]:
    """Return the designers' advice: `dangers`, `reasons`, `moods` and `hopes`."""
    return yaml.safe_load(ADVICE.read_text(encoding="utf8"))


def next_steps(record: Record, wished: list[Hope], language: str) -> list[dict[str, Any]]:
    """Return at most five steps, the most urgent first; nothing that was tried already or called wrong."""
    steps = _unique(_steps(record, wished, language))
    wrong = called_wrong("next_steps", record.corrections)
    if wrong:
        others = [_unique(_steps(record, wished, one)) for one in LANGUAGES]
        steps = [
            step for step, *same in zip(steps, *others, strict=False) if wrong.isdisjoint(one.text for one in same)
        ]
    return [{"text": step.text, "source": step.source} for step in steps[:MOST_STEPS]]


def _steps(record: Record, wished: list[Hope], language: str) -> list[Step]:
    if _is_in_danger(record):
        return _in_danger(record, wished, language)
    steps = [
        *_first(record, language),
        *_promised(record, language),
        *_conflict(record, language),
        *_cure(record, language),
        *_order(record, wished, language),
        *_wishes(wished, language),
        *_reason(record, language),
    ]
    if not steps and record.matter_words:
        found = problem(record)
        source: dict[str, Any] = {"advice": "ask"}
        steps = [Step(text("summary.next_ask", language), source | ({"seq": found.seq} if found else {}))]
    return steps


def _unique(steps: list[Step]) -> list[Step]:
    unique: dict[str, Step] = {}
    for step in steps:
        unique.setdefault(step.text, step)
    return list(unique.values())


def _is_in_danger(record: Record) -> bool:
    return bool(record.dangers) or (record.handoff is not None and record.handoff.reason == Reason.SAFETY)


def _in_danger(record: Record, wished: list[Hope], language: str) -> list[Step]:
    """What the dangers call for; nothing after it would have the device used, charged, restarted or tested."""
    steps = [_of_danger(danger, language) for danger in record.dangers] or _reason(record, language)
    if any(danger.kind in VITAL for danger in record.dangers):
        return steps
    harmless = [hope for hope in wished if hope.key not in TROUBLESHOOTING]
    return [*steps, *_promised(record, language), *_order(record, harmless, language), *_wishes(harmless, language)]


def _of_danger(danger: Danger, language: str) -> Step:
    if danger.kind in advice()["dangers"]:
        return _advised("dangers", danger.kind, language, danger.seq)
    return _advised("reasons", Reason.SAFETY, language, danger.seq)


def _first(record: Record, language: str) -> list[Step]:
    """What comes before everything: the customer's feelings."""
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
    steps += [_overdue(pledge, record, language) for pledge in record.pledges if pledge.is_overdue]
    return steps


def _overdue(pledge: Pledge, record: Record, language: str) -> Step:
    due = moment(pledge.due_at, record, language) if pledge.due_at else ""
    quote = text("summary.problem_quote", language, quote=pledge.quote)
    return Step(text("summary.next_overdue", language, promise=quote, due=due), {"seq": pledge.seq})


def _conflict(record: Record, language: str) -> list[Step]:
    """The device that the customer speaks of, where the order that was looked up is for another one."""
    order, told = record.value("order_number"), record.latest.get("device_model") or record.latest.get("product")
    shown = _shown(record)
    if order is None or told is None or shown is None:
        return []
    ordered = kinds(fold(shown.text))
    if not ordered or told.value.partition("-")[0] in ordered:
        return []
    names = {"told": readable(told.name, told.value, language), "ordered": readable("product", ordered[0], language)}
    return [Step(text("summary.next_conflict", language, number=order, **names), {"seq": shown.seq})]


def _shown(record: Record) -> Message | None:
    """Return the bot's newest message that shows the state of the customer's order, which it does after both proofs."""
    number = record.value("order_number")
    return next(
        (
            message
            for message in reversed(record.matter)
            if message.sender == Sender.BOT and number and number in message.text and _STATE.search(message.text)
        ),
        None,
    )


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
    given = "\n".join(message.text for message in record.matter if message.sender != Sender.CUSTOMER)
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
    key = "summary.next_order" if record.value("phone_last4") or _shown(record) else "summary.next_order_proof"
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
