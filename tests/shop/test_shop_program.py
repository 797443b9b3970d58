"""The shop as a program of its own: command line, restarts, R&D in the background."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import jwt
import pytest

from examples.shop import identity
from examples.shop.__main__ import main
from examples.shop.clock import utc_now

ROOT = Path(__file__).parents[2]
TOKEN = "token-of-the-shop"
SECRET = "secret-that-the-desk-and-the-shop-share"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """What the program is started with."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SHOP_", "JIELI_"))}
    settings = {"SHOP_API_TOKEN": TOKEN, "IDENTITY_SECRET": SECRET, "SHOP_DATABASE": str(tmp_path / "new" / "shop.db")}
    return kept | settings


@pytest.fixture
def run(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command of the program that ends by itself; gives exit code, output and complaints."""

    def run_(*arguments: str, **changes: str) -> tuple[int, str, str]:
        for name, value in (environment | changes).items():
            monkeypatch.setenv(name, value)
        code = main(arguments)
        return code, *capsys.readouterr()

    return run_


@contextmanager
def serving(environment: dict[str, str], stop_with: signal.Signals = signal.SIGTERM) -> Iterator[httpx.Client]:
    """The running program, on a port of its own choice."""
    command = [sys.executable, "-m", "examples.shop", "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        address = process.stdout.readline().removeprefix("shop: ").strip()
        with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30) as client:
            yield client
    finally:
        process.send_signal(stop_with)
        process.communicate(timeout=20)


def test_demo_orders_creates_the_database(environment) -> None:
    command = [sys.executable, "-m", "examples.shop", "demo-orders"]
    printed = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True, timeout=60).stdout
    orders = json.loads(printed)
    assert len(orders) >= 60
    assert all(set(order) == {"number", "phone_last4", "status", "customer"} for order in orders)
    assert all(re.fullmatch(r"LM\d{10}", order["number"]) for order in orders)
    with serving(environment) as client:
        for order in orders[:10]:
            proof = {"number": order["number"], "phone_last4": order["phone_last4"]}
            assert client.post("/orders/lookup", json=proof).json()["status"] == order["status"]


def test_demo_orders_are_the_same_every_time(run) -> None:
    first = run("demo-orders")
    assert first[0] == 0
    assert run("demo-orders") == first


def test_customer_token(run) -> None:
    tokens = [run("customer-token", "cus-1001")[1].strip() for _ in range(2)]
    first, second = (jwt.decode(token, SECRET, algorithms=["HS256"]) for token in tokens)
    lifetime = datetime.fromtimestamp(first["exp"], UTC) - datetime.now(UTC)
    assert (first["sub"], first["name"]) == ("cus-1001", "林晓雯")
    assert 200 < lifetime.total_seconds() <= 300
    assert first["jti"] != second["jti"]
    assert identity.verify(tokens[0], SECRET, utc_now()).customer_id == "cus-1001"


@pytest.mark.parametrize("stop_with", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_forgets_nothing(environment, run, stop_with) -> None:
    orders = json.loads(run("demo-orders")[1])
    guessed, cancelled = (order for order in [o for o in orders if o["status"] == "paid"][:2])
    report = {"symptom": "步数为 0", "description": "走了路也没有步数"}
    proof = {"phone_last4": cancelled["phone_last4"]}

    def cancel(client: httpx.Client) -> httpx.Response:
        headers = {"Idempotency-Key": "cancel-once"}
        return client.post(f"/orders/{cancelled['number']}/cancel", json=proof, headers=headers)

    def guess(client: httpx.Client) -> httpx.Response:
        return client.post("/orders/lookup", json={"number": guessed["number"], "phone_last4": "0000"})

    with serving(environment, stop_with) as client:
        assert [guess(client).status_code for _ in range(5)] == [404] * 5
        done = cancel(client).json()
        filed = client.post("/bug-reports", json=report, headers={"Idempotency-Key": "report-once"}).json()
    with serving(environment) as client:
        locked = guess(client)
        assert locked.status_code == 429
        assert 0 < int(locked.headers["retry-after"]) <= 3600
        assert cancel(client).json() == done
        assert client.get(f"/bug-reports/{filed['id']}").json() == filed
        again = client.post("/bug-reports", json=report, headers={"Idempotency-Key": "report-once"})
        assert again.json() == filed


def test_reports_are_answered_by_themselves(environment) -> None:
    report = {
        "symptom": "步数为 0",
        "description": "没有步数",
        "device_model": "band-2",
        "firmware_version": "1.0.0.36",
    }
    with serving(environment | {"SHOP_RND_ANSWER_AFTER": "1"}) as client:
        filed = client.post("/bug-reports", json=report, headers={"Idempotency-Key": "once"}).json()
        deadline = time.monotonic() + 20
        while (found := client.get(f"/bug-reports/{filed['id']}").json())["status"] == "open":
            assert time.monotonic() < deadline
            time.sleep(0.2)
    assert found["fixed_in"] == "1.0.0.45"
    assert found["answered_at"] > found["created_at"]


def test_faults_come_from_the_environment(environment) -> None:
    with serving(environment | {"SHOP_FAULTS": "flaky"}) as client:
        assert [client.get("/devices").status_code for _ in range(4)] == [503, 200, 503, 200]
        assert client.get("/healthz").status_code == 200


def test_a_port_in_use(run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, complaint = run("--port", str(port))
    assert code == 2
    assert f"127.0.0.1:{port}" in complaint


def test_ctrl_c_ends_quietly(environment) -> None:
    command = [sys.executable, "-m", "examples.shop", "--port", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, **pipes)
    assert process.stdout.readline().startswith("shop: http://127.0.0.1:")
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")


@pytest.mark.parametrize(
    ("changes", "arguments", "word"),
    [
        ({"SHOP_API_TOKEN": ""}, [], "SHOP_API_TOKEN"),
        ({"SHOP_FAULTS": "explode"}, [], "SHOP_FAULTS"),
        ({"SHOP_RND_ANSWER_AFTER": "soon"}, [], "SHOP_RND_ANSWER_AFTER"),
        ({"SHOP_RND_ANSWER_AFTER": "nan"}, [], "SHOP_RND_ANSWER_AFTER"),
        ({"IDENTITY_SECRET": ""}, ["customer-token", "cus-1001"], "IDENTITY_SECRET"),
        ({}, ["customer-token", "cus-9999"], "cus-9999"),
        ({"SHOP_DATABASE": __file__}, ["demo-orders"], "not a database"),
    ],
)
def test_clear_words_when_something_is_missing(run, changes, arguments, word) -> None:
    code, _, complaint = run(*arguments, **changes)
    assert code == 2
    assert word in complaint
    assert complaint.count("\n") == 1


def test_the_shop_stands_alone() -> None:
    sources = (ROOT / "examples" / "shop").rglob("*.py")
    for source in sources:
        assert not re.search(r"^\s*(?:from|import) (?:handoff|bot)\b", source.read_text(encoding="utf-8"), re.MULTILINE)
