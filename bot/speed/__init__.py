"""Everything that makes Rasa 3.6.21 faster without changing what it does: one file for each thing that was slow.

Each patch names the functions of Rasa that it replaces or relies on, with a fingerprint of their source. When one of
them looks different from what the patch was written for, the patch is left out with a warning, and Rasa does it its own
way. Only the serving process is patched; training and `rasa` on the command line are Rasa's own.
"""

import logging

from bot.speed import action_results, debug_copies, event_types, graph, rules, training_graph
from bot.speed.patch import Patch, fits

logger = logging.getLogger(__name__)

PATCHES: tuple[Patch, ...] = (
    action_results.PATCH,
    debug_copies.PATCH,
    event_types.PATCH,
    graph.PATCH,
    rules.PATCH,
    training_graph.PATCH,
)


def apply() -> list[str]:
    """Apply every patch that fits the installed Rasa; returns the names of those that were applied."""
    applied = []
    for patch in PATCHES:
        if changed := fits(patch):
            logger.warning("%s stays as slow as Rasa makes it: %s looks different.", patch.name, ", ".join(changed))
        else:
            patch.apply()
            applied.append(patch.name)
    return applied
