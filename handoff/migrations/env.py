"""Alembic's environment: the same models and address as the desk's."""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy.engine import Connection

from handoff.database import Base, Database
from handoff.models import TABLES
from handoff.settings import settings

assert TABLES


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def _migrate() -> None:
    database = Database(context.config.attributes.get("url") or settings.database)
    async with database.engine.execution_options(write=True).connect() as connection:
        await connection.run_sync(_run)
        await connection.commit()
    await database.close()


asyncio.run(_migrate())
