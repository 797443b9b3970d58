"""The state of the order that a customer speaks of, looked up at the shop at the moment the summary is read."""

from __future__ import annotations

import asyncio
import ssl
import time
from datetime import date
from functools import cache

import httpx
import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from handoff.settings import settings

log = structlog.get_logger(__name__)
TIMEOUT = 4.0
READER_WAITS = 0.2
FRESH_SECONDS = 30.0
# The shop counts wrong proofs: one that failed is not tried again for as long as it counts them.
REFUSED_SECONDS = 3600.0
AWAY_SECONDS = 10.0
MOST_KEPT = 2000
_NOT_PROVEN = {404, 422, 429}


class OrderState(BaseModel):
    """What the shop says of an order: its state and the day it is expected."""

    model_config = ConfigDict(extra="ignore")

    number: str
    status: str
    expected_date: date | None = None


@cache
def _trust() -> ssl.SSLContext:
    """The certificates of this machine, read once: that alone takes longer than a lookup."""
    return ssl.create_default_context()


_kept: dict[tuple[str, str], tuple[float, OrderState | None]] = {}
_asking: dict[tuple[str, str], asyncio.Task[None]] = {}


async def state_of(number: str | None, phone_last4: str | None) -> OrderState | None:
    """Return the order's state; None without both proofs, when the shop refuses, or when it takes too long.

    A reader waits a moment only. What comes later is there at the next look.
    """
    if not settings.shop_api_url or not number or not phone_last4:
        return None
    key = (number, phone_last4)
    until, state = _kept.get(key, (0.0, None))
    if until > time.monotonic():
        return state
    task = _asking.get(key)
    if task is None:
        task = _asking[key] = asyncio.create_task(_ask(key))
        task.add_done_callback(lambda _: _asking.pop(key, None))
    await asyncio.wait([task], timeout=READER_WAITS)
    return _kept.get(key, (0.0, None))[1]


async def _ask(key: tuple[str, str]) -> None:
    state, life = await _looked_up(*key)
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    _kept[key] = (time.monotonic() + life, state)


async def _looked_up(number: str, phone_last4: str) -> tuple[OrderState | None, float]:
    """Return the state and for how many seconds it holds."""
    headers = {"Authorization": f"Bearer {settings.shop_api_token}"}
    try:
        async with httpx.AsyncClient(headers=headers, timeout=TIMEOUT, trust_env=False, verify=_trust()) as client:
            body = {"number": number, "phone_last4": phone_last4}
            response = await client.post(f"{settings.shop_api_url.rstrip('/')}/orders/lookup", json=body)
        if response.status_code in _NOT_PROVEN:
            return None, REFUSED_SECONDS
        response.raise_for_status()
        return OrderState.model_validate_json(response.content), FRESH_SECONDS
    except (httpx.HTTPError, ValidationError) as error:
        log.info("order_not_looked_up", reason=type(error).__name__)
        return None, AWAY_SECONDS
