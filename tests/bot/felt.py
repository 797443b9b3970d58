"""The emotion of a message, read by a model trained once for all tests on the designers' files."""

from functools import lru_cache

from bot.importer import DesignersFiles
from bot.nlu import emotion
from bot.nlu.emotion_model import EmotionModel
from bot.nlu.lookups import DATA


@lru_cache(maxsize=1)
def trained() -> EmotionModel:
    """The model with the settings that ship."""
    phrases = DesignersFiles(training_data_paths=[str(DATA / "nlu")]).get_nlu_data()
    return emotion.learn(emotion.EmotionReader.get_default_config(), phrases)


def felt(text: str) -> emotion.Emotion:
    """The emotion of one message."""
    return emotion.read(trained(), [text])[0]
