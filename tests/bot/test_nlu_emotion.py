"""Feelings: what counts and what does not, how sure, and the course of a conversation."""

import statistics
from dataclasses import asdict
from pathlib import Path

import pytest
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.emotion import HOSTILE, EmotionReader, dissatisfaction
from bot.nlu.emotion_model import EmotionModel, read_examples
from bot.nlu.emotion_words import evidence
from bot.nlu.lookups import DATA
from tests.bot.felt import felt, trained


def course(*texts: str) -> float:
    """The dissatisfaction after these messages."""
    return dissatisfaction([{"text": text, "emotion": asdict(felt(text))} for text in texts])


def hostility(text: str) -> float:
    """How likely a message is angry or worse."""
    chances = trained().judge([text])[0].chances
    return sum(chances[label] for label in HOSTILE)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("手环步数一直显示0", "calm"),
        ("麻烦帮我查一下", "calm"),
        ("谢谢,解决了", "pleased"),
        ("Great service, thanks!", "pleased"),
        ("😊👍", "pleased"),
        ("很着急,今天能到吗", "anxious"),
        ("I'm worried my parcel got lost, please hurry", "anxious"),
        ("太失望了", "disappointed"),
        ("I'm very disappointed with this band", "disappointed"),
        ("这什么垃圾玩意儿,用两天就坏,退钱!", "angry"),
        ("我都说了三遍了,你们到底管不管", "angry"),
        ("this is ridiculous, third time!", "angry"),
        ("😡😡", "angry"),
        ("傻逼客服", "abusive"),
        ("fuck you", "abusive"),
        ("呵呵,你们真行", "sarcastic"),
        ("等了三天,真快啊", "sarcastic"),
        ("真好用,用了两天就坏了", "sarcastic"),
        ("oh great, it broke again", "sarcastic"),
    ],
)
def test_label(text: str, label: str) -> None:
    assert felt(text).label == label


@pytest.mark.parametrize(
    "text", ["你们突然闪退了,我做了半天的数据都没了!", "it crashed and all my work of today is gone!"]
)
def test_a_loss_is_bitter(text: str) -> None:
    assert felt(text).label in ("disappointed", "angry")
    assert felt(text).satisfaction < -1


class TestMisleadingWords:
    @pytest.mark.parametrize(
        "text",
        [
            "我不生气",
            "我没生气啊,就是问一下",
            "没事,不着急",
            "I'm not angry at all",
            "I'm not upset, just asking how it works",
        ],
    )
    def test_denied(self, text: str) -> None:
        assert felt(text).label == "calm"

    @pytest.mark.parametrize(
        "text",
        [
            "他说我烦死了,怎么关提醒",
            "我同事说“你们是骗子”,我想问问是不是正品",
            'my friend said "total scam", is the shop real?',
        ],
    )
    def test_quoted(self, text: str) -> None:
        assert felt(text).label not in HOSTILE

    @pytest.mark.parametrize(
        "text", ["哈哈气死我了,又是我自己忘了充电", "lol I could kill this watch, it told me to stand up again"]
    )
    def test_in_jest(self, text: str) -> None:
        assert felt(text).label not in ("angry", "abusive")

    @pytest.mark.parametrize(
        "text", ["快递员态度恶劣,把我包裹扔在地上", "the courier was rude and threw my parcel over the fence"]
    )
    def test_anger_at_the_courier_is_anger(self, text: str) -> None:
        assert felt(text).label == "angry"

    def test_another_mans_words_count_less(self) -> None:
        assert hostility('他说"你们是骗子"') < hostility("你们是骗子")
        assert hostility('he said "you are liars"') < hostility("you are liars")


class TestManner:
    @pytest.mark.parametrize(
        ("quiet", "loud"),
        [
            ("为什么还不给我退款", "为什么还不给我退款！！！！"),
            ("why is this still not working", "WHY IS THIS STILL NOT WORKING"),
            ("没人回我", "没人回我😡"),
            ("no reply for three days", "no reply for three days 😡😡"),
        ],
    )
    def test_louder_is_angrier(self, quiet: str, loud: str) -> None:
        assert hostility(loud) > hostility(quiet)

    @pytest.mark.parametrize("text", ["差评差评差评", "ha ha ha ha", "滚滚滚滚"])
    def test_repetition_is_seen(self, text: str) -> None:
        assert evidence(text).repeated or evidence(text).laughing

    def test_traditional_and_full_width_are_read_alike(self) -> None:
        assert felt("氣死我了！退錢！").label == felt("气死我了!退钱!").label == "angry"


class TestDespair:
    @pytest.mark.parametrize("text", ["唉,算了,说了也没用", "what's the point, forget it"])
    def test_given_up(self, text: str) -> None:
        assert felt(text).despair

    def test_a_change_of_mind_is_none(self) -> None:
        assert not felt("算了,换成手环3吧").despair


class TestCertainty:
    def test_chances_sum_to_one(self) -> None:
        for judged in trained().judge(["在吗", "垃圾", "thanks", "😡", "……"]):
            assert sum(judged.chances.values()) == pytest.approx(1.0, abs=1e-4)
            assert -2 <= judged.satisfaction <= 2

    def test_clear_words_are_surer_than_vague_ones(self) -> None:
        assert felt("骗子公司，气死我了，退钱！！！").score > felt("有点烦").score
        assert felt("you are liars, I am furious!!!").score > felt("hmm, that's a bit annoying").score

    def test_clear_anger_is_strong(self) -> None:
        assert felt("你们什么破客服,气死我了!!!").score >= 0.7
        assert felt("this is outrageous, I want my money back NOW!!!").score >= 0.7

    def test_without_text(self) -> None:
        assert (felt("").label, felt("  ").score) == ("calm", 1.0)


class TestCourse:
    def test_nothing_said(self) -> None:
        assert dissatisfaction([]) == 0.5

    @pytest.mark.parametrize(
        ("better", "worse"),
        [
            (("连不上蓝牙", "好了,能用了,谢谢"), ("连不上蓝牙", "还是不行,没人处理")),
            (("it won't charge", "works now, thank you"), ("it won't charge", "still not working, nobody helps")),
            (("你们太差劲了!", "解决了,谢谢"), ("你们太差劲了!", "还是没解决")),
        ],
    )
    def test_the_outcome_decides(self, better: tuple[str, ...], worse: tuple[str, ...]) -> None:
        assert course(*better) < course(*worse)

    def test_a_complaint_outlasts_the_ok_after_it(self) -> None:
        assert course("骗子!还我钱!", "嗯") > course("在吗", "嗯")
        assert course("you stole my money!", "ok") > course("hello", "ok")

    def test_a_complaint_fades(self) -> None:
        later = [course("骗子!还我钱!", *["好的,谢谢"] * times) for times in (1, 2, 4)]
        assert later == sorted(later, reverse=True) and later[0] > later[-1]


def write_a_few_messages(folder: Path) -> Path:
    """Messages of three feelings, few enough to learn at once."""
    said = {"calm": (0, "请问怎么充电"), "angry": (-2, "气死我了"), "pleased": (2, "谢谢你们")}
    folder.mkdir()
    lines = []
    for label, (degree, text) in said.items():
        lines += [f"{label}:", f"  {degree}: |", *(f"    {text}{ending * 2}" for ending in "呀啊呢吧哦嘛")]
    (folder / "few.yml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


class TestComponent:
    def test_trained_stored_and_loaded_it_reads_the_same(self, tmp_path: Path) -> None:
        trained().save(tmp_path)
        again = EmotionModel.load(tmp_path)
        for text in ("气死我了", "谢谢", "where is my parcel??"):
            assert again.judge([text])[0].chances == pytest.approx(trained().judge([text])[0].chances, abs=0.02)

    @pytest.mark.parametrize("with_encoder", [True, False])
    def test_in_the_graph(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_encoder: bool) -> None:
        if not with_encoder:
            monkeypatch.setattr("bot.nlu.model.encoder", lambda: None)
        folder = write_a_few_messages(tmp_path / "messages")
        (tmp_path / "models").mkdir()
        storage, resource = LocalModelStorage(tmp_path / "models"), Resource("emotion")
        context = ExecutionContext(GraphSchema({}))
        reader = EmotionReader.create({"messages": str(folder)}, storage, resource, context)
        reader.train(TrainingData())
        loaded = EmotionReader.load({"messages": str(folder)}, storage, resource, context)
        message = loaded.process([Message({"text": "气死我了"})])[0]
        assert message.get("emotion")["label"] == "angry"
        assert set(message.get("emotion")) == {"label", "score", "despair", "satisfaction"}

    def test_a_feeling_that_does_not_exist_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "wrong.yml").write_text("furious:\n  -2: |\n    气死\n", encoding="utf-8")
        with pytest.raises(ValueError, match=r"wrong\.yml: there is no feeling furious"):
            read_examples(tmp_path)


class TestMessages:
    def test_none_is_there_twice(self) -> None:
        texts = [example.text for example in read_examples(DATA / "emotion")]
        assert len(texts) >= 1500 and len(set(texts)) == len(texts)

    def test_satisfaction_falls_with_ill_will(self) -> None:
        of_service = [example for example in read_examples(DATA / "emotion") if example.satisfaction]
        mean = {
            label: statistics.mean(example.satisfaction for example in of_service if example.label == label)
            for label in ("pleased", "calm", "disappointed", "angry", "abusive")
        }
        assert mean["pleased"] > mean["calm"] > mean["disappointed"] > mean["abusive"]
        assert mean["calm"] > mean["angry"] > mean["abusive"]
