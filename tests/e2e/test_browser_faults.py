"""Bad wires, a desk that is killed, sleeping tabs and wrong clocks, seen from both browsers.

What was acknowledged is there once and in order, for the customer and for the agent; what was not says so and goes out
once when the line is back; and nobody loses what they were writing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from playwright.async_api import Browser, Locator, Page, WebSocketRoute, expect

from tests.e2e.console_support import Customer, another_page, claim, go_online, log_in, reply, waiting_customer
from tests.e2e.customer import PATIENCE, Widget
from tests.e2e.wire import wire
from tests.product import Product

BACK = 60_000
MARK = ".offline-mark"


async def stored(product: Product, id: str) -> list[tuple[int, str, str]]:
    """Return `(seq, sender, text)` of everything the desk has of a conversation."""
    account = product.agent("supervisor")
    async with httpx.AsyncClient(base_url=f"{product.url}/api/v1", trust_env=False, timeout=30) as api:
        body = {"name": account["name"], "password": account["password"]}
        token = (await api.post("/agents/login", json=body)).raise_for_status().json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        page = (await api.get(f"/conversations/{id}/messages", headers=headers)).raise_for_status().json()
    return [
        (one["seq"], one["sender"], one["text"] or (one["attachment"] or {}).get("name")) for one in page["messages"]
    ]


def said(rows: list[tuple[int, str, str]], sender: str) -> list[str]:
    """Return one side's texts, and assert that numbers have no gap."""
    assert [seq for seq, _, _ in rows] == list(range(1, len(rows) + 1))
    return [text for _, who, text in rows if who == sender]


async def seqs(rows: Locator) -> list[int]:
    """Return the numbers of the messages on a page, from top to bottom."""
    return await rows.evaluate_all("(nodes) => nodes.map((node) => Number(node.dataset.seq))")


@asynccontextmanager
async def at_work(browser: Browser, product: Product, url: str, one: Customer) -> AsyncIterator[Page]:
    """An agent's page at `url` with the customer's conversation taken."""
    async with another_page(browser, product, base_url=url) as page:
        await log_in(page, product.agent())
        await go_online(page)
        await claim(page, one)
        yield page


async def finish(one: Customer, product: Product) -> None:
    """Leave no conversation behind on the shared desk."""
    account = product.agent("supervisor")
    async with httpx.AsyncClient(base_url=f"{product.url}/api/v1", trust_env=False, timeout=30) as api:
        body = {"name": account["name"], "password": account["password"]}
        token = (await api.post("/agents/login", json=body)).raise_for_status().json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        await api.post(f"/conversations/{one.id}/resolve", json={"outcome": "spam"}, headers=headers)


async def test_a_stalled_line_is_told_and_nothing_is_sent_twice(desktop_page: Page, product: Product) -> None:
    async with wire(product.ports["desk"]) as line:
        widget = await Widget(desktop_page).open(f"{line.url}/?language=zh")
        await widget.say("线路还好")
        await widget.stored("线路还好")
        line.stall()
        for text in ("卡住一", "卡住二", "卡住三"):
            await widget.say(text)
        await expect(widget.unsent).to_have_count(3)
        await expect(widget.window.get_by_text("正在重新连接")).to_be_visible(timeout=BACK)
        line.resume()
        await expect(widget.unsent).to_have_count(0, timeout=BACK)
        await expect(widget.window.get_by_text("正在重新连接")).to_be_hidden(timeout=BACK)
        texts = said(await stored(product, (await widget.session())["id"]), "customer")
        assert texts == ["线路还好", "卡住一", "卡住二", "卡住三"]


async def test_lines_that_break_in_frames_and_uploads_lose_and_double_nothing(
    desktop_page: Page, product: Product
) -> None:
    async with wire(product.ports["desk"]) as line:
        widget = await Widget(desktop_page).open(f"{line.url}/?language=zh")
        await widget.say("开始")
        await widget.stored("开始")
        await widget.ask_person()
        for number in range(6):
            line.break_after(900 + 137 * number)  # headers take most of it: some break in a frame, some in a body
            await widget.say(f"断断续续 {number} " + "字" * 120)
            await asyncio.sleep(0.3)
        line.break_after(200_000)
        log = b"line\n" * 120_000
        await widget.files.set_input_files({"name": "big.log", "mimeType": "text/plain", "buffer": log})
        await asyncio.sleep(3)
        assert line.breaks >= 3
        line.break_after(None)
        await expect(widget.unsent).to_have_count(0, timeout=BACK)
        texts = said(await stored(product, (await widget.session())["id"]), "customer")
        assert texts == ["开始", *(f"断断续续 {number} " + "字" * 120 for number in range(6)), "big.log"]
        numbers = await seqs(widget.log.locator(".row[data-seq]"))
        assert numbers == list(range(1, len(numbers) + 1))


async def test_the_desk_is_killed_while_both_sides_write(
    desktop_page: Page, browser: Browser, product: Product
) -> None:
    widget = await Widget(desktop_page).open()
    await widget.say("开始")
    await widget.answered()
    await widget.ask_person()
    session = await widget.session()
    async with httpx.AsyncClient(base_url=product.url, trust_env=False, timeout=40) as http:
        one = Customer(http, session["id"], session["token"])
        async with at_work(browser, product, product.url, one) as agent:
            await reply(agent, "杀之前")
            box = agent.get_by_label("回复客户…")
            await box.fill("写了一半的回复")
            product.kill("desk", restart=False)
            await widget.say("杀之中一")
            await widget.say("杀之中二")
            await widget.files.set_input_files({"name": "a.log", "mimeType": "text/plain", "buffer": b"line\n" * 1000})
            await expect(widget.unsent).to_have_count(3)
            await expect(agent.locator(MARK)).to_be_visible(timeout=PATIENCE)
            await box.press("End")
            await agent.keyboard.type(",接着写完")
            await agent.keyboard.press("Enter")
            product.resume("desk")
            await expect(widget.unsent).to_have_count(0, timeout=BACK)
            await expect(agent.locator(MARK)).to_have_count(0, timeout=BACK)
            await expect(agent.locator(".message").first).to_be_visible(timeout=BACK)
            if await box.input_value():  # the page was loaded anew: the draft is there, and is sent once
                await expect(box).to_have_value("写了一半的回复,接着写完")
                await box.press("Enter")
            await expect(agent.locator(".message.agent")).to_have_count(2, timeout=BACK)
            await expect(box).to_have_value("")
            await reply(agent, "杀之后")
            await widget.stored("杀之中二")
            await expect(widget.rows("agent")).to_have_count(3, timeout=BACK)
            rows = await stored(product, one.id)
            assert said(rows, "customer") == ["开始", "杀之中一", "杀之中二", "a.log"]
            assert said(rows, "agent") == ["杀之前", "写了一半的回复,接着写完", "杀之后"]
            for page in (agent.locator(".message[data-seq]"), widget.log.locator(".row[data-seq]")):
                assert await seqs(page) == [seq for seq, _, _ in rows]
        await finish(one, product)


async def test_an_agent_without_a_network_keeps_the_draft_and_sends_once(browser: Browser, product: Product) -> None:
    async with waiting_customer(product, "发票抬头写错了") as one, at_work(browser, product, product.url, one) as page:
        box = page.get_by_label("回复客户…")
        await page.context.set_offline(True)
        await expect(page.locator(MARK)).to_be_visible(timeout=PATIENCE)
        await box.fill("没网时写的")
        await box.press("Enter")
        await expect(page.locator(".composer")).to_contain_text("恢复后自动发出")
        await one.say("客户也说了一句")
        await page.context.set_offline(False)
        await expect(page.locator(MARK)).to_have_count(0, timeout=BACK)
        await one.hears("没网时写的")
        await expect(box).to_have_value("")
        await expect(page.locator(".message.agent")).to_have_count(1)
        await expect(page.locator(".message.customer").last).to_contain_text("客户也说了一句")
        assert said(await stored(product, one.id), "agent") == ["没网时写的"]
        await finish(one, product)


async def test_an_agents_stalled_line_is_noticed_and_repaired(browser: Browser, product: Product) -> None:
    async with wire(product.ports["desk"]) as line, waiting_customer(product, "手环丢步") as one:
        async with at_work(browser, product, line.url, one) as page:
            line.stall()
            await page.get_by_label("回复客户…").fill("卡住时写的")
            await page.keyboard.press("Enter")
            await expect(page.locator(MARK)).to_be_visible(timeout=BACK)
            await page.wait_for_timeout(8000)
            line.cut()
            line.resume()
            await expect(page.locator(MARK)).to_have_count(0, timeout=BACK)
            box = page.get_by_label("回复客户…")
            await one.until(lambda seen: any(m["text"] == "卡住时写的" for m in seen["messages"]), "the reply")
            await expect(box).to_have_value("")
            await expect(page.locator(".message.agent")).to_have_count(1)
            assert said(await stored(product, one.id), "agent") == ["卡住时写的"]
        await finish(one, product)


async def _refuse(socket: WebSocketRoute) -> None:
    await socket.close()


async def test_the_console_works_by_polling_alone(browser: Browser, product: Product) -> None:
    async with waiting_customer(product, "只能轮询") as one, another_page(browser, product) as page:
        await page.context.route_web_socket("**/_nicegui_ws/**", _refuse)
        await log_in(page, product.agent())
        online = page.get_by_role("radio", name="在线")
        await online.click()
        await expect(online).to_be_checked(timeout=BACK)
        row = page.locator(f'li[data-conversation="{one.id}"]')
        await row.hover()
        await row.locator(".take").click()
        await expect(page.locator(".owner[data-owner=agent]")).to_be_visible(timeout=BACK)
        await reply(page, "轮询也能回复")
        await one.hears("轮询也能回复")
        await one.say("也能收到")
        await expect(page.locator(".message.customer").last).to_contain_text("也能收到")
        await finish(one, product)


async def test_a_tab_that_slept_shows_everything_in_order(
    desktop_page: Page, browser: Browser, product: Product
) -> None:
    widget = await Widget(desktop_page).open()
    await widget.say("开始")
    await widget.answered()
    await widget.ask_person()
    session = await widget.session()
    async with httpx.AsyncClient(base_url=product.url, trust_env=False, timeout=40) as http:
        one = Customer(http, session["id"], session["token"])
        async with at_work(browser, product, product.url, one) as agent:
            tab = await desktop_page.context.new_cdp_session(desktop_page)
            await tab.send("Page.setWebLifecycleState", {"state": "frozen"})
            for number in range(3):
                await reply(agent, f"睡着时 {number}")
            await tab.send("Page.setWebLifecycleState", {"state": "active"})
            await expect(widget.rows("agent")).to_have_count(3, timeout=BACK)
            rows = await stored(product, one.id)
            assert await seqs(widget.log.locator(".row[data-seq]")) == [seq for seq, _, _ in rows]
        await finish(one, product)


async def test_wrong_clocks_change_nothing(browser: Browser, product: Product) -> None:
    async with waiting_customer(product, "钟不准") as one, another_page(browser, product) as page:
        wrong = "{ const now = Date.now; Date.now = () => now() + %d; }"
        await page.context.add_init_script(wrong % (3 * 86400 * 1000))
        await log_in(page, product.agent())
        await go_online(page)
        await claim(page, one)
        await one.send_file("照片.log", b"line\n" * 10, "text/plain")
        await expect(page.locator(".message.customer .file")).to_be_visible()
        async with page.expect_download() as download:
            await page.locator(".message.customer .file").click()
        assert (await (await download.value).path()).read_bytes() == b"line\n" * 10
        await reply(page, "看到了")
        await one.hears("看到了")
        async with another_page(browser, product) as customers:
            widget = await Widget(customers).open()
            await widget.say("一")
            await widget.stored("一")
            await customers.context.set_offline(True)
            await widget.say("二")
            await customers.evaluate(wrong % (-5 * 86400 * 1000))
            await widget.say("三")
            await customers.context.set_offline(False)
            await widget.stored("三")
            assert said(await stored(product, (await widget.session())["id"]), "customer") == ["一", "二", "三"]
        await finish(one, product)
