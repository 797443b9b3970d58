"""`jieli doctor` names each broken part and its cure, with the real breakage, in both languages."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.faults.processes import Desk, Postgres, Redis, freeze, thaw
from tests.faults.test_disk import fill
from tests.product import ROOT, Product, free_ports


@pytest.fixture(scope="module")
def desk(product: Product, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk that serves beside the product, whose shop, bot and action server the doctor looks at."""
    one = Desk(product, tmp_path_factory.mktemp("patient") / "var", DEMO="off").prepare()
    try:
        yield one.start()
    finally:
        one.destroy()


def examine(desk: Desk, language: str = "C", **settings: str) -> tuple[int, dict[str, str]]:
    """Return the doctor's exit code and each broken part's line."""
    done = desk.run("jieli", "doctor", LC_ALL=language, **settings)
    assert done.stdout, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith(("BROKEN ", "异常"))]
    return done.returncode, {line.split(maxsplit=1)[1].split(":")[0].split("：")[0]: line for line in lines}


def only(desk: Desk, part: str, words: str, **settings: str) -> None:
    """Assert that exactly this part is broken, with these words in its cure."""
    code, broken = examine(desk, **settings)
    assert code == 1 and list(broken) == [part], broken
    assert words in broken[part], broken[part]


def test_a_whole_installation(desk: Desk) -> None:
    assert examine(desk) == (0, {})


def test_both_languages(desk: Desk) -> None:
    code, broken = examine(desk, "zh_CN.UTF-8", REDIS_URL=f"redis://127.0.0.1:{free_ports(1)[0]}/0")
    assert code == 1 and list(broken) == ["Redis"] and "连不上" in broken["Redis"]


@pytest.mark.parametrize(("name", "part"), [("actions", "Action server"), ("shop", "Shop back office")])
def test_a_process_is_down(product: Product, desk: Desk, name: str, part: str) -> None:
    product.kill(name, restart=False)
    try:
        only(desk, part, f"{name}.log")
    finally:
        product.resume(name)


def test_the_bot_hangs(product: Product, desk: Desk) -> None:
    bot = product.pid("bot")
    assert bot is not None
    freeze(bot)
    try:
        only(desk, "Bot", "does not answer")
    finally:
        thaw(bot)
    product.wait_ready("bot")


def test_the_bot_is_nowhere(desk: Desk) -> None:
    only(desk, "Bot", "nobody listens", BOT_URLS=f"http://127.0.0.1:{free_ports(1)[0]}")


def test_the_desk_itself_is_down(desk: Desk) -> None:
    only(desk, "Desk", "make run", PORT=str(free_ports(1)[0]))


def test_a_wrong_token(desk: Desk) -> None:
    other = "another-long-token-that-nobody-knows"
    only(desk, "Bot", "does not accept BOT_TOKEN", BOT_TOKEN=other)
    only(desk, "Shop back office", "does not accept SHOP_API_TOKEN", SHOP_API_TOKEN=other)


def test_a_port_is_held_by_another_program(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                connection.recv(4096)
                connection.sendall(b"220 mail.example ready\r\n")
                connection.close()

        threading.Thread(target=answer, daemon=True).start()
        port = server.getsockname()[1]
        only(desk, "Desk", f"port {port} is held by process {os.getpid()}", PORT=str(port))
        server.shutdown(socket.SHUT_RDWR)


def test_secrets(desk: Desk) -> None:
    assert "is not set" in examine(desk, SECRET_KEY="")[1]["Secrets"]
    assert "can be guessed" in examine(desk, SECRET_KEY="changeme")[1]["Secrets"]
    assert "can be guessed" in examine(desk, IDENTITY_SECRET="a" * 40)[1]["Secrets"]


def test_the_model(desk: Desk, tmp_path: Path) -> None:
    only(desk, "The bot's model", "make train", BOT_MODELS=str(tmp_path))
    whole = (ROOT / "var" / "models" / "current.tar.gz").read_bytes()
    (tmp_path / "current.tar.gz").write_bytes(whole[: len(whole) // 2])
    only(desk, "The bot's model", "is broken", BOT_MODELS=str(tmp_path))


def test_open_secrets(desk: Desk) -> None:
    kept = desk.var / "secrets.env"
    kept.touch()
    kept.chmod(0o644)
    try:
        only(desk, "Run-time folder and rights", "chmod 600")
    finally:
        kept.chmod(0o600)


def copy_of(desk: Desk, folder: Path) -> Path:
    """Return a copy of the desk's database."""
    folder.mkdir(mode=0o700)
    with sqlite3.connect(desk.var / "desk.db") as old, sqlite3.connect(folder / "desk.db") as new:
        old.backup(new)
    (folder / "desk.db").chmod(0o600)
    return folder / "desk.db"


def test_the_database(desk: Desk, tmp_path: Path) -> None:
    path = copy_of(desk, tmp_path / "var")
    var = {"JIELI_VAR": str(path.parent)}
    assert examine(desk, **var) == (0, {})
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    only(desk, "Database", "jieli migrate", **var)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    only(desk, "Database", "newer than this program", **var)
    content = bytearray(path.read_bytes())
    content[8192:40960] = bytes(b"\xff" * (40960 - 8192))
    path.write_bytes(content)
    assert "is damaged" in examine(desk, **var)[1]["Database"]
    path.unlink()
    assert "jieli restore" in examine(desk, **var)[1]["Database"]


def test_a_locked_database(desk: Desk, tmp_path: Path) -> None:
    path = copy_of(desk, tmp_path / "var")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert "is locked" in examine(desk, JIELI_VAR=str(path.parent))[1]["Database"]
    other.close()


def test_a_full_disk(desk: Desk, tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]).returncode != 0:
        pytest.skip("no small disk can be mounted here")
    try:
        copy_of(desk, folder / "var")
        fill(folder)
        broken = examine(desk, JIELI_VAR=str(folder / "var"))[1]
        assert "less than 500" in broken["Disk space"] and "full" in broken["Database"]
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_postgres(product: Product, desk: Desk, postgres: Postgres) -> None:
    only(desk, "Database", "jieli migrate", DATABASE_URL=postgres.database("empty"))
    only(desk, "Database", "unreachable", DATABASE_URL=f"postgresql://127.0.0.1:{free_ports(1)[0]}/nowhere")


def test_redis(desk: Desk, redis: Redis) -> None:
    assert examine(desk, REDIS_URL=redis.url) == (0, {})
    freeze(redis.pid)
    try:
        only(desk, "Redis", "unreachable", REDIS_URL=redis.url)
    finally:
        thaw(redis.pid)


def test_the_clock(product: Product, desk: Desk, postgres: Postgres, tmp_path: Path) -> None:
    shift = tmp_path / "shift.txt"
    shift.write_text("7200", "ascii")
    words = [sys.executable, "-m", "tests.faults.shifted", str(shift), "handoff.cli", "doctor"]
    values = {**desk.environment, "LC_ALL": "C"}
    done = subprocess.run(words, cwd=ROOT, env=values, capture_output=True, text=True)
    assert (
        done.returncode == 1 and "BROKEN Clock: this machine's clock differs from the shop's by 7200 s" in done.stdout
    )


def test_backlog_and_missing_files(desk: Desk, tmp_path: Path) -> None:
    path = copy_of(desk, tmp_path / "var")
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO customers (id, created_at) VALUES ('u1', '2026-01-01 00:00:00')"))
        columns = {
            "id": "c1",
            "token_hash": "t",
            "token_expires_at": "2026-01-01 00:00:00",
            "token_revoked": 0,
            "customer_id": "u1",
            "origin": "widget",
            "context": "{}",
            "owner": "bot",
            "version": 1,
            "concern": 0,
            "reset_pending": 0,
            "last_seq": 1,
            "last_customer_seq": 1,
            "answered_seq": 0,
            "customer_read_seq": 0,
            "agent_read_seq": 0,
            "stretch": 1,
            "created_at": "2026-01-01 00:00:00",
            "updated_at": "2026-01-01 00:00:00",
        }
        names = ", ".join(columns)
        connection.execute(text(f"INSERT INTO conversations ({names}) VALUES (:{', :'.join(columns)})"), columns)
        connection.execute(
            text("INSERT INTO attachments VALUES ('f_1', 'c1', 'a.png', 'image/png', 3, '2026-01-01 00:00:00')")
        )
    engine.dispose()
    broken = examine(desk, JIELI_VAR=str(path.parent))[1]
    assert "1 conversations are owed an answer" in broken["Backlog"]
    assert "1 files are missing" in broken["Attachments"]


def test_the_bots_memory(desk: Desk, tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path / "trackers.db")
    only(desk, "The bot's memory", "remove that file", BOT_TRACKERS=str(tmp_path / "trackers.db"))
