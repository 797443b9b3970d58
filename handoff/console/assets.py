"""The console's own style sheets, sounds and pictures."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "static"
SHEETS = ("base.css", "desk.css", "panels.css", "boards.css")


def icon() -> str:
    """Return the pages' icon as inline SVG."""
    return (FOLDER / "icon.svg").read_text(encoding="utf8").strip()


def style_link(address: str) -> str:
    """Return the tags that load the style sheets; a changed sheet has a new address."""
    return "".join(
        f'<link rel="stylesheet" href="{address}/{name}?v={int((FOLDER / name).stat().st_mtime)}">' for name in SHEETS
    )
