"""Reads `Procfile`: which processes make up the product."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from handoff.runner.errors import RunnerError

_LINE = re.compile(r"^([A-Za-z0-9_-]+):\s*(\S.*)$")
_ASSIGNMENT = re.compile(r"^([A-Za-z_][A-Za-z0-9_]*)=(.*)$", re.DOTALL)
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")


@dataclass(frozen=True)
class Command:
    """One process: its name, its words, and what its line adds to the environment."""

    name: str
    words: tuple[str, ...]
    extra: dict[str, str] = field(default_factory=dict)


def _fill(word: str, environment: Mapping[str, str]) -> str:
    """Replace `$NAME` and `${NAME}`; an unset name becomes nothing, as in a shell."""
    return _VARIABLE.sub(lambda match: environment.get(match[1] or match[2], ""), word)


def _command(name: str, text: str, environment: Mapping[str, str]) -> Command:
    """Split a line without any shell, so that the process id is the program's own and signals reach it."""
    words = shlex.split(text)
    extra: dict[str, str] = {}
    while words and (assignment := _ASSIGNMENT.match(words[0])):
        extra[assignment[1]] = _fill(assignment[2], environment)
        words.pop(0)
    return Command(name, tuple(_fill(word, environment) for word in words), extra)


def read(path: Path, environment: Mapping[str, str]) -> list[Command]:
    """Return the processes of `path` in its order. RunnerError when the file is missing or a line is malformed."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        raise RunnerError("procfile_missing", path=path) from None
    commands: list[Command] = []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        match = _LINE.match(text)
        command = _command(match[1], match[2], environment) if match else None
        if command is None or not command.words:
            raise RunnerError("procfile_line", path=path, line=number, text=text)
        commands.append(command)
    return commands
