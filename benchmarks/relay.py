"""`relay`: a customer's message to the agent's socket through the desk, stored before it is delivered.

1,000 connected customers and 200 agents on one desk process; messages come at a steady rate, whatever the desk does
(open loop: the clock of a message starts when it is due). The peer, in the same run and with as many connections, is a
bare python-socketio server that sends each message on to another socket and stores nothing. Clients run in a process of
their own. Prints milliseconds and the ratio of desk to echo; goal: p99 within 3 times the echo's at 300 messages/s,
nothing lost.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from benchmarks.desk import ROOT, Talk, Worker, folder, prepare, seed_people, seed_talks, serving, wait_for_port
from benchmarks.measure import Goal, free_port, machine, percentile, print_table
from benchmarks.sockets import Socket
from handoff.database import Database

CUSTOMERS, AGENTS = 1000, 200
GOAL_RATE, GOAL = 300, Goal(3.0)
WARM_UP_SECONDS = 3.0
LONGEST_WAIT_STEPS = 200
CONNECT_AT_ONCE = 50
WORDS = "你好，手环2连不上手机，重启也试过了，能帮我看看吗？"


@dataclass
class Flight:
    """What was sent and what arrived; seconds by message id."""

    due: dict[str, float] = field(default_factory=dict)
    arrived: dict[str, list[float]] = field(default_factory=dict)
    acknowledged: dict[str, float] = field(default_factory=dict)

    def land(self, name: str) -> None:
        """Note that the receiver has the message."""
        self.arrived.setdefault(name, []).append(time.perf_counter())

    def acknowledge(self, name: str, _answer: object) -> None:
        """Note that the sender was told that the message is stored."""
        self.acknowledged[name] = time.perf_counter()

    def figures(self, cpu: float) -> list[float | int]:
        """Return milliseconds to arrive (p50, p95, p99), to be acknowledged (p99), lost, doubled, CPU seconds."""
        began = min(self.due.values()) + WARM_UP_SECONDS
        counted = {name: due for name, due in self.due.items() if due >= began}
        delays = [(self.arrived[one][0] - due) * 1000 for one, due in counted.items() if one in self.arrived]
        acks = [(self.acknowledged[one] - due) * 1000 for one, due in counted.items() if one in self.acknowledged]
        return [
            *(percentile(delays, percent) for percent in (50, 95, 99)),
            percentile(acks, 99),
            sum(1 for one in self.due if one not in self.arrived),
            sum(1 for times in self.arrived.values() if len(times) > 1),
            cpu,
        ]


@contextmanager
def echo() -> Iterator[tuple[str, int]]:
    """Run the bare server; yields its address and process id."""
    port = free_port()
    words = ["benchmarks.echo_server:make_app", "--factory", "--port", str(port), "--log-level", "warning"]
    process = subprocess.Popen([sys.executable, "-m", "uvicorn", *words], cwd=ROOT)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for_port(port, process)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait(10)


async def fly(senders: list[Socket], flight: Flight, rate: int, seconds: float, event: str) -> None:
    """Send `rate` messages a second over the senders in turn, then wait for the last to arrive."""
    began = time.perf_counter()
    total = int(rate * (seconds + WARM_UP_SECONDS))
    for number in range(total):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        name = f"m{number}"
        flight.due[name] = due
        answer = senders[number * 7 % len(senders)].emit(event, {"client_id": name, "text": f"{WORDS} {name}"})
        answer.add_done_callback(partial(flight.acknowledge, name))
    for _ in range(LONGEST_WAIT_STEPS):
        if len(flight.arrived) >= total:
            break
        await asyncio.sleep(0.1)
    await asyncio.sleep(0.5)  # a doubled one would come a little later


async def through_desk(
    url: str, pid: int, talks: list[Talk], people: list[Worker], rate: int, seconds: float
) -> tuple[Flight, float]:
    """Measure the desk; returns the flight and the processor seconds it took."""
    flight, welcomed = Flight(), asyncio.Semaphore(0)

    def at_agent(event: str, data: object) -> None:
        if event == "queue":
            welcomed.release()
        elif event == "message" and isinstance(data, dict) and data["sender"] == "customer":
            flight.land(data["text"].rpartition(" ")[2])

    def at_customer(event: str, data: object) -> None:
        if event == "queue":
            welcomed.release()

    agents = await _connect_all([(url, "/agents", {"token": person.token}, at_agent) for person in people])
    customers = await _connect_all(
        [(url, "/jieli", {"conversation": talk.id, "token": talk.token, "after": 2}, at_customer) for talk in talks]
    )
    for _ in range(len(agents) + len(customers)):
        await welcomed.acquire()
    began = cpu_seconds(pid)
    await fly(customers, flight, rate, seconds, "send")
    cpu = cpu_seconds(pid) - began
    await asyncio.gather(*(socket.close() for socket in [*agents, *customers]))
    return flight, cpu


async def through_echo(
    url: str, pid: int, customers: int, agents: int, rate: int, seconds: float
) -> tuple[Flight, float]:
    """Measure the bare server with as many connections; returns the flight and the processor seconds it took."""
    flight = Flight()

    def heard(event: str, data: object) -> None:
        if isinstance(data, dict):
            flight.land(data["client_id"])

    receivers = await _connect_all([(url, "/", {"receiver": True}, heard) for _ in range(agents)])
    senders = await _connect_all([(url, "/", {}, lambda *_: None) for _ in range(customers)])
    began = cpu_seconds(pid)
    await fly(senders, flight, rate, seconds, "send")
    cpu = cpu_seconds(pid) - began
    await asyncio.gather(*(socket.close() for socket in [*receivers, *senders]))
    return flight, cpu


async def _connect_all(wishes: list[Any]) -> list[Socket]:
    sockets: list[Socket] = []
    for start in range(0, len(wishes), CONNECT_AT_ONCE):
        sockets += await asyncio.gather(*(Socket.open(*wish) for wish in wishes[start : start + CONNECT_AT_ONCE]))
    return sockets


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    import psutil

    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


async def seed(address: str, customers: int, agents: int) -> tuple[list[Talk], list[Worker]]:
    """Fill an empty database."""
    database = Database(address)
    people = await seed_people(database, agents, capacity=customers)
    talks = await seed_talks(database, customers, people)
    await database.close()
    return talks, people


def measure(options: argparse.Namespace) -> None:
    """Run echo and desk at each rate and print the table."""
    rows = []
    size = (options.customers, options.agents)
    for rate in options.rates:
        with echo() as (url, pid):
            flight, cpu = asyncio.run(through_echo(url, pid, *size, rate, options.seconds))
            bare = flight.figures(cpu)
        with folder() as var:
            talks, people = asyncio.run(seed(prepare(var), *size))
            with serving(var) as desk:
                pid = desk.process.pid
                flight, cpu = asyncio.run(through_desk(desk.url, pid, talks, people, rate, options.seconds))
                ours = flight.figures(cpu)
        share, whole = ours[2] / bare[2], not ours[4] + ours[5]
        rows.append([f"bare echo, {rate}/s", *bare, 1.0, ""])
        rows.append([f"desk, {rate}/s", *ours, share, "yes" if GOAL.met(share) and whole else "NO"])
    title = f"relay: {options.customers} customers, {options.agents} agents, {options.seconds:.0f} s each ({machine()})"
    head = ["", "p50 ms", "p95 ms", "p99 ms", "ack p99 ms", "lost", "doubled", "CPU s", "p99 desk/echo", "met"]
    print_table(title, head, rows)
    print(f"Goal: p99 {GOAL} times the echo's at {GOAL_RATE} messages/s, none lost, none doubled.")



def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="benchmarks.relay", description=__doc__)
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    parser.add_argument("--agents", type=int, default=AGENTS)
    parser.add_argument("--rates", type=int, nargs="+", default=[100, GOAL_RATE])
    parser.add_argument("--seconds", type=float, default=15)
    measure(parser.parse_args())


if __name__ == "__main__":
    main()
