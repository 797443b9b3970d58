"""The shop's devices and the designers' guides and known issues, as the technical skills read them."""

from __future__ import annotations

from dataclasses import dataclass
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
def known_issues() -> list[dict[str, Any]]:
    """Known issues, the most reported first."""
    content = yaml.safe_load((DATA / "firmware" / "known_issues.yml").read_text(encoding="utf-8")) or []
    return sorted(content, key=lambda issue: -issue["reports"])


@lru_cache(maxsize=1)
def step_titles() -> dict[str, dict[str, str]]:
    """Short names of what customers try, by code."""
    content = yaml.safe_load((DATA / "lookups" / "tried_steps.yml").read_text(encoding="utf-8"))
    return {code: entry["title"] for code, entry in content.items()}


async def devices() -> dict[str, dict[str, Any]]:
    """The shop's devices by model."""
    return {device["model"]: device for device in await shop().devices()}


def version(text: str) -> tuple[int, ...]:
    """`1.0.0.39` as numbers to compare; what is no number counts as 0."""
    return tuple(int(part) if part.isdecimal() else 0 for part in str(text).split("."))


def within(value: str, limits: dict[str, str]) -> bool:
    """Does a version lie within `min` and `max` (both inclusive, each optional)?"""
    number = version(value)
    return ("min" not in limits or number >= version(limits["min"])) and (
        "max" not in limits or number <= version(limits["max"])
    )


@dataclass(frozen=True)
class Match:
    """A known issue that may be the customer's, and the facts that would still decide it."""

    issue: dict[str, Any]
    undecided: tuple[str, ...]


def matches(topic: str, facts: dict[str, str | None], category: str | None, categories: dict[str, str]) -> list[Match]:
    """Known issues of a topic that nothing known contradicts, decided ones first.

    `categories` maps each model to its category, so that a bare "band" rules out what concerns watches only.
    """
    found = []
    for issue in known_issues():
        if issue["topic"] != topic:
            continue
        undecided = _undecided(issue, facts, category, categories)
        if undecided is not None:
            found.append(Match(issue, tuple(undecided)))
    return sorted(found, key=lambda match: len(match.undecided))


def _undecided(
    issue: dict[str, Any], facts: dict[str, str | None], category: str | None, categories: dict[str, str]
) -> list[str] | None:
    """The facts still open for a known issue; None when one of them contradicts it."""
    undecided = []
    model = facts.get("device_model")
    if model:
        if model not in issue["devices"]:
            return None
    elif category and all(categories.get(device) != category for device in issue["devices"]):
        return None
    else:
        undecided.append("device_model")
    if issue.get("platforms"):
        if not facts.get("os"):
            undecided.append("os")
        elif facts["os"] not in issue["platforms"]:
            return None
    for fact, limits in (("firmware_version", issue.get("firmware")), ("app_version", issue.get("app"))):
        if not limits:
            continue
        if not facts.get(fact):
            undecided.append(fact)
        elif not within(str(facts[fact]), limits):
            return None
    return undecided
