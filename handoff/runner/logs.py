"""The processes' log files: what a process writes, as it writes it, in files that do not grow for ever."""

from __future__ import annotations

import re
from collections import deque
from pathlib import Path

MAX_BYTES = 10 * 1024 * 1024
KEPT_FILES = 3
TAIL_LINES = 200
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Exit)\b", re.ASCII)
_SERIOUS = re.compile(r'\b(?:ERROR|CRITICAL)\b|"level":\s*"(?:error|critical)"', re.ASCII)


class Log:
    """One process's file `<name>.log`, with `<name>.log.1` and older beside it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.recent: deque[str] = deque(maxlen=TAIL_LINES)
        self._file = path.open("ab", buffering=0)
        self._size = self._file.tell()
        self._rest = b""

    def write(self, data: bytes) -> list[str]:
        """Append what a process wrote; return the lines that this completes. A full disk costs log lines only."""
        try:
            self._file.write(data)
        except OSError:
            self._size = 0
        self._size += len(data)
        if self._size >= MAX_BYTES:
            self._rotate()
        *complete, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-65536:]
        lines = [line.decode("utf-8", "replace").rstrip() for line in complete]
        self.recent.extend(line for line in lines if line)
        return lines

    def tail(self, count: int = 10) -> str:
        """Return what explains a failure best, indented: the exceptions' own lines if any, else the end."""
        errors = list(dict.fromkeys(line for line in self.recent if _EXCEPTION.match(line)))
        return "\n".join(f"    {line[:300]}" for line in (errors or list(self.recent))[-count:])

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        for number in range(KEPT_FILES - 1, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number}")
            if older.exists():
                older.replace(self.path.with_name(f"{self.path.name}.{number + 1}"))
        self.path.replace(self.path.with_name(f"{self.path.name}.1"))
        self._file = self.path.open("ab", buffering=0)
        self._size = 0


def is_serious(line: str) -> bool:
    """Return whether a log line is an error that deserves a place on the terminal."""
    return _SERIOUS.search(line) is not None
