"""The machine: disk, folder and rights, secrets, the bot's model, the clock."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
from sqlalchemy import func, select

from handoff.clock import now
from handoff.database import DATABASE_AWAY, Database
from handoff.doctor.finding import Finding
from handoff.runner.environment import MAY_BE_EMPTY, ROOT, SECRET_NAMES
from handoff.runner.errors import RunnerError
from handoff.runner.model import CURRENT, check_file
from handoff.settings import settings

LEAST_FREE_BYTES = 500 * 1024 * 1024
SHORTEST_SECRET = 24
FEWEST_LETTERS = 8
CLOCK_TOLERANCE = 30.0
ASK_SECONDS = 3.0


async def disk(_environment: Mapping[str, str]) -> Finding:
    """There is room to go on for a while."""
    free = shutil.disk_usage(_nearest(settings.jieli_var)).free
    if free < LEAST_FREE_BYTES:
        return Finding("disk", "disk", {"free": free // 1024**2, "path": settings.jieli_var})
    return Finding("disk")


def _nearest(path: Path) -> Path:
    """Return the path, or the closest folder above it that exists."""
    return next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())


async def folder(_environment: Mapping[str, str]) -> Finding:
    """The folder of run-time files can be written, and only its owner can read what is in it."""
    var, kept = settings.jieli_var, settings.jieli_var / "secrets.env"
    if not var.exists():
        return Finding("folder", "folder_missing", {"path": var})
    if not os.access(var, os.R_OK | os.W_OK | os.X_OK):
        return Finding("folder", "folder_rights", {"path": var})
    private = [path for path in (kept, var / "desk.db", var / "demo.json") if path.exists()]
    for path in private:
        if not os.access(path, os.R_OK | os.W_OK):
            return Finding("folder", "folder_rights", {"path": path})
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            return Finding("folder", "file_open", {"path": path})
    return Finding("folder")


async def secrets(environment: Mapping[str, str]) -> Finding:
    """Every secret is there, and none can be guessed."""
    for name in SECRET_NAMES:
        value = environment.get(name, "")
        if not value and name == MAY_BE_EMPTY:
            continue
        if not value:
            return Finding("secrets", "secret_missing", {"name": name})
        if len(value) < SHORTEST_SECRET or len(set(value)) < FEWEST_LETTERS:
            return Finding("secrets", "secret_weak", {"name": name})
    return Finding("secrets")


async def model(environment: Mapping[str, str]) -> Finding:
    """The bot's model is there and whole."""
    path = Path(environment.get("BOT_MODELS") or ROOT / settings.jieli_var / "models") / CURRENT
    if not path.exists():
        return Finding("model", "model_missing", {"path": path})
    try:
        await asyncio.to_thread(check_file, path)
    except RunnerError:
        return Finding("model", "model_broken", {"path": path})
    return Finding("model")


async def clock(environment: Mapping[str, str]) -> Finding:
    """This machine's clock agrees with the database's and the shop's; who does not answer is another finding."""
    for name, ask in (("database", _database_time), ("shop", _shop_time)):
        other = await ask(environment)
        if other is not None and abs((now() - other).total_seconds()) > CLOCK_TOLERANCE:
            return Finding("clock", f"clock_{name}", {"seconds": round((now() - other).total_seconds())})
    return Finding("clock")


async def _database_time(_environment: Mapping[str, str]) -> datetime | None:
    database = Database(settings.database)
    try:
        if database.is_sqlite:  # a file has no clock
            return None
        async with database.read() as session:
            return await session.scalar(select(func.now()))
    except DATABASE_AWAY:
        return None
    finally:
        await database.close()


async def _shop_time(environment: Mapping[str, str]) -> datetime | None:
    address = environment.get("SHOP_API_URL", "")
    try:
        async with httpx.AsyncClient(timeout=ASK_SECONDS, trust_env=False) as client:
            answer = await client.get(f"{address.rstrip('/')}/devices")
        return parsedate_to_datetime(answer.headers["date"])
    except (httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError):
        return None
