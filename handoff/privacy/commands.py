"""`jieli forget` and `jieli export`: what they print, in Chinese and English. Both may run beside a serving desk."""

from __future__ import annotations

import json

import typer
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.clock import iso
from handoff.conversations.models import Conversation
from handoff.customers.models import Customer
from handoff.desk import desk
from handoff.privacy.erasure import Removed, erase_customer, scrub, tell_bots
from handoff.privacy.export import export_customer
from handoff.privacy.retention import drop_put_aside
from handoff.privacy.search import find_customers

BY = "operator"
_NAMES = {
    "customers": ("客户姓名与外部编号", "customer names and company ids"),
    "conversations": ("会话", "conversations"),
    "messages": ("消息", "messages"),
    "attachments": ("附件", "attachments"),
    "facts": ("事实", "facts"),
    "tried_steps": ("已试步骤", "tried steps"),
    "corrections": ("摘要纠正", "corrections"),
    "notes": ("内部备注", "internal notes"),
    "promises": ("承诺", "promises"),
    "handoffs": ("转接摘要", "handoff summaries"),
    "ratings": ("评价留言", "ratings' comments"),
    "channel_cursors": ("待发回调", "callbacks waiting"),
    "channel_calls": ("回调记录", "webhook calls"),
}


async def forget(words: str, *, confirmed: bool) -> int:
    """Erase whom `words` finds, after a confirmation; returns the exit code: 1 nobody, no, or bots still to be told."""
    desk.open()
    try:
        customers = await _found(words)
        if not customers:
            return 1
        if not confirmed and not typer.confirm("全部删除，无法恢复？ / Remove all of this for good?"):
            return 1
        removed = Removed()
        for customer in customers:
            removed += await erase_customer(desk.database, customer.id, by=BY)
        _tell(removed)
        await scrub(desk.database, whole=True)
        drop_put_aside()
        return await _tell_bots()
    except SQLAlchemyError as error:
        typer.echo(
            f"数据库出错，已删除的会话不会恢复，请重试 / The database failed ({type(error).__name__}); "
            "what is erased stays erased. Run the command again.",
            err=True,
        )
        return 1
    finally:
        await desk.close()


async def export(words: str) -> int:
    """Print whom `words` finds as JSON; returns the exit code."""
    desk.open()
    try:
        async with desk.database.read() as session:
            found = [await export_customer(session, customer) for customer in await find_customers(session, words)]
    finally:
        await desk.close()
    if not found:
        _nobody(words)
        return 1
    typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
    return 0


async def _found(words: str) -> list[Customer]:
    async with desk.database.read() as session:
        customers = await find_customers(session, words)
        for customer in customers:
            typer.echo(await _line(session, customer))
    if not customers:
        _nobody(words)
    return customers


def _nobody(words: str) -> None:
    typer.echo(f"没有找到：{words} / Nobody found: {words}", err=True)


async def _line(session: AsyncSession, customer: Customer) -> str:
    query = select(func.count(), func.max(Conversation.updated_at)).where(Conversation.customer_id == customer.id)
    count, last = (await session.execute(query)).one()
    name = " ".join(filter(None, [customer.name, customer.external_id])) or "匿名 / anonymous"
    return f"{customer.id}  {name}  会话 / conversations: {count}  最后 / last: {iso(last) if last else '-'}"


def _tell(removed: Removed) -> None:
    typer.echo("已删除 / Removed:")
    for name, count in removed.counts.items():
        chinese, english = _NAMES[name]
        typer.echo(f"  {count:>6}  {chinese} / {english}")
    typer.echo("保留 / Kept: 不含个人数据的审计记录 / audit rows without personal data")
    held = [f"订单 / order {number}" for number in sorted(removed.orders)]
    held += [f"问题报告 / bug report {reference}" for reference in sorted(removed.reports)]
    typer.echo("商城（贵公司自己的系统）里仍有 / Still in the shop (your company's own system):")
    for line in held or ["客户资料与订单，若有 / the customer's record and orders, if any"]:
        typer.echo(f"  {line}")
    typer.echo("备份到期前仍含这些数据 / Backups still hold this until they expire.")


async def _tell_bots() -> int:
    waiting = await tell_bots()
    if not waiting:
        typer.echo("机器人的记忆已删除 / The bots' memory is removed.")
        return 0
    typer.echo(
        f"机器人没有应答，{waiting} 个会话待删；工作台运行时会自动重试 / A bot does not answer; "
        f"{waiting} conversations are still to be forgotten there. A running desk keeps trying by itself.",
        err=True,
    )
    return 1
