"""All checks, in the order in which they run."""

from collections.abc import Callable, Iterator

from bot.validation import answers, firmware, phrases
from bot.validation.project import Finding, Project

Check = Callable[[Project], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    phrases.same_phrase,
    phrases.near_duplicate,
    phrases.missing_language,
    phrases.unknown_value,
    phrases.personal_data,
    answers.missing_language,
    answers.unknown_button,
    answers.unused_answer,
    answers.topic_without_title,
    firmware.missing_language,
    firmware.unknown_name,
)
