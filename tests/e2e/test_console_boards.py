"""The supervisors' floor, the designers' review, the phone, and what is not the console's to answer."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.console_support import another_page, claim, customer, go_online, log_in, reply, waiting_customer
from tests.product import Product


async def test_supervisor_finds_reassigns_and_reads_the_audit(
    desktop_page: Page, browser: Browser, product: Product, tmp_path: Path
) -> None:
    page = desktop_page
    async with waiting_customer(product, "这个词只在这里出现:碧海青天") as one, another_page(browser, product) as agent:
        await log_in(agent, product.agent())
        await go_online(agent)
        await log_in(page, product.agent("supervisor"), "/supervisor")
        await expect(page.locator(".people li").filter(has_text=product.agent()["name"])).to_contain_text("在线")
        await page.get_by_label("搜索客户、内容或编号").fill("碧海青天")
        await expect(page.locator("tbody tr")).to_have_count(1)
        await page.locator("tbody tr button").click()
        await expect(page.locator(".message.customer")).to_contain_text("碧海青天")
        await page.screenshot(path=tmp_path / "floor.png")
        await page.get_by_role("button", name="改派").click()
        await page.get_by_label(product.agent()["name"]).check()
        await page.get_by_label("给接手同事的话").fill("请接着看")
        await page.get_by_role("dialog").get_by_role("button", name="改派").click()
        await one.until(lambda seen: seen["owner"].startswith("agent:"), "reassigned")
        await page.get_by_text("流转记录").click()
        await expect(page.locator(".audit li.flagged")).to_contain_text(product.agent()["name"])

        await agent.get_by_role("tab", name="我的").click()
        await agent.locator(f'li[data-conversation="{one.id}"] .row').click()
        await reply(agent, "主管让我来帮您")
        await one.hears("主管让我来帮您")
        await page.get_by_role("button", name="接管").click()
        await expect(page.get_by_label("回复客户…")).to_be_visible()
        await reply(page, "我是主管,这件事我来定。")
        await one.hears("我是主管")


async def test_designer_sees_masked_phrases_and_no_conversation(
    desktop_page: Page, product: Product, tmp_path: Path
) -> None:
    page = desktop_page
    async with customer(product) as one:
        for text in ("嗡嘛呢叭咪吽 LM2611030042 13812345678", "咕噜咕噜 someone@example.com"):
            seq = await one.say(text)
            await one.until(lambda seen, seq=seq: seen["messages"][-1]["seq"] > seq, "an answer")
    await log_in(page, product.agent("designer"), "/designer")
    await expect(page.get_by_role("heading", name="话题回顾")).to_be_visible()
    await expect(page.locator(".tiles")).to_contain_text("转人工率")
    words = await page.locator(".review").inner_text()
    for secret in ("LM2611030042", "13812345678", "someone@example.com"):
        assert secret not in words
    await page.screenshot(path=tmp_path / "review.png")
    for path in ("/desk", "/supervisor"):
        await page.goto(path)
        await expect(page).to_have_url(re.compile("/designer$"))


async def test_agent_may_not_open_the_floor(desktop_page: Page, product: Product) -> None:
    await log_in(desktop_page, product.agent())
    for path in ("/supervisor", "/designer"):
        await desktop_page.goto(path)
        await expect(desktop_page).to_have_url(re.compile("/desk$"))


async def test_the_desk_on_a_phone(phone_page: Page, product: Product, tmp_path: Path) -> None:
    page = phone_page
    async with waiting_customer(product, "手环2步数不准") as one:
        await log_in(page, product.agent())
        await go_online(page)
        await page.screenshot(path=tmp_path / "phone_list.png")
        await claim(page, one)
        await reply(page, "您好,我看到了")
        await one.hears("我看到了")
        await page.screenshot(path=tmp_path / "phone_chat.png")
        await page.get_by_role("button", name="摘要").click()
        await expect(page.locator(".headline")).to_be_visible()
        await page.screenshot(path=tmp_path / "phone_summary.png")
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390
        await page.get_by_role("button", name="对话", exact=True).click()
        await page.get_by_role("button", name="结束").click()
        await page.get_by_role("dialog").get_by_role("button", name="结束").click()
        await one.until(lambda seen: seen["owner"] == "closed", "closed")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nowhere", 404),
        ("DELETE", "/api/v1/queue", 405),
        ("GET", "/webhooks/nowhere", 404),
        ("POST", "/widget.js", 405),
        ("POST", "/healthz", 405),
        ("GET", "/nowhere", 404),
        ("POST", "/desk", 405),
    ],
)
def test_the_console_answers_for_nobody_else(product: Product, method: str, path: str, status: int) -> None:
    answer = httpx.request(method, product.url + path, trust_env=False)
    assert answer.status_code == status
    assert "html" not in answer.headers["content-type"]


def test_the_consoles_pages_stay_out_of_frames(product: Product) -> None:
    answer = httpx.get(product.url + "/desk/login", trust_env=False)
    assert answer.headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "httponly" in answer.headers["set-cookie"].lower()


def test_a_file_needs_a_login_and_the_consoles_own_page(product: Product) -> None:
    files = {"file": ("a.txt", b"words", "text/plain")}
    answer = httpx.post(product.url + "/desk/files/c_nobody", data={"client_id": "1"}, files=files, trust_env=False)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthenticated"
