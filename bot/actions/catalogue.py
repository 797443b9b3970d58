"""The shop's devices and the designers' guides, as the technical skills read them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import yaml

from bot.actions.clients.shop import shop
from bot.actions.words import DATA

HOME_CATEGORIES = frozenset({"router", "lamp", "camera"})
CATEGORIES = ("band", "watch", "scale", "router", "lamp", "camera")


@lru_cache(maxsize=1)
def guides() -> dict[str, dict[str, Any]]:
    """Troubleshooting guides by topic of `device_problem/`."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted((DATA / "firmware").glob("guides_*.yml")):
        found.update(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    return found


@lru_cache(maxsize=1)
def step_titles() -> dict[str, dict[str, str]]:
    """Short names of what customers try, by code."""
    content = yaml.safe_load((DATA / "lookups" / "tried_steps.yml").read_text(encoding="utf-8"))
    return {code: entry["title"] for code, entry in content.items()}


async def devices() -> dict[str, dict[str, Any]]:
    """The shop's devices by model."""
    return {device["model"]: device for device in await shop().devices()}
