"""The emotion of a message, read by a model trained once for all tests on the designers' messages."""

from functools import lru_cache

from bot.nlu import emotion
from bot.nlu.emotion_model import EmotionModel


@lru_cache(maxsize=1)
def trained() -> EmotionModel:
    """The model with the settings that ship."""
    return emotion.learn(emotion.EmotionReader.get_default_config())


def felt(text: str) -> emotion.Emotion:
    """The emotion of one message."""
    return emotion.read(trained(), text)
