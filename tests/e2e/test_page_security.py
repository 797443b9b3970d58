"""Hostile content and hostile sites: nothing executes, nothing breaks, and nobody acts with another person's login."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
import jwt
import pytest
import websockets
from playwright.async_api import Browser, Dialog, Page, Request, expect

from tests.e2e.console_support import Customer, another_page, claim, customer, go_online, log_in
from tests.e2e.customer import Widget
from tests.e2e.payloads import FILE_NAMES, MARKUP, NAMES, TEMPLATES, TEXTS, TRAP
from tests.product import Product

OTHER_SITE = "https://evil.example"
OWN_HEADERS = {"X-Jieli-Console": "1"}


class Watch:
    """Notices everything that hostile content would like to do on a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.noticed: list[str] = []
        page.on("dialog", self._dialog)
        page.on("popup", lambda popup: self.noticed.append(f"window {popup.url}"))
        page.context.on("request", self._request)

    async def _dialog(self, dialog: Dialog) -> None:
        self.noticed.append(f"dialog {dialog.message}")
        await dialog.dismiss()

    def _request(self, request: Request) -> None:
        if TRAP in request.url:
            self.noticed.append(f"request {request.url}")

    async def is_calm(self) -> None:
        """Assert that nothing ran, nothing was asked of others, and the page is no wider than its window."""
        await self.page.wait_for_timeout(300)
        assert await self.page.evaluate("window.__pwned") is None
        assert self.noticed == []
        wide = await self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{wide} px too wide"


async def shown(page: Page, selector: str) -> list[str]:
    """Return what stands in the page, letter by letter."""
    return await page.locator(selector).evaluate_all("(nodes) => nodes.map((node) => node.textContent)")


def signed(product: Product, name: str) -> str:
    """Return a company's signed word that the customer has this name."""
    claims = {"sub": f"cus-{uuid.uuid4().hex}", "name": name, "exp": int(time.time()) + 300, "jti": uuid.uuid4().hex}
    return jwt.encode(claims, product.secret("IDENTITY_SECRET"), algorithm="HS256")


@asynccontextmanager
async def hostile_customer(product: Product, name: str = NAMES[0]) -> AsyncIterator[Customer]:
    """A customer in line whose name, page, device and words are all hostile."""
    context = {"page": f"javascript:{MARKUP[0]}", "phone_model": MARKUP[2], "browser": TEMPLATES[0], "os": "W" * 200}
    async with customer(product, customer_token=signed(product, name), context=context) as one:
        await one.ask_for_person()
        for text in TEXTS:
            await one.say(text)
        for file_name in FILE_NAMES:
            await one.send_file(file_name, b"only words", "text/plain")
        yield one


async def test_hostile_words_do_nothing_at_the_desk(desktop_page: Page, browser: Browser, product: Product) -> None:
    page, watch = desktop_page, Watch(desktop_page)
    small = {"viewport": {"width": 390, "height": 844}}
    async with hostile_customer(product) as one, another_page(browser, product, **small) as phone:
        await log_in(page, product.agent())
        await go_online(page)
        await claim(page, one)
        await expect(page.locator(".message.customer .file")).to_have_count(len(FILE_NAMES))
        words = await shown(page, ".message.customer .words")
        assert words == [text.strip() for text in TEXTS]
        assert await page.locator(".log .words *").count() == 0
        await expect(page.locator(".head-who h2")).to_have_text(NAMES[0])
        box = page.get_by_label("回复客户…")
        for text in (MARKUP[2], TEMPLATES[0]):
            await box.fill(text)
            await box.press("Enter")
            await expect(box).to_have_value("")
        await page.get_by_role("tab", name="内部备注").click()
        await page.get_by_label("给同事留一句备注…").fill(MARKUP[0] + TEMPLATES[0])
        await page.get_by_role("button", name="保存备注").click()
        await expect(page.locator(".internal .words")).to_have_text(MARKUP[0] + TEMPLATES[0])
        for name in ("环境", "流转记录"):
            await page.locator(".facts summary").filter(has_text=name).click()
        await expect(page.locator(".facts dd").filter(has_text=TEMPLATES[0])).to_be_visible()
        await page.get_by_role("tab", name="我的").click()
        await watch.is_calm()
        await page.reload()
        await expect(page.locator(".message.customer").first).to_be_visible()
        await watch.is_calm()

        narrow = Watch(phone)
        await log_in(phone, product.agent())
        await phone.get_by_role("tab", name="我的").click()
        await phone.locator(f'li[data-conversation="{one.id}"] .row').click()
        await expect(phone.locator(".message.customer").first).to_be_attached()
        await narrow.is_calm()
        await page.get_by_role("button", name="结束").click()
        await page.get_by_role("dialog").get_by_role("button", name="结束").click()
        await one.until(lambda seen: seen["owner"] == "closed", "closed")


async def test_hostile_words_do_nothing_on_the_other_pages(
    desktop_page: Page, browser: Browser, product: Product
) -> None:
    page, watch = desktop_page, Watch(desktop_page)
    name = f"{NAMES[1]} {uuid.uuid4().hex[:6]}"
    async with hostile_customer(product, name) as one, another_page(browser, product) as designers:
        await log_in(page, product.agent("supervisor"), "/supervisor")
        search = page.get_by_label("搜索客户、内容或编号")
        for text in (MARKUP[0], TEMPLATES[0], "%", "' OR 1=1 --"):
            await search.fill(text)
            await page.wait_for_timeout(500)
        await search.fill(name)
        await expect(page.locator("tbody tr")).to_have_count(1)
        await expect(page.locator("tbody tr button")).to_have_text(name)
        await page.locator("tbody tr button").click()
        await expect(page.locator(".message.customer").last).to_be_visible()
        assert await shown(page, ".message.customer .words") == [text.strip() for text in TEXTS]
        await watch.is_calm()
        async with customer(product) as other:
            for text in (MARKUP[2], TEMPLATES[0]):
                seq = await other.say(text)
                await other.until(lambda seen, seq=seq: seen["messages"][-1]["seq"] > seq, "an answer")
        review = Watch(designers)
        await log_in(designers, product.agent("designer"), "/designer")
        await expect(designers.locator(".tiles")).to_be_visible()
        await review.is_calm()
        await one.http.delete(f"{one.path}/handoff")


async def test_hostile_words_do_nothing_in_the_widget(desktop_page: Page, product: Product) -> None:
    page, watch = desktop_page, Watch(desktop_page)
    widget = await Widget(page).open()
    await widget.say("你好")
    await widget.answered()
    session = await widget.session()
    async with httpx.AsyncClient(base_url=product.url, trust_env=False, timeout=30) as http:
        http.headers["Authorization"] = f"Bearer {session['token']}"
        one = Customer(http, session["id"], session["token"])
        await one.ask_for_person()
        for text in TEXTS:
            await one.say(text)
        async with httpx.AsyncClient(base_url=f"{product.url}/api/v1", trust_env=False, timeout=30) as agent:
            account = product.agent("supervisor")
            entry = {"name": account["name"], "password": account["password"]}
            token = (await agent.post("/agents/login", json=entry)).json()["token"]
            agent.headers["Authorization"] = f"Bearer {token}"
            (await agent.post(f"/conversations/{one.id}/take-over")).raise_for_status()
            for text in TEXTS:
                body = {"client_id": uuid.uuid4().hex, "text": text}
                (await agent.post(f"/conversations/{one.id}/messages", json=body)).raise_for_status()
            await expect(widget.rows("agent")).to_have_count(len(TEXTS), timeout=30_000)
            for sender, before in (("customer", 1), ("agent", 0)):
                bubbles = widget.rows(sender).locator(".bubble")
                words = await bubbles.evaluate_all("(nodes) => nodes.map((node) => node.textContent)")
                assert words[before:] == [text.strip() for text in TEXTS]
            read = "(all) => all.map((one) => [one.href, one.rel, one.target])"
            links = await widget.log.locator("a").evaluate_all(read)
            assert links
            for href, rel, target in links:
                assert href.startswith(("https://", "http://"))
                assert {"noopener", "noreferrer"} <= set(rel.split())
                assert target == "_blank"
            inside = "(log) => log.scrollWidth - log.clientWidth"
            assert await widget.log.evaluate(inside) <= 0
            await watch.is_calm()
            await agent.post(f"/conversations/{one.id}/resolve", json={"outcome": "spam"})


@pytest.mark.parametrize("path", ["/desk/login", "/", "/desk", "/supervisor", "/designer"])
def test_every_page_has_a_strict_policy(product: Product, path: str) -> None:
    with console_of(product, "admin") as http:
        if path == "/desk/login":
            http.cookies.clear()
        answer = http.get(path)
    assert answer.status_code == 200
    policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert "unsafe-inline" not in answer.headers["content-security-policy"]
    assert "*" not in policy["script-src"]
    assert ("'unsafe-eval'" in policy["script-src"]) == (path in {"/desk", "/supervisor", "/designer"})
    assert (policy["base-uri"], policy["frame-ancestors"]) == ("'none'", "'none'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] in {"no-referrer", "same-origin"}
    assert "camera=()" in answer.headers["permissions-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in answer.headers


def test_nonces_are_good_for_one_answer(product: Product) -> None:
    with console_of(product) as http:
        policies = {http.get("/desk").headers["content-security-policy"] for _ in range(3)}
    assert len(policies) == 3


def test_behind_tls_the_cookie_is_bound_to_it(product: Product) -> None:
    behind = {"X-Forwarded-Proto": "https"}
    with httpx.Client(base_url=product.url, trust_env=False, headers=behind) as http:
        page = http.get("/desk/login")
        assert page.headers["strict-transport-security"].startswith("max-age=")
        answer = enter(http, product.agent(), page)
        [cookie] = [one for one in answer.headers.get_list("set-cookie") if "jieli_console" in one]
        assert cookie.startswith("__Host-jieli_console=at_")
        for attribute in ("HttpOnly", "Secure", "Path=/", "SameSite=lax"):
            assert attribute.lower() in cookie.lower()


def enter(
    http: httpx.Client, account: dict[str, str], page: httpx.Response | None = None, **body: Any
) -> httpx.Response:
    """Log in as the form does."""
    page = page or http.get("/desk/login")
    visit = page.headers["set-cookie"].split(";")[0]
    proof = page.text.split('name="proof" value="')[1].split('"')[0]
    fields = {"name": account["name"], "password": account["password"], "proof": proof, **body}
    return http.post("/desk/login", json=fields, headers={**OWN_HEADERS, "Cookie": visit})


@contextmanager
def console_of(product: Product, role: str = "agent") -> Iterator[httpx.Client]:
    """A client that is logged in at the console."""
    with httpx.Client(base_url=product.url, trust_env=False, timeout=20) as http:
        answer = enter(http, product.agent(role))
        assert answer.status_code == 200, answer.text
        yield http


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/desk/login", {}),
        ("/desk/login", {**OWN_HEADERS, "Origin": OTHER_SITE}),
        ("/desk/login", {**OWN_HEADERS, "Origin": "null"}),
        ("/desk/logout", {}),
        ("/desk/logout", {**OWN_HEADERS, "Origin": OTHER_SITE}),
    ],
)
def test_other_sites_cannot_log_people_in_or_out(product: Product, path: str, headers: dict[str, str]) -> None:
    with console_of(product) as http:
        account = product.agent("supervisor")
        answer = http.post(path, json={"name": account["name"], "password": account["password"]}, headers=headers)
        assert answer.status_code == 403
        assert http.get("/desk").status_code == 200


def test_a_login_needs_the_forms_own_proof(product: Product) -> None:
    with httpx.Client(base_url=product.url, trust_env=False) as http:
        for proof in ("", "0" * 64):
            assert enter(http, product.agent(), proof=proof).status_code == 403


@pytest.mark.parametrize("origin", [OTHER_SITE, "null", "http://127.0.0.1:1"])
async def test_other_sites_cannot_open_the_consoles_socket(product: Product, origin: str) -> None:
    with console_of(product) as http:
        cookie = f"jieli_console={http.cookies['jieli_console']}"
    address = product.url.replace("http", "ws") + "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    with pytest.raises(websockets.InvalidStatus) as refusal:
        await websockets.connect(address, origin=origin, additional_headers={"Cookie": cookie}, proxy=None)
    assert refusal.value.response.status_code == 403
    polling = address.replace("ws://", "http://").replace("transport=websocket", "transport=polling")
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(polling, headers={"Origin": origin, "Cookie": cookie})
    assert answer.status_code == 403
    headers = {"Cookie": cookie}
    async with websockets.connect(address, origin=product.url, additional_headers=headers, proxy=None) as own:
        assert str(await own.recv()).startswith("0")


async def test_the_consoles_socket_is_for_people_with_a_login(product: Product) -> None:
    address = product.url.replace("http", "ws") + "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    for more in ("", "&sid=guessed"):
        with pytest.raises(websockets.InvalidStatus) as refusal:
            await websockets.connect(address + more, proxy=None)
        assert refusal.value.response.status_code in {400, 403}


async def test_the_cookie_opens_no_agents_socket(product: Product) -> None:
    with console_of(product) as http:
        cookie = f"jieli_console={http.cookies['jieli_console']}"
    address = product.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    async with websockets.connect(address, additional_headers={"Cookie": cookie}, proxy=None) as socket:
        await socket.recv()
        await socket.send("40/agents,{}")
        assert str(await socket.recv()).startswith("44/agents")


def test_the_cookie_is_no_key_to_the_api(product: Product) -> None:
    with console_of(product) as http:
        assert http.get("/api/v1/queue").status_code == 401


def test_a_planted_cookie_gains_nothing(product: Product) -> None:
    with httpx.Client(base_url=product.url, trust_env=False) as thief:
        planted = thief.get("/desk/login").headers["set-cookie"].split(";")[0]
    with httpx.Client(base_url=product.url, trust_env=False) as victim:
        page = victim.get("/desk/login", headers={"Cookie": f"{planted}; jieli_console=at_planted"})
        assert page.status_code == 200
        enter(victim, product.agent())
        assert victim.cookies["jieli_console"].startswith("at_")
        assert victim.cookies["jieli_console"] != "at_planted"
    for cookie in (planted, "jieli_console=at_planted"):
        assert httpx.get(product.url + "/desk", headers={"Cookie": cookie}, trust_env=False).status_code == 303


def test_logging_out_ends_the_login_on_the_server(product: Product) -> None:
    with console_of(product) as http:
        cookie = f"jieli_console={http.cookies['jieli_console']}"
        answer = http.post("/desk/logout", headers=OWN_HEADERS)
        assert answer.status_code == 204
        assert 'jieli_console=""' in answer.headers["set-cookie"]
    assert httpx.get(product.url + "/desk", headers={"Cookie": cookie}, trust_env=False).status_code == 303


async def test_after_logging_out_the_back_button_shows_nothing(desktop_page: Page, product: Product) -> None:
    page = desktop_page
    await log_in(page, product.agent())
    second = await page.context.new_page()
    await second.goto("/desk")
    await expect(second.locator(".bar")).to_be_visible()
    await page.get_by_role("button", name="账号").click()
    await page.get_by_role("button", name="退出登录").click()
    await expect(page.get_by_label("密码")).to_be_visible()
    await page.go_back()
    await expect(page.get_by_label("密码")).to_be_visible()
    await expect(page.locator(".bar")).to_have_count(0)
    await expect(second.get_by_label("密码")).to_be_visible(timeout=20_000)


async def test_one_browser_works_for_one_person(desktop_page: Page, product: Product) -> None:
    first = desktop_page
    await log_in(first, product.agent())
    second = await first.context.new_page()
    cookies = await first.context.cookies()
    await first.context.clear_cookies(name="jieli_console")
    await second.goto("/desk/login")
    await first.context.add_cookies(cookies)
    account = product.agent("supervisor")
    await second.get_by_label("用户名").fill(account["name"])
    await second.get_by_label("密码").fill(account["password"])
    await second.get_by_role("button", name="登录", exact=True).click()
    await expect(second.locator(".account")).to_contain_text(account["name"])
    await expect(first.locator(".account")).to_contain_text(account["name"], timeout=20_000)


@pytest.mark.parametrize(
    "wanted",
    [OTHER_SITE, "//evil.example", "/\\evil.example", "/desk/../..//evil.example", "javascript:alert(1)", "/api/docs"],
)
def test_the_login_leads_nowhere_else(product: Product, wanted: str) -> None:
    with httpx.Client(base_url=product.url, trust_env=False) as http:
        assert enter(http, product.agent(), next=wanted).json() == {"go": "/desk"}
        assert http.get("/desk/login", params={"next": wanted}).headers["location"] == "/desk"


def test_visitors_leave_nothing_on_the_disk(product: Product) -> None:
    with httpx.Client(base_url=product.url, trust_env=False) as http:
        for path in ("/desk/login", "/desk", "/supervisor", "/desk/nowhere") * 5:
            http.cookies.clear()
            http.get(path)
    with console_of(product) as http:
        token = http.cookies["jieli_console"]
        http.get("/desk")
    assert not list((product.var / "console").rglob("*"))
    kept = [path for path in product.var.rglob("*") if path.is_file() and path.suffix in {".json", ".db", ".log"}]
    assert kept
    assert all(token.encode() not in path.read_bytes() for path in kept)


async def test_pages_stand_in_no_frame(desktop_page: Page, product: Product) -> None:
    page = desktop_page
    await log_in(page, product.agent())
    await page.route("https://evil.example/", lambda route: route.fulfill(
        content_type="text/html",
        body="".join(f"<iframe src='{product.url}{path}'></iframe>" for path in ("/desk", "/desk/login", "/")),
    ))  # fmt: skip
    await page.goto("https://evil.example/")
    await page.wait_for_timeout(1000)
    for frame in page.frames[1:]:
        assert await frame.locator("#app, form, #jieli-widget").count() == 0


def test_the_widgets_script_may_be_loaded_by_any_page(product: Product) -> None:
    headers = httpx.get(product.url + "/widget.js", headers={"Origin": OTHER_SITE}, trust_env=False).headers
    assert headers["access-control-allow-origin"] == "*"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert headers["x-content-type-options"] == "nosniff"
    assert json.dumps(dict(headers)).count("set-cookie") == 0
