"""Several workers behind one port: no cross-talk, nothing lost or doubled, and one that dies is replaced."""

import os
import signal
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.bot.conftest import BotStack, Door, Process, free_port
from tests.bot.skill_talk import Order, orders

CLIENTS = 64
WORKERS = 3


def children(pid: int) -> list[int]:
    """The processes that this one started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def asked_until_answered(door: Door, body: dict[str, Any]) -> dict[str, Any]:
    """The answer to a turn; asked again when the worker that had it was killed."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with suppress(requests.ConnectionError):
            answer = door.call("turn", body)
            assert answer.status_code == 200, answer.text
            return dict(answer.json())
        time.sleep(0.05)
    raise AssertionError("no answer within a minute")


def body(conversation: str, seq: int, text: str) -> dict[str, Any]:
    messages = [{"seq": seq, "text": text}]
    return {"conversation": conversation, "turn_id": f"{conversation}-{seq}", "messages": messages}


def told(path: Path, conversation: str) -> list[str]:
    """What the customer said, as the bot's history has it."""
    query = "SELECT json_extract(data, '$.text') FROM tracker_events WHERE conversation = ? AND type = 'user' "
    with sqlite3.connect(path) as database:
        return [row[0] for row in database.execute(query + "ORDER BY number", (conversation,))]


@pytest.fixture(scope="module")
def bot(
    bot_stack: BotStack, rasa_server: Callable[..., Process], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Door, Process, Path]]:
    """A bot with several workers, its process and its trackers."""
    folder, port = tmp_path_factory.mktemp("workers"), free_port()
    environment = {
        **bot_stack.environment, "BOT_TRACKERS": str(folder / "trackers.db"), "BOT_WORKERS": str(WORKERS)
    }
    door = Door(f"http://127.0.0.1:{port}/webhooks/desk")
    process = rasa_server(environment, port, folder / "bot.log")
    process.start(door.healthy)
    yield door, process, folder / "trackers.db"
    process.stop()


def talk(door: Door, order: Order, others: set[str]) -> str:
    """A short conversation about one order; nobody else's order may be spoken of."""
    name, number = f"parallel-{uuid.uuid4().hex}", order["number"]
    said = ["你好", f"帮我查下订单{number},手机尾号{order['phone_last4']}", "几点发货", f"{number}到哪儿了"]
    for seq, text in enumerate(said, 1):
        answer = asked_until_answered(door, body(name, seq, text))
        words = "\n".join(message["text"] for message in answer["messages"])
        assert not [other for other in others - {number} if other in words], (text, words)
        if number in text:
            assert [fact["value"] for fact in answer["facts"] if fact["name"] == "order_number"] == [number]
        if seq == 2 and answer["handoff"] is None:  # the shop may be too slow for so many on a small machine
            assert number in words
    return name


class TestManyAtOnce:
    def test_no_conversation_hears_of_another(
        self, bot_stack: BotStack, bot: tuple[Door, Process, Path]
    ) -> None:
        door, _, trackers = bot
        known = orders(bot_stack)
        chosen = [known[number % len(known)] for number in range(CLIENTS)]
        numbers = {order["number"] for order in known}
        with ThreadPoolExecutor(CLIENTS) as pool:
            names = list(pool.map(lambda order: talk(door, order, numbers), chosen))
        for name, order in zip(names, chosen, strict=True):
            said = told(trackers, name)
            assert len(said) == 4 and said[0] == "你好" and order["number"] in said[1], said

    def test_a_turn_asked_of_every_worker_happens_once(self, bot: tuple[Door, Process, Path]) -> None:
        door, _, trackers = bot
        turn = body(f"once-{uuid.uuid4().hex}", 1, "我的快递到哪了")
        with ThreadPoolExecutor(24) as pool:
            answers = list(pool.map(lambda _: asked_until_answered(door, turn), range(24)))
        assert all(answer == answers[0] for answer in answers)
        assert told(trackers, turn["conversation"]) == ["我的快递到哪了"]

    def test_turns_of_one_conversation_wait_for_each_other(self, bot: tuple[Door, Process, Path]) -> None:
        door, _, trackers = bot
        name = f"queue-{uuid.uuid4().hex}"
        with ThreadPoolExecutor(20) as pool:
            list(pool.map(lambda seq: asked_until_answered(door, body(name, seq, f"你好 {seq}")), range(1, 21)))
        assert sorted(told(trackers, name)) == sorted(f"你好 {seq}" for seq in range(1, 21))


def wait_until_stopped(pid: int) -> None:
    """A signal takes a moment to arrive."""
    until = time.monotonic() + 10
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        assert time.monotonic() < until
        time.sleep(0.01)


class TestFaults:
    def test_a_killed_worker_is_replaced_and_nothing_is_lost(self, bot: tuple[Door, Process, Path]) -> None:
        door, process, trackers = bot
        assert process.running is not None
        before = children(process.running.pid)
        assert len(before) == WORKERS
        name = f"killed-{uuid.uuid4().hex}"

        def conversation(number: int) -> list[str]:
            for seq in range(1, 9):
                asked_until_answered(door, body(f"{name}-{number}", seq, f"你好 {seq}"))
            return told(trackers, f"{name}-{number}")

        with ThreadPoolExecutor(12) as pool:
            talks = [pool.submit(conversation, number) for number in range(12)]
            time.sleep(0.3)
            os.kill(before[0], signal.SIGKILL)
            for one in talks:
                assert one.result() == [f"你好 {seq}" for seq in range(1, 9)]
        until = time.monotonic() + 30
        while len(children(process.running.pid)) < WORKERS and time.monotonic() < until:
            time.sleep(0.1)
        after = children(process.running.pid)
        assert len(after) == WORKERS and before[0] not in after
        assert process.running.poll() is None

    def test_a_stopped_bot_stands_still_as_a_whole(self, bot: tuple[Door, Process, Path]) -> None:
        door, process, _ = bot
        assert process.running is not None
        turn = body(f"still-{uuid.uuid4().hex}", 1, "你好")
        os.kill(process.running.pid, signal.SIGSTOP)
        wait_until_stopped(process.running.pid)
        try:
            with pytest.raises(requests.Timeout):
                headers = {"Authorization": f"Bearer {door.token}"}
                requests.post(f"{door.url}/turn", json=turn, headers=headers, timeout=2)
        finally:
            os.kill(process.running.pid, signal.SIGCONT)
        assert asked_until_answered(door, turn)["messages"]

    def test_no_worker_outlives_the_bot(
        self, bot_stack: BotStack, rasa_server: Callable[..., Process], tmp_path: Path
    ) -> None:
        port = free_port()
        door = Door(f"http://127.0.0.1:{port}/webhooks/desk")
        environment = {**bot_stack.environment, "BOT_TRACKERS": str(tmp_path / "trackers.db")}
        process = rasa_server(environment, port, tmp_path / "bot.log")
        process.start(door.healthy)
        assert process.running is not None
        workers = children(process.running.pid)
        process.running.kill()
        process.running.wait()
        until = time.monotonic() + 10
        while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < until:
            time.sleep(0.05)
        assert workers and not any(Path(f"/proc/{pid}").exists() for pid in workers)


class TestStart:
    def test_tensorflow_is_not_loaded(self, bot: tuple[Door, Process, Path]) -> None:
        _, process, _ = bot
        assert process.running is not None
        for pid in (process.running.pid, *children(process.running.pid)):
            assert "tensorflow" not in Path(f"/proc/{pid}/maps").read_text()

    def test_broken_trackers_are_put_aside(
        self, bot_stack: BotStack, rasa_server: Callable[..., Process], tmp_path: Path
    ) -> None:
        trackers = tmp_path / "trackers.db"
        trackers.write_bytes(b"this is no database " * 500)
        port = free_port()
        door = Door(f"http://127.0.0.1:{port}/webhooks/desk")
        process = rasa_server({**bot_stack.environment, "BOT_TRACKERS": str(trackers)}, port, tmp_path / "bot.log")
        try:
            process.start(door.healthy)
            assert asked_until_answered(door, body("after", 1, "你好"))["messages"]
        finally:
            process.stop()
        [aside] = tmp_path.glob("trackers.db.broken-*")
        assert aside.read_bytes().startswith(b"this is no database")
        assert "put aside" in (tmp_path / "bot.log").read_text()

    def test_locked_trackers_are_waited_for(
        self, bot_stack: BotStack, rasa_server: Callable[..., Process], tmp_path: Path
    ) -> None:
        trackers = tmp_path / "trackers.db"
        holder = sqlite3.connect(trackers, isolation_level=None, check_same_thread=False)
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        holder.execute("CREATE TABLE held (x)")
        port = free_port()
        door = Door(f"http://127.0.0.1:{port}/webhooks/desk")
        process = rasa_server({**bot_stack.environment, "BOT_TRACKERS": str(trackers)}, port, tmp_path / "bot.log")
        log = tmp_path / "bot.log"

        def healthy() -> bool:
            if log.exists() and "waiting for it" in log.read_text():
                with suppress(sqlite3.ProgrammingError):
                    holder.close()
            return door.healthy()

        try:
            process.start(healthy)
            assert "is locked by another program; waiting for it" in log.read_text()
        finally:
            process.stop()

    def test_a_port_in_use_is_said(
        self, bot: tuple[Door, Process, Path], bot_stack: BotStack, rasa_server: Callable[..., Process], tmp_path: Path
    ) -> None:
        port = int(bot[0].url.split(":")[2].split("/")[0])
        process = rasa_server(bot_stack.environment, port, tmp_path / "bot.log")
        with pytest.raises(RuntimeError, match=f"port {port}"):
            process.start(lambda: False)
        assert process.stop() == 1

    def test_a_broken_model_is_said(
        self, bot_stack: BotStack, tmp_path: Path, rasa_server: Callable[..., Process]
    ) -> None:
        process = rasa_server(bot_stack.environment, free_port(), tmp_path / "bot.log")
        process.words[-1] = str(tmp_path / "model.tar.gz")
        Path(process.words[-1]).write_bytes(b"no archive")
        with pytest.raises(RuntimeError, match="cannot be loaded; train one"):
            process.start(lambda: False)
        assert process.stop() == 1
        assert "Could not load model due to" in (tmp_path / "bot.log").read_text(), "the runner looks for these words"
