"""The widget on somebody else's site: another origin, a strict policy, styles of its own, and known customers."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from handoff.locales import section
from tests.e2e.customer import PATIENCE, AgentSide, Widget
from tests.product import Product

HOSTILE = "* { color: red !important; font-size: 40px !important; display: block !important }"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.4 Mobile/15E148 Safari/604.1"
)
HUAWEI = (
    "Mozilla/5.0 (Linux; Android 10; HarmonyOS; NOH-AN00; HMSCore 6.11.0.302) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/99.0.4844.88 HuaweiBrowser/14.0.0.300 Mobile Safari/537.36"
)
FIREFOX = "Mozilla/5.0 (Android 14; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0"
WECHAT = (
    "Mozilla/5.0 (Linux; Android 13; zh-cn; 2211133C Build/TKQ1.220905.001) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/116.0.0.0 Mobile Safari/537.36 MicroMessenger/8.0.47"
)
PHONES = [
    (IPHONE, {"os": "ios", "os_version": "17.4.1", "phone_model": "iPhone", "browser": "Safari 17"}),
    (HUAWEI, {"os": "harmonyos", "phone_model": "NOH-AN00", "browser": "Huawei Browser 14"}),
    (FIREFOX, {"os": "android", "os_version": "14", "browser": "Firefox 130"}),
    (WECHAT, {"os": "android", "os_version": "13", "phone_model": "2211133C", "browser": "WeChat 8"}),
]


class Site:
    """A small site of another origin, with a strict content security policy."""

    def __init__(self, desk: str) -> None:
        self.tag = ""
        self.desk = desk
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = f"<!doctype html><title>site</title><link rel=stylesheet href=/s.css><h1>Shop</h1>{site.tag}"
                kind, content = ("text/css", HOSTILE) if self.path == "/s.css" else ("text/html", body)
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Security-Policy", site.policy)
                self.end_headers()
                self.wfile.write(content.encode())

            def log_message(self, *_: Any) -> None:
                """Keep the tests' output clean."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    @property
    def policy(self) -> str:
        """What docs/customers.md tells sites to allow."""
        socket = self.desk.replace("http", "ws", 1)
        return (
            f"default-src 'none'; style-src 'self'; script-src {self.desk}; connect-src {self.desk} {socket}; "
            f"img-src {self.desk} blob:; require-trusted-types-for 'script'"
        )

    def embed(self, **attributes: str) -> None:
        """Put the script tag on the page, with its data attributes."""
        data = " ".join(f'data-{name.replace("_", "-")}="{value}"' for name, value in attributes.items())
        self.tag = f'<script src="{self.desk}/widget.js" defer {data}></script>'


@pytest.fixture
def site(product: Product) -> Iterator[Site]:
    """The site, while a test runs."""
    one = Site(product.url)
    thread = threading.Thread(target=one.server.serve_forever, daemon=True)
    thread.start()
    yield one
    one.server.shutdown()
    one.server.server_close()
    thread.join()


@pytest.fixture
def agent(product: Product) -> Iterator[AgentSide]:
    """Somebody who may look at every conversation."""
    side = AgentSide(product, "supervisor")
    yield side
    side.leave()


async def test_strict_policy_foreign_styles_and_context(desktop_page: Page, site: Site, agent: AgentSide) -> None:
    complaints: list[str] = []
    desktop_page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    site.embed(language="en", app_version="5.2.1", device_model="band-2", firmware_version="1.0.0.39", color="#ffd400")
    widget = await Widget(desktop_page).open(f"{site.url}/help/band?order=secret#private")
    await expect(widget.person).to_have_css("font-size", "13.5px")
    await expect(widget.launcher).to_have_css("position", "fixed")
    await widget.say("My band counts no steps")
    await widget.answered()
    await widget.ask_person()
    context = agent.conversation((await widget.session())["id"])["context"]
    assert context["page"] == f"{site.url}/help/band"
    expected = {"app_version": "5.2.1", "device_model": "band-2", "firmware_version": "1.0.0.39"}
    assert {name: context[name] for name in expected} == expected
    assert context["browser"].startswith("Chrome ")
    assert "os" not in context
    assert [text for text in complaints if "favicon" not in text] == []


async def test_light_colours_are_darkened_until_white_text_reads(desktop_page: Page, site: Site) -> None:
    site.embed(color="#ffd400")
    widget = await Widget(desktop_page).open(site.url)
    colour = await widget.window.locator("header").evaluate("(node) => getComputedStyle(node).backgroundColor")
    channels = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(", ")]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    luminance = sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    assert 1.05 / (luminance + 0.05) >= 4.5
    assert channels[0] > channels[2]


async def test_the_site_opens_closes_and_adds_context(desktop_page: Page, site: Site, agent: AgentSide) -> None:
    site.embed(language="zh", launcher="off", scheme="dark")
    await desktop_page.goto(site.url)
    widget = Widget(desktop_page)
    await expect(widget.launcher).to_be_hidden()
    await desktop_page.evaluate("Jieli.context({app_version: '5.2.0', device_model: 'watch-pro'})")
    await desktop_page.evaluate("Jieli.open('我的手表')")
    await expect(widget.field).to_have_value("我的手表")
    await widget.field.press("Enter")
    await widget.stored("我的手表")
    context = agent.conversation((await widget.session())["id"])["context"]
    assert (context["app_version"], context["device_model"]) == ("5.2.0", "watch-pro")
    await desktop_page.evaluate("Jieli.close()")
    await expect(widget.window).to_be_hidden()


@pytest.mark.parametrize(("user_agent", "expected"), PHONES, ids=["iphone", "huawei", "firefox", "wechat"])
async def test_the_browser_tells_what_it_knows(
    browser: Browser, product: Product, agent: AgentSide, user_agent: str, expected: dict[str, str]
) -> None:
    context = await browser.new_context(base_url=product.url, user_agent=user_agent)
    widget = await Widget(await context.new_page()).open()
    await widget.say("你好")
    await widget.stored("你好")
    known = agent.conversation((await widget.session())["id"])["context"]
    await context.close()
    assert {name: known.get(name) for name in expected} == expected


async def test_demo_customer_signs_in_and_out(desktop_page: Page, agent: AgentSide) -> None:
    widget = await Widget(desktop_page).open()
    await widget.say("登录之前")
    await widget.stored("登录之前")
    anonymous = await widget.session()
    await desktop_page.keyboard.press("Escape")
    await desktop_page.get_by_label("客户", exact=True).select_option(label="Emily Carter")
    await desktop_page.get_by_role("button", name="登录", exact=True).click()
    await expect(widget.log).to_contain_text("已用您的账号开始新的对话", timeout=PATIENCE)
    await desktop_page.keyboard.press("Escape")
    await expect(widget.launcher).to_be_focused()
    await widget.launcher.click()
    await widget.say("登录之后")
    await widget.stored("登录之后")
    known = await widget.session()
    assert known["id"] != anonymous["id"]
    assert agent.messages(known["id"])[0]["sender_name"] == "Emily Carter"
    await desktop_page.reload()
    await expect(desktop_page.get_by_text("已登录：Emily Carter")).to_be_visible()
    await widget.launcher.click()
    await widget.stored("登录之后")
    assert (await widget.session())["id"] == known["id"]
    await desktop_page.keyboard.press("Escape")
    await desktop_page.get_by_role("button", name="退出", exact=True).click()
    await widget.launcher.click()
    await expect(widget.log).to_contain_text("之前的对话已从本机移除")
    await expect(widget.rows("customer")).to_have_count(0)


async def test_bad_identity_still_gets_help(desktop_page: Page, site: Site) -> None:
    site.embed(language="zh", customer_token="eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjdXMtMTAwMSJ9.bad")
    widget = await Widget(desktop_page).open(site.url)
    await expect(widget.log).to_contain_text("没能确认您的登录身份", timeout=PATIENCE)
    await widget.say("你好")
    await widget.answered()
    assert (await widget.session())["customer"] is None


async def test_demo_page_lists_devices_orders_and_customers(desktop_page: Page, product: Product) -> None:
    complaints: list[str] = []
    desktop_page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    await desktop_page.goto("/?language=en")
    await expect(desktop_page.locator(".card")).to_have_count(len(product.demo["devices"]))
    await expect(desktop_page.locator(".card").first).to_contain_text("Lanmo")
    number, phone = await desktop_page.locator("tbody tr").first.locator("code").all_inner_texts()
    assert {"number": number, "phone_last4": phone} in [
        {"number": order["number"], "phone_last4": order["phone_last4"]} for order in product.demo["orders"]
    ]
    await desktop_page.locator(".card [data-device=band-2]").click()
    await expect(Widget(desktop_page).window).to_be_visible()
    assert complaints == []


def test_script_is_small_cached_and_open_to_every_site(product: Product) -> None:
    address = f"{product.url}/widget.js"
    first = httpx.get(address, headers={"Accept-Encoding": "gzip"}, trust_env=False)
    assert first.headers["content-type"].startswith("text/javascript")
    assert first.headers["access-control-allow-origin"] == "*"
    assert first.headers["content-encoding"] == "gzip"
    assert "max-age" in first.headers["cache-control"]
    assert int(first.headers["content-length"]) < 24 * 1024
    again = httpx.get(address, headers={"If-None-Match": first.headers["etag"]}, trust_env=False)
    assert (again.status_code, again.content) == (304, b"")
    plain = httpx.get(address, headers={"Accept-Encoding": "identity"}, trust_env=False)
    assert plain.content == first.content
    assert httpx.head(address, trust_env=False).status_code == 200


def test_only_demo_customers_are_signed_in(product: Product) -> None:
    address = f"{product.url}/demo/customer-token"
    assert httpx.post(address, json={"customer": "cus-9999"}, trust_env=False).status_code == 404
    token = httpx.post(address, json={"customer": "cus-1001"}, trust_env=False).json()["token"]
    start = {"customer_token": token}
    opened = [httpx.post(f"{product.url}/api/v1/conversations", json=start, trust_env=False) for _ in range(2)]
    assert [answer.status_code for answer in opened] == [201, 401]


def test_every_sentence_exists_in_both_languages() -> None:
    for key, texts in section("widget").items():
        assert set(texts) == {"zh", "en"}, key
        assert all(text.strip() for text in texts.values()), key
