"""The agents' desk in a real browser: from the login to the end of a conversation."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.console_support import (
    Customer,
    another_page,
    claim,
    customer,
    go_online,
    let_it_go_badly,
    log_in,
    put_into_group,
    reply,
    waiting_customer,
)
from tests.product import Product

STORY = "前几天买了手环2,在iPhone 6上APP步数一直显示0,换安卓手机正常,固件是1.0.0.39"


def picture() -> bytes:
    """A small PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\x40\x90\x90" * 60) * 40
    header = struct.pack(">IIBBBBB", 60, 40, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


async def test_wrong_password_is_told_and_nothing_opens(desktop_page: Page, product: Product) -> None:
    await desktop_page.goto("/desk")
    await desktop_page.get_by_label("用户名").fill(product.agent()["name"])
    await desktop_page.get_by_label("密码").fill("not the password")
    await desktop_page.get_by_role("button", name="登录", exact=True).click()
    await expect(desktop_page.get_by_role("alert")).to_contain_text("用户名或密码不对")
    await desktop_page.goto("/desk")
    await expect(desktop_page).to_have_url(re.compile("/desk/login"))


async def test_the_whole_way(desktop_page: Page, product: Product, tmp_path: Path) -> None:
    page = desktop_page
    async with waiting_customer(product, STORY, context={"os": "iOS", "os_version": "17.4"}) as one:
        await log_in(page, product.agent())
        await go_online(page)
        row = page.locator(f'li[data-conversation="{one.id}"]')
        await row.locator(".row").click()
        await expect(page.locator(".headline")).not_to_be_empty()
        await expect(page.get_by_label("回复客户…")).to_have_count(0)
        await page.screenshot(path=tmp_path / "waiting.png")

        await claim(page, one)
        await one.hears("已接入")
        await expect(page.get_by_label("回复客户…")).to_be_focused()
        await reply(page, "您好,手环的事我来处理。")
        assert (await one.hears("我来处理"))["sender"] == "agent"
        await expect(page.locator(".message.agent")).to_contain_text("我来处理")

        fact = page.locator("[data-fact=firmware_version]")
        await expect(fact).to_contain_text("1.0.0.39")
        await fact.click()
        await expect(page.locator(".message.flash")).to_contain_text("1.0.0.39")
        await page.screenshot(path=tmp_path / "fact.png")

        box = page.get_by_label("回复客户…")
        await box.fill("请问固件版本是多少")
        await expect(page.locator(".known")).to_contain_text("1.0.0.39")
        await box.fill("/tried")
        await expect(page.get_by_role("option").first).to_contain_text("肯定已做的排查")
        await box.press("Enter")
        await expect(box).to_have_value(re.compile("已经把该排除的都排除了"))
        await box.press("Enter")
        await one.hears("已经把该排除的都排除了")

        await page.get_by_role("tab", name="内部备注").click()
        await page.get_by_label("给同事留一句备注…").fill("已报研发,等答复")
        await page.get_by_label("给同事留一句备注…").press("Enter")
        await expect(page.locator(".internal")).to_contain_text("已报研发,等答复")
        assert all("已报研发" not in message["text"] for message in (await one.read())["messages"])

        await page.get_by_role("button", name="结束", exact=True).click()
        await page.get_by_label("已解决").check()
        await page.get_by_label("小结").fill("升级固件后恢复")
        await page.screenshot(path=tmp_path / "resolve.png")
        await page.get_by_role("dialog").get_by_role("button", name="结束", exact=True).click()
        await one.until(lambda seen: seen["owner"] == "closed", "closed")
        await expect(page.locator(".nothing").first).to_be_visible()
        await expect(page.locator(f'li[data-conversation="{one.id}"]')).to_have_count(0)


async def test_the_summary_is_corrected_and_writes_the_closing_note(
    desktop_page: Page, product: Product, tmp_path: Path
) -> None:
    page = desktop_page
    async with waiting_customer(product, STORY, "重启过也没用,烦死了!", "给我退货!") as one:
        await log_in(page, product.agent())
        await go_online(page)
        await claim(page, one)
        await expect(page.locator("svg.course circle").first).to_be_visible()
        fact = page.locator("li", has=page.locator("[data-fact=firmware_version]"))
        await fact.hover()
        await fact.get_by_role("button", name="不对？").click()
        await page.get_by_label("正确的是（可不填）").fill("1.0.0.45")
        await page.screenshot(path=tmp_path / "wrong.png")
        await page.get_by_role("button", name="改正", exact=True).click()
        await expect(page.locator("[data-fact=firmware_version]")).to_contain_text("1.0.0.45")
        box = page.get_by_label("回复客户…")
        await box.fill("Which firmware version is it?")
        await expect(page.locator(".known")).to_contain_text("1.0.0.45")
        await reply(page, "给您登记了退货,明天 12:00 前告诉您取件时间。")
        await page.get_by_role("button", name="结束", exact=True).click()
        await expect(page.get_by_label("小结")).to_have_value(re.compile("问题：.*\n[^$]*待兑现："))
        await page.screenshot(path=tmp_path / "closing.png")


async def test_every_line_of_the_summary_can_be_called_wrong_and_designers_read_it(
    desktop_page: Page, browser: Browser, product: Product, tmp_path: Path
) -> None:
    page = desktop_page
    async with (
        waiting_customer(product, STORY, "重启过也没用,烦死了!", "给我退货!") as one,
        another_page(browser, product) as designer,
    ):
        await log_in(page, product.agent())
        await go_online(page)
        await claim(page, one)
        for title in ("经过", "机器人说过"):
            await page.locator(".facts summary").filter(has_text=title).click()
        for place in (
            page.locator(".brief"),
            page.locator(".doubtful"),
            page.locator("li.next").first,
            page.locator(".facts details[open] li").first,
            page.locator(".facts details[open]").last.locator("li").first,
        ):
            told = await place.inner_text()
            await place.hover()
            await place.get_by_role("button", name="不对？").click()
            await expect(page.get_by_text("已改正，也留给了设计师。").first).to_be_visible()
            await expect(place).not_to_have_text(told, use_inner_text=True)
        await page.screenshot(path=tmp_path / "struck.png")
        await log_in(designer, product.agent("designer"), "/designer")
        corrections = designer.get_by_label("摘要里改过的")
        for part in ("一句话摘要", "问题", "下一步", "经过", "机器人说过的"):
            await expect(corrections.get_by_role("listitem").filter(has_text=part).first).to_be_visible()
        await designer.screenshot(path=tmp_path / "corrections.png", full_page=True)
        await page.get_by_role("button", name="结束", exact=True).click()
        await page.get_by_label("已解决").check()
        await page.get_by_role("dialog").get_by_role("button", name="结束", exact=True).click()
        await one.until(lambda seen: seen["owner"] == "closed", "closed")


async def test_two_agents_click_at_once(desktop_page: Page, browser: Browser, product: Product, tmp_path: Path) -> None:
    async with waiting_customer(product, "我的包裹呢") as one, another_page(browser, product) as second:
        pages = (desktop_page, second)
        names = [product.agent(number=number)["name"] for number in (0, 1)]
        for number, page in enumerate(pages):
            await log_in(page, product.agent(number=number))
            await go_online(page)
            await page.locator(f'li[data-conversation="{one.id}"]').hover()
        takes = [page.locator(f'li[data-conversation="{one.id}"] .take') for page in pages]
        await asyncio.gather(*(take.evaluate("button => button.click()") for take in takes))
        await one.until(lambda seen: seen["owner"].startswith("agent:"), "taken")
        await asyncio.gather(*(expect(page.locator(".toasts p").first).to_be_visible() for page in pages))
        said = [await page.locator(".toasts").inner_text() for page in pages]
        won = [number for number in (0, 1) if "已接入" in said[number]]
        assert len(won) == 1, said
        assert f"已由{names[won[0]]}接待" in said[1 - won[0]]
        await pages[1 - won[0]].screenshot(path=tmp_path / "lost.png")
        assert sum("已接入" in message["text"] for message in (await one.read())["messages"]) == 1
        await pages[won[0]].get_by_role("button", name="交还机器人").click()
        await pages[won[0]].get_by_role("dialog").get_by_role("button", name="交还机器人").click()
        await one.until(lambda seen: seen["owner"] == "bot", "released")


async def test_transfer_with_a_note_then_back_to_the_bot(
    desktop_page: Page, browser: Browser, product: Product, tmp_path: Path
) -> None:
    async with waiting_customer(product, "想换一条表带") as one, another_page(browser, product) as second:
        await log_in(desktop_page, product.agent(number=0))
        await go_online(desktop_page)
        await log_in(second, product.agent(number=1))
        await go_online(second)
        await claim(desktop_page, one)
        await desktop_page.get_by_role("button", name="转接", exact=True).click()
        await desktop_page.get_by_label(product.agent(number=1)["name"]).check()
        await desktop_page.get_by_label("给接手同事的话").fill("客户要黑色表带,已核对订单")
        await desktop_page.screenshot(path=tmp_path / "transfer.png")
        await desktop_page.get_by_role("dialog").get_by_role("button", name="转接", exact=True).click()

        await second.get_by_role("tab", name="我的").click()
        await second.locator(f'li[data-conversation="{one.id}"] .row').click()
        await expect(second.locator(".internal")).to_contain_text("客户要黑色表带")
        await reply(second, "黑色有货,今天就寄。")
        await one.hears("黑色有货")
        await second.get_by_role("button", name="交还机器人").click()
        await second.get_by_role("dialog").get_by_role("button", name="交还机器人").click()
        await one.until(lambda seen: seen["owner"] == "bot", "released")


async def test_take_over_what_goes_badly(desktop_page: Page, product: Product, tmp_path: Path) -> None:
    async with customer(product) as one:
        seq = await one.say("你好")
        await one.until(lambda page: page["messages"][-1]["seq"] > seq, "an answer")
        let_it_go_badly(product, one.id)
        await log_in(desktop_page, product.agent())
        await go_online(desktop_page)
        await desktop_page.get_by_role("tab", name="待干预").click()
        row = desktop_page.locator(f'li[data-conversation="{one.id}"]')
        await row.locator(".row").click()
        await desktop_page.screenshot(path=tmp_path / "needs_help.png")
        await row.locator(".take").click()
        await one.until(lambda seen: seen["owner"].startswith("agent:"), "taken over")
        await reply(desktop_page, "我是人工客服,接下来我来。")
        await one.hears("我是人工客服")
        await desktop_page.get_by_role("button", name="转接", exact=True).click()
        await desktop_page.get_by_role("radio", name=re.compile("^技术支持")).check()
        await desktop_page.get_by_label("给接手同事的话").fill("请技术同事看看")
        await desktop_page.get_by_role("dialog").get_by_role("button", name="转接", exact=True).click()
        await one.until(lambda seen: seen["owner"] == "queue", "in the other group's line")
        await desktop_page.get_by_role("tab", name="排队").click()
        await expect(row).to_contain_text("技术支持")


async def test_both_sides_see_files_typing_and_reading(desktop_page: Page, product: Product, tmp_path: Path) -> None:
    page = desktop_page
    async with waiting_customer(product, "截图发你") as one:
        await log_in(page, product.agent())
        await go_online(page)
        await claim(page, one)
        await one.send_file("步数<b>0.png", picture(), "image/png")
        image = page.locator(".thumb img")
        await expect(image).to_be_visible()
        await page.wait_for_function("() => document.querySelector('.thumb img').naturalWidth === 60")
        await page.locator(".thumb").click()
        await expect(page.get_by_role("dialog").get_by_role("img")).to_be_visible()
        await page.keyboard.press("Escape")

        await one.say("<img src=x onerror=\"document.title='broken'\"> <b>粗</b> **星**")
        await expect(page.locator(".message.customer .words").last).to_have_text(
            "<img src=x onerror=\"document.title='broken'\"> <b>粗</b> **星**"
        )
        assert "broken" not in await page.title()

        await page.locator("input[type=file]").set_input_files(
            {"name": "说明.log", "mimeType": "text/plain", "buffer": "步骤一\n步骤二".encode()}
        )
        seen = await one.until(lambda seen: seen["messages"][-1]["attachment"], "the agent's file")
        assert seen["messages"][-1]["attachment"]["name"] == "说明.log"
        await expect(page.locator(".message.agent .file")).to_contain_text("说明.log")

        await one.http.post(f"{one.path}/typing")
        await expect(page.locator(".typing")).to_contain_text("客户正在输入")
        await reply(page, "收到了")
        last = await one.hears("收到了")
        await one.http.post(f"{one.path}/read", json={"seq": last["seq"]})
        await expect(page.locator(".message.agent").last).to_contain_text("客户已读")
        agent_read = await one.until(lambda seen: seen["read"]["agent"] > 0, "read by the agent")
        assert agent_read["read"]["agent"] <= last["seq"]
        await page.screenshot(path=tmp_path / "files.png")


async def test_keyboard_draft_and_language(desktop_page: Page, product: Product, tmp_path: Path) -> None:
    page = desktop_page
    async with waiting_customer(product, "发票抬头写错了") as one:
        await log_in(page, product.agent())
        await go_online(page)
        await expect(page.locator(f'li[data-conversation="{one.id}"]')).to_be_visible()
        await page.keyboard.press("?")
        await expect(page.get_by_role("dialog")).to_contain_text("快捷键")
        await page.keyboard.press("Escape")
        await page.locator(f'li[data-conversation="{one.id}"] .row').click()
        await expect(page.locator(".headline")).not_to_be_empty()
        await page.locator(".headline").click()
        await page.keyboard.press("c")
        await one.hears("已接入")
        box = page.get_by_label("回复客户…")
        await expect(box).to_be_focused()
        await page.keyboard.type("第一行")
        await page.keyboard.press("Shift+Enter")
        await page.keyboard.type("第二行")
        await page.reload()
        await expect(box).to_have_value("第一行\n第二行")
        await page.get_by_role("tab", name="我的").click()
        await expect(page.locator(f'li[data-conversation="{one.id}"]')).to_contain_text("草稿")

        await page.get_by_role("button", name="Switch to English").click()
        await expect(page.get_by_label("Write to the customer…")).to_have_value("第一行\n第二行")
        await expect(page.get_by_role("button", name="Back to the bot")).to_be_visible()
        await page.screenshot(path=tmp_path / "english.png")
        await page.get_by_role("button", name="切换到中文").click()
        await box.press("Enter")
        assert (await one.hears("第一行"))["text"] == "第一行\n第二行"


async def test_enter_of_the_input_method_does_not_send(desktop_page: Page, product: Product) -> None:
    page = desktop_page
    async with waiting_customer(product, "你好") as one:
        await log_in(page, product.agent())
        await go_online(page)
        await claim(page, one)
        box = page.get_by_label("回复客户…")
        await box.fill("nihao")
        await box.dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
        await expect(box).to_have_value("nihao")
        await box.press("Enter")
        await one.hears("nihao")


async def test_a_break_gives_conversations_back(desktop_page: Page, product: Product) -> None:
    page = desktop_page
    async with waiting_customer(product, "想退货") as one:
        await log_in(page, product.agent())
        await go_online(page)
        await claim(page, one)
        await page.get_by_role("radio", name="小休").click()
        await expect(page.get_by_role("dialog")).to_contain_text("按“优先”级回到队列")
        await page.get_by_label("用餐").check()
        await page.get_by_role("button", name="开始小休").click()
        await one.until(lambda seen: seen["owner"] == "queue", "given back")
        await expect(page.get_by_role("radio", name="小休 · 用餐")).to_be_checked()
        await go_online(page)
        await page.get_by_role("tab", name="排队").click()
        await claim(page, one)


async def test_a_draft_survives_a_restart_of_the_desk(desktop_page: Page, product: Product) -> None:
    page = desktop_page
    async with waiting_customer(product, "开不了机") as one:
        await log_in(page, product.agent())
        await go_online(page)
        await claim(page, one)
        box = page.get_by_label("回复客户…")
        await box.fill("这句话还没有写完")
        await page.evaluate("window.before = true")
        await asyncio.to_thread(product.restart, "desk")
        await page.wait_for_function("() => !window.before", timeout=60_000)
        await expect(box).to_have_value("这句话还没有写完", timeout=30_000)
        await box.press("Enter")
        await one.hears("这句话还没有写完")
        said = [message["text"] for message in (await one.read())["messages"]]
        assert said.count("这句话还没有写完") == 1


async def test_an_ended_login_leads_to_the_login(desktop_page: Page, product: Product) -> None:
    await log_in(desktop_page, product.agent())
    await desktop_page.get_by_role("button", name="账号").click()
    await desktop_page.get_by_role("button", name="退出登录").click()
    name, warning = desktop_page.get_by_label("用户名"), desktop_page.get_by_role("dialog", name="退出登录")
    await expect(name.or_(warning)).to_be_visible()
    if await warning.is_visible():  # whoever holds conversations is told what becomes of them
        await warning.get_by_role("button", name="退出登录").click()
    await expect(desktop_page).to_have_url(re.compile("/desk/login"))
    await desktop_page.goto("/desk")
    await expect(desktop_page.get_by_label("用户名")).to_be_visible()


@pytest.mark.parametrize("path", ["/desk", "/supervisor", "/designer"])
async def test_no_page_without_login(desktop_page: Page, path: str) -> None:
    await desktop_page.goto(path)
    await expect(desktop_page).to_have_url(re.compile("/desk/login"))


NOTE_BOX, REPLY_BOX = "给同事留一句备注…", "回复客户…"
TAKE_FILES = """(place, names) => {
    const data = new DataTransfer();
    for (const name of names) data.items.add(new File(["line"], name, { type: "text/plain" }));
    place.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


async def at_the_desk(page: Page, product: Product, one: Customer) -> None:
    """Log in, go online, and take this customer."""
    await log_in(page, product.agent())
    await go_online(page)
    await page.get_by_role("tab", name="排队").click()
    await claim(page, one)
    await expect(page.get_by_label(REPLY_BOX)).to_be_focused()


async def end(page: Page, one: Customer) -> None:
    """Close the conversation, so that the desk has room for the next test."""
    await page.get_by_role("button", name="结束", exact=True).click()
    await page.get_by_label("已解决").check()
    await page.get_by_role("dialog").get_by_role("button", name="结束", exact=True).click()
    await one.until(lambda seen: seen["owner"] == "closed", "closed")


def texts(seen: dict[str, Any]) -> list[str]:
    return [message["text"] for message in seen["messages"]]


async def test_notes_stay_notes_until_one_switches(desktop_page: Page, product: Product) -> None:
    page = desktop_page
    async with waiting_customer(product, "表带断了") as one:
        await at_the_desk(page, product, one)
        await page.locator(".log").focus()
        await page.keyboard.press("n")
        for number, words in enumerate(("第一句备注", "second note: do not tell the customer")):
            await page.keyboard.type(words)
            await page.keyboard.press("Enter")
            await expect(page.locator(".internal")).to_have_count(number + 1)
            await expect(page.get_by_label(NOTE_BOX)).to_be_focused()
            await expect(page.get_by_role("tab", name="内部备注")).to_have_attribute("aria-selected", "true")
        assert not [text for text in texts(await one.read()) if "备注" in text or "note" in text]
        await page.get_by_role("tab", name="回复").click()
        await reply(page, "这句给客户")
        await one.hears("这句给客户")
        await end(page, one)


async def test_a_note_that_is_being_written_does_not_become_a_reply_by_taking_the_customer(
    desktop_page: Page, product: Product
) -> None:
    page = desktop_page
    async with waiting_customer(product, "想换货") as one:
        await log_in(page, product.agent())
        await go_online(page)
        await page.locator(f'li[data-conversation="{one.id}"] .row').click()
        await page.get_by_label(NOTE_BOX).fill("这位客户上周来过")
        await page.locator(".head-actions .primary").click()
        await one.hears("已接入")
        await expect(page.get_by_role("tab", name="回复")).to_be_visible()
        await expect(page.get_by_label(NOTE_BOX)).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator(".internal")).to_contain_text("上周来过")
        assert not [text for text in texts(await one.read()) if "上周来过" in text]
        await end(page, one)


async def test_files_go_out_all_and_never_from_a_note(desktop_page: Page, product: Product) -> None:
    page = desktop_page
    async with waiting_customer(product, "要说明书") as one:
        await at_the_desk(page, product, one)
        before = len((await one.read())["messages"])
        await page.get_by_role("tab", name="内部备注").click()
        await page.locator(".composer").evaluate(TAKE_FILES, ["内部.log"])
        await expect(page.locator(".toasts")).to_contain_text("备注里不能放文件")
        assert len((await one.read())["messages"]) == before
        await page.get_by_role("tab", name="回复").click()
        await page.locator(".composer").evaluate(TAKE_FILES, ["a.log", "b.log", "c.log"])
        seen = await one.until(lambda seen: len(seen["messages"]) >= before + 3, "three files")
        assert [message["attachment"]["name"] for message in seen["messages"][before:]] == ["a.log", "b.log", "c.log"]
        await page.get_by_role("tab", name="我的").click()
        row = page.locator(f'li[data-conversation="{one.id}"] .row-text')
        await expect(row).to_have_text("我: [文件] c.log")
        await end(page, one)


async def test_what_is_typed_while_a_reply_is_on_its_way_stays(desktop_page: Page, product: Product) -> None:
    page = desktop_page
    async with waiting_customer(product, "手环不亮") as one:
        await at_the_desk(page, product, one)
        box = page.get_by_label(REPLY_BOX)
        await page.context.set_offline(True)
        await expect(page.locator(".offline-mark")).to_be_visible(timeout=30_000)
        await box.press_sequentially("one")
        await box.press("Enter")
        await box.press_sequentially("two is a longer sentence")
        await page.context.set_offline(False)
        await one.hears("one")
        await expect(box).to_have_value("two is a longer sentence", timeout=30_000)
        await box.press("Enter")
        await one.hears("two is a longer sentence")
        said = [message["text"] for message in (await one.read())["messages"] if message["sender"] == "agent"]
        assert said == ["one", "two is a longer sentence"]
        await end(page, one)


async def test_canned_replies_never_wipe_what_is_written(desktop_page: Page, product: Product) -> None:
    page = desktop_page
    async with waiting_customer(product, "退款到哪了") as one:
        await at_the_desk(page, product, one)
        box, button = page.get_by_label(REPLY_BOX), page.get_by_role("button", name="话术", exact=True)
        await box.fill("我先查一下")
        await button.click()
        await expect(page.get_by_role("option").first).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("option")).to_have_count(0)
        await expect(box).to_have_value("我先查一下")
        await button.click()
        await page.keyboard.press("Enter")
        await expect(box).to_have_value(re.compile("^我先查一下\n.{5}"))
        await box.fill("")
        await button.click()
        await page.keyboard.type("tried")
        await expect(page.get_by_role("option").first).to_contain_text("肯定已做的排查")
        await page.keyboard.press("Escape")
        await end(page, one)


async def test_a_text_too_long_is_kept_whole_and_says_so(desktop_page: Page, product: Product) -> None:
    page = desktop_page
    async with waiting_customer(product, "长文") as one:
        await at_the_desk(page, product, one)
        box = page.get_by_label(REPLY_BOX)
        await box.fill("长" * 9000)
        assert len(await box.input_value()) == 9000
        await expect(page.locator(".composer .over")).to_have_text("超出 5000 字，一条最多 4000 字")
        await expect(page.locator(".composer").get_by_role("button", name="发送", exact=True)).to_be_disabled()
        await box.press("Enter")
        await expect(box).not_to_have_value("")
        await box.fill("短")
        await box.press("Enter")
        await one.hears("短")
        await end(page, one)


async def test_a_correction_outlives_new_messages(desktop_page: Page, product: Product) -> None:
    page = desktop_page
    async with waiting_customer(product, STORY) as one:
        await at_the_desk(page, product, one)
        fact = page.locator("li", has=page.locator("[data-fact=firmware_version]"))
        await fact.hover()
        await fact.get_by_role("button", name="不对？").click()
        field = page.get_by_label("正确的是（可不填）")
        await expect(field).to_be_focused()
        await page.keyboard.type("1.0.")
        await one.say("我的手机号尾号是8888")
        await expect(page.locator("[data-fact=phone_last4]")).to_be_visible(timeout=20_000)
        await expect(field).to_be_focused()
        await page.keyboard.type("0.45")
        await page.keyboard.press("Enter")
        await expect(page.locator("[data-fact=firmware_version]")).to_contain_text("1.0.0.45")
        await end(page, one)


async def test_keys_choose_among_the_rows_that_are_shown(desktop_page: Page, product: Product) -> None:
    page = desktop_page
    async with (
        waiting_customer(product, "手环连不上手机") as tech,
        waiting_customer(product, "订单怎么还没发货") as first,
        waiting_customer(product, "快递一直不动") as second,
    ):
        for one, group in ((tech, "tech"), (first, "orders"), (second, "orders")):
            put_into_group(product, one.id, group)
        await log_in(page, product.agent())
        await go_online(page)
        await page.get_by_label("技能组").select_option("orders")
        rows = page.locator(".rows li")
        await expect(page.locator(f'li[data-conversation="{tech.id}"]')).to_have_count(0)
        await page.locator(f'li[data-conversation="{first.id}"] .row').click()
        await expect(page.locator(".head-who h2")).to_be_visible()
        shown = [await row.get_attribute("data-conversation") for row in await rows.all()]
        for _ in range(shown.index(second.id) - shown.index(first.id)):
            await page.keyboard.press("j")
        await page.keyboard.press("Enter")
        await expect(page.locator(f'li[data-conversation="{second.id}"]')).to_have_class(re.compile("open"))
        await page.keyboard.press("c")
        await second.hears("已接入")
        assert (await tech.read())["owner"] == "queue"
        await end(page, second)


async def test_online_is_always_sent_and_nobody_is_taken_on_a_break(desktop_page: Page, product: Product) -> None:
    page = desktop_page
    async with waiting_customer(product, "查保修") as one:
        await log_in(page, product.agent())
        await go_online(page)
        with sqlite3.connect(product.var / "desk.db", timeout=30) as database:
            name = product.agent()["name"]
            database.execute("UPDATE agents SET status = 'offline' WHERE name = ?", (name,))
        await go_online(page)
        await page.get_by_role("tab", name="排队").click()
        await claim(page, one)
        await page.get_by_role("radio", name="小休").click()
        await page.get_by_label("用餐").check()
        await page.get_by_role("button", name="开始小休").click()
        await one.until(lambda seen: seen["owner"] == "queue", "given back")
        await page.get_by_role("tab", name="排队").click()
        take = page.locator(f'li[data-conversation="{one.id}"] .take')
        await expect(take).to_be_disabled()
        await expect(take).to_have_attribute("title", "切换到在线后才能接入。")
        await go_online(page)
        await expect(take).to_be_enabled()
        await claim(page, one)
        await page.get_by_role("tab", name="我的").click()
        await page.reload()
        await expect(page.get_by_role("tab", name="我的")).to_have_attribute("aria-selected", "true")
        await end(page, one)


async def test_a_narrow_bar_keeps_every_button_in_sight(browser: Browser, product: Product) -> None:
    narrow = {"viewport": {"width": 375, "height": 700}}
    async with another_page(browser, product, **narrow) as page:
        await log_in(page, product.agent())
        await page.get_by_role("button", name="Switch to English").click()
        await page.get_by_role("radio", name="Break").click()
        await page.get_by_label("Training").check()
        await page.get_by_role("button", name="Start the break").click()
        await expect(page.get_by_role("radio", name="Break")).to_be_checked()
        for button in await page.locator(".bar button").all():
            box = await button.bounding_box()
            assert box and box["x"] >= 0 and box["x"] + box["width"] <= 375, await button.inner_text()
        await page.get_by_role("tab", name="Mine").click(timeout=3000)  # a sentence at the edge lets it through
        await page.get_by_role("button", name="Account").click()
        await expect(page.get_by_role("button", name="Log out")).to_be_in_viewport(ratio=1)
