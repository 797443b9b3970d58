"""How well a summary holds what is marked in the frozen briefings, and what it claims beyond them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parents[1] / "frozen" / "briefing"
PARTS = ("facts", "hopes", "tried", "promises")
# Our hopes by what the frozen set says they are about.
ABOUT = {
    "works_again": {"repair", "update_done", "data_back"},
    "repair": {"repair", "warranty"},
    "delivery_soon": {"delivery", "parcel_right"},
    "parcel_found": {"delivery", "parcel_right"},
    "answer_with_time": {"answer", "delivery"},
    "address_changed": {"address"},
}


def talks() -> list[dict[str, Any]]:
    """Every frozen conversation."""
    return [talk for path in sorted(FOLDER.glob("*.yml")) for talk in yaml.safe_load(path.read_text("utf-8"))]


@dataclass
class Tally:
    """Marked, found, and what the summary says without evidence or without a mark, for one part."""

    marked: int = 0
    found: int = 0
    missed: list[tuple[str, Any]] = field(default_factory=list)
    unmarked: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """The share of what is marked that the summary holds."""
        return self.found / self.marked if self.marked else 1.0


def uncited(talk: dict[str, Any], summary: dict[str, Any]) -> list[Any]:
    """Return every line whose quote does not stand in the message that it cites, or that cites none.

    The story and the next steps are written by the desk: they name the messages or the source that they rest on.
    """
    said = {message["seq"]: message["text"] for message in talk["messages"]}
    facts = [row for fact in summary["facts"] for row in (fact, *fact["history"])]
    cited = [(row["quote"], row["source"].get("seq")) for row in facts]
    cited += [(item["quote"], item["seq"]) for part in ("hopes", "tried", "promises") for item in summary[part]]
    cited += [(line["text"], line["seq"]) for line in summary["bot_said"]]
    if summary["problem_seq"] is not None:
        cited.append((summary["problem_quote"], summary["problem_seq"]))
    bare = [
        (line["text"], line["seqs"])
        for line in summary["story"]
        if not line["seqs"] or not set(line["seqs"]) <= set(said)
    ]
    bare += [(line["text"], line["source"]) for line in summary["next_steps"] if not line["source"]]
    return [*bare, *((quote, seq) for quote, seq in cited if not quote or quote not in said.get(seq, ""))]


def judge(talk: dict[str, Any], summary: dict[str, Any], tallies: dict[str, Tally]) -> None:
    """Add one conversation to the tallies."""
    for part in PARTS:
        tally, said, marked = tallies[part], _said(part, summary), talk[part]
        tally.marked += len(marked)
        for mark in marked:
            if any(_is(part, mark, item) for item in said):
                tally.found += 1
            else:
                tally.missed.append((talk["id"], mark))
        for item in said:
            if not any(_is(part, mark, item) for mark in marked) and not _was(part, talk, item):
                tally.unmarked.append((talk["id"], item))


def _said(part: str, summary: dict[str, Any]) -> list[Any]:
    if part != "facts":
        return list(summary[part])
    return [{"name": fact["name"], **row} for fact in summary["facts"] for row in (fact, *fact["history"])]


def _is(part: str, mark: dict[str, Any], item: dict[str, Any]) -> bool:
    if part == "facts":
        return mark["name"] == item["name"] and _same_fact(mark, item)
    if part == "hopes":
        about = mark["about"]
        return bool(item["seq"] == mark["seq"] or item["key"] in ABOUT.get(about, {about}))
    if item["seq"] != mark["seq"]:
        return False
    if part == "promises":
        return _share(mark["text_contains"], item["quote"]) >= 0.5
    return _share(mark["quote"], item["quote"]) >= 0.5


def _same_fact(mark: dict[str, Any], item: dict[str, Any]) -> bool:
    if mark["name"] == "symptom":
        return bool(item["source"].get("seq") == mark["seq"])
    wanted, have = _folded(mark["value"]), _folded(item["value"])
    return wanted == have or (mark["name"] == "purchased_at" and item["source"].get("seq") == mark["seq"])


def _was(part: str, talk: dict[str, Any], item: dict[str, Any]) -> bool:
    """Tell whether a fact was true once and was taken back, which its history may say."""
    earlier = [(fact["name"], _folded(value)) for fact in talk["facts"] for value in fact.get("was", [])]
    return part == "facts" and (item["name"], _folded(item["value"])) in earlier


def _folded(value: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", str(value)).lower())


def _share(wanted: str, have: str) -> float:
    """The share of the shorter text's letter pairs that both texts hold."""
    one, other = _folded(wanted), _folded(have)
    if one in other or other in one:
        return 1.0
    pairs = [{text[at : at + 2] for at in range(len(text) - 1)} for text in (one, other)]
    return len(pairs[0] & pairs[1]) / max(1, min(map(len, pairs)))
