"""Canned replies: read from the catalogue, and made out to one customer by one agent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import structlog
import yaml

from handoff.locales import LANGUAGES

log = structlog.get_logger(__name__)
CATALOGUE = Path(__file__).parent / "canned.yml"
PLACES = {"customer_name", "agent_name"}
_PLACE = re.compile(r"\{(\w+)\}")
# A greeting by name loses the name and what joins it to the rest, never the rest.
_NAME_WITH_JOIN = re.compile(r"(?:\s+\{customer_name\}(?=[，,])|\{customer_name\}[，,、]?\s*)")


@dataclass(frozen=True)
class CannedReply:
    """One reply: the shortcut that agents type after `/`, its title and its text in each language."""

    shortcut: str
    topic: str
    title: dict[str, str]
    text: dict[str, str]

    def made_out(self, language: str, customer_name: str | None, agent_name: str) -> str:
        """Return the text for this customer; without a name the greeting goes without one."""
        words = self.text["en" if language == "en" else "zh"]
        if not customer_name:
            words = _NAME_WITH_JOIN.sub("", words).strip()
            words = words[:1].upper() + words[1:]
        values = {"customer_name": customer_name or "", "agent_name": agent_name}
        return _PLACE.sub(lambda place: values[place[1]], words)


class BadCatalogue(ValueError):
    """The catalogue of canned replies has a mistake; the message says where."""


@cache
def catalogue() -> tuple[CannedReply, ...]:
    """Return every canned reply, in the catalogue's order; raises BadCatalogue."""
    return parse(CATALOGUE.read_text(encoding="utf8"))


def parse(yaml_text: str) -> tuple[CannedReply, ...]:
    """Read a catalogue: a list of `{shortcut, topic, title: {zh, en}, text: {zh, en}}`; raises BadCatalogue."""
    replies: list[CannedReply] = []
    try:
        entries = yaml.safe_load(yaml_text) or []
    except yaml.YAMLError as error:
        raise BadCatalogue(f"not YAML: {error}") from error
    for number, entry in enumerate(entries, start=1):
        try:
            reply = CannedReply(entry["shortcut"], entry["topic"], entry["title"], entry["text"])
            texts = [reply.title[language] + reply.text[language] for language in LANGUAGES]
        except (KeyError, TypeError) as error:
            raise BadCatalogue(f"reply {number}: {error} is missing") from error
        unknown = {place for words in texts for place in _PLACE.findall(words)} - PLACES
        if unknown:
            raise BadCatalogue(f"reply {number} ({reply.shortcut}): unknown place {sorted(unknown)}")
        if not re.fullmatch(r"[a-z0-9-]+", reply.shortcut) or reply.shortcut in {known.shortcut for known in replies}:
            raise BadCatalogue(f"reply {number}: the shortcut {reply.shortcut!r} is taken or not of a-z, 0-9 and -")
        replies.append(reply)
    return tuple(replies)


def replies_for(language: str, customer_name: str | None, agent_name: str) -> list[dict[str, object]]:
    """Return all replies made out in the customer's `language`, as the console shows them.

    A mistake in the catalogue is logged and leaves the list empty: agents can still work without it.
    """
    try:
        replies = catalogue()
    except BadCatalogue as error:
        log.error("canned_replies_unusable", error=str(error))
        return []
    return [
        {
            "shortcut": reply.shortcut,
            "topic": reply.topic,
            "title": reply.title,
            "text": reply.made_out(language, customer_name, agent_name),
        }
        for reply in replies
    ]
