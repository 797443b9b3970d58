"""The shop's back office over HTTP: orders, devices, policies and bug reports."""

from __future__ import annotations

import asyncio
import os
import time
from functools import lru_cache
from typing import Any

import pybreaker
import requests
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

CONNECT_SECONDS = 1.0
READ_SECONDS = 1.8
ATTEMPTS = 2
CATALOGUE_SECONDS = 60.0


class ShopError(Exception):
    """Any answer of the shop that is not the one asked for."""


class ShopUnavailable(ShopError):
    """The shop is down, too slow, or answers nonsense; nothing can be said about the order."""


class OrderNotFound(ShopError):
    """No such order, or the proof is wrong; the shop does not say which."""


class TooManyProofs(ShopError):
    """Too many wrong proofs for this order; the shop refuses to look for a while."""


class CustomerUnknown(ShopError):
    """The customer's token is not valid (any more)."""


class NotAllowed(ShopError):
    """The order's state does not allow the change.

    Attributes:
        status: the order's state.
        reason: why not, by language (`zh`, `en`).
    """

    def __init__(self, status: str, reason: dict[str, str]) -> None:
        super().__init__(status)
        self.status = status
        self.reason = reason


class ShopRefused(ShopError):
    """The shop rejects what was sent (a field it cannot take)."""


class Shop:
    """Client of the shop's API. Every call runs in a thread, has a timeout and goes through one circuit breaker.

    Calls are retried only where doing them twice is the same as once: reads, and writes that carry an idempotency key.
    """

    def __init__(self, base_url: str, token: str) -> None:
        self._base = base_url.rstrip("/")
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"
        self._breaker = pybreaker.CircuitBreaker(
            fail_max=5, reset_timeout=10, exclude=[lambda error: not isinstance(error, ShopUnavailable)]
        )
        self._catalogue: dict[str, tuple[float, Any]] = {}

    async def order(self, number: str, phone_last4: str) -> dict[str, Any]:
        """The order, when the proof fits. Raises OrderNotFound, TooManyProofs, ShopUnavailable."""
        return await self._call("POST", "/orders/lookup", {"number": number, "phone_last4": phone_last4})

    async def customer_orders(self, customer_token: str) -> list[dict[str, Any]]:
        """The known customer's orders, newest first. Raises CustomerUnknown, ShopUnavailable."""
        answer = await self._call("POST", "/customers/lookup", {"customer_token": customer_token})
        return list(answer["orders"])

    async def change(self, number: str, action: str, body: dict[str, Any], key: str) -> dict[str, Any]:
        """Does `cancel`, `address`, `invoice` or `return` once for `key`; `body` carries the proof.

        Returns `{order, message: {zh, en}, reference}`. Raises NotAllowed, OrderNotFound, ShopRefused, ShopUnavailable.
        """
        return await self._call("POST", f"/orders/{number}/{action}", body, key=key)

    async def devices(self) -> list[dict[str, Any]]:
        """Every device the shop knows, with its newest firmware and app version."""
        return list((await self._read("/devices"))["devices"])

    async def firmware(self, model: str) -> list[dict[str, Any]]:
        """The firmware versions of one model, newest first; empty for a model the shop does not know."""
        try:
            return list((await self._read(f"/devices/{model}/firmware"))["versions"])
        except OrderNotFound:
            return []

    async def policies(self) -> dict[str, Any]:
        """Delivery, return, exchange, refund, warranty, invoice and address rules."""
        return dict(await self._read("/policies"))

    async def file_bug_report(self, report: dict[str, Any], key: str) -> dict[str, Any]:
        """Files a bug report with the shop's R&D once for `key`; returns it with `id` and `answer_due_at`."""
        return await self._call("POST", "/bug-reports", report, key=key)

    async def bug_report(self, reference: str) -> dict[str, Any]:
        """A filed bug report, with R&D's answer when there is one."""
        return await self._call("GET", f"/bug-reports/{reference}")

    async def _read(self, path: str) -> Any:
        kept = self._catalogue.get(path)
        if kept and time.monotonic() - kept[0] < CATALOGUE_SECONDS:
            return kept[1]
        answer = await self._call("GET", path)
        self._catalogue[path] = (time.monotonic(), answer)
        return answer

    async def _call(self, method: str, path: str, body: dict[str, Any] | None = None, key: str | None = None) -> Any:
        return await asyncio.to_thread(self._call_with_retries, method, path, body, key)

    def _call_with_retries(self, method: str, path: str, body: dict[str, Any] | None, key: str | None) -> Any:
        retrying = Retrying(
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.1, max=0.5),
            retry=retry_if_exception_type(ShopUnavailable),
            reraise=True,
        )
        try:
            return retrying(self._guarded, method, path, body, key)
        except pybreaker.CircuitBreakerError as error:
            raise ShopUnavailable("the shop failed repeatedly and is left alone for a moment") from error

    def _guarded(self, *request: Any) -> Any:
        # Not `breaker.call`: it holds its lock while the shop answers, so that one slow call would hold up all others.
        return self._breaker.state.call(self._send, *request)

    def _send(self, method: str, path: str, body: dict[str, Any] | None, key: str | None) -> Any:
        headers = {"Idempotency-Key": key} if key else None
        try:
            response = self._session.request(
                method, self._base + path, json=body, headers=headers, timeout=(CONNECT_SECONDS, READ_SECONDS)
            )
            answer = response.json()
        except (requests.RequestException, ValueError) as error:
            raise ShopUnavailable(type(error).__name__) from error
        if response.ok:
            return answer
        raise _refusal(response.status_code, answer)


def _refusal(status: int, answer: Any) -> ShopError:
    """The exception that stands for an error answer of the shop."""
    error = answer.get("error") if isinstance(answer, dict) else None
    if status >= 500 or not isinstance(error, dict):
        return ShopUnavailable(f"status {status}")
    details = error.get("details") or {}
    if error.get("code") == "not_allowed":
        return NotAllowed(str(details.get("status", "")), dict(details.get("reason") or {}))
    if error.get("code") == "too_many_proofs":
        return TooManyProofs(error["code"])
    if status == 404:
        return OrderNotFound(str(error.get("code")))
    if status == 401 and error.get("code") == "invalid_customer_token":
        return CustomerUnknown(error["code"])
    if status in (401, 403):
        return ShopUnavailable(f"status {status}")
    return ShopRefused(str(error.get("code")))


@lru_cache(maxsize=1)
def shop() -> Shop:
    """The shop this process talks to (SHOP_API_URL, SHOP_API_TOKEN)."""
    default = f"http://127.0.0.1:{os.environ.get('SHOP_PORT', '8100')}"
    return Shop(os.environ.get("SHOP_API_URL", default), os.environ.get("SHOP_API_TOKEN", ""))
