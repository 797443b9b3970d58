"""One conversation of a thousand turns: what turn 5, 50, 500 and 1000 cost, beside stock Rasa as far as it is bearable.

Each figure is the median of the turns around it. The same few wishes take turns, so that every point sees the same
work. On the way our bot is killed (SIGKILL) and started again: the turn that was answered last must have the same
answer.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import aiohttp

from benchmarks import processes
from benchmarks.bot_talk import shop_orders
from benchmarks.bot_turn import Body, our_body, stock_body
from benchmarks.measure import machine, percentile, print_table
from benchmarks.stock_rasa import project

POINTS = (5, 50, 100, 200, 500, 1000)
STOCK_LAST = 200
AROUND = 5  # turns on each side of a point
KILLED_AFTER = 300
GOAL = 1.3
# A block of ten turns: each point's window holds every one of them.
_BLOCK = ("你好", "几点发货", "帮我查下订单{number},手机尾号{phone}", "保修多久", "谢谢", "怎么升级固件", "你能做什么",
          "运费怎么算", "{number}到哪儿了?手机尾号{phone}", "周末送货吗")


class Talk:
    """The one conversation; it always asks through one kept connection."""

    def __init__(self, stack: processes.Stack, body: Body, orders: list[dict[str, str]]) -> None:
        self._stack, self._body, self._orders = stack, body, orders
        self._session = aiohttp.ClientSession(headers=stack.headers)
        self.seconds: list[float] = []

    async def turns_until(self, last: int) -> None:
        """Talk on until turn `last` has been answered."""
        for turn in range(len(self.seconds) + 1, last + 1):
            asked = time.perf_counter()
            await self.ask(turn)
            self.seconds.append(time.perf_counter() - asked)

    async def ask(self, turn: int) -> str:
        """The answer to a turn; RuntimeError when there is none."""
        body = self._body("long-talk", turn, self._text(turn))
        async with self._session.post(self._stack.url, json=body) as response:
            answer = await response.text()
        if response.status != 200 or answer == "[]":
            raise RuntimeError(f"turn {turn} was not answered: {response.status} {answer[:200]}")
        return answer

    def _text(self, turn: int) -> str:
        order = self._orders[turn // len(_BLOCK) % len(self._orders)]
        return _BLOCK[turn % len(_BLOCK)].format(number=order["number"], phone=order["phone_last4"])

    async def connect_again(self) -> None:
        """Leave the connection to a bot that is gone."""
        await self._session.close()
        self._session = aiohttp.ClientSession(headers=self._stack.headers)

    async def close(self) -> None:
        """Close the connection."""
        await self._session.close()

    def around(self, point: int) -> float:
        """Median milliseconds of the turns around one."""
        window = self.seconds[max(0, point - AROUND - 1): point + AROUND]
        return percentile(window, 50) * 1000


async def _ours(last: int) -> tuple[list[float], bool]:
    with processes.ours() as stack:
        processes.start(stack)
        talk = Talk(stack, our_body, shop_orders(stack.environment))
        try:
            await talk.turns_until(min(KILLED_AFTER, last))
            before = await talk.ask(len(talk.seconds))
            _kill_and_start(stack)
            await talk.connect_again()
            survived = await talk.ask(len(talk.seconds)) == before
            await talk.turns_until(last + AROUND)
            return [talk.around(point) for point in POINTS if point <= last], survived
        finally:
            await talk.close()


def _kill_and_start(stack: processes.Stack) -> None:
    stack.bot.stop(signal.SIGKILL)
    stack.bot.start()
    stack.bot.wait()


async def _stock(trained: Path, last: int) -> list[float]:
    with processes.stock(trained) as stack:
        processes.start(stack)
        talk = Talk(stack, stock_body, shop_orders(stack.environment))
        try:
            await talk.turns_until(last + AROUND)
            return [talk.around(point) for point in POINTS if point <= last]
        finally:
            await talk.close()


def main() -> None:
    """Measure both and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.long_talk", description=__doc__)
    parser.add_argument("--stock-turns", type=int, default=STOCK_LAST, help="how far stock Rasa is taken")
    options = parser.parse_args()
    bench = Path(os.environ.get("JIELI_VAR") or processes.ROOT / "var").resolve() / "bench"
    trained = project.ensure(bench)
    processes.train_ours(bench)
    ours, survived = asyncio.run(_ours(POINTS[-1]))
    stock = asyncio.run(_stock(trained, options.stock_turns))
    rows = []
    for index, point in enumerate(POINTS):
        peer = stock[index] if index < len(stock) else float("nan")
        rows.append([f"turn {point}", ours[index], ours[index] / ours[0], peer, peer / stock[0]])
    head = ["", "ours, p50 ms", "× turn 5", "stock, p50 ms", "× turn 5"]
    print_table(f"One long conversation ({machine()})", head, rows)
    growth = ours[-1] / ours[0]
    print(f"Turn {POINTS[-1]} costs {growth:.2f} × turn 5; goal ≤ {GOAL}: {'yes' if growth <= GOAL else 'NO'}")
    print(f"Killed after turn {KILLED_AFTER} and started again, it gave the same answer: {'yes' if survived else 'NO'}")
    sys.exit(0 if survived else 1)


if __name__ == "__main__":
    main()
