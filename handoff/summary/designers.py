"""The designers' troubleshooting data (`bot/data/firmware`): names of symptoms, known issues, steps.

Read again when a file changes, so that what is published is used without a restart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
import yaml

log = structlog.get_logger(__name__)
FOLDER = Path(__file__).resolve().parents[2] / "bot" / "data" / "firmware"
_CAME_WITH = re.compile(r"(?:moves?|upgraded?|updated?|upgrade|update) to (?:Android|iOS|HarmonyOS) ([0-9]+)")
Texts = dict[str, str]


@dataclass(frozen=True)
class Trouble:
    """What the designers know: guides by topic, and the known issues."""

    guides: dict[str, dict[str, Any]]
    known_issues: list[dict[str, Any]]

    def topic_of(self, symptom: str) -> str | None:
        """Return the topic whose name in either language (or whose id) is `symptom`."""
        for topic, guide in self.guides.items():
            if symptom == topic or symptom in guide.get("title", {}).values():
                return topic
        return None

    def title(self, symptom: str, language: str) -> str:
        """Return the symptom's name in `language`; the symptom as it stands when no guide knows it."""
        topic = self.topic_of(symptom)
        return str(self.guides[topic]["title"][language]) if topic else symptom


_loaded: tuple[tuple[tuple[str, int], ...], Trouble] | None = None


def trouble() -> Trouble:
    """Return the designers' data as it stands now; empty where the desk runs without the bot's files."""
    global _loaded
    paths = sorted(FOLDER.glob("*.yml")) if FOLDER.is_dir() else []
    stamp = tuple((path.name, path.stat().st_mtime_ns) for path in paths)
    if _loaded is None or _loaded[0] != stamp:
        _loaded = (stamp, _read(paths))
    return _loaded[1]


def _read(paths: list[Path]) -> Trouble:
    guides: dict[str, dict[str, Any]] = {}
    known: list[dict[str, Any]] = []
    for path in paths:
        try:
            content = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        except (OSError, yaml.YAMLError) as error:
            log.warning("designers_file_unreadable", file=path.name, error=type(error).__name__)
            continue
        if path.name == "known_issues.yml":
            known = content or []
        elif path.name.startswith("guides_"):
            guides.update(content or {})
    return Trouble(guides, known)


@dataclass(frozen=True)
class Match:
    """A known issue that the facts allow; `unknown` names the facts that would make it certain."""

    issue: dict[str, Any]
    unknown: tuple[str, ...]


def match(data: Trouble, topic: str, facts: dict[str, str]) -> Match | None:
    """Return the known issue of the topic that contradicts no fact, the most certain and most reported one first."""
    found = [candidate for issue in data.known_issues if issue["topic"] == topic and (candidate := _fits(issue, facts))]
    return min(found, key=lambda candidate: (len(candidate.unknown), -int(candidate.issue["reports"])), default=None)


def version(text: str) -> tuple[int, ...]:
    """Return a version as numbers that compare."""
    return tuple(int(part) for part in re.findall(r"[0-9]+", text))


def already_updated(code: str, issue: dict[str, Any], facts: dict[str, str]) -> bool:
    """Tell whether the update that this step asks for is installed."""
    part, name = {"update_firmware": ("firmware", "firmware_version"), "update_app": ("app", "app_version")}.get(
        code, ("", "")
    )
    wanted, have = issue["fix"].get(part), facts.get(name)
    return bool(wanted and have and version(have) >= version(wanted))


def _fits(issue: dict[str, Any], facts: dict[str, str]) -> Match | None:
    unknown = []
    model, product = facts.get("device_model"), facts.get("product")
    if model and model not in issue["devices"]:
        return None
    if not model:
        if not product or product not in {slug.partition("-")[0] for slug in issue["devices"]}:
            return None
        unknown.append("device_model")
    if issue.get("platforms"):
        if "os" not in facts:
            unknown.append("os")
        elif facts["os"] not in issue["platforms"]:
            return None
    if _older_system(issue, facts):
        return None
    for part, name in (("firmware", "firmware_version"), ("app", "app_version")):
        limits = issue.get(part) or {}
        if limits and name not in facts:
            unknown.append(name)
        elif limits and not _within(facts[name], limits):
            return None
    return Match(issue, tuple(unknown))


def _older_system(issue: dict[str, Any], facts: dict[str, str]) -> bool:
    """Tell whether the customer's system is older than the one that the issue came with."""
    named, have = _CAME_WITH.search(issue["cause"]["en"]), version(facts.get("os_version", ""))
    return named is not None and bool(have) and have[0] < int(named.group(1))


def _within(have: str, limits: dict[str, str]) -> bool:
    low, high = limits.get("min"), limits.get("max")
    return (not low or version(have) >= version(low)) and (not high or version(have) <= version(high))
