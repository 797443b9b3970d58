"""Reading customers' messages: each by itself, then several as the one turn that Rasa sees."""

import asyncio
import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rasa.core.channels.channel import UserMessage
from rasa.engine.constants import PLACEHOLDER_MESSAGE, PLACEHOLDER_TRACKER
from rasa.engine.runner.interface import GraphRunner
from rasa.engine.storage.storage import ModelMetadata

from bot.fact_names import FACT_NAMES
from bot.nlu import dates, tried
from bot.nlu.emotion_words import evidence
from bot.nlu.encoder import encoder
from bot.nlu.grams import characters, letters, words
from bot.nlu.guards import refuses_person, wants_person
from bot.nlu.language import detect
from bot.nlu.model import model_text
from bot.nlu.text import align
from bot.policies import wording
from bot.policies.matters import told_in
from bot.wire import DoorError, IncomingMessage, split_payload

logger = logging.getLogger(__name__)

FALLBACK = "nlu_fallback"
# So many turns at most are read together.
MOST_TOGETHER = 16
# So many texts of today, none longer than this, are kept in memory with what was read in them.
REMEMBERED, LONGEST_REMEMBERED = 4096, 200
# What remembers texts besides, a few hundred or thousand each.
BY_TEXT = (
    *(align, model_text, detect, evidence, words, characters, letters, tried.extract),
    *(wants_person, refuses_person, told_in, *wording.BY_TEXT),
)
_COURTESIES = frozenset({"greet", "thank", "goodbye", FALLBACK})
# Intents that Rasa adds to every domain; no button means them.
_OF_RASA = frozenset({"restart", "back", "session_start", FALLBACK})
_TOPIC_SURE = 0.35
_LEAST_REST = 2
_OF_THE_WISH = ("intent", "intent_ranking", "topic", "found", "wishes")
# A trouble that is named only to say that it is not the one: "不是晚上的问题，是电机".
_DENIED_TROUBLE = re.compile(
    r"(?:这|那|真的?|也)?(?:不是|并非|不关)(?:说|因为)?[^,，。;；!！?？不是]{1,12}(?:的?(?:问题|毛病|原因|故障)|的事)(?!吗|么|吧|[?？])(?:了|啊)?"
    r"|不是(?:说)?(?:(?!不是)[^,，。;；!！?？]){2,10}[,，](?:而)?是(?=[^,，。;；!！?？]{3})"
    r"|(?:it'?s|its|this is|that'?s) not (?:about |really )?(?:the |a |an |my )?[^,.;!?]{1,25}"
    r" (?:problem|issue|fault)(?!\?)"
    r"|(?:it'?s|its|that'?s) not the [^,.;!?]{1,20}, ?(?=(?:it'?s|its) the )",
    re.IGNORECASE,
)


# A trouble that is over, before another one: "换了张卡好使了，但是录像没声音".
_SETTLED_TROUBLE = re.compile(
    r"^[^,，。;；]{0,16}(?:可以|好|好使|好用|行|正常|解决|连上|恢复|能用)了[,，。;；\s]*(?:但是?|不过|可是|只是|就是)(?:现在)?"
    r"|^[^,.;]{0,40}(?<![a-z])(?:works?|working|fixed|sorted|solved|(?:sync|connect|charge|pair|count|start)s)"
    r"(?: \w+){0,2},? (?:but|however,?)(?: now)?(?![a-z])",
    re.IGNORECASE,
)


@dataclass
class Reading:
    """What one message says. `parse` is Rasa's parse data with topic, wishes, emotion, language and tried."""

    seq: int
    text: str
    parse: dict[str, Any]
    attachment: dict[str, str] | None = None
    pressed: bool = False
    facts: list[dict[str, Any]] = field(default_factory=list)
    tried: list[dict[str, Any]] = field(default_factory=list)

    @property
    def intent(self) -> str:
        """The base intent."""
        return str(self.parse["intent"]["name"] or FALLBACK)

    @property
    def language(self) -> str | None:
        """`zh`, `en`, or None when the message does not tell."""
        return self.parse.get("language")

    def nlu(self, language: str) -> dict[str, Any]:
        """The reading as the desk shows it; what was not understood is `out_of_scope`."""
        name, confidence = self.intent, float(self.parse["intent"]["confidence"])
        topic = self.parse.get("topic") or {}
        if str(topic.get("name", "")).split("/")[0] == name and topic.get("confidence", 0.0) >= _TOPIC_SURE:
            name = topic["name"]
        emotion = self.parse["emotion"]
        return {
            "intent": "out_of_scope" if name == FALLBACK else name,
            "confidence": round(confidence, 4),
            "language": self.language or language,
            "emotion": {"label": emotion["label"], "score": emotion["score"]},
        }


class Reader:
    """Runs the model without Rasa's handler for typed `/intent` text: a customer's slash is only a slash."""

    def __init__(self, runner: GraphRunner, metadata: ModelMetadata) -> None:
        """A reader with a loaded model."""
        self._runner = runner
        self._target = metadata.predict_schema.nodes[metadata.nlu_target].needs["messages"]
        self._intents = set(metadata.domain.intents) - _OF_RASA
        self._day = dates.current_day()
        self._remembered: dict[str, str] = {}
        self._asked: list[tuple[Sequence[IncomingMessage], asyncio.Future[list[Reading]]]] = []

    def read(self, message: IncomingMessage) -> Reading:
        """One message; raises DoorError 422 for a payload with an intent that the bot does not have."""
        return self.read_all([message])[0]

    def read_all(self, messages: Sequence[IncomingMessage]) -> list[Reading]:
        """Each message by itself, all run through the model together; raises DoorError like `read`."""
        return self._readings(messages, self._parsed(_texts_of(messages)))

    async def read_soon(self, messages: Sequence[IncomingMessage]) -> list[Reading]:
        """Like `read_all`; what several turns ask for at the same moment runs through the model together."""
        loop = asyncio.get_running_loop()
        if not self._asked:
            loop.call_soon(self._read_asked)
        self._asked.append((messages, loop.create_future()))
        return await self._asked[-1][1]

    def _read_asked(self) -> None:
        asked, self._asked = self._asked[:MOST_TOGETHER], self._asked[MOST_TOGETHER:]
        if self._asked:
            asyncio.get_running_loop().call_soon(self._read_asked)
        try:
            parsed = self._parsed([text for messages, _ in asked for text in _texts_of(messages)])
        except Exception:  # one turn's text must not fail the others: each is read by itself
            logger.exception("Reading %s turns together failed.", len(asked))
            parsed = None
        for messages, waiting in asked:
            if waiting.done():
                continue
            try:
                waiting.set_result(self.read_all(messages) if parsed is None else self._readings(messages, parsed))
            except Exception as error:
                waiting.set_exception(error)

    def _readings(self, messages: Sequence[IncomingMessage], parsed: Mapping[str, str]) -> list[Reading]:
        return [
            self._pressed(message.seq, message.payload, _file_of(message))
            if message.payload is not None
            else self._typed(message, _parse_of(message.typed, parsed))
            for message in messages
        ]

    def join(self, readings: list[Reading]) -> dict[str, Any]:
        """The parse data of a turn: one message's own, or what several pieces of one thought say together."""
        if len(readings) == 1:
            parse = dict(readings[0].parse)
            text = readings[0].text
        else:
            parse, text = self._together(readings)
        parse["text"] = f"／{text[1:]}" if text.startswith("/") and not any(r.pressed for r in readings) else text
        parse["messages"] = [
            {"seq": r.seq, "text": r.text, "intent": r.intent, "emotion": r.parse["emotion"], "pressed": r.pressed}
            for r in readings
        ]
        return parse

    def _typed(self, message: IncomingMessage, parsed: dict[str, Any] | None) -> Reading:
        text, attachment = message.typed, _file_of(message)
        parse = parsed or _silent("inform" if attachment else FALLBACK)
        reading = Reading(message.seq, text, parse, attachment)
        reading.facts = [_fact(entity, text, message.seq) for entity in parse["entities"] if _is_stated(entity)]
        reading.tried = [
            {"text": step["text"], "quote": step["quote"], "seq": message.seq} for step in parse.get("tried", [])
        ]
        return reading

    def _pressed(self, seq: int, payload: str, attachment: dict[str, str] | None) -> Reading:
        intent, topic, entities = split_payload(payload)
        if intent not in self._intents:
            raise DoorError(422, "unknown_intent", "Use a payload that the bot itself sent.", {"payload": payload})
        parse = _silent(intent, topic)
        parse["text"] = payload
        parse["entities"] = [{"entity": name, "value": value} for name, value in entities.items() if value is not None]
        reading = Reading(seq, payload, parse, attachment, pressed=True)
        reading.facts = [
            {"name": item["entity"], "value": str(item["value"]), "quote": "", "seq": seq}
            for item in parse["entities"]
            if item["entity"] in FACT_NAMES
        ]
        return reading

    def _parsed(self, texts: list[str]) -> dict[str, str]:
        """The parse of each text as JSON; one read before today is remembered ("yesterday" is another day tomorrow)."""
        if self._day != dates.current_day():
            self.forget()
        fresh = [text for text in dict.fromkeys(texts) if text not in self._remembered]
        parsed = {text: json.dumps(parse) for text, parse in zip(fresh, self._run(fresh) if fresh else [], strict=True)}
        kept = {text: parsed.get(text) or self._remembered[text] for text in texts}
        for text, content in parsed.items():
            self._remember(text, content)
        return kept

    def _remember(self, text: str, content: str) -> None:
        if len(text) > LONGEST_REMEMBERED:
            return
        if len(self._remembered) >= REMEMBERED:
            self._remembered.pop(next(iter(self._remembered)))
        self._remembered[text] = content

    def forget(self) -> None:
        """Forget all texts that were read, in each of their forms, and their sentence vectors."""
        self._day = dates.current_day()
        self._remembered.clear()
        for reads_text in BY_TEXT:
            reads_text.cache_clear()
        sentences = encoder()
        if sentences is not None:
            sentences.forget()

    def _run(self, texts: list[str]) -> list[dict[str, Any]]:
        inputs = {PLACEHOLDER_MESSAGE: [UserMessage(text) for text in texts], PLACEHOLDER_TRACKER: None}
        parsed = self._runner.run(inputs=inputs, targets=[self._target])[self._target]
        return [
            {"text": text, "entities": [], **message.as_dict(only_output_properties=True)}
            for text, message in zip(texts, parsed, strict=True)
        ]

    def _together(self, readings: list[Reading]) -> tuple[dict[str, Any], str]:
        pressed = [reading for reading in readings if reading.pressed]
        asking = [reading for reading in readings if reading.intent == "request_human"]
        telling = [reading for reading in readings if reading.intent not in _COURTESIES]
        if pressed or asking or len(telling) == 1:
            chosen = (pressed or asking or telling)[-1]
            parse = dict(chosen.parse)
        else:
            chosen = None
            together = "\n".join(reading.text for reading in readings if reading.text) or "…"
            parse = json.loads(self._parsed([together])[together])
        text = (
            chosen.text
            if chosen and chosen.pressed
            else "\n".join(reading.text for reading in readings if reading.text)
        )
        parse["entities"] = _all_entities(readings)
        parse["tried"] = [step for reading in readings for step in reading.parse.get("tried", [])]
        parse["wishes"] = list(
            {w["intent"]: w for reading in readings for w in reading.parse.get("wishes", [])}.values()
        )
        parse["emotion"] = _strongest_emotion(readings)
        parse["cues"] = _strongest_cues([parse, *(reading.parse for reading in readings)])
        return parse, text


def _texts_of(messages: Sequence[IncomingMessage]) -> list[str]:
    """The texts to be read: a button's payload is none; of a text that denies a trouble, the rest too."""
    typed = [message.typed for message in messages if message.payload is None and message.typed]
    return [*typed, *(rest for text in typed if (rest := _without_denied(text)))]


def _without_denied(text: str) -> str | None:
    """What is left of a text without the trouble that it says is not the one, or is over; None when it has none."""
    rest = _SETTLED_TROUBLE.sub(" ", _DENIED_TROUBLE.sub(" ", text)).strip(" ,，。;；.")
    return rest if rest != text.strip(" ,，。;；.") and len(rest) >= _LEAST_REST else None


def _parse_of(text: str, parsed: Mapping[str, str]) -> dict[str, Any] | None:
    """The parse of a text; what it asks for is read from the rest when a trouble is denied or over."""
    if not text:
        return None
    parse: dict[str, Any] = json.loads(parsed[text])
    rest = _without_denied(text)
    if rest and (parse["intent"]["name"] == "device_problem" or _SETTLED_TROUBLE.search(text)):
        meant = json.loads(parsed[rest])
        if meant["intent"]["name"] == "device_problem":
            parse |= {name: meant[name] for name in _OF_THE_WISH if name in meant}
        elif parse["intent"]["name"] == "device_problem":
            parse |= {"topic": {**meant["topic"], "name": "device_problem"}, "found": {}, "wishes": []}
        parse["entities"] = [entity for entity in parse["entities"] if entity["entity"] != "symptom"]
    return parse


def _file_of(message: IncomingMessage) -> dict[str, str] | None:
    return message.attachment.dict() if message.attachment else None


def _all_entities(readings: list[Reading]) -> list[dict[str, Any]]:
    """Every message's entities, placed in the joined text; of one name the last counts."""
    kept: dict[tuple[str, str | None], dict[str, Any]] = {}
    offset = 0
    for reading in readings:
        for entity in reading.parse["entities"]:
            moved = dict(entity)
            if "start" in moved:
                moved["start"] += offset
                moved["end"] += offset
            kept[(moved["entity"], moved.get("role"))] = moved
        offset += len(reading.text) + 1 if reading.text else 0
    return list(kept.values())


def _strongest_emotion(readings: list[Reading]) -> dict[str, Any]:
    """The emotion of the least content of the messages that are not calm."""
    felt = [reading.parse["emotion"] for reading in readings]
    loud = [emotion for emotion in felt if emotion["label"] != "calm"]
    strongest: dict[str, Any] = min(loud or felt, key=lambda emotion: emotion["satisfaction"])
    return strongest


def _strongest_cues(parses: list[dict[str, Any]]) -> dict[str, float]:
    strongest: dict[str, float] = {}
    for parse in parses:
        for cue, chance in (parse.get("cues") or {}).items():
            strongest[cue] = max(chance, strongest.get(cue, 0.0))
    return strongest


def _silent(intent: str, topic: str | None = None) -> dict[str, Any]:
    """The parse data of a message without words: a pressed button, a bare file."""
    label = topic or intent
    return {
        "text": "",
        "intent": {"name": intent, "confidence": 1.0},
        "intent_ranking": [{"name": intent, "confidence": 1.0}],
        "topic": {"name": label, "confidence": 1.0, "ranking": [{"name": label, "confidence": 1.0}]},
        "entities": [],
        "wishes": [],
        "tried": [],
        "emotion": {"label": "calm", "score": 1.0, "despair": False, "satisfaction": 0.0},
        "language": None,
    }


def _is_stated(entity: dict[str, Any]) -> bool:
    return entity["entity"] in FACT_NAMES and not entity.get("role")


def _fact(entity: dict[str, Any], text: str, seq: int) -> dict[str, Any]:
    return {
        "name": entity["entity"],
        "value": entity["value"],
        "quote": text[entity["start"] : entity["end"]],
        "seq": seq,
    }
