"""Checks of the troubleshooting guides and the known issues."""

from collections.abc import Iterator
from typing import Any

from bot.validation.project import LANGUAGES, Finding, Place, Project


def missing_language(project: Project) -> Iterator[Finding]:
    """A text of a guide, a known issue or a step's name that has one language only."""
    titles = project.root / "bot" / "data" / "lookups" / "tried_steps.yml"
    steps = project.lookup("tried_steps")
    entries = [
        *((f"guide {topic}", guide, place) for topic, (guide, place) in project.guides.items()),
        *((f"known issue {issue['id']}", issue, place) for issue, place in project.known_issues),
        *((f"step {code}", steps[code], project.place(titles, steps.lc.key(code)[0])) for code in steps),
    ]
    for name, entry, place in entries:
        for where, language, line in _gaps(entry):
            at = Place(place.file, line + 1) if line is not None else place
            yield Finding(
                at, "a language is missing", f"{name}, {where}: nothing in {language}", "Write it in that language too."
            )


def _gaps(entry: Any, where: str = "") -> Iterator[tuple[str, str, int | None]]:
    """Every text that comes by language and lacks one: its place in the entry, the language, its line from 0."""
    if isinstance(entry, dict):
        if set(LANGUAGES) & set(entry):
            for language in LANGUAGES:
                if not str(entry.get(language) or "").strip():
                    yield where.strip("."), language, getattr(getattr(entry, "lc", None), "line", None)
        for key, value in entry.items():
            yield from _gaps(value, f"{where}.{key}")
    elif isinstance(entry, list):
        for number, value in enumerate(entry, 1):
            yield from _gaps(value, f"{where}.{number}")


def unknown_name(project: Project) -> Iterator[Finding]:
    """A device, kind of device, system, step or topic that the lookups or the training phrases do not have."""
    devices, steps = project.lookup("devices"), set(project.lookup("tried_steps"))
    known = {
        "device": set(devices["models"]),
        "kind of device": set(devices["categories"]),
        "system": set(project.lookup("systems")),
        "step": steps,
        "topic": {label.partition("/")[2] for label in project.labels if label.startswith("device_problem/")},
    }
    for place, what, value in [*_names_of_guides(project), *_names_of_issues(project)]:
        if value not in known[what]:
            yield Finding(
                place,
                "an unknown value",
                f"there is no {what} {value!r}",
                f"Use one that exists ({', '.join(sorted(known[what])[:6])}, …), or add it.",
            )


def _names_of_guides(project: Project) -> Iterator[tuple[Place, str, str]]:
    for topic, (guide, place) in project.guides.items():
        yield place, "topic", topic
        for kind in guide.get("categories") or []:
            yield place, "kind of device", kind
        yield from _names_of_steps(place, guide.get("steps") or [])


def _names_of_issues(project: Project) -> Iterator[tuple[Place, str, str]]:
    for issue, place in project.known_issues:
        yield place, "topic", issue["topic"]
        for device in issue["devices"]:
            yield place, "device", device
        for system in issue.get("platforms") or []:
            yield place, "system", system
        yield from _names_of_steps(place, issue["fix"].get("steps") or [])


def _names_of_steps(place: Place, steps: Any) -> Iterator[tuple[Place, str, str]]:
    for step in steps:
        yield Place(place.file, step.lc.line + 1), "step", step["code"]
        for system in step.get("platforms") or []:
            yield place, "system", system
