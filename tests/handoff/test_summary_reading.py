"""What a summary reads in the words themselves: steps tried, promises made, needs, and answers to what was asked."""

from __future__ import annotations

from typing import Any

import pytest

from handoff.summary.writing import summary
from tests.handoff.summary_stories import Story


def written(story: Story, language: str = "zh") -> dict[str, Any]:
    """The summary of a story."""
    return summary(story.record(), language)


class TestTried:
    """Steps told in words."""

    @pytest.mark.parametrize(
        "words",
        [
            "路由器我拔过电源了",
            "换了三根线都不行",
            "I already swapped the cable",
            "unplugged it, no change",
            "昨天打客服电话没人接",
            "restart了两次",
            "照着说明书弄了一遍",
            "给卖家发过消息",
            "后台重开了一次",
            "录像我让物业导出来看了",
            "电池新换的",
            "unpair再pair",
            "Resubmitted the form",
            "got my bank to trace the payment",
            "My neighbour was asked",
        ],
    )
    def test_what_was_done_is_quoted(self, words: str) -> None:
        story = Story()
        story.customer(words)
        [step] = written(story)["tried"]
        assert step["quote"] in words and step["seq"] == 1

    @pytest.mark.parametrize(
        "words",
        [
            "没重启过",
            "要不要换线",
            "你们换了快递吧",
            "昨晚摄像头插座那冒了几个小火花",
            "我家宝宝把小零件咽下去了",
            "但我今天问的是我自己的灯不亮",
            "i touched the lamp and felt a tingle",
            "the lamp sparked when I plugged it in",
            "怎么关掉",
            "should I have reset it?",
            "现在都4点半了",
            "我不退了",
            "帮忙重新发一次链接",
            "多久换一次滤芯",
            "手环升级的时候突然断电了",
            "每两小时重启一次",
            "fixed it, thank you",
            "does this chat save what I wrote earlier",
        ],
    )
    def test_what_was_not_done_is_not(self, words: str) -> None:
        story = Story()
        story.customer(words)
        assert written(story)["tried"] == []

    @pytest.mark.parametrize(
        ("code", "words", "quote"),
        [
            ("factory_reset", "恢复出厂没敢试", "恢复出厂"),
            ("factory_reset", "I might try factory reset tomorrow", "factory reset"),
            ("restart_device", "还没有重启过", "重启"),
            ("reinstall_app", "My husband reinstalled the app on his phone", "reinstalled"),
            ("factory_reset", "What if I reset the scale", "reset"),
            ("I haven't tried resetting it", "I haven't tried resetting it", "I haven't tried resetting it"),
            ("固件是1.1.24.0", "固件是1.1.24.0", "固件是1.1.24.0"),
            ("屏幕碎了", "屏幕碎了", "屏幕碎了"),
            ("直接给我换一个新的行不行", "直接给我换一个新的行不行", "直接给我换一个新的行不行"),
            ("打算明天去店里看看", "打算明天去店里看看", "打算明天去店里看看"),
        ],
    )
    def test_a_recognised_step_that_was_not_done_is_none(self, code: str, words: str, quote: str) -> None:
        story = Story()
        story.customer(words)
        story.tried(code, quote, 1)
        assert written(story)["tried"] == [] and story.record().tried_codes == set()

    @pytest.mark.parametrize(
        ("code", "words", "quote"),
        [
            ("restart_device", "重启了，但是没连上", "重启"),
            ("factory_reset", "I tried a factory reset but it won't pair", "factory reset"),
            ("冲过了", "冲过了 医院要不要去我再看", "冲过了"),
        ],
    )
    def test_a_recognised_step_that_was_done_stays(self, code: str, words: str, quote: str) -> None:
        story = Story()
        story.customer(words)
        story.tried(code, quote, 1)
        assert len(written(story)["tried"]) == 1

    @pytest.mark.parametrize(
        ("said", "reply", "intent"),
        [
            ("我理解您说的是“配对不上”，不是的话请点下面的一项。", "看不到", "device_problem"),
            ("确认申请吗？", "是澜墨手表不是手环", "inform"),
            ("您还问了「申请退款」：这件说完我们再看。", "什么破机器人", "complain"),
            ("请长按电源键十秒。", "谢谢", "thank"),
            ("请长按电源键十秒。", "转人工", "request_human"),
            ("Please restart the phone.", "Sorry, I meant a Pixel 7", "inform"),
            ("Try a factory reset of the band.", "this is ridiculous", "complain"),
        ],
    )
    def test_what_does_not_say_how_a_step_went_is_no_step(self, said: str, reply: str, intent: str) -> None:
        story = Story()
        story.customer("手环连不上", "device_problem/pairing")
        story.bot(said)
        story.customer(reply, intent)
        assert written(story)["tried"] == []

    def test_a_pressed_outcome_answers_the_step(self) -> None:
        story = Story()
        story.customer("手环连不上", "device_problem/pairing")
        story.bot("请长按电源键十秒。")
        story.customer("还不行", payload='/deny{"outcome": "unsolved"}')
        [step] = written(story)["tried"]
        assert (step["text"], step["quote"], step["seq"]) == ("请长按电源键十秒。", "还不行", 3)

    @pytest.mark.parametrize(
        ("step", "reply"),
        [
            ("请长按电源键十秒。", "按了 灯还是红的"),
            ("Please turn the lamp off and on.", "still flickers"),
            ("请看一下电池盖有没有关。", "关着呢"),
        ],
    )
    def test_an_answer_to_a_step_counts(self, step: str, reply: str) -> None:
        story = Story()
        story.customer("坏了")
        story.bot(step)
        seq = story.customer(reply)
        assert [(one["quote"], one["seq"]) for one in written(story)["tried"]] == [(reply, seq)]

    @pytest.mark.parametrize(
        ("words", "quotes"),
        [
            ("我试过换网线、换信道，都写在上面了", ["我试过换网线", "换信道"]),
            ("我先是照着说明书把表充满电重启，没用", ["我先是照着说明书把表充满电重启"]),
            ("Swapped the cable, moved it to another room, no luck", ["Swapped the cable", "moved it to another room"]),
            ("这已经是我第四次contact你们", ["这已经是我第四次contact你们"]),
            ("rebooting doesn't help", ["rebooting doesn't help"]),
            ("别的手机都能连", ["别的手机都能连"]),
        ],
    )
    def test_stories_lists_and_mixed_words(self, words: str, quotes: list[str]) -> None:
        story = Story()
        seq = story.customer(words)
        assert [(one["quote"], one["seq"]) for one in written(story)["tried"]] == [(quote, seq) for quote in quotes]

    def test_what_others_sum_up_counts_once_confirmed(self) -> None:
        story = Story()
        story.customer("坏了")
        story.agent("您上次试过重启、重绑。")
        seq = story.customer("对")
        assert [(one["text"], one["quote"], one["seq"]) for one in written(story)["tried"]] == [
            ("您上次试过重启、重绑。", "对", seq)
        ]

    def test_a_step_put_off_is_still_open(self) -> None:
        story = Story()
        story.customer("坏了")
        story.bot("请重启路由器。")
        story.customer("好的")
        story.bot("好的，等您。")
        seq = story.customer("灯还是红的")
        assert [(one["quote"], one["seq"]) for one in written(story)["tried"]] == [("灯还是红的", seq)]

    @pytest.mark.parametrize("words", ["昨天更新完就黑屏了", "I ordered it last week", "没换过电池", "等会儿回家再试"])
    def test_what_was_not_done_is_no_attempt(self, words: str) -> None:
        story = Story()
        story.customer(words)
        assert written(story)["tried"] == []

    @pytest.mark.parametrize(
        "reply",
        [
            "好的我试试",
            "ok",
            "我在上班，晚上回家试",
            "我不想再试了",
            "没充电，一直关着机",
            "没试过取电池",
            "没贴膜",
            "I never changed it",
            "为什么要这样？",
            "转人工",
            "LM2611030042",
            "I want my money",
        ],
    )
    def test_a_refusal_or_something_else_does_not(self, reply: str) -> None:
        story = Story()
        story.customer("坏了")
        story.bot("请长按电源键十秒。")
        story.customer(reply)
        assert written(story)["tried"] == []

    @pytest.mark.parametrize("reply", ["唉 我真的不知道怎么办了", "I really don't know what to do"])
    def test_despair_does_not_answer_a_step(self, reply: str) -> None:
        story = Story()
        story.customer("手环不亮了")
        story.bot("请您先长按侧键 10 秒重启手环，看看能不能亮。")
        story.customer(reply)
        assert written(story)["tried"] == []


class TestPromises:
    """Promises made in words."""

    @pytest.mark.parametrize(
        ("words", "due"),
        [
            ("仓库明天 15:00 前给您补发。", "2026-11-22T07:00:00.000Z"),
            ("A colleague will call you within 2 hours.", "2026-11-21T08:30:00.000Z"),
            ("I'll email you by 5 p.m. today.", "2026-11-21T09:00:00.000Z"),
            ("同事会跟您确认金额。", None),
            ("我们会在12月1日前给您退款。", "2026-12-01T15:59:00.000Z"),
            ("订单路上耽搁了，现在预计11月30日送到。", "2026-11-30T15:59:00.000Z"),
            ("12月1日 18:00 前给您退款。", "2026-12-01T10:00:00.000Z"),
            ("1月5日前给您寄出。", "2027-01-05T15:59:00.000Z"),
            ("下周三给您寄出。", "2026-11-25T15:59:00.000Z"),
            ("We'll ship the new one by December 1.", "2026-12-01T15:59:00.000Z"),
            ("Someone will call you by Friday.", "2026-11-27T15:59:00.000Z"),
            ("签收后 7 天内退货，运费我们承担。", None),
            ("这单我跟到底。", None),
            ("物流一动我就告诉您。", None),
            ("退货运费由商城报销。", None),
            ("我会email您tracking number。", None),
            ("I'm adding a voucher to your account now.", None),
            ("You won't be charged for the repair.", None),
            ("A new band ships tomorrow morning.", "2026-11-22T15:59:00.000Z"),
            ("我请同事安排对调，不用您出运费。", None),
            ("I've opened a trace and you'll hear from me by 5 p.m. today.", "2026-11-21T09:00:00.000Z"),
        ],
    )
    def test_kept_with_their_time(self, words: str, due: str | None) -> None:
        story = Story()
        seq = story.agent(words)
        [promise] = written(story)["promises"]
        assert (promise["quote"], promise["seq"], promise["due_at"]) == (words, seq, due)

    @pytest.mark.parametrize(
        "words",
        [
            "如果坏了，我们明天给您换。",
            "要不要我给您打电话？",
            "我帮您转接同事。",
            "If it fails again, we will replace it tomorrow.",
            "A colleague will take over now.",
            "周五没回您，是我们失约了。",
            "请明天 9 点前把手环充满电。",
            "请您明天上午保持电话畅通。",
            "这个订单今天下午发货了。",
            "您的退款上周五已经到账。",
            "We tried to call you this morning.",
            "这件事我会一直陪着您，直到解决。",
            "我们会尽力帮您。",
            "I'm here for you and will do my best.",
            "签收后 7 天内可以退货。",
            "You may return it within 7 days of delivery.",
            "I'll help you release it.",
            "订单 LM2611239358 已在9月28日 17:38签收，地址改不了了。",
            "付款后 24 小时内发出。",
            "想把设备清空重来，我把步骤告诉您。",
            "最新动态：11月20日 08:00 已从杭州发往北京。",
            "我会附在登记里。",
            "查不出来我帮您报给研发。",
        ],
    )
    def test_offers_conditions_and_failures_are_none(self, words: str) -> None:
        story = Story()
        story.bot(words)
        assert written(story)["promises"] == []

    def test_what_the_customer_says_is_no_promise(self) -> None:
        story = Story()
        story.customer("我明天 9 点前给您回复")
        assert written(story)["promises"] == []

    @pytest.mark.parametrize(
        "words",
        [
            "上周五你们客服答应周一给我打电话，到今天都没响过",
            "热线里一个姓陈的师傅说三天内上门",
            "你们同事说周五给我回电",
            "Your agent said I'd have the refund by Friday.",
            "你们上周五电话里答应给我补发一个表带，到现在没影",
            "your chat agent promised a replacement last week",
            "I was promised a new strap on Monday.",
            "上次那个小陈说会给我免费换电池仓",
            "客服说过会补偿我一个月云存储",
            "你们说帮我登记换新，会短信通知我",
            "昨天说好下午三点前回的",
            "你们的 Kelvin 说 replacement 星期三 ship",
        ],
    )
    def test_an_earlier_promise_is_the_customers_word(self, words: str) -> None:
        story = Story()
        seq = story.customer(words)
        [promise] = written(story)["promises"]
        assert (promise["quote"], promise["seq"], promise["due_at"]) == (words, seq, None)
        assert words in promise["text"] and promise["text"] != words

    def test_a_promise_of_last_week_was_due_counted_from_its_day(self) -> None:
        story = Story()
        story.customer("上周五你们客服小王在电话里答应三天内给我退款")
        [promise] = written(story)["promises"]
        assert promise["due_at"] == "2026-11-16T15:59:00.000Z"

    @pytest.mark.parametrize(
        "words",
        [
            "顺丰说明天送到",
            "你们没有答应过我什么",
            "说明书说充两个小时",
            "The courier said they would be here on Monday.",
            "My neighbour said he would come by on Monday.",
            "我同事说周五帮我修",
            "你们说得对，我周一再试",
        ],
    )
    def test_what_others_say_is_no_promise_of_ours(self, words: str) -> None:
        story = Story()
        story.customer(words)
        assert written(story)["promises"] == []


class TestNeeds:
    """Wishes and stakes in no phrase of the designers."""

    @pytest.mark.parametrize(
        "words",
        ["我闺女靠它写作业", "别打我电话", "下周要出差用", "I need it for my race", "my mother is alone at home"],
    )
    def test_they_are_kept_in_own_words(self, words: str) -> None:
        story = Story()
        story.customer(words)
        [hope] = written(story)["hopes"]
        assert (hope["quote"], hope["text"], hope["seq"]) == (words, f"“{words}”", 1)

    @pytest.mark.parametrize("words", ["在吗", "260？", "你是复读机吗？？", "did that, it's from yesterday"])
    def test_an_exclamation_is_no_wish(self, words: str) -> None:
        story = Story()
        story.customer(words)
        assert written(story)["hopes"] == []

    def test_a_question_is_kept_and_named_hopes_lead_the_headline(self) -> None:
        story = Story()
        story.customer("体脂秤进水了保不保")
        story.customer("那给我退货")
        summed_up = written(story)
        assert [hope["quote"] for hope in summed_up["hopes"]] == ["体脂秤进水了保不保", "那给我退货"]
        assert summed_up["headline"].index("退货") < summed_up["headline"].rindex("保不保")


class TestAnswers:
    """What a bare answer says, and which trouble is the customer's."""

    def test_digits_of_the_phone_with_a_correction(self) -> None:
        story = Story()
        story.bot("请告诉我手机号后四位。")
        seq = story.customer("3021，不对，是3012")
        facts = {fact["name"]: fact for fact in written(story)["facts"]}
        assert (facts["phone_last4"]["value"], facts["phone_last4"]["source"]) == ("3012", {"seq": seq})

    def test_which_model(self) -> None:
        story = Story()
        first = story.customer("我的手表连不上", "device_problem/sync")
        story.fact("product", "watch", "手表", first)
        story.bot("请问是手表还是手表 Pro？")
        seq = story.customer("pro")
        facts = {fact["name"]: fact for fact in written(story)["facts"]}
        assert (facts["device_model"]["value"], facts["device_model"]["source"]) == ("watch-pro", {"seq": seq})

    def test_the_first_trouble_stays_and_one_more_is_added(self) -> None:
        story = Story()
        first = story.customer("手环充不进电", "device_problem/charging")
        story.fact("symptom", "充不进电", "充不进电", first)
        story.bot("充电口有没有脏？")
        later = story.customer("灯是红的", "device_problem/lamp")
        story.fact("symptom", "台灯闪烁或不亮", "灯是红的", later)
        assert [fact["value"] for fact in written(story)["facts"] if fact["name"] == "symptom"] == ["充不进电"]
        more = story.customer("而且现在屏幕也不亮了", "device_problem/screen")
        story.fact("symptom", "屏幕不亮", "屏幕也不亮了", more)
        [symptom] = [fact for fact in written(story)["facts"] if fact["name"] == "symptom"]
        assert symptom["value"] == "屏幕不亮" and [row["value"] for row in symptom["history"]] == ["充不进电"]

    def test_trouble_without_a_name_is_told_in_own_words(self) -> None:
        story = Story()
        story.customer("秤上的字全是倒着的，不对劲", "device_problem/other")
        [symptom] = written(story)["facts"]
        assert symptom["value"] == symptom["quote"] == "秤上的字全是倒着的，不对劲"

    def test_a_fault_without_any_word_of_trouble_is_told_by_the_longest_sentence(self) -> None:
        story = Story()
        story.customer("So, the vacuum. It maps the flat and then keeps away from the hallway.", "device_problem")
        [symptom] = [fact for fact in written(story, "en")["facts"] if fact["name"] == "symptom"]
        assert symptom["quote"] == "It maps the flat and then keeps away from the hallway."

    def test_a_denied_value_is_none_and_the_right_one_stands(self) -> None:
        story = Story()
        seq = story.customer("不是安卓，是鸿蒙3.0，我说错了", "inform")
        story.fact("os", "android", "安卓", seq)
        facts = {fact["name"]: fact for fact in written(story)["facts"]}
        assert (facts["os"]["value"], facts["os"]["quote"], facts["os"]["history"]) == ("harmonyos", "鸿蒙", [])

    def test_two_orders_and_two_devices_are_both_known(self) -> None:
        story = Story()
        seq = story.customer("LM2611090221是路由器，LM2611090222是摄像头", "track_order")
        story.fact("order_number", "LM2611090222", "LM2611090222", seq)
        story.fact("product", "camera", "摄像头", seq)
        facts = {fact["name"]: fact for fact in written(story)["facts"]}
        assert facts["order_number"]["value"] == "LM2611090222" and facts["product"]["value"] == "camera"
        assert [row["quote"] for row in facts["order_number"]["history"]] == ["LM2611090221"]
        assert [row["quote"] for row in facts["product"]["history"]] == ["路由器"]

    def test_a_device_that_works_is_not_added(self) -> None:
        story = Story()
        seq = story.customer("摄像头连不上，路由器是好的", "device_problem/sync")
        story.fact("product", "camera", "摄像头", seq)
        [product] = [fact for fact in written(story)["facts"] if fact["name"] == "product"]
        assert (product["value"], product["history"]) == ("camera", [])

    @pytest.mark.parametrize(
        ("question", "answer", "name", "value"),
        [
            ("您是什么时候买的？", "上周六", "purchased_at", "上周六"),
            ("When did you buy it?", "last month", "purchased_at", "last month"),
            ("鸿蒙是几？", "4.2", "os", "harmonyos"),
            ("显示什么？", "says failed -5", "error_code", "-5"),
            ("May I have the last four digits?", "1904. Brightleaf Studio", "phone_last4", "1904"),
        ],
    )
    def test_what_an_answer_states(self, question: str, answer: str, name: str, value: str) -> None:
        story = Story()
        story.bot(question)
        seq = story.customer(answer)
        facts = {fact["name"]: fact for fact in written(story)["facts"]}
        assert (facts[name]["value"], facts[name]["source"]) == (value, {"seq": seq})

    def test_the_answer_to_what_is_wrong_is_the_symptom(self) -> None:
        story = Story()
        first = story.customer("我的手环", "inform")
        story.fact("product", "band", "手环", first)
        story.bot("请问坏在哪里？")
        seq = story.customer("戴着洗个手就黑屏")
        facts = {fact["name"]: fact for fact in written(story)["facts"]}
        assert (facts["symptom"]["quote"], facts["symptom"]["source"]) == ("戴着洗个手就黑屏", {"seq": seq})


class TestPutAside:
    """Troubles that are settled or put right are not what it is about."""

    @pytest.mark.parametrize(
        ("first", "later", "quote"),
        [
            ("路由器一直断网", ["不对，不是路由器，是摄像头断网"], "不对，不是路由器，是摄像头断网"),
            ("台灯不亮了", ["台灯的事不用管了，已经好了", "就保修的事"], "就保修的事"),
            ("路由器断网", ["刚才那个路由器的问题解决了，不用管", "手表收不到来电提醒"], "手表收不到来电提醒"),
            ("The lamp flickers", ["never mind the lamp, it works now", "my band won't sync"], "my band won't sync"),
            ("台灯不亮了", ["台灯的问题解决了，但是又闪了"], "台灯不亮了"),
            ("路由器断网", ["是不是路由器坏了，摄像头也连不上"], "路由器断网"),
        ],
    )
    def test_the_problem_is_what_is_left(self, first: str, later: list[str], quote: str) -> None:
        story = Story()
        for words in [first, *later]:
            story.customer(words, "device_problem")
        assert written(story)["problem_quote"] == quote

    def test_a_device_that_is_put_right_takes_the_place_of_the_other(self) -> None:
        story = Story()
        for words in ("my scale won't sync", "sorry not the scale, the band"):
            story.fact("product", "scale", "scale", story.customer(words, "device_problem"))
        summed_up = written(story, "en")
        assert [fact["value"] for fact in summed_up["facts"] if fact["name"] == "product"] == ["band"]
        assert summed_up["problem_quote"] == "my scale won't sync" and "Band" in summed_up["headline"]

    def test_what_does_not_matter_is_no_symptom(self) -> None:
        story = Story()
        seq = story.customer("手环充不进电，另外你们App闪退，这个不重要", "device_problem/app_crash")
        story.fact("symptom", "App 闪退", "App闪退", seq)
        assert "App 闪退" not in [fact["value"] for fact in written(story)["facts"]]
