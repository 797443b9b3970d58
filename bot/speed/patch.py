"""What a patch of Rasa is, and whether it fits the Rasa that is installed."""

import hashlib
import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Patch:
    """One improvement.

    Attributes:
        name: what gets faster, for the log.
        sources: fingerprints of the functions it replaces or relies on, by their full names.
        apply: puts it in place; doing so twice is the same as once.
    """

    name: str
    sources: dict[str, str]
    apply: Callable[[], None]


def fits(patch: Patch) -> list[str]:
    """The functions that look different from what the patch was written for; none when it may be applied."""
    return [name for name, expected in patch.sources.items() if fingerprint(name) != expected]


def fingerprint(name: str) -> str:
    """A short hash over the source of a function, class or module; empty when there is no such thing."""
    try:
        source = inspect.getsource(_find(name))
    except (ImportError, AttributeError, OSError, TypeError):
        return ""
    return hashlib.sha256(source.encode()).hexdigest()[:12]


def _find(name: str) -> Any:
    """The thing with this full name, such as `rasa.core.processor.MessageProcessor.handle_message`."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = inspect.getattr_static(found, part)
            found = getattr(found, "__func__", found)
        return found
    raise ImportError(name)
