"""A text that was read before is remembered for the day."""

import asyncio
from datetime import date
from pathlib import Path

import pytest

from bot import reading
from bot.evaluation.messages import Bot
from bot.nlu import dates
from bot.reading import Reader
from bot.wire import IncomingMessage

TEXT = "昨天买的手环3连不上手机"


@pytest.fixture(scope="module")
def loaded(model: Path) -> Reader:
    return asyncio.run(Bot.load(model))._reader


@pytest.fixture
def runs(loaded: Reader, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The texts of each run of the model."""
    loaded.forget()
    seen: list[list[str]] = []
    run = loaded._run
    monkeypatch.setattr(loaded, "_run", lambda texts: seen.append(texts) or run(texts))
    return seen


def read(reader: Reader, *texts: str) -> list[reading.Reading]:
    return reader.read_all([IncomingMessage(seq=seq, text=text) for seq, text in enumerate(texts, 1)])


def test_the_same_text_is_run_once(loaded: Reader, runs: list[list[str]]) -> None:
    first, twice, other = read(loaded, TEXT, TEXT, "你好")
    assert runs == [[TEXT, "你好"]]
    assert first.parse == twice.parse and other.intent == "greet"
    assert read(loaded, TEXT)[0].parse == first.parse and len(runs) == 1


def test_what_is_remembered_cannot_be_changed_from_outside(loaded: Reader, runs: list[list[str]]) -> None:
    read(loaded, TEXT)[0].parse["entities"].clear()
    assert read(loaded, TEXT)[0].parse["entities"]


def test_yesterday_is_another_day_tomorrow(
    loaded: Reader, runs: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    bought = []
    for today in (date(2026, 11, 26), date(2026, 11, 27)):
        monkeypatch.setattr(dates, "current_day", lambda today=today: today)
        facts = {fact["name"]: fact["value"] for fact in read(loaded, TEXT)[0].facts}
        bought.append(facts["purchased_at"])
    assert bought == ["2026-11-25", "2026-11-26"]


def test_what_is_forgotten_is_read_anew(loaded: Reader, runs: list[list[str]]) -> None:
    read(loaded, TEXT)
    loaded.forget()
    assert [reads_text.cache_info().currsize for reads_text in reading.BY_TEXT] == [0] * 4
    read(loaded, TEXT)
    assert len(runs) == 2


def test_long_texts_are_not_remembered(loaded: Reader, runs: list[list[str]]) -> None:
    for _ in range(2):
        read(loaded, TEXT * 20)
    assert len(runs) == 2


def test_only_so_many_are_remembered(loaded: Reader, runs: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "REMEMBERED", 2)
    for text in ("你好", "谢谢", "再见"):
        read(loaded, text)
    assert len(loaded._remembered) == 2
