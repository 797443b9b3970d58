"""Our actions for stock Rasa's action server: they read the fine label where the ResponseSelector puts it."""

import importlib
import pkgutil
from typing import Any

_PACKAGE = importlib.import_module("bot.actions")
for _module in pkgutil.iter_modules(_PACKAGE.__path__, "bot.actions."):
    importlib.import_module(_module.name)


def _labels(turn: Any) -> list[str]:
    """The fine labels of the message's intent, best first."""
    selectors: dict[str, Any] = turn._message.get("response_selector") or {}
    ranking = (selectors.get("default") or {}).get("ranking") or []
    names = [str(entry["intent_response_key"]) for entry in ranking]
    return [name for name in names if name.split("/")[0] == turn.intent]


def _topic(turn: Any) -> str:
    return next(iter(_labels(turn)), str(turn.intent))


_TURN = importlib.import_module("bot.actions.turn").Turn
_TURN.topic, _TURN.ranking = property(_topic), property(_labels)
