"""Text helpers shared by all components: normal forms that remember where each character came from.

Customers' text is never changed; the models read a normal form of it. Patterns are matched on `Aligned.text` and mapped
back, so that every quote is a substring of what the customer typed.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from opencc import OpenCC

CJK = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
SENTENCE_END = re.compile(r"[。!?;\n]+|\.(?=\s|$)|…+")
CLAUSE_END = re.compile(r"[,。!?;:\n]+|\.(?=\s|$)|…+")

# Words by which a customer passes from one wish to the next, and all ends of a clause, with or without a mark.
WISH_JOINT = re.compile(
    r"还有(?!没|用|货|多|几|救|效|电|机会|保修|办法)|另外(?!一)|顺便|顺带|顺手|对了|再一个|再者|其次|第二"
    r"|然后(?=[^,。;!?]{4})|再(?=帮我|给我|问|查|看|推荐|告诉)"
    r"|(?<![a-z])(?:also|plus|besides|by the way|another thing"
    r"|and (?:also|then|can|could|please|how|what|where|when|does|do|is|tell|i (?:want|need|would|never)))(?![a-z])"
    r"|(?<![\d.])[1-9一二三][)、](?=\s*\D)"
)
WISH_END = re.compile(rf"{CLAUSE_END.pattern}|{WISH_JOINT.pattern}")

_LONG_RUN = re.compile(r"([^\d\s])\1{3,}")
_MARKS_RUN = re.compile(r"([!?。,~.、])\1+")
_SPACES = re.compile(r"\s+")
_PUNCTUATION = str.maketrans(
    {"，": ",", "！": "!", "？": "?", "；": ";", "：": ":", "“": '"', "”": '"', "’": "'", "‘": "'"}
)


@lru_cache(maxsize=1)
def _converter() -> OpenCC:
    return OpenCC("t2s")


# Chinese keyboards write versions so: 1。0。0。39
_DOTTED = re.compile(r"(?<=\d)。(?=\d)")


@lru_cache(maxsize=8192)
def _normal_char(char: str) -> str:
    """Normal form of one character: width, script, case and punctuation folded."""
    folded = unicodedata.normalize("NFKC", char).translate(_PUNCTUATION).lower()
    if len(folded) == 1 and folded >= "\u2e80":
        simple: str = _converter().convert(folded)
        return simple if len(simple) == 1 else folded
    return folded


@dataclass(frozen=True)
class Span:
    """A stretch of the raw text: `start` included, `end` not, `text` as the customer typed it."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Aligned:
    """The normal form of `raw` with, for each of its characters, the index of the raw character behind it."""

    raw: str
    text: str
    origin: tuple[int, ...]

    def span(self, start: int, end: int) -> Span:
        """The raw stretch behind `text[start:end]`, without surrounding white space."""
        while start < end and self.text[start].isspace():
            start += 1
        while end > start and self.text[end - 1].isspace():
            end -= 1
        if start >= end:
            return Span(0, 0, "")
        first, last = self.origin[start], self.origin[end - 1] + 1
        return Span(first, last, self.raw[first:last])


@lru_cache(maxsize=512)
def align(raw: str) -> Aligned:
    """Normalise `raw` character by character (NFKC, simplified, lower case), keeping the way back."""
    chars: list[str] = []
    origin: list[int] = []
    for index, char in enumerate(_DOTTED.sub(".", raw)):
        for piece in _normal_char(char):
            chars.append(piece)
            origin.append(index)
    return Aligned(raw, "".join(chars), tuple(origin))


def normalise(raw: str) -> str:
    """The normal form of `raw` without the way back; runs of one mark or letter are shortened."""
    text = align(raw).text
    text = _MARKS_RUN.sub(r"\1", text)
    text = _LONG_RUN.sub(r"\1\1\1", text)
    return _SPACES.sub(" ", text).strip()


def split(aligned: Aligned, pattern: re.Pattern[str] = CLAUSE_END) -> list[tuple[int, int]]:
    """Start and end (in `aligned.text`) of the non-empty pieces between matches of `pattern`."""
    pieces: list[tuple[int, int]] = []
    start = 0
    for match in pattern.finditer(aligned.text):
        pieces.append((start, match.start()))
        start = match.end()
    pieces.append((start, len(aligned.text)))
    return [(a, b) for a, b in pieces if aligned.text[a:b].strip()]


def clause_around(aligned: Aligned, position: int) -> tuple[int, int]:
    """The clause of `aligned.text` that holds `position`."""
    for start, end in split(aligned):
        if start <= position < end:
            return start, end
    return 0, len(aligned.text)


def is_empty(raw: str) -> bool:
    """True when nothing but white space, marks, symbols or emoji was typed."""
    return not any(unicodedata.category(char)[0] in "LN" for char in raw)


def words(pattern: str) -> str:
    """`pattern` guarded so that it never starts or ends inside a Latin word or a number (works beside Chinese)."""
    return rf"(?<![A-Za-z0-9])(?:{pattern})(?![A-Za-z0-9])"
