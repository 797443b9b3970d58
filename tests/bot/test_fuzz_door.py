"""The real bot's door, hammered with nearly right and plainly wrong calls: no crash, no traceback, nothing kept half.

Longer: `FUZZ_SECONDS=600`. Again as it was: `FUZZ_SEED=...`, which a failing run prints.
"""

import json
import os
import random
import sqlite3
import time
from pathlib import Path
from typing import Any

import requests

from tests.bot.conftest import BotStack

SECONDS = float(os.environ.get("FUZZ_SECONDS", "12"))
SEED = int(os.environ.get("FUZZ_SEED", random.SystemRandom().randrange(2**31)))
TEXTS = [
    *["你好", "我的快递到哪了", "LM2611030042", "5678", "转人工", "手环2步数一直是0", "我要投诉,气死我了!!!", "ok"],
    *["/restart", "/session_start", '/track_order{"order_number": 1}', "{{slot}} {x} %s", "' OR 1=1 --"],
    *[
        "",
        "   ",
        "\n\n\n",
        "\x00",
        "\ud83d",
        "\u202e abc",
        "<script>alert(1)</script>",
        "نعم",
        "１３８１２３４５６７８",
    ],
    *["😀" * 50, "饕餮" * 900, "a" * 7999, "1" * 400],
]
PAYLOADS = [
    "/greet",
    "/request_human",
    "/affirm",
    "/track_order",
    '/inform{"order_number": [1]}',
    '/x/y{"a": null}',
    "greet",
    "/A",
    "/",
]
ODD: list[Any] = [None, True, 0, -1, 2**70, 1.5, "", "x" * 300, [], {}, [[]], {"a": {"b": []}}, ["x"], "\x00", "\ud800"]


def message(chance: random.Random) -> Any:
    said: dict[str, Any] = {"seq": chance.choice([1, 2, 3, 99, 2**31])}
    kind = chance.random()
    if kind < 0.7:
        said["text"] = chance.choice(TEXTS)
    elif kind < 0.85:
        said["payload"] = chance.choice(PAYLOADS)
    else:
        said["attachment"] = {"name": chance.choice(TEXTS)[:300], "type": "image/png"}
    return said


def call(chance: random.Random) -> tuple[str, Any]:
    """A call: half of them are right, the others have one or two things wrong."""
    path = chance.choice(["turn"] * 5 + ["parse", "reset", "forget"])
    body: dict[str, Any] = {"conversation": f"fuzz-{SEED}-{chance.randrange(4)}"}
    if path in {"turn", "parse"}:
        body["messages"] = [message(chance) for _ in range(chance.choice([1, 1, 1, 2, 3]))]
    if path == "turn":
        body |= {"turn_id": f"{chance.randrange(10**6)}", "language": chance.choice([None, "zh", "en"])}
        body["facts"] = chance.choice([{}, [], [{"name": "order_number", "value": "LM2611030042"}], {"os": "iOS"}])
    if path == "reset":
        body["keep_facts"] = chance.random() < 0.5
    for _ in range(chance.choice([0, 0, 1, 2])):
        spoil(body, chance)
    return path, body


def spoil(body: dict[str, Any], chance: random.Random) -> None:
    key = chance.choice([*body, "extra"])
    if chance.random() < 0.3:
        body.pop(key, None)
    elif key == "messages" and isinstance(body.get(key), list) and body[key] and isinstance(body[key][0], dict):
        body[key][0][chance.choice(["seq", "text", "payload", "attachment", "odd"])] = chance.choice(ODD)
    else:
        body[key] = chance.choice(ODD)


def test_nothing_breaks_the_door(bot_stack: BotStack) -> None:
    chance, seen, answered = random.Random(SEED), {}, []
    print(f"FUZZ_SEED={SEED}")
    until = time.monotonic() + SECONDS
    headers = {"Authorization": f"Bearer {bot_stack.token}", "Content-Type": "application/json"}
    while time.monotonic() < until:
        path, body = call(chance)
        raw = json.dumps(body).encode()
        if chance.random() < 0.05:
            raw = raw[: chance.randrange(len(raw))] + bytes([chance.randrange(256)])
        answer = requests.post(f"{bot_stack.url}/{path}", data=raw, headers=headers, timeout=60)
        seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
        assert answer.status_code in {200, 400, 413, 422}, (SEED, path, body, answer.status_code, answer.text)
        assert "Traceback" not in answer.text
        if answer.status_code != 200:
            assert set(answer.json()["error"]) == {"code", "message", "details"}
        elif path == "turn":
            assert answer.json()["messages"] or answer.json()["handoff"]
            answered.append((body["conversation"], str(body["turn_id"])))
        elif path == "forget":
            answered = [one for one in answered if one[0] != body["conversation"]]
    print(f"calls by status: {seen}")
    assert seen.get(200) and seen.get(422)
    assert_nothing_is_half(Path(bot_stack.environment["BOT_TRACKERS"]), answered)
    assert bot_stack.talk("fuzz-after", "你好")["nlu"][0]["intent"] == "greet"


def assert_nothing_is_half(trackers: Path, answered: list[tuple[str, str]]) -> None:
    """Histories have no gaps, memories fit them, and every answered turn is kept."""
    with sqlite3.connect(trackers) as database:
        kept = set(database.execute("SELECT conversation, turn_id FROM turn_answers"))
        assert set(answered) <= kept
        numbers: dict[str, list[int]] = {}
        for conversation, number in database.execute("SELECT conversation, number FROM tracker_events ORDER BY 1, 2"):
            numbers.setdefault(conversation, []).append(number)
        events = dict(database.execute("SELECT conversation, events FROM trackers"))
    assert set(numbers) == set(events)
    for conversation, found in numbers.items():
        assert found == list(range(found[0], found[0] + len(found))), conversation
        assert events[conversation] == found[-1] + 1, conversation
