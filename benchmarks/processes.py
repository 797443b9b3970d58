"""The processes that a benchmark measures: ours by `Procfile`, stock Rasa's by its own commands."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measure import free_port
from benchmarks.stock_rasa import project
from handoff.runner import environment as settings
from handoff.runner import model, procfile
from handoff.runner.child import end_with_parent
from handoff.runner.readiness import probes

ROOT = settings.ROOT
START_SECONDS = 600.0
ASK_EVERY = 0.05


@dataclass
class Program:
    """One process: how it is started, and how one sees that it is ready (an address that answers 200)."""

    name: str
    words: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    ready_url: str
    ready_headers: Mapping[str, str] = field(default_factory=dict)
    running: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id; RuntimeError when it does not run."""
        if self.running is None:
            raise RuntimeError(f"{self.name} does not run")
        return self.running.pid

    def start(self) -> None:
        """Start it, without waiting."""
        parent = os.getpid()
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                self.words, cwd=self.folder, env=dict(self.environment), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True, preexec_fn=lambda: end_with_parent(signal.SIGKILL, parent),
            )

    def wait(self) -> None:
        """Return when it is ready; RuntimeError with the end of its log when it does not get there."""
        until = time.monotonic() + START_SECONDS
        request = urllib.request.Request(self.ready_url, headers=dict(self.ready_headers))
        while time.monotonic() < until and self.running is not None and self.running.poll() is None:
            with suppress(OSError, urllib.error.URLError), urllib.request.urlopen(request, timeout=5):
                return
            time.sleep(ASK_EVERY)
        self.stop()
        raise RuntimeError(f"{self.name} did not start:\n{self.log.read_text(errors='replace')[-3000:]}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it and all that it started."""
        if self.running is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.running.pid, number)
        with suppress(subprocess.TimeoutExpired):
            self.running.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(self.running.pid, signal.SIGKILL)
        self.running.wait()


@dataclass
class Stack:
    """A bot with its action server and the shop. `url` is where its turns go."""

    url: str
    headers: dict[str, str]
    bot: Program
    actions: Program
    shop: Program
    environment: Mapping[str, str]

    @property
    def pids(self) -> list[int]:
        """The bot's processes, the action server's among them; the shop is not the bot's."""
        return [self.bot.pid, self.actions.pid]


@contextmanager
def ours(var: Path | None = None) -> Iterator[Stack]:
    """Our bot by the lines of `Procfile`, in a folder of its own, not yet started."""
    with _folder(var) as folder:
        environment = _environment(folder)
        programs = _by_procfile(environment, folder, ("shop", "actions", "bot"))
        url = f"{environment.address('bot')}/webhooks/desk/turn"
        stack = Stack(url, {"Authorization": f"Bearer {environment.values['BOT_TOKEN']}"}, programs["bot"],
                      programs["actions"], programs["shop"], environment.values)
        with _stopped_at_the_end(stack):
            yield stack


@contextmanager
def stock(trained: Path) -> Iterator[Stack]:
    """Stock Rasa with our data and actions, and our shop; `trained` is the folder of `stock_rasa.project.ensure`."""
    with _folder(None) as folder:
        environment = _environment(folder)
        values = {**environment.values, **project.environment(trained), "SANIC_HOST": "127.0.0.1"}
        for name in [name for name in values if name.endswith("_THREADS")]:
            del values[name]  # those are our bot's; stock Rasa decides by itself
        python, ports = str(project.BOT_PYTHON), environment.values
        bot_words = [python, "-m", "rasa", "run", "--interface", "127.0.0.1", "--port", ports["BOT_PORT"], "--model",
                     project.MODEL, "--credentials", "credentials.yml", "--endpoints", "endpoints.yml"]
        bot = Program("stock bot", bot_words, values, trained, folder / "bot.log",
                      f"{environment.address('bot')}/webhooks/rest/")
        actions_words = [python, "-m", "rasa_sdk", "--port", ports["ACTIONS_PORT"], "--actions",
                         "benchmarks.stock_rasa.actions"]
        actions = Program("stock actions", actions_words, values, ROOT, folder / "actions.log",
                          f"{environment.address('actions')}/health")
        shop = _by_procfile(environment, folder, ("shop",))["shop"]
        stack = Stack(f"{environment.address('bot')}/webhooks/rest/webhook", {}, bot, actions, shop, values)
        with _stopped_at_the_end(stack):
            yield stack


def start(stack: Stack) -> float:
    """Start shop, then bot and action server together; returns the seconds until both serve."""
    stack.shop.start()
    stack.shop.wait()
    began = time.monotonic()
    stack.actions.start()
    stack.bot.start()
    stack.bot.wait()
    stack.actions.wait()
    return time.monotonic() - began


def _environment(folder: Path) -> settings.Environment:
    models = os.environ.get("BOT_MODELS") or Path(os.environ.get("JIELI_VAR") or "var") / "models"
    ports = {name: str(free_port()) for name in settings.PORT_NAMES.values()}
    given = {name: value for name, value in os.environ.items() if not name.startswith(("BOT_", "SHOP_", "ACTIONS_"))}
    return settings.load({**given, **ports, "JIELI_VAR": str(folder), "BOT_MODELS": str(ROOT / models),
                          "JIELI_ENV_FILE": os.devnull})


def _by_procfile(environment: settings.Environment, folder: Path, names: Sequence[str]) -> dict[str, Program]:
    """These processes as the product starts them."""
    asked = probes(environment)
    return {
        command.name: Program(command.name, command.words, {**environment.values, **command.extra}, ROOT,
                              folder / f"{command.name}.log", asked[command.name].url, asked[command.name].headers)
        for command in procfile.read(ROOT / "Procfile", environment.values)
        if command.name in names
    }


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    """A folder for run-time files; one that was not given is removed afterwards."""
    folder = given or Path(tempfile.mkdtemp(prefix="jieli-bench-"))
    try:
        yield folder
    finally:
        if given is None:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _stopped_at_the_end(stack: Stack) -> Iterator[None]:
    try:
        yield
    finally:
        for program in (stack.bot, stack.actions, stack.shop):
            program.stop()


def train_ours(bench: Path) -> float:
    """Seconds that training our model takes, measured once for its present data; it also makes the model ready."""
    kept = bench / f"ours-{model.fingerprint(ROOT)}.seconds"
    if not kept.exists():
        bench.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        words = [sys.executable, "-m", "handoff.runner.model", "--force"]
        with tempfile.TemporaryDirectory(prefix="jieli-bench-") as folder:
            values = {**os.environ, "JIELI_VAR": folder, "BOT_MODELS": str(Path(folder) / "models")}
            subprocess.run(words, cwd=ROOT, env=values, check=True, stdout=subprocess.DEVNULL)
        kept.write_text(f"{time.monotonic() - began:.1f}")
    subprocess.run([sys.executable, "-m", "handoff.runner.model"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return float(kept.read_text())
