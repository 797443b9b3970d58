"""When a person is called, over whole conversations through the bot's door, in both languages."""

import pytest

from tests.bot.conftest import BotStack
from tests.bot.skill_talk import Talk

# What the bot does not see yet; docs/benchmarks.md tells how much that is over the frozen conversations.
MISSED = pytest.mark.xfail(reason="not recognised so far", strict=False)

# Each: what it is about, what the customer says, the message from which a handoff is right (the last one is the
# latest), the reasons that are right, the priority that it must have.
HANDED_OVER = [
    (
        "anger that rises",
        ["手环连不上手机", "重启了还是连不上", "又是这样，挺失望的", "我对你们的服务很不满，太过分了"],
        3,
        {"emotion"},
        2,
    ),
    (
        "anger that rises",
        [
            "my watch keeps losing its connection",
            "restarted it, still happens",
            "this is rather disappointing",
            "you people are really testing me, this is unacceptable",
        ],
        3,
        {"emotion"},
        2,
    ),
    ("despair", ["体脂秤同步不了", "重装过App了", "唉，我放弃了，说什么都没用"], 2, {"emotion"}, 2),
    ("despair", ["my scale won't sync", "I reinstalled the app", "I give up, nothing ever helps"], 2, {"emotion"}, 2),
    (
        "sarcasm",
        ["路由器又断网了", "重启过，没用", "你们可太厉害了，升级一次坏一次"],
        2,
        {"emotion", "repeated_failure"},
        None,
    ),
    pytest.param(
        "sarcasm",
        ["the router drops again", "restarted, no change", "brilliant work, every update breaks one more thing"],
        2,
        {"emotion", "repeated_failure"},
        None,
        marks=MISSED,
    ),
    ("a polite lawyer", ["您好，我受客户委托处理与贵司的纠纷，我是她的律师"], 1, {"policy_topic"}, 2),
    ("a polite lawyer", ["Good morning, I am the attorney of one of your customers."], 1, {"policy_topic"}, 2),
    ("a burnt battery, calmly", ["您好，请教一下", "手表充电的地方有一点烧焦的痕迹，问问要不要紧"], 2, {"safety"}, 1),
    (
        "a burnt battery, calmly",
        ["Hello, small question", "the charger has scorched my table a little, is that normal?"],
        2,
        {"safety"},
        1,
    ),
    pytest.param(
        "the same in other words",
        ["手环震动不起来", "我说的是来电话的时候它不震", "就是手环一点震动都没有，已经说了两遍了"],
        2,
        {"repeated_failure", "bot_repeating", "emotion"},
        None,
        marks=MISSED,
    ),
    (
        "the same in other words",
        [
            "the band does not vibrate",
            "what I mean is that it doesn't buzz on calls",
            "for the third time: no vibration at all, you're not getting it",
        ],
        2,
        {"repeated_failure", "bot_repeating", "emotion"},
        None,
    ),
    ("a form refused", ["查一下我的快递", "单号我不想给你", "号码我不会提供的，别问了"], 2, {"repeated_failure"}, 3),
    (
        "a form refused",
        ["where is my parcel", "I'm not giving you the order number", "no, I refuse to share any number"],
        2,
        {"repeated_failure"},
        3,
    ),
    ("several problems", ["手环充不进电、摄像头离线、台灯的发票也没收到，都帮我看看"], 1, {"complex"}, 3),
    (
        "several problems",
        ["The band won't charge, the camera is offline, and the invoice for my lamp never came."],
        1,
        {"complex"},
        3,
    ),
    ("a child hurt", ["你好，我上二年级", "手表把我的手烫伤了，好疼"], 2, {"safety"}, 1),
    ("a child hurt", ["hi I am 8 years old", "the watch burned my wrist and it hurts"], 2, {"safety"}, 1),
    ("a child alone", ["我家门锁一直滴滴叫", "我读二年级，妈妈上夜班，我有点害怕"], 2, {"emotion", "safety"}, None),
    ("a child alone", ["hello the door won't open", "i'm 8 and mum is at work"], 2, {"emotion", "safety"}, None),
    ("a small sign of danger", ["手环充电口那块塑料化了"], 1, {"safety"}, 1),
    ("a small sign of danger", ["the router crackles and there was a tiny flash, works otherwise"], 1, {"safety"}, 1),
    ("a promise without a date", ["你们客服答应过给我退差价，到现在没退"], 1, {"broken_promise"}, 2),
    ("money taken", ["我没下过单，但银行被你们扣了699"], 1, {"policy_topic"}, 2),
    ("an exception", ["能不能破例给我退了，就过了两天"], 1, {"policy_topic"}, 2),
    ("a swindler", ["有人自称澜墨客服要验证码，我给他了"], 1, {"policy_topic"}, 2),
    ("a death in the family", ["我爸上个月走了，他手环的账号怎么处理"], 1, {"emotion"}, 2),
    ("a death in the family", ["my mum died last week, how do I close her account"], 1, {"emotion"}, 2),
    ("an ex who follows", ["前任还能看到我手表的定位，我有点怕"], 1, {"safety"}, 1),
    ("an exception", ["can you make an exception, it's only two days past the return window"], 1, {"policy_topic"}, 2),
    ("asked for, indirectly", ["我想问个换货的事", "能不能请个懂的同事来跟我说"], 2, {"asked_for_person"}, None),
    (
        "asked for, indirectly",
        ["about an exchange", "could somebody from your team talk to me please"],
        2,
        {"asked_for_person"},
        3,
    ),
    (
        "steps that never help",
        ["台灯连不上WiFi", "没用", "还是不行", "试了，没有变化"],
        3,
        {"repeated_failure", "bot_repeating"},
        3,
    ),
    (
        "steps that never help",
        ["the lamp won't connect to wifi", "didn't help", "still not working", "nope, no change"],
        3,
        {"repeated_failure", "bot_repeating"},
        3,
    ),
]

KEPT = [
    ("人工 in another word", ["你这是人工智能吗", "手环怎么换表盘"]),
    ("human in another sense", ["Are you an AI?", "how do I change the watch face"]),
    ("a person refused", ["别给我转人工，你告诉我怎么开发票就行"]),
    ("a person refused", ["please don't transfer me to an agent, just tell me how to get an invoice"]),
    ("joking anger", ["哈哈气死我了，我老公步数又比我多", "在哪里看好友排行"]),
    ("joking anger", ["haha I'm so mad, my sister walked more than me again", "where do I see the ranking"]),
    ("anger at the courier", ["快递员太差劲了，把盒子往门口一扔就走，不怪你们", "东西是好的，就说一声"]),
    (
        "anger at the courier",
        ["the courier was awful, he just threw the box down. not your fault", "it all works fine"],
    ),
    ("praise with strong words", ["卧槽这个手环太牛了，续航绝了", "表带还有别的颜色吗"]),
    ("praise with strong words", ["damn, this band is insanely good", "are there other strap colours?"]),
    ("asking about danger", ["手环充电会爆炸吗", "那就好，晚上充可以吧"]),
    ("asking about danger", ["can the battery of the band catch fire?", "good, thanks"]),
    ("two wishes at once", ["发货要几天，能开发票吗"]),
    ("two wishes at once", ["how long does delivery take, and can I get an invoice?"]),
    ("a child with a plain question", ["我是小学生，手环怎么换表盘呀"]),
    ("asking about danger", ["could one of your plugs catch fire if I left it on? nothing happened"]),
    ("a danger denied", ["手表没有发烫也没冒烟，就是充得慢"]),
    ("a figure of speech", ["这灯好看到爆炸，还有别的颜色吗"]),
    ("a long walk", ["我妈今天走了两万步，怎么看排行"]),
    ("a danger denied", ["没冒烟没鼓包，就是屏幕不亮了"]),
    ("a danger denied", ["nothing caught fire, the router's light just went red"]),
    ("a figure of speech", ["跑得嗓子冒烟，心率180正常吗"]),
    ("a figure of speech", ["我不想活成一个胖子，推荐个秤"]),
    ("a person refused", ["no human please, where is my order"]),
    ("a figure of speech", ["手环着火了一样红，这个颜色能换吗"]),
    ("nothing more to say", ["算了吧"]),
    ("nothing more to say", ["hi", "never mind"]),
    ("play", ["tell me a joke"]),
    ("a long way that gets there", ["体脂秤连不上", "蓝牙开了", "还是不行", "重启了", "啊连上了，谢谢"]),
    (
        "a long way that gets there",
        ["scale won't connect", "bluetooth is on", "still no", "restarted it", "oh it works now, thanks"],
    ),
]


def talk(stack: BotStack, conversation: str, said: list[str]) -> tuple[int | None, Talk]:
    """The message after which a person takes over, and the conversation as it then stands."""
    customer = Talk(stack, conversation)
    for position, text in enumerate(said, 1):
        customer.say(text)
        if customer.answer["handoff"]:
            return position, customer
    return None, customer


@pytest.mark.parametrize(("about", "said", "earliest", "reasons", "priority"), HANDED_OVER)
def test_a_person_takes_over(
    bot_stack: BotStack,
    conversation: str,
    about: str,
    said: list[str],
    earliest: int,
    reasons: set[str],
    priority: int | None,
) -> None:
    position, customer = talk(bot_stack, conversation, said)
    assert position and position >= earliest, (about, position, customer.said)
    handoff = customer.answer["handoff"]
    assert handoff["reason"] in reasons, handoff
    assert priority in (None, handoff["priority"])
    explanation = handoff["explanation"]
    assert explanation["score"] == pytest.approx(sum(one["weight"] for one in explanation["signals"]), abs=0.02)
    assert explanation["score"] >= 1
    assert {seq for one in explanation["signals"] for seq in one["evidence"]} == set(handoff["evidence"])
    assert handoff["evidence"][-1] <= position


@pytest.mark.parametrize(("about", "said"), KEPT)
def test_the_bot_keeps_it(bot_stack: BotStack, conversation: str, about: str, said: list[str]) -> None:
    position, customer = talk(bot_stack, conversation, said)
    assert position is None, (about, customer.answer["handoff"])


@pytest.mark.parametrize(
    ("first", "no", "next_ones"),
    [
        pytest.param("我要投诉", "不用人工，你先帮我看看", ["手环步数是0", "还是不行"], marks=MISSED),
        pytest.param(
            "I want to complain",
            "no need for an agent, just help me",
            ["my band shows 0 steps", "still no"],
            marks=MISSED,
        ),
    ],
)
def test_who_declines_is_not_asked_again(
    bot_stack: BotStack, conversation: str, first: str, no: str, next_ones: list[str]
) -> None:
    customer = Talk(bot_stack, conversation)
    customer.say(first)
    assert "/request_human" in customer.payloads
    for text in (no, *next_ones):
        customer.say(text)
        assert customer.answer["handoff"] is None
        assert "/request_human" not in customer.payloads, text


@pytest.mark.parametrize(
    ("said", "condolence"),
    [
        ("我爸上个月走了，他手环的账号怎么处理", "节哀"),
        ("my mum died last week, how do I close her account", "sorry for your loss"),
    ],
)
def test_a_death_is_met_with_condolence(
    bot_stack: BotStack, conversation: str, said: str, condolence: str
) -> None:
    customer = Talk(bot_stack, conversation, "en" if said.isascii() else "zh")
    assert condolence in customer.say(said)


@pytest.mark.parametrize(
    ("old", "calm", "new"),
    [
        ("你们太过分了，我非常生气，骗子", "手环步数是0", "手表冒烟了"),
        ("you are liars, I am furious", "my band shows 0 steps", "the watch is smoking"),
    ],
)
def test_after_a_return_old_trouble_is_over_and_new_trouble_counts(
    bot_stack: BotStack, conversation: str, old: str, calm: str, new: str
) -> None:
    customer = Talk(bot_stack, conversation)
    customer.say(old)
    assert customer.answer["handoff"]["reason"] == "emotion"
    assert bot_stack.call("reset", {"conversation": conversation, "keep_facts": True}).status_code == 200
    customer.say(calm)
    assert customer.answer["handoff"] is None
    customer.say(new)
    assert customer.answer["handoff"]["reason"] == "safety"
    assert customer.answer["handoff"]["evidence"] == [3]


@pytest.mark.parametrize(
    ("said", "first"),
    [
        ("充电器冒烟了", "拔掉电源"),
        ("手腕被手表烫出水泡了", "凉水"),
        ("宝宝把小螺丝吞下去了", "急诊"),
        ("摄像头里有陌生人的声音", "拔掉设备的电源"),
        ("我不想活了", "12356"),
        ("the charger is smoking", "cut the power"),
        ("the watch burned my wrist, it blisters", "running water"),
        ("my baby swallowed the small screw", "emergency department"),
        ("a stranger is talking through my camera", "unplug"),
        ("I want to kill myself", "crisis line"),
    ],
)
def test_danger_is_answered_at_once_with_what_to_do(
    bot_stack: BotStack, conversation: str, said: str, first: str
) -> None:
    customer = Talk(bot_stack, conversation)
    customer.say("手环步数是0" if not said.isascii() else "my band shows 0 steps")
    assert first in customer.say(said)
    handoff = customer.answer["handoff"]
    assert (handoff["reason"], handoff["priority"], handoff["group"]) == ("safety", 1, "care")
    assert len(customer.answer["messages"]) == 1
