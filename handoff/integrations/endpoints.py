"""Rasa's REST channel: an existing integration keeps its code and gains people behind the bot."""

from __future__ import annotations

import hmac
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.routing import Match
from starlette.types import Scope

from handoff.desk import desk
from handoff.errors import ApiError, invalid
from handoff.integrations.calls import abandon, answered, begin, collect
from handoff.integrations.schemas import Incoming
from handoff.limits import address_of
from handoff.settings import settings

LARGEST_BODY = 64 * 1024


class ConfiguredRoute(APIRoute):
    """A route that does not exist until `INTEGRATION_TOKEN` is set."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match nothing while no integration is configured."""
        return super().matches(scope) if settings.integration_token else (Match.NONE, {})


router = APIRouter(tags=["integrations"], route_class=ConfiguredRoute)


async def integration_caller(request: Request) -> None:
    """Dependency: the holder of `INTEGRATION_TOKEN`; everybody else gets 401."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    expected = settings.integration_token.encode()
    if scheme.lower() != "bearer" or not hmac.compare_digest(token.strip().encode(), expected):
        desk.limits.address("failures", address_of(request.scope))
        raise ApiError(401, "unauthenticated")


@router.post("/rest/webhook", dependencies=[Depends(integration_caller)])
async def webhook(request: Request) -> list[dict[str, Any]]:
    """Say something as one of the integration's senders; returns everything said to them since the last call."""
    call = await begin(await _read(request), address_of(request.scope))
    await answered(call)
    if await request.is_disconnected():
        await abandon(call)
        return []
    return await collect(call)


async def _read(request: Request) -> Incoming:
    """Return the checked body; 415 for other media types, 413 for more than `LARGEST_BODY` bytes, 400, 422."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in {"application/json", ""}:
        raise ApiError(415, "unsupported_type")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise ApiError(413, "too_large", {"limit": LARGEST_BODY})
    try:
        return Incoming.model_validate_json(bytes(body))
    except ValidationError as error:
        raise invalid(error.errors()) from None
