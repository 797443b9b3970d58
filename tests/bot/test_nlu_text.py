"""Normal forms, tokens, language and guards: what needs no trained model."""

import pytest
from rasa.shared.nlu.training_data.message import Message

from bot.nlu import guards, language
from bot.nlu.facts import FactExtractor
from bot.nlu.text import align, normalise
from bot.nlu.tokenizer import pieces
from bot.policies.wording import likeness, speaks_of


class TestText:
    def test_normal_form(self) -> None:
        assert normalise("ＡＰＰ！！！！ 步數好好好好好多。。。") == "app! 步数好好好多。"

    def test_digits_keep_their_number(self) -> None:
        assert normalise("尾号8888888") == "尾号8888888"

    def test_spans_lead_back_to_the_raw_text(self) -> None:
        raw = "①ﬁ手環２"
        aligned = align(raw)
        start = aligned.text.index("手环2")
        assert aligned.span(start, start + 3).text == "手環２"


class TestTokenizer:
    def test_numbers_and_names_stay_whole(self) -> None:
        tokens = [token for token, _, _ in pieces("我的Band2固件V2.3.1，订单LM2611030042 到哪了？")]
        assert "band2" in tokens and "v2.3.1" in tokens and "lm2611030042" in tokens
        assert not any(token.isspace() or token in "，？?," for token in tokens)

    def test_offsets_are_those_of_the_raw_text(self) -> None:
        raw = "步數 ＡＰＰ 1.0.0.39!"
        assert [raw[start:end] for _, start, end in pieces(raw)] == ["步", "數", "ＡＰＰ", "1.0.0.39"]


class TestLanguage:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("你好", "zh"),
            ("iPhone 6上APP步数显示0", "zh"),
            ("hello", "en"),
            ("Where is my order?", "en"),
            ("steps stay 0", "en"),
            ("what does 固件 mean in the app", "en"),
            ("OK", None),
            ("iPhone 6", None),
            ("band 2", None),
            ("LM2611030042", None),
            ("8888", None),
            ("😀", None),
            ("asdkjhfg", None),
        ],
    )
    def test_detect(self, text: str, expected: str | None) -> None:
        assert language.detect(text) == expected


class TestWishBesideFacts:
    @pytest.mark.parametrize(("confidence", "intent"), [(0.35, "device_problem"), (0.95, "inform")])
    def test_a_clearer_wish_outweighs_mere_facts(self, confidence: float, intent: str) -> None:
        wish = {"intent": "device_problem", "topic": "device_problem/router_offline", "confidence": 0.9}
        facts = {"name": "inform", "confidence": confidence}
        read = {
            "text": "路由器老是断线,固件1.1.22.0",
            "intent": facts,
            "intent_ranking": [facts],
            "topic": {"name": "inform", "confidence": confidence, "ranking": []},
            "wishes": [wish],
        }
        message = guards.IntentGuard({}).process([Message(read)])[0]
        assert message.get("intent")["name"] == intent
        assert message.get("topic")["name"] == (wish["topic"] if intent == "device_problem" else "inform")


class TestPerson:
    @pytest.mark.parametrize(
        "text",
        ["转人工", "轉人工", "人工", "真人", "我要找人工客服", "有没有活人",
         "叫你们领导来", "不要机器人", "没有人工吗", "zhuanrengong", "human agent",
         "帮我转给上次那个姓陶的", "转给昨天那位同事", "换回之前的小哥来",
         "I want to talk to a human", "can I speak to someone", "get me a manager", "agent", "real person please"],
    )  # fmt: skip
    def test_wanted(self, text: str) -> None:
        assert guards.wants_person(text)

    @pytest.mark.parametrize(
        "text",
        ["别转人工", "不用转人工了", "你是人工智能吗", "你是真人吗", "人工智能真厉害",
         "刚才人工客服说会退款", "人工客服几点上班", "are you a robot",
         "don't transfer me to a human", "the agent said it ships tomorrow", "客服电话多少", "快递没人接",
         "转给上次那个地址", "换成之前的颜色", "接上次说的,还是不行"],
    )  # fmt: skip
    def test_not_wanted(self, text: str) -> None:
        assert not guards.wants_person(text)

    @pytest.mark.parametrize("text", ["你是人工智能吗", "你是真人吗", "are you a robot", "is this a real person?"])
    def test_identity(self, text: str) -> None:
        assert guards.asks_identity(text)


class TestShortAndBare:
    @pytest.mark.parametrize(
        ("text", "intent"),
        [
            ("好的", "affirm"),
            ("ok!", "affirm"),
            ("👍", "affirm"),
            ("不用了", "deny"),
            ("谢谢啦~", "thank"),
            ("88", "goodbye"),
            ("😀", None),
            ("手环", None),
        ],
    )
    def test_short(self, text: str, intent: str | None) -> None:
        assert guards.short_intent(text) == intent

    @pytest.mark.parametrize(
        ("text", "bare"),
        [
            ("LM2611030042", True),
            ("我的订单号是LM2611030042", True),
            ("不对,订单号是LM2611030051", True),
            ("it's the band 2", True),
            ("iPhone 6", True),
            ("手环2", True),
            ("LM2611030042到哪了", False),
            ("手环2怎么充电", False),
            ("LM2611030042?", False),
        ],
    )
    def test_bare_data(self, text: str, bare: bool) -> None:
        message = FactExtractor().process([Message({"text": text})])[0]
        assert guards.is_bare_data(text, message.get("entities")) is bare


class TestTopicsOfAPerson:
    @pytest.mark.parametrize(
        "text",
        [
            "手环冒烟了",
            "手腕起疹子了",
            "被烫伤了",
            "电池鼓包",
            "不想活了",
            "battery is swollen",
            "it caught fire",
            "the charger smells like burning",
            "I got an electric shock",
            "手环充电的时候着火了",
            "everyone would be better off without me",
            "没意思,活够了",
        ],
    )
    def test_safety(self, text: str) -> None:
        assert speaks_of("safety", text)

    @pytest.mark.parametrize(
        "text",
        [
            "手环会爆炸吗",
            "烧屏了",
            "burned 300 calories",
            "想死你们了",
            "防火墙",
            "手环防水吗",
            "is it safe to charge overnight",
            "屏幕碎得跟炸了似的",
            "等得我都冒火了",
            "could one of your plugs catch fire?",
        ],
    )
    def test_no_danger(self, text: str) -> None:
        assert not speaks_of("safety", text)

    @pytest.mark.parametrize(
        "text", ["我要找律师", "我要曝光你们", "你们拒绝退款", "要求赔偿", "I'll sue you", "you refused my refund"]
    )
    def test_policy(self, text: str) -> None:
        assert speaks_of("policy", text)

    @pytest.mark.parametrize("text", ["退款多久到账", "怎么退款", "how do I get a refund"])
    def test_no_policy(self, text: str) -> None:
        assert not speaks_of("policy", text)


class TestLikeness:
    def test_same_words(self) -> None:
        assert likeness("步数还是0!", "步数还是0") == 1.0

    def test_other_words(self) -> None:
        assert likeness("步数还是0", "怎么退货") < 0.2
