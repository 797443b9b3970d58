"""A conversation as the handoff policy reads it: turn by turn, what the customer said and felt, what the bot said."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.events import (
    ActionExecuted,
    ActiveLoop,
    BotUttered,
    Event,
    Restarted,
    SessionStarted,
    UserUttered,
)

from bot.nlu.lookups import lookup
from bot.policies.matters import subjects

PERSON_PAYLOAD, NO_PAYLOAD = "/request_human", "/deny"
HAND_OFF = "action_hand_off"
CLARIFY = frozenset({"action_clarify", "action_default_fallback"})
FALLBACK = "nlu_fallback"


@dataclass
class TurnTold:
    """One turn: what the customer said and felt, what the bot said to it.

    `failed`: the bot asked what was meant. `offered`: a button offered a person. `yes_or_no`: the bot asked for a yes
    or no. `in_form`: a form had asked for what was said. `subjects`: the unrelated things that it asks for. `tried`:
    the known steps that the customer has taken.
    """

    seqs: list[int]
    text: str
    intent: str
    topic: str = ""
    emotion: dict[str, Any] = field(default_factory=dict)
    cues: dict[str, float] = field(default_factory=dict)
    wishes: list[dict[str, Any]] = field(default_factory=list)
    subjects: frozenset[str] = frozenset()
    tried: frozenset[str] = frozenset()
    pressed: bool = False
    said: list[str] = field(default_factory=list)
    offered: bool = False
    yes_or_no: bool = False
    in_form: bool = False
    failed: bool = False
    handed_over: bool = False

    def cue(self, name: str) -> float:
        """How likely the turn shows a cue, 0 to 1."""
        return self.cues.get(name, 0.0)


def read_turns(events: Iterable[Event]) -> list[TurnTold]:
    """The turns since the last start of a session. (What Rasa calls applied leaves out turns inside forms.)"""
    turns: list[TurnTold] = []
    form: str | None = None
    for event in events:
        if isinstance(event, (SessionStarted, Restarted)):
            turns.clear()
            form = None
        elif isinstance(event, UserUttered):
            parse: dict[str, Any] = dict(event.parse_data or {})
            seqs = [int(seq) for seq in (event.metadata or {}).get("seqs", [])]
            turns.append(told(seqs, event.text or "", parse))
            turns[-1].in_form = form is not None
        elif isinstance(event, ActiveLoop):
            form = event.name
        elif turns and isinstance(event, BotUttered):
            turns[-1].said.append(event.text or "")
            payloads = {button.get("payload") for button in event.data.get("buttons") or []}
            turns[-1].offered |= PERSON_PAYLOAD in payloads
            turns[-1].yes_or_no |= NO_PAYLOAD in payloads
        elif turns and isinstance(event, ActionExecuted) and event.action_name != ACTION_LISTEN_NAME:
            turns[-1].failed |= event.action_name in CLARIFY
            turns[-1].handed_over |= event.action_name == HAND_OFF
    return turns


def told(seqs: list[int], text: str, parse: dict[str, Any]) -> TurnTold:
    """The customer's part of a turn, from the parse data that the bot's reader made of it."""
    messages = parse.get("messages") or []
    pressed = bool(messages) and all(message["pressed"] for message in messages)
    typed = "\n".join(message["text"] for message in messages if not message["pressed"]) or text
    return TurnTold(
        seqs=seqs,
        text=typed,
        intent=str((parse.get("intent") or {}).get("name") or FALLBACK),
        topic=str((parse.get("topic") or {}).get("name") or ""),
        emotion=parse.get("emotion") or {},
        cues=parse.get("cues") or {},
        wishes=parse.get("wishes") or [],
        subjects=frozenset() if pressed else subjects(typed, parse),
        tried=frozenset(step["text"] for step in parse.get("tried") or [] if step["text"] in lookup("tried_steps")),
        pressed=pressed,
    )


def since_handoff(turns: list[TurnTold]) -> list[TurnTold]:
    """Turns after the last handoff: a trouble that went to a person must not call another one."""
    last = max((index for index, turn in enumerate(turns[:-1]) if turn.handed_over), default=-1)
    return turns[last + 1 :]
