"""Tokens of mixed Chinese and English text."""

import re
from typing import Any

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.tokenizers.tokenizer import Token, Tokenizer
from rasa.shared.nlu.training_data.message import Message

from bot.nlu.text import CJK, align

# Versions, order numbers and model names stay whole; Chinese is cut into characters; marks are no tokens.
_TOKEN = re.compile(
    rf"v?\d+(?:\.\d+)+"
    rf"|[a-z]+(?:['-][a-z0-9]+)*\d*(?:[+][a-z0-9]+)?"
    rf"|\d+[a-z]*"
    rf"|[{CJK}]"
    rf"|[^\W\d_]"
)


def tokens(raw: str) -> list[str]:
    """The tokens of `raw` in their normal form."""
    return [match.group() for match in _TOKEN.finditer(align(raw).text)]


def pieces(raw: str) -> list[tuple[str, int, int]]:
    """The tokens of `raw` as (normal form, start, end), offsets on the raw text."""
    aligned = align(raw)
    found: list[tuple[str, int, int]] = []
    for match in _TOKEN.finditer(aligned.text):
        span = aligned.span(match.start(), match.end())
        if span.text:
            found.append((match.group(), span.start, span.end))
    return found


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER, is_trainable=False)
class MixedTokenizer(Tokenizer):
    """Cuts mixed text without whitespace tokens, keeping versions, numbers and model names whole."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Defaults of Rasa's tokenizer base class."""
        return {"intent_tokenization_flag": False, "intent_split_symbol": "_", "token_pattern": None}

    def tokenize(self, message: Message, attribute: str) -> list[Token]:
        """Tokens of one attribute of `message`."""
        return [Token(text, start, end) for text, start, end in pieces(message.get(attribute) or "")]
