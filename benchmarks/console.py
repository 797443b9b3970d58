"""`bench console`: from a customer's message to the agent's screen in Chromium, and from the login to a usable page.

One person has 300 conversations in sight: 200 own, 80 in line, 20 that need somebody. Messages go to the open
conversation and to others in turn. Peers in the same run: a bare `/agents` socket that hears the same messages, and a
bare page that shows what python-socketio sends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import random
import secrets
import shutil
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import socketio
import uvicorn
from playwright.async_api import Browser, Page, async_playwright
from playwright.async_api import TimeoutError as PlaywrightTimeout

from benchmarks.desk import Talk, Worker, folder, prepare, seed_people, seed_talks, serving
from benchmarks.measure import free_port, machine, percentile, print_table
from handoff.agents.models import Agent
from handoff.agents.passwords import hasher
from handoff.clock import now
from handoff.conversations.models import Conversation
from handoff.database import Database
from handoff.identifiers import new_id
from handoff.queue.models import Handoff, Reason, State

NAME, PASSWORD = "Bench", secrets.token_urlsafe(12)
OWN, WAITING, CONCERN = 200, 80, 20
LONG = 1000
MESSAGES = 200
VISITS = 9
PAUSE = (0.05, 0.25)
TYPING_SECONDS = 1.5
PATIENCE = 20.0
# Notes when a text first stands in the page, by the clock that this process has too.
WATCH = """
window.seen = {};
const look = (node) => {
  for (const [text] of (node.textContent ?? "").matchAll(/ping-\\w+-\\d+/g)) window.seen[text] ??= Date.now();
};
new MutationObserver((changes) => {
  for (const { target, addedNodes } of changes) { look(target); addedNodes.forEach(look); }
}).observe(document, { subtree: true, childList: true, characterData: true });
"""
BARE_PAGE = """<!doctype html><title>bare</title><script src="/socket.io.js"></script><ul></ul><script>
const show = (text) => {
  document.querySelector("ul").append(Object.assign(document.createElement("li"), { textContent: text }));
};
io({ transports: ["websocket"] }).on("message", show);
</script>"""


@dataclass
class Times:
    """When each message was sent, and when it arrived where; seconds since 1970."""

    sent: dict[str, float] = field(default_factory=dict)
    socket: dict[str, float] = field(default_factory=dict)
    screen: dict[str, float] = field(default_factory=dict)

    def delays(self, where: str, kind: str) -> list[float]:
        """Milliseconds from sending to `socket` or `screen` for messages of one kind."""
        there = getattr(self, where)
        return [(there[text] - at) * 1000 for text, at in self.sent.items() if f"-{kind}-" in text and text in there]

    def over_the_socket(self, kind: str) -> list[float]:
        """Milliseconds that the screen needed more than the bare socket, message by message."""
        both = [text for text in self.sent if f"-{kind}-" in text and text in self.socket and text in self.screen]
        return [max(0.0, self.screen[text] - self.socket[text]) * 1000 for text in both]

    def lost(self) -> int:
        """Messages that never came to the screen."""
        return len(set(self.sent) - set(self.screen))


async def seed(url: str) -> tuple[Worker, list[Talk], Talk]:
    """Make the person, the 300 conversations, and one more with `LONG` messages; returns them."""
    database = Database(url)
    people = await seed_people(database, 1, capacity=OWN + LONG)
    own = await seed_talks(database, OWN, people, 8)
    [long] = await seed_talks(database, 1, people, LONG)
    others = await seed_talks(database, WAITING + CONCERN, [], 8)
    async with database.write() as session:
        person = await session.get_one(Agent, people[0].id)
        person.name, person.password_hash = NAME, hasher.hash(PASSWORD)
        for arrival, talk in enumerate(others[:WAITING], 1):
            (await session.get_one(Conversation, talk.id)).owner = "queue"
            session.add(_handoff(talk.id, arrival))
        for talk in others[WAITING:]:
            (await session.get_one(Conversation, talk.id)).concern = 80
    await database.close()
    return people[0], own, long


def _handoff(conversation: str, arrival: int) -> Handoff:
    line = {"zh": "手环一直没有步数，重启过也没用；希望换新", "en": "The band counts no steps; hopes for a new one"}
    return Handoff(
        id=new_id("h"), conversation_id=conversation, reason=Reason.COMPLEX, priority=3, group_name="care",
        emotion={"label": "angry", "score": 0.8, "course": []}, evidence=[1], summary_line=line,
        state=State.WAITING, arrival=arrival, created_at=now(),
    )  # fmt: skip


async def log_in(page: Page, path: str) -> float:
    """Log in and return the seconds from pressing the button until the page can be worked with."""
    await page.goto(path)
    await page.locator("[name=name]").fill(NAME)
    await page.locator("[name=password]").fill(PASSWORD)
    await asyncio.sleep(TYPING_SECONDS)  # nobody types faster
    began = time.perf_counter()
    await page.locator("form button").click()
    await page.locator("#rows [data-conversation]").nth(5).wait_for()
    await page.wait_for_function("window.did_handshake")
    return time.perf_counter() - began


async def visits(browser: Browser, url: str) -> dict[str, list[float]]:
    """Time first visits (nothing kept in the browser) and later ones."""
    times: dict[str, list[float]] = {"first visit": [], "later visits": []}
    for _ in range(VISITS):
        context = await browser.new_context(base_url=url, viewport={"width": 1280, "height": 800})
        for kind in times:
            page = await context.new_page()
            times[kind].append(await log_in(page, "/desk"))
            await page.close()
            await context.clear_cookies()
        await context.close()
    return times


async def opening(page: Page, talk: Talk) -> list[float]:
    """Return how long it takes to open the conversation with `LONG` messages, in seconds."""
    times = []
    row = page.locator(f'li[data-conversation="{talk.id}"] .row')
    for _ in range(5):
        await page.locator("#rows [data-conversation]").first.locator(".row").click()
        await page.locator(f'[data-seq="{LONG}"]').wait_for(state="detached")
        await row.scroll_into_view_if_needed()
        began = time.perf_counter()
        await row.click()
        await page.locator(f'[data-seq="{LONG}"]').wait_for()
        times.append(time.perf_counter() - began)
    return times


@asynccontextmanager
async def heard(url: str, namespace: str, auth: dict[str, Any], times: dict[str, float]) -> AsyncIterator[None]:
    """Hear messages with a bare socket until the block ends."""
    client = socketio.AsyncClient()

    async def hear(message: Any) -> None:
        times.setdefault(message["text"], time.time())

    client.on("message", hear, namespace=namespace)
    await client.connect(url, auth=auth, namespaces=[namespace], transports=["websocket"])
    try:
        yield
    finally:
        await client.disconnect()


async def messages(page: Page, url: str, worker: Worker, talks: list[Talk]) -> Times:
    """Send messages to the open conversation and to others, and note when they arrive."""
    times = Times()
    shown, *others = talks
    await page.evaluate(WATCH)
    async with heard(url, "/agents", {"token": worker.token}, times.socket), httpx.AsyncClient(trust_env=False) as http:
        for number in range(MESSAGES):
            kind, talk = ("open", shown) if number % 2 == 0 else ("list", others[number % len(others)])
            text = f"ping-{kind}-{number}"
            times.sent[text] = time.time()
            answer = await http.post(
                f"{url}/api/v1/conversations/{talk.id}/messages",
                json={"client_id": text, "text": text},
                headers={"Authorization": f"Bearer {talk.token}"},
            )
            answer.raise_for_status()
            await asyncio.sleep(random.uniform(*PAUSE))
        await _until(page, len(times.sent))
    times.screen = {text: at / 1000 for text, at in (await page.evaluate("window.seen")).items()}
    return times


async def _until(page: Page, count: int) -> None:
    with contextlib.suppress(PlaywrightTimeout):  # what is missing is counted as lost
        await page.wait_for_function(
            "(count) => Object.keys(window.seen).length >= count", arg=count, timeout=PATIENCE * 1000
        )


def serve_bare(port: int) -> None:
    """The peer: a server that sends on what it is sent, and a page that shows it."""
    from nicegui import __file__ as nicegui

    server = socketio.AsyncServer(async_mode="asgi")

    async def say(_: str, text: str) -> None:
        await server.emit("message", text)

    server.on("say", say)
    script = os.path.join(os.path.dirname(nicegui), "static", "socket.io.min.js")

    async def page(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/html")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": BARE_PAGE.encode()})

    app = socketio.ASGIApp(server, page, static_files={"/socket.io.js": script})
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", lifespan="off")


async def bare(browser: Browser) -> list[float]:
    """Return the milliseconds from sending to the bare page's screen."""
    port = free_port()
    process = multiprocessing.get_context("spawn").Process(target=serve_bare, args=(port,), daemon=True)
    process.start()
    times = Times()
    try:
        await _serves(port)
        page = await browser.new_page()
        await page.goto(f"http://127.0.0.1:{port}/")
        await page.evaluate(WATCH)
        client = socketio.AsyncClient()
        await client.connect(f"http://127.0.0.1:{port}", transports=["websocket"])
        for number in range(MESSAGES // 2):
            text = f"ping-bare-{number}"
            times.sent[text] = time.time()
            await client.emit("say", text)
            await asyncio.sleep(random.uniform(*PAUSE))
        await _until(page, len(times.sent))
        times.screen = {text: at / 1000 for text, at in (await page.evaluate("window.seen")).items()}
        await client.disconnect()
        await page.close()
    finally:
        process.terminate()
        process.join()
    return times.delays("screen", "bare")


async def _serves(port: int) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        for _ in range(300):
            try:
                await http.get(f"http://127.0.0.1:{port}/")
                return
            except httpx.HTTPError:
                await asyncio.sleep(0.1)
    raise SystemExit("The bare page's server did not start.")


def chromium() -> str:
    """The browser: CHROMIUM, or the first one found."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if name and (found := shutil.which(name))), None)
    if path is None:
        raise SystemExit("No Chromium here. Install it (Debian, Ubuntu: apt install chromium) or set CHROMIUM.")
    return path


async def measure(url: str, worker: Worker, talks: list[Talk], long: Talk) -> int:
    """Measure and print; returns 1 when messages were lost on the way to the screen."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        waits = await visits(browser, url)
        page = await browser.new_page(base_url=url, viewport={"width": 1280, "height": 800})
        await log_in(page, "/desk")
        await page.locator("#tab-mine").click()
        opened = await opening(page, long)
        await page.locator(f'li[data-conversation="{talks[0].id}"] .row').click()
        await page.locator(".message").first.wait_for()
        times = await messages(page, url, worker, talks)
        raw = await bare(browser)
        await browser.close()
    report(times, raw, waits, opened)
    return 1 if times.lost() else 0


def report(times: Times, raw: list[float], waits: dict[str, list[float]], opened: list[float]) -> None:
    """Print the tables."""
    head = ["milliseconds", "p50", "p95", "p99", "goal (p95)", "met"]

    def line(what: str, values: list[float], goal: float | None = None) -> list[Any]:
        shares = [percentile(values, percent) for percent in (50, 95, 99)]
        verdict = "" if goal is None else "yes" if shares[1] < goal else "NO"
        return [what, *shares, "" if goal is None else f"< {goal:,.0f}", verdict]

    print(machine())
    print_table(
        f"A customer's message to the screen; {OWN + WAITING + CONCERN} conversations in sight, {times.lost()} lost",
        head,
        [
            line("open conversation: screen", times.delays("screen", "open")),
            line("open conversation: bare /agents socket", times.delays("socket", "open")),
            line("open conversation: screen over the socket", times.over_the_socket("open"), 150),
            line("list of one's own: screen", times.delays("screen", "list")),
            line("list of one's own: bare /agents socket", times.delays("socket", "list")),
            line("list of one's own: screen over the socket", times.over_the_socket("list"), 150),
            line("a bare page on python-socketio (raw limit)", raw),
        ],
    )
    rows = [line(f"login to usable, {kind}", [1000 * one for one in values], 1500) for kind, values in waits.items()]
    rows.append(line(f"opening a conversation of {LONG:,} messages", [1000 * one for one in opened]))
    print_table("Waiting for the page", head, rows)


def main() -> int:
    """Seed a desk, serve it, measure."""
    with folder() as var:
        address = prepare(var)
        people = asyncio.run(seed(address))
        with serving(var) as desk:
            return asyncio.run(measure(desk.url, *people))


if __name__ == "__main__":
    sys.exit(main())
