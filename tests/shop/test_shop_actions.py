"""What may be done to an order in which state, what comes of it, and that nothing is done twice."""

import asyncio
from datetime import timedelta

import pytest

from examples.shop.models import Status
from examples.shop.texts import load

ALLOWED = {
    "unpaid": {"cancel", "address"},
    "paid": {"cancel", "address", "invoice"},
    "packed": {"cancel", "address", "invoice"},
    "shipped": {"invoice"},
    "delayed": {"invoice"},
    "delivered": {"invoice", "return"},
    "lost": set(),
    "cancelled": set(),
    "returning": set(),
    "refunded": set(),
}
ACTIONS = ("cancel", "address", "invoice", "return")


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("status", list(ALLOWED))
async def test_state_and_action(shop, status, action) -> None:
    order = shop.order(status)
    listed = set((await shop.lookup(order)).json()["allowed"])
    assert listed == ALLOWED[status]
    response = await shop.act(action, order)
    if action in ALLOWED[status]:
        body = response.json()
        assert response.status_code == 200
        assert set(body) == {"order", "message", "reference"}
        assert body["order"] == (await shop.lookup(order)).json()
        assert body["message"]["zh"] and body["message"]["en"]
    else:
        error = response.json()["error"]
        assert (response.status_code, error["code"]) == (409, "not_allowed")
        assert error["details"]["status"] == status
        assert set(error["details"]["reason"]) == {"zh", "en"}
        assert "{" not in str(error["details"]["reason"].values())
        assert (await shop.lookup(order)).json()["status"] == status


def test_a_reason_for_every_refusal_and_no_other() -> None:
    extra = {"invoice": {"issued", "too_late"}, "return": {"too_late", "too_late_return"}}
    for action, reasons in load("texts")["refusals"].items():
        refused = {status.value for status in Status if action not in ALLOWED[status]}
        assert set(reasons) == refused | extra.get(action, set())


class TestCancel:
    async def test_unpaid(self, shop) -> None:
        order = (await shop.act("cancel", shop.order("unpaid"))).json()["order"]
        assert (order["status"], order["refund"], order["allowed"]) == ("cancelled", None, [])

    async def test_paid_money_goes_back_in_three_working_days(self, shop) -> None:
        body = (await shop.act("cancel", shop.order("paid"))).json()
        order = body["order"]
        assert order["expected_date"] is None
        assert order["refund"] == {"amount": order["total"], "status": "pending", "expected_at": "2026-03-16T10:00:00Z"}
        assert "3月16日" in body["message"]["zh"]
        assert "16 Mar" in body["message"]["en"]

    async def test_packed_parcel_is_stopped(self, shop) -> None:
        order = (await shop.act("cancel", shop.order("packed"))).json()["order"]
        assert order["parcels"][0]["status"] == "cancelled"
        assert "拦下" in order["parcels"][0]["events"][-1]["text"]["zh"]


class TestAddress:
    async def test_changed_and_masked(self, shop) -> None:
        body = (await shop.act("address", shop.order("packed"))).json()
        assert body["order"]["recipient"] == {
            "name": "林**",
            "phone": "139****1234",
            "city": "南京",
            "address": "南京市鼓楼区汉口路****",
        }
        assert "501" not in str(body["message"])
        assert body["order"]["status"] == "packed"

    @pytest.mark.parametrize(
        ("address", "city"),
        [
            ("浙江省温州市鹿城区车站大道 8 号", "温州"),
            ("Flat 3, 19 Nanjing West Road, Shanghai", "Shanghai"),
            ("某处某个村 12 号院子", ""),
        ],
    )
    async def test_city(self, shop, address, city) -> None:
        body = (await shop.act("address", shop.order("paid"), address=address)).json()
        assert body["order"]["recipient"]["city"] == city

    @pytest.mark.parametrize("phone", ["+86 138-0000-1111", "13800001111"])
    async def test_phone_as_people_write_it(self, shop, phone) -> None:
        body = (await shop.act("address", shop.order("paid"), phone=phone)).json()
        assert body["order"]["recipient"]["phone"] == "138****1111"

    async def test_what_is_left_out_stays(self, shop) -> None:
        order = shop.order("paid")
        before = (await shop.lookup(order)).json()["recipient"]
        body = (await shop.act("address", order, recipient=None, address=None)).json()
        assert body["order"]["recipient"] == before | {"phone": "139****1234"}

    async def test_nothing_to_change_is_refused(self, shop) -> None:
        answer = await shop.act("address", shop.order("paid"), recipient=None, phone=None, address=None)
        assert answer.status_code == 422


class TestInvoice:
    async def test_by_mail(self, shop) -> None:
        title, number = "杭州澜山科技有限公司", "91330106MA2B0K8X7Q"
        order = shop.order("delivered")
        body = (await shop.act("invoice", order, title=title, tax_number=number, email="lin@example.com")).json()
        assert body["order"]["invoice"] == {"title": title, "status": "requested"}
        assert "l***@example.com" in body["message"]["zh"]
        assert "lin@example.com" not in str(body)

    async def test_replaced_until_issued(self, shop) -> None:
        order = shop.order("delivered")
        await shop.act("invoice", order, title="张三")
        body = (await shop.act("invoice", order, title="李四")).json()
        assert body["order"]["invoice"]["title"] == "李四"

    async def test_issued(self, shop) -> None:
        order = next(o for o in shop.orders if o["customer"] == "cus-1010" and o["status"] == "delivered")
        error = (await shop.act("invoice", order)).json()["error"]
        assert error["code"] == "not_allowed"
        assert "南京知行教育咨询有限公司" in error["details"]["reason"]["zh"]

    async def test_too_late(self, shop) -> None:
        order = shop.order("delivered")
        shop.clock.forward(days=400)
        error = (await shop.act("invoice", order)).json()["error"]
        assert "365" in error["details"]["reason"]["en"]


class TestReturn:
    async def test_picked_up_and_paid_back(self, shop) -> None:
        body = (await shop.act("return", shop.order("delivered"))).json()
        order = body["order"]
        assert (order["status"], order["allowed"]) == ("returning", [])
        assert (order["refund"]["amount"], order["refund"]["status"]) == (order["total"], "pending")
        assert order["parcels"][-1]["direction"] == "return"
        assert order["parcels"][-1]["status"] == "awaiting_pickup"
        assert order["parcels"][-1]["events"][0]["at"] == "2026-03-11T04:00:00Z"
        assert "3月12日" in body["message"]["zh"]

    async def test_exchange_pays_nothing_back(self, shop) -> None:
        body = (await shop.act("return", shop.order("delivered"), kind="exchange")).json()
        assert (body["order"]["status"], body["order"]["refund"]) == ("returning", None)
        assert "换货" in body["message"]["zh"]

    async def test_the_days_run_out(self, shop) -> None:
        order = shop.order("delivered")
        delivered_at = (await shop.lookup(order)).json()["delivered_at"]
        delivered_on = shop.clock().fromisoformat(delivered_at).date()
        noon = shop.clock().replace(hour=4)

        async def allowed_after(days: int) -> bool:
            shop.clock.now = noon.replace(year=delivered_on.year, month=delivered_on.month, day=delivered_on.day)
            shop.clock.forward(days=days)
            return "return" in (await shop.lookup(order)).json()["allowed"]

        assert await allowed_after(15)
        assert not await allowed_after(16)
        too_late = (await shop.act("return", order, kind="exchange")).json()["error"]["details"]["reason"]
        assert "保修" in too_late["zh"]
        assert await allowed_after(8)
        only_exchange = (await shop.act("return", order, kind="return")).json()["error"]["details"]["reason"]
        assert "exchange it free until" in only_exchange["en"]
        assert await allowed_after(7)
        assert (await shop.act("return", order, kind="return")).status_code == 200


class TestProof:
    async def test_with_the_customers_token(self, shop) -> None:
        order = shop.order("paid")
        response = await shop.act("cancel", order, customer_token=shop.token(order["customer"]))
        assert response.json()["order"]["status"] == "cancelled"

    async def test_another_customers_token_is_like_an_unknown_number(self, shop) -> None:
        order = shop.order("paid")
        token = shop.token("cus-1016")
        foreign = await shop.act("cancel", order, customer_token=token)
        unknown = await shop.act("cancel", {"number": "LM2601019999"}, customer_token=token)
        assert foreign.status_code == unknown.status_code == 404
        assert foreign.json() == unknown.json()

    async def test_a_bad_token(self, shop) -> None:
        response = await shop.act("cancel", shop.order("paid"), customer_token="nonsense")
        assert response.status_code == 401

    @pytest.mark.parametrize("action", ACTIONS)
    async def test_wrong_digits(self, shop, action) -> None:
        order = shop.order("paid")
        response = await shop.act(action, order, phone_last4="0000")
        assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")
        assert (await shop.lookup(order)).json()["status"] == "paid"

    async def test_none_or_both(self, shop) -> None:
        order = shop.order("paid")
        assert (await shop.act("cancel", order, phone_last4=None)).status_code == 422
        token = shop.token(order["customer"])
        both = await shop.act("cancel", order, customer_token=token, phone_last4=order["phone_last4"])
        assert both.status_code == 422


class TestIdempotency:
    async def test_the_same_call_again(self, shop) -> None:
        order = shop.order("paid")
        first = await shop.act("cancel", order, key="once")
        again = await shop.act("cancel", order, key="once")
        assert again.status_code == 200
        assert again.json() == first.json()
        assert (await shop.act("cancel", order, key="twice")).status_code == 409

    async def test_the_proof_may_be_fresh(self, shop) -> None:
        order = shop.order("paid")
        first = await shop.act("cancel", order, key="once", customer_token=shop.token(order["customer"]))
        shop.clock.forward(minutes=1)
        again = await shop.act("cancel", order, key="once", customer_token=shop.token(order["customer"]))
        assert again.json() == first.json()

    async def test_a_key_does_not_replace_the_proof(self, shop) -> None:
        order = shop.order("paid")
        await shop.act("cancel", order, key="once")
        assert (await shop.act("cancel", order, key="once", phone_last4="0000")).status_code == 404

    @pytest.mark.parametrize("other", ["body", "action", "order"])
    async def test_another_call_with_the_same_key(self, shop, other) -> None:
        order = shop.order("paid")
        await shop.act("invoice", order, key="once")
        response = {
            "body": lambda: shop.act("invoice", order, key="once", title="别人"),
            "action": lambda: shop.act("cancel", order, key="once"),
            "order": lambda: shop.act("invoice", shop.order("paid", 1), key="once"),
        }[other]
        error = (await response()).json()["error"]
        assert error["code"] == "idempotency_key_reused"

    async def test_a_refusal_is_not_kept(self, shop) -> None:
        order = shop.order("delivered")
        shop.clock.forward(days=60)
        assert (await shop.act("return", order, key="once")).status_code == 409
        shop.clock.forward(days=-60)
        assert (await shop.act("return", order, key="once")).status_code == 200

    async def test_at_the_same_time(self, shop) -> None:
        order = shop.order("delivered")
        answers = await asyncio.gather(*[shop.act("return", order, key="once") for _ in range(8)])
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.text for answer in answers}) == 1
        parcels = (await shop.lookup(order)).json()["parcels"]
        assert [parcel["direction"] for parcel in parcels].count("return") == 1

    async def test_two_wishes_at_the_same_time_one_is_done(self, shop) -> None:
        order = shop.order("paid")
        answers = await asyncio.gather(*[shop.act("cancel", order, key=f"key {i}") for i in range(8)])
        assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7

    async def test_kept_for_a_week(self, shop) -> None:
        order = shop.order("paid")
        await shop.act("cancel", order, key="once")
        shop.clock.now += timedelta(days=6)
        assert (await shop.act("cancel", order, key="once")).status_code == 200

    @pytest.mark.parametrize("action", ACTIONS)
    async def test_no_key(self, shop, action) -> None:
        order = shop.order("paid")
        bodies = {
            "cancel": {},
            "address": {"recipient": "张三", "phone": "13900001234", "address": "南京市鼓楼区汉口路"},
            "invoice": {"title": "张三"},
            "return": {"kind": "return", "reason": "不想要了"},
        }
        body = bodies[action] | {"phone_last4": order["phone_last4"]}
        for headers in ({}, {"Idempotency-Key": ""}, {"Idempotency-Key": "k" * 201}):
            response = await shop.client.post(f"/orders/{order['number']}/{action}", json=body, headers=headers)
            assert (response.status_code, response.json()["error"]["code"]) == (400, "idempotency_key_missing")
