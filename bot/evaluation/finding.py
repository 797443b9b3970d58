"""The finder on our frozen questions and on pairs of questions, for `benchmarks/finder.py`: one line of JSON."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from bot.evaluation.understanding import served_model
from bot.server import tensorflow_free

FIRST_TEN = 10


def questions() -> dict[str, Any]:
    """Our frozen questions through the trained bot."""
    model = served_model().resolve()
    tensorflow_free.leave_out(model)
    return asyncio.run(_questions(model))


async def _questions(model: Path) -> dict[str, Any]:
    from bot.evaluation.messages import Bot, place_of
    from bot.evaluation.messages import questions as frozen
    from bot.finder.answers import KNOWN, topic_of
    from bot.validation.phrases import language_of

    bot, rows = await Bot.load(model), []
    for question in frozen():
        read = bot.read(question.text)
        topics = {topic_of(answer) for answer in question.answers}
        ranking = (read.parse.get("topic") or {}).get("ranking") or [{"name": ""}]
        place = place_of(question, read)
        rows.append(
            {
                "first": place == 1,
                "in_three": place is not None and place <= 3,
                "known": question.answers[0].startswith(KNOWN),
                "language": language_of(question.text),
                "topic": bool(read.answers) and topic_of(read.answers[0]) in topics,
                "classifier": ranking[0]["name"] in topics,
            }
        )
    return {
        "questions": len(rows),
        "first": _share(row["first"] for row in rows),
        "in_three": _share(row["in_three"] for row in rows),
        "known_first": _share(row["first"] for row in rows if row["known"]),
        "zh": _share(row["first"] for row in rows if row["language"] == "zh"),
        "en": _share(row["first"] for row in rows if row["language"] == "en"),
        "topic": _share(row["topic"] for row in rows),
        "classifier": _share(row["classifier"] for row in rows),
    }


def _share(hits: Any) -> float:
    found = list(hits)
    return sum(found) / max(1, len(found))


def pairs(path: Path) -> dict[str, Any]:
    """Retrieval and correlation over a file of `{a, b, same}`, for the finder's likeness and each of its halves."""
    import numpy as np
    from scipy.stats import spearmanr

    from bot.nlu.encoder import encoder
    from bot.nlu.likeness import Bm25, mixed
    from bot.nlu.model import model_text

    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    searched = list(dict.fromkeys(model_text(row["b"]) for row in rows))
    place = {text: number for number, text in enumerate(searched)}
    sentences = encoder()
    assert sentences is not None
    vectors, letters = sentences.encode(searched), Bm25(searched)
    asked = sentences.encode([model_text(row["a"]) for row in rows])
    reciprocal: dict[str, list[float]] = {"likeness": [], "letters": [], "meaning": []}
    alike: dict[str, list[float]] = {name: [] for name in reciprocal}
    for row, vector in zip(rows, asked, strict=True):
        text, right = model_text(row["a"]), place[model_text(row["b"])]
        meaning, spelling = vectors @ vector, letters.scores(text)
        for name, scores in (
            ("likeness", mixed(meaning, np.minimum(spelling, 1.0))),
            ("letters", spelling),
            ("meaning", meaning),
        ):
            alike[name].append(float(scores[right]))
            if row["same"]:
                others = scores if text not in place else np.delete(scores, place[text])
                rank = 1 + int((others > scores[right]).sum())
                reciprocal[name].append(1 / rank if rank <= FIRST_TEN else 0.0)
    same = [row["same"] for row in rows]
    return {
        "asked": len(reciprocal["meaning"]),
        "searched": len(searched),
        "mrr": {name: sum(found) / len(found) for name, found in reciprocal.items()},
        "spearman": {name: float(spearmanr(values, same)[0]) for name, values in alike.items()},
    }


def main() -> None:
    """`questions`, or `pairs FILE`."""
    what, *rest = sys.argv[1:]
    print(json.dumps(questions() if what == "questions" else pairs(Path(rest[0]))))


if __name__ == "__main__":
    main()
