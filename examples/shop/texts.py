"""The shop's words in both languages, from `data/`."""

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from examples.shop.models import Text

_DATA = Path(__file__).parent / "data"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@cache
def load(name: str) -> Any:
    """The contents of `data/NAME.yml`; treat them as read-only."""
    return yaml.safe_load((_DATA / f"{name}.yml").read_text(encoding="utf-8"))


def fill(template: Text, **values: object) -> Text:
    """Fill in a text; a value that is itself bilingual gives each language its own."""
    return {
        language: text.format(**{k: v[language] if isinstance(v, dict) else v for k, v in values.items()})
        for language, text in template.items()
    }


def say(path: str, **values: object) -> Text:
    """The text at `path` (dots between the keys) of `data/texts.yml`, filled in; KeyError when there is none."""
    node = load("texts")
    for key in path.split("."):
        node = node[key]
    return fill(node, **values)


def day_text(day: date) -> Text:
    """A day as people say it: 11月24日, 24 Nov."""
    return {"zh": f"{day.month}月{day.day}日", "en": f"{day.day} {_MONTHS[day.month - 1]}"}


def yuan(fen: int) -> str:
    """An amount for a sentence: whole yuan without decimals."""
    return str(fen // 100) if fen % 100 == 0 else f"{fen / 100:.2f}"
