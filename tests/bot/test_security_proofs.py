"""Order proofs tried by the thousand, and doors that must not be open: against the real bot, action server and shop."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import pytest
import requests

from bot.actions.clients import proofs
from bot.actions.clients.proofs import MOST_FOR_ORDER, MOST_FROM_NETWORK, MOST_IN_CONVERSATION, WrongProofs
from bot.actions.clients.shop import OrderNotFound, ShopUnavailable, TooManyProofs
from tests.bot.conftest import BOT_TOKEN, IDENTITY_SECRET, SHOP_TOKEN, BotStack
from tests.bot.skill_talk import orders, take


def asked(number: str, digits: str) -> str:
    """How a customer asks for an order with its proof."""
    return f"查订单 {number}，手机尾号 {digits}"


def guess(count: WrongProofs, number: str, conversation: str = "c", network: str | None = None) -> bool:
    """Try a wrong proof; tells whether it was tried at all."""
    try:
        with count.attempt(number, conversation, network):
            raise OrderNotFound("not_found")
    except TooManyProofs:
        return False
    except OrderNotFound:
        return True


class TestCount:
    @pytest.fixture
    def count(self, tmp_path: Path) -> WrongProofs:
        return WrongProofs(tmp_path / "proofs.db")

    def test_one_order_from_many_conversations(self, count: WrongProofs) -> None:
        assert [guess(count, "LM1", f"c{number}") for number in range(8)] == [True] * MOST_FOR_ORDER + [False] * 3
        with pytest.raises(TooManyProofs), count.attempt("LM1", "owner", None):
            raise AssertionError("the right proof is not tried either until the hour is over")
        assert guess(count, "LM2", "c0")

    def test_many_orders_from_one_conversation_and_one_network(self, count: WrongProofs) -> None:
        tried = [guess(count, f"LM{number}") for number in range(MOST_IN_CONVERSATION + 3)]
        assert tried == [True] * MOST_IN_CONVERSATION + [False] * 3
        tried = [guess(count, f"A{number}", f"n{number}", "network") for number in range(MOST_FROM_NETWORK + 3)]
        assert tried == [True] * MOST_FROM_NETWORK + [False] * 3
        assert guess(count, "B1", "elsewhere", "another network") and guess(count, "B2", "no network")

    def test_guesses_at_the_same_time_gain_nothing(self, count: WrongProofs) -> None:
        tried = []

        async def one(number: int) -> None:
            try:
                with count.attempt("LM1", f"c{number}", None):
                    tried.append(number)
                    await asyncio.sleep(0.05)
                    raise OrderNotFound("not_found")
            except (OrderNotFound, TooManyProofs):
                pass

        async def burst() -> None:
            await asyncio.gather(*[one(number) for number in range(50)])

        asyncio.run(burst())
        assert len(tried) == MOST_FOR_ORDER

    def test_right_proofs_and_a_broken_shop_do_not_count(self, count: WrongProofs) -> None:
        for _ in range(20):
            with count.attempt("LM1", "c", "n"):
                pass
            with pytest.raises(ShopUnavailable), count.attempt("LM1", "c", "n"):
                raise ShopUnavailable("down")
        assert guess(count, "LM1")

    def test_over_after_an_hour_and_kept_over_a_restart(
        self, count: WrongProofs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(MOST_FOR_ORDER):
            guess(count, "LM1")
        again = WrongProofs(tmp_path / "proofs.db")
        assert not guess(again, "LM1")
        later = proofs.time.time() + proofs.WINDOW_SECONDS + 1
        monkeypatch.setattr(proofs.time, "time", lambda: later)
        assert guess(again, "LM1")

    def test_the_file_names_no_order(self, count: WrongProofs, tmp_path: Path) -> None:
        guess(count, "LM2024010101", "conversation", "network")
        kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert b"LM2024010101" not in kept and b"conversation:" not in kept


class TestTalk:
    def test_an_order_guessed_from_many_conversations(self, bot_stack: BotStack) -> None:
        order = take(bot_stack, "delivered", "shipped", "refunded")
        wrong = [f"{number:04d}" for number in range(1, 20) if f"{number:04d}" != order["phone_last4"]]
        said = []
        for digits in wrong[:6]:
            answer = bot_stack.talk(f"g-{uuid.uuid4().hex}", asked(order["number"], digits))
            said.append("\n".join(message["text"] for message in answer["messages"]))
        owner = bot_stack.talk(f"g-{uuid.uuid4().hex}", asked(order["number"], order["phone_last4"]))
        unknown = bot_stack.talk(f"g-{uuid.uuid4().hex}", asked("LM2099123199", "0001"))
        first = said[0].replace(order["number"], "N").replace(wrong[0], "P")
        assert first == unknown["messages"][0]["text"].replace("LM2099123199", "N").replace("0001", "P")
        right = "\n".join(message["text"] for message in owner["messages"])
        assert "锁定" in said[5] and "锁定" in right, "the right proof waits as well until the hour is over"
        assert not any("锁定" in one for one in said[:5])

    def test_orders_guessed_one_after_the_other(self, bot_stack: BotStack, conversation: str) -> None:
        for number in range(MOST_IN_CONVERSATION + 1):
            answer = bot_stack.talk(conversation, asked(f"LM20990101{number:02d}", "9999"))
            if answer["handoff"]:
                return  # a person looks at it now: the guessing has ended as well
        assert "锁定" in answer["messages"][0]["text"]


class TestDoors:
    def test_everything_listens_on_loopback_only(self, bot_stack: BotStack) -> None:
        ports = {int(bot_stack.environment[name]) for name in ("ACTIONS_PORT", "SHOP_PORT")}
        ports.add(int(bot_stack.url.split(":")[2].split("/")[0]))
        found = {port: places for port, places in listening().items() if port in ports}
        assert set(found) == ports and {place for places in found.values() for place in places} == {"0100007F"}

    def test_rasas_own_api_is_closed(self, bot_stack: BotStack) -> None:
        base = bot_stack.url.removesuffix("/webhooks/desk")
        bearer = {"Authorization": f"Bearer {BOT_TOKEN}"}
        for path in ("model", "model/parse", "conversations/x/tracker", "webhooks/rest/webhook", "domain", "status"):
            for method in ("GET", "POST", "PUT", "DELETE"):
                url = f"{base}/{path}?token={BOT_TOKEN}"
                answer = requests.request(
                    method, url, json={"sender": "x", "message": "hi"}, headers=bearer, timeout=10
                )
                assert answer.status_code in (404, 405), (method, path)

    def test_another_conversations_turn_is_not_told(self, bot_stack: BotStack, conversation: str) -> None:
        turn = {"turn_id": "t1", "messages": [{"seq": 1, "text": "我叫王小明，怎么退货"}]}
        mine = bot_stack.call("turn", {"conversation": conversation, **turn})
        other = {"conversation": f"{conversation}-other", "turn_id": "t1", "messages": [{"seq": 1, "text": "你好"}]}
        theirs = bot_stack.call("turn", other)
        assert mine.status_code == theirs.status_code == 200 and mine.json() != theirs.json()

    def test_logs_keep_no_secret_no_proof_and_no_words(self, bot_stack: BotStack, conversation: str) -> None:
        order = next(one for one in orders(bot_stack) if one["status"] == "shipped")
        bot_stack.talk(conversation, asked(order["number"], order["phone_last4"]))
        bot_stack.talk(conversation, "我的暗号是绝密七三")
        bot_stack.call("turn", {"conversation": conversation, "turn_id": "x", "messages": "绝密七三"})
        bot_stack.call("turn", {}, token="wrong-token-7f3a")
        for name in ("rasa", "actions", "shop"):
            log = (bot_stack.folder / f"{name}.log").read_text("utf-8", errors="replace")
            for secret in ("绝密七三", order["number"], "7f3a", BOT_TOKEN, SHOP_TOKEN, IDENTITY_SECRET):
                assert secret not in log, (name, secret)


def listening() -> dict[int, set[str]]:
    """Return the ports of this machine that accept connections, with the addresses on which they do."""
    found: dict[int, set[str]] = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                address, _, port = fields[1].partition(":")
                found.setdefault(int(port, 16), set()).add(address)
    return found
