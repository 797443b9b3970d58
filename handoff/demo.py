"""Demo data of the desk: skill groups and accounts, made once; passwords come at random and are kept by the runner."""

from __future__ import annotations

from dataclasses import dataclass

from handoff.agents.groups import FIRST_GROUPS, ensure_groups
from handoff.agents.models import Role
from handoff.agents.passwords import hasher
from handoff.agents.service import Agents
from handoff.database import Database


@dataclass(frozen=True)
class DemoAccount:
    """An account that `make run` makes; `capacity` in conversations."""

    name: str
    role: Role
    groups: tuple[str, ...] = tuple(FIRST_GROUPS)
    capacity: int = 5

    @property
    def secret_name(self) -> str:
        """The environment variable with the password."""
        return f"DEMO_PASSWORD_{self.name.upper()}"


ACCOUNTS = (
    DemoAccount("Lin", Role.AGENT),
    DemoAccount("Chen", Role.AGENT),
    DemoAccount("Zhao", Role.SUPERVISOR),
    DemoAccount("Su", Role.DESIGNER, ()),
    DemoAccount("admin", Role.ADMIN),
)


async def seed(database: Database, passwords: dict[str, str]) -> None:
    """Make groups and accounts that are missing, and give every demo account the password in `passwords`."""
    async with database.write() as session:
        await ensure_groups(session)
        for account in ACCOUNTS:
            agents = Agents(session)
            agent = await agents.by_name(account.name)
            if agent is None:
                await agents.add(account.name, passwords[account.name], account.role, account.groups, account.capacity)
            else:
                agent.password_hash = hasher.hash(passwords[account.name])
