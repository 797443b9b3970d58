"""Logs of the bot and of its action server: never what a customer writes, whatever level Rasa is told to log at."""

import logging
from collections.abc import MutableMapping
from typing import Any

import structlog

from handoff.privacy.logs import hide_in_handlers, hide_values, render_exception

# What Rasa's structured log lines say about themselves; their other values hold messages, slots and events.
_SPOKEN_OF = frozenset(
    {"event", "event_info", "event_key", "level", "exc_info", "sender_id", "key", "arg", "slot_name"}
)


def keep_words_out() -> None:
    """Take over the logging of this process, once Rasa has set it up.

    Debug lines (they quote messages and slots) are off even where Rasa was started with `--debug`, and warnings of the
    Python kind too, because Rasa's quote what they could not read.
    """
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").setLevel(logging.ERROR)
    named = [logging.getLogger(name) for name in list(logging.root.manager.loggerDict)]
    for logger in (logging.getLogger(), *named):
        if logging.NOTSET < logger.level < logging.INFO:
            logger.setLevel(logging.INFO)
    hide_in_handlers(logging.getLogger(), *named)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.processors.add_log_level,
            structlog.dev.set_exc_info,
            _leave_out_values,
            render_exception,
            hide_values,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )


def _leave_out_values(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name in _SPOKEN_OF}
