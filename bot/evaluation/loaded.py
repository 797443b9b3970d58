"""The trained bot in this process, with the handoff settings of its model or others."""

from pathlib import Path
from typing import Any

from rasa.core.agent import load_agent
from rasa.core.utils import AvailableEndpoints

from bot import speed
from bot.logs import keep_words_out
from bot.nlu.lookups import read_yaml
from bot.policies.handoff import HandoffPolicy
from bot.turns import Desk

ENDPOINTS = "endpoints.yml"


def settings_of(path: Path) -> dict[str, Any]:
    """The HandoffPolicy part of a configuration file; raises ValueError when it has none."""
    for policy in read_yaml(path.resolve()).get("policies") or []:
        if str(policy.get("name", "")).endswith("HandoffPolicy"):
            defaults = HandoffPolicy.get_default_config()
            weights = {**defaults["weights"], **(policy.get("weights") or {})}
            return {**defaults, **policy, "weights": weights}
    raise ValueError(f"{path} has no HandoffPolicy under policies.")


def changed(settings: dict[str, Any], overrides: list[str]) -> dict[str, Any]:
    """Settings with overrides as `offer_at=0.4` or `weights.angry=0.8`; raises ValueError for one nobody knows."""
    result = {**settings, "weights": dict(settings.get("weights") or {})}
    for override in overrides:
        name, _, value = override.partition("=")
        group, _, weight = name.rpartition(".")
        holder = result["weights"] if group == "weights" else result
        known = HandoffPolicy.get_default_config()
        if group not in ("", "weights") or weight not in (known["weights"] if group else known):
            raise ValueError(f"{override}: HandoffPolicy has no setting {name}.")
        try:
            holder[weight] = float(value)
        except ValueError:
            raise ValueError(f"{override}: {name} needs a number.") from None
    return result


async def load_bot(model: Path, settings: dict[str, Any] | None = None) -> Desk:
    """The bot of a model file, with other handoff settings when they are given."""
    speed.apply()
    keep_words_out()
    agent = await load_agent(str(model), endpoints=AvailableEndpoints.read_endpoints(ENDPOINTS))
    desk = Desk(agent)
    if settings is not None:
        desk.use_handoff_settings(settings)
    return desk
