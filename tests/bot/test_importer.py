"""Reading the designers' files for training."""

from __future__ import annotations

from bot.importer import DesignersFiles
from tests.bot.conftest import ROOT


class TestDesignersFiles:
    def test_phrases_keep_their_fine_label_and_rasa_sees_the_intent(self) -> None:
        data = DesignersFiles(training_data_paths=[str(ROOT / "bot" / "data" / "nlu")]).get_nlu_data()
        labels = {example.get_full_intent() for example in data.intent_examples}
        assert {"device_problem/steps_zero", "firmware_update/how", "greet"} <= labels
        assert "device_problem" in data.intents
        assert not any("/" in intent for intent in data.intents)
        assert data.retrieval_intents == set()

    def test_only_responses_that_rules_name_go_to_rasa(self) -> None:
        data = DesignersFiles(training_data_paths=[str(ROOT / "bot" / "data" / "responses")]).get_nlu_data()
        assert "utter_greet" in data.responses
        assert not any("/" in name for name in data.responses)
