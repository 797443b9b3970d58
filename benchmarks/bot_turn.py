"""Our bot's door beside stock Rasa's REST channel: turns/s, latency, memory, start, training, size.

One defined mix for both: 12-turn conversations, 40 % of the turns look an order up in the shop, half of the texts were
never said before. 1, 16 and 64 clients talk at once, each through one kept connection, on the cores of this machine,
which the shop and the clients share. What stock Rasa is, and what was mapped so that it does the same work, is told in
`benchmarks/stock_rasa/project.py`. Stock's model is trained once for the present data and kept in `$JIELI_VAR/bench`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks import processes
from benchmarks.bot_talk import Customers, Said, shop_orders
from benchmarks.measure import Comparison, Goal, machine, memory_mb, percentile, print_comparison, print_table
from benchmarks.stock_rasa import project

CLIENTS = (1, 16, 64)
SEED = 20_26
WARM_CONVERSATIONS = 4


@dataclass
class Load:
    """What some clients measured: seconds a turn, and how much of the mix was really done."""

    seconds: float = 0.0
    turns: list[float] = field(default_factory=list)
    failed: int = 0
    asked: int = 0
    looked_up: int = 0

    @property
    def rate(self) -> float:
        """Turns a second."""
        return len(self.turns) / self.seconds if self.seconds else 0.0

    def milliseconds(self, percent: float) -> float:
        """A percentile of the latency."""
        return percentile(self.turns, percent) * 1000


@dataclass
class Measured:
    """One bot, measured."""

    start: float = 0.0
    train: float = 0.0
    size: float = 0.0
    memory: float = 0.0
    loads: dict[int, Load] = field(default_factory=dict)


Body = Callable[[str, int, str], dict[str, Any]]


def our_body(conversation: str, seq: int, text: str) -> dict[str, Any]:
    """A turn for the desk's door."""
    messages = [{"seq": seq, "text": text}]
    return {"conversation": conversation, "turn_id": f"{conversation}-{seq}", "messages": messages}


def stock_body(conversation: str, seq: int, text: str) -> dict[str, Any]:
    """A turn for Rasa's REST channel."""
    return {"sender": conversation, "message": text}


async def _talk(stack: processes.Stack, body: Body, customers: Customers, clients: int, seconds: float) -> Load:
    """Let `clients` talk at once for so long; conversations that run at the end are talked to their end, uncounted."""
    load, began, made = Load(), time.perf_counter(), 0
    until = began + seconds

    async def client(session: aiohttp.ClientSession) -> None:
        nonlocal made
        while time.perf_counter() < until:
            made += 1
            name = f"bench-{clients}-{began:.0f}-{made}"
            for seq, said in enumerate(customers.conversation(), 1):
                asked = time.perf_counter()
                if asked >= until:
                    return
                answered = await _ask(session, stack.url, body(name, seq, said.text))
                if time.perf_counter() <= until:
                    _count(load, said, answered, time.perf_counter() - asked)

    sessions = [aiohttp.ClientSession(headers=stack.headers) for _ in range(clients)]
    try:
        await asyncio.gather(*(client(session) for session in sessions))
    finally:
        for session in sessions:
            await session.close()
    load.seconds = seconds
    return load


async def _ask(session: aiohttp.ClientSession, url: str, body: dict[str, Any]) -> str | None:
    """The text of an answer; None for a failure or an empty one."""
    async with session.post(url, json=body, timeout=aiohttp.ClientTimeout(total=60)) as response:
        text = await response.text()
        return text if response.status == 200 and text != "[]" else None


def _count(load: Load, said: Said, answered: str | None, seconds: float) -> None:
    load.turns.append(seconds)
    load.failed += answered is None
    load.asked += said.number is not None
    load.looked_up += said.number is not None and said.number in (answered or "")


def _measure(stack: processes.Stack, body: Body, seconds: float) -> Measured:
    measured = Measured(start=processes.start(stack))
    customers = Customers(shop_orders(stack.environment), SEED)
    asyncio.run(_talk(stack, body, customers, WARM_CONVERSATIONS, 3.0))
    for clients in CLIENTS:
        measured.loads[clients] = asyncio.run(_talk(stack, body, customers, clients, seconds))
    measured.memory = memory_mb(stack.pids)
    return measured


def measure_ours(seconds: float) -> Measured:
    """Our bot, by the lines of Procfile."""
    with processes.ours() as stack:
        measured = _measure(stack, our_body, seconds)
        measured.size = (Path(stack.environment["BOT_MODELS"]) / "current.tar.gz").stat().st_size / 1e6
    return measured


def measure_stock(trained: Path, seconds: float) -> Measured:
    """Stock Rasa, trained in `trained`."""
    with processes.stock(trained) as stack:
        measured = _measure(stack, stock_body, seconds)
    measured.size = (trained / project.MODEL).stat().st_size / 1e6
    measured.train = project.train_seconds(trained)
    return measured


def report(ours: Measured, stock: Measured, epochs: int) -> None:
    """Print what was measured, and the comparison with its goals."""
    head = ["", "clients", "turns/s", "p50 ms", "p95 ms", "p99 ms", "turns", "failed", "lookups %", "found %"]
    rows = [_row(name, clients, load) for name, bot in (("ours", ours), ("stock", stock))
            for clients, load in bot.loads.items()]
    print_table(f"Turns ({machine()})", head, rows)
    lines = [
        *(_line(f"turns/s, {n} clients", ours.loads[n].rate, stock.loads[n].rate,
                Goal(6, at_least=True) if n == 16 else None) for n in CLIENTS),
        *(_line(f"p50 ms, {n} clients", ours.loads[n].milliseconds(50), stock.loads[n].milliseconds(50),
                {1: Goal(1 / 3), 16: Goal(1 / 5)}.get(n)) for n in CLIENTS),
        _line("memory of all bot processes, MB", ours.memory, stock.memory, Goal(1)),
        _line("ready to serve after, s", ours.start, stock.start, Goal(1 / 2)),
        _line(f"training, s (stock: {epochs} of its 100 epochs)", ours.train, stock.train),
        _line("model, MB", ours.size, stock.size),
    ]
    print_comparison("Compared", "stock", lines)


def _row(name: str, clients: int, load: Load) -> list[Any]:
    latency = [load.milliseconds(percent) for percent in (50, 95, 99)]
    found = 100 * load.looked_up / max(1, load.asked)
    share = 100 * load.asked / max(1, len(load.turns))
    return [name, clients, load.rate, *latency, len(load.turns), load.failed, share, found]


def _line(what: str, ours: float, stock: float, goal: Goal | None = None) -> Comparison:
    return Comparison(what, ours, stock, goal)


def main() -> None:
    """Measure both and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bot_turn", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each number of clients talks")
    parser.add_argument("--stock-epochs", type=int, default=project.EPOCHS, help="stock's own default is 100")
    options = parser.parse_args()
    bench = Path(os.environ.get("JIELI_VAR") or processes.ROOT / "var").resolve() / "bench"
    trained = project.ensure(bench, options.stock_epochs)
    train = processes.train_ours(bench)
    ours = measure_ours(options.seconds)
    ours.train = train
    report(ours, measure_stock(trained, options.seconds), options.stock_epochs)


if __name__ == "__main__":
    main()
