"""Logs without personal data, and without the words that customers write: for the desk, the bot and the shop alike.

Two rules. Everything written is searched for personal data, which is hidden. And an error's own words are left out
where such errors quote what they choked on (a value that cannot be read, a row that cannot be stored): that is what
somebody wrote. Its kind and the lines of code that it came through stay.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

from handoff.privacy.masking import hide, hide_all

_QUOTING = (ValueError, LookupError, UnicodeError)
_QUOTING_PACKAGES = ("sqlalchemy.", "psycopg", "sqlite3", "pydantic", "jsonschema", "yaml.", "rasa")
_CONNECTION_LOST = {"OperationalError", "InterfaceError", "TimeoutError"}
_UNTOUCHED = {"timestamp", "level"}


def words_of(error: BaseException) -> str:
    """Return the error's kind, and its words where they cannot quote a customer."""
    kind = type(error).__name__
    package = type(error).__module__
    quoting = isinstance(error, _QUOTING) or package.startswith(_QUOTING_PACKAGES)
    if quoting and kind not in _CONNECTION_LOST:
        return kind
    said = hide(str(error)[:500])
    return f"{kind}: {said}" if said else kind


def traceback_of(error: BaseException) -> str:
    """Return the lines of code that an error and its causes came through, with `words_of` each."""
    parts: list[str] = []
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        lines = "".join(traceback.format_list(traceback.extract_tb(cause.__traceback__)))
        parts.append(f"Traceback (most recent call last):\n{lines}{words_of(cause)}")
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "\n\nwhich came from\n\n".join(parts)


def render_exception(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: turns `exc_info` into the text of `traceback_of`."""
    given = event.pop("exc_info", None)
    error = given if isinstance(given, BaseException) else given[1] if isinstance(given, tuple) else None
    if error is None and given:
        error = sys.exc_info()[1]
    if error is not None:
        event["exception"] = traceback_of(error)
    return event


def hide_values(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: hides the personal data in every value."""
    return {name: value if name in _UNTOUCHED else hide_all(value) for name, value in event.items()}


class HidingFormatter(logging.Formatter):
    """Formats a record as `inner` would, then hides personal data; an error appears as `traceback_of` shows it."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """Return the line as it may be written."""
        if record.exc_info and record.exc_info[1] is not None:
            record.exc_text = traceback_of(record.exc_info[1])
        return str(hide_all(self._inner.format(record)))


def hide_in_handlers(*loggers: logging.Logger) -> None:
    """Let every handler of these loggers (the root logger when none is named) write with a `HidingFormatter`."""
    for logger in loggers or (logging.getLogger(),):
        for handler in logger.handlers:
            if not isinstance(handler.formatter, HidingFormatter):
                handler.setFormatter(HidingFormatter(handler.formatter or logging.Formatter()))
