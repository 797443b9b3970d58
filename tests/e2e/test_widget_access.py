"""Keyboard, screen reader, contrast, phone: the widget is usable by everybody."""

from __future__ import annotations

import pytest
from playwright.async_api import FilePayload, Page, expect

from tests.e2e.customer import PATIENCE, Widget

CONTRAST = """() => {
  const root = document.querySelector("#jieli-widget").shadowRoot;
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (value) => (value <= 10 ? value / 3295 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
  const over = ([r, g, b, a = 1], under) => [r, g, b].map((value, index) => value * a + under[index] * (1 - a));
  const chain = (node) => (node instanceof Element ? [node, ...chain(node.parentElement)] : []);
  const poor = [];
  const walker = document.createTreeWalker(root.querySelector(".panel"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const box = walker.currentNode.parentElement;
    const shown = box.checkVisibility({visibilityProperty: true}) && !box.closest(".unseen") && box.offsetWidth > 1;
    if (!walker.currentNode.data.trim() || !shown || box.closest("[aria-disabled=true], :disabled")) continue;
    const boxes = chain(box);
    const ground = boxes.map((one) => numbers(getComputedStyle(one).backgroundColor)).reverse()
      .reduce((under, colour) => over(colour, under), [255, 255, 255]);
    const opacity = boxes.reduce((product, one) => product * Number(getComputedStyle(one).opacity), 1);
    const ink = over([...numbers(getComputedStyle(box).color).slice(0, 3), opacity], ground);
    const [high, low] = [luminance(ink), luminance(ground)].sort((one, other) => other - one);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) poor.push(`${walker.currentNode.data.trim()}: ${ratio.toFixed(2)}`);
  }
  return poor;
}"""
UNNAMED = """() => [...document.querySelector("#jieli-widget").shadowRoot.querySelectorAll("button, textarea, a, img")]
  .filter((node) => node.checkVisibility() && !(node.getAttribute("aria-label") || node.textContent.trim() || node.alt))
  .map((node) => node.outerHTML)"""


async def test_focus_stays_inside_and_returns(desktop_page: Page) -> None:
    await desktop_page.goto("/?language=zh")
    await Widget(desktop_page).launcher.focus()
    await desktop_page.keyboard.press("Enter")
    widget = Widget(desktop_page)
    await expect(widget.field).to_be_focused()
    inside = "document.activeElement.id === 'jieli-widget'"
    for key in ["Tab"] * 14 + ["Shift+Tab"] * 14:
        await desktop_page.keyboard.press(key)
        assert await desktop_page.evaluate(inside)
    await desktop_page.keyboard.press("Escape")
    await expect(widget.window).to_be_hidden()
    await expect(widget.launcher).to_be_focused()


async def test_opened_by_the_page_the_focus_returns_to_the_page(desktop_page: Page) -> None:
    await desktop_page.goto("/?language=zh")
    button = desktop_page.locator("main [data-open]")
    await button.focus()
    await desktop_page.keyboard.press("Enter")
    await expect(Widget(desktop_page).window).to_be_visible()
    await desktop_page.keyboard.press("Escape")
    await expect(button).to_be_focused()


async def test_enter_sends_shift_enter_breaks_the_line(desktop_page: Page) -> None:
    widget = await Widget(desktop_page).open()
    await widget.field.type("第一行")
    await widget.field.press("Shift+Enter")
    await widget.field.type("第二行")
    await expect(widget.field).to_have_value("第一行\n第二行")
    await widget.field.press("Enter")
    await expect(widget.field).to_have_value("")
    await widget.stored("第一行")
    await expect(widget.rows("customer")).to_have_count(1)


async def test_enter_of_an_input_method_does_not_send(desktop_page: Page) -> None:
    widget = await Widget(desktop_page).open()
    client = await desktop_page.context.new_cdp_session(desktop_page)
    await widget.field.focus()
    composing = {"text": "nihao", "selectionStart": 5, "selectionEnd": 5}
    await client.send("Input.imeSetComposition", composing)
    await widget.field.dispatch_event("keydown", {"key": "Enter", "isComposing": True, "keyCode": 229, "bubbles": True})
    await expect(widget.unsent).to_have_count(0)
    await client.send("Input.insertText", {"text": "你好"})
    await expect(widget.field).to_have_value("你好")
    await desktop_page.keyboard.press("Enter")
    await widget.stored("你好")


async def test_too_long_a_text_is_counted_not_cut(desktop_page: Page) -> None:
    widget = await Widget(desktop_page).open()
    await widget.field.fill("字" * 3990)
    await expect(widget.window.locator(".counter")).to_have_text("还能写 10 字")
    await widget.field.fill("字" * 4005)
    await expect(widget.window.locator(".counter")).to_contain_text("超出 5 字，请分 2 条发")
    await widget.field.fill("字" * 9000)
    await expect(widget.window.locator(".counter")).to_contain_text("超出 5000 字，请分 3 条发")
    await widget.field.fill("字" * 4005)
    await widget.field.press("Enter")
    assert len(await widget.field.input_value()) == 4005
    await expect(widget.unsent).to_have_count(0)


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_roles_and_names_for_screen_readers(desktop_page: Page, language: str) -> None:
    widget = await Widget(desktop_page).open(f"/?language={language}")
    await widget.ask_person()
    await expect(widget.window).to_have_attribute("aria-modal", "true")
    await expect(widget.window).to_have_attribute("lang", "zh-CN" if language == "zh" else "en")
    await expect(widget.log).to_have_attribute("aria-live", "polite")
    await expect(widget.place.locator("xpath=..")).to_have_attribute("role", "status")
    assert await desktop_page.evaluate(UNNAMED) == []


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_text_has_enough_contrast(desktop_page: Page, language: str) -> None:
    await desktop_page.emulate_media(reduced_motion="reduce")  # nothing is half faded in
    widget = await Widget(desktop_page).open(f"/?language={language}")
    assert await desktop_page.evaluate(CONTRAST) == []
    await widget.say("你好 https://example.com")
    await widget.answered()
    await widget.ask_person()
    await desktop_page.context.set_offline(True)
    await widget.say("断网")
    await expect(widget.unsent).to_be_visible()
    await widget.files.set_input_files([FilePayload(name="a.exe", mimeType="", buffer=b"MZ")])
    await expect(widget.warning).to_be_visible()
    assert await desktop_page.evaluate(CONTRAST) == []


async def test_reduced_motion_stands_still(desktop_page: Page) -> None:
    await desktop_page.emulate_media(reduced_motion="reduce")
    widget = await Widget(desktop_page).open()
    assert await widget.window.evaluate("(node) => getComputedStyle(node).animationName") == "none"


async def test_phone_window_fills_the_screen(phone_page: Page) -> None:
    widget = await Widget(phone_page).open("/?language=en")
    size = phone_page.viewport_size
    box = await widget.window.bounding_box()
    assert size and box and abs(box["width"] - size["width"]) < 1 and abs(box["height"] - size["height"]) < 1
    await widget.say("A rather long question that needs more than a single line on a small phone screen, doesn't it?")
    await widget.answered()
    for part in (widget.field, widget.person, widget.log):
        inner = await part.bounding_box()
        assert inner and inner["x"] >= 0 and inner["x"] + inner["width"] <= size["width"]
    assert await widget.log.evaluate("(node) => node.scrollWidth <= node.clientWidth")
    assert await phone_page.evaluate("getComputedStyle(document.documentElement).overflow") == "hidden"
    await widget.window.get_by_role("button", name="Close the chat window").click()
    assert await phone_page.evaluate("getComputedStyle(document.documentElement).overflow") != "hidden"


async def test_phone_keyboard_leaves_the_field_in_sight(phone_page: Page) -> None:
    widget = await Widget(phone_page).open()
    await phone_page.evaluate(
        "Object.defineProperty(visualViewport, 'height', {get: () => 420, configurable: true});"
        "visualViewport.dispatchEvent(new Event('resize'))"
    )
    box = await widget.field.bounding_box()
    assert box and box["y"] + box["height"] <= 420
    await expect(widget.window).to_have_css("height", "420px", timeout=PATIENCE)
