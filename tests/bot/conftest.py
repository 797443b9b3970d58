"""The real bot for tests: shop, action server and Rasa server as processes, with the project's trained model."""

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

BOT_TOKEN = "token-of-the-tests"
SHOP_TOKEN = "shop-token-of-the-tests"
IDENTITY_SECRET = "identity-secret-of-the-tests-32-bytes"
START_SECONDS = 240


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Process:
    """A program of the stack, with its log for when it does not start."""

    name: str
    words: list[str]
    environment: dict[str, str]
    log: Path
    running: subprocess.Popen[bytes] | None = None

    def start(self, ready: Callable[[], bool], seconds: float = START_SECONDS) -> "Process":
        """Start and wait until `ready`; raises RuntimeError with the end of the log otherwise."""
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                self.words, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with suppress(requests.RequestException):
                if ready():
                    return self
            if self.running.poll() is not None:
                break
            time.sleep(0.2)
        self.stop(signal.SIGKILL)
        raise RuntimeError(f"{self.name} did not start:\n{self.log.read_text(errors='replace')[-3000:]}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int | None:
        """End the program and what it started; returns its exit code."""
        if self.running is None:
            return None
        with suppress(ProcessLookupError):
            os.killpg(self.running.pid, how)
        try:
            return self.running.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(self.running.pid, signal.SIGKILL)
            return self.running.wait(timeout=20)


@dataclass
class Door:
    """The desk's side of the bot's door. Sequence numbers are counted for each conversation."""

    url: str
    token: str = BOT_TOKEN
    _seqs: dict[str, int] = field(default_factory=dict)

    def call(self, path: str, body: Any, token: str | None = None) -> requests.Response:
        """A raw call of the door."""
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        return requests.post(f"{self.url}/{path}", json=body, headers=headers, timeout=60)

    def message(self, conversation: str, said: str | dict[str, Any]) -> dict[str, Any]:
        """A message with the next number: typed text, `{"payload": ...}`, or `{"attachment": ..., "text"?: ...}`."""
        self._seqs[conversation] = self._seqs.get(conversation, 0) + 1
        return {"seq": self._seqs[conversation], **({"text": said} if isinstance(said, str) else said)}

    def talk(
        self,
        conversation: str,
        text: str | dict[str, Any] | list[str | dict[str, Any]],
        language: str | None = None,
        facts: dict[str, str] | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """One turn; several messages when `text` is a list. Fails unless the bot answers."""
        said = text if isinstance(text, list) else [text]
        body = {
            "conversation": conversation,
            "turn_id": uuid.uuid4().hex,
            "messages": [self.message(conversation, one) for one in said],
            "language": language,
            "facts": facts or {},
            **more,
        }
        answer = self.call("turn", body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def parse(self, text: str) -> dict[str, Any]:
        """What the bot understands of one message, without memory."""
        answer = self.call("parse", {"messages": [{"seq": 1, "text": text}]})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def healthy(self) -> bool:
        """True when bot and action server are up."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.get(f"{self.url}/health", headers=headers, timeout=5).status_code == 200


@dataclass
class BotStack(Door):
    """The running stack: the door, and what tests need to know of the processes behind it."""

    shop_url: str = ""
    identity_secret: str = IDENTITY_SECRET
    environment: dict[str, str] = field(default_factory=dict)
    folder: Path = Path()


@pytest.fixture(scope="session")
def model() -> Path:
    """The project's model, trained now if its data changed since the last time."""
    words = [str(ROOT / ".venv/bin/python"), "-m", "handoff.runner.model"]
    made = subprocess.run(words, cwd=ROOT, capture_output=True, stdin=subprocess.DEVNULL, text=True)
    assert made.returncode == 0, made.stdout[-2000:] + made.stderr[-2000:]
    models = Path(os.environ.get("BOT_MODELS") or Path(os.environ.get("JIELI_VAR") or "var") / "models")
    return (ROOT / models / "current.tar.gz").resolve()


@pytest.fixture(scope="session")
def rasa_server(model: Path) -> Callable[..., Process]:
    """Makes a bot process with the project's model; the caller starts and stops it."""

    def make(environment: dict[str, str], port: int, log: Path) -> Process:
        words = [sys.executable, "-W", "ignore", "-m", "bot", "--port", str(port), "--model", str(model)]
        return Process("rasa", words, environment, log)

    return make


@pytest.fixture(scope="session")
def bot_stack(tmp_path_factory: pytest.TempPathFactory, rasa_server: Callable[..., Process]) -> Iterator[BotStack]:
    """The whole bot: the real shop with a fresh database, the real action server, the real Rasa server."""
    folder = tmp_path_factory.mktemp("bot-stack")
    shop_port, actions_port, bot_port = free_port(), free_port(), free_port()
    shop_url = f"http://127.0.0.1:{shop_port}"
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "RASA_TELEMETRY_ENABLED": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "SANIC_HOST": "127.0.0.1",
        "SHOP_PORT": str(shop_port),
        "ACTIONS_PORT": str(actions_port),
        "BOT_TOKEN": BOT_TOKEN,
        "BOT_TRACKERS": str(folder / "trackers.db"),
        "SHOP_DATABASE": str(folder / "shop.db"),
        "SHOP_API_URL": shop_url,
        "SHOP_API_TOKEN": SHOP_TOKEN,
        "IDENTITY_SECRET": IDENTITY_SECRET,
        "JIELI_VAR": str(folder),
    }
    environment.pop("SHOP_FAULTS", None)
    door = BotStack(
        f"http://127.0.0.1:{bot_port}/webhooks/desk", shop_url=shop_url, environment=environment, folder=folder
    )
    actions_health = f"http://127.0.0.1:{actions_port}/health"
    shop = Process("shop", [str(ROOT / ".venv/bin/python"), "-m", "examples.shop"], environment, folder / "shop.log")
    actions_words = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "rasa_sdk",
        "--port",
        str(actions_port),
        "--actions",
        "bot.actions",
    ]
    actions = Process("actions", actions_words, environment, folder / "actions.log")
    rasa = rasa_server(environment, bot_port, folder / "rasa.log")
    try:
        shop.start(lambda: requests.get(f"{shop_url}/healthz", timeout=5).status_code == 200)
        actions.start(lambda: requests.get(actions_health, timeout=5).status_code == 200)
        rasa.start(door.healthy)
        yield door
    finally:
        for process in (rasa, actions, shop):
            process.stop()


@pytest.fixture
def conversation() -> str:
    """A conversation of its own for each test."""
    return f"test-{uuid.uuid4().hex}"
