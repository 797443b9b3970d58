"""Hypothesis against the bot's door: whatever the desk might send, no crash, no half-stored turn.

Longer: `FUZZ_EXAMPLES=2000`.
"""

from __future__ import annotations

import json
import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.product import Product

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
PATHS = ("turn", "parse", "reset", "forget")
REFUSALS = {400, 404, 405, 413, 422}
fuzzed = settings(
    max_examples=EXAMPLES, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck)
)  # one customer's bot is shared by all examples: they differ in their conversations

ODD = ["/", "//", "/restart", '/greet{"a":1}', "／inform", "\u202e\u0000x", "😀" * 50, "<script>", "' OR 1=1 --", "٣٤٥",
       "LM2611030042 尾号8866", "转人工", "{{7*7}}", "{order_number}", "手环3 步数0 iOS 17.2", "﷽" * 30, "A" * 7_990]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
TEXT = st.sampled_from(ODD) | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)
INTENTS = ["greet", "affirm", "deny", "track_order", "device_problem", "cancel_order", "inform", "request_human",
           "firmware_update", "return_exchange", "change_address", "invoice", "nlu_fallback", "no_such_intent"]
ENTITIES = ["order_number", "phone_last4", "device_model", "topic", "choice", "outcome", "os", "no_such_entity"]
PAYLOAD = st.builds(
    lambda intent, entities: f"/{intent}{json.dumps(entities, ensure_ascii=False)}",
    st.sampled_from(INTENTS),
    st.dictionaries(st.sampled_from(ENTITIES), JSON, max_size=3),
)
ATTACHMENT = st.fixed_dictionaries({"name": st.text(max_size=60), "type": st.text(max_size=30)})
SAID = st.one_of(
    st.fixed_dictionaries({"text": TEXT}),
    st.fixed_dictionaries({"payload": PAYLOAD}),
    st.fixed_dictionaries({"attachment": ATTACHMENT}, optional={"text": TEXT}),
)
TURN = st.fixed_dictionaries(
    {"said": st.lists(SAID, min_size=1, max_size=3)},
    optional={
        "language": st.sampled_from(["zh", "en", None]),
        "facts": st.dictionaries(st.sampled_from([*ENTITIES, "firmware_version"]), TEXT | st.none(), max_size=3),
        "network": st.text(max_size=20),
    },
)


@pytest.fixture
def door(product: Product) -> Iterator[httpx.Client]:
    """The door, with the desk's token."""
    headers = {"Authorization": f"Bearer {product.secret('BOT_TOKEN')}"}
    url = f"http://127.0.0.1:{product.ports['bot']}/webhooks/desk/"
    with httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False) as client:
        yield client


def assert_refused_clearly(answer: httpx.Response) -> None:
    """The contract's error shape, and nothing of the program's inside."""
    assert answer.status_code in REFUSALS, answer.text
    error = answer.json()["error"]
    assert error["code"] and error["message"] and "Traceback" not in answer.text


@fuzzed
@given(path=st.sampled_from(PATHS), body=JSON.map(json.dumps).map(str.encode) | st.binary(max_size=200))
def test_what_is_no_request_is_refused(door: httpx.Client, path: str, body: bytes) -> None:
    assert_refused_clearly(door.post(path, content=body))


@fuzzed
@given(turns=st.lists(TURN, min_size=1, max_size=3))
def test_any_turn_is_answered_and_stored_whole(product: Product, door: httpx.Client, turns: list[Any]) -> None:
    conversation, seq, answers = f"fuzz-{uuid.uuid4().hex}", 0, {}
    for turn in turns:
        messages = []
        for said in turn["said"]:
            seq += 1
            messages.append({"seq": seq, **said})
        body = {**turn, "conversation": conversation, "turn_id": uuid.uuid4().hex, "messages": messages}
        del body["said"]
        answer = door.post("turn", json=body)
        if answer.status_code != httpx.codes.OK:
            assert_refused_clearly(answer)
            continue
        answers[body["turn_id"]] = answer.json()
        assert answer.json()["messages"] or answer.json()["handoff"], body
        assert len(answer.json()["nlu"]) == len(messages)
        assert door.post("turn", json=body).json() == answer.json(), "the same turn has another answer"
    assert_stored_whole(product, conversation, answers)


def assert_stored_whole(product: Product, conversation: str, answers: dict[str, Any]) -> None:
    """Every answered turn is kept, and the events have no gap."""
    with closing(sqlite3.connect(product.var / "trackers.db", timeout=30)) as store:
        kept = dict(store.execute("SELECT turn_id, answer FROM turn_answers WHERE conversation = ?", (conversation,)))
        count = store.execute("SELECT events FROM trackers WHERE conversation = ?", (conversation,)).fetchone()
        query = "SELECT number FROM tracker_events WHERE conversation = ? ORDER BY number"
        numbers = [number for (number,) in store.execute(query, (conversation,))]
    assert {turn: json.loads(text) for turn, text in kept.items()} == answers
    assert numbers == list(range(len(numbers)))
    assert (count[0] if count else 0) == len(numbers)


def test_nothing_of_this_is_in_the_log_as_a_crash(product: Product) -> None:
    assert "Traceback" not in product.log("bot")
