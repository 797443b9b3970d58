"""Which language a customer writes: Chinese, English, or not to be told from this message."""

# Word lists read better as text:
# ruff: noqa: SIM905

import re
from functools import lru_cache
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.nlu.facts import extract
from bot.nlu.text import CJK, align

_HAN = re.compile(f"[{CJK}]")
_KANA_HANGUL = re.compile("[\u3040-\u30ff\uac00-\ud7af]")
_WORD = re.compile(r"(?<![a-z0-9])[a-z]+(?:'[a-z]+)?(?![a-z0-9])")
_PAYLOAD_FREE = re.compile(r"https?://\S+|\S+@\S+")
# Keys hit at random: no English word has six consonants in a row.
_HAMMERED = re.compile(r"[b-df-hj-np-tv-xz]{6}")
# Words that people of either language type; alone they say nothing.
_SHARED = frozenset(
    """
    ok okay app ios iphone ipad android andriod wifi wi fi bluetooth gps nfc pro max plus mini band watch
    scale router lamp camera cam usb type qr id vip bug pdf hi hello hey bye yes no lm v ax band2 lanmo xiaomi
    huawei oppo vivo honor samsung redmi galaxy pixel harmonyos harmony health home test q qq wechat sim mac
    ui pc tv
    """.split()
)
_ENGLISH = frozenset(
    """
    the a an is are was were am be been do does did don't doesn't didn't i i'm i've my me you your it it's its
    this that these we our they he she to of in on for with from at by as but and or not no can can't could
    would should will won't how what why where when who which please thanks thank hello hi hey bye goodbye yes
    sorry help want need have has had got get just still after before more any some
    """.split()
)
_GREETINGS = frozenset(
    """
    hello hi hey thanks thank yes bye goodbye please sorry sure nope yep help cancel refund human agent stop
    """.split()
)


@lru_cache(maxsize=512)
def detect(raw: str) -> str | None:
    """`zh`, `en`, or None when the message does not tell (a number, "OK", "iPhone 6", an emoji)."""
    text = _PAYLOAD_FREE.sub(" ", align(raw).text)
    if _KANA_HANGUL.search(text):
        return None
    han = len(_HAN.findall(text))
    words = _WORD.findall(text)
    function_words = sum(word in _ENGLISH for word in words)
    if han:
        return "en" if function_words >= 3 and function_words * 2 > han else "zh"
    for fact in sorted(extract(raw), key=lambda fact: -fact.span.start):
        if fact.name != "purchased_at":
            text = text.replace(align(fact.span.text).text, " ")
    telling = [word for word in _WORD.findall(text) if word not in _SHARED and not _HAMMERED.search(word)]
    if (function_words and telling) or len(telling) >= 2:
        return "en"
    return "en" if any(word in _GREETINGS for word in words) and not _only_shared(raw, words) else None


def _only_shared(raw: str, words: list[str]) -> bool:
    """True for a lone word that Chinese customers type as well ("hi", "yes")."""
    return len(words) == 1 and words[0] in {"hi", "ok", "bye", "yes", "no"} and len(raw.strip()) <= 4


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class LanguageDetector(GraphComponent):
    """Puts the property `language` on each message: `zh`, `en`, or nothing when it cannot be told."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "LanguageDetector":
        """A new detector; it has nothing to configure."""
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        """Add `language` to each message."""
        for message in messages:
            message.set("language", detect(message.get(TEXT) or ""), add_to_output=True)
        return messages
