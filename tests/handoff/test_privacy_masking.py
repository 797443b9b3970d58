"""Personal data is found and hidden, and nothing else is: frozen sentences in both languages."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from handoff.locales import section
from handoff.privacy.finder import PERSONAL, find
from handoff.privacy.masking import KINDS, anonymous, hide, hide_all, mask, preview

DATA = Path(__file__).parent / "data"
MARKS = re.compile("⟦|⟧")


def lines(name: str) -> list[str]:
    text = (DATA / name).read_text("utf8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("line", lines("personal_data.txt"))
def test_personal_data_is_found_whole_and_nothing_around_it(line: str) -> None:
    kind, marked = line.split("\t")
    wanted = re.findall("⟦([^⟧]*)⟧", marked)
    text = MARKS.sub("", marked)
    found = find(text)
    assert [text[one.start : one.end] for one in found] == wanted
    assert {one.kind for one in found} == {kind}


@pytest.mark.parametrize("line", lines("ordinary_words.txt"))
def test_what_only_looks_alike_stays(line: str) -> None:
    assert find(line) == []
    assert hide(line) == mask(line, "zh") == line


def test_the_sentences_are_many() -> None:
    assert len(lines("personal_data.txt")) >= 120 and len(lines("ordinary_words.txt")) >= 120
    assert {line.split("\t")[0] for line in lines("personal_data.txt")} == PERSONAL


def test_every_kind_has_a_label_in_both_languages() -> None:
    assert set(section("privacy")) == set(KINDS) and set(KINDS) > PERSONAL


def test_what_is_around_stays_as_it_was_typed() -> None:
    assert mask("订单ＬＭ２６１１０３，电话１３８１２３４５６７８。", "zh") == "订单ＬＭ２６１１０３，电话〔电话〕。"
    assert mask("call 415-555-0132 or mail a@example.com", "en") == "call [phone] or mail [e-mail]"


def test_a_preview_never_shows_half_a_number() -> None:
    text = "我等了很久了一直没有人联系我" + "，电话13812345678"
    for limit in range(1, len(text)):
        assert not re.search(r"\d{4}", preview(text, limit, "zh"))


def test_values_are_searched_however_deep_they_lie() -> None:
    hidden = hide_all({"a": ["13812345678", {"b": ("x@example.com", 13812345678)}], "n": 42, "yes": True, "t": None})
    assert hidden == {"a": ["[phone]", {"b": ["[email]", "[phone]"]}], "n": 42, "yes": True, "t": None}


@pytest.mark.parametrize(
    "text",
    [
        "1 " * 2000, "138" * 1300, "北京市朝阳区建国" * 500, "南京路" * 1300, "a@" * 2000, "Room 5, " * 500,
        "1\u200b" * 2000, "one " * 1000, "+1 " * 1300, "6 2 " * 1000, "1" + " " * 3999, "中" * 4000,
    ],
)  # fmt: skip
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    find(text)
    assert time.process_time() - began < 5, "the cost must grow with the length, not explode"


@pytest.mark.parametrize(
    ("phrase", "masked"),
    [
        ("订单LM2611030042到哪了", "订单〔订单号〕到哪了"),
        ("ＬＭ２６１１０３００４２", "〔订单号〕"),
        ("lm 26 1103 0042 还没到", "〔订单号〕 还没到"),
        ("电话13812345678", "电话〔电话〕"),
        ("打 138-1234-5678 找我", "打 〔电话〕 找我"),
        ("call +1 415 555 0132", "call 〔电话〕"),
        ("发到 a.b+c@mail.example.com 吧", "发到 〔邮箱〕 吧"),
        ("尾号是1234", "尾号是〔数字〕"),
        ("我叫王小明", "我叫〔姓名〕"),
        ("寄到北京市朝阳区建国路88号3栋501室", "寄到〔地址〕"),
        ("身份证11010519491231002X", "身份证〔证件号〕"),
        ("SN20261103884455", "〔数字〕"),
        ("密码是Hunter2pass", "密码是〔密码〕"),
        ("WiFi密码:abcdefgh 连不上", "WiFi密码:〔密码〕 连不上"),
        ("密码改成 p@ssword 以后登不上", "密码改成 〔密码〕 以后登不上"),
        ("验证码 4829 不对", "验证码 〔密码〕 不对"),
        ("my password is Hunter2pass and it fails", "my password is 〔密码〕 and it fails"),
        ("PIN: 1234", "PIN: 〔密码〕"),
        ("zhangsan9 at qq.com", "〔邮箱〕"),
        ("write to li.lei at gmail.com please", "write to 〔邮箱〕 please"),
        ("我的车京A12345停在楼下", "我的车〔车牌〕停在楼下"),
        ("粤B·D12345 的车主", "〔车牌〕 的车主"),
        ("license plate ABC 1234", "license plate 〔车牌〕"),
        ("MAC AA:BB:CC:DD:EE:0F", "MAC 〔设备号〕"),
        ("mac地址aabbccddee0f", "mac地址〔设备号〕"),
        ("ip是192.168.31.17", "ip是〔设备号〕"),
        ("SN:ZX81K20261103AB", "SN:〔设备号〕"),
        ("SN:ZX81K-77QP3", "SN:〔设备号〕"),
        ("序列号ZX81K77QP3", "序列号〔设备号〕"),
        ("serial number is ZX81K77QP3", "serial number is 〔设备号〕"),
        ("机器上写着ZX81K20261103", "机器上写着〔设备号〕"),
    ],
)
def test_designers_read_nothing_that_leads_to_a_person(phrase: str, masked: str) -> None:
    assert anonymous(phrase, "zh") == masked


@pytest.mark.parametrize(
    "phrase",
    [
        "密码忘记了怎么办", "密码是什么", "my password does not work", "the password is wrong.", "验证码收不到",
        "序列号在哪里看", "SN码在盒子上吗", "where is the serial number", "look at jieli.com", "我新买了A3手表",
        "12:30:45 开始就断线",
        "iPhone12ProMax 256GB", "苏A版固件", "刚买的新iPad12", "the pin on the charger is bent 2 mm",
        "固件1.0.0.39升级失败", "App 5.2.1 闪退", "手环2步数一直是0", "iPhone 12 Pro 连不上", "走了2000步只记1500",
    ],
)  # fmt: skip
def test_designers_read_what_the_phrase_is_about(phrase: str) -> None:
    assert anonymous(phrase, "zh") == phrase
