"""What every benchmark needs: percentiles, ratios, a table, memory of processes, free ports."""

from __future__ import annotations

import math
import os
import platform
import socket
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psutil


def percentile(values: Iterable[float], percent: float) -> float:
    """The smallest value that at least `percent` of all values do not exceed (nearest rank); nan for no values."""
    ordered = sorted(values)
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def ratio(ours: float, peer: float) -> float:
    """Ours divided by the peer's; nan when the peer measured nothing."""
    return ours / peer if peer else math.nan


@dataclass(frozen=True)
class Goal:
    """What a ratio or figure must be: `at_least` or `at_most` a limit."""

    limit: float
    at_least: bool = False

    def met(self, value: float) -> bool:
        """Whether a measured value is good enough."""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:.3g}"


@dataclass(frozen=True)
class Comparison:
    """One line of a table: what was measured, ours, the peer's, and the goal for their ratio."""

    what: str
    ours: float
    peer: float
    goal: Goal | None = None

    def row(self) -> list[Any]:
        """what, ours, peer, ours/peer, goal, met."""
        share = ratio(self.ours, self.peer)
        verdict = "" if self.goal is None else ("yes" if self.goal.met(share) else "NO")
        return [self.what, self.ours, self.peer, share, "" if self.goal is None else str(self.goal), verdict]


def print_comparison(title: str, peer: str, lines: Sequence[Comparison]) -> None:
    """Print ours beside the peer's, with the ratio, its goal, and whether it is met."""
    print_table(title, ["", "ours", peer, f"ours/{peer}", "goal", "met"], [line.row() for line in lines])


def print_table(title: str, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print an aligned table; the first column to the left, all others to the right, numbers with three digits."""
    cells = [list(head), *([_text(cell) for cell in row] for row in rows)]
    widths = [max(_width(row[column]) for row in cells) for column in range(len(head))]
    print(f"\n{title}")
    for number, row in enumerate(cells):
        padded = [_pad(cell, widths[column], left=column == 0) for column, cell in enumerate(row)]
        print("  ".join(padded).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))
    print(flush=True)


def _text(cell: Any) -> str:
    if not isinstance(cell, float):
        return f"{cell:,}" if isinstance(cell, int) and not isinstance(cell, bool) else str(cell)
    if math.isnan(cell):
        return "–"
    digits = max(0, 2 - math.floor(math.log10(abs(cell)))) if cell else 0
    return f"{cell:,.{min(digits, 4)}f}"


def _width(text: str) -> int:
    """Columns of a terminal: Chinese letters take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _pad(text: str, width: int, left: bool) -> str:
    blanks = " " * (width - _width(text))
    return text + blanks if left else blanks + text


def machine() -> str:
    """The size of this machine, for the head of a report: figures mean nothing without it."""
    memory = psutil.virtual_memory().total / 2**30
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores, {memory:.0f} GiB, Python {platform.python_version()}, {platform.system()}"


def memory_mb(pids: Iterable[int]) -> float:
    """Megabytes that these processes and all they started hold; pages they share count once (PSS)."""
    return sum(_pss(process) for process in _tree(pids)) / 1e6


def _tree(pids: Iterable[int]) -> set[psutil.Process]:
    found: set[psutil.Process] = set()
    for pid in pids:
        process = psutil.Process(pid)
        found |= {process, *process.children(recursive=True)}
    return found


def _pss(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.NoSuchProcess:
        return 0


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
