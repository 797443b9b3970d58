"""What the shop is told by its environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class SettingsError(ValueError):
    """The environment lacks something or holds nonsense; the message says what to set."""


class Fault(StrEnum):
    """A way to misbehave on purpose."""

    SLOW = "slow"
    ERROR = "error"
    FLAKY = "flaky"


@dataclass(frozen=True)
class Settings:
    """Everything that can be set from outside."""

    database: Path
    api_token: str = field(repr=False)
    identity_secret: str | None = field(default=None, repr=False)
    faults: frozenset[Fault] = frozenset()
    rnd_answer_after: float | None = None
    """Seconds after which open bug reports get an answer by themselves; None: only people answer."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings; raises SettingsError."""
        token = environ.get("SHOP_API_TOKEN", "")
        if not token:
            raise SettingsError("SHOP_API_TOKEN is not set: choose a secret that callers send as bearer token.")
        return cls(
            database=database_path(environ),
            api_token=token,
            identity_secret=environ.get("IDENTITY_SECRET") or None,
            faults=parse_faults(environ.get("SHOP_FAULTS", "")),
            rnd_answer_after=_seconds(environ.get("SHOP_RND_ANSWER_AFTER", "")),
        )


def database_path(environ: Mapping[str, str] = os.environ) -> Path:
    """The shop's database file."""
    return Path(environ.get("SHOP_DATABASE") or Path(environ.get("JIELI_VAR") or "var") / "shop.db")


def parse_faults(text: str) -> frozenset[Fault]:
    """Read a comma-separated list such as `slow,flaky`; raises SettingsError for an unknown name."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    known = {fault.value for fault in Fault}
    for name in names:
        if name not in known:
            raise SettingsError(f"SHOP_FAULTS: unknown fault {name!r}; choose from {', '.join(sorted(known))}.")
    return frozenset(Fault(name) for name in names)


def _seconds(text: str) -> float | None:
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds < float("inf"):
        raise SettingsError(f"SHOP_RND_ANSWER_AFTER: {text!r} is not a number of seconds.")
    return seconds
