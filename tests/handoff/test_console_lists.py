"""The console's shared lists: what pages are told, and nothing more."""

from __future__ import annotations

from handoff.console.lists import Sight, difference, renewed


def row(id: str, group: str = "care", **more: object) -> dict[str, object]:
    return {"conversation_id": id, "group": group, **more}


class TestRenewed:
    def test_rows_that_did_not_change_stay_the_same_object(self) -> None:
        before = {"a": row("a"), "b": row("b")}
        after = renewed(before, [row("a"), row("b", text="new")])
        assert after["a"] is before["a"]
        assert after["b"] == row("b", text="new")

    def test_a_list_that_did_not_change_stays_the_same_object(self) -> None:
        before = {"a": row("a")}
        assert renewed(before, [row("a")]) is before


class TestDifference:
    def test_a_page_that_shows_nothing_gets_all(self) -> None:
        assert difference(None, {"a": row("a")}) == {"all": [row("a")]}

    def test_only_changed_rows_and_the_names_of_gone_ones_travel(self) -> None:
        same = row("a")
        before = {"a": same, "b": row("b"), "c": row("c")}
        after = {"a": same, "b": row("b", text="new"), "d": row("d")}
        assert difference(before, after) == {"set": [row("b", text="new"), row("d")], "gone": ["c"]}


class TestSight:
    def test_agents_see_their_groups(self) -> None:
        rows = {"a": row("a", "care"), "b": row("b", "tech"), "c": row("c", "orders")}
        assert set(Sight(frozenset({"care", "orders"})).cut(rows)) == {"a", "c"}

    def test_who_is_in_no_group_sees_nothing(self) -> None:
        assert Sight(frozenset()).cut({"a": row("a")}) == {}

    def test_overseers_see_everything(self) -> None:
        assert set(Sight(None).cut({"a": row("a", "care"), "b": row("b", "tech")})) == {"a", "b"}
