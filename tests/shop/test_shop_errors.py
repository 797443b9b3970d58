"""Everything that goes wrong answers in one shape, says nothing about the inside, and in the caller's language."""

import json

import httpx
import pytest
from sqlalchemy import create_engine, text

from examples.shop.guard import MAX_BODY_BYTES

CALLS = [
    ("POST", "/orders/lookup"),
    ("POST", "/customers/lookup"),
    ("POST", "/orders/LM2601010001/cancel"),
    ("POST", "/orders/LM2601010001/address"),
    ("POST", "/orders/LM2601010001/invoice"),
    ("POST", "/orders/LM2601010001/return"),
    ("GET", "/devices"),
    ("GET", "/devices/band-2/firmware"),
    ("POST", "/bug-reports"),
    ("GET", "/bug-reports/BR-1001"),
    ("POST", "/bug-reports/BR-1001/answer"),
    ("GET", "/policies"),
]


def error_of(response: httpx.Response) -> dict:
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "details"}
    assert body["error"]["message"]
    return body["error"]


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic token-of-the-shop", "Bearer ", "Bearer é"])
@pytest.mark.parametrize(("method", "path"), [*CALLS, ("GET", "/nowhere"), ("GET", "/openapi.json")])
async def test_no_token(shop, method, path, header) -> None:
    headers = {"Authorization": header.encode("latin-1")} if header else {}
    async with httpx.AsyncClient(transport=shop.client._transport, base_url="http://shop") as anonymous:
        response = await anonymous.request(method, path, headers=headers)
    assert response.status_code == 401
    assert error_of(response)["code"] == "unauthorized"


async def test_health_is_open(shop) -> None:
    async with httpx.AsyncClient(transport=shop.client._transport, base_url="http://shop") as anonymous:
        response = await anonymous.get("/healthz")
    assert response.json() == {"status": "ok"}


async def test_every_call_is_described(shop) -> None:
    described = (await shop.client.get("/openapi.json")).json()["paths"]
    assert sum(len(methods) for methods in described.values()) == len(CALLS) + 1


@pytest.mark.parametrize("path", ["/", "/nowhere", "/orders", "/devices/", "/docs", "/orders/LM1/refund"])
async def test_unknown_path(shop, path) -> None:
    response = await shop.client.get(path)
    assert response.status_code == 404
    assert error_of(response)["code"] == "not_found"


@pytest.mark.parametrize(("method", "path"), CALLS)
async def test_wrong_method(shop, method, path) -> None:
    response = await shop.client.request("DELETE", path)
    assert response.status_code == 405
    assert error_of(response)["code"] == "method_not_allowed"
    assert method in response.headers["allow"]


@pytest.mark.parametrize("path", [path for method, path in CALLS if method == "POST"])
async def test_bad_bodies(shop, path) -> None:
    json_type = {"Content-Type": "application/json", "Idempotency-Key": "k"}

    async def post(content: bytes, headers: dict[str, str] = json_type) -> tuple[int, str]:
        response = await shop.client.post(path, content=content, headers=headers)
        return response.status_code, error_of(response)["code"]

    assert await post(b"{not json") == (400, "invalid_json")
    assert await post(b"[]") == (422, "invalid_request")
    assert await post(b"") == (422, "invalid_request")
    assert await post(b'{"a": "' + b"x" * MAX_BODY_BYTES + b'"}') == (413, "payload_too_large")
    assert await post(b"a=b", {"Content-Type": "application/x-www-form-urlencoded"}) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("number", "proof"),
    [
        ("", "0042"),
        ("L" * 41, "0042"),
        (12, "0042"),
        ("LM2601010001", "42"),
        ("LM2601010001", "00421"),
        ("LM2601010001", "abcd"),
        ("LM2601010001", 42),
        ("LM260101\u00000001", "0042"),
        ("LM260101\ud8000001", "0042"),
    ],
)
async def test_bad_lookups(shop, number, proof) -> None:
    body = json.dumps({"number": number, "phone_last4": proof})
    response = await shop.client.post("/orders/lookup", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 422
    error = error_of(response)
    assert error["code"] == "invalid_request"
    assert error["details"]["fields"]


async def test_full_width_proofs_are_read(shop) -> None:
    order = next(o for o in shop.orders if o["customer"] == "cus-1001")
    full_width = "".join(chr(ord(digit) + 0xFEE0) for digit in "0042")
    assert (await shop.lookup(order, phone_last4=full_width)).status_code == 200


@pytest.mark.parametrize(
    ("action", "changes"),
    [
        ("cancel", {"surprise": 1}),
        ("address", {"phone": "12345"}),
        ("address", {"recipient": " "}),
        ("address", {"recipient": "张\n三"}),
        ("address", {"address": "短"}),
        ("address", {"address": "长" * 201}),
        ("invoice", {"title": ""}),
        ("invoice", {"tax_number": "12"}),
        ("invoice", {"email": "nobody"}),
        ("return", {"kind": "gift"}),
        ("return", {"reason": ""}),
        ("return", {"reason": "字" * 501}),
    ],
)
async def test_bad_actions(shop, action, changes) -> None:
    response = await shop.act(action, shop.order("delivered" if action == "return" else "paid"), **changes)
    assert response.status_code == 422
    fields = error_of(response)["details"]["fields"]
    assert [problem["field"] for problem in fields] == list(changes)


async def test_what_was_sent_is_not_repeated(shop) -> None:
    response = await shop.act("address", shop.order("paid"), phone="987654", address="隐")
    assert "987654" not in response.text
    assert "隐" not in response.text


@pytest.mark.parametrize(("language", "word"), [("zh-CN,en;q=0.5", "核对"), ("en", "check"), (None, "check")])
async def test_the_callers_language(shop, language, word) -> None:
    headers = {"Accept-Language": language} if language else {}
    response = await shop.client.get("/nowhere", headers=headers)
    assert word in error_of(response)["message"]


async def test_a_crash_says_nothing_about_the_inside(shop) -> None:
    engine = create_engine(f"sqlite:///{shop.database}")
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE devices RENAME TO gone"))
    engine.dispose()
    response = await shop.client.get("/devices")
    assert response.status_code == 500
    assert error_of(response)["code"] == "internal_error"
    assert "gone" not in response.text
    assert "sqlite" not in response.text.lower()
