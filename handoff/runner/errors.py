"""The one error of the runner: a sentence for the person at the terminal."""

from __future__ import annotations

from handoff.runner.messages import say


class RunnerError(Exception):
    """Something that stops the start; its text says what is wrong and what to do."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(say(key, **values))
        self.key = key
