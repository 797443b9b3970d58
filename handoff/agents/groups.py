"""The skill groups that a new desk begins with; a handoff always needs one."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.agents.models import Group

FIRST_GROUPS = {
    "orders": ("订单物流", "Orders & delivery"),
    "tech": ("技术支持", "Technical support"),
    "care": ("客户关怀", "Customer care"),
}


async def ensure_groups(session: AsyncSession) -> None:
    """Make the first groups, always open, where there are none yet."""
    if await session.scalar(select(func.count()).select_from(Group)):
        return
    for name, (zh, en) in FIRST_GROUPS.items():
        session.add(Group(name=name, title_zh=zh, title_en=en, timezone="Asia/Shanghai", hours=None))
    await session.flush()
