"""The catalogue: every sentence that the desk shows to people, in Chinese and English, one YAML file a part."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import yaml

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
FOLDER = Path(__file__).parent


@cache
def section(name: str) -> dict[str, dict[str, str]]:
    """Return one file of the catalogue: `key -> {"zh": ..., "en": ...}`."""
    return yaml.safe_load((FOLDER / f"{name}.yml").read_text(encoding="utf8")) or {}


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Return every sentence by `part.key`; read once, best before somebody waits for one."""
    entries: dict[str, dict[str, str]] = {}
    for path in sorted(FOLDER.glob("*.yml")):
        for key, texts in section(path.stem).items():
            entries[f"{path.stem}.{key}"] = texts
    return entries


def text(key: str, language: str | None, **values: object) -> str:
    """Return the sentence `part.key` in `language` (Chinese unless `en`), with `{name}` places filled.

    Raises KeyError for a key that the catalogue lacks: a missing sentence is a bug, not an empty bubble.
    """
    return catalogue()[key]["en" if language == "en" else "zh"].format(**values)


def both(key: str, **values: object) -> dict[str, str]:
    """Return the sentence in both languages."""
    return {language: text(key, language, **values) for language in LANGUAGES}
