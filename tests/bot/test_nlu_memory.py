"""What was worked out of texts is kept, but not without end."""

from bot.nlu.memory import LONGEST, remembered


def test_short_texts_are_worked_on_once_and_long_ones_leave_nothing() -> None:
    worked: list[tuple[str, ...]] = []

    @remembered(2)
    def joined(*texts: str) -> str:
        worked.append(texts)
        return "".join(texts)

    long = "长" * (LONGEST + 1)
    for _ in range(2):
        assert joined("手", "环") == "手环" and joined("手", long) == "手" + long
    assert worked == [("手", "环"), ("手", long), ("手", long)]
    assert joined.cache_info().currsize == 1
    for text in "一二三":
        joined(text)
    assert joined.cache_info().currsize == 2
    joined.cache_clear()
    assert joined.cache_info().currsize == 0
