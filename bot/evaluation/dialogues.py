"""How well the score of the handoff policy ranks real dialogues of other companies by how badly they ended.

A dialogue is read up to the customer's last message, without what was answered to it. Nothing is fitted.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from bot.evaluation.figures import auc
from bot.evaluation.loaded import changed, load_bot, settings_of
from bot.policies.told import TurnTold, told
from bot.reading import Reader
from bot.wire import IncomingMessage

BAD = -0.5
GOAL = 0.75
_NEGATIVE = frozenset({"angry", "abusive", "sarcastic", "disappointed"})
_RUDE = ("投诉", "垃圾", "差", "坑", "骗", "不解决", "没人", "怎么还", "还没", "一直")


def turns_of(reader: Reader, dialogue: dict[str, Any]) -> list[TurnTold]:
    """The turns up to the customer's last message: consecutive messages of one side are one turn."""
    turns: list[TurnTold] = []
    last = max(index for index, turn in enumerate(dialogue["turns"]) if turn["speaker"] == "customer")
    for seq, turn in enumerate(dialogue["turns"][: last + 1], 1):
        if turn["speaker"] != "customer":
            if turns:
                turns[-1].said.append(turn["text"])
            continue
        parse = reader.join([reader.read(IncomingMessage(seq=seq, text=turn["text"] or "…"))])
        turns.append(told([seq], parse["text"], parse))
    return turns


def last_emotion(turns: list[TurnTold]) -> float:
    """A simple peer: how strong a bad mood the last message shows."""
    emotion = turns[-1].emotion
    return float(emotion["score"]) if emotion.get("label") in _NEGATIVE else 0.0


def keywords(turns: list[TurnTold]) -> float:
    """Another simple peer: how many words of complaint the customer used."""
    return float(sum(turn.text.count(word) for turn in turns for word in _RUDE))


def dialogues_in(path: Path) -> list[dict[str, Any]]:
    """The dialogues of a file, one a line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


async def run(options: argparse.Namespace) -> None:
    """Print the area under the curve of the score and of the peers."""
    desk = await load_bot(options.model, changed(settings_of(options.config), options.set))
    dialogues = dialogues_in(options.file)
    told_all = [(turns_of(desk.reader, one), one["satisfaction"] <= BAD) for one in dialogues]
    await desk.close()
    ours = auc([(desk.assessor.assess_turns(turns).score, bad) for turns, bad in told_all])
    rows = {
        "score of the handoff policy": ours,
        "mood of the last message alone": auc([(last_emotion(turns), bad) for turns, bad in told_all]),
        "words of complaint, counted": auc([(keywords(turns), bad) for turns, bad in told_all]),
        "number of the customer's messages": auc([(float(len(turns)), bad) for turns, bad in told_all]),
    }
    print(f"{len(told_all)} dialogues, {sum(bad for _, bad in told_all)} ended badly; area under the curve")
    for name, value in rows.items():
        print(f"  {name:36} {value:.3f}")
    print(f"  goal {GOAL}: {'yes' if ours >= GOAL else 'NO'}")
