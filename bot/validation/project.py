"""The designers' files with the line of every phrase, answer and entry."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import ruamel.yaml as ruamel

_ANNOTATED = re.compile(r"\[(?P<text>[^\]]+)\](?:\((?P<entity>[^)]+)\)|(?P<more>\{[^}]*\}))")
LANGUAGES = ("zh", "en")


@dataclass(frozen=True, order=True)
class Place:
    """A line of a file; `file` is relative to the project."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, order=True)
class Finding:
    """What is wrong at a place, and what to do about it."""

    place: Place
    check: str
    what: str
    advice: str

    def __str__(self) -> str:
        return f"{self.place}: {self.check}: {self.what}. {self.advice}"


@dataclass(frozen=True)
class Phrase:
    """A training phrase without its marks, its full label, and what was marked as (text, entity, value or None)."""

    text: str
    label: str
    place: Place
    entities: tuple[tuple[str, str, str | None], ...] = ()


@dataclass(frozen=True)
class Response:
    """All variations of one answer, as they stand in the file."""

    name: str
    variations: list[dict[str, Any]]
    place: Place

    def languages(self) -> set[str]:
        """The languages that a condition asks for; both when a variation has none."""
        found = set()
        for variation in self.variations:
            named = {one["value"] for one in variation.get("condition") or [] if one.get("name") == "language"}
            found |= named or set(LANGUAGES)
        return found


@dataclass
class Project:
    """The data below `root`; files are read when they are first asked for."""

    root: Path
    _yaml: Any = field(default_factory=lambda: ruamel.YAML(typ="rt", pure=True), repr=False)

    def read(self, path: Path) -> Any:
        """A YAML file whose mappings and lists know their lines."""
        return self._yaml.load(path.read_text(encoding="utf-8"))

    def files(self, folder: str, pattern: str = "*.yml") -> list[Path]:
        """The files of a folder of `bot/data`, in order."""
        return sorted((self.root / "bot" / "data" / folder).glob(pattern))

    def place(self, path: Path, line: int) -> Place:
        """A line, counted from 0 as the parser does."""
        return Place(path.relative_to(self.root).as_posix(), line + 1)

    @cached_property
    def phrases(self) -> list[Phrase]:
        """All training phrases."""
        return [
            self._phrase(path, line, str(entry["intent"]), text)
            for path in self.files("nlu")
            for entry in self.read(path)["nlu"]
            if "intent" in entry
            for line, text in _examples(entry)
        ]

    def _phrase(self, path: Path, line: int, label: str, raw: str) -> Phrase:
        entities = tuple(_entity(match["text"], match["entity"], match["more"]) for match in _ANNOTATED.finditer(raw))
        return Phrase(_ANNOTATED.sub(lambda match: match["text"], raw), label, self.place(path, line), entities)

    @cached_property
    def labels(self) -> dict[str, Place]:
        """Every full label of the training phrases, with the place of its first phrase."""
        found: dict[str, Place] = {}
        for phrase in self.phrases:
            found.setdefault(phrase.label, phrase.place)
        return found

    @cached_property
    def responses(self) -> dict[str, Response]:
        """All answers by name."""
        found = {}
        for path in self.files("responses"):
            content = self.read(path)["responses"]
            for name, variations in content.items():
                found[name] = Response(name, variations, self.place(path, content.lc.key(name)[0]))
        return found

    @cached_property
    def guides(self) -> dict[str, tuple[dict[str, Any], Place]]:
        """Troubleshooting guides by topic."""
        found = {}
        for path in self.files("firmware", "guides_*.yml"):
            content = self.read(path)
            found.update({topic: (content[topic], self.place(path, content.lc.key(topic)[0])) for topic in content})
        return found

    @cached_property
    def known_issues(self) -> list[tuple[dict[str, Any], Place]]:
        """Known issues in the order of the file."""
        path = self.root / "bot" / "data" / "firmware" / "known_issues.yml"
        return [(issue, self.place(path, issue.lc.line)) for issue in self.read(path)] if path.exists() else []

    def lookup(self, name: str) -> Any:
        """A file of `bot/data/lookups`."""
        return self.read(self.root / "bot" / "data" / "lookups" / f"{name}.yml")

    @cached_property
    def domain(self) -> dict[str, Any]:
        """The content of domain.yml."""
        return dict(self.read(self.root / "domain.yml"))

    @cached_property
    def rules(self) -> str:
        """The text of all rules."""
        return "\n".join(path.read_text(encoding="utf-8") for path in self.files("rules"))

    @cached_property
    def actions(self) -> list[Path]:
        """The programs that choose answers and make buttons."""
        return sorted((self.root / "bot" / "actions").glob("*.py"))


def _examples(entry: Any) -> list[tuple[int, str]]:
    """Line (from 0) and text of each phrase below an intent."""
    first = entry.lc.value("examples")[0] + 1
    lines = str(entry["examples"]).splitlines()
    return [(first + number, line[2:].strip()) for number, line in enumerate(lines) if line.startswith("- ")]


def _entity(text: str, entity: str | None, more: str | None) -> tuple[str, str, str | None]:
    if entity:
        return text, entity, None
    content = ruamel.YAML(typ="safe", pure=True).load(more)
    value = content.get("value")
    return text, str(content["entity"]), None if value is None else str(value)
