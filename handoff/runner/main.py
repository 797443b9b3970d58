"""`make run` and `jieli run`: from a checked-out tree to a serving product, and back to nothing on Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from handoff.runner import demo, preflight, procfile
from handoff.runner.child import end_with_parent
from handoff.runner.environment import ROOT, Environment, load
from handoff.runner.errors import RunnerError
from handoff.runner.messages import say
from handoff.runner.model import ensure
from handoff.runner.readiness import probes
from handoff.runner.steps import run_step
from handoff.runner.supervisor import Supervisor
from handoff.runner.terminal import Terminal

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(stop_with_parent: bool = False, procfile_path: Path = ROOT / "Procfile") -> None:
    """Run the whole product until Ctrl-C or SIGTERM.

    `stop_with_parent` also stops it when the starting program (make) dies. Exits with code 1 and a sentence on standard
    error when something keeps the product from starting; an orderly stop returns.
    """
    if stop_with_parent:
        end_with_parent(signal.SIGTERM, os.getppid())
    os.umask(0o077)  # customers' words and secrets are nobody else's on this machine
    terminal = Terminal()
    try:
        asyncio.run(_run(terminal, procfile_path))
    except RunnerError as error:
        terminal.line()
        sys.exit(str(error))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        sys.exit(say("no_space_left", path=error.filename or "var"))


async def _run(terminal: Terminal, procfile_path: Path) -> None:
    stop = asyncio.Event()
    with _on_signals(stop.set):
        working = asyncio.create_task(_serve(terminal, procfile_path, stop))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not working.done():
            working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working


@contextlib.contextmanager
def _on_signals(act: Callable[[], None]) -> Iterator[None]:
    """Call `act` on each stop signal, instead of a KeyboardInterrupt in the middle of anything."""
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, act)
    try:
        yield
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)


async def _serve(terminal: Terminal, procfile_path: Path, stop: asyncio.Event) -> None:
    """Prepare, start, and serve until cancelled; whatever was started is stopped on the way out."""
    began = time.monotonic()
    environment = load()
    os.environ.update(environment.values)  # what is imported from the desk below reads its settings there
    elsewhere = environment.elsewhere()
    commands = [
        command for command in procfile.read(procfile_path, environment.values) if command.name not in elsewhere
    ]
    preflight.check_disk(environment.var)
    with preflight.only_one(environment.var):
        preflight.check(environment, commands)
        if environment.demo:
            environment = demo.with_passwords(environment)
        await _prepare(environment, terminal)
        supervisor = Supervisor(commands, environment, terminal, probes(environment))
        page = demo.page_path(environment)
        try:
            await supervisor.start()
            content = await demo.collect(environment) if environment.demo else None
            if content:
                demo.write(page, content)
            terminal.line(say("serving", seconds=round(time.monotonic() - began)))
            demo.announce(environment, content, terminal)
            await supervisor.serve()
        finally:
            page.unlink(missing_ok=True)
            await _stop(supervisor, terminal, stop)


async def _prepare(environment: Environment, terminal: Terminal) -> None:
    """Bring model, database and demo data up to date."""
    demo.page_path(environment).unlink(missing_ok=True)
    await ensure(environment, terminal)
    jieli = str(Path(sys.executable).parent / "jieli")
    for label, command in (("migrating", "migrate"), ("seeding", "demo")):
        if command == "demo" and not environment.demo:
            continue
        await run_step(say(label), [jieli, command], environment.values, environment.root,
                       environment.logs / f"{command}.log", terminal)


async def _stop(supervisor: Supervisor, terminal: Terminal, again: asyncio.Event) -> None:
    """Stop in order; a second signal ends everything at once."""
    terminal.line(say("stopping"))
    again.clear()
    orderly = asyncio.create_task(supervisor.stop())
    impatient = asyncio.create_task(again.wait())
    await asyncio.wait([orderly, impatient], return_when=asyncio.FIRST_COMPLETED)
    impatient.cancel()
    if not orderly.done():
        await supervisor.kill()
    await orderly
    terminal.line(say("stopped_all"))
