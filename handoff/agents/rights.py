"""What each role may do: the contract's table, as functions that answer yes or no."""

from __future__ import annotations

from handoff.agents.models import Agent, Role
from handoff.conversations.models import BOT, CLOSED, QUEUE, Conversation, Standing
from handoff.errors import ApiError
from handoff.settings import settings

CONCERN_THRESHOLD = 50
OVERSEERS = {Role.SUPERVISOR, Role.ADMIN}
DESK_ROLES = {Role.AGENT, Role.SUPERVISOR, Role.ADMIN}


def oversees(agent: Agent) -> bool:
    """Supervisors and admins act on every group; what they do on others' conversations is flagged in the audit."""
    return agent.role in OVERSEERS


def serves(agent: Agent, group: str | None) -> bool:
    """Tell whether the agent is in the group."""
    return group is not None and group in agent.group_names


def owns(agent: Agent, conversation: Conversation | Standing) -> bool:
    """Tell whether the agent is the one who speaks."""
    return conversation.owner == agent.owner_key


def needs_intervention(conversation: Conversation | Standing) -> bool:
    """Tell whether this is a bot conversation that is going badly (待干预)."""
    return conversation.owner == BOT and conversation.concern >= CONCERN_THRESHOLD


def may_read(agent: Agent, conversation: Conversation | Standing) -> bool:
    """Own conversations (also those closed last), own groups' waiting and 待干预; overseers all."""
    if oversees(agent):
        return True
    if agent.role != Role.AGENT:
        return False
    waiting = conversation.owner == QUEUE or needs_intervention(conversation)
    closed_by_me = conversation.owner == CLOSED and conversation.last_agent_id == agent.id
    return owns(agent, conversation) or closed_by_me or (waiting and serves(agent, conversation.group_name))


def require_desk_role(agent: Agent) -> None:
    """Refuse designers where customers' conversations are worked on: 403."""
    if agent.role not in DESK_ROLES:
        raise ApiError(403, "forbidden")


def require_overseer(agent: Agent) -> None:
    """Refuse everybody but supervisors and admins: 403."""
    if not oversees(agent):
        raise ApiError(403, "forbidden")


def require_read(agent: Agent, conversation: Conversation) -> None:
    """Raise 403 when this person may not see the conversation."""
    if not may_read(agent, conversation):
        raise ApiError(403, "forbidden")


def require_action(agent: Agent, conversation: Conversation) -> bool:
    """Transfer, release, resolve: the owner, or an overseer. Returns whether to flag it; 403 or 409 `not_owner`."""
    require_desk_role(agent)
    if owns(agent, conversation):
        return False
    if oversees(agent):
        return True
    raise not_owner(agent, conversation)


def not_owner(agent: Agent, conversation: Conversation) -> ApiError:
    """Return the refusal of who does not own the conversation: 409 in the own groups, 403 outside."""
    near = may_read(agent, conversation) or serves(agent, conversation.group_name or settings.default_group)
    return ApiError(409, "not_owner") if near else ApiError(403, "forbidden")
