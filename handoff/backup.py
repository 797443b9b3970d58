"""`jieli backup` and `jieli restore`: one folder with everything, taken while the desk serves, and checked both times.

The database comes first, as it was at one moment; whatever its rows name was on the disk before they were stored, so
the files that are copied after it are complete. The bot's memory and the example shop may be a moment younger than the
desk: a turn that the desk has forgotten is asked again under the same id, and nothing is done twice.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.engine import URL, make_url

from handoff.clock import iso, now
from handoff.locales import text
from handoff.models import TABLES
from handoff.runner.environment import LOOPBACK
from handoff.runner.messages import chinese
from handoff.runner.preflight import only_one
from handoff.settings import settings

MANIFEST = "manifest.json"
DESK_FILE, DESK_DUMP = "desk.db", "desk.dump"
TRACKERS, SHOP, SECRETS, ATTACHMENTS = "trackers.db", "shop.db", "secrets.env", "attachments"
UNOWNED = ("--no-owner", "--no-privileges")
FORMAT = 1


class BackupError(Exception):
    """Something that stops a backup or a restore; its text says what is wrong and what to do, in both languages."""

    def __init__(self, key: str, **values: object) -> None:
        self.key = key
        super().__init__(text(f"backup.{key}", "zh" if chinese() else "en", **values))


@dataclass(frozen=True)
class Manifest:
    """What a backup holds: rows by table, and the SHA-256 of each file by its path within the backup."""

    format: int
    created_at: str
    database: str
    rows: dict[str, int]
    files: dict[str, str]


def backup(folder: Path, environment: Mapping[str, str], *, with_shop: bool = True) -> Manifest:
    """Write a backup to `folder`, which must not be there yet; raises BackupError, and then leaves nothing half."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BackupError("folder_taken", path=folder)
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True, mode=0o700)
        manifest = _write(partial, environment, with_shop)
        _check_attachments(partial / DESK_FILE if manifest.database == "sqlite" else None, partial / ATTACHMENTS)
        if folder.exists():
            folder.rmdir()
        partial.rename(folder)
    except OSError as error:
        raise BackupError("cannot_write", path=folder, reason=error.strerror or error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return manifest


def _write(folder: Path, environment: Mapping[str, str], with_shop: bool) -> Manifest:
    address = make_url(settings.database)
    if address.get_backend_name() == "sqlite":
        _copy_sqlite(Path(address.database or ""), folder / DESK_FILE)
        counts = _sqlite_counts(folder / DESK_FILE)
    else:
        counts = _postgres_counts(address)
        _postgres("pg_dump", address, "--format=custom", *UNOWNED, f"--file={folder / DESK_DUMP}")
        _run("pg_restore", "--list", str(folder / DESK_DUMP))
    _copy_attachments(address, folder / ATTACHMENTS)
    others = {
        TRACKERS: Path(environment.get("BOT_TRACKERS") or settings.jieli_var / TRACKERS),
        SHOP: Path(environment.get("SHOP_DATABASE") or settings.jieli_var / SHOP),
    }
    for name, source in others.items():
        if source.is_file() and (name != SHOP or with_shop):
            _copy_sqlite(source, folder / name)
    if (settings.jieli_var / SECRETS).is_file():
        shutil.copy2(settings.jieli_var / SECRETS, folder / SECRETS)
    files = {str(path.relative_to(folder)): _digest(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    manifest = Manifest(FORMAT, str(iso(now())), address.get_backend_name(), counts, files)
    (folder / MANIFEST).write_text(json.dumps(asdict(manifest), indent=2) + "\n", "utf-8")
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
        _sync(path)
    return manifest


def _copy_sqlite(source: Path, target: Path) -> None:
    """Copy a SQLite file as it is at one moment, while others go on writing, and check the copy."""
    if not source.is_file():
        raise BackupError("database_missing", path=source)
    try:
        opened = sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=30)
        with closing(opened) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new)
            new.execute("PRAGMA journal_mode = DELETE")
        _check_sqlite(target)
    except sqlite3.Error as error:
        raise BackupError("database_damaged", path=source, reason=error) from error


def _check_sqlite(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise BackupError("database_damaged", path=path, reason="quick_check")


def _sqlite_counts(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as connection:
        there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        names = sorted(table.name for table in TABLES if table.name in there)
        return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}  # noqa: S608


def _postgres_counts(address: URL) -> dict[str, int]:
    """Count rows; while the desk serves, a table may grow before the dump, so a restore holds at least these."""
    try:
        with psycopg.connect(_libpq(address), connect_timeout=5) as connection:
            known = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            names = sorted({table.name for table in TABLES} & {row[0] for row in known})
            counted = {}
            for name in names:
                row = connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()  # noqa: S608
                counted[name] = int(row[0]) if row else 0
            return counted
    except psycopg.Error as error:
        raise BackupError("database_unreachable", reason=str(error).strip()) from error


def _attachment_rows(address: URL) -> list[tuple[str, int]]:
    query = "SELECT id, size FROM attachments"
    if address.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(str(address.database))) as connection:
            return [(row[0], row[1]) for row in connection.execute(query)]
    with psycopg.connect(_libpq(address), connect_timeout=5) as connection:
        return [(row[0], row[1]) for row in connection.execute(query)]


def _copy_attachments(address: URL, target: Path) -> None:
    """Copy the files that the database names; one that is already missing is no reason to save nothing else."""
    for name, _ in _attachment_rows(address):
        source = settings.attachments_folder / name[-2:] / name
        if source.is_file():
            (target / name[-2:]).mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name[-2:] / name)


def _check_attachments(database: Path | None, folder: Path) -> None:
    """Every file that the copied database names is there with its size, unless it was missing before."""
    if database is None:
        return
    for name, size in _attachment_rows(make_url(f"sqlite:///{database}")):
        copied = folder / name[-2:] / name
        original = settings.attachments_folder / name[-2:] / name
        if original.is_file() and (not copied.is_file() or copied.stat().st_size != size):
            raise BackupError("attachment_missing", path=copied)


def restore(folder: Path, environment: Mapping[str, str], *, replace: bool = False) -> Manifest:
    """Bring a backup back into the folder and database of the settings; raises BackupError before anything is changed.

    Data that is there stays: without `replace` that is an error, with it the files are moved to `before-restore-…`.
    """
    manifest = _read(folder)
    settings.jieli_var.mkdir(parents=True, exist_ok=True, mode=0o700)
    _refuse_while_serving()
    with only_one(settings.jieli_var):
        address = make_url(settings.database)
        if address.get_backend_name() != manifest.database:
            raise BackupError("other_database", there=address.get_backend_name(), here=manifest.database)
        targets = _targets(folder, environment, address)
        present = [target for target in targets.values() if target.exists() and target.name != SECRETS]
        if not replace and (present or (manifest.database != "sqlite" and _postgres_counts(address))):
            raise BackupError("data_there", path=present[0] if present else address.database)
        _move_aside(targets)
        for name, target in targets.items():
            _put(folder / name, target)
        if manifest.database == "sqlite":
            counts = _sqlite_counts(Path(address.database or ""))
        else:
            options = ["--clean", "--if-exists"] if replace else []
            options += [*UNOWNED, "--exit-on-error", "--single-transaction"]
            _postgres("pg_restore", address, *options, str(folder / DESK_DUMP))
            counts = _postgres_counts(address)
        _check_restored(manifest, counts)
    return manifest


def _read(folder: Path) -> Manifest:
    """Return the manifest of a backup that is whole."""
    try:
        content: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
        manifest = Manifest(**content)
    except (OSError, ValueError, TypeError):
        raise BackupError("no_backup", path=folder) from None
    if manifest.format != FORMAT:
        raise BackupError("other_format", path=folder)
    for name, digest in manifest.files.items():
        if not (folder / name).is_file() or _digest(folder / name) != digest:
            raise BackupError("file_broken", path=folder / name)
    return manifest


def _refuse_while_serving() -> None:
    """A desk that runs without our runner holds no lock, but its port."""
    with socket.socket() as trial:
        trial.settimeout(2)
        if trial.connect_ex((LOOPBACK, settings.port)) == 0:
            raise BackupError("still_serving", port=settings.port)


def _targets(folder: Path, environment: Mapping[str, str], address: URL) -> dict[str, Path]:
    """Return where each part of the backup belongs, by its name within the backup."""
    targets = {
        SECRETS: settings.jieli_var / SECRETS,
        ATTACHMENTS: settings.attachments_folder,
        TRACKERS: Path(environment.get("BOT_TRACKERS") or settings.jieli_var / TRACKERS),
        SHOP: Path(environment.get("SHOP_DATABASE") or settings.jieli_var / SHOP),
    }
    if address.get_backend_name() == "sqlite":
        targets[DESK_FILE] = Path(address.database or "")
    return {name: target for name, target in targets.items() if (folder / name).exists()}


def _move_aside(targets: Mapping[str, Path]) -> None:
    """Move what is there out of the way, write-ahead logs included: an old log would be replayed into the new file."""
    aside = settings.jieli_var / f"before-restore-{now():%Y%m%d-%H%M%S}"
    for target in targets.values():
        for path in (target, *(target.with_name(target.name + end) for end in ("-wal", "-shm"))):
            if path.exists():
                aside.mkdir(exist_ok=True, mode=0o700)
                shutil.move(path, aside / path.name)


def _put(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
        return
    fresh = target.with_name(f".{target.name}.restoring")
    shutil.copy2(source, fresh)
    fresh.chmod(0o600)
    _sync(fresh)
    fresh.replace(target)
    _sync(target.parent)


def _check_restored(manifest: Manifest, counts: Mapping[str, int]) -> None:
    exact = manifest.database == "sqlite"
    for name, count in manifest.rows.items():
        if counts.get(name, 0) < count or (exact and counts[name] != count):
            raise BackupError("rows_missing", table=name, there=counts.get(name, 0), count=count)
    for name in (name for name in manifest.files if name.startswith(f"{ATTACHMENTS}/")):
        if not (settings.attachments_folder / Path(name).relative_to(ATTACHMENTS)).is_file():
            raise BackupError("attachment_missing", path=name)


def _postgres(program: str, address: URL, *options: str) -> None:
    _run(program, f"--dbname={_libpq(address.set(password=None))}", *options, password=address.password)


def _run(program: str, *words: str, password: object = None) -> None:
    """Run one of PostgreSQL's programs; the password goes by the environment, where nobody else can read it."""
    path = shutil.which(program)
    if path is None:
        raise BackupError("program_missing", program=program)
    environment = {**os.environ, **({"PGPASSWORD": str(password)} if password is not None else {})}
    done = subprocess.run([path, *words], env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)  # noqa: S603
    if done.returncode != 0:
        raise BackupError("program_failed", program=program, reason=done.stderr.strip()[-500:])


def _libpq(address: URL) -> str:
    return address.set(drivername="postgresql").render_as_string(hide_password=False)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    """Make a file or folder survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
