"""The processes, each asked by itself: action server, bot, shop, desk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from handoff.doctor.finding import Finding
from handoff.runner.ports import describe_holder
from handoff.runner.readiness import PATHS
from handoff.settings import settings

ASK_SECONDS = 4.0
LOCAL = {"127.0.0.1", "localhost", "::1"}


async def actions(environment: Mapping[str, str]) -> Finding:
    """Rasa's action server answers."""
    address = environment.get("ACTIONS_URL") or f"http://127.0.0.1:{environment.get('ACTIONS_PORT', '5055')}"
    return await _ask("actions", f"{address}{PATHS['actions']}", "", lambda body: body.get("status") == "ok")


async def bot(environment: Mapping[str, str]) -> Finding:
    """Every bot answers the desk's token. A bot that misses only its action server is well itself."""
    for address in settings.bot_urls:
        url = f"{address}{PATHS['bot']}"
        found = await _ask("bot", url, settings.bot_token, _is_well_bot)
        if not found.well:
            return found
    return Finding("bot") if settings.bot_urls else Finding("bot", "not_configured", {"name": "BOT_URLS"})


async def shop(environment: Mapping[str, str]) -> Finding:
    """The shop's back office answers the bot's token."""
    address = environment.get("SHOP_API_URL", "")
    if not address:
        return Finding("shop", "not_configured", {"name": "SHOP_API_URL"})
    url = f"{address.rstrip('/')}/devices"
    return await _ask("shop", url, environment.get("SHOP_API_TOKEN", ""), lambda body: "devices" in body)


async def desk(environment: Mapping[str, str]) -> Finding:
    """The desk itself serves."""
    host = environment.get("HOST", "127.0.0.1")
    host = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - what HOST may say
    url = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}{PATHS['desk']}"
    return await _ask("desk", url, "", lambda body: body.get("database") == "ok")


def _is_well_bot(body: dict[str, Any]) -> bool:
    error = body.get("error")
    return "model" in body or (isinstance(error, dict) and error.get("code") == "actions_unreachable")


async def _ask(part: str, url: str, token: str, is_well: Callable[[dict[str, Any]], bool]) -> Finding:
    """Ask a process for its state: nobody there, somebody else there, the wrong token, or unwell."""
    values: dict[str, object] = {"url": url, "part": part, "port": urlsplit(url).port or 80}
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        async with httpx.AsyncClient(timeout=ASK_SECONDS, trust_env=False) as client:
            answer = await client.get(url, headers=headers)
    except httpx.ConnectError:
        return Finding(part, "not_running", values)
    except httpx.TimeoutException:
        return Finding(part, "hangs", values)
    except (httpx.HTTPError, httpx.InvalidURL):
        return _held(part, url, values)
    try:
        body = answer.json()
    except ValueError:
        return _held(part, url, values)
    if not isinstance(body, dict):
        return _held(part, url, values)
    if is_well(body):
        return Finding(part)
    if answer.status_code in {401, 403}:
        return Finding(part, "wrong_token", {**values, "name": "BOT_TOKEN" if part == "bot" else "SHOP_API_TOKEN"})
    return Finding(part, "unwell", {**values, "status": answer.status_code})


def _held(part: str, url: str, values: dict[str, object]) -> Finding:
    """Somebody answers who is not ours."""
    local = urlsplit(url).hostname in LOCAL
    holder = describe_holder(int(str(values["port"]))) if local else urlsplit(url).netloc
    return Finding(part, "port_held", {**values, "holder": holder})
