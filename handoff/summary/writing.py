"""The context summary as the contract shapes it."""

from __future__ import annotations

from typing import Any

from handoff.clock import iso
from handoff.locales import LANGUAGES, text
from handoff.queue.explanation import explanation
from handoff.summary import mood
from handoff.summary.attempts import Attempt
from handoff.summary.corrections import called_wrong, messages_misread, struck
from handoff.summary.gist import gist, lines
from handoff.summary.headline import headline
from handoff.summary.hopes import Hope, hopes
from handoff.summary.knowledge import FACT_NAMES
from handoff.summary.labels import as_written, named, order_state, readable
from handoff.summary.models import Fact, TriedStep
from handoff.summary.next_steps import next_steps
from handoff.summary.record import Record
from handoff.summary.speech import bot_said, problem, problem_text


def summary(record: Record, language: str) -> dict[str, Any]:
    """Return the summary in `language`; quotes stay as the customer wrote them.

    Beside the contract's keys: `problem_quote` and `problem_seq` (its evidence), `reason_text`, `why` (the score of the
    handoff, signal by signal, or null), for facts their name and value as people read them (`label`, `text`), `story`:
    what was said on both sides, in reported speech, and `order`: what the shop says of the order now, or null.
    """
    stated, wished = problem(record), hopes(record)
    reason = record.handoff.reason if record.handoff else None
    return {
        "headline": _headline(record, wished, language),
        "problem": problem_text(record, language),
        "problem_quote": stated.quote if stated else None,
        "problem_seq": stated.seq if stated else None,
        "hopes": struck("hopes", [_hope(hope, language) for hope in wished], record.corrections),
        "facts": [_fact(record, record.latest[name], language) for name in FACT_NAMES if name in record.latest],
        "order": _order(record, language),
        "tried": struck("tried", _tried(record, language), record.corrections),
        "story": _story(record, language),
        "bot_said": struck("bot_said", bot_said(record), record.corrections),
        "promises": struck("promises", _promises(record, language), record.corrections),
        "emotion": mood.emotion(record.said_by_customer),
        "reason": reason,
        "reason_text": text(f"queue.reason_{reason}", language) if reason else None,
        "why": explanation(record.handoff, language),
        "next_steps": next_steps(record, wished, language),
        "language": language,
    }


def _headline(record: Record, wished: list[Hope], language: str) -> str:
    """The headline; where it was called wrong in either language, only who it is and their own words."""
    wrong = called_wrong("headline", record.corrections)
    if not wrong or wrong.isdisjoint(headline(record, wished, one) for one in LANGUAGES):
        return headline(record, wished, language)
    found = problem(record)
    key = "summary.problem_quote" if found else "summary.no_problem_yet"
    who = record.customer.name or text("desk.customer", language)
    return text("summary.headline", language, who=who, line=text(key, language, quote=found.quote if found else ""))


def _story(record: Record, language: str) -> list[dict[str, Any]]:
    """The course of the present matter, without what was called wrong in either language."""
    wrong = messages_misread("story", record.corrections)
    told = [one for one in gist(lines(record.matter), language) if one.seqs[0] not in wrong]
    return [{"by": one.by, "text": one.text, "seqs": list(one.seqs)} for one in told]


def _tried(record: Record, language: str) -> list[dict[str, Any]]:
    """The steps that were recognised and what else the customer reports to have done, in their order."""
    known = []
    told = list(record.attempts)
    for step in record.done:
        fuller = next((one for one in told if _is_same(one, step)), None)
        name = named("step", step.text, language)
        known.append(
            {
                "text": name or as_written(step.quote, language),
                "code": step.text if name else None,
                "quote": fuller.quote if fuller else step.quote,
                "seq": step.source_seq,
            }
        )
    told = [one for one in told if not any(_is_same(one, step) for step in record.done)]
    known += [
        {"text": as_written(one.text, language), "code": None, "quote": one.quote, "seq": one.seq} for one in told
    ]
    return sorted(known, key=lambda step: step["seq"])


def _is_same(one: Attempt, step: TriedStep) -> bool:
    """Tell whether a report and a recognised step rest on the same words."""
    same = one.seq == step.source_seq and (step.quote in one.quote or one.quote in step.quote)
    return same and not one.confirmed


def _promises(record: Record, language: str) -> list[dict[str, Any]]:
    """Promises with a reference that are kept account of, then those that were made in words."""
    kept = [
        {
            "text": promise.text_en if language == "en" else promise.text_zh,
            "due_at": iso(promise.due_at),
            "quote": None,
            "seq": promise.seq,
            "state": promise.state,
            "reference": promise.reference,
        }
        for promise in record.promises
    ]
    accounted = {promise.seq for promise in record.promises}
    return kept + [
        {
            "text": text("summary.promise_told", language, words=pledge.quote)
            if pledge.told
            else as_written(pledge.quote, language),
            "due_at": iso(pledge.due_at) if pledge.due_at else None,
            "quote": pledge.quote,
            "seq": pledge.seq,
            "state": "said",
            "reference": None,
        }
        for pledge in record.pledges
        if pledge.seq not in accounted
    ]


def _order(record: Record, language: str) -> dict[str, Any] | None:
    """What the shop said of the order when the summary was read."""
    order = record.order
    if order is None:
        return None
    return {
        "number": order.number,
        "status": order.status,
        "text": order_state(order, language),
        "source": {"lookup": f"order {order.number}"},
    }


def _hope(hope: Hope, language: str) -> dict[str, Any]:
    return {"text": hope.text[language], "key": hope.key, "quote": hope.quote, "seq": hope.seq}


def _fact(record: Record, fact: Fact, language: str) -> dict[str, Any]:
    earlier = [row for row in record.stated if row.name == fact.name and row is not fact]
    return {
        "name": fact.name,
        "label": text(f"summary.fact_{fact.name}", language),
        **_row(fact, language),
        "history": [_row(row, language) for row in earlier],
    }


def _row(fact: Fact, language: str) -> dict[str, Any]:
    return {
        "value": fact.value,
        "text": readable(fact.name, fact.value, language),
        "quote": fact.quote,
        "source": source(fact),
    }


def source(fact: Fact) -> dict[str, Any]:
    """Return where a fact comes from: a message, a lookup, or the site's context."""
    if fact.source_seq is not None:
        return {"seq": fact.source_seq}
    return {"lookup": fact.lookup} if fact.lookup else {"context": True}
