"""Finding orders: second proofs, how often one may guess, known customers."""

import asyncio
import json
import re
from datetime import timedelta

import jwt
import pytest

ORDER_FIELDS = {
    "number", "status", "placed_at", "total", "currency", "items", "recipient", "parcels", "expected_date",
    "delivered_at", "refund", "invoice", "allowed",
}  # fmt: skip
WRONG = "0000"


class TestLookupOrder:
    async def test_shape(self, shop) -> None:
        response = await shop.lookup(shop.order("delivered"))
        order = response.json()
        assert response.status_code == 200
        assert set(order) == ORDER_FIELDS
        assert order["total"] == sum(item["price"] * item["quantity"] for item in order["items"])
        assert set(order["items"][0]["name"]) == {"zh", "en"}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", order["delivered_at"])
        assert {"number", "carrier", "status", "events"} <= set(order["parcels"][0])
        assert set(order["parcels"][0]["events"][0]) == {"at", "place", "text"}

    async def test_every_seeded_order_is_found(self, shop) -> None:
        for order in shop.orders:
            response = await shop.lookup(order)
            assert (response.status_code, response.json()["status"]) == (200, order["status"])

    async def test_people_are_masked(self, shop) -> None:
        response = await shop.lookup(next(o for o in shop.orders if o["customer"] == "cus-1001"))
        assert response.json()["recipient"] == {
            "name": "林**",
            "phone": "138****0042",
            "city": "杭州",
            "address": "西湖区文三路****",
        }

    async def test_a_shipped_order_has_an_expected_date(self, shop) -> None:
        order = (await shop.lookup(shop.order("shipped"))).json()
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", order["expected_date"])

    @pytest.mark.parametrize(
        "write",
        [
            str.lower,
            lambda n: f" {n[:2]} {n[2:8]}-{n[8:]} ",
            lambda n: "LM" + n[2:].translate({ord(d): ord(d) + 0xFEE0 for d in "0123456789"}),
        ],
    )
    async def test_numbers_as_people_write_them(self, shop, write) -> None:
        order = shop.order("paid")
        response = await shop.lookup(order, number=write(order["number"]))
        assert response.json()["number"] == order["number"]

    async def test_todays_stops_show_only_once_they_happened(self, shop) -> None:
        order = next(
            o for o in shop.orders if o["status"] == "shipped" and o["customer"] == "cus-1015"
        )  # out for delivery today
        shop.clock.forward(hours=-10)
        before = (await shop.lookup(order)).json()["parcels"][0]["events"]
        shop.clock.forward(hours=10)
        after = (await shop.lookup(order)).json()["parcels"][0]["events"]
        assert after[: len(before)] == before
        assert "派" in after[-1]["text"]["zh"]
        assert len(after) == len(before) + 1


class TestWrongProof:
    async def test_like_an_unknown_number(self, shop) -> None:
        wrong = await shop.lookup(shop.order("paid"), phone_last4=WRONG)
        unknown = await shop.lookup({"number": "LM2601019999", "phone_last4": "0042"})
        assert wrong.status_code == unknown.status_code == 404
        assert wrong.json() == unknown.json()
        assert wrong.json()["error"]["code"] == "not_found"

    @pytest.mark.parametrize("known", [True, False])
    async def test_five_an_hour(self, shop, known) -> None:
        order = shop.order("paid") if known else {"number": "LM2601019999", "phone_last4": "0042"}
        for _ in range(5):
            assert (await shop.lookup(order, phone_last4=WRONG)).status_code == 404
            shop.clock.forward(minutes=1)
        refused = await shop.lookup(order)
        assert refused.status_code == 429
        assert refused.json()["error"]["code"] == "too_many_proofs"
        assert refused.headers["retry-after"] == str(55 * 60)

    async def test_over_after_the_retry_time(self, shop) -> None:
        order = shop.order("paid")
        for _ in range(5):
            await shop.lookup(order, phone_last4=WRONG)
        wait = int((await shop.lookup(order)).headers["retry-after"])
        shop.clock.forward(seconds=wait - 1)
        assert (await shop.lookup(order)).status_code == 429
        shop.clock.forward(seconds=1)
        assert (await shop.lookup(order)).status_code == 200

    async def test_refused_attempts_do_not_prolong_the_wait(self, shop) -> None:
        order = shop.order("paid")
        for _ in range(20):
            await shop.lookup(order, phone_last4=WRONG)
        shop.clock.forward(hours=1)
        assert (await shop.lookup(order)).status_code == 200

    async def test_other_numbers_are_not_held_up(self, shop) -> None:
        for _ in range(5):
            await shop.lookup(shop.order("paid"), phone_last4=WRONG)
        assert (await shop.lookup(shop.order("paid", 1))).status_code == 200

    async def test_spelling_does_not_buy_more_guesses(self, shop) -> None:
        order = shop.order("paid")
        for spelling in (order["number"], order["number"].lower(), "-".join(order["number"])) * 2:
            last = await shop.lookup(order, number=spelling, phone_last4=WRONG)
        assert last.status_code == 429

    async def test_guesses_through_an_action_count_too(self, shop) -> None:
        order = shop.order("paid")
        for _ in range(5):
            assert (await shop.act("cancel", order, phone_last4=WRONG)).status_code == 404
        assert (await shop.act("cancel", order)).status_code == 429
        assert (await shop.lookup(order)).status_code == 429

    async def test_guesses_at_the_same_time(self, shop) -> None:
        order = shop.order("paid")
        guesses = [shop.lookup(order, phone_last4=f"{guess:04}") for guess in range(30)]
        states = [response.status_code for response in await asyncio.gather(*guesses)]
        assert sorted(states) == [404] * 5 + [429] * 25

    async def test_the_recipients_and_the_buyers_phone_are_both_good(self, shop) -> None:
        order = shop.order("paid")
        await shop.act("address", order, phone="13900001234")
        assert (await shop.lookup(order, phone_last4="1234")).status_code == 200
        assert (await shop.lookup(order)).status_code == 200


class TestLookupCustomer:
    async def test_orders_newest_first(self, shop) -> None:
        response = await shop.client.post("/customers/lookup", json={"customer_token": shop.token("cus-1001")})
        body = response.json()
        assert body["customer"] == {"id": "cus-1001", "name": "林晓雯"}
        placed = [order["placed_at"] for order in body["orders"]]
        assert len(placed) == 4
        assert placed == sorted(placed, reverse=True)
        assert set(body["orders"][0]) == ORDER_FIELDS

    async def test_someone_who_never_bought(self, shop) -> None:
        token = shop.token("cus-9999", "新客户")
        response = await shop.client.post("/customers/lookup", json={"customer_token": token})
        assert response.json() == {"customer": {"id": "cus-9999", "name": "新客户"}, "orders": []}

    @pytest.mark.parametrize("kind", ["forged", "expired", "long-lived", "without expiry", "nonsense", "unsigned"])
    async def test_bad_tokens(self, shop, kind) -> None:
        claims = {"sub": "cus-1001", "exp": shop.clock() + timedelta(minutes=5)}
        secret = "secret-that-the-desk-and-the-shop-share"
        token = {
            "forged": lambda: shop.token("cus-1001", secret="another secret that is long enough"),
            "expired": lambda: jwt.encode(claims | {"exp": shop.clock() - timedelta(minutes=1)}, secret),
            "long-lived": lambda: jwt.encode(claims | {"exp": shop.clock() + timedelta(hours=1)}, secret),
            "without expiry": lambda: jwt.encode({"sub": "cus-1001"}, secret),
            "nonsense": lambda: "nonsense",
            "unsigned": lambda: jwt.encode(claims, None, algorithm="none"),
        }[kind]()
        response = await shop.client.post("/customers/lookup", json={"customer_token": token})
        assert response.status_code == 401
        assert response.json()["error"]["code"] == "invalid_customer_token"

    async def test_no_secret_no_known_customers(self, open_shop) -> None:
        shop = await open_shop(secret=None)
        response = await shop.client.post("/customers/lookup", json={"customer_token": shop.token("cus-1001")})
        assert response.status_code == 401

    async def test_nothing_unmasked_leaves_the_shop(self, shop) -> None:
        response = await shop.client.post("/customers/lookup", json={"customer_token": shop.token("cus-1001")})
        text = json.dumps(response.json()["orders"], ensure_ascii=False)
        assert "13857120042" not in text
        assert "478" not in text
        assert "林晓雯" not in text.replace('"title": "林晓雯"', "")
