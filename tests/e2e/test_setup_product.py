"""The product as a whole: it starts, is open where it should be, and leaves nothing behind."""

from __future__ import annotations

import io
import os
import signal
import stat
import tarfile
from pathlib import Path

import httpx
import pytest

from handoff.runner.model import fingerprint
from tests.product import ROOT, STOP_SECONDS, Product, is_alive, wait_until

LISTENING = "0A"
LOOPBACK = {"0100007F", "00000000000000000000000001000000"}


def descendants(pid: int) -> set[int]:
    """Return a process and all that came from it, by the parents in /proc."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text("utf-8").rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return family


def listeners(pids: set[int]) -> set[tuple[str, int]]:
    """Return (address in hexadecimal, port) of every TCP socket that these processes listen on."""
    held = set()
    for pid in pids:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            try:
                held.add(os.readlink(entry))
            except FileNotFoundError:
                continue
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for row in Path(table).read_text("ascii").splitlines()[1:]:
            columns = row.split()
            if columns[3] == LISTENING and f"socket:[{columns[9]}]" in held:
                address, _, port = columns[1].partition(":")
                found.add((address, int(port, 16)))
    return found


def open_to_others(product: Product) -> set[int]:
    """Return the ports of a product that other machines can reach."""
    assert product.runner is not None
    return {port for address, port in listeners(descendants(product.runner.pid)) if address not in LOOPBACK}


def end_and_look(product: Product, number: signal.Signals) -> set[int]:
    """End the runner by a signal; return the processes of the product that are left."""
    assert product.runner is not None
    pids = descendants(product.runner.pid)
    assert len(pids) >= 5
    product.runner.send_signal(number)
    product.runner.wait(STOP_SECONDS)
    wait_until(lambda: not any(is_alive(pid) for pid in pids), 5, f"no process is left of {pids}")
    return {pid for pid in pids if is_alive(pid)}


class TestRunning:
    def test_everything_is_ready(self, product: Product) -> None:
        assert all(product.is_ready(name) for name in product.ports)

    def test_the_demo_page_is_complete_and_private(self, product: Product) -> None:
        roles = [account["role"] for account in product.demo["agents"]]
        everywhere = [account for account in product.demo["agents"]
                      if account["role"] == "agent" and {"orders", "tech", "care"} <= set(account["groups"])]
        assert len(everywhere) >= 2
        assert {"supervisor", "designer", "admin"} <= set(roles)
        assert len(product.demo["orders"]) >= 60
        assert {order["status"] for order in product.demo["orders"]} >= {"unpaid", "shipped", "delivered", "lost"}
        assert len(product.demo["devices"]) >= 6
        assert (product.demo["desk"], product.demo["shop"]) == (
            product.url, f"http://127.0.0.1:{product.ports['shop']}")
        assert stat.S_IMODE((product.var / "demo.json").stat().st_mode) == 0o600

    def test_the_demo_logins_work(self, product: Product) -> None:
        for account in product.demo["agents"]:
            login = {"name": account["name"], "password": account["password"]}
            answer = httpx.post(f"{product.url}/api/v1/agents/login", json=login, trust_env=False)
            assert answer.status_code == 200, account["name"]
            assert answer.json()["agent"]["role"] == account["role"]

    def test_the_terminal_shows_addresses_and_logins(self, product: Product) -> None:
        assert f"{product.url}/desk" in product.terminal
        for account in product.demo["agents"]:
            assert account["password"] in product.terminal

    def test_nothing_is_open_to_others_by_default(self, product: Product) -> None:
        assert open_to_others(product) == set()

    def test_no_secret_stands_in_a_log(self, product: Product) -> None:
        lines = (product.var / "secrets.env").read_text("utf-8").splitlines()
        secrets = [line.split("=", 1)[1] for line in lines]
        assert len(secrets) >= 5
        for path in (product.var / "log").iterdir():
            text = path.read_text("utf-8")
            assert not [secret for secret in secrets if secret in text], path.name


class TestProcesses:
    @pytest.mark.parametrize("name", ["shop", "actions", "bot", "desk"])
    def test_a_killed_process_comes_back(self, product: Product, name: str) -> None:
        before = product.pids()
        product.kill(name)
        product.wait_ready(name)
        after = product.pids()
        assert after.pop(name) != before.pop(name)
        assert after == before


def test_only_the_desk_is_open_to_others_and_kill_9_leaves_nothing(own_product: Product) -> None:
    own_product.environment["HOST"] = "0.0.0.0"
    own_product.start()
    assert open_to_others(own_product) == {own_product.ports["desk"]}
    assert end_and_look(own_product, signal.SIGKILL) == set()


def test_a_stop_is_orderly_and_a_second_start_keeps_everything(own_product: Product) -> None:
    own_product.start()
    first, log = own_product.demo, own_product.var / "log" / "train.log"
    assert end_and_look(own_product, signal.SIGINT) == set()
    assert own_product.runner is not None and own_product.runner.returncode == 0
    assert not (own_product.var / "demo.json").exists()
    assert "Everything is stopped." in own_product.terminal
    own_product.start()
    assert own_product.demo["agents"] == first["agents"]
    assert [order["number"] for order in own_product.demo["orders"]] == [order["number"] for order in first["orders"]]
    assert not log.exists(), "the second start trained again"


def test_a_model_that_the_bot_cannot_load_ends_the_start(own_product: Product, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / f"{fingerprint(ROOT)}.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("metadata.json")
        member.size = 2
        archive.addfile(member, io.BytesIO(b"{}"))
    own_product.environment["BOT_MODELS"] = str(tmp_path)
    own_product.launch()
    assert own_product.runner is not None
    assert own_product.runner.wait(120) == 1
    assert "The bot cannot load its model" in own_product.terminal
    assert "make train" in own_product.terminal
    assert own_product.pids() == {}
