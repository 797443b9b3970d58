"""What the bot says: the designers' responses and labels, chosen by language and variation.

The texts live in `bot/data/responses/*.yml` in Rasa's own format. Actions take them from here and not through Rasa's
generator, because they choose the variation (never the same explanation twice), need single labels for buttons,
and send payloads whose braces the generator would read as variables.
"""

from __future__ import annotations

import string
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

DATA = Path(__file__).resolve().parents[1] / "data"
LANGUAGES = ("zh", "en")

Button = dict[str, str]


@dataclass(frozen=True)
class Words:
    """One thing to say: a text and the buttons that come with it."""

    text: str
    buttons: list[Button] = field(default_factory=list)


def _language_of(variation: dict[str, Any]) -> str | None:
    for condition in variation.get("condition") or []:
        if condition.get("name") == "language":
            return str(condition["value"])
    return None


@lru_cache(maxsize=1)
def _responses() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted((DATA / "responses").glob("*.yml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        found.update(content.get("responses") or {})
    return found


def variations(name: str, language: str) -> list[dict[str, Any]]:
    """The variations of a response in one language, in the designers' order; empty when there is none."""
    return [entry for entry in _responses().get(name, []) if _language_of(entry) in (language, None)]


def knows(name: str) -> bool:
    """Is there a response of this name?"""
    return name in _responses()


def fields(name: str, language: str) -> set[str]:
    """The variables that any variation of a response wants filled in."""
    texts = [str(entry.get("text", "")) for entry in variations(name, language)]
    return {field for text in texts for _, field, _, _ in string.Formatter().parse(text) if field}


def words(name: str, language: str, index: int = 0, **values: Any) -> Words:
    """A response with its variables filled in. Raises KeyError for an unknown name or a variable without a value."""
    entries = variations(name, language)
    if not entries:
        raise KeyError(f"no response {name!r} in {language!r}")
    entry = entries[index % len(entries)]
    buttons = [
        {"title": button["title"].format(**values), "payload": button["payload"]}
        for button in entry.get("buttons") or []
    ]
    return Words(str(entry["text"]).format(**values), buttons)


def label(name: str, language: str, **values: Any) -> str:
    """A short text, such as a button's title or the name of a state."""
    return words(f"utter_label/{name}", language, **values).text


def both(name: str, **values: dict[str, str] | str) -> dict[str, str]:
    """A response in every language; a value may itself be a text by language."""
    return {
        language: words(name, language, **{key: in_language(value, language) for key, value in values.items()}).text
        for language in LANGUAGES
    }


def in_language(text: Any, language: str) -> str:
    """One language of a text that comes as `{"zh": ..., "en": ...}`; anything else as it is."""
    if isinstance(text, dict):
        return str(text.get(language) or next(iter(text.values()), ""))
    return str(text)


def listed(parts: list[str], language: str) -> str:
    """Several short texts as one list, with the separator of the language."""
    return label("separator", language).join(parts)


def button(label_name: str, language: str, payload: str, **values: Any) -> Button:
    """A button whose title is a label."""
    return {"title": label(label_name, language, **values), "payload": payload}
