"""Puts `/widget.js` together: the pieces in `source/`, styles and catalogue in one script, made once a process."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from handoff.locales import section

SOURCE = Path(__file__).parent / "source"
PIECES = (
    "text", "dom", "context", "store", "socket", "calls", "line", "outbox", "shell", "log", "composer", "strips", "app",
    "start",
)
NOTICE = "/* Jieli widget. Apache-2.0 */"


@dataclass(frozen=True)
class Bundle:
    """The script as bytes, plain and compressed, with the tag that names this very version."""

    plain: bytes
    compressed: bytes
    etag: str


def _squeezed(name: str) -> str:
    """Return a source file without indentation, blank lines and comment lines (half of what would travel otherwise).

    The sources keep to it: a comment has lines of its own, and no string goes over several lines.
    """
    text = re.sub(r"^\s*/\*.*?\*/\s*$", "", (SOURCE / name).read_text(encoding="utf8"), flags=re.MULTILINE | re.DOTALL)
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _style() -> str:
    """Return the style sheet without the white space that CSS does not need."""
    sheet = re.sub(r"\s*([{};,>])\s*|(?<=:)[ ]", lambda found: found[1] or "", _squeezed("style.css"))
    return sheet.replace(";}", "}")


def _strings() -> dict[str, dict[str, str]]:
    """Return the widget's own part of the catalogue: the demo page's sentences stay behind."""
    return {key: texts for key, texts in section("widget").items() if not key.startswith("demo_")}


@cache
def bundle() -> Bundle:
    """Return the whole script, wrapped so that only `window.Jieli` becomes visible to the site."""
    head = f"const TEXT = {json.dumps(_strings(), ensure_ascii=False, separators=(',', ':'))};\n"
    style = f"const STYLE = {json.dumps(_style(), ensure_ascii=False)};\n"
    body = "\n".join(_squeezed(f"{piece}.js") for piece in PIECES)
    plain = f'{NOTICE}\n(() => {{\n"use strict";\n{head}{style}{body}\n}})();\n'.encode()
    return Bundle(plain, gzip.compress(plain, mtime=0), f'"{hashlib.sha256(plain).hexdigest()[:24]}"')
