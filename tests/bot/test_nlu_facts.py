"""Facts, steps tried, dates: normal values, and quotes in the customer's own words."""

from datetime import date, timedelta

import pytest

from bot.nlu import dates
from bot.nlu.facts import extract, extract_tried
from bot.nlu.text import align

STORY = (
    "我前几天买了手环2,在iPhone 6上装了APP后步数一直显示0,换Android手机就正常,我走了10步,"
    "重启、重装APP都试过了,固件1.0.0.39"
)
ENGLISH_STORY = (
    "My Band 2 shows 0 steps on my iPhone 14 pro max (iOS 17.4), but works fine on my wife's Android phone. "
    "I already restarted it and reinstalled the app. Firmware 1.0.0.39, app 5.1.0"
)


def values(text: str) -> dict[str, str]:
    return {fact.name: fact.value for fact in extract(text) if fact.role is None}


class TestExtract:
    @pytest.mark.parametrize(
        ("text", "name", "value", "quote"),
        [
            ("固件版本１.０.０.３９", "firmware_version", "1.0.0.39", "１.０.０.３９"),
            ("V2.1.0.18 之后很耗电", "firmware_version", "2.1.0.18", "2.1.0.18"),
            ("app 5.2.1", "app_version", "5.2.1", "5.2.1"),
            ("尾号四个8", "phone_last4", "8888", "尾号四个8"),
            ("尾号两个6两个8", "phone_last4", "6688", "尾号两个6两个8"),
            ("后四位是一二三四", "phone_last4", "1234", "一二三四"),
            ("last four digits 1 2 3 4", "phone_last4", "1234", "1 2 3 4"),
            ("８８８８", "phone_last4", "8888", "８８８８"),
            ("138 1234 8888", "phone_last4", "8888", "8888"),
            ("订单LM2611030042,手机8888", "phone_last4", "8888", "8888"),
            ("lm 2611 0300 42 8888", "order_number", "LM2611030042", "lm 2611 0300 42"),
            ("ＬＭ2611030042 到哪了", "order_number", "LM2611030042", "ＬＭ2611030042"),
            ("不对,订单号是lm2611030051", "order_number", "LM2611030051", "lm2611030051"),
            ("2611030042", "order_number", "LM2611030042", "2611030042"),
            ("手環2 步數是0", "device_model", "band-2", "手環2"),
            ("小米手环2 不计步", "device_model", "band-2", "小米手环2"),
            ("二代手环连不上", "device_model", "band-2", "二代手环"),
            ("不是手环2,是手环3", "device_model", "band-3", "手环3"),
            ("my watch pro is dead", "device_model", "watch-pro", "watch pro"),
            ("体脂秤不准", "device_model", "scale-s1", "体脂秤"),
            ("手环老是断", "product", "band", "手环"),
            ("iphone6", "phone_model", "iPhone 6", "iphone6"),
            ("苹果14pro用不了", "phone_model", "iPhone 14 Pro", "苹果14pro"),
            ("华为P60", "phone_model", "华为 P60", "华为P60"),
            ("华为mate60pro", "phone_model", "华为 Mate 60 Pro", "华为mate60pro"),
            ("Andriod 手机连不上", "os", "android", "Andriod"),
            ("鸿蒙4.2", "os", "harmonyos", "鸿蒙"),
            ("苹果手机上不显示", "os", "ios", "苹果手机"),
            ("iOS系统版本17.4", "os_version", "17.4", "17.4"),
            ("it's 17.4", "os_version", "17.4", "17.4"),
            ("安卓14上连不上", "os_version", "14", "14"),
            ("提示错误码 E12", "error_code", "E12", "E12"),
            ("安卓十五", "os_version", "15", "十五"),
            ("app是五点一点八", "app_version", "5.1.8", "五点一点八"),
            ("固件是三点三点一点八", "firmware_version", "3.3.1.8", "三点三点一点八"),
            ("先不管摄像头,手环的事", "product", "band", "手环"),
            ("手环充不进电,说错了,是手表不是手环", "product", "watch", "手表"),
            ("its not the router, its the camera that drops, router is fine", "product", "camera", "camera"),
            ("error code 1003", "error_code", "1003", "1003"),
            ("秤上显示Err 3", "error_code", "Err3", "Err 3"),
            ("LM2611030042 8888 少发了一件", "phone_last4", "8888", "8888"),
            ("order LM2611030042, phone 8888 please", "phone_last4", "8888", "8888"),
            ("iPhone 14,哦不是,是iPhone 15", "phone_model", "iPhone 15", "iPhone 15"),
            ("an iPhone 14, sorry, iPhone 15", "phone_model", "iPhone 15", "iPhone 15"),
            ("系统iOS 18,看错了,是17.6.1", "os_version", "17.6.1", "17.6.1"),
        ],
    )
    def test_value_and_own_words(self, text: str, name: str, value: str, quote: str) -> None:
        found = {fact.name: fact for fact in extract(text)}
        assert found[name].value == value
        assert found[name].span.text == quote

    @pytest.mark.parametrize(
        ("text", "absent"),
        [
            ("手环老是断", "device_model"),
            ("路由器192.168.1.1打不开", "firmware_version"),
            ("band 23", "device_model"),
            ("1.0.0.45更新了什么", "firmware_version"),
            ("我走了5000步", "phone_last4"),
            ("台灯连不上wifi,路由器重启过了", "phone_model"),
            ("Where is my order", "order_number"),
            ("下午三点二十断的", "os_version"),
            ("橙色的灯", "product"),
        ],
    )
    def test_nothing_that_was_not_said(self, text: str, absent: str) -> None:
        assert absent not in values(text)

    def test_a_story_gives_everything_at_once(self) -> None:
        found = values(STORY)
        assert found == {
            "purchased_at": "前几天",
            "device_model": "band-2",
            "product": "band",
            "phone_model": "iPhone 6",
            "os": "ios",
            "firmware_version": "1.0.0.39",
        }

    def test_an_english_story_gives_everything_at_once(self) -> None:
        found = values(ENGLISH_STORY)
        assert found["phone_model"] == "iPhone 14 Pro Max"
        assert (found["os"], found["os_version"]) == ("ios", "17.4")
        assert (found["firmware_version"], found["app_version"]) == ("1.0.0.39", "5.1.0")

    def test_a_router_elsewhere_is_not_the_device(self) -> None:
        assert values("摄像头连不上路由器")["device_model"] == "camera-c1"

    @pytest.mark.parametrize("text", [STORY, ENGLISH_STORY, "ＬＭ2611030042 尾号四个8 ①手環2"])
    def test_every_quote_is_a_substring(self, text: str) -> None:
        for fact in extract(text):
            assert text[fact.span.start : fact.span.end] == fact.span.text != ""


class TestTried:
    @pytest.mark.parametrize(
        ("text", "codes"),
        [
            (STORY, ["other_phone", "test_walk", "restart_device", "reinstall_app"]),
            (ENGLISH_STORY, ["other_phone", "restart_device", "reinstall_app"]),
            ("重启手机,重装APP,都试过了,还是不行", ["restart_phone", "reinstall_app"]),
            ("权限都开了", ["check_permission"]),
            ("restarted my phone, cleared the cache, nothing helped", ["restart_phone", "clear_cache"]),
            ("充满电了还是开不了机", ["charge_full"]),
            ("重装以后还是无法登录", ["reinstall_app"]),
            ("都重启三遍了怎么还不行?", ["restart_device"]),
            ("都按你们说的弄了,重启、重装,一样的结果", ["restart_device", "reinstall_app"]),
            ("路由器拔了电,换成手机热点也一样", ["restart_router", "other_network"]),
            ("router也reboot了,cache清了", ["restart_router", "clear_cache"]),
            ("光猫重启过了", ["restart_modem"]),
            ("I already restarted both", ["restart_phone"]),
            ("cleaned the charging pins, gave it a full charge", ["clean_contacts", "charge_full"]),
            ("shows 0 steps, tried restart, re-pair, reinstall", ["restart_device", "re_pair", "reinstall_app"]),
            ("already tried restarting, re-pairing and reinstalling", ["restart_device", "re_pair", "reinstall_app"]),
            ("tried a restart, please reinstall it for me", ["restart_device"]),
        ],
    )
    def test_done(self, text: str, codes: list[str]) -> None:
        assert [step["text"] for step in extract_tried(text)] == codes

    @pytest.mark.parametrize(
        "text",
        [
            "手环怎么重启",
            "我需要重启吗?",
            "还没重启",
            "手环自己一直重启",
            "it keeps restarting",
            "should I factory reset it?",
            "手环固件更新卡住了",
            "能不能给我换根线",
            "别让我再重启了",
            "固件前天夜里自动更新过",
            "每天要重连好几次",
            "is the update itself a factory reset?",
            "I'd rather not reset it",
            "I need a repair",
            "恢复出厂没敢试",
            "打算明天重启看看",
            "我弟让我重启",
            "might try a factory reset tomorrow",
            "my son says we should swap the cable",
        ],
    )
    def test_not_done(self, text: str) -> None:
        assert extract_tried(text) == []


class TestNumbersOfOthers:
    @pytest.mark.parametrize(
        "text",
        ["上海市浦东新区张江路100弄5号301 李雷 13900001111", "ship it to 18 Huaihai Road, Li Wei, 13900001111"],
    )
    def test_a_mobile_beside_an_address_proves_nothing(self, text: str) -> None:
        assert "phone_last4" not in values(text)

    def test_the_year_of_a_phone_is_no_number_of_it(self) -> None:
        assert "phone_last4" not in values("my phone is 2023 model")

    def test_a_day_to_come_is_none_of_buying(self) -> None:
        assert "purchased_at" not in values("By 3 December I need a new one or my money back")
        assert "purchased_at" not in values("说好今天上门取件的人呢")
        assert "purchased_at" not in values("the courier was supposed to have picked it up today")

    def test_a_denied_day_is_not_the_day(self) -> None:
        day = dates.current_day()
        assert values("不是昨天 前天买的")["purchased_at"] == (day - timedelta(days=2)).isoformat()
        assert values("not yesterday I bought it today")["purchased_at"] == day.isoformat()


class TestDates:
    TODAY = date(2026, 11, 22)

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("昨天买的", "2026-11-21"),
            ("三天前收到的", "2026-11-19"),
            ("11月3号下单的", "2026-11-03"),
            ("12月3号下单的", "2025-12-03"),
            ("bought it 2 weeks ago", "2026-11-08"),
            ("上周买的", "上周"),
            ("双十一买的", "双十一"),
        ],
    )
    def test_bought(self, text: str, value: str) -> None:
        assert [found[1] for found in dates.extract(align(text), self.TODAY)] == [value]

    @pytest.mark.parametrize("text", ["昨天就连不上了", "2月30号买的", "买了手环"])
    def test_no_date(self, text: str) -> None:
        assert dates.extract(align(text), self.TODAY) == []


class TestWhatIsMeant:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("路由器的灯一直闪红色,上不了网", {"product": "router"}),
            ("我的灯按了没反应", {"product": "lamp", "device_model": "lamp-l1"}),
            ("指示灯是绿的", {}),
            ("C1扫码加不上", {"device_model": "camera-c1"}),
            ("手表倒是正常,手环一步也不记", {"product": "band"}),
            ("band 2 or band 3, which one suits a swimmer", {"product": "band"}),
            ("手环3和手表Pro选哪个好", {}),
            ("it's the watch, no wait, the band that won't charge", {"product": "band"}),
            ("周末想 watch a movie", {}),
            ("刚从安卓换到苹果,手环要重新绑吗", {"os": "ios", "product": "band"}),
            ("我把iOS升级到17.5.1之后收不到提醒", {"os": "ios", "os_version": "17.5.1"}),
            ("买了两箱苹果坏了一半", {}),
            ("手机尾数4471,查一下", {"phone_last4": "4471"}),
            ("LM2611030042 七七零二", {"order_number": "LM2611030042", "phone_last4": "7702"}),
            ("末四位俩5俩9", {"phone_last4": "5599"}),
            ("弹窗写着更新失败(E-21)", {"error_code": "E-21"}),
            ("升级到一半报104就停了", {"error_code": "104"}),
            ("再拖下去我就报12315", {}),
            ("冒烟了要不要报110", {}),
            ("秤从1.2.0.2升到1.2.0.7以后偏重", {"firmware_version": "1.2.0.7"}),
            ("how do i get my scale from 1.2.0.2 to 1.2.0.7", {"firmware_version": "1.2.0.2"}),
            ("4.0.2.11太难用,能退回到4.0.1.6吗", {"firmware_version": "4.0.2.11"}),
            ("App提示有新版本3.4.0.22,要不要装", {}),
        ],
    )
    def test_only_what_is_true_of_the_customers_own(self, text: str, expected: dict[str, str]) -> None:
        found = values(text)
        assert {name: found.get(name) for name in expected} == expected
        told = {"device_model", "product", "os", "firmware_version", "phone_last4", "error_code"} & found.keys()
        assert told - expected.keys() <= {"device_model", "product"} and (expected or not told), found


class TestWhenBought:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("上周三下单的", "2026-11-18"),
            ("周一付的款", "2026-11-23"),
            ("ordered it last Friday", "2026-11-20"),
            ("9号拍的", "2026-11-09"),
            ("三十号买的", "2026-10-30"),
            ("下单都四天了", "2026-11-22"),
            ("I paid about an hour ago", "2026-11-26"),
            ("今年国庆买的", "今年国庆"),
            ("去年8月入手的", "去年8月"),
            ("bought it in March", "March"),
            ("I bought a band on 4 May 2026, it died", "2026-05-04"),
            ("ordered the 10th of november", "2026-11-10"),
            ("purchased Dec 3rd", "2025-12-03"),
            ("purchased March 12, 2025, by card", "2025-03-12"),
            ("bought 31/08/2026", "2026-08-31"),
            ("bought 05/04/2026", "05/04/2026"),
            ("got both back in the Black Friday sale", "Black Friday"),
            ("中秋节那几天买的", "中秋节"),
            ("bought it, now on 31.08.2 firmware", None),
            ("bought 31 February 2026", None),
            ("如果我今天下单明天能到吗", None),
            ("昨天在别家买了个锅", None),
            ("收到短信说昨天已发货", None),
            ("邻居昨天都收到了", None),
            ("got an error yesterday", None),
        ],
    )
    def test_a_day_or_the_words(self, text: str, expected: str | None) -> None:
        found = dates.extract(align(text), date(2026, 11, 26))
        assert [value for _, value, *_ in found] == ([] if expected is None else [expected])
