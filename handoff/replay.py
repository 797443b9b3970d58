"""What would have happened: stored or exported conversations, read again by the handoff policy with other settings.

The bot's environment does the reading. It gets the conversations through a pipe; nothing is written or sent anywhere.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import select

from handoff.customers.models import Customer
from handoff.database import Database
from handoff.privacy.export import export_customer
from handoff.runner.environment import Environment

MODEL = "current.tar.gz"


async def stored(database: Database) -> str:
    """Return every stored conversation as `jieli export` writes them."""
    async with database.read() as session:
        customers = list(await session.scalars(select(Customer).order_by(Customer.id)))
        return json.dumps([await export_customer(session, customer) for customer in customers], ensure_ascii=False)


def replay(conversations: str, words: list[str], environment: Environment) -> int:
    """Print what the settings in `words` (`--config`, `--set`) would change; returns the exit code."""
    python = environment.root / "bot" / ".venv" / "bin" / "python"
    command = [str(python), "-W", "ignore", "-m", "bot.evaluation", "stored", "-", *words]
    command += ["--model", str(environment.models / MODEL)]
    values: Mapping[str, str] = {**environment.values, "PYTHONPATH": str(environment.root)}
    return subprocess.run(  # noqa: S603 - our own program
        command, cwd=environment.root, env=values, input=conversations.encode()
    ).returncode


def replay_stored(words: list[str], environment: Environment, database: Database) -> int:
    """Replay what the desk's database holds."""

    async def read() -> str:
        try:
            return await stored(database)
        finally:
            await database.close()

    return replay(asyncio.run(read()), words, environment)


def replay_exported(path: Path, words: list[str], environment: Environment) -> int:
    """Replay a file that `jieli export` wrote; raises OSError when it cannot be read."""
    return replay(path.read_text(encoding="utf-8"), words, environment)
