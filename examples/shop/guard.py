"""The gate before the API: who may call, how large a body may be, what type it has."""

import hmac

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from examples.shop.errors import ShopError

OPEN_PATHS = frozenset({"/healthz"})
MAX_BODY_BYTES = 64 * 1024


class Guard:
    """Refuses calls without the bearer token, bodies over the limit and bodies that are not JSON."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the call, then pass it on."""
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        try:
            self._check_token(headers)
            body = await _read_body(receive)
            if body and headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
                raise ShopError(415, "unsupported_media_type")
        except ShopError as error:
            return await error.response(headers.get("accept-language"))(scope, receive, send)
        await self._app(scope, _replay(body, receive), send)

    def _check_token(self, headers: Headers) -> None:
        if not hmac.compare_digest(headers.get("authorization", "").encode(), self._expected):
            raise ShopError(401, "unauthorized", headers={"WWW-Authenticate": "Bearer"})


async def _read_body(receive: Receive) -> bytes:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise ShopError(413, "payload_too_large", limit=MAX_BODY_BYTES)
        more = message.get("more_body", False)
    return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
