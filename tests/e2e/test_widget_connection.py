"""Bad networks: nothing is lost, doubled or out of order, and the person always knows where things stand."""

from __future__ import annotations

from playwright.async_api import Page, Route, WebSocketRoute, expect

from tests.e2e.customer import PATIENCE, AgentSide, Widget
from tests.product import Product

RECONNECT = 40_000


def texts(product: Product, id: str) -> list[str]:
    """Return what the desk has stored of the customer's messages."""
    agent = AgentSide(product, "supervisor")
    stored = [message["text"] for message in agent.messages(id) if message["sender"] == "customer"]
    agent.leave()
    return stored


async def test_offline_messages_wait_and_go_out_in_order(desktop_page: Page, product: Product) -> None:
    widget = await Widget(desktop_page).open()
    await widget.say("第一条")
    await widget.stored("第一条")
    await desktop_page.context.set_offline(True)
    await expect(widget.window.get_by_text("网络断了")).to_be_visible()
    for text in ("第二条", "第三条", "第四条"):
        await widget.say(text)
    await expect(widget.unsent).to_have_count(3)
    await expect(widget.unsent.first).to_contain_text("待发送")
    await desktop_page.context.set_offline(False)
    await widget.stored("第四条")
    await expect(widget.unsent).to_have_count(0)
    await expect(widget.window.get_by_text("网络断了")).to_be_hidden()
    assert texts(product, (await widget.session())["id"]) == ["第一条", "第二条", "第三条", "第四条"]


async def test_first_message_may_be_written_offline(desktop_page: Page) -> None:
    widget = await Widget(desktop_page).open()
    await desktop_page.context.set_offline(True)
    await widget.say("还没连上就写了")
    await expect(widget.unsent).to_contain_text("待发送")
    await expect(widget.window.get_by_text("网络断了")).to_be_visible()
    await desktop_page.context.set_offline(False)
    await widget.stored("还没连上就写了")
    await expect(widget.window.get_by_text("网络断了")).to_be_hidden()


async def test_what_is_being_written_survives_a_reload(desktop_page: Page) -> None:
    widget = await Widget(desktop_page).open()
    field = widget.window.get_by_role("textbox")
    await field.fill("写到一半，手机")
    await desktop_page.reload()
    await widget.launcher.click()
    await expect(field).to_have_value("写到一半，手机")
    await field.press("Enter")
    await widget.stored("写到一半，手机")
    await desktop_page.reload()
    await widget.launcher.click()
    await expect(field).to_have_value("")


async def test_unsent_messages_survive_a_reload(desktop_page: Page, product: Product) -> None:
    widget = await Widget(desktop_page).open()
    calls = "**/api/v1/**"
    await desktop_page.route(calls, _abort)
    await widget.say("断网时写的")
    await widget.say("第二句")
    await expect(widget.unsent).to_have_count(2)
    await desktop_page.reload()
    await widget.launcher.click()
    await expect(widget.unsent).to_have_count(2)
    await desktop_page.unroute(calls)
    await widget.stored("第二句")
    assert texts(product, (await widget.session())["id"]) == ["断网时写的", "第二句"]


async def _abort(route: Route) -> None:
    await route.abort("internetdisconnected")


async def test_without_websockets_long_polling_carries_on(desktop_page: Page, product: Product) -> None:
    await desktop_page.route_web_socket("**/socket.io/**", _close)
    widget = await Widget(desktop_page).open()
    await widget.say("你好")
    await widget.answered()
    await widget.ask_person()
    agent = AgentSide(product)
    agent.take((await widget.session())["id"])
    await expect(widget.person).to_have_text("人工服务中", timeout=PATIENCE)
    agent.say((await widget.session())["id"], "经长轮询送到")
    await expect(widget.rows("agent").last).to_contain_text("经长轮询送到", timeout=PATIENCE)
    await expect(widget.window.locator(".connection")).to_be_empty()
    agent.leave()


async def _close(socket: WebSocketRoute) -> None:
    await socket.close()


async def test_lost_answers_do_not_double_messages(desktop_page: Page, product: Product) -> None:
    await desktop_page.route_web_socket("**/socket.io/**", _close)
    lost = 0

    async def swallow(route: Route) -> None:
        nonlocal lost
        if route.request.method == "POST" and lost < 2:
            lost += 1
            await route.fetch()
            await route.abort("connectionreset")
        else:
            await route.continue_()

    widget = await Widget(desktop_page).open()
    await widget.say("你好")
    await widget.answered()
    await desktop_page.route("**/messages", swallow)
    await widget.say("只存一次")
    await widget.stored("只存一次")
    await expect(widget.unsent).to_have_count(0, timeout=PATIENCE)
    assert lost >= 1
    assert texts(product, (await widget.session())["id"]) == ["你好", "只存一次"]


async def test_too_fast_is_told_and_sent_later(desktop_page: Page) -> None:
    await desktop_page.route_web_socket("**/socket.io/**", _close)
    refusing = True

    async def refuse(route: Route) -> None:
        if route.request.method != "POST" or not refusing:
            await route.continue_()
            return
        error = {"error": {"code": "too_many_requests", "message": "", "details": {}}}
        await route.fulfill(status=429, headers={"Retry-After": "2"}, json=error)

    widget = await Widget(desktop_page).open()
    await desktop_page.route("**/messages", refuse)
    await widget.say("慢慢说")
    await expect(widget.unsent).to_contain_text("2 秒后自动发出")
    refusing = False
    await widget.stored("慢慢说")
    await expect(widget.unsent).to_have_count(0)


async def test_reused_client_id_is_shown_with_what_to_do(desktop_page: Page, product: Product) -> None:
    widget = await Widget(desktop_page).open()
    await widget.say("你好")
    await widget.answered()
    fixed = "crypto.randomUUID = () => '00000000-0000-4000-8000-000000000000'"
    await desktop_page.evaluate(fixed)
    await widget.say("原来的内容")
    await widget.stored("原来的内容")
    await widget.say("别的内容")
    await expect(widget.unsent).to_contain_text("没有发出", timeout=PATIENCE)
    await desktop_page.evaluate("delete crypto.randomUUID")
    await widget.unsent.get_by_role("button", name="重发").click()
    await widget.stored("别的内容")
    await expect(widget.unsent).to_have_count(0)


async def test_revoked_token_begins_anew_and_says_so(desktop_page: Page) -> None:
    widget = await Widget(desktop_page).open()
    await widget.say("手环 2 怎么更新固件")
    await widget.answered()
    old = await widget.session()
    await widget.change_session(token=old["token"][:-4] + "AAAA")
    await desktop_page.reload()
    await expect(widget.launcher).to_be_visible()
    await widget.launcher.click()
    await expect(widget.log).to_contain_text("上一段对话已过期", timeout=PATIENCE)
    await widget.say("手表怎么更新固件")
    await widget.stored("手表怎么更新固件")
    assert (await widget.session())["id"] != old["id"]
    await widget.answered()


async def test_desk_restarts_and_nothing_is_lost(desktop_page: Page, product: Product) -> None:
    widget = await Widget(desktop_page).open()
    await widget.say("重启之前")
    await widget.answered()
    product.kill("desk", restart=False)
    await widget.say("重启之中一")
    await widget.say("重启之中二")
    await expect(widget.unsent).to_have_count(2)
    await expect(widget.window.get_by_text("正在重新连接")).to_be_visible(timeout=PATIENCE)
    product.resume("desk")
    await expect(widget.unsent).to_have_count(0, timeout=RECONNECT)
    await expect(widget.window.get_by_text("正在重新连接")).to_be_hidden(timeout=RECONNECT)
    assert texts(product, (await widget.session())["id"]) == ["重启之前", "重启之中一", "重启之中二"]


async def test_two_tabs_share_one_conversation(desktop_page: Page) -> None:
    first = await Widget(desktop_page).open()
    await first.say("第一个标签页")
    await first.stored("第一个标签页")
    second = Widget(await desktop_page.context.new_page())
    await second.open()
    await second.stored("第一个标签页")
    await second.say("第二个标签页")
    await first.stored("第二个标签页")
    assert (await first.session())["id"] == (await second.session())["id"]
