"""Logs: JSON lines on standard error, never with what customers say or any secret."""

from __future__ import annotations

import logging
import sys

import structlog

from handoff.privacy.logs import hide_in_handlers, hide_values, render_exception


class StandardError:
    """Standard error as it is at the moment of writing: who takes it over hears the desk too."""

    def write(self, text: str) -> int:
        """Write `text`."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """Send on what was written."""
        sys.stderr.flush()


def configure() -> None:
    """Set up structlog and let the libraries' own loggers speak from warnings on."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    hide_in_handlers()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            render_exception,
            hide_values,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=StandardError()),  # type: ignore[arg-type]
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
