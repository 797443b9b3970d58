"""The designers' word lists (`bot/data/lookups`) and symptom titles (`bot/data/firmware`), read once."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import ruamel.yaml as ruamel

DATA = Path(__file__).resolve().parent.parent / "data"


def read_yaml(path: Path) -> Any:
    """The content of one YAML file; a file that does not parse raises with its name."""
    try:
        with path.open(encoding="utf-8") as file:
            return ruamel.YAML(typ="safe", pure=True).load(file)
    except ruamel.YAMLError as error:
        raise ValueError(f"{path.relative_to(DATA.parent.parent)} is not valid YAML: {error}") from error


@lru_cache(maxsize=32)
def lookup(name: str) -> Any:
    """The content of `bot/data/lookups/<name>.yml`."""
    return read_yaml(DATA / "lookups" / f"{name}.yml")


def compile_all(patterns: list[str] | str) -> re.Pattern[str]:
    """One pattern out of many (a list, or a text with one a line); Latin words are guarded at both ends."""
    lines = patterns.splitlines() if isinstance(patterns, str) else patterns
    return re.compile("|".join(guard(line.strip()) for line in lines if line.strip()) or r"(?!)")


def guard(pattern: str) -> str:
    """`pattern` kept from matching inside a longer Latin word or number, without disturbing Chinese around it."""
    return rf"(?<![a-z0-9](?=[a-z0-9]))(?:{pattern})(?!(?<=[a-z0-9])[a-z0-9])"


@lru_cache(maxsize=1)
def guides() -> dict[str, dict[str, Any]]:
    """Topic of `device_problem/` to its troubleshooting guide."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted((DATA / "firmware").glob("guides_*.yml")):
        content = read_yaml(path) or {}
        found.update({topic: guide for topic, guide in content.items() if isinstance(guide, dict)})
    return found


@lru_cache(maxsize=1)
def symptom_titles() -> dict[str, dict[str, str]]:
    """Topic of `device_problem/` to its short name in both languages, from the troubleshooting guides."""
    return {topic: guide["title"] for topic, guide in guides().items() if isinstance(guide.get("title"), dict)}


@lru_cache(maxsize=1)
def device_categories() -> dict[str, str]:
    """Device slug to its product category."""
    return {slug: entry["category"] for slug, entry in lookup("devices")["models"].items()}
