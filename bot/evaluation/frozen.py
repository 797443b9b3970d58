"""Replays the frozen conversations through the bot and prints how well it hands over."""

import argparse
import asyncio
import json
import sys
import time
import uuid
from pathlib import Path
from typing import Any

from bot.evaluation.conversations import FOLDER, Frozen, load
from bot.evaluation.figures import Figures, Outcome, figures, verdict
from bot.evaluation.loaded import changed, load_bot, settings_of
from bot.evaluation.questions import asked_fact
from bot.policies.told import PERSON_PAYLOAD
from bot.turns import Desk
from bot.wire import DoorError, IncomingMessage, TurnRequest

ROOT = Path(__file__).resolve().parents[2]
ACCEPTED = ROOT / "tests" / "frozen" / "handoff_accepted.json"
GOAL = 0.9
AT_ONCE = 3
_WRONG = ("early", "late", "missed", "uncalled")


async def replay(desk: Desk, conversation: Frozen) -> Outcome:
    """Talk until the bot hands over or the customer has said everything, each message a turn of its own."""
    name = f"frozen-{conversation.id}-{uuid.uuid4().hex}"
    offers: list[int] = []
    known, asked, reasked = set(conversation.facts), [], []
    answer: dict[str, Any] = {}
    for position, text in enumerate(conversation.customer, 1):
        message = IncomingMessage(seq=position, text=text)
        request = TurnRequest(
            conversation=name, turn_id=f"{name}:{position}", messages=[message], facts=conversation.facts
        )
        try:
            answer = await desk.turn(request)
        except DoorError as error:
            return Outcome(position, "bot_error", last=[str(error.code)], offers=offers)
        said = [message["text"] for message in answer["messages"]]
        if answer["handoff"]:
            handoff, why = answer["handoff"], answer["handoff"]["explanation"]
            end = (position, handoff["reason"], handoff["priority"])
            return Outcome(*end, why["score"], why["signals"], offers, said, asked, reasked)
        known.update(fact["name"] for fact in answer["facts"])
        questions = [fact for fact in map(asked_fact, said) if fact]
        asked += questions
        reasked += [fact for fact in questions if fact in known]
        buttons = [button for message in answer["messages"] for button in message["buttons"] or []]
        if any(button["payload"] == PERSON_PAYLOAD for button in buttons):
            offers.append(position)
    why = await desk.explain(name)
    said = [message["text"] for message in answer["messages"]]
    return Outcome(None, None, None, why["score"], why["signals"], offers, said, asked, reasked)


async def replay_all(desk: Desk, conversations: list[Frozen]) -> dict[str, Outcome]:
    """Replay all, a few at a time, with a line of progress."""
    outcomes: dict[str, Outcome] = {}
    places = asyncio.Semaphore(AT_ONCE)
    began = time.monotonic()

    async def one(conversation: Frozen) -> None:
        async with places:
            outcomes[conversation.id] = await replay(desk, conversation)
        if len(outcomes) % 40 == 0 or len(outcomes) == len(conversations):
            print(f"  {len(outcomes)} of {len(conversations)}, {time.monotonic() - began:.0f} s", file=sys.stderr)

    await asyncio.gather(*(one(conversation) for conversation in conversations))
    return outcomes


def print_figures(found: Figures, conversations: list[Frozen], outcomes: dict[str, Outcome]) -> None:
    """The figures, and how many conversations ended in which way."""
    counts = [verdict(one, outcomes[one.id]) for one in conversations]
    print(
        f"{len(conversations)} conversations: "
        + ", ".join(f"{name} {counts.count(name)}" for name in ("in time", "kept", *_WRONG))
    )
    print(
        f"handed over in time   precision {found.precision:.3f}  recall {found.recall:.3f}  F1 {found.f1:.3f}"
        f"  (goal {GOAL}: {_met(found.f1)})"
    )
    print(f"golden transfer       GT-II {found.golden:.3f}  (goal {GOAL}: {_met(found.golden)})")
    print(f"of those in time      reason right {found.reasons:.3f}, priority right {found.priorities:.3f}")
    print(
        f"a person offered      {found.offers_made:.3f} where welcome, {found.offers_uncalled:.3f} where not called for"
    )
    again = [f"{one.id} {fact}" for one in conversations for fact in outcomes[one.id].reasked]
    asked = sum(len(outcome.asked) for outcome in outcomes.values())
    print(f"asked though told     {len(again)} of {asked} questions for facts  (goal 0) {', '.join(again)}".rstrip())


def print_wrong(conversations: list[Frozen], outcomes: dict[str, Outcome]) -> None:
    """Every conversation that went wrong, with what the bot saw in it."""
    for kind in _WRONG:
        wrong = [one for one in conversations if verdict(one, outcomes[one.id]) == kind]
        if wrong:
            print(f"\n{kind} ({len(wrong)})")
        for one in wrong:
            print("  " + row(one, outcomes[one.id]))
    other = [
        one
        for one in conversations
        if verdict(one, outcomes[one.id]) == "in time" and one.due and outcomes[one.id].reason not in one.due.reasons
    ]
    if other:
        print(f"\nin time for another reason ({len(other)})")
    for one in other:
        print("  " + row(one, outcomes[one.id]))


def row(conversation: Frozen, outcome: Outcome) -> str:
    """One conversation in a line: when and why, when it was due, and the signals with their weights."""
    due = conversation.due
    wanted = f"due {due.at}-{due.latest} {'/'.join(sorted(due.reasons))}" if due else "not due"
    did = f"at {outcome.position} {outcome.reason}" if outcome.position else "kept"
    seen = " ".join(f"{sign['name']} {sign['weight']:g}" for sign in outcome.signals)
    return f"{conversation.file}/{conversation.id}: {did} ({outcome.score:.2f}: {seen or 'nothing'}); {wanted}"


def print_changes(conversations: list[Frozen], outcomes: dict[str, Outcome], accepted: dict[str, list[Any]]) -> None:
    """The conversations that the last accepted run handed over at another message or for another reason."""
    moved = []
    for one in conversations:
        before, now = accepted.get(one.id), [outcomes[one.id].position, outcomes[one.id].reason]
        if before != now:
            told = "new" if before is None else (f"at {before[0]} {before[1]}" if before[0] else "kept")
            moved.append(f"  was {told}; now {row(one, outcomes[one.id])}")
    print(f"\nchanged against the last accepted run: {len(moved)}")
    print("\n".join(moved))


def _met(value: float) -> str:
    return "yes" if value >= GOAL else "NO"


async def run(options: argparse.Namespace) -> None:
    """Replay with the settings of `options`, print, and keep what was asked to be kept."""
    if options.folder and options.accept:
        raise ValueError("--accept keeps a run of the frozen conversations; leave --folder out.")
    conversations = load(options.folder or FOLDER)
    desk = await load_bot(options.model, changed(settings_of(options.config), options.set))
    outcomes = await replay_all(desk, conversations)
    await desk.close()
    found = figures(conversations, outcomes)
    print_figures(found, conversations, outcomes)
    if not options.brief:
        print_wrong(conversations, outcomes)
    if ACCEPTED.exists() and not options.brief and not options.folder:
        print_changes(conversations, outcomes, json.loads(ACCEPTED.read_text(encoding="utf-8")))
    if options.json:
        plain = {
            one.id: {**outcomes[one.id].__dict__, "verdict": verdict(one, outcomes[one.id])} for one in conversations
        }
        content = {"figures": found.__dict__, "conversations": plain}
        options.json.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    if options.accept:
        _accept(conversations, outcomes)


def _accept(conversations: list[Frozen], outcomes: dict[str, Outcome]) -> None:
    lines = [
        f"  {json.dumps(one.id)}: {json.dumps([outcomes[one.id].position, outcomes[one.id].reason])}"
        for one in conversations
    ]
    ACCEPTED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
