"""The demo shop's page: devices and orders as the shop's API gives them, and customers to sign in as."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import httpx
import jwt
import structlog

from handoff.identifiers import new_id
from handoff.locales import text
from handoff.settings import settings

log = structlog.get_logger(__name__)
FILES = ("shop.css", "shop.js", "icon.svg")
TEMPLATE = Path(__file__).parent / "demo.html"
# People of the example shop with orders in different states. A shop that does not know them shows none.
CUSTOMERS = {
    "cus-1001": "林晓雯", "cus-1002": "陈志强", "cus-1004": "张伟", "cus-1005": "李娜", "cus-1013": "Emily Carter",
    "cus-1014": "Daniel Müller",
}
WORDS = (
    "title", "brand", "lead", "text", "ask", "note", "devices", "orders", "orders_text", "order", "phone", "status",
    "sign_in", "sign_in_text", "customer", "enter", "leave", "failed", "try", "language", "staff",
)
ORDERS_SHOWN = 8
TOKEN_SECONDS = 300
FRESH_SECONDS = 60.0
SHOP_TIMEOUT = 3.0


@dataclass(frozen=True)
class Stock:
    """What the page shows: devices, one order of each state, and the customers whom the shop knows."""

    devices: list[dict[str, Any]] = field(default_factory=list)
    orders: list[dict[str, str]] = field(default_factory=list)
    customers: list[dict[str, str]] = field(default_factory=list)


class _Cache:
    """The last stock, so that the page does not cost the shop seven calls a view."""

    stock: Stock | None = None
    fetched_at: float = 0.0


_cache = _Cache()
_fetching = asyncio.Lock()


async def stock() -> Stock:
    """Return devices, orders and customers, at most a minute old; empty lists when the shop does not answer."""
    async with _fetching:
        if _cache.stock is None or time.monotonic() - _cache.fetched_at > FRESH_SECONDS:
            try:
                _cache.stock, _cache.fetched_at = await _fetch(), time.monotonic()
            except (httpx.HTTPError, KeyError, ValueError) as error:
                log.warning("demo_shop_silent", error=repr(error))
                return _cache.stock or Stock()
        return _cache.stock


async def _fetch() -> Stock:
    headers = {"Authorization": f"Bearer {settings.shop_api_token}"}
    client = httpx.AsyncClient(
        base_url=settings.shop_api_url, headers=headers, timeout=SHOP_TIMEOUT, trust_env=False
    )
    async with client as shop:
        devices = (await shop.get("/devices")).raise_for_status().json()["devices"]
        if not settings.identity_secret:
            return Stock(devices)
        asked = [{"id": id, "name": name} for id, name in CUSTOMERS.items()]
        found = zip(asked, await asyncio.gather(*(_orders(shop, customer) for customer in asked)), strict=True)
    known = [(customer, orders) for customer, orders in found if orders is not None]
    orders = [order for _, orders in known for order in orders]
    return Stock(devices, _one_of_each_state(orders), [customer for customer, _ in known])


async def _orders(shop: httpx.AsyncClient, customer: dict[str, str]) -> list[dict[str, str]] | None:
    """Return a customer's orders, each with the end of its phone number that the mask leaves; None when unknown."""
    answer = await shop.post("/customers/lookup", json={"customer_token": sign(customer)})
    if answer.status_code in (401, 404):
        return None
    return [
        {"number": order["number"], "phone": order["recipient"]["phone"][-4:], "status": order["status"]}
        for order in answer.raise_for_status().json()["orders"]
    ]


def _one_of_each_state(orders: list[dict[str, str]]) -> list[dict[str, str]]:
    chosen = {order["status"]: order for order in reversed(orders)}
    first = ("shipped", "delayed", "delivered", "paid")
    return sorted(chosen.values(), key=lambda order: (order["status"] not in first, order["status"]))[:ORDERS_SHOWN]


def sign(customer: dict[str, str]) -> str:
    """Return the token that says who the customer is: good for five minutes, and once."""
    expiry = int(time.time()) + TOKEN_SECONDS
    claims = {"sub": customer["id"], "name": customer["name"], "exp": expiry, "jti": new_id("demo")}
    return jwt.encode(claims, settings.identity_secret, algorithm="HS256")


def page_headers(host: str, *, secure: bool) -> dict[str, str]:
    """Return the page's headers; the policy is the strict one of docs/customers.md, so that the demo proves it.

    `secure`: the browser speaks TLS, and shall go on doing so.
    """
    always_tls = {"Strict-Transport-Security": "max-age=31536000"} if secure else {}
    policy = (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        f"connect-src 'self' ws://{host} wss://{host}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy, "Cache-Control": "no-store", "Vary": "Accept-Language",
        "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()",
        "Cross-Origin-Opener-Policy": "same-origin", **always_tls,
    }


def page(stock: Stock, language: str) -> str:
    """Return the page's HTML in `language`."""
    no_devices = f"<p>{escape(text('widget.demo_no_devices', language))}</p>"
    return Template(TEMPLATE.read_text(encoding="utf8")).substitute(
        {key: escape(text(f"widget.demo_{key}", language)) for key in WORDS},
        entered=escape(text("widget.demo_entered", language, name="{name}")),
        code=language,
        lang={"zh": "zh-CN", "en": "en"}[language],
        other={"zh": "en", "en": "zh"}[language],
        cards="".join(_card(device, language) for device in stock.devices) or no_devices,
        rows="".join(_row(order, language) for order in stock.orders),
        orders_hidden=_hidden(stock.orders),
        options="".join(_option(customer) for customer in stock.customers),
        sign_in_hidden=_hidden(stock.customers),
        tries="".join(_try(text(f"widget.demo_try_{number}", language)) for number in (1, 2, 3)),
    )


def _hidden(items: list[Any]) -> str:
    return "" if items else "hidden"


def _card(device: dict[str, Any], language: str) -> str:
    name = escape(device["name"][language])
    firmware = escape(text("widget.demo_firmware", language, version=device["latest_firmware"]))
    price = f"¥{device['price']:g}" if device["for_sale"] else text("widget.demo_not_for_sale", language)
    highlights = "".join(f"<li>{escape(line)}</li>" for line in device["highlights"][language][:3])
    about = escape(text("widget.demo_about", language))
    category, model = escape(device["category"]), escape(device["model"])
    return (
        f'<li class="card">'
        f'<div class="art" data-category="{category}"><svg aria-hidden="true"><use href="#{category}"/></svg></div>'
        f'<div class="about"><h3>{name}</h3><ul>{highlights}</ul><p class="firmware">{firmware}</p>'
        f'<div class="buy"><b>{escape(price)}</b>'
        f'<button type="button" data-device="{model}" aria-label="{about}: {name}">{about}</button></div>'
        f"</div></li>"
    )


def _row(order: dict[str, str], language: str) -> str:
    status = escape(text(f"widget.demo_{order['status']}", language))
    number, phone = escape(order["number"]), escape(order["phone"])
    return f"<tr><td><code>{number}</code></td><td><code>{phone}</code></td><td>{status}</td></tr>"


def _option(customer: dict[str, str]) -> str:
    return f'<option value="{escape(customer["id"])}">{escape(customer["name"])}</option>'


def _try(sentence: str) -> str:
    return f'<li><button type="button" data-draft="{escape(sentence)}">{escape(sentence)}</button></li>'
