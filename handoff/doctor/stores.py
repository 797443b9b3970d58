"""What is kept: the database, the bot's memory, attachments, Redis."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import redis.asyncio
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from handoff.attachments.models import Attachment
from handoff.attachments.service import path_of
from handoff.database import Database
from handoff.doctor.finding import Finding
from handoff.migrate import alembic_config
from handoff.settings import settings

PROBE_BYTES = 1024 * 1024
LOCK_SECONDS = 3.0
ASK_SECONDS = 3.0


async def database(_environment: Mapping[str, str]) -> Finding:
    """The database answers, is whole, can be written, and has the newest shape."""
    if make_url(settings.database).get_backend_name() == "sqlite":
        path = Path(make_url(settings.database).database or "")
        if not path.exists():  # noqa: ASYNC240 - once, for one person
            return Finding("database", "database_missing", {"path": path})
        if trouble := await asyncio.to_thread(_sqlite_trouble, path):
            return Finding("database", f"database_{trouble}", {"path": path})
    return await _shape()


def _sqlite_trouble(path: Path) -> str | None:
    """Return what is wrong with a SQLite file: `damaged`, `locked` or `full`."""
    try:
        with closing(sqlite3.connect(path, timeout=LOCK_SECONDS, isolation_level=None)) as connection:
            if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                return "damaged"
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".doctor-") as probe:
            probe.write(bytes(PROBE_BYTES))
            probe.flush()
            os.fsync(probe.fileno())
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            return "locked"
        return "full" if "full" in str(error) else "damaged"
    except sqlite3.DatabaseError:
        return "damaged"
    except OSError as error:
        return "full" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "unwritable"
    return None


async def _shape() -> Finding:
    newest = ScriptDirectory.from_config(alembic_config())
    opened = Database(settings.database)
    try:
        async with opened.engine.connect() as connection:
            current = await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())
    except (SQLAlchemyError, OSError):
        return Finding("database", "database_unreachable")
    finally:
        await opened.close()
    if current == newest.get_current_head():
        return Finding("database")
    known = {script.revision for script in newest.walk_revisions()}
    return Finding("database", "database_old" if current is None or current in known else "database_new")


async def trackers(environment: Mapping[str, str]) -> Finding:
    """The bot's memory is whole and can be written; none yet is well."""
    path = Path(environment.get("BOT_TRACKERS") or settings.jieli_var / "trackers.db")
    trouble = await asyncio.to_thread(_sqlite_trouble, path) if path.exists() else None  # noqa: ASYNC240 - once, for one person
    return Finding("trackers", f"trackers_{trouble}", {"path": path}) if trouble else Finding("trackers")


async def attachments(_environment: Mapping[str, str]) -> Finding:
    """Every attachment's file is there; where the database does not answer, that is another finding."""
    opened = Database(settings.database)
    try:
        async with opened.read() as session:
            rows = list(await session.scalars(select(Attachment)))
    except SQLAlchemyError:
        return Finding("attachments")
    finally:
        await opened.close()
    missing = await asyncio.to_thread(lambda: [row.id for row in rows if not path_of(row).is_file()])
    if missing:
        return Finding("attachments", "attachments", {"count": len(missing), "path": settings.attachments_folder})
    return Finding("attachments")


async def redis_answers(url: str) -> bool:
    """Tell whether a Redis answers."""
    client = redis.asyncio.from_url(url, socket_connect_timeout=ASK_SECONDS, socket_timeout=ASK_SECONDS)
    try:
        return bool(await client.ping())
    except (redis.RedisError, OSError, TimeoutError):
        return False
    finally:
        await client.aclose()


async def redis_part(_environment: Mapping[str, str]) -> Finding:
    """Redis answers, where it is used."""
    well = not settings.redis_url or await redis_answers(settings.redis_url)
    return Finding("redis") if well else Finding("redis", "redis")
