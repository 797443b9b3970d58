"""Deep copies of whatever is about to be logged: Rasa makes them for its debug log even when that is off."""

import copy
import logging
from typing import Any

from rasa.core import processor
from rasa.core.policies import rule_policy

from bot.speed.patch import Patch


class _NoCopies:
    """Stands for the module `copy` where it only serves the debug log."""

    @staticmethod
    def deepcopy(value: Any) -> Any:
        """The value itself; a copy when the debug log is on and may show it after it has changed."""
        return copy.deepcopy(value) if logging.getLogger().isEnabledFor(logging.DEBUG) else value


def _apply() -> None:
    processor.copy = _NoCopies
    rule_policy.copy = _NoCopies


# The whole modules: a new use of `copy` anywhere in them would be caught too.
PATCH = Patch(
    "Logging",
    {"rasa.core.processor": "f42dfbf26e2f", "rasa.core.policies.rule_policy": "952d1a139065"},
    _apply,
)
