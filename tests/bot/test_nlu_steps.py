"""Steps told in words that no pattern knows: found clause by clause, in the customer's words, beside the known ones."""

from pathlib import Path
from typing import Any

import pytest
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.facts import extract_tried
from bot.nlu.steps import OTHER, STEP, StepReader, clauses


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> StepReader:
    """The reader trained on the designers' clauses, saved and loaded again."""
    storage = LocalModelStorage(Path(tmp_path_factory.mktemp("steps")))
    config, resource = StepReader.get_default_config(), Resource("steps")
    StepReader(config, storage, resource).train(TrainingData())
    return StepReader.load(config, storage, resource, None)  # type: ignore[arg-type]


def read(reader: StepReader, text: str) -> list[dict[str, Any]]:
    """What a message says was tried, known steps and others."""
    message = Message({TEXT: text, "tried": extract_tried(text)})
    found: list[dict[str, Any]] = reader.process([message])[0].get("tried")
    return found


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("我把它拿到窗台上晒了一下午,没什么变化", "我把它拿到窗台上晒了一下午"),
        ("I looked behind the meter box, nothing there", "I looked behind the meter box"),
        ("昨天专门跑了一趟你们的门店,人家说修不了", "昨天专门跑了一趟你们的门店"),
    ],
)
def test_a_step_in_other_words_is_told_as_the_customer_told_it(reader: StepReader, text: str, quote: str) -> None:
    found = read(reader, text)
    assert quote in [step["quote"] for step in found]
    for step in found:
        assert text[step["start"] : step["end"]] == step["quote"]


@pytest.mark.parametrize(
    "text",
    [
        "手环怎么换表带",
        "my parcel has not arrived",
        "帮我查一下订单",
        "",
        "👍",
        "谢谢",
        "我没有重启过",
        "app还没重装",
        "打算周末去门店看看",
        "I haven't tried resetting it",
        "going to reinstall it tonight",
        "我用的是安卓14",
        "直接给我换一台行不行",
    ],
)
def test_what_tells_of_no_step_holds_none(reader: StepReader, text: str) -> None:
    assert read(reader, text) == []


def test_a_known_step_keeps_its_name_and_is_told_once(reader: StepReader) -> None:
    found = read(reader, "手环重启过了,还是不行")
    assert [step["text"] for step in found if "重启" in step["quote"]] == [extract_tried("手环重启过了")[0]["text"]]


def test_the_clauses_are_of_both_kinds_and_told_once() -> None:
    told = clauses()
    assert {kind for _, kind in told} == {STEP, OTHER}
    texts = [text for text, _ in told]
    assert len(texts) == len(set(texts))
