"""Accounts, logins and presence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.agents import passwords
from handoff.agents.login_guard import login_guard
from handoff.agents.models import Agent, AgentGroup, AgentSession, Group, Presence, Role
from handoff.clock import now
from handoff.conversations.models import Conversation
from handoff.database import after_commit
from handoff.desk import desk
from handoff.errors import ApiError
from handoff.identifiers import AGENT_TOKEN_PREFIX, hash_token, new_id, new_token
from handoff.settings import settings

SIGN_OF_LIFE_EVERY = timedelta(seconds=10)


class Agents:
    """Accounts within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def add(self, name: str, password: str, role: Role, groups: Iterable[str], capacity: int = 5) -> Agent:
        """Create an account; ValueError for a name that is taken or a group that does not exist."""
        if await self.by_name(name) is not None:
            raise ValueError(f"there is already an account named {name!r}")
        for group in groups:
            if await self.session.get(Group, group) is None:
                raise ValueError(f"there is no group named {group!r}")
        agent = Agent(
            id=new_id("a"),
            name=name,
            password_hash=await passwords.hashed(password),
            role=role,
            capacity=capacity,
            status=Presence.OFFLINE,
            created_at=now(),
        )
        self.session.add(agent)
        await self.session.flush()
        self.session.add_all(AgentGroup(agent_id=agent.id, group_name=group) for group in groups)
        await self.session.flush()
        await self.session.refresh(agent, ["groups"])
        return agent

    async def by_name(self, name: str) -> Agent | None:
        """Return the account with this name."""
        return await self.session.scalar(select(Agent).where(Agent.name == name))

    async def open_session(self, agent: Agent) -> str:
        """Log the agent in; returns the bearer token, shown this once."""
        token = new_token(AGENT_TOKEN_PREFIX)
        self.session.add(
            AgentSession(
                token_hash=hash_token(token),
                agent_id=agent.id,
                created_at=now(),
                expires_at=now() + timedelta(hours=settings.agent_session_hours),
            )
        )
        agent.last_seen_at = now()
        await self.session.flush()
        return token

    async def by_token(self, token: str) -> Agent | None:
        """Return whose valid login this is."""
        return await self.session.scalar(
            select(Agent)
            .join(AgentSession, AgentSession.agent_id == Agent.id)
            .where(AgentSession.token_hash == hash_token(token), *_valid())
        )

    async def logins(self, tokens: Collection[str]) -> dict[str, tuple[str, frozenset[str]]]:
        """Return role and groups behind each of these logins that is valid: cheap for hundreds at once."""
        hashes = {hash_token(token): token for token in tokens}
        found = await self.session.execute(
            select(AgentSession.token_hash, AgentSession.agent_id, Agent.role)
            .join(Agent, AgentSession.agent_id == Agent.id)
            .where(AgentSession.token_hash.in_(hashes), *_valid())
        )
        groups: defaultdict[str, set[str]] = defaultdict(set)
        for agent_id, group in await self.session.execute(select(AgentGroup.agent_id, AgentGroup.group_name)):
            groups[agent_id].add(group)
        return {hashes[token_hash]: (role, frozenset(groups[agent_id])) for token_hash, agent_id, role in found}

    async def revoke(self, token: str) -> None:
        """End one login; open sockets of it are told to look again."""
        await self.session.execute(
            update(AgentSession).where(AgentSession.token_hash == hash_token(token)).values(revoked_at=now())
        )
        after_commit(self.session, lambda: desk.hub.publish("logins"))

    async def log_out(self, agent_id: str, token: str) -> bool:
        """End one login; returns whether the person is still logged in elsewhere."""
        await self.session.get_one(Agent, agent_id, with_for_update=True)  # of two at once, one is the last
        await self.revoke(token)
        others = select(AgentSession.token_hash).where(AgentSession.agent_id == agent_id, *_valid())
        return await self.session.scalar(others.limit(1)) is not None

    async def set_password(self, agent: Agent, password: str | None) -> None:
        """Change the password (None: nobody can log in any more) and end every login of the account."""
        agent.password_hash = passwords.NO_PASSWORD if password is None else await passwords.hashed(password)
        await self.session.execute(
            update(AgentSession)
            .where(AgentSession.agent_id == agent.id, AgentSession.revoked_at.is_(None))
            .values(revoked_at=now())
        )
        await self.session.flush()
        after_commit(self.session, lambda: desk.hub.publish("logins"))

    async def set_presence(
        self, agent: Agent, status: Presence, reason: str | None = None, *, seen: bool = True
    ) -> None:
        """Change presence and tell colleagues; `seen`: the agent did so, which is a sign of life."""
        await self.session.refresh(agent, with_for_update=True)
        agent.status, agent.status_reason, agent.status_since = status, reason, now()
        if seen:
            agent.last_seen_at = now()
        await self.session.flush()
        after_commit(self.session, lambda: desk.hub.publish("presence", None, agent=agent.id, status=str(status)))

    async def gone(self, only: str | None = None, *, lock: bool = False) -> list[Agent]:
        """Return who is on duty, or still holds conversations, but is not there; `only` asks about one agent.

        Not there: no sign of life for `settings.agent_gone_after`, or an agent who is on a break
        or off duty (overseers may step in at any time).
        """
        unseen = or_(
            Agent.last_seen_at < now() - timedelta(seconds=settings.agent_gone_after), Agent.last_seen_at.is_(None)
        )
        holds = select(Conversation.id).where(Conversation.owner == literal("agent:").concat(Agent.id)).exists()
        off_duty = and_(Agent.role == Role.AGENT, Agent.status != Presence.ONLINE)
        query = select(Agent).where(
            or_(and_(Agent.status == Presence.ONLINE, unseen), and_(holds, or_(unseen, off_duty)))
        )
        if only is not None:
            query = query.where(Agent.id == only)
        return list(await self.session.scalars(query.with_for_update() if lock else query))


def _valid() -> tuple[ColumnElement[bool], ...]:
    """What makes a login valid now."""
    return AgentSession.revoked_at.is_(None), AgentSession.expires_at > now()


async def authenticate(name: str, password: str, address: str) -> tuple[Agent, str]:
    """Log in; 401 `bad_login`, 429 for this name from this address after repeated failures.

    Takes equally long for names that do not exist.
    """
    async with login_guard.one_at_a_time(name, address):
        async with desk.database.read() as session:
            agent = await Agents(session).by_name(name)
        if not await passwords.matches(agent.password_hash if agent else None, password) or agent is None:
            login_guard.failed(name, address)
            raise ApiError(401, "bad_login")
        login_guard.succeeded(name, address)
    async with desk.database.write() as session:
        current = await session.get_one(Agent, agent.id)
        return current, await Agents(session).open_session(current)


async def give_back(agent: Agent, reason: str, by: str) -> int:
    """Put everything the agent holds back in line; returns how many conversations.

    Each in a transaction of its own: nobody ever holds the locks of two conversations, so nobody waits in a circle.
    """
    from handoff.conversations.service import Conversations
    from handoff.queue.models import Reason
    from handoff.queue.service import Queue

    async with desk.database.read() as session:
        held = list(await session.scalars(select(Conversation.id).where(Conversation.owner == agent.owner_key)))
    for conversation_id in held:
        async with desk.database.write() as session:
            conversation = await Conversations(session).get(conversation_id, lock=True)
            if conversation.owner == agent.owner_key:
                await Queue(session).finish(conversation)
                await Queue(session).enqueue(conversation, Reason(reason), by=by)
    return len(held)


async def sign_of_life(agent: Agent) -> None:
    """Note that the agent is there, at most every `SIGN_OF_LIFE_EVERY`."""
    if agent.last_seen_at is not None and abs(now() - agent.last_seen_at) < SIGN_OF_LIFE_EVERY:
        return
    async with desk.database.write() as session:
        await session.execute(update(Agent).where(Agent.id == agent.id).values(last_seen_at=now()))


def agent_view(agent: Agent) -> dict[str, object]:
    """Return what a login and colleagues see of an account."""
    return {
        "id": agent.id,
        "name": agent.name,
        "role": agent.role,
        "groups": sorted(agent.group_names),
        "capacity": agent.capacity,
        "status": agent.status,
        "status_reason": agent.status_reason,
    }
