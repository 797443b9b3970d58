"""Which fact a message of the bot asks for: to count how often it asks for what the customer has told already."""

import re
from functools import lru_cache

from bot.actions import words

# The questions of the bot, by the fact that they ask for.
QUESTIONS = {
    "device_model": ("devices/ask_device_model", "answers/ask_device"),
    "os": ("devices/ask_os",),
    "firmware_version": ("devices/ask_firmware_version", "devices/ask_firmware_version_home"),
    "app_version": ("devices/ask_app_version",),
    "os_version": ("devices/ask_os_version",),
    "phone_model": ("devices/ask_phone_model",),
    "error_code": ("devices/ask_error_code",),
    "purchased_at": ("devices/ask_purchased_at",),
    "order_number": ("orders/ask_number",),
    "phone_last4": ("orders/ask_phone",),
}


def asked_fact(text: str) -> str | None:
    """The fact that the bot's `text` asks for; None when it asks for none."""
    return next((fact for fact, pattern in _patterns().items() if pattern.search(text)), None)


@lru_cache(maxsize=1)
def _patterns() -> dict[str, re.Pattern[str]]:
    return {fact: re.compile("|".join(_texts(names))) for fact, names in QUESTIONS.items()}


def _texts(names: tuple[str, ...]) -> list[str]:
    """The texts of some responses as patterns; a variable stands for any words."""
    found = [
        str(entry["text"])
        for name in names
        for language in words.LANGUAGES
        for entry in words.variations(f"utter_{name}", language)
    ]
    return [re.sub(r"\\\{\w+\\\}", ".*", re.escape(text)) for text in found]
