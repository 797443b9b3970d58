"""The supervisor, with small real programs in the processes' places."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from handoff.runner.environment import Environment, load
from handoff.runner.errors import RunnerError
from handoff.runner.procfile import Command, read
from handoff.runner.supervisor import Supervisor
from handoff.runner.terminal import Terminal
from tests.product import ROOT, is_alive, wait_until

LIVES = "import time; print('up', flush=True); time.sleep(600)"
ENDS = "print('cannot open the cellar', flush=True); raise SystemExit(3)"
# Writes its name when it is asked to stop, so that the order of stopping can be read.
SIGNS = """
import signal, sys, time
def leave(*_):
    with open(sys.argv[2], "a") as file: file.write(sys.argv[1] + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print("up", flush=True)
time.sleep(600)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(600)
"""
PARENT = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
time.sleep(600)
"""
RUNS_SUPERVISOR = """
import asyncio, sys
from handoff.runner.environment import load
from handoff.runner.procfile import Command
from handoff.runner.supervisor import Supervisor
from handoff.runner.terminal import Terminal
async def main():
    words = (sys.executable, "-c", "import time; time.sleep(600)")
    supervisor = Supervisor([Command("one", words), Command("two", words)], load(), Terminal(), {})
    await supervisor.start()
    await supervisor.serve()
asyncio.run(main())
"""


def python(name: str, program: str, *arguments: str) -> Command:
    """A process that runs a few lines of Python."""
    return Command(name, (sys.executable, "-c", program, *arguments))


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return load(base={**os.environ, "JIELI_VAR": str(tmp_path), "JIELI_ENV_FILE": os.devnull, "LC_ALL": "C.UTF-8"})


class Stage:
    """A supervisor with a terminal that can be read."""

    def __init__(self, environment: Environment, *commands: Command) -> None:
        self.screen = io.StringIO()
        self.var = environment.var
        self.supervisor = Supervisor(commands, environment, Terminal(self.screen), {})

    def pid(self, name: str) -> int | None:
        path = self.var / "run" / f"{name}.pid"
        return int(path.read_text("ascii")) if path.exists() else None

    async def new_pid(self, name: str, old: int) -> int:
        for _ in range(100):
            if (pid := self.pid(name)) not in (None, old):
                return pid
            await asyncio.sleep(0.1)
        pytest.fail(f"{name} was not started again")


async def test_a_killed_process_is_started_again(environment: Environment) -> None:
    stage = Stage(environment, python("one", LIVES), python("two", LIVES))
    await stage.supervisor.start()
    first, neighbour = stage.pid("one"), stage.pid("two")
    os.kill(first, signal.SIGKILL)
    assert is_alive(await stage.new_pid("one", first))
    assert stage.pid("two") == neighbour
    assert "one stopped (signal 9)" in stage.screen.getvalue()
    await stage.supervisor.stop()


async def test_a_held_process_stays_down_until_released(environment: Environment) -> None:
    stage = Stage(environment, python("one", LIVES))
    await stage.supervisor.start()
    first = stage.pid("one")
    hold = stage.var / "run" / "one.hold"
    hold.touch()
    os.kill(first, signal.SIGKILL)
    await asyncio.sleep(1.5)
    assert stage.pid("one") is None
    hold.unlink()
    assert is_alive(await stage.new_pid("one", first))
    await stage.supervisor.stop()


async def test_the_last_process_stops_first(environment: Environment, tmp_path: Path) -> None:
    book = tmp_path / "order.txt"
    stage = Stage(environment, *(python(name, SIGNS, name, str(book)) for name in ("bot", "shop", "desk")))
    await stage.supervisor.start()
    pids = [stage.pid(name) for name in ("bot", "shop", "desk")]
    await stage.supervisor.stop()
    lines = book.read_text("utf-8").split()
    assert lines[0] == "desk"
    assert sorted(lines) == ["bot", "desk", "shop"]
    assert not any(is_alive(pid) for pid in pids)


async def test_a_process_that_ignores_the_request_is_ended(
    environment: Environment, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("handoff.runner.supervisor.DRAIN_SECONDS", 0.5)
    stage = Stage(environment, python("one", STUBBORN))
    await stage.supervisor.start()
    pid = stage.pid("one")
    await asyncio.wait_for(stage.supervisor.stop(), 5)
    assert not is_alive(pid)


async def test_what_a_process_started_ends_with_it(environment: Environment) -> None:
    stage = Stage(environment, python("one", PARENT))
    await stage.supervisor.start()
    pid = stage.pid("one")
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]
    assert children
    await stage.supervisor.stop()
    wait_until(lambda: not any(is_alive(child) for child in children), 5, "grandchildren end")


async def test_a_process_that_cannot_start_is_explained(environment: Environment) -> None:
    stage = Stage(environment, python("one", LIVES), python("two", ENDS))
    with pytest.raises(RunnerError, match=r"two does not start \(exit code 3\)(.|\n)*cannot open the cellar"):
        await stage.supervisor.start()
    await stage.supervisor.stop()


async def test_a_missing_program_is_explained(environment: Environment) -> None:
    stage = Stage(environment, Command("one", ("no/such/program",)))
    with pytest.raises(RunnerError, match="no/such/program"):
        await stage.supervisor.start()
    await stage.supervisor.stop()


async def test_a_process_that_never_gets_ready_ends_the_start(environment: Environment) -> None:
    stage = Stage(environment, python("one", LIVES))
    with pytest.raises(RunnerError, match="one did not get ready within"):
        await stage.supervisor.start(within=0.1)
    await stage.supervisor.stop()


async def test_a_bot_without_its_model_is_noticed_at_once(environment: Environment) -> None:
    says = "import time; print('ERROR rasa - Could not load model due to Boom.', flush=True); time.sleep(600)"
    stage = Stage(environment, python("bot", says))
    with pytest.raises(RunnerError, match=r"Boom.*make train"):
        await asyncio.wait_for(stage.supervisor.start(), 20)
    await stage.supervisor.stop()


async def test_output_goes_to_the_log_and_errors_to_the_terminal(environment: Environment) -> None:
    says = "import time; print('all is well'); print('ERROR the roof leaks', flush=True); time.sleep(600)"
    stage = Stage(environment, python("one", says))
    await stage.supervisor.start()
    log = (environment.logs / "one.log").read_text("utf-8")
    assert "all is well\n" in log
    assert "one | ERROR the roof leaks" in stage.screen.getvalue()
    assert "all is well" not in stage.screen.getvalue()
    await stage.supervisor.stop()


def test_a_killed_supervisor_leaves_no_process(tmp_path: Path) -> None:
    values = {**os.environ, "JIELI_VAR": str(tmp_path), "JIELI_ENV_FILE": os.devnull}
    pid_files = [tmp_path / "run" / f"{name}.pid" for name in ("one", "two")]
    with subprocess.Popen([sys.executable, "-c", RUNS_SUPERVISOR], cwd=ROOT, env=values) as supervisor:
        wait_until(lambda: all(path.exists() and path.read_text("ascii") for path in pid_files), 30, "start")
        pids = [int(path.read_text("ascii")) for path in pid_files]
        assert all(is_alive(pid) for pid in pids)
        supervisor.kill()
    wait_until(lambda: not any(is_alive(pid) for pid in pids), 5, "processes end with their supervisor")


def test_the_procfile_names_the_four_processes() -> None:
    commands = read(ROOT / "Procfile", {"BOT_PORT": "5005", "BOT_MODELS": "models", "ACTIONS_PORT": "5055"})
    assert [command.name for command in commands] == ["actions", "bot", "shop", "desk"]
    assert commands[0].extra == {"SANIC_HOST": "127.0.0.1"}
    assert commands[1].words[1:] == ("-m", "bot", "--port", "5005", "--model", "models/current.tar.gz")


@pytest.mark.parametrize("text", ["bot python", "bot:", "bot: NAME=only"])
def test_a_malformed_procfile_line_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "Procfile"
    path.write_text(f"# processes\n{text}\n", "utf-8")
    with pytest.raises(RunnerError, match="line 2"):
        read(path, {})
