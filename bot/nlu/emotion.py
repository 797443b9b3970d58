"""How a customer feels, told by words, marks and manner of typing, in Chinese and English."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.nlu.lookups import compile_all, lookup
from bot.nlu.text import align

LABELS = ("calm", "pleased", "anxious", "disappointed", "angry", "abusive", "sarcastic")
_FEELINGS = ("abusive", "angry", "disappointed", "anxious", "pleased", "sarcastic")
_NEGATIVE = ("abusive", "angry", "disappointed", "anxious", "sarcastic")
_QUOTED = re.compile(r"\"[^\"]{1,80}\"|「[^」]{1,80}」|『[^』]{1,80}』|《[^》]{1,80}》")
_TOLD = re.compile(
    r"(?:我?(?:朋友|同事|老婆|老公|妈|爸|同学|邻居|别人|网上|有人)"
    r"|(?<![a-z])(?:he|she|they|my (?:wife|husband|friend|boss)))[^,。;!?]{0,8}"
    r"(?:说|觉得|很|太|is|was|are|says?|said|feels?)"
)
_SHOUT = re.compile(r"(?<![A-Za-z])[A-Z]{3,}(?:['!?,.\s]+[A-Z]{2,}){1,}")
_MARKS = re.compile(r"[!?]{3,}|(?:!\s*){3,}")
_BITTER = re.compile(
    r"(?:真|可真|太)(?:好用|棒|厉害|快|行|好|高效|贴心|专业)[^谢]*$"
    r"|(?<![a-z])(?:great|wonderful|brilliant|amazing|fantastic|lovely) "
    r"(?:product|quality|device|service|band|watch)[^.]*(?:broke|dead|stopped|again|days)"
)
_THRESHOLD = 0.3


@dataclass(frozen=True)
class Emotion:
    """The strongest feeling of a message, how sure (0 to 1), and whether the customer has given up."""

    label: str
    score: float
    despair: bool = False


@dataclass(frozen=True)
class _Lexicon:
    words: list[tuple[str, float, re.Pattern[str]]]
    marks: list[tuple[str, float, list[str]]]
    despair: re.Pattern[str]
    trouble: re.Pattern[str]
    boosters: re.Pattern[str]
    denied: re.Pattern[str]


@lru_cache(maxsize=1)
def _lexicon() -> _Lexicon:
    listed = lookup("emotions")
    denials = compile_all(listed["denials"]).pattern
    return _Lexicon(
        words=[(label, float(w), compile_all(p)) for label in _FEELINGS for w, p in listed[label].items()],
        marks=[(label, float(w), m) for label, groups in listed["marks"].items() for w, m in groups.items()],
        despair=compile_all(listed["despair"]),
        trouble=compile_all(listed["trouble"]),
        boosters=re.compile(rf"(?:{compile_all(listed['boosters']).pattern})\s*$"),
        denied=re.compile(
            rf"(?:{denials})(?:\s?(?:太|很|再|要|是|有|那么|这么|特别|very|so|that|really|be|get|feel|too|a|an|any))*\s*$"
        ),
    )


@lru_cache(maxsize=512)
def read(raw: str) -> Emotion:
    """The emotion of one message."""
    lexicon, text = _lexicon(), align(raw).text
    quoted = [match.span() for match in _QUOTED.finditer(text)]
    misses = {label: 1.0 for label in _FEELINGS}
    for label, weight, pattern in lexicon.words:
        for match in pattern.finditer(text):
            misses[label] *= 1 - _weigh(lexicon, text, match, weight, quoted, label)
    for label, weight, marks in lexicon.marks:
        if any(mark in raw for mark in marks):
            misses[label] *= 1 - weight
    scores = {label: 1 - miss for label, miss in misses.items()}
    _hear_manner(raw, text, scores)
    _hear_irony(lexicon, text, scores)
    return _strongest(scores, despair=_despairs(lexicon, text, quoted))


def _weigh(
    lexicon: _Lexicon, text: str, match: re.Match[str], weight: float, quoted: list[tuple[int, int]], label: str
) -> float:
    before = text[max(0, match.start() - 14) : match.start()]
    before = re.split(r"[,。;!?\n]", before)[-1]
    if label != "abusive" and lexicon.denied.search(before):
        return 0.0
    if any(start <= match.start() < end for start, end in quoted):
        return weight / 3
    if _TOLD.search(text[max(0, match.start() - 24) : match.end()]):
        return weight / 2
    return min(0.95, weight + 0.12) if lexicon.boosters.search(before) else weight


def _hear_manner(raw: str, text: str, scores: dict[str, float]) -> None:
    """Shouting and rows of marks make what is felt stronger; alone they are impatience."""
    loud = bool(_SHOUT.search(raw)) + bool(_MARKS.search(text))
    if not loud:
        return
    strongest = max(_NEGATIVE, key=lambda label: scores[label])
    if scores[strongest] >= 0.25:
        scores[strongest] = 1 - (1 - scores[strongest]) * (0.6 if loud == 1 else 0.4)
    elif scores["pleased"] < 0.3:
        scores["angry" if loud == 2 or _SHOUT.search(raw) else "anxious"] = 0.4


def _hear_irony(lexicon: _Lexicon, text: str, scores: dict[str, float]) -> None:
    """Praise beside a trouble is bitter; a weak ironic word without any trouble is none."""
    troubled = bool(lexicon.trouble.search(text))
    if not troubled:
        scores["sarcastic"] = scores["sarcastic"] if scores["sarcastic"] >= 0.75 else scores["sarcastic"] / 2
    elif scores["sarcastic"] < 0.3 <= scores["pleased"] and _BITTER.search(text):
        scores["sarcastic"], scores["pleased"] = 0.65, 0.0
    elif scores["sarcastic"] >= 0.3:
        scores["sarcastic"] = 1 - (1 - scores["sarcastic"]) * 0.6
        scores["pleased"] = 0.0


def _despairs(lexicon: _Lexicon, text: str, quoted: list[tuple[int, int]]) -> bool:
    for match in lexicon.despair.finditer(text):
        if not any(start <= match.start() < end for start, end in quoted):
            return True
    return False


def _strongest(scores: dict[str, float], despair: bool) -> Emotion:
    if despair:
        scores["disappointed"] = max(scores["disappointed"], 0.85)
    if scores["abusive"] >= 0.5:
        return Emotion("abusive", round(scores["abusive"], 2), despair)
    negative = max(_NEGATIVE, key=lambda label: (round(scores[label], 2), -_NEGATIVE.index(label)))
    if scores[negative] >= _THRESHOLD and scores[negative] >= scores["pleased"] - 0.1:
        return Emotion(negative, round(scores[negative], 2), despair)
    if scores["pleased"] >= _THRESHOLD:
        return Emotion("pleased", round(scores["pleased"], 2), despair)
    return Emotion("calm", round(1 - max(scores.values()), 2), despair)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class EmotionReader(GraphComponent):
    """Puts the property `emotion` on each message: `{label, score, despair}`."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "EmotionReader":
        """A new reader; its words are in `bot/data/lookups/emotions.yml`."""
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        """Add `emotion` to each message."""
        for message in messages:
            emotion = read(message.get(TEXT) or "")
            value = {"label": emotion.label, "score": emotion.score, "despair": emotion.despair}
            message.set("emotion", value, add_to_output=True)
        return messages
