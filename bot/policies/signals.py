"""Signs that a conversation belongs to a person, read from the turns since the last fresh start."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.events import ActionExecuted, BotUttered, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.nlu.emotion import dissatisfaction
from bot.nlu.lookups import compile_all, lookup
from bot.nlu.text import align, clause_around, normalise

PERSON_PAYLOAD = "/request_human"
HAND_OFF = "action_hand_off"
CLARIFY = frozenset({"action_clarify", "action_default_fallback"})
FALLBACK = "nlu_fallback"

_COURSE = 5
_A_COURSE = 3
_REMEMBERED_TURNS = 6
_SAME_LENGTH, _SAME_LIKENESS = 5, 0.75
_EXPLANATION_LENGTH = 20
_NEGATIVE = frozenset({"angry", "abusive", "sarcastic", "disappointed"})
_SEVERITY = ("safety", "policy_topic", "emotion", "asked_for_person", "bot_repeating", "repeated_failure", "complex")
_PRIORITY = {"safety": 1, "emotion": 2, "policy_topic": 2}
_ORDERS = frozenset(
    {
        "track_order",
        "cancel_order",
        "change_address",
        "invoice",
        "delivery",
        "parcel_problem",
        "return_exchange",
        "refund",
        "warranty",
    }
)
_TECH = frozenset({"device_problem", "firmware_update"})
_FAMILIES = {
    "device_problem": "tech",
    "firmware_update": "tech",
    "track_order": "parcel",
    "parcel_problem": "parcel",
    "delivery": "parcel",
}
_NOT_WORDS = re.compile(r"[\W_]+")


@dataclass
class TurnTold:
    """One turn: what the customer said and felt, what the bot said to it."""

    seqs: list[int]
    text: str
    intent: str
    emotion: dict[str, Any]
    wishes: list[dict[str, Any]]
    pressed: bool
    said: list[str] = field(default_factory=list)
    offered: bool = False
    failed: bool = False
    handed_over: bool = False


@dataclass(frozen=True)
class Signal:
    """One sign: its name in `weights`, the contract's reason it stands for, the messages that show it."""

    name: str
    reason: str
    evidence: tuple[int, ...]
    weight: float


@dataclass(frozen=True)
class Assessment:
    """What all signs together say."""

    signals: tuple[Signal, ...]
    score: float
    hands_over: bool
    offers: bool
    group: str

    def handoff(self) -> dict[str, Any]:
        """The slot `handoff`: the weightiest reason, the messages that show it, how urgent, for whom."""
        ranked = sorted(self.signals, key=lambda signal: (-signal.weight, _SEVERITY.index(signal.reason)))
        reason = min((s.reason for s in ranked if s.weight >= ranked[0].weight), key=_SEVERITY.index)
        evidence = sorted({seq for signal in self.signals for seq in signal.evidence})
        upset = any(signal.reason == "emotion" for signal in self.signals)
        return {
            "reason": reason,
            "evidence": evidence,
            "priority": _PRIORITY.get(reason, 2 if upset else 3),
            "group": "care" if reason in ("safety", "policy_topic") else self.group,
        }


class Assessor:
    """Scores a conversation with the designers' weights and thresholds."""

    def __init__(self, config: dict[str, Any]) -> None:
        """`config` is the policy's part of config.yml."""
        self._weights: dict[str, float] = config["weights"]
        self._hand_over_at = float(config["hand_over_at"])
        self._offer_at = float(config["offer_at"])
        self._offer_pause = int(config["offer_pause"])
        self._angry_at = float(config["angry_at"])
        self._enraged_at = float(config["enraged_at"])
        self._dissatisfied_at = float(config["dissatisfied_at"])

    def assess(self, tracker: DialogueStateTracker) -> Assessment:
        """Read the turns since the last fresh start or handoff."""
        turns = _since_handoff(read_turns(tracker))
        if not turns:
            return Assessment((), 0.0, False, False, "care")
        signals = tuple(signal for signal in self._signals(turns, tracker) if signal.weight > 0)
        score = sum(signal.weight for signal in signals)
        offered = any(turn.offered for turn in turns[-1 - self._offer_pause : -1])
        hands_over = score >= self._hand_over_at
        return Assessment(
            signals, score, hands_over, not hands_over and score >= self._offer_at and not offered, _group(turns)
        )

    def _signals(self, turns: list[TurnTold], tracker: DialogueStateTracker) -> list[Signal]:
        now = turns[-1]
        found: list[Signal | None] = [
            self._signal("asked_for_person", "asked_for_person", now.seqs, now.intent == "request_human"),
            self._signal("safety", "safety", now.seqs, not now.pressed and speaks_of("safety", now.text)),
            self._signal("policy_topic", "policy_topic", now.seqs, not now.pressed and speaks_of("policy", now.text)),
            self._signal("many_wishes", "complex", now.seqs, _families(now) >= 3),
            self._failures(turns, tracker),
            self._same_again(turns),
            self._bot_repeating(turns),
            *self._feelings(turns),
        ]
        return [signal for signal in found if signal is not None]

    def _signal(self, name: str, reason: str, evidence: list[int], there: bool, times: int = 1) -> Signal | None:
        return Signal(name, reason, tuple(evidence), self._weights.get(name, 0.0) * times) if there else None

    def _feelings(self, turns: list[TurnTold]) -> list[Signal | None]:
        now = turns[-1]
        label, score = now.emotion.get("label"), float(now.emotion.get("score", 0.0))
        strong = score >= self._angry_at and float(now.emotion.get("satisfaction", -2)) <= self._enraged_at
        complaints = [turn for turn in turns if turn.intent == "complain"]
        before = [turn for turn in turns[-_COURSE:-1] if turn.emotion.get("label") in _NEGATIVE]
        upset = label in _NEGATIVE
        return [
            self._signal("despair", "emotion", now.seqs, bool(now.emotion.get("despair"))),
            self._signal("abusive", "emotion", now.seqs, label == "abusive"),
            self._signal("angry", "emotion", now.seqs, label == "angry" and strong),
            self._signal(
                "displeased", "emotion", now.seqs, upset and not (label == "abusive" or (label == "angry" and strong))
            ),
            self._signal("rising_anger", "emotion", _seqs(before), upset and bool(before), min(2, len(before))),
            self._signal("dissatisfied", "emotion", now.seqs, self._dissatisfied(turns)),
            self._signal("complaint", "emotion", _seqs(complaints), now.intent == "complain", len(complaints)),
        ]

    def _dissatisfied(self, turns: list[TurnTold]) -> bool:
        """Whether the course of the conversation, not one message of it, leaves the customer dissatisfied."""
        told = [
            {"text": turn.text, "emotion": turn.emotion}
            for turn in turns
            if not turn.pressed and "satisfaction" in turn.emotion
        ]
        return len(told) >= _A_COURSE and dissatisfaction(told) >= self._dissatisfied_at

    def _failures(self, turns: list[TurnTold], tracker: DialogueStateTracker) -> Signal | None:
        """Turns in a row that the bot did not understand, this one included when it is about to fail."""
        now = turns[-1]
        fails_now = now.failed or (not now.said and now.intent == FALLBACK and tracker.active_loop_name is None)
        if not fails_now:
            return None
        row = [now]
        for turn in reversed(turns[:-1]):
            if not turn.failed:
                break
            row.append(turn)
        return self._signal("failed_turn", "repeated_failure", _seqs(row), True, len(row))

    def _same_again(self, turns: list[TurnTold]) -> Signal | None:
        now = turns[-1]
        if now.pressed or now.intent == "inform" or len(_letters(now.text)) < _SAME_LENGTH:
            return None
        same = [
            turn
            for turn in turns[-_REMEMBERED_TURNS:-1]
            if not turn.pressed and likeness(turn.text, now.text) >= _SAME_LIKENESS
        ]
        return self._signal("same_again", "repeated_failure", _seqs([*same, now]), bool(same), len(same))

    def _bot_repeating(self, turns: list[TurnTold]) -> Signal | None:
        """Explanations that the bot gave before, word for word."""
        now = turns[-1]
        before = [text for turn in turns[-_REMEMBERED_TURNS:-1] for text in turn.said]
        times = max((before.count(text) for text in now.said if len(text) >= _EXPLANATION_LENGTH), default=0)
        return self._signal("bot_repeating", "bot_repeating", now.seqs, times > 0, times)


def read_turns(tracker: DialogueStateTracker) -> list[TurnTold]:
    """The turns since the session began."""
    turns: list[TurnTold] = []
    for event in tracker.applied_events():
        if isinstance(event, UserUttered):
            turns.append(_told(event))
        elif turns and isinstance(event, BotUttered):
            turns[-1].said.append(event.text or "")
            buttons = event.data.get("buttons") or []
            turns[-1].offered |= any(button.get("payload") == PERSON_PAYLOAD for button in buttons)
        elif turns and isinstance(event, ActionExecuted) and event.action_name != ACTION_LISTEN_NAME:
            turns[-1].failed |= event.action_name in CLARIFY
            turns[-1].handed_over |= event.action_name == HAND_OFF
    return turns


def _told(event: UserUttered) -> TurnTold:
    parse: dict[str, Any] = dict(event.parse_data or {})
    messages = parse.get("messages") or []
    return TurnTold(
        seqs=[int(seq) for seq in (event.metadata or {}).get("seqs", [])],
        text="\n".join(message["text"] for message in messages if not message["pressed"]) or event.text or "",
        intent=str((event.intent or {}).get("name") or FALLBACK),
        emotion=parse.get("emotion") or {},
        wishes=parse.get("wishes") or [],
        pressed=bool(messages) and all(message["pressed"] for message in messages),
    )


def _since_handoff(turns: list[TurnTold]) -> list[TurnTold]:
    """Turns after the last handoff: a trouble that went to a person must not call another one."""
    last = max((index for index, turn in enumerate(turns[:-1]) if turn.handed_over), default=-1)
    return turns[last + 1 :]


@lru_cache(maxsize=1)
def _topics() -> dict[str, re.Pattern[str]]:
    return {name: compile_all(patterns) for name, patterns in lookup("handoff").items()}


def speaks_of(topic: str, raw: str) -> bool:
    """True when a message tells of `safety` or `policy` matters; asking about a danger is not telling of one."""
    topics, aligned = _topics(), align(raw)
    for match in topics[topic].finditer(aligned.text):
        start, end = clause_around(aligned, match.start())
        if topic != "safety" or not topics["hypothetical"].search(aligned.text[start:end]):
            return True
    return False


def likeness(one: str, other: str) -> float:
    """How alike two messages are, 0 to 1, by their pairs of characters."""
    pairs_one, pairs_other = _pairs(one), _pairs(other)
    if not pairs_one or not pairs_other:
        return 0.0
    return len(pairs_one & pairs_other) / len(pairs_one | pairs_other)


def _letters(raw: str) -> str:
    return _NOT_WORDS.sub("", normalise(raw))


def _pairs(raw: str) -> set[str]:
    letters = _letters(raw)
    return {letters[index : index + 2] for index in range(len(letters) - 1)}


def _seqs(turns: list[TurnTold]) -> list[int]:
    return [seq for turn in turns for seq in turn.seqs]


def _families(turn: TurnTold) -> int:
    """How many unrelated things one message asks for."""
    return len({_FAMILIES.get(wish["intent"], wish["intent"]) for wish in turn.wishes if wish["confidence"] >= 0.75})


def _group(turns: list[TurnTold]) -> str:
    """The skill group of what the conversation is about: the last thing that was not a courtesy."""
    for turn in reversed(turns):
        if turn.intent in _TECH:
            return "tech"
        if turn.intent in _ORDERS:
            return "orders"
        if turn.intent == "complain":
            return "care"
    return "care"
