"""`jieli doctor`: looks at every part and says what to do about the broken ones."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import SQLAlchemyError

from handoff.assistant.client import BotClient
from handoff.database import Database
from handoff.locales import text
from handoff.migrate import alembic_config
from handoff.settings import settings

LEAST_FREE_BYTES = 500 * 1024 * 1024


@dataclass(frozen=True)
class Finding:
    """One part's state; `cure` says what to do when it is not well."""

    part: str
    well: bool
    cure: str = ""


async def examine() -> list[Finding]:
    """Look at every part; one broken part never hides another."""
    parts: list[tuple[str, Callable[[], Awaitable[bool]]]] = [
        ("disk", _disk),
        ("database", _database),
        ("bot", _bot),
        ("shop", _shop),
        ("redis", _redis),
        ("secrets", _secrets),
    ]
    findings = []
    for part, look in parts:
        try:
            well = await look()
        except (OSError, SQLAlchemyError, httpx.HTTPError):
            well = False
        findings.append(Finding(part, well, "" if well else part))
    return findings


def sentence(finding: Finding, language: str) -> str:
    """Return one line for people."""
    name = text(f"doctor.{finding.part}", language)
    if finding.well:
        return text("doctor.well", language, part=name)
    return text("doctor.ill", language, part=name, cure=text(f"doctor.cure_{finding.cure}", language))


async def _disk() -> bool:
    settings.jieli_var.mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(settings.jieli_var).free >= LEAST_FREE_BYTES


async def _database() -> bool:
    newest = ScriptDirectory.from_config(alembic_config()).get_current_head()
    database = Database(settings.database)
    try:
        async with database.engine.connect() as connection:
            current = await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())
    finally:
        await database.close()
    return current == newest


async def _bot() -> bool:
    client = BotClient(settings.bot_urls, settings.bot_token, 3)
    try:
        return await client.healthy()
    finally:
        await client.close()


async def _shop() -> bool:
    if not settings.shop_api_url:
        return False
    async with httpx.AsyncClient(timeout=3, trust_env=False) as client:
        answer = await client.get(
            f"{settings.shop_api_url.rstrip('/')}/devices",
            headers={"Authorization": f"Bearer {settings.shop_api_token}"},
        )
    return answer.status_code == 200


async def _redis() -> bool:
    if not settings.redis_url:
        return True
    import redis.asyncio

    client = redis.asyncio.from_url(settings.redis_url)
    try:
        return bool(await client.ping())
    except redis.RedisError:
        return False
    finally:
        await client.aclose()


async def _secrets() -> bool:
    return "secret_key" in settings.model_fields_set and bool(settings.bot_token)
