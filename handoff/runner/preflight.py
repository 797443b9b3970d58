"""What is looked at before anything starts, so that a problem is one clear sentence instead of a crash later."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from handoff.runner import ports
from handoff.runner.environment import PORT_NAMES, Environment
from handoff.runner.errors import RunnerError
from handoff.runner.procfile import Command

NEEDED_BYTES = 500 * 1024 * 1024


def check(environment: Environment, commands: list[Command]) -> None:
    """Raise RunnerError at the first thing that would keep the product from running."""
    check_python(environment)
    check_disk(environment.var)
    ports.check(environment, [command.name for command in commands if command.name in PORT_NAMES])
    check_settings()


def check_python(environment: Environment) -> None:
    """The product's interpreter must be a supported one, and the bot's environment must exist."""
    if sys.version_info[:2] not in {(3, 11), (3, 12)}:
        raise RunnerError("python_version", version=sys.version.split()[0])
    bot = environment.root / "bot" / ".venv" / "bin" / "python"
    if not bot.exists():
        raise RunnerError("bot_environment_missing", path=bot)


def check_settings() -> None:
    """Raise RunnerError when the desk would refuse a setting; it reads them when it is imported."""
    try:
        import handoff.settings  # noqa: F401
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, item['loc'])).upper()}: {item['msg']}" for item in error.errors())
        raise RunnerError("settings_invalid", problems=problems) from None


def check_disk(folder: Path, needed: int = NEEDED_BYTES) -> None:
    """Raise RunnerError when `folder` cannot be written, or its disk has less than `needed` bytes free."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunnerError("folder_not_writable", path=folder, reason=error.strerror) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise RunnerError("folder_not_writable", path=folder, reason=os.strerror(13))
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise RunnerError("disk_full", path=folder, free=free // 1024**2, needed=needed // 1024**2)


@contextlib.contextmanager
def only_one(var: Path) -> Iterator[None]:
    """Hold the folder for this runner; RunnerError when another one has it. A killed runner leaves no lock behind."""
    with (var / "run.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise RunnerError("already_running", path=var, pid=file.read().strip() or "?") from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
