"""Lines on the terminal: lasting ones, and one passing line of progress where the terminal can rewrite it."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TextIO

PROGRESS_EVERY = 10.0  # seconds between progress lines where a line cannot be rewritten (a pipe, a CI log)


class Terminal:
    """Writes to `stream`; a reader that went away (`make run | head`) never stops the product."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._rewrites = self._stream.isatty()
        self._passing = False
        self._last_progress = time.monotonic()

    def line(self, text: str = "") -> None:
        """Write a lasting line."""
        self._write(("\r\x1b[K" if self._passing else "") + text + "\n")
        self._passing = False
        self._last_progress = time.monotonic()

    def progress(self, text: str) -> None:
        """Show that something goes on: rewritten in place, or a line every ten seconds."""
        if self._rewrites:
            self._write("\r\x1b[K" + text[: shutil.get_terminal_size().columns - 1])
            self._passing = True
        elif time.monotonic() - self._last_progress >= PROGRESS_EVERY:
            self.line(text)

    def _write(self, text: str) -> None:
        encoding = self._stream.encoding or "utf-8"
        try:
            self._stream.write(text.encode(encoding, "replace").decode(encoding))
            self._stream.flush()
        except (OSError, ValueError):  # the reader is gone
            self._rewrites = False
