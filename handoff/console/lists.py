"""The lists that all open pages show, read from the database once for all of them.

A list maps a conversation's id to its row. A row that did not change stays the same object, so what a page has to be
told is found by comparing objects, and only changed rows travel.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from handoff.agents.models import Agent
from handoff.agents.rights import oversees
from handoff.console.rows import LONGEST, concern_rows, held_rows, rows_of, waiting_rows
from handoff.desk import desk

Rows = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Sight:
    """What a person may see of the line and of 待干预: every group for overseers (None), else their own."""

    groups: frozenset[str] | None

    @classmethod
    def of(cls, agent: Agent) -> Sight:
        """Return this person's sight."""
        return cls(None if oversees(agent) else frozenset(agent.group_names))

    def cut(self, rows: Rows) -> Rows:
        """Return the rows within sight, at most `LONGEST`."""
        seen = ((id, row) for id, row in rows.items() if self.groups is None or row["group"] in self.groups)
        return dict(pair for pair, _ in zip(seen, range(LONGEST), strict=False))


class Lists:
    """The newest reading of every list that an open page shows."""

    def __init__(self) -> None:
        self.line: Rows = {}
        self.concern: Rows = {}
        self.held: dict[str, Rows] = {}
        self._cuts: dict[tuple[str, Sight], tuple[Rows, Rows]] = {}

    async def read_line(self) -> None:
        """Read the whole line."""
        async with desk.database.read() as session:
            self.line = renewed(self.line, await waiting_rows(session))

    async def read_concern(self) -> None:
        """Read what needs somebody."""
        async with desk.database.read() as session:
            self.concern = renewed(self.concern, await concern_rows(session))

    async def read_held(self, owners: Iterable[str]) -> None:
        """Read everything that these people hold."""
        wanted = list(owners)
        if not wanted:
            return
        async with desk.database.read() as session:
            rows = await held_rows(session, wanted)
        for owner in wanted:
            self.held[owner] = renewed(self.held.get(owner, {}), [row for row in rows if row["owner"] == owner])

    async def read_some(self, ids: Iterable[str]) -> set[str]:
        """Read these conversations again for whoever holds or held them; returns the owners whose list changed."""
        wanted = list(ids)
        async with desk.database.read() as session:
            fresh = {row["conversation_id"]: row for row in await rows_of(session, wanted)}
        changed = set()
        for owner, rows in self.held.items():
            theirs = {id: fresh[id] for id in wanted if id in fresh and fresh[id]["owner"] == owner}
            lost = [id for id in wanted if id in rows and id not in theirs]
            if lost or any(rows.get(id) != row for id, row in theirs.items()):
                self.held[owner] = {id: row for id, row in {**rows, **theirs}.items() if id not in lost}
                changed.add(owner)
        return changed

    def drop_held(self, owner: str) -> None:
        """Forget the list of who has no page open any more."""
        self.held.pop(owner, None)

    def within(self, name: str, sight: Sight) -> Rows:
        """Return the line (`line`) or 待干预 (`concern`) as far as `sight` goes; cut once for all who see the same."""
        rows: Rows = getattr(self, name)
        known = self._cuts.get((name, sight))
        if known is None or known[0] is not rows:
            before = known[1] if known else {}
            cut = sight.cut(rows)
            known = (rows, before if _same(before, cut) else cut)
            self._cuts[name, sight] = known
        return known[1]


def renewed(before: Rows, fresh: Iterable[dict[str, Any]]) -> Rows:
    """Return the fresh rows by id, with the old objects for those that did not change; `before` itself if none did."""
    after = {}
    for row in fresh:
        old = before.get(row["conversation_id"])
        after[row["conversation_id"]] = old if old == row else row
    return before if _same(before, after) else after


def _same(before: Rows, after: Rows) -> bool:
    return len(before) == len(after) and all(before.get(id) is row for id, row in after.items())


def difference(before: Rows | None, after: Rows) -> dict[str, Any]:
    """Return what a page that shows `before` must be told: `{all}` for a page that shows nothing yet."""
    if before is None:
        return {"all": list(after.values())}
    changed = [row for id, row in after.items() if before.get(id) is not row]
    return {"set": changed, "gone": [id for id in before if id not in after]}
