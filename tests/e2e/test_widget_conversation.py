"""A customer's conversation in the widget, from the first question to the rating."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.async_api import Page, expect

from tests.e2e.customer import PATIENCE, AgentSide, Widget
from tests.product import Product

READ_MARK = 1500  # milliseconds until the widget has told what was read
ENABLE_BUTTONS = """for (const button of document.querySelector("#jieli-widget").shadowRoot.querySelectorAll(".choice"))
  button.disabled = false"""


@pytest.fixture
def agent(product: Product) -> Iterator[AgentSide]:
    """An agent on duty."""
    side = AgentSide(product)
    yield side
    side.leave()


async def test_bot_answers_and_is_marked_as_a_bot(desktop_page: Page) -> None:
    widget = await Widget(desktop_page).open()
    await widget.say("你好")
    await widget.stored("你好")
    await widget.answered()
    await expect(widget.rows("bot").first.locator(".byline")).to_have_text(re.compile(r"^小墨机器人\d\d:\d\d$"))
    await expect(widget.unsent).to_have_count(0)
    await expect(widget.log.get_by_text("我的订单到哪了?")).to_be_hidden()


async def test_a_first_question_is_one_tap_away(phone_page: Page) -> None:
    widget = await Widget(phone_page).open("/?language=en")
    await widget.log.get_by_role("button", name="How do I update the firmware?").click()
    await widget.stored("How do I update the firmware?")
    await widget.answered()


async def test_language_switch_turns_everything_over(desktop_page: Page, agent: AgentSide) -> None:
    widget = await Widget(desktop_page).open()
    await widget.say("你好")
    await widget.answered()
    await widget.window.get_by_role("button", name="Switch to English").click()
    await expect(widget.person).to_have_text("Talk to a person")
    await expect(widget.field).to_have_attribute("placeholder", re.compile("Tell us"))
    await expect(widget.rows("bot").first.locator(".byline")).to_contain_text("Bot")
    chinese = re.compile(r"[\u4e00-\u9fff]")
    for part in ("header .speaker", ".top", ".composer", ".welcome"):
        await expect(widget.window.locator(part)).not_to_have_text(chinese)
    await widget.ask_person()
    await expect(widget.rows("system").last).not_to_have_text(chinese)
    id = (await widget.session())["id"]
    assert agent.conversation(id)["language"] == "en"
    await desktop_page.reload()
    await widget.launcher.click()
    await expect(widget.person).to_have_text("In line")


async def test_a_person_by_button_and_giving_up_again(desktop_page: Page) -> None:
    widget = await Widget(desktop_page).open()
    await widget.ask_person()
    await expect(widget.person).to_have_text("排队中")
    await expect(widget.person).to_have_attribute("aria-disabled", "true")
    offer = widget.rows("system").first.get_by_role("button")
    await expect(offer).to_be_enabled()
    await widget.window.get_by_role("button", name="不等了，先问机器人").click()
    await expect(widget.person).to_have_text("转人工", timeout=PATIENCE)
    await expect(offer).to_be_disabled()


async def test_a_button_works_once(desktop_page: Page) -> None:
    widget = await Widget(desktop_page).open()
    await widget.ask_person()
    offer = widget.rows("system").first.get_by_role("button")
    title = await offer.inner_text()
    await offer.click()
    await expect(offer).to_be_disabled()
    await widget.stored(title)
    await expect(widget.person).to_have_text("转人工", timeout=PATIENCE)
    await expect(widget.field).to_be_focused()


async def test_a_button_that_closed_meanwhile_says_what_to_do(desktop_page: Page) -> None:
    widget = await Widget(desktop_page).open()
    await widget.ask_person()
    session = await widget.session()
    address = f"/api/v1/conversations/{session['id']}/handoff"
    headers = {"Authorization": f"Bearer {session['token']}"}
    await desktop_page.request.delete(address, headers=headers)
    await expect(widget.person).to_have_text("转人工", timeout=PATIENCE)
    await expect(widget.rows("system").first.get_by_role("button")).to_be_disabled()
    await desktop_page.evaluate(ENABLE_BUTTONS)
    await widget.rows("system").first.get_by_role("button").click()
    await expect(widget.warning).to_contain_text("已经过期", timeout=PATIENCE)


async def test_rank_moves_while_waiting(desktop_page: Page, phone_page: Page) -> None:
    ahead = await Widget(desktop_page).open()
    await ahead.ask_person()
    second = await Widget(phone_page).open()
    await second.ask_person()
    before = _rank(await second.place.inner_text())
    assert before > _rank(await ahead.place.inner_text())
    await ahead.window.get_by_role("button", name="不等了，先问机器人").click()
    await expect(second.place).to_have_text(re.compile(f"第 {before - 1} 位"), timeout=PATIENCE)


def _rank(text: str) -> int:
    found = re.search(r"第 (\d+) 位", text)
    assert found, text
    return int(found[1])


async def test_agent_and_customer_talk(desktop_page: Page, agent: AgentSide) -> None:
    widget = await Widget(desktop_page).open()
    await widget.ask_person()
    id = (await widget.session())["id"]
    agent.take(id)
    await expect(widget.person).to_have_text("人工服务中", timeout=PATIENCE)
    agent.act(id, "typing")
    await expect(widget.log.locator(".typing")).to_be_visible()
    agent.say(id, "我看到您的情况了 https://example.com/help。")
    answer = widget.rows("agent").last
    await expect(answer).to_contain_text("我看到您的情况了")
    await expect(answer.locator(".byline")).to_contain_text(agent.name)
    await expect(widget.log.locator(".typing")).to_be_hidden()
    await expect(widget.window.locator("header .speaker")).to_contain_text(agent.name)
    link = answer.get_by_role("link")
    await expect(link).to_have_attribute("href", "https://example.com/help")
    await expect(link).to_have_attribute("rel", re.compile("noopener"))
    await widget.say("好的,谢谢")
    await widget.stored("好的,谢谢")
    last = agent.messages(id)[-1]
    agent.act(id, "read", seq=last["seq"])
    await expect(widget.rows("customer").last).to_contain_text("已读")
    await desktop_page.wait_for_timeout(READ_MARK)
    assert agent.conversation(id)["customer_read_seq"] >= last["seq"]


async def test_closed_window_counts_what_comes_in(desktop_page: Page, agent: AgentSide) -> None:
    widget = await Widget(desktop_page).open()
    await widget.ask_person()
    id = (await widget.session())["id"]
    agent.take(id)
    await expect(widget.log).to_contain_text("已接入", timeout=PATIENCE)
    await desktop_page.keyboard.press("Escape")
    await expect(widget.window).to_be_hidden()
    agent.say(id, "第一条")
    agent.say(id, "第二条")
    await expect(widget.launcher).to_have_accessible_name("联系客服，2 条未读")
    await desktop_page.reload()
    await expect(widget.launcher).to_have_accessible_name("联系客服，2 条未读")
    await widget.launcher.click()
    await expect(widget.rows("agent")).to_have_count(2)
    await expect(widget.launcher).to_have_attribute("aria-label", "联系客服")


async def test_rating_after_the_end_and_a_new_question(desktop_page: Page, agent: AgentSide) -> None:
    widget = await Widget(desktop_page).open()
    await widget.ask_person()
    id = (await widget.session())["id"]
    agent.take(id)
    agent.act(id, "resolve", outcome="solved")
    form = widget.window.locator("form.rating")
    await expect(form).to_be_visible(timeout=PATIENCE)
    await expect(form.get_by_role("button", name="提交")).to_be_disabled()
    await form.get_by_role("radio", name="1 很不满意").focus()
    for _ in range(3):
        await desktop_page.keyboard.press("ArrowRight")
    await form.get_by_role("textbox").fill("很快")
    await form.get_by_role("button", name="提交").click()
    await expect(form).to_be_hidden()
    await expect(widget.log).to_contain_text("谢谢您的评价")
    await widget.window.get_by_role("button", name="Switch to English").click()
    await expect(widget.log).to_contain_text("Thank you. We read every rating.")
    await widget.window.get_by_role("button", name="切换到中文").click()
    assert agent.conversation(id)["rating"] == {"score": 4, "comment": "很快"}
    await desktop_page.reload()
    await widget.launcher.click()
    await expect(widget.place).to_contain_text("本次服务已结束")
    await expect(form).to_be_hidden()
    await widget.say("还有一个问题")
    await widget.stored("还有一个问题")
    await expect(widget.place).not_to_contain_text("本次服务已结束")


async def test_who_serves_is_named_and_a_rating_keeps_what_was_chosen(desktop_page: Page, agent: AgentSide) -> None:
    widget = await Widget(desktop_page).open()
    await widget.ask_person()
    id = (await widget.session())["id"]
    agent.take(id)
    await expect(widget.place).to_contain_text(agent.name, timeout=PATIENCE)
    await expect(widget.window.locator("header .speaker")).to_contain_text(agent.name)
    agent.act(id, "resolve", outcome="solved")
    form = widget.window.locator("form.rating")
    await expect(form).to_be_visible(timeout=PATIENCE)
    await expect(widget.rows("system").last).to_be_in_viewport(ratio=1)
    await form.locator("[data-score='4']").click()
    await form.get_by_role("textbox").fill("很快")
    await widget.window.get_by_role("button", name="Switch to English").click()
    await expect(form.get_by_role("textbox")).to_have_value("很快")
    await expect(form.get_by_role("radio", name="4 Good")).to_be_checked()
    await form.get_by_role("button", name="Not now").click()
    await desktop_page.reload()
    await widget.launcher.click()
    await expect(widget.place).to_contain_text("This chat has ended")
    await expect(form).to_be_hidden()
    await widget.say("One more thing")
    await expect(widget.place).to_contain_text(agent.name, timeout=PATIENCE)
    await expect(widget.log).to_contain_text(f"is open again and {agent.name} is with you")
    agent.act(id, "resolve", outcome="spam")
    await expect(widget.place).to_contain_text("This chat has ended")
    await expect(form).to_be_hidden()
    await expect(widget.rows("system").last).not_to_contain_text("rating")


async def test_choices_close_when_the_customer_types_instead(desktop_page: Page) -> None:
    widget = await Widget(desktop_page).open()
    await widget.ask_person()
    choice = widget.log.locator(".row.system .choice").first
    await expect(choice).to_be_enabled()
    await widget.window.get_by_role("button", name="不等了，先问机器人").click()
    await expect(choice).to_be_disabled()
    await widget.say("你能做什么")
    await widget.answered()
    await widget.say("LM0000000000 到哪了")
    await widget.answered(2)
    id = (await widget.session())["id"]
    closed = "messages => messages.filter(one => one.buttons && !one.buttons_open).map(one => one.seq)"
    session = await widget.session()
    answer = await desktop_page.request.get(
        f"/api/v1/conversations/{id}/messages", headers={"Authorization": f"Bearer {session['token']}"}
    )
    for seq in await desktop_page.evaluate(closed, (await answer.json())["messages"]):
        for button in await widget.log.locator(f"[data-seq='{seq}'] .choice").all():
            await expect(button).to_be_disabled()


async def test_reload_keeps_the_conversation(desktop_page: Page) -> None:
    widget = await Widget(desktop_page).open()
    await widget.say("<img src=x onerror=alert(1)>")
    await widget.answered()
    session = await widget.session()
    rows = await widget.log.locator(".row[data-seq]").count()
    await desktop_page.reload()
    await widget.launcher.click()
    await expect(widget.log.locator(".row[data-seq]")).to_have_count(rows)
    await expect(widget.rows("customer").first).to_contain_text("<img src=x onerror=alert(1)>")
    await expect(widget.log.locator("img")).to_have_count(0)
    assert (await widget.session())["id"] == session["id"]
