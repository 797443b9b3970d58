"""The handoff policy on trackers made by hand, with the weights of config.yml."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from rasa.core.policies.policy import PolicyPrediction
from rasa.core.policies.rule_policy import RulePolicy
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, BotUttered, SessionStarted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.nlu.lookups import read_yaml
from bot.policies.assessment import Assessment, Assessor
from bot.policies.handoff import HandoffPolicy
from bot.policies.matters import subjects
from bot.policies.told import PERSON_PAYLOAD
from tests.bot.felt import felt

ROOT = Path(__file__).resolve().parents[2]
CONFIG: dict[str, Any] = next(
    policy for policy in read_yaml(ROOT / "config.yml")["policies"] if policy["name"].endswith("HandoffPolicy")
)
DOMAIN = Domain.from_yaml(
    """
version: "3.1"
intents: [greet, inform, complain, request_human, device_problem, track_order, nlu_fallback, deny]
slots:
  handoff: {type: any, mappings: [{type: custom}]}
  order_number: {type: any, mappings: [{type: custom}]}
forms: {order_form: {required_slots: [order_number]}}
actions: [action_hand_off, action_clarify, action_troubleshoot]
"""
)
LONG_ANSWER = "请先在 App Store 把澜墨健康更新到 5.2.0 或更新的版本，再试一次。"


class Talk:
    """Builds a conversation event by event."""

    def __init__(self) -> None:
        self.tracker = DialogueStateTracker("c", DOMAIN.slots)
        self._add(ActionExecuted("action_session_start"), SessionStarted(), ActionExecuted("action_listen"))
        self._seq = 0

    def _add(self, *events: Any) -> None:
        for event in events:
            self.tracker.update(event)

    def customer(
        self, text: str, intent: str, wishes: list[str] | None = None, cues: dict[str, float] | None = None
    ) -> "Talk":
        mood = asdict(felt(text))
        self._seq += 1
        message = {"seq": self._seq, "text": text, "intent": intent, "emotion": mood, "pressed": text.startswith("/")}
        parse = {
            "intent": {"name": intent, "confidence": 1.0},
            "entities": [],
            "emotion": mood,
            "messages": [message],
            "cues": cues or {},
            "wishes": [{"intent": wish, "confidence": 0.9} for wish in wishes or []],
        }
        self._add(UserUttered(text, parse["intent"], [], parse, metadata={"seqs": [self._seq]}))
        return self

    def bot(self, text: str = "好的。", action: str = "action_troubleshoot", offer: bool = False) -> "Talk":
        buttons = [{"title": "转人工", "payload": PERSON_PAYLOAD}] if offer else None
        self._add(ActionExecuted(action), BotUttered(text, {"buttons": buttons}), ActionExecuted("action_listen"))
        return self

    def saying(self, text: str) -> "Talk":
        """The bot has said something in this turn and is not listening yet."""
        self._add(ActionExecuted("action_troubleshoot"), BotUttered(text, {}))
        return self

    def asking(self, form: str) -> "Talk":
        """A form waits for its next answer."""
        self._add(ActiveLoop(form), ActionExecuted("action_listen"))
        return self

    def fresh_start(self) -> "Talk":
        self._add(ActionExecuted("action_session_start"), SessionStarted(), ActionExecuted("action_listen"))
        return self

    def assess(self) -> Assessment:
        return Assessor(CONFIG).assess(self.tracker)


@pytest.fixture
def policy(tmp_path: Path) -> HandoffPolicy:
    context = ExecutionContext(GraphSchema({}))
    return HandoffPolicy({**CONFIG}, LocalModelStorage(tmp_path), Resource("handoff"), context)


def forced(prediction: PolicyPrediction) -> str | None:
    if max(prediction.probabilities) == 0:
        assert not prediction.is_no_user_prediction, "a policy that stands back must not outvote others"
        return None
    return str(DOMAIN.action_names_or_texts[prediction.max_confidence_index])


class TestHandsOver:
    @pytest.mark.parametrize(
        ("text", "intent", "cue", "reason", "priority", "group"),
        [
            ("转人工", "request_human", "person", "asked_for_person", 3, "care"),
            ("手环冒烟了", "device_problem", "danger", "safety", 1, "care"),
            ("手环冒烟了,呵呵", "device_problem", "danger", "safety", 1, "care"),
            ("你们什么破客服,气死我了!!!", "complain", "angry", "emotion", 2, "care"),
            ("傻逼", "complain", "angry", "emotion", 2, "care"),
            ("唉,算了,说了也没用", "device_problem", "despair", "emotion", 2, "tech"),
            ("我要起诉你们", "complain", "personal_matter", "policy_topic", 2, "care"),
            ("this is ridiculous, third time!", "track_order", "angry", "emotion", 2, "orders"),
            ("you refused my refund, I'll sue you", "complain", "personal_matter", "policy_topic", 2, "care"),
            ("客服昨天说今天回电,没有", "track_order", "broken_word", "broken_promise", 2, "orders"),
            ("I was told Friday, it is Tuesday now", "refund", "broken_word", "broken_promise", 2, "orders"),
        ],
    )
    def test_at_once(self, text: str, intent: str, cue: str, reason: str, priority: int, group: str) -> None:
        assessment = Talk().customer(text, intent, cues={cue: 0.9}).assess()
        assert assessment.hands_over
        handoff = assessment.handoff()
        assert (handoff["reason"], handoff["priority"], handoff["group"]) == (reason, priority, group)
        assert handoff["evidence"] == [1]

    def test_three_failed_turns_in_a_row(self) -> None:
        talk = Talk().customer("啊这", "nlu_fallback").bot(action="action_clarify")
        talk.customer("嗯呐嗯呐", "nlu_fallback").bot(action="action_clarify")
        assert not talk.assess().hands_over
        assert talk.assess().offers
        assessment = talk.customer("嘛哩嘛哩", "nlu_fallback").assess()
        assert assessment.hands_over
        handoff = assessment.handoff()
        assert (handoff["reason"], handoff["evidence"], handoff["priority"], handoff["group"]) == (
            "repeated_failure",
            [1, 2, 3],
            3,
            "care",
        )
        assert handoff["explanation"]["signals"][0]["name"] == "failed_turn"

    def test_a_failure_between_two_good_turns(self) -> None:
        talk = Talk().customer("啊这", "nlu_fallback").bot(action="action_clarify")
        talk.customer("你好", "greet").bot().customer("嘛哩", "nlu_fallback")
        assert not talk.assess().hands_over

    def test_words_for_a_form_are_no_failure(self) -> None:
        talk = Talk().customer("改地址", "track_order").bot()
        talk.tracker.update(ActiveLoop("order_form"))
        talk.customer("朝阳区某某路 1 号", "nlu_fallback").bot().customer("三单元", "nlu_fallback")
        assert talk.assess().score == 0

    def test_a_second_complaint(self) -> None:
        upset = {"angry": 0.4}
        talk = Talk().customer("我要投诉", "complain", cues=upset).bot()
        assert not talk.assess().hands_over
        talk.customer("你们处理得太慢,我要投诉", "complain", cues=upset)
        assert talk.assess().handoff()["evidence"] == [1, 2]

    def test_anger_that_rises(self) -> None:
        talk = Talk().customer("怎么还是不行,失望", "device_problem").bot()
        talk.customer("真烦,又断了", "device_problem").bot()
        assert not talk.assess().hands_over
        assert talk.customer("你们就是这个水平", "device_problem", cues={"bitter": 0.8}).assess().hands_over

    @pytest.mark.parametrize(
        ("said", "dissatisfied"),
        [
            (("手环连不上蓝牙", "试过了,没用", "还是不行,你们到底有没有人能解决?"), True),
            (("手环连不上蓝牙", "试过了,没用", "好了,能用了,谢谢"), False),
            (("my band won't connect", "tried that, no use", "still broken, will anyone ever fix this?"), True),
            (("my band won't connect", "tried that, no use", "works now, thank you"), False),
        ],
    )
    def test_a_course_that_leads_nowhere(self, said: tuple[str, ...], dissatisfied: bool) -> None:
        talk = Talk()
        for text in said:
            talk.customer(text, "device_problem").bot()
        assert ("dissatisfied" in {signal.name for signal in talk.assess().signals}) is dissatisfied

    def test_the_bot_repeats_itself_to_a_customer_who_does(self) -> None:
        talk = Talk().customer("手环步数一直是0怎么办", "device_problem").bot(LONG_ANSWER)
        talk.customer("手环步数一直是0,怎么办", "device_problem", cues={"loop": 0.5}).saying(LONG_ANSWER)
        assessment = talk.assess()
        assert assessment.hands_over
        assert assessment.handoff()["reason"] == "bot_repeating"

    def test_the_same_in_other_words(self) -> None:
        talk = Talk().customer("手环收不到微信消息提醒", "device_problem").bot()
        talk.customer("微信来消息的时候手环不提醒我", "device_problem").bot()
        found = {signal.name: signal for signal in talk.assess().signals}
        assert found["same_again"].evidence == (1, 2)
        talk = Talk().customer("the band gets no notifications", "device_problem").bot()
        talk.customer("my band does not get any notifications", "device_problem")
        assert "same_again" in {signal.name for signal in talk.assess().signals}

    @pytest.mark.parametrize(
        "said",
        [
            ("手环走了一天只有两百步", "我的意思是它少记了很多步", "就是说,实际走了一万步,手环只记两百"),
            ("the watch shows no messages", "I mean messages never show on the watch", "to be clear: none there"),
        ],
    )
    def test_the_third_time_in_other_words(self, said: tuple[str, ...]) -> None:
        talk = Talk()
        for text in said[:-1]:
            talk.customer(text, "device_problem").bot()
        assert not talk.assess().hands_over
        handoff = talk.customer(said[-1], "device_problem").assess().handoff()
        assert (handoff["reason"], handoff["evidence"]) == ("repeated_failure", [1, 2, 3])

    def test_who_puts_it_another_way_without_an_echo(self) -> None:
        pairs = (("台灯几号发货", "这么说吧，钱付了九天了"), ("no sound", "let me put it differently: silence"))
        for first, then in pairs:
            talk = Talk().customer(first, "track_order").bot().customer(then, "device_problem")
            [again] = [signal for signal in talk.assess().signals if signal.name == "same_again"]
            assert again.weight == 0.5 * CONFIG["weights"]["same_again"]
        assert Talk().customer("这么说吧，手环不走步了", "device_problem").assess().score == 0

    @pytest.mark.parametrize(
        "said",
        [
            ("你好 我家的门锁一直叫", "我八岁 爸爸妈妈都上班去了"),
            ("我上二年级，门打不开", "妈妈电话打不通"),
            ("hi i'm 9 and the lock is red", "mum is at work and i'm scared"),
        ],
    )
    def test_a_child_that_is_alone_with_it(self, said: tuple[str, ...]) -> None:
        talk = Talk()
        for text in said:
            talk.customer(text, "device_problem").bot()
        handoff = talk.assess().handoff()
        assert talk.assess().hands_over and (handoff["reason"], handoff["priority"]) == ("emotion", 2)

    def test_who_says_that_two_things_are_asked(self) -> None:
        three = ["track_order", "invoice", "device_problem"]
        for text in ("两个小事：发票能开公司抬头吗，表带哪天到", "two quick things: the invoice, and is it sent"):
            assert not Talk().customer(text, "invoice", three).assess().hands_over

    def test_what_works_now_although_something_did_not(self) -> None:
        talk = Talk().customer("没用", "device_problem", cues={"unsolved": 0.9}).bot()
        talk.customer("删了指纹重录一遍,这下行了", "device_problem", cues={"progress": 0.95, "unsolved": 0.6})
        assert talk.assess().score == 0

    def test_who_tried_everything(self) -> None:
        for text in ("能想到的办法都试了", "I have been through the whole list"):
            talk = Talk().customer(text, "device_problem", cues={"unsolved": 0.9})
            assert talk.assess().offers and not talk.assess().hands_over
            assert talk.bot().customer("还是不行", "device_problem", cues={"unsolved": 0.9}).assess().hands_over

    def test_what_did_not_help_is_forgotten_when_something_does(self) -> None:
        talk = Talk().customer("没用", "device_problem", cues={"unsolved": 0.9}).bot()
        talk.customer("还是不行", "device_problem", cues={"unsolved": 0.9}).bot()
        assert talk.assess().score == pytest.approx(2 * CONFIG["weights"]["unsolved"])
        talk.customer("好了", "affirm", cues={"progress": 0.9}).bot()
        assert talk.assess().score == 0
        assert talk.customer("没用", "device_problem", cues={"unsolved": 0.9}).assess().score == pytest.approx(
            CONFIG["weights"]["unsolved"]
        )

    def test_one_feeling_counts_once(self) -> None:
        talk = Talk().customer("太过分了,气死我了", "device_problem", cues={"angry": 0.9, "bitter": 0.8})
        assert talk.assess().score == CONFIG["weights"]["angry"]

    def test_danger_outranks_a_higher_sum(self) -> None:
        talk = Talk().customer("气死我了,你们骗人", "device_problem", cues={"angry": 0.9}).bot()
        talk.customer("失望透顶,充电器又冒烟了", "device_problem", cues={"danger": 0.9, "angry": 0.9})
        handoff = talk.assess().handoff()
        assert (handoff["reason"], handoff["priority"], handoff["danger"]) == ("safety", 1, "device")

    def test_three_unrelated_wishes(self) -> None:
        two = Talk().customer("…", "track_order", ["track_order", "parcel_problem", "refund"])
        assert not two.assess().hands_over
        three = Talk().customer("…", "track_order", ["track_order", "refund", "device_problem"])
        assert three.assess().handoff()["reason"] == "complex"


class TestUnrelatedThings:
    def test_several_that_pile_up_count_a_half(self) -> None:
        talk = Talk().customer("快递丢了", "track_order", wishes=["track_order"]).bot()
        talk.customer("路由器保修多久,发票怎么开", "warranty", wishes=["warranty", "invoice"])
        weights = {signal.name: signal.weight for signal in talk.assess().signals}
        assert weights["many_wishes"] == 0.5 * CONFIG["weights"]["many_wishes"] and not talk.assess().hands_over

    @pytest.mark.parametrize(
        "text",
        [
            "hi 我上个月 return 了一只 watch,那个 refund 还没见",
            "我 return 的 router 你们收到了没,tracking 说 3 号 signed",
            "想退货,钱什么时候退给我",
        ],
    )
    def test_sending_back_and_the_money_are_one(self, text: str) -> None:
        assert len(subjects(text, {"intent": {"name": "refund"}, "wishes": []})) < 3


class TestStaysWithTheBot:
    @pytest.mark.parametrize(
        ("text", "intent"),
        [
            ("手环步数一直显示0", "device_problem"),
            ("我要投诉", "complain"),
            ("很着急,今天能到吗", "track_order"),
            ("我有点失望", "complain"),
            ("怎么退款", "track_order"),
            ("小时候被台灯烫伤过,你们这款灯罩热不热", "product_advice"),
        ],
    )
    def test_one_message(self, text: str, intent: str) -> None:
        assert not Talk().customer(text, intent).assess().hands_over

    @pytest.mark.parametrize(
        ("text", "cues"),
        [
            ("手环会爆炸吗", {"danger_asked": 0.8}),
            ("台灯能不能弄成着火那种效果", {"danger_asked": 0.6}),
            ("can it look as if the room was on fire", {"danger_asked": 0.6, "danger": 0.1}),
            ("我是律师,手环怎么静音", {"policy_asked": 0.8}),
            ("好几年前另一个牌子的充电宝着火了", {"danger": 0.55, "danger_asked": 0.8}),
            ("what if 着火了,门锁会自己打开吗", {"danger": 0.5, "danger_asked": 0.95}),
            ("哈哈哈气死我了", {"strong_words": 0.8}),
            ("我儿子打游戏天天吼垃圾去死", {"strong_words": 0.9, "angry": 0.92}),
            ("我今年十岁了,手环怎么换表盘", {}),
            ("我女儿八岁,一个人在家能用门锁吗", {}),
            ("别给我转人工", {"person": 0.9}),
            ("please don't transfer me to an agent", {"person": 0.9}),
        ],
    )
    def test_what_only_sounds_like_it(self, text: str, cues: dict[str, float]) -> None:
        assert Talk().customer(text, "device_problem", cues=cues).assess().score == 0

    def test_old_trouble_after_a_fresh_start(self) -> None:
        talk = (
            Talk()
            .customer("我要投诉", "complain", cues={"angry": 0.4})
            .bot()
            .customer("气死我了,骗子!", "complain", cues={"angry": 0.9})
            .bot(action="action_hand_off")
        )
        assert talk.fresh_start().customer("我要投诉", "complain", cues={"angry": 0.4}).assess().handoff()[
            "evidence"
        ] == [1 + 2]
        assert not talk.assess().hands_over

    def test_old_trouble_after_the_customer_gave_up_waiting(self) -> None:
        talk = (
            Talk()
            .customer("我要投诉", "complain", cues={"angry": 0.4})
            .bot()
            .customer("转人工", "request_human")
            .bot(action="action_hand_off")
        )
        assert not talk.customer("我要投诉", "complain", cues={"angry": 0.4}).assess().hands_over


class TestOffers:
    def test_a_middle_score_offers_once_in_a_while(self) -> None:
        talk = Talk().customer("我要投诉", "complain", cues={"angry": 0.4}).bot()
        assert talk.assess().offers
        talk = Talk().customer("我要投诉", "complain", cues={"angry": 0.4}).bot(offer=True)
        lost = {"lost": 0.9}
        talk.customer("手环步数是0", "device_problem").bot().customer("看不懂", "device_problem", cues=lost).bot()
        talk.customer("还是看不懂", "device_problem", cues={"lost": 0.3}).bot()
        assert talk.assess().score >= CONFIG["offer_at"]
        assert not talk.assess().offers, "not again for three turns"
        talk.customer("没有", "deny").bot()
        assert talk.assess().offers

    def test_calm_talk_offers_nothing(self) -> None:
        assert not Talk().customer("手环步数是0", "device_problem").bot().assess().offers


class TestPredicts:
    def test_forces_the_handoff_over_rules_and_forms(self, policy: HandoffPolicy) -> None:
        talk = Talk().customer("改地址", "track_order").bot()
        talk.tracker.update(ActiveLoop("order_form"))
        prediction = policy.predict_action_probabilities(talk.customer("转人工", "request_human").tracker, DOMAIN)
        assert forced(prediction) == "action_hand_off"
        assert prediction.is_no_user_prediction
        assert prediction.policy_priority > RulePolicy.get_default_config()["priority"]
        slot = next(event for event in prediction.events if isinstance(event, SlotSet))
        assert slot.key == "handoff" and slot.value["reason"] == "asked_for_person" and slot.value["evidence"] == [2]

    def test_listens_after_the_handoff(self, policy: HandoffPolicy) -> None:
        talk = Talk().customer("转人工", "request_human")
        talk.tracker.update(ActionExecuted("action_hand_off"))
        assert forced(policy.predict_action_probabilities(talk.tracker, DOMAIN)) == "action_listen"

    def test_stands_back_otherwise(self, policy: HandoffPolicy) -> None:
        assert forced(policy.predict_action_probabilities(Talk().tracker, DOMAIN)) is None
        assert forced(policy.predict_action_probabilities(Talk().customer("你好", "greet").tracker, DOMAIN)) is None

    def test_leaves_an_action_that_hands_over_alone(self, policy: HandoffPolicy) -> None:
        talk = Talk().customer("转人工", "request_human")
        talk.tracker.update(SlotSet("handoff", {"reason": "bot_error"}))
        assert forced(policy.predict_action_probabilities(talk.tracker, DOMAIN)) is None

    def test_a_weight_nobody_knows(self, tmp_path: Path) -> None:
        config = {**CONFIG, "weights": {**CONFIG["weights"], "angre": 1.0}}
        with pytest.raises(ValueError, match="angre"):
            HandoffPolicy(config, LocalModelStorage(tmp_path), Resource("h"), ExecutionContext(GraphSchema({})))


class TestPromisesAndForms:
    """What a form asked for is no wish for a person; what was promised long ago is one of a person's."""

    @pytest.mark.parametrize(("form", "called"), [("order_form", False), (None, True)])
    def test_an_answer_to_a_form_calls_nobody(self, form: str | None, called: bool) -> None:
        talk = Talk()
        if form:
            talk.asking(form)
        talk.customer("个人", "inform", cues={"person": 0.85})
        assert any(signal.name == "asked_for_person" for signal in talk.assess().signals) is called

    @pytest.mark.parametrize(
        ("text", "chance", "whole"),
        [
            ("客服答应我差价退回来的,三天了", 0.5, True),
            ("客服答应我差价退回来的,三天了", 0.1, False),
            ("you promised a refund, that was two weeks ago", 0.5, True),
            ("答应退给我的", 0.5, False),
        ],
    )
    def test_a_promise_and_how_long_ago(self, text: str, chance: float, whole: bool) -> None:
        assessment = Talk().customer(text, "complain", cues={"broken_word": chance}).assess()
        found = [signal.weight for signal in assessment.signals if signal.name == "broken_word"]
        assert (found == [CONFIG["weights"]["broken_word"]]) is whole
