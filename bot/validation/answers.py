"""Checks of what the bot says and of the buttons it sends."""

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from bot.nlu.classifier import SOCIAL, base_of
from bot.validation.project import LANGUAGES, Finding, Place, Project
from bot.wire import split_payload

_PLAIN_PAYLOAD = re.compile(r"/[a-z][a-z_]*(?:\{.*\})?")
_LABEL = "utter_label/"
_TITLE = "utter_label/topic_"
# Intents that are heard or done, not offered to choose from.
UNTITLED = (SOCIAL | {"complain"}) - {"capabilities", "who_are_you"}


def missing_language(project: Project) -> Iterator[Finding]:
    """An answer without a variation in one of the languages."""
    for response in project.responses.values():
        for language in LANGUAGES:
            if language not in response.languages():
                yield Finding(
                    response.place,
                    "a language is missing",
                    f"{response.name} says nothing in {language}",
                    f"Add a variation with the condition language: {language}.",
                )


def unknown_button(project: Project) -> Iterator[Finding]:
    """A button whose intent, topic or entity does not exist, in the answers or in the actions."""
    for place, payload in [*_buttons_of_responses(project), *_buttons_of_actions(project)]:
        problem = _wrong(project, payload)
        if problem:
            yield Finding(
                place, "a button that nothing answers", f"{payload}: {problem}", "Name one that exists, or add it."
            )


def _wrong(project: Project, payload: str) -> str | None:
    try:
        intent, topic, entities = split_payload(payload)
    except ValueError as error:
        return str(error)
    if intent not in project.domain["intents"]:
        return f"domain.yml has no intent {intent}"
    for entity in entities:
        if entity not in project.domain["entities"]:
            return f"domain.yml has no entity {entity}"
    topic = topic or entities.get("topic")
    label = f"{intent}/{topic}" if topic and "/" not in topic else topic
    return f"no phrases stand under {label}" if label and label not in project.labels else None


def _buttons_of_responses(project: Project) -> Iterator[tuple[Place, str]]:
    for response in project.responses.values():
        for variation in response.variations:
            for button in variation.get("buttons") or []:
                yield response.place, str(button["payload"])


def _buttons_of_actions(project: Project) -> Iterator[tuple[Place, str]]:
    """Payloads that stand in the programs word for word; what is only known at run time is skipped."""
    for path in project.actions:
        for node in ast.walk(_tree(path)):
            payload = _written_payload(node)
            if payload:
                yield project.place(path, node.lineno - 1), payload


def _written_payload(node: Any) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and _PLAIN_PAYLOAD.fullmatch(node.value):
        return node.value
    if not isinstance(node, ast.Call) or getattr(node.func, "id", "") != "payload" or not node.args:
        return None
    intent, topic = node.args[0], next((word.value for word in node.keywords if word.arg == "topic"), None)
    if not isinstance(intent, ast.Constant):
        return None
    written = isinstance(topic, ast.Constant)
    return f'/{intent.value}{{"topic": "{topic.value}"}}' if written else f"/{intent.value}"


def unused_answer(project: Project) -> Iterator[Finding]:
    """An answer that no rule, action or topic sends."""
    named = set(re.findall(r"utter_[\w/]+", project.rules))
    sent = _sent_by_actions(project)
    bases = {base_of(label) for label in project.labels}
    for name, response in project.responses.items():
        label = name.removeprefix("utter_")
        used = name in named or label in project.labels or label in bases
        if name.startswith(_TITLE):
            used = name.removeprefix(_TITLE) in {label.replace("/", "_") for label in project.labels}
        elif not used:
            used = bool(sent.fullmatch(name))
        if not used:
            yield Finding(
                response.place,
                "an answer that is never given",
                f"nothing sends {name}",
                "Remove it, or its misspelling.",
            )


def _sent_by_actions(project: Project) -> re.Pattern[str]:
    """A pattern of all names of answers and labels that the actions can build."""
    found = {pattern for path in project.actions for node in ast.walk(_tree(path)) if (pattern := _name_pattern(node))}
    return re.compile("|".join(f"(?:{_LABEL})?{pattern}" for pattern in sorted(found)) or r"(?!)")


def _name_pattern(node: Any) -> str | None:
    """A written string as it stands; an f-string with anything in the place of its values."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.escape(node.value) if re.fullmatch(r"[\w/]+", node.value) else None
    if not isinstance(node, ast.JoinedStr):
        return None
    written = "".join(part.value for part in node.values if isinstance(part, ast.Constant))
    if not re.fullmatch(r"[\w/]+", written) or written in ("utter_", _LABEL):
        return None
    return "".join(re.escape(part.value) if isinstance(part, ast.Constant) else r"\w*" for part in node.values)


@lru_cache(maxsize=64)
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def topic_without_title(project: Project) -> Iterator[Finding]:
    """A topic that could be meant but cannot be offered as a button, because it has no short name."""
    for label, place in project.labels.items():
        base, _, topic = label.partition("/")
        if base in UNTITLED:
            continue
        titled = (
            topic in project.guides
            if base == "device_problem"
            else _TITLE + label.replace("/", "_") in (project.responses)
        )
        if not titled:
            where = "bot/data/firmware/guides_*.yml" if base == "device_problem" else "bot/data/responses/labels.yml"
            name = topic if base == "device_problem" else _TITLE + label.replace("/", "_")
            yield Finding(place, "a topic without a title", f"{label} has no short name", f"Add {name} to {where}.")
