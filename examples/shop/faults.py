"""Misbehaviour on demand (`SHOP_FAULTS`), to see how callers cope."""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from examples.shop.errors import ShopError
from examples.shop.guard import OPEN_PATHS
from examples.shop.settings import Fault

SLOW_SECONDS = 10.0


class Faults:
    """Delays or fails calls; the health check is spared so that the program still counts as started."""

    def __init__(self, app: ASGIApp, faults: frozenset[Fault]) -> None:
        self._app = app
        self._faults = faults
        self._calls = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Misbehave as told: first slow, then failing."""
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            return await self._app(scope, receive, send)
        if Fault.SLOW in self._faults:
            await asyncio.sleep(SLOW_SECONDS)
        failure = self._failure()
        if failure is not None:
            language = Headers(scope=scope).get("accept-language")
            return await failure.response(language)(scope, receive, send)
        await self._app(scope, receive, send)

    def _failure(self) -> ShopError | None:
        self._calls += 1
        if Fault.FLAKY in self._faults and self._calls % 2 == 1:
            return ShopError(503, "unavailable", headers={"Retry-After": "1"})
        if Fault.ERROR in self._faults:
            return ShopError(500, "internal_error")
        return None
