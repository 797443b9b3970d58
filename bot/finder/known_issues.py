"""Known issues of devices, and which of them the known facts allow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from bot.nlu.lookups import DATA, read_yaml


@lru_cache(maxsize=1)
def known_issues() -> list[dict[str, Any]]:
    """Known issues, the most reported first."""
    content = read_yaml(DATA / "firmware" / "known_issues.yml") or []
    return sorted(content, key=lambda issue: -issue["reports"])


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
        open_facts = undecided(issue, facts, category, categories)
        if open_facts is not None:
            found.append(Match(issue, tuple(open_facts)))
    return sorted(found, key=lambda match: len(match.undecided))


def undecided(
    issue: dict[str, Any], facts: dict[str, str | None], category: str | None, categories: dict[str, str]
) -> list[str] | None:
    """The facts still open for a known issue; None when one of them contradicts it."""
    open_facts = []
    model = facts.get("device_model")
    if model:
        if model not in issue["devices"]:
            return None
    elif category and all(categories.get(device) != category for device in issue["devices"]):
        return None
    else:
        open_facts.append("device_model")
    if issue.get("platforms"):
        if not facts.get("os"):
            open_facts.append("os")
        elif facts["os"] not in issue["platforms"]:
            return None
    for fact, limits in (
        ("os_version", issue.get("os_version")),
        ("firmware_version", issue.get("firmware")),
        ("app_version", issue.get("app")),
    ):
        if not limits:
            continue
        if not facts.get(fact):
            open_facts.append(fact)
        elif not within(str(facts[fact]), limits):
            return None
    return open_facts
