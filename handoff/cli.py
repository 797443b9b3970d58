"""`jieli`: the command line."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import SQLAlchemyError

from handoff.agents.models import Role
from handoff.database import Database
from handoff.runner.environment import ROOT, load

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Jieli 接力: a customer-service desk run by a bot and people together.",
)
agents_app = typer.Typer(no_args_is_help=True, help="Accounts of people at work.")
app.add_typer(agents_app, name="agent")


@app.callback()
def read_environment() -> None:
    """Give every command the settings of `.env` and the secrets that `make run` has made, where there are any."""
    os.umask(0o077)  # customers' words and secrets are nobody else's on this machine
    kept = ROOT / os.environ.get("JIELI_VAR", "var") / "secrets.env"
    if kept.is_file() or (ROOT / os.environ.get("JIELI_ENV_FILE", ".env")).is_file():
        os.environ.update(load().values)


def open_database() -> Database:
    """Return the database of the settings, which are read only now that the environment is complete."""
    from handoff.settings import settings

    return Database(settings.database)


def new_password(name: str) -> str:
    """Read a password from the terminal (or from standard input); ends the program when it is too weak."""
    from handoff.agents.passwords import WeakPassword, require_strong

    password = (
        typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        if sys.stdin.isatty()
        else sys.stdin.readline().strip()
    )
    try:
        require_strong(name, password)
    except WeakPassword as error:
        sys.exit(str(error))
    return str(password)


@app.command()
def run() -> None:
    """Start the whole product: bot, action server, shop and desk."""
    from handoff.runner.main import run as run_all

    run_all()


@app.command("migrate")
def migrate_command() -> None:
    """Bring the database to the newest shape."""
    from handoff.agents.groups import ensure_groups
    from handoff.migrate import migrate

    async def begin() -> None:
        database = open_database()
        async with database.write() as session:
            await ensure_groups(session)
        await database.close()

    try:
        migrate()
        asyncio.run(begin())
    except (SQLAlchemyError, OSError) as error:
        sys.exit(
            f"数据库升级失败 / The database could not be migrated: {type(error).__name__}. "
            "请检查 DATABASE_URL 和磁盘 / Check DATABASE_URL and the disk."
        )
    typer.echo("数据库已是最新 / The database is up to date.")


@app.command()
def doctor() -> None:
    """Check every part and say what to do about the broken ones."""
    from handoff.doctor import examine, sentence
    from handoff.runner.environment import defaults
    from handoff.runner.messages import chinese

    language = "zh" if chinese() else "en"
    findings = asyncio.run(examine(defaults(os.environ)))
    for finding in findings:
        typer.echo(sentence(finding, language))
    raise typer.Exit(0 if all(finding.well for finding in findings) else 1)


@app.command("backup")
def backup_command(
    folder: Annotated[Path, typer.Argument(help="A new folder for the backup.")],
    shop: Annotated[bool, typer.Option(help="With the example shop's database.")] = True,
) -> None:
    """Save database, attachments, secrets and the bot's memory into a folder, while everything runs."""
    from handoff.backup import BackupError, backup
    from handoff.locales import text
    from handoff.runner.environment import defaults
    from handoff.runner.messages import chinese

    try:
        made = backup(folder.absolute(), defaults(os.environ), with_shop=shop)
    except BackupError as error:
        sys.exit(str(error))
    counts = {name: made.rows.get(name, 0) for name in ("conversations", "messages")}
    typer.echo(text("backup.made", "zh" if chinese() else "en", path=folder, files=len(made.files), **counts))


@app.command("restore")
def restore_command(
    folder: Annotated[Path, typer.Argument(help="A backup that `jieli backup` made.")],
    replace: Annotated[bool, typer.Option("--replace", help="Put it in the place of data that is there.")] = False,
) -> None:
    """Bring a backup back, while nothing runs."""
    from handoff.backup import BackupError, restore
    from handoff.locales import text
    from handoff.migrate import migrate
    from handoff.runner.environment import defaults
    from handoff.runner.errors import RunnerError
    from handoff.runner.messages import chinese

    try:
        done = restore(folder.absolute(), defaults(os.environ), replace=replace)
        migrate()
    except (BackupError, RunnerError) as error:
        sys.exit(str(error))
    counts = {name: done.rows.get(name, 0) for name in ("conversations", "messages")}
    typer.echo(text("backup.restored", "zh" if chinese() else "en", created_at=done.created_at, **counts))


@app.command("demo")
def demo_command() -> None:
    """Seed demo groups and accounts; passwords come from DEMO_PASSWORD_<NAME>, else new ones are printed."""
    from handoff.demo import ACCOUNTS, seed

    passwords = {account.name: os.environ.get(account.secret_name) or secrets.token_urlsafe(9) for account in ACCOUNTS}

    async def work() -> None:
        database = open_database()
        await seed(database, passwords)
        await database.close()

    asyncio.run(work())
    for account in ACCOUNTS:
        if account.secret_name not in os.environ:
            typer.echo(f"{account.name}  {passwords[account.name]}  {account.role}")


@app.command()
def forget(
    customer: Annotated[
        str, typer.Argument(help="A customer's, conversation's or the company's id, a phone or e-mail address.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove everything that is kept of a customer; the desk may run meanwhile."""
    from handoff.privacy.commands import forget as forget_customer

    sys.exit(asyncio.run(forget_customer(customer, confirmed=yes)))


@app.command()
def export(
    customer: Annotated[
        str, typer.Argument(help="A customer's, conversation's or the company's id, a phone or e-mail address.")
    ],
) -> None:
    """Print everything that is kept of a customer as JSON."""
    from handoff.privacy.commands import export as export_customer

    sys.exit(asyncio.run(export_customer(customer)))


@app.command("replay")
def replay_command(
    file: Annotated[
        Path | None, typer.Argument(help="What `jieli export` wrote; without it, all that is kept.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Another config.yml, whose HandoffPolicy is tried.")] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="One other setting, as offer_at=0.4 or weights.angry=0.8.")
    ] = None,
) -> None:
    """Show which handoffs would appear, vanish or move with other settings of the handoff policy; changes nothing."""
    from handoff.replay import replay_exported, replay_stored
    from handoff.runner.environment import ROOT, Environment, defaults

    words = ["--config", str(config.absolute())] if config else []
    words += [word for one in setting or [] for word in ("--set", one)]
    environment = Environment(defaults(os.environ), ROOT)
    try:
        if file is not None:
            sys.exit(replay_exported(file, words, environment))
        sys.exit(replay_stored(words, environment, open_database()))
    except (OSError, SQLAlchemyError) as error:
        sys.exit(f"读不到会话 / The conversations could not be read: {type(error).__name__}.")


@agents_app.command("add")
def add_agent(
    name: str,
    role: Annotated[Role, typer.Option(help="What the account is for.")] = Role.AGENT,
    group: Annotated[list[str] | None, typer.Option(help="A skill group; repeat for several.")] = None,
    capacity: Annotated[int, typer.Option(min=1, max=50, help="Conversations at once.")] = 5,
) -> None:
    """Create an account; the password is read from the terminal (or from standard input)."""
    from handoff.agents.service import Agents

    password = new_password(name)

    async def work() -> str:
        database = open_database()
        try:
            async with database.write() as session:
                agent = await Agents(session).add(name, password, role, group or [], capacity)
                return agent.id
        finally:
            await database.close()

    try:
        typer.echo(f"{name}: {asyncio.run(work())}")
    except ValueError as error:
        sys.exit(str(error))


@agents_app.command("password")
def change_password(name: str) -> None:
    """Give an account a new password, read from the terminal (or from standard input); all its logins end."""
    _change_password(name, new_password(name))
    typer.echo(f"{name}: 密码已更换，所有登录已失效 / password changed, every login has ended.")


@agents_app.command("disable")
def disable_agent(name: str) -> None:
    """Shut an account: all its logins end, its conversations go back in line; a new password opens it again."""
    _change_password(name, None)
    typer.echo(f"{name}: 账号已停用 / the account is shut.")


def _change_password(name: str, password: str | None) -> None:
    from handoff.agents.models import Presence
    from handoff.agents.service import Agents, give_back
    from handoff.desk import desk
    from handoff.queue.models import Reason

    async def work() -> bool:
        desk.open()
        try:
            async with desk.database.write() as session:
                agent = await Agents(session).by_name(name)
                if agent is None:
                    return False
                await Agents(session).set_password(agent, password)
                if password is None:
                    await Agents(session).set_presence(agent, Presence.OFFLINE, seen=False)
            if password is None:
                await give_back(agent, Reason.AGENT_GONE, by="system")
            return True
        finally:
            await desk.close()

    if not asyncio.run(work()):
        sys.exit(f"没有名为 {name!r} 的账号 / There is no account named {name!r}.")


if __name__ == "__main__":
    app()
