"""The shop's devices and the designers' guides, as the technical skills read them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import yaml

from bot.actions.clients.shop import shop
from bot.actions.words import DATA
from bot.nlu.lookups import compile_all
from bot.nlu.text import normalise

UPDATE_GUIDE = "update_failed"
OWN_GUIDES = (UPDATE_GUIDE, "scale_power", "camera_sound")
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
def own_guides() -> dict[str, dict[str, Any]]:
    """Guides that belong to no topic of `device_problem/`; `signs` tell by which words their trouble is known."""
    read = (DATA / "firmware" / f"{name}.yml" for name in OWN_GUIDES)
    return {path.stem: dict(yaml.safe_load(path.read_text(encoding="utf-8"))) for path in read}


def guide_of(topic: str | None) -> dict[str, Any]:
    """The guide of a trouble; empty for one that has none."""
    return own_guides().get(topic or "") or guides().get(topic or "", {})


def guide_told(text: str, kind: str | None) -> str | None:
    """The guide of its own whose signs a message about a kind of device shows."""
    for name, guide in own_guides().items():
        if kind in guide["categories"] and "signs" in guide and compile_all(guide["signs"]).search(normalise(text)):
            return name
    return None


@lru_cache(maxsize=1)
def step_titles() -> dict[str, dict[str, str]]:
    """Short names of what customers try, by code."""
    content = yaml.safe_load((DATA / "lookups" / "tried_steps.yml").read_text(encoding="utf-8"))
    return {code: entry["title"] for code, entry in content.items()}


async def devices() -> dict[str, dict[str, Any]]:
    """The shop's devices by model."""
    return {device["model"]: device for device in await shop().devices()}
