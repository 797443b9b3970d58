"""What kind of thing a typed message is, where a form waits for data: a question, a request to wait, a mere yes."""

from __future__ import annotations

import re
import unicodedata

_QUESTION = re.compile(
    r"\?[\s!.。~]*$|[吗呢嘛么][\s。!~]*$|没问题吧|(?:对|是|不(?:会|影响)[^,。]{0,12})吧[\s。!~]*$|还[^,。]{0,6}不\s*$"
    r"|(?<!没)什么|(?<!没)啥|怎么|怎样|哪[里儿个些天啊]?|多少|多久|几[天个号]|为何|区别|还是"
    r"|能不能|可不可以|是不是|有没有|要不要|用不用|谁"
    r"|^\W*(?:(?:and|so|but|ok|okay|wait|also|btw|hey|hi)\W+)*"
    r"(?:what|how|why|when|where|which|who|can|could|do|does|did|is|are|will|would|should|may)(?![a-z])",
    re.IGNORECASE,
)
_QUESTION_END = re.compile(r"[?吗呢]\s*$")
_WAIT = re.compile(
    r"^\W*(?:好的?|嗯+|h?mm+|ok(?:ay)?|sure|yes)?\W*[那让]?(?:请|麻烦)?(?:我?再?(?:想想|想一想|想一?下|考虑)|等(?:等|一下|一等|下|会儿?|我)|稍等|稍后|马上(?:发|给)|(?:我|让我)?(?:去)?(?:找|查|问|看)"
    r"(?:找|查|问|看|一下|下)"
    r"|(?:(?:just |give me )?(?:a|one|1) (?:sec|second|min|minute|moment)|hold on|hang on|wait|brb"
    r"|let me (?:check|look|find|see|ask|think)))",
    re.IGNORECASE,
)
_SHORT = 24
_MERE_YES = re.compile(
    r"^\W*(?:(?:是的?|对的?|好的?|嗯+|行|确认|确定|可以|没错|yes|yeah|yep|confirm|ok(?:ay)?|sure|right|fine)"
    r"(?:[啊呀吧哦哈]|\s*(?:please|thanks))?\W*)+$",
    re.IGNORECASE,
)
_MERE_WORD = re.compile(
    r"^\W*(?:谢谢|收到|知道了|不知道|thanks?|thank you|no|nope|hi|hello|idk|i don'?t know)\W*$", re.IGNORECASE
)
_BUT = re.compile(r"但|不过|可是|(?<![a-z])(?:but|though|however|only if|unless)(?![a-z])", re.IGNORECASE)


def plain(text: str) -> str:
    """The text with full-width letters, digits and marks as plain ones."""
    return unicodedata.normalize("NFKC", text)


def ends_as_question(text: str) -> bool:
    """Does a text end in a question mark or particle?"""
    return bool(_QUESTION_END.search(plain(text)))


def is_question(text: str) -> bool:
    """Does the customer ask something?"""
    return bool(_QUESTION.search(plain(text)))


def has_a_but(text: str) -> bool:
    """Does the customer say something against what stands before it?"""
    return bool(_BUT.search(plain(text)))


def is_mere_yes(text: str) -> bool:
    """Is this a yes, and nothing else?"""
    return bool(_MERE_YES.search(plain(text)))


def is_wait(text: str) -> bool:
    """Does the customer ask for a moment?"""
    return bool(_WAIT.search(plain(text)))


def only_waits(text: str) -> bool:
    """Does the customer ask for a moment, and nothing else?"""
    return is_wait(text) and not is_question(text) and len(text.strip()) <= _SHORT


def is_no_value(text: str) -> bool:
    """Is this nothing that a form could take as a value: a question, a request to wait, a mere yes or thanks?"""
    return is_question(text) or is_wait(text) or is_mere_yes(text) or bool(_MERE_WORD.search(plain(text)))
