"""What all signs together say: the score, whether it hands over or offers a person, and the handoff itself."""

from dataclasses import dataclass
from typing import Any

from rasa.shared.core.trackers import DialogueStateTracker

from bot.policies.course import Course
from bot.policies.signals import Signal, Signals, declines
from bot.policies.told import TurnTold, read_turns, since_handoff
from bot.policies.wording import danger_in, speaks_of

_SEVERITY = (
    "safety",
    "policy_topic",
    "emotion",
    "broken_promise",
    "asked_for_person",
    "bot_repeating",
    "repeated_failure",
    "complex",
)
_PRIORITY = {"safety": 1, "emotion": 2, "broken_promise": 2, "policy_topic": 2}
_TECH = frozenset({"device_problem", "firmware_update"})
_ORDERS = frozenset(
    [
        "track_order",
        "cancel_order",
        "change_address",
        "invoice",
        "delivery",
        "parcel_problem",
        "return_exchange",
        "refund",
        "warranty",
    ]
)
_FULL = 1.0
# Milder displeasure than this does not put a customer before others.
_UPSET = 0.45
# So much more must speak for a person after one was declined, unless it is one of these that speaks.
_AFTER_DECLINING = 0.5
_STANDS_ANYWAY = frozenset({"safety", "policy_topic", "asked_for_person", "child_alone", "despair"})


@dataclass(frozen=True)
class Assessment:
    """The signs, their sum, and what follows from it; `now` is what the customer said last.

    `declined`: a person was declined not long ago, so that none is offered.
    """

    signals: tuple[Signal, ...]
    score: float
    hands_over: bool
    offers: bool
    group: str
    now: str = ""
    declined: bool = False

    def handoff(self) -> dict[str, Any]:
        """The slot `handoff`: the weightiest reason, the messages that show it, how urgent, for whom, and why.

        A danger is named, and a death, for the first sentence that the customer reads.
        """
        sums: dict[str, float] = {}
        calling = [signal for signal in self.signals if signal.weight > 0]
        for signal in calling:
            sums[signal.reason] = sums.get(signal.reason, 0.0) + signal.weight
        # A reason that would be enough by itself outranks milder ones, however much those add up to.
        reason = max(sums, key=lambda name: (min(sums[name], _FULL), -_SEVERITY.index(name)))
        upset = sums.get("emotion", 0.0) >= _UPSET
        return {
            "reason": reason,
            "evidence": sorted({seq for signal in calling for seq in signal.evidence}),
            "priority": _PRIORITY.get(reason, 2 if upset else 3),
            "group": "care" if reason in ("safety", "policy_topic") else self.group,
            "explanation": self.explanation(),
            **({"danger": danger_in(self.now)} if reason == "safety" else {}),
            **({"grief": True} if reason == "emotion" and speaks_of("grief", self.now) else {}),
        }

    def explanation(self) -> dict[str, Any]:
        """The score signal by signal, the weightiest first."""
        ranked = sorted(self.signals, key=lambda signal: -signal.weight)
        return {
            "score": round(self.score, 2),
            "signals": [
                {"name": s.name, "reason": s.reason, "weight": round(s.weight, 2), "evidence": list(s.evidence)}
                for s in ranked
            ],
        }


class Assessor:
    """Scores a conversation with the designers' weights and thresholds."""

    def __init__(self, config: dict[str, Any], course: Course | None = None) -> None:
        """`config` is the policy's part of config.yml, `course` what was learnt of talks."""
        self._signals = Signals(config, course)
        self._hand_over_at = float(config["hand_over_at"])
        self._offer_at = float(config["offer_at"])
        self._offer_pause = int(config["offer_pause"])

    def assess(self, tracker: DialogueStateTracker) -> Assessment:
        """Read a tracker's turns since the last fresh start or handoff."""
        return self.assess_turns(read_turns(tracker.events), tracker.active_loop_name is not None)

    def assess_turns(self, turns: list[TurnTold], form: bool = False) -> Assessment:
        """Read a conversation; `form`: a form waits for what the customer says in the last turn."""
        told = since_handoff(turns)
        if not told:
            return Assessment((), 0.0, False, False, "care")
        signals = tuple(self._signals.find(told, form))
        score = sum(signal.weight for signal in signals)
        declined = any(declines(turn) for turn in told[-1 - self._offer_pause :])
        more = _AFTER_DECLINING if declined and not any(signal.name in _STANDS_ANYWAY for signal in signals) else 0.0
        hands_over = score >= self._hand_over_at + more - 1e-6
        quiet = declined or any(turn.offered for turn in told[-1 - self._offer_pause : -1])
        return Assessment(
            signals,
            score,
            hands_over,
            not hands_over and score >= self._offer_at - 1e-6 and not quiet,
            group_of(told),
            told[-1].text,
            declined,
        )


def group_of(turns: list[TurnTold]) -> str:
    """The skill group of what the conversation is about: the last thing that was not a courtesy."""
    for turn in reversed(turns):
        if turn.intent in _TECH:
            return "tech"
        if turn.intent in _ORDERS:
            return "orders"
        if turn.intent == "complain":
            return "care"
    return "care"
