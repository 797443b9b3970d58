"""The bot's door against the real stack: the contract's shapes, errors, idempotency, restarts."""

import signal
import sqlite3
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.bot.conftest import BotStack, Door, Process, free_port

STORY = (
    "我前几天买了手环2,在iPhone 6上装了APP后步数一直显示0,换Android手机就正常,我走了10步,"
    "重启、重装APP都试过了,固件1.0.0.39"
)


def body(conversation: str, /, **more: Any) -> dict[str, Any]:
    turn = {"conversation": conversation, "turn_id": uuid.uuid4().hex, "messages": [{"seq": 1, "text": "你好"}]}
    return {**turn, **more}


def error_of(answer: requests.Response) -> str:
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "details"}
    assert error["message"] and "Traceback" not in answer.text
    return str(error["code"])


class TestDoor:
    @pytest.mark.parametrize("path", ["turn", "parse", "reset"])
    @pytest.mark.parametrize("token", ["", "wrong", "token-of-the-test"])
    def test_nobody_without_the_token(self, bot_stack: BotStack, path: str, token: str) -> None:
        answer = bot_stack.call(path, {}, token=token)
        assert answer.status_code == 401
        assert error_of(answer) == "unauthorized"

    def test_health(self, bot_stack: BotStack) -> None:
        headers = {"Authorization": f"Bearer {bot_stack.token}"}
        answer = requests.get(f"{bot_stack.url}/health", headers=headers, timeout=5)
        assert answer.json()["status"] == "ok" and answer.json()["model"]
        assert requests.get(f"{bot_stack.url}/health", timeout=5).status_code == 401

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"conversation": ""}, "conversation"),
            ({"turn_id": None}, "turn_id"),
            ({"messages": []}, "messages"),
            ({"messages": [{"seq": 0, "text": "hi"}]}, "messages.0.seq"),
            ({"messages": [{"seq": 1, "text": "   "}]}, "messages"),
            ({"messages": [{"seq": 1, "payload": "greet"}]}, "messages.0.payload"),
            ({"messages": [{"seq": 1, "payload": "/greet{oops"}]}, "messages.0.payload"),
            ({"messages": [{"seq": 1, "text": "hi", "extra": 1}]}, "messages.0.extra"),
            ({"language": "fr"}, "language"),
            ({"facts": "os"}, "facts"),
        ],
    )
    def test_a_wrong_shape(self, bot_stack: BotStack, conversation: str, change: dict[str, Any], field: str) -> None:
        answer = bot_stack.call("turn", body(conversation, **change))
        assert answer.status_code == 422
        assert error_of(answer) == "invalid_request"
        assert field in [item["field"] for item in answer.json()["error"]["details"]["fields"]]

    @pytest.mark.parametrize("content", [b"{", b"[]", b"\xff"])
    def test_no_json(self, bot_stack: BotStack, content: bytes) -> None:
        headers = {"Authorization": f"Bearer {bot_stack.token}"}
        answer = requests.post(f"{bot_stack.url}/turn", data=content, headers=headers, timeout=5)
        assert (answer.status_code, error_of(answer)) == (400, "bad_json")

    def test_too_much(self, bot_stack: BotStack, conversation: str) -> None:
        answer = bot_stack.call("turn", body(conversation, customer_token="x" * 1_100_000))
        assert (answer.status_code, error_of(answer)) == (413, "body_too_large")

    @pytest.mark.parametrize(
        ("method", "path", "status"), [("GET", "turn", 405), ("POST", "health", 405), ("GET", "nothing", 404)]
    )
    def test_unknown_paths_and_methods(self, bot_stack: BotStack, method: str, path: str, status: int) -> None:
        headers = {"Authorization": f"Bearer {bot_stack.token}"}
        answer = requests.request(method, f"{bot_stack.url}/{path}", headers=headers, timeout=5)
        assert answer.status_code == status
        error_of(answer)

    @pytest.mark.parametrize(
        "path", ["/webhooks/rest/webhook", "/webhooks/callback/webhook", "/model/parse", "/conversations/x/tracker"]
    )
    def test_nothing_of_rasa_itself_is_open(self, bot_stack: BotStack, path: str) -> None:
        root = bot_stack.url.removesuffix("/webhooks/desk")
        assert (
            requests.post(root + path, json={"sender": "a", "message": "hi", "text": "hi"}, timeout=5).status_code
            == 404
        )

    def test_an_intent_nobody_has(self, bot_stack: BotStack, conversation: str) -> None:
        answer = bot_stack.call("turn", body(conversation, messages=[{"seq": 1, "payload": "/restart"}]))
        assert (answer.status_code, error_of(answer)) == (422, "unknown_intent")


class TestTurn:
    def test_the_shape_of_an_answer(self, bot_stack: BotStack, conversation: str) -> None:
        answer = bot_stack.talk(conversation, "你好")
        assert set(answer) == {"messages", "language", "nlu", "facts", "tried", "handoff", "promises", "done"}
        assert answer["messages"] and all(set(message) == {"text", "buttons"} for message in answer["messages"])
        assert answer["language"] == "zh" and answer["handoff"] is None
        assert set(answer["nlu"][0]) == {"intent", "confidence", "language", "emotion"}
        assert answer["nlu"][0]["intent"] == "greet"

    def test_one_nlu_and_the_right_seq_for_each_message(self, bot_stack: BotStack, conversation: str) -> None:
        bot_stack.talk(conversation, "你好")
        answer = bot_stack.talk(conversation, ["在吗", "我想查下订单", "单号LM2611030042"])
        assert [nlu["intent"] for nlu in answer["nlu"]] == ["greet", "track_order", "inform"]
        assert answer["facts"] == [{"name": "order_number", "value": "LM2611030042", "quote": "LM2611030042", "seq": 4}]

    def test_a_story_is_understood_whole(self, bot_stack: BotStack, conversation: str) -> None:
        answer = bot_stack.talk(conversation, STORY)
        facts = {fact["name"]: fact for fact in answer["facts"]}
        assert facts["device_model"]["value"] == "band-2" and facts["os"]["value"] == "ios"
        assert facts["firmware_version"]["value"] == "1.0.0.39" and facts["phone_model"]["value"] == "iPhone 6"
        assert "步数" in facts["symptom"]["quote"] and facts["symptom"]["quote"] in STORY
        assert [step["text"] for step in answer["tried"]] == [
            "other_phone",
            "test_walk",
            "restart_device",
            "reinstall_app",
        ]
        assert answer["nlu"][0]["intent"] == "device_problem/steps_zero"
        assert answer["handoff"] is None

    def test_the_switch_decides_the_language_else_the_customer(self, bot_stack: BotStack, conversation: str) -> None:
        assert bot_stack.talk(conversation, "Hello, can you help me?")["language"] == "en"
        assert bot_stack.talk(conversation, "OK")["language"] == "en"
        assert bot_stack.talk(conversation, "Hello, can you help me?", language="zh")["language"] == "zh"

    def test_a_typed_slash_is_text(self, bot_stack: BotStack, conversation: str) -> None:
        answer = bot_stack.talk(conversation, "/track_order")
        assert answer["nlu"][0]["confidence"] < 1.0, "Rasa's own handler would be sure"
        bot_stack.talk(conversation, '/request_human{"a": 1}')
        greeted = bot_stack.talk(conversation, {"payload": "/greet"})
        assert (greeted["nlu"][0]["intent"], greeted["nlu"][0]["confidence"]) == ("greet", 1.0)

    def test_a_file_is_acknowledged(self, bot_stack: BotStack, conversation: str) -> None:
        answer = bot_stack.talk(conversation, {"attachment": {"name": "照片.png", "type": "image/png"}})
        assert answer["messages"] and answer["handoff"] is None

    def test_a_handoff_says_at_most_one_thing(self, bot_stack: BotStack, conversation: str) -> None:
        bot_stack.talk(conversation, "我的快递到哪了")
        answer = bot_stack.talk(conversation, "转人工")
        explanation = answer["handoff"].pop("explanation")
        assert answer["handoff"] == {"reason": "asked_for_person", "evidence": [2], "priority": 3, "group": "orders"}
        assert explanation["signals"][0]["name"] == "asked_for_person"
        assert len(answer["messages"]) <= 1 and all(message["buttons"] is None for message in answer["messages"])

    @pytest.mark.parametrize("text", ["asdkjhf qwe", "饕餮魑魅魍魉", "……", "😀"])
    def test_what_means_nothing_is_not_guessed(self, bot_stack: BotStack, conversation: str, text: str) -> None:
        answer = bot_stack.talk(conversation, text)
        assert answer["nlu"][0]["intent"] == "out_of_scope"
        assert answer["messages"]


class TestIdempotency:
    def test_the_same_turn_has_the_same_answer(self, bot_stack: BotStack, conversation: str) -> None:
        turn = body(conversation, messages=[{"seq": 1, "text": STORY}])
        first = bot_stack.call("turn", turn).json()
        assert bot_stack.call("turn", turn).json() == first
        assert said_in(bot_stack, conversation) == 1

    def test_asked_again_while_it_runs(self, bot_stack: BotStack, conversation: str) -> None:
        turn = body(conversation, messages=[{"seq": 1, "text": STORY}])
        answers: list[Any] = []
        threads = [
            threading.Thread(target=lambda: answers.append(bot_stack.call("turn", turn).json())) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(answers) == 4 and all(answer == answers[0] for answer in answers)
        assert said_in(bot_stack, conversation) == 1

    def test_turns_of_one_conversation_do_not_mix(self, bot_stack: BotStack, conversation: str) -> None:
        turns = [body(conversation, messages=[{"seq": n, "text": f"你好 {n}"}]) for n in range(1, 6)]
        statuses: list[int] = []
        threads = [
            threading.Thread(target=lambda t=turn: statuses.append(bot_stack.call("turn", t).status_code))
            for turn in turns
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert statuses == [200] * 5
        assert said_in(bot_stack, conversation) == 5


class TestParse:
    def test_reads_without_memory(self, bot_stack: BotStack) -> None:
        answer = bot_stack.parse("手环2步数为0,气死我了!!!")
        assert set(answer) == {"nlu", "facts", "tried", "handoffs"} and answer["handoffs"] == []
        assert answer["nlu"][0]["emotion"]["label"] == "angry"
        assert {"name": "device_model", "value": "band-2", "quote": "手环2", "seq": 1} in answer["facts"]

    @pytest.mark.parametrize(
        ("said", "reason", "priority", "danger"),
        [
            (["talk to a person please", "the plug is smoking now"], "safety", 1, "Your safety comes first"),
            (["转人工", "我手被烫起泡了"], "safety", 1, "先顾好人"),
            (["算了我不想活了"], "safety", 1, "12356"),
            (["agent", "i want to end my life"], "safety", 1, "You are not alone"),
            (["我今年8岁", "妈妈不在家我一个人害怕"], "emotion", 2, None),
            (["I'll sue you, my lawyer will call"], "policy_topic", 2, None),
        ],
    )
    def test_says_for_what_a_talk_calls_a_person(
        self, bot_stack: BotStack, said: list[str], reason: str, priority: int, danger: str | None
    ) -> None:
        (call,) = talked(bot_stack, said)
        assert (call["reason"], call["priority"], call["evidence"][-1]) == (reason, priority, len(said))
        assert call["explanation"]["signals"]
        assert call["advice"] is None if danger is None else any(danger in words for words in call["advice"].values())

    @pytest.mark.parametrize("said", [["the plug is smoking now", "should I touch it??"], ["多久能到"], ["any news?"]])
    def test_calls_nobody_for_plain_words(self, bot_stack: BotStack, said: list[str]) -> None:
        assert talked(bot_stack, said) == [None]

    def test_a_talk_of_nothing_told(self, bot_stack: BotStack) -> None:
        for talk in ([], [2]):
            answer = bot_stack.call("parse", {"messages": [{"seq": 1, "text": "hi"}], "talks": [talk]})
            assert (answer.status_code, error_of(answer)) == (422, "invalid_request")


def talked(bot_stack: BotStack, said: list[str]) -> list[dict[str, Any] | None]:
    """What the bot makes of one talk, without memory."""
    messages = [{"seq": seq, "text": text} for seq, text in enumerate(said, 1)]
    answer = bot_stack.call("parse", {"messages": messages, "talks": [list(range(1, len(said) + 1))]})
    assert answer.status_code == 200, answer.text
    handoffs: list[dict[str, Any] | None] = answer.json()["handoffs"]
    return handoffs


class TestReset:
    def test_old_trouble_is_forgotten(self, bot_stack: BotStack, conversation: str) -> None:
        assert bot_stack.talk(conversation, "气死我了,一群骗子!!!")["handoff"]
        assert bot_stack.call("reset", {"conversation": conversation, "keep_facts": True}).json() == {}
        assert bot_stack.talk(conversation, "保修多久")["handoff"] is None
        assert bot_stack.talk(conversation, "气死我了,一群骗子!!!")["handoff"], "a new trouble calls a person again"

    def test_a_running_form_ends(self, bot_stack: BotStack, conversation: str) -> None:
        bot_stack.talk(conversation, "我的快递到哪了")
        bot_stack.call("reset", {"conversation": conversation, "keep_facts": False})
        answer = bot_stack.talk(conversation, "你能做什么")
        assert answer["nlu"][0]["intent"] == "capabilities"
        assert len(answer["messages"]) == 1

    def test_an_unknown_conversation(self, bot_stack: BotStack) -> None:
        assert bot_stack.call("reset", {"conversation": "never seen", "keep_facts": True}).json() == {}


@pytest.fixture
def second_bot(bot_stack: BotStack, rasa_server: Callable[..., Process], tmp_path: Path) -> Any:
    """Starts Rasa servers of their own, each with changes to the environment; ends them after the test."""
    started: list[Process] = []

    def start(**changes: str) -> tuple[Door, Process]:
        port = free_port()
        door = Door(f"http://127.0.0.1:{port}/webhooks/desk")
        environment = {**bot_stack.environment, "BOT_TRACKERS": str(tmp_path / "trackers.db"), **changes}
        process = rasa_server(environment, port, tmp_path / "rasa.log")
        started.append(process)
        process.start(lambda: door.call("parse", {"messages": [{"seq": 1, "text": "hi"}]}).status_code == 200)
        return door, process

    yield start
    for process in started:
        process.stop()


class TestProcesses:
    def test_a_dead_action_server_is_an_error_and_nothing_is_remembered(
        self, second_bot: Any, conversation: str, tmp_path: Path
    ) -> None:
        door, _ = second_bot(ACTIONS_PORT=str(free_port()))
        answer = door.call("turn", body(conversation, messages=[{"seq": 1, "text": "我的快递到哪了"}]))
        assert (answer.status_code, error_of(answer)) == (502, "action_failed")
        assert stored(tmp_path / "trackers.db", conversation) == 0
        headers = {"Authorization": f"Bearer {door.token}"}
        health = requests.get(f"{door.url}/health", headers=headers, timeout=5)
        assert (health.status_code, error_of(health)) == (503, "actions_unreachable")

    def test_killed_and_started_again(self, second_bot: Any, conversation: str) -> None:
        door, process = second_bot()
        turn = body(conversation, messages=[{"seq": 1, "text": "我的快递到哪了"}])
        first = door.call("turn", turn).json()
        process.stop(signal.SIGKILL)
        again, _ = second_bot()
        assert again.call("turn", turn).json() == first
        answer = again.call("turn", body(conversation, messages=[{"seq": 2, "text": "LM2611030042"}])).json()
        assert answer["facts"][0]["value"] == "LM2611030042"
        assert answer["nlu"][0]["intent"] == "inform" and answer["messages"]

    def test_no_token_no_start(self, bot_stack: BotStack, rasa_server: Callable[..., Process], tmp_path: Path) -> None:
        environment = {name: value for name, value in bot_stack.environment.items() if name != "BOT_TOKEN"}
        process = rasa_server(environment, free_port(), tmp_path / "rasa.log")
        with pytest.raises(RuntimeError, match="BOT_TOKEN"):
            process.start(lambda: False)
        assert process.stop() != 0


def said_in(stack: BotStack, conversation: str) -> int:
    """How many customer messages the bot's history of a conversation holds."""
    return stored(Path(stack.environment["BOT_TRACKERS"]), conversation)


def stored(path: Path, conversation: str) -> int:
    with sqlite3.connect(path) as database:
        query = "SELECT COUNT(*) FROM tracker_events WHERE conversation = ? AND type = 'user'"
        return int(database.execute(query, (conversation,)).fetchone()[0])
