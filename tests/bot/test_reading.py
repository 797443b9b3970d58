"""A text that was read before is remembered for the day."""

import asyncio
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bot import reading
from bot.evaluation.messages import Bot
from bot.nlu import dates
from bot.reading import Reader
from bot.wire import DoorError, IncomingMessage

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


def soon(reader: Reader, *turns: list[IncomingMessage]) -> list[list[reading.Reading] | BaseException]:
    """What turns get that ask at the same moment."""

    async def together() -> list[list[reading.Reading] | BaseException]:
        return await asyncio.gather(*(reader.read_soon(turn) for turn in turns), return_exceptions=True)

    return asyncio.run(together())


def turn(*texts: str) -> list[IncomingMessage]:
    return [IncomingMessage(seq=seq, text=text) for seq, text in enumerate(texts, 1)]


def test_turns_of_one_moment_are_run_together(loaded: Reader, runs: list[list[str]]) -> None:
    first, second, third = soon(loaded, turn("你好"), turn(TEXT, "保修多久"), turn("你好"))
    assert runs == [["你好", TEXT, "保修多久"]]
    assert [one.intent for one in first] == [one.intent for one in third] == ["greet"]
    assert [one.text for one in second] == [TEXT, "保修多久"]
    assert [one.intent for one in second] == ["device_problem", "warranty"]


def test_a_crowd_is_served_in_groups(loaded: Reader, runs: list[list[str]]) -> None:
    texts = [f"第{number}次问保修多久" for number in range(2 * reading.MOST_TOGETHER + 3)]
    readings = soon(loaded, *(turn(text) for text in texts))
    assert [one.text for [one] in readings] == texts
    assert [len(run) for run in runs] == [reading.MOST_TOGETHER, reading.MOST_TOGETHER, 3]


def test_a_turn_that_cannot_be_read_fails_alone(loaded: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded.forget()
    run = loaded._run

    def breaks(texts: list[str]) -> list[dict[str, Any]]:
        if "坏" in texts:
            raise ValueError("broken")
        return run(texts)

    monkeypatch.setattr(loaded, "_run", breaks)
    pressed = [IncomingMessage(seq=1, payload="/no_such_intent")]
    fine, broken, unknown = soon(loaded, turn("你好"), turn("坏"), pressed)
    assert fine[0].intent == "greet"
    assert isinstance(broken, ValueError) and isinstance(unknown, DoorError)


def test_what_is_forgotten_is_read_anew(loaded: Reader, runs: list[list[str]]) -> None:
    read(loaded, TEXT)
    loaded.forget()
    assert not any(reads_text.cache_info().currsize for reads_text in reading.BY_TEXT)
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
