"""Why a conversation was handed over, as people read it: the bot's score, signal by signal."""

from __future__ import annotations

from typing import Any

from handoff.locales import section, text
from handoff.queue.models import Handoff


def explanation(handoff: Handoff | None, language: str) -> dict[str, Any] | None:
    """Return `{"score", "signals": [{name, text, weight, seqs}]}`; None when the desk itself or a button called."""
    kept = handoff.explanation if handoff else None
    if not kept or not kept["signals"]:
        return None
    return {
        "score": kept["score"],
        "signals": [
            {
                "name": signal["name"],
                "text": _words(signal, language),
                "weight": signal["weight"],
                "seqs": signal["evidence"],
            }
            for signal in kept["signals"]
        ],
    }


def _words(signal: dict[str, Any], language: str) -> str:
    """Return the signal's words; one that this desk does not know is told by its reason."""
    name = f"signal_{signal['name']}"
    return text(f"queue.{name if name in section('queue') else 'reason_' + signal['reason']}", language)
