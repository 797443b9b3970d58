"""`jieli doctor` names each broken part and its cure, with the real breakage, in both languages."""

from __future__ import annotations

import contextlib
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

from tests.faults.disks import fill
from tests.faults.processes import Desk, Postgres, Redis, freeze, thaw
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


def expect(found: tuple[int, dict[str, str]], **words: str) -> None:
    """Assert that exactly these parts are broken, each with its words in the cure."""
    code, broken = found
    assert code == (1 if words else 0), broken
    assert {part.replace(" ", "_").replace("'", "") for part in broken} == set(words), broken
    for part, line in broken.items():
        assert words[part.replace(" ", "_").replace("'", "")] in line, line


@contextlib.contextmanager
def foreign_program() -> Iterator[int]:
    """Yield a port on which another program answers in a language of its own."""

    def answer(server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                connection.recv(4096)
                connection.sendall(b"220 mail.example ready\r\n")
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=answer, args=[server], daemon=True).start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)


def copy_of(desk: Desk, folder: Path) -> Path:
    """Return a copy of the desk's database, in a folder of its own."""
    folder.mkdir(mode=0o700)
    with sqlite3.connect(desk.var / "desk.db") as old, sqlite3.connect(folder / "desk.db") as new:
        old.backup(new)
    (folder / "desk.db").chmod(0o600)
    return folder / "desk.db"


def test_a_whole_installation(desk: Desk) -> None:
    expect(examine(desk))


def test_nobody_there_and_nothing_hides_another(desk: Desk, tmp_path: Path) -> None:
    kept = desk.var / "secrets.env"
    kept.touch()
    kept.chmod(0o644)
    nowhere = f"127.0.0.1:{free_ports(1)[0]}"
    memory = tmp_path / "trackers.db"
    shutil.copy(ROOT / "pyproject.toml", memory)
    found = examine(
        desk,
        REDIS_URL=f"redis://{nowhere}/0",
        BOT_URLS=f"http://{nowhere}",
        PORT=nowhere.partition(":")[2],
        BOT_MODELS=str(tmp_path),
        BOT_TRACKERS=str(memory),
        SECRET_KEY="changeme",
    )
    kept.unlink()
    expect(
        found,
        Redis="unreachable",
        Bot="nobody listens",
        Desk="make run",
        The_bots_model="make train",
        The_bots_memory="remove that file",
        Secrets="SECRET_KEY is too short",
        **{"Run-time_folder_and_rights": "chmod 600"},
    )


def test_in_chinese_wrong_tokens_and_a_broken_model(desk: Desk, redis: Redis, tmp_path: Path) -> None:
    whole = (ROOT / "var" / "models" / "current.tar.gz").read_bytes()
    (tmp_path / "current.tar.gz").write_bytes(whole[: len(whole) // 2])
    other = "another-long-token-that-nobody-knows"
    freeze(redis.pid)
    try:
        found = examine(
            desk,
            "zh_CN.UTF-8",
            BOT_TOKEN=other,
            SHOP_API_TOKEN=other,
            SECRET_KEY="",
            BOT_MODELS=str(tmp_path),
            REDIS_URL=redis.url,
        )
    finally:
        thaw(redis.pid)
    expect(
        found,
        机器人="不认 BOT_TOKEN",
        店铺后台="不认 SHOP_API_TOKEN",
        密钥="没有设置 SECRET_KEY",
        机器人模型="make train",
        Redis="连不上",
    )


def test_processes_down_hanging_and_in_our_place(product: Product, desk: Desk) -> None:
    bot = product.pid("bot")
    assert bot is not None
    product.kill("actions", restart=False)
    product.kill("shop", restart=False)
    freeze(bot)
    try:
        with foreign_program() as port:
            found = examine(desk, PORT=str(port))
    finally:
        thaw(bot)
        product.resume("actions")
        product.resume("shop")
        product.wait_ready("bot")
    expect(
        found,
        Bot="does not answer",
        Action_server="actions.log",
        Shop_back_office="shop.log",
        Desk=f"port {port} is held by process {os.getpid()}",
    )


def test_a_bot_without_its_action_server_is_well_itself(product: Product, desk: Desk) -> None:
    product.kill("actions", restart=False)
    try:
        expect(examine(desk), Action_server="nobody listens")
    finally:
        product.resume("actions")


@pytest.mark.parametrize(("revision", "cure"), [("0001", "jieli migrate"), ("9999", "newer than this program")])
def test_a_database_of_another_shape(desk: Desk, tmp_path: Path, revision: str, cure: str) -> None:
    path = copy_of(desk, tmp_path / "var")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    expect(examine(desk, JIELI_VAR=str(path.parent)), Database=cure)


def test_a_database_damaged_locked_and_gone(desk: Desk, tmp_path: Path) -> None:
    path = copy_of(desk, tmp_path / "var")
    var = {"JIELI_VAR": str(path.parent)}
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "is locked" in examine(desk, **var)[1]["Database"]
    content = bytearray(path.read_bytes())
    content[8192:40960] = b"\xff" * (40960 - 8192)
    path.write_bytes(content)
    assert "is damaged" in examine(desk, **var)[1]["Database"]
    path.unlink()
    assert "jieli restore" in examine(desk, **var)[1]["Database"]


def test_a_full_disk(desk: Desk, small_disk: Path) -> None:
    copy_of(desk, small_disk / "var")
    fill(small_disk)
    broken = examine(desk, JIELI_VAR=str(small_disk / "var"))[1]
    assert "less than 500" in broken["Disk space"] and "full" in broken["Database"]


def test_postgres(desk: Desk, postgres: Postgres) -> None:
    expect(examine(desk, DATABASE_URL=postgres.database("empty")), Database="jieli migrate")
    expect(examine(desk, DATABASE_URL=f"postgresql://127.0.0.1:{free_ports(1)[0]}/nowhere"), Database="unreachable")


def test_the_clock(desk: Desk, tmp_path: Path) -> None:
    shift = tmp_path / "shift.txt"
    shift.write_text("7200", "ascii")
    words = [sys.executable, "-m", "tests.faults.shifted", str(shift), "handoff.cli", "doctor"]
    done = subprocess.run(words, cwd=ROOT, env={**desk.environment, "LC_ALL": "C"}, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert "BROKEN Clock: this machine's clock differs from the shop's by 720" in done.stdout


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
