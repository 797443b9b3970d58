"""The patterns in the YAML files of this folder: lists of alternatives on folded text (see `evidence.fold`)."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import yaml

_OTHER = re.compile(r"<([a-z_]+)>")


@cache
def patterns(file: str) -> dict[str, re.Pattern[str]]:
    """Return the patterns of a file by name; in an alternative, `<name>` stands for an entry further up."""
    entries: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_name(file).read_text(encoding="utf8"))
    joined: dict[str, str] = {}
    for name, alternatives in entries.items():
        joined[name] = _OTHER.sub(lambda match: f"(?:{joined[match.group(1)]})", "|".join(alternatives))
    return {name: re.compile(pattern) for name, pattern in joined.items()}
