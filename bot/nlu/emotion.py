"""How a customer feels, message by message and over the course of a conversation, in Chinese and English.

A trained model reads the message (`emotion_model.py`), with what its words and marks tell (`emotion_words.py`).
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.emotion_model import EmotionModel, Example, Judgement, read_examples
from bot.nlu.emotion_words import evidence
from bot.nlu.lookups import DATA
from bot.nlu.text import normalise
from bot.nlu.trained import Trained

HOSTILE = ("angry", "abusive", "sarcastic")
# Where F1 is best on messages of our own that the model has not seen.
HOSTILE_AT = 0.34

# Of `dissatisfaction`, in degrees of satisfaction: how fast a message fades, what an open wish takes off, and what each
# e-fold of the longest message beyond SHORT characters does.
FADES, OPEN_WISH, AT_LENGTH, SHORT = 0.6, 0.2, 0.2, 10

_ROOT = DATA.parent.parent
_ASKS = re.compile(
    r"[?吗呢]|什么|怎么|多久|多少|哪|几(?:天|号|点|时)|能不能|可不可以|是不是|有没有"
    r"|(?<![a-z])(?:when|where|why|how|what|which|who|can you|could you|is it|are you|do you)(?![a-z])"
)


@dataclass(frozen=True)
class Emotion:
    """What a customer feels at one message.

    `score` is how sure that is, 0 to 1 (for anger: that it is anger or worse, so that it can be compared with
    `angry_at`); `satisfaction` how content the customer is with the service, -2 to 2; `despair` that they gave up.
    """

    label: str
    score: float
    despair: bool = False
    satisfaction: float = 0.0


SILENT = Emotion("calm", 1.0)


def read(model: EmotionModel, raws: Sequence[str]) -> list[Emotion]:
    """The emotion of each message; one without text is calm."""
    spoken = [raw for raw in raws if raw.strip()]
    felt = iter(model.judge(spoken) if spoken else [])
    return [decide(next(felt)) if raw.strip() else SILENT for raw in raws]


def decide(judged: Judgement) -> Emotion:
    """The likeliest feeling; from `HOSTILE_AT` of ill will on, the likeliest of its kinds, abuse only when sure."""
    chances = judged.chances
    hostile = sum(chances[label] for label in HOSTILE) >= HOSTILE_AT
    label = max(HOSTILE if hostile else chances, key=lambda name: chances[name])
    if label == "abusive" and chances[label] < 0.5:
        label = "angry"
    despair = judged.evidence.despair
    if despair and label in ("calm", "pleased", "anxious"):
        label = "disappointed"
    score = chances[label] + (chances["abusive"] if label == "angry" else 0.0)
    return Emotion(label, round(max(score, 0.85 if despair else 0.0), 2), despair, round(judged.satisfaction, 2))


def dissatisfaction(messages: Sequence[Mapping[str, Any]]) -> float:
    """How dissatisfied a customer is after these messages of theirs, 0 (not at all) to 1; without any it is 0.5.

    Each message holds its `text` and its `emotion` with `satisfaction`. What was said last counts most, and what was
    said before it `FADES` with each message; half of that is the worst message, faded likewise, because a strong
    complaint outlasts the "ok" after it. A last message that asks leaves a wish open, and who writes at length has a
    trouble to tell: both count a little against us.
    """
    if not messages:
        return 0.5
    fading = [FADES**age for age in range(len(messages))]
    faded = [
        float(message["emotion"]["satisfaction"]) * weight
        for message, weight in zip(reversed(messages), fading, strict=True)
    ]
    satisfaction = (sum(faded) / sum(fading) + min(faded)) / 2
    satisfaction -= OPEN_WISH * bool(_ASKS.search(normalise(messages[-1]["text"])))
    satisfaction -= AT_LENGTH * math.log1p(max(len(message["text"]) for message in messages) / SHORT)
    return min(1.0, max(0.0, (2 - satisfaction) / 4))


def learn(config: Mapping[str, Any], training_data: TrainingData) -> EmotionModel:
    """A model fitted on the messages of the folder that `config` (see `EmotionReader`) names, and some phrases."""
    examples = [*read_examples(_ROOT / config["messages"]), *_plain_phrases(config, training_data)]
    model = EmotionModel({name: float(config[name]) for name in ("characters", "words", "sentence")})
    model.train(examples, float(config["strength"]))
    return model


def _plain_phrases(config: Mapping[str, Any], training_data: TrainingData) -> list[Example]:
    """Phrases of the intents that are asked without feeling: what most customers write is calm."""
    phrases = {
        str(phrase.get(TEXT)): str(phrase.get(INTENT)).split("/")[0]
        for phrase in training_data.intent_examples
        if phrase.get(TEXT)
    }
    asked = sorted(text for text, intent in phrases.items() if intent not in config["felt"] and evidence(text).is_plain)
    step = max(1, len(asked) // int(config["phrases"]))
    return [Example(text, "calm", -1 if phrases[text] in config["troubles"] else 0) for text in asked[::step]]


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class EmotionReader(Trained[EmotionModel]):
    """Puts the property `emotion` on each message: `{label, score, despair, satisfaction}`."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """`messages`: the folder to learn from; `strength`: inverse of the regularisation; the weights of features.

        `phrases`: about how many of the intents' phrases are learned as calm, none of the intents `felt`; those of the
        intents `troubles` tell of one, so that the customer is not content.
        """
        return {
            "messages": "bot/data/emotion",
            "phrases": 800,
            "felt": ["complain", "thank", "request_human", "chitchat"],
            "troubles": ["device_problem", "parcel_problem"],
            "strength": 5.0,
            "characters": 1.0,
            "words": 0.7,
            "sentence": 2.5,
        }

    @classmethod
    def read_model(cls, folder: Path, config: dict[str, Any]) -> EmotionModel:
        """The model that training kept."""
        return EmotionModel.load(folder)

    def train(self, training_data: TrainingData) -> Resource:
        """Fit the model on the messages of the folder, and on plain phrases of the intents as calm ones."""
        return self.keep(learn(self._config, training_data))

    def process(self, messages: list[Message]) -> list[Message]:
        """Add `emotion` to each message."""
        texts = [message.get(TEXT) or "" for message in messages]
        felt = read(self._model, texts) if self._model is not None else [SILENT] * len(texts)
        for message, emotion in zip(messages, felt, strict=True):
            message.set("emotion", asdict(emotion), add_to_output=True)
        return messages
