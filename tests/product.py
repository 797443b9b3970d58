"""The whole product as a thing that tests start, break and stop."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 400.0
STOP_SECONDS = 40.0


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def wait_until(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Return the first truthy value of `condition`; fail the test when there is none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.1)
    pytest.fail(f"{what}: not within {seconds:.0f} s")


def is_alive(pid: int) -> bool:
    """Return whether a process runs (one that ended and was not yet collected does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Product:
    """The product as `make run` starts it, in a folder and on ports of its own; the trained model is shared."""

    def __init__(self, var: Path, **settings: str) -> None:
        port, bot, actions, shop = free_ports(4)
        self.var = var
        self.ports = {"desk": port, "bot": bot, "actions": actions, "shop": shop}
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}},
            "JIELI_VAR": str(var), "JIELI_ENV_FILE": os.devnull, "BOT_MODELS": str(ROOT / "var" / "models"),
            "PORT": str(port), "BOT_PORT": str(bot), "ACTIONS_PORT": str(actions), "SHOP_PORT": str(shop),
            "FORWARDED_ALLOW_IPS": "127.0.0.1", "LIMIT_MESSAGES": "off", "LIMIT_CONVERSATIONS": "off",
            "LC_ALL": "C.UTF-8", **settings,
        }
        self.command = [sys.executable, "-m", "handoff.runner", "--stop-with-parent"]
        self.url = f"http://127.0.0.1:{port}"
        self.demo: dict[str, Any] = {}
        self.runner: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        """Start the runner without waiting for anything."""
        self.var.mkdir(parents=True, exist_ok=True)
        with (self.var / "terminal.txt").open("ab") as terminal:
            self.runner = subprocess.Popen(
                self.command, cwd=ROOT, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=terminal, stderr=subprocess.STDOUT,
            )

    def start(self) -> Product:
        """Start everything and wait until it serves."""
        self.launch()
        page = self.var / "demo.json"
        wait_until(lambda: page.exists() or self._runner.poll() is not None, START_SECONDS, f"start\n{self.terminal}")
        assert self._runner.poll() is None, f"the product did not start:\n{self.terminal}"
        self.demo = json.loads(page.read_text("utf-8"))
        return self

    @property
    def _runner(self) -> subprocess.Popen[bytes]:
        assert self.runner is not None, "not started"
        return self.runner

    @property
    def terminal(self) -> str:
        """Everything the runner has printed."""
        return (self.var / "terminal.txt").read_text("utf-8")

    def log(self, name: str) -> str:
        """Return what a process has written (bot, actions, shop, desk)."""
        return (self.var / "log" / f"{name}.log").read_text("utf-8")

    def pid(self, name: str) -> int | None:
        """Return a process's id while it runs."""
        try:
            return int((self.var / "run" / f"{name}.pid").read_text("ascii"))
        except (FileNotFoundError, ValueError):
            return None

    def pids(self) -> dict[str, int]:
        """Return the ids of all processes that run."""
        return {name: pid for name in self.ports if (pid := self.pid(name)) is not None}

    def kill(self, name: str, restart: bool = True, number: signal.Signals = signal.SIGKILL) -> None:
        """End a process from outside. The runner starts it again, unless `restart` is off: then `resume` does."""
        pid = self.pid(name)
        assert pid is not None, f"{name} does not run"
        if not restart:
            self._hold(name).touch()
        os.kill(pid, number)
        wait_until(lambda: not is_alive(pid), STOP_SECONDS, f"{name} ends")

    def resume(self, name: str) -> None:
        """Start a process that `kill(..., restart=False)` ended, and wait until it is ready."""
        self._hold(name).unlink(missing_ok=True)
        self.wait_ready(name)

    def restart(self, name: str) -> None:
        """End a process in order, and wait until its successor is ready."""
        self.kill(name, number=signal.SIGTERM)
        self.wait_ready(name)

    def _hold(self, name: str) -> Path:
        return self.var / "run" / f"{name}.hold"

    def is_ready(self, name: str) -> bool:
        """Ask a process whether it is ready."""
        path = {"desk": "/readyz", "bot": "/webhooks/desk/health", "actions": "/health", "shop": "/healthz"}[name]
        headers = {"Authorization": f"Bearer {self.secret('BOT_TOKEN')}"} if name == "bot" else {}
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.ports[name]}{path}", headers=headers, trust_env=False)
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.OK

    def wait_ready(self, name: str, seconds: float = START_SECONDS) -> None:
        """Wait until a process is ready."""
        wait_until(lambda: self.is_ready(name), seconds, f"{name} ready")

    def secret(self, name: str) -> str:
        """Return a secret that the first start made."""
        lines = (self.var / "secrets.env").read_text("utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)[name]

    def agent(self, role: str = "agent", number: int = 0) -> dict[str, str]:
        """Return `{name, password, role}` of a demo login."""
        return [account for account in self.demo["agents"] if account["role"] == role][number]

    def order(self, status: str, number: int = 0) -> dict[str, str]:
        """Return `{number, phone_last4, status}` of a seeded order in that state."""
        return [order for order in self.demo["orders"] if order["status"] == status][number]

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Stop everything as Ctrl-C does; returns the runner's exit code."""
        if self._runner.poll() is None:
            self._runner.send_signal(number)
        return self._runner.wait(STOP_SECONDS)

    def destroy(self) -> None:
        """Leave nothing behind, whatever the test did."""
        if self.runner is None:
            return
        try:
            self.stop()
        except subprocess.TimeoutExpired:
            self.runner.kill()
            self.runner.wait()
