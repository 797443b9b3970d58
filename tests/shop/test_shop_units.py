"""Masks and words, where one wrong case shows too much or reads badly."""

import pytest

from examples.shop.errors import caller_language
from examples.shop.masking import mask_address, mask_email, mask_name
from examples.shop.models import Status
from examples.shop.texts import load, say, yuan


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("王芳", "王*"),
        ("王小明", "王**"),
        ("达瓦次仁", "达***"),
        ("Emily Carter", "E***"),
        ("Daniel Müller", "D***"),
        ("王", "王*"),
    ],
)
def test_names(name, masked) -> None:
    assert mask_name(name) == masked


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("西湖区文三路 478 号华星时代 3 幢 1202", "西湖区文三路****"),
        ("鹿城区车站大道 8 号", "鹿城区车站大道****"),
        ("Room 2304, 1088 Fangdian Road, Pudong", "Fangdian Road****"),
        ("某村 12 号", "某村****"),
        ("12 号院", "*****"),
        ("18 路 5 号", "** 路****"),
    ],
)
def test_addresses(address, masked) -> None:
    assert mask_address(address) == masked


def test_no_seeded_house_number_shows() -> None:
    for customer in load("customers"):
        assert not any(character.isdigit() for character in mask_address(customer["address"]))


def test_email() -> None:
    assert mask_email("lin@example.com") == "l***@example.com"


@pytest.mark.parametrize(("fen", "text"), [(14900, "149"), (14950, "149.50")])
def test_yuan(fen, text) -> None:
    assert yuan(fen) == text


@pytest.mark.parametrize(
    ("header", "language"), [("zh", "zh"), ("ZH-TW", "zh"), ("en,zh", "en"), ("", "en"), (None, "en")]
)
def test_language(header, language) -> None:
    assert caller_language(header) == language


def test_every_text_is_in_both_languages() -> None:
    def leaves(node: dict) -> list[dict]:
        if all(isinstance(value, str) for value in node.values()):
            return [node]
        return [leaf for child in node.values() for leaf in leaves(child)]

    found = leaves(load("texts"))
    assert len(found) > 50
    for words in found:
        assert set(words) == {"zh", "en"}
        assert not any("\u4e00" <= character <= "\u9fff" for character in words["en"])


def test_say_fills_each_language() -> None:
    words = say("done.cancel_paid", number="LM1", amount="149", date={"zh": "3月16日", "en": "16 Mar"})
    assert "3月16日" in words["zh"]
    assert "16 Mar" in words["en"]


def test_states_are_the_contracts() -> None:
    assert [status.value for status in Status] == [
        "unpaid", "paid", "packed", "shipped", "delayed", "delivered", "lost", "cancelled", "returning", "refunded",
    ]  # fmt: skip
