"""Reads the designers' files for Rasa: fine labels as labels, and only those responses that Rasa itself sends.

Rasa takes `device_problem/steps_zero` for a topic of its response selector and wants a response for each. Here such a
label is a finer name of the intent, for the classifier alone. Responses with a "/" in their name are sent by the
actions, which read the files themselves: so changing such a text needs no training. How customers tell of a known
issue, and the title of a guide, are phrases of its trouble.
"""

from rasa.shared.importers.rasa import RasaFileImporter
from rasa.shared.nlu.constants import INTENT, INTENT_RESPONSE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.finder.answers import told, topic_of

LABEL = "label"


class LabelledMessage(Message):
    """A training phrase whose intent has a finer label."""

    def get_full_intent(self) -> str:
        """The fine label, or the intent where there is none."""
        return str(self.get(LABEL) or self.get(INTENT))


class DesignersFiles(RasaFileImporter):
    """Rasa's own reading of the files, without its response selector."""

    def get_nlu_data(self, language: str | None = "en") -> TrainingData:
        """The training phrases with their labels, and the responses that rules name."""
        data = super().get_nlu_data(language)
        return TrainingData(
            [*(_labelled(example) for example in data.training_examples), *_told()],
            data.entity_synonyms,
            data.regex_features,
            data.lookup_tables,
            {name: texts for name, texts in data.responses.items() if "/" not in name},
        )


def _told() -> list[Message]:
    """What the designers tell of troubles, as phrases of them; a text that is told twice counts once."""
    texts = {text: topic_of(answer) for text, answer in told()}
    return [
        LabelledMessage({TEXT: text, INTENT: label.partition("/")[0], LABEL: label}) for text, label in texts.items()
    ]


def _labelled(example: Message) -> Message:
    content = {name: value for name, value in example.data.items() if name != INTENT_RESPONSE_KEY}
    if INTENT_RESPONSE_KEY in example.data:
        content[LABEL] = example.data[INTENT_RESPONSE_KEY]
    return LabelledMessage(content, example.output_properties, example.time, example.features)
