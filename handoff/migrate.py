"""Bringing the database to the newest shape."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

FOLDER = Path(__file__).parent / "migrations"


def alembic_config(url: str | None = None) -> Config:
    """Return Alembic's configuration; `url` overrides the settings' database (for tests)."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["url"] = url
    return config


def migrate(url: str | None = None) -> None:
    """Apply every migration that the database lacks."""
    command.upgrade(alembic_config(url), "head")
