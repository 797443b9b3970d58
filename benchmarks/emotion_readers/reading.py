"""What a reader is asked and answers: `{texts, courses}` in, `{labels, courses}` out, as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

Read = Callable[[list[str]], list[tuple[str, float]]]
"""Label and satisfaction (-2 to 2) of each text."""


def answer(read: Read) -> None:
    """Read standard input; write the labels of its texts and the dissatisfaction after each of its courses."""
    from bot.nlu.emotion import dissatisfaction

    asked = json.load(sys.stdin)
    said = list(dict.fromkeys([*asked["texts"], *(text for course in asked["courses"] for text in course)]))
    felt = dict(zip(said, read(said), strict=True))
    courses = [
        dissatisfaction([{"text": text, "emotion": {"satisfaction": felt[text][1]}} for text in course])
        for course in asked["courses"]
    ]
    json.dump({"labels": [felt[text][0] for text in asked["texts"]], "courses": courses}, sys.stdout)
