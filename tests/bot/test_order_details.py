"""What customers' words tell of an address, an invoice, a reason, and of several orders in one message."""

from __future__ import annotations

import pytest

from bot.actions import dates
from bot.actions.advice import read_budget
from bot.actions.order_details import (
    address_told,
    amended_address,
    corrected,
    is_reason,
    read_address,
    read_invoice,
    told_reason,
)
from bot.actions.said import is_no_value, is_question, is_wait
from bot.actions.several_orders import OrderWish, named, unsure, wishes
from bot.nlu.dates import current_day

WHOLE = {"recipient": "李雷", "phone": "13900001111", "address": "杭州市西湖区文三路8号2号楼301"}
LI = {"recipient": "李雷", "phone": "13900001111", "address": "上海市浦东新区张江路100弄5号301"}


class TestSaid:
    @pytest.mark.parametrize(
        "text",
        [
            "个人和公司有啥区别",
            "what's the tax number for?",
            "can i also change the phone number",
            "要写税号吗",
            "按公司开？",
        ],
    )
    def test_questions(self, text: str) -> None:
        assert is_question(text)
        assert is_no_value(text)

    @pytest.mark.parametrize("text", ["one sec", "稍等", "我找一下", "hold on", "let me check", "等下"])
    def test_waiting(self, text: str) -> None:
        assert is_wait(text)
        assert is_no_value(text)

    @pytest.mark.parametrize("text", ["John Carter", "王小明", "杭州云起科技有限公司", "12 Nanjing Road, Shanghai"])
    def test_values_are_none_of_these(self, text: str) -> None:
        assert not is_no_value(text)


class TestAddress:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("上海市浦东新区张江路100弄5号301 李雷 13900001111", LI),
            ("改地址 LM2611279253 7702 上海市浦东新区张江路100弄5号301 李雷 13900001111", LI),
            (
                "I moved, send it to my office at 88 Century Avenue, Shanghai, attention Peter Novak 13700002222",
                {"recipient": "Peter Novak", "phone": "13700002222", "address": "88 Century Avenue, Shanghai"},
            ),
            (
                "change address of LM2611279253, phone 7702. new: No. 18 Huaihai Road, Shanghai, Li Wei, 13900001111",
                {"recipient": "Li Wei", "phone": "13900001111", "address": "No. 18 Huaihai Road, Shanghai"},
            ),
            ("我搬家了，新地址是广州市天河区体育西路5号2单元801", {"address": "广州市天河区体育西路5号2单元801"}),
        ],
    )
    def test_the_parts_without_the_talk_around_them(self, text: str, found: dict[str, str]) -> None:
        assert read_address(text, asked=True) == found

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("电话号码写错了 帮我改成13900001111 订单LM2611279253 尾号7702", {"phone": "13900001111"}),
            ("收件人改成我老婆张丽 电话地址不变", {"recipient": "张丽"}),
            ("就改个门牌号 301改成302", {}),
            ("the recipient is Anna Lee, the rest stays the same", {"recipient": "Anna Lee"}),
        ],
    )
    def test_only_what_is_to_change(self, text: str, found: dict[str, str]) -> None:
        assert read_address(text, asked=True) == found

    @pytest.mark.parametrize(
        "text", ["can i also change the phone number?", "one sec", "yes", "and can i get an invoice for that order too"]
    )
    def test_talk_is_no_address(self, text: str) -> None:
        assert read_address(text, asked=True) == {}

    @pytest.mark.parametrize(
        ("text", "address"),
        [
            ("wait the house number is 21 not 12", "21 Century Avenue"),
            ("不是12，是21", "21 Century Avenue"),
            ("12改成21", "21 Century Avenue"),
        ],
    )
    def test_corrected(self, text: str, address: str) -> None:
        assert corrected({"recipient": "Ann", "address": "12 Century Avenue"}, text) == {
            "recipient": "Ann",
            "address": address,
        }

    def test_nothing_corrected_that_was_not_told(self) -> None:
        assert corrected({"address": "12 Century Avenue"}, "it is 40 not 30") is None


class TestAmendedAddress:
    @pytest.mark.parametrize(
        ("address", "said", "amended"),
        [
            ("成都市武侯区天府大道99号", "是199号不是99号", "成都市武侯区天府大道199号"),
            ("南京市鼓楼区中山路5号", "漏了 5栋2单元301", "南京市鼓楼区中山路5号5栋2单元301"),
            ("上海市浦东新区世纪大道100号", "门牌写错了 是200号", "上海市浦东新区世纪大道200号"),
            ("Flat 3, 12 Garden Road, Suzhou", "actually make it flat 5", "Flat 5, 12 Garden Road, Suzhou"),
            ("12 Garden Road, Suzhou", "should be number 21", "21 Garden Road, Suzhou"),
            ("南京市鼓楼区中山路5号", "写错了", None),
        ],
    )
    def test_only_the_part_that_was_told_changes(self, address: str, said: str, amended: str | None) -> None:
        assert amended_address(address, said) == amended


class TestAddressTold:
    @pytest.mark.parametrize(
        ("before", "said", "told"),
        [
            ({"recipient": "张伟"}, "顺便把地址改成沈阳市和平区南京街1号602", {"address": "沈阳市和平区南京街1号602"}),
            (
                {"address": "广州市天河区体育西路维多利广场A座1201"},
                "啊写错了，是B座",
                {"address": "广州市天河区体育西路维多利广场B座1201"},
            ),
            (WHOLE, "等下，楼号写错了应该是3号楼", {"address": "杭州市西湖区文三路8号3号楼301"}),
            (WHOLE, "不对是1503", {"address": "杭州市西湖区文三路8号2号楼1503"}),
            (WHOLE, "顺便收件人电话也换成13800001112", {"phone": "13800001112"}),
            (WHOLE, "哦写错了，是李蕾", {"recipient": "李蕾"}),
            (WHOLE, "小区名写错了，是碧桂园", {}),
            ({"address": "上海市世纪大道100号"}, "15楼1502", {"address": "上海市世纪大道100号15楼1502"}),
            ({"address": "12 Garden Road, Suzhou"}, "sorry, it's 18 Lake Road", {"address": "18 Lake Road, Suzhou"}),
            ({"recipient": "Anna Lee"}, "oh sorry, typo, Anna Leigh", {"recipient": "Anna Leigh"}),
        ],
    )
    def test_only_what_a_message_tells_changes(
        self, before: dict[str, str], said: str, told: dict[str, str]
    ) -> None:
        assert address_told(before, said, asked=before != WHOLE) == told


class TestInvoice:
    @pytest.mark.parametrize("text", ["公司的", "抬头写公司", "company", "it's for my company"])
    def test_a_company_without_its_name(self, text: str) -> None:
        assert read_invoice(text, asked=True) == {"kind": "company"}

    @pytest.mark.parametrize(
        "text", ["个人", "再开张发票 个人", "Personal", "for myself", "抬头：个人", "抬头都是个人"]
    )
    def test_a_person_without_a_name(self, text: str) -> None:
        assert read_invoice(text, asked=True) == {"kind": "personal"}

    @pytest.mark.parametrize(
        "text",
        [
            "个人和公司有啥区别",
            "跟上次一样的抬头",
            "what's the tax number for?",
            "yes",
            "我找一下",
            "same as last time",
        ],
    )
    def test_no_title(self, text: str) -> None:
        assert read_invoice(text, asked=True) == {}

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            (
                "invoice for LM2611164657 7702, in the name of John Carter, email john@mail.example",
                {"title": "John Carter", "email": "john@mail.example"},
            ),
            (
                "Need invoice, company name Blue Fox Trading Ltd, tax id 91310000MA1K35XX1A",
                {"title": "Blue Fox Trading Ltd", "tax_number": "91310000MA1K35XX1A", "kind": "company"},
            ),
            (
                "给我开杭州云起科技有限公司的发票，税号91330106MA2ABCDE1K",
                {"title": "杭州云起科技有限公司", "tax_number": "91330106MA2ABCDE1K", "kind": "company"},
            ),
            ("开发票 LM2611239358 0042", {}),
            ("can I get an invoice for my company?", {}),
        ],
    )
    def test_told_with_the_wish(self, text: str, found: dict[str, str]) -> None:
        assert read_invoice(text) == found

    @pytest.mark.parametrize("text", ["没有税号", "no tax number"])
    def test_no_tax_number_to_be_had(self, text: str) -> None:
        assert read_invoice(text)["tax_number"] == "-"


class TestReason:
    @pytest.mark.parametrize("text", ["买错了", "就是不想要了呗", "降价了", "颜色跟图片差太多", "changed my mind"])
    def test_reasons(self, text: str) -> None:
        assert is_reason(text)

    @pytest.mark.parametrize(
        "text", ["寄到哪啊 我自己寄还是你们来拿", "is the pickup free?", "能不能mesh", "坏了也能退？"]
    )
    def test_questions_are_none(self, text: str) -> None:
        assert not is_reason(text)

    def test_told_with_the_wish(self) -> None:
        text = "got my lamp today and it has a scratch, i want a new one. LM2611214864 7731"
        assert told_reason(text) == "got my lamp today and it has a scratch"
        assert told_reason("我要退货 LM2611227703 8831") is None


class TestSeveralOrders:
    def test_each_is_bound_to_its_clause(self) -> None:
        text = "LM2611273006 8831 这个先别发了取消掉，另外LM2611227703那个想开张发票"
        cancel, invoice = (
            OrderWish("LM2611273006", "cancel", "8831"),
            OrderWish("LM2611227703", "invoice", None),
        )
        assert wishes(text) == [cancel, invoice]
        assert wishes("cancel LM2611273006 8831 and I need an invoice for LM2611227703") == [cancel, invoice]

    @pytest.mark.parametrize(
        "text", ["LM2611275491 3394 取消，LM2611229881 先留着", "keep LM2611229881 but cancel LM2611275491 3394"]
    )
    def test_the_one_to_keep_is_left_alone(self, text: str) -> None:
        assert wishes(text) == [OrderWish("LM2611275491", "cancel", "3394")]

    @pytest.mark.parametrize(
        "text",
        [
            "LM2611229881和LM2611275491，第一个先留着，第二个取消",
            "orders LM2611229881 and LM2611275491: keep the first, cancel the second",
        ],
    )
    def test_first_and_second(self, text: str) -> None:
        assert wishes(text) == [OrderWish("LM2611275491", "cancel", None)]

    def test_only_the_first(self) -> None:
        text = "I have two orders LM2611229881 and LM2611275491. change the address on the first one"
        assert wishes(text) == [OrderWish("LM2611229881", "address", None)]

    def test_one_of_them_is_not_told_apart(self) -> None:
        assert unsure("LM2611229881 LM2611275491 cancel one of them")
        assert not unsure("cancel LM2611229881 and LM2611275491")

    def test_a_denied_number_is_not_named(self) -> None:
        assert named("不是LM2611273006，是LM2611227703") == ["LM2611227703"]


class TestFigures:
    @pytest.mark.parametrize(
        ("text", "budget"),
        [
            ("budget 200, 24/7 heart rate", "200"),
            ("24 小时心率，200 以内", "200"),
            ("六百以内", "600"),
            ("一千五左右", "1500"),
            ("heart rate, 24 hours a day", None),
        ],
    )
    def test_budget(self, text: str, budget: str | None) -> None:
        assert read_budget(text) == budget

    def test_month_said(self) -> None:
        last_year = current_day().year - 1
        for text in ("bought march last year", "去年三月买的", f"{last_year}-03-14", f"{last_year}年3月"):
            month = dates.month_said(text)
            assert month is not None
            assert (month.year, month.month) == (last_year, 3)
        assert dates.month_said("last year") is None
