"""What words of feeling, marks, emoji and the manner of typing tell of a customer's feeling, in Chinese and English."""

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bot.nlu.lookups import compile_all, lookup
from bot.nlu.text import align

FEELINGS = ("abusive", "angry", "disappointed", "anxious", "pleased", "sarcastic")
EVIDENCE_SIZE = len(FEELINGS) + 9

_QUOTED = re.compile(r"\"[^\"]{1,80}\"|「[^」]{1,80}」|『[^』]{1,80}』|《[^》]{1,80}》")
_TOLD = re.compile(
    r"(?:我?(?:朋友|同事|老婆|老公|老板|领导|孩子|儿子|女儿|妈|爸|同学|邻居|别人|别家|网上|评论|有人)|(?<![其你])他(?!妈|娘)们?|她"
    r"|(?<![a-z])(?:he|she|they|(?:my|our) (?:wife|husband|friends?|boss|mum|mom|dad|kids?|son|daughter|neighbou?rs?)))"
    r"[^,。;!?]{0,8}(?:说|骂|觉得|嫌|很|太|is|was|are|says?|said|told|thinks?|feels?)"
)
_SHOUT = re.compile(r"(?<![A-Za-z])[A-Z]{3,}(?:['!?,.\s]+[A-Z]{2,}){1,}")
_MARKS = re.compile(r"[!?]{3,}|(?:!\s*){3,}")
_LAUGH = re.compile(
    r"哈哈|嘿嘿|嘻嘻|笑死|开玩笑|(?<![a-z])(?:l+o+l+|lmao|(?:ha[ -]?){2,}h?|j/k|just kidding)(?![a-z])|😂|🤣|😄|😜"
)
_REPEATED = re.compile(r"([^\W\d_]{1,4}?)\1{2,}")


@dataclass(frozen=True)
class Evidence:
    """What was found in one message.

    `felt` says how strongly each of `FEELINGS` is told (0 to 1); `hidden` how strongly one is named that is denied,
    quoted or told of others. `loud` counts shouting and rows of marks.
    """

    felt: dict[str, float]
    hidden: float
    loud: int
    laughing: bool
    troubled: bool
    repeated: bool
    settled: bool
    unsettled: bool
    despair: bool

    @property
    def is_plain(self) -> bool:
        """Whether neither a word of feeling nor the manner tells of one."""
        return not (max(self.felt.values()) > 0 or self.loud or self.laughing or self.repeated or self.despair)

    def numbers(self) -> np.ndarray:
        """The evidence as `EVIDENCE_SIZE` numbers for the model; anger with loudness and praise beside trouble too."""
        harsh = max(self.felt["angry"], self.felt["abusive"])
        return np.array(
            [
                *(self.felt[feeling] for feeling in FEELINGS),
                self.hidden,
                self.loud,
                self.laughing,
                self.troubled,
                self.repeated,
                self.settled,
                self.unsettled,
                self.felt["pleased"] * self.troubled,
                harsh * (self.laughing + bool(self.hidden)),
            ],
            dtype=np.float32,
        )


@dataclass(frozen=True)
class _Lexicon:
    words: list[tuple[str, float, re.Pattern[str]]]
    marks: list[tuple[str, float, list[str]]]
    despair: re.Pattern[str]
    trouble: re.Pattern[str]
    settled: re.Pattern[str]
    unsettled: re.Pattern[str]
    boosters: re.Pattern[str]
    denied: re.Pattern[str]


@lru_cache(maxsize=1)
def _lexicon() -> _Lexicon:
    listed = lookup("emotions")
    denials = compile_all(listed["denials"]).pattern
    return _Lexicon(
        words=[(label, float(w), compile_all(p)) for label in FEELINGS for w, p in listed[label].items()],
        marks=[(label, float(w), m) for label, groups in listed["marks"].items() for w, m in groups.items()],
        despair=compile_all(listed["despair"]),
        trouble=compile_all(listed["trouble"]),
        settled=compile_all(listed["settled"]),
        unsettled=compile_all(listed["unsettled"]),
        boosters=re.compile(rf"(?:{compile_all(listed['boosters']).pattern})\s*$"),
        denied=re.compile(
            rf"(?:{denials})(?:\s?(?:太|很|再|要|是|有|那么|这么|特别|very|so|that|really|be|get|feel|too|a|an|any))*\s*$"
        ),
    )


@lru_cache(maxsize=512)
def evidence(raw: str) -> Evidence:
    """What the words and the manner of one message tell."""
    lexicon, text = _lexicon(), align(raw).text
    quoted = [match.span() for match in _QUOTED.finditer(text)]
    misses = dict.fromkeys(FEELINGS, 1.0)
    hidden = 0.0
    for label, weight, pattern in lexicon.words:
        for match in pattern.finditer(text):
            counted = _counted(lexicon, text, match, weight, quoted)
            misses[label] *= 1 - counted
            if label not in ("pleased", "sarcastic"):
                hidden = max(hidden, weight - counted)
    for label, weight, marks in lexicon.marks:
        if any(mark in raw for mark in marks):
            misses[label] *= 1 - weight
    return Evidence(
        felt={label: 1 - miss for label, miss in misses.items()},
        hidden=hidden,
        loud=bool(_SHOUT.search(raw)) + bool(_MARKS.search(text)),
        laughing=bool(_LAUGH.search(text)),
        troubled=bool(lexicon.trouble.search(text)),
        repeated=bool(_REPEATED.search(text)),
        settled=any(not _denies(lexicon, text, match) for match in lexicon.settled.finditer(text)),
        unsettled=bool(lexicon.unsettled.search(text)),
        despair=any(not _within(match, quoted) for match in lexicon.despair.finditer(text)),
    )


def _counted(lexicon: _Lexicon, text: str, match: re.Match[str], weight: float, quoted: list[tuple[int, int]]) -> float:
    """How much of a word's weight counts: nothing when denied, little when quoted, half when told of somebody else."""
    if _denies(lexicon, text, match):
        return 0.0
    if _within(match, quoted):
        return weight / 3
    if _TOLD.search(text[max(0, match.start() - 24) : match.end()]):
        return weight / 2
    return min(0.95, weight + 0.12) if lexicon.boosters.search(_before(text, match)) else weight


def _denies(lexicon: _Lexicon, text: str, match: re.Match[str]) -> bool:
    return bool(lexicon.denied.search(_before(text, match)))


def _before(text: str, match: re.Match[str]) -> str:
    """What stands before a word in its own clause, at most 14 characters."""
    return re.split(r"[,。;!?\n]", text[max(0, match.start() - 14) : match.start()])[-1]


def _within(match: re.Match[str], spans: list[tuple[int, int]]) -> bool:
    return any(start <= match.start() < end for start, end in spans)
