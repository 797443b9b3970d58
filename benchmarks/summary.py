"""`bench summary`: our reported gist of real service dialogues beside published summarisers, and a briefing's time.

The dialogues (CSDS) and the published systems' outputs are read from `$JIELI_BENCH_DATA/csds/half.jsonl`; without them
only the time is measured. Nothing is fitted on them.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.desk import folder, prepare, seed_talks
from benchmarks.measure import Comparison, Goal, machine, percentile, print_comparison, print_table
from benchmarks.rouge_zh import rouge
from handoff.conversations.models import Conversation
from handoff.database import Database
from handoff.locales import catalogue
from handoff.summary.designers import trouble
from handoff.summary.gist import Line, Sentence, gist
from handoff.summary.hopes import phrases
from handoff.summary.next_steps import advice
from handoff.summary.service import Summaries

PARTS = ("whole", "customer", "agent")
NAMES = {"customer": "用户", "bot": "客服", "agent": "客服"}
SYSTEMS = {
    "longest": "longest sentences",
    "lex": "LexPageRank",
    "bert_ext": "BERTExt",
    "summarunner": "SummaRuNNer",
    "fast_rl": "Fast-RL",
}
RIVALS = {"whole": ("lex",), "customer": ("lex", "bert_ext", "summarunner"), "agent": ("lex",)}
MESSAGES = 200
TIMES = 30
SOON_ENOUGH = Goal(300.0)


def ours(dialogue: dict[str, Any]) -> dict[str, str]:
    """Return our summary of the dialogue, whole and by who speaks."""
    told = [Line(turn["speaker"], turn["text"], seq) for seq, turn in enumerate(dialogue["turns"], 1)]
    sentences = gist(told, "zh", NAMES)

    def joined(kept: list[Sentence]) -> str:
        return "".join(sentence.text for sentence in kept)

    return {
        "whole": joined(sentences),
        "customer": joined([sentence for sentence in sentences if sentence.by == "customer"]),
        "agent": joined([sentence for sentence in sentences if sentence.by != "customer"]),
    }


def compare(path: Path) -> None:
    """Print ROUGE of ours and of the published systems on the same dialogues."""
    dialogues = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    outputs = {"ours": [ours(dialogue) for dialogue in dialogues]}
    outputs |= {system: [dialogue["published"][system] for dialogue in dialogues] for system in SYSTEMS}
    figures = {
        (system, part): rouge(
            (written[part], dialogue["reference"][part]) for written, dialogue in zip(summaries, dialogues, strict=True)
        )
        for system, summaries in outputs.items()
        for part in PARTS
    }
    rows = [
        [SYSTEMS.get(system, system), *(" / ".join(f"{x:.1f}" for x in figures[system, part]) for part in PARTS)]
        for system in outputs
    ]
    print_table(f"Summaries of {len(dialogues)} real dialogues: ROUGE-1 / 2 / L", ["", *PARTS], rows)
    for part, rivals in RIVALS.items():
        for rival in rivals:
            pairs = zip(("ROUGE-1", "ROUGE-2", "ROUGE-L"), figures["ours", part], figures[rival, part], strict=True)
            lines = [Comparison(name, mine, theirs, Goal(1.0, at_least=True)) for name, mine, theirs in pairs]
            print_comparison(f"{part} part", SYSTEMS[rival], lines)


async def timed(address: str) -> list[float]:
    """Return the milliseconds of each summary of one conversation with `MESSAGES` messages, read from the database."""
    catalogue(), trouble(), advice(), phrases()  # files that the desk has read long before
    database = Database(address)
    [talk] = await seed_talks(database, 1, [], MESSAGES)
    taken = []
    for number in range(TIMES):
        async with database.read() as session:
            conversation = await session.get_one(Conversation, talk.id)
            began = time.perf_counter()
            await Summaries(session).summary(conversation, ("zh", "en")[number % 2])
            taken.append(1000 * (time.perf_counter() - began))
    await database.close()
    return taken


def main() -> None:
    """Time a briefing, and compare with the published systems where their outputs are."""
    with folder() as var:
        taken = asyncio.run(timed(prepare(var)))
    slowest, median = max(taken), percentile(taken, 50)
    met = "yes" if SOON_ENOUGH.met(slowest) else "NO"
    head = ["", "median, ms", "slowest, ms", "goal", "met"]
    row = [f"{MESSAGES} messages, from the database", median, slowest, str(SOON_ENOUGH), met]
    print_table(f"The context summary of one conversation ({machine()})", head, [row])
    path = Path(os.environ.get("JIELI_BENCH_DATA", "")) / "csds" / "half.jsonl"
    if path.is_file():
        compare(path)
    else:
        print(f"{path} is not there: set JIELI_BENCH_DATA to the folder that holds csds/half.jsonl", file=sys.stderr)


if __name__ == "__main__":
    main()
