"""Processes of a test's own, killed and frozen at will: desks beside the product, a PostgreSQL cluster, a Redis."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from handoff.runner import procfile
from handoff.runner.environment import load
from tests.faults.site import Site
from tests.product import ROOT, Product, free_ports, wait_until

READY_SECONDS = 120.0
SHARED_SECRETS = ("BOT_TOKEN", "SHOP_API_TOKEN", "IDENTITY_SECRET", "SECRET_KEY")
PASSWORD = "a password of the tests"
ACCOUNTS = (("Lin", "agent"), ("Chen", "agent"), ("Zhao", "supervisor"), ("admin", "admin"))


def family(pid: int) -> list[int]:
    """Return a process and all that came from it."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [pid, *(one for child in children for one in family(int(child)))]


def freeze(*pids: int) -> None:
    """Stop processes, and what came from them, without a word."""
    for one in [one for pid in pids for one in family(pid)]:
        os.kill(one, signal.SIGSTOP)


def thaw(*pids: int) -> None:
    """Let frozen processes go on."""
    for one in [one for pid in pids for one in family(pid)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGCONT)


class Desk:
    """A desk beside the product: it shares bot, action server and shop, and has a database of its own."""

    def __init__(self, product: Product, var: Path, program: list[str] | None = None, **settings: str) -> None:
        self.var, self.port = var, free_ports(1)[0]
        self._template = product.var / "template"
        self.url = f"http://127.0.0.1:{self.port}"
        shared = {name: product.secret(name) for name in SHARED_SECRETS}
        passwords = {f"DEMO_PASSWORD_{name.upper()}": PASSWORD for name, _ in ACCOUNTS}
        base = {**product.environment, **shared, **passwords, "JIELI_VAR": str(var), "PORT": str(self.port), **settings}
        self.environment = dict(load(base=base).values)
        command = next(one for one in procfile.read(ROOT / "Procfile", self.environment) if one.name == "desk")
        self.command, self._extra = [*(program or command.words)], command.extra
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The running process."""
        assert self._process is not None, "not started"
        return self._process.pid

    def prepare(self) -> Desk:
        """Bring the database up to date and make the accounts; SQLite's file is made once and copied from then on."""
        sqlite = "DATABASE_URL" not in self.environment
        folder = self._template if sqlite else self.var
        if not (folder / "desk.db").exists():
            for command in ("migrate", "demo"):
                self.run("jieli", command, JIELI_VAR=str(folder)).check_returncode()
        if sqlite:
            self.var.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copy2(folder / "desk.db", self.var / "desk.db")
        return self

    def run(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the product's environment with this desk's settings."""
        program = [str(ROOT / ".venv" / "bin" / words[0]), *words[1:]]
        return subprocess.run(
            program, cwd=ROOT, env={**self.environment, **settings}, capture_output=True, text=True, timeout=120
        )

    def launch(self) -> None:
        """Start without waiting."""
        self.var.mkdir(parents=True, exist_ok=True)
        with (self.log_path).open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env={**self.environment, **self._extra},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def start(self) -> Desk:
        """Start and wait until it serves."""
        self.launch()
        wait_until(self.is_ready, READY_SECONDS, f"desk ready; see {self.log_path}")
        return self

    def is_ready(self) -> bool:
        """Ask whether it serves."""
        try:
            return httpx.get(f"{self.url}/readyz", trust_env=False, timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    @property
    def log_path(self) -> Path:
        """Where it writes; beside its folder, which may be on a disk that a test fills."""
        return self.var.with_name(f"{self.var.name}.log")

    def log(self) -> str:
        """Return what it has written."""
        return self.log_path.read_text("utf-8")

    def signal(self, number: signal.Signals) -> None:
        """End it by a signal and wait for its end."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGCONT)
            os.kill(self._process.pid, number)
        self._process.wait(60)

    def kill(self) -> None:
        """End it at once."""
        self.signal(signal.SIGKILL)

    def destroy(self) -> None:
        """Leave nothing behind."""
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def site(self, product: Product, *others: Desk) -> Site:
        """Return the site of this desk, and of others on the same database."""
        database = self.environment.get("DATABASE_URL") or f"sqlite:///{self.var / 'desk.db'}"
        return Site(
            (self.url, *(other.url for other in others)),
            database.replace("postgresql://", "postgresql+psycopg://"),
            product.var / "shop.db",
            tuple({"name": name, "password": PASSWORD, "role": role} for name, role in ACCOUNTS),
        )


class Postgres:
    """A cluster of the test's own, run by an unprivileged account (PostgreSQL refuses root)."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder, self.programs = folder, programs
        self.port = free_ports(1)[0]
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}"
        self._as_user: list[str] = []
        if os.getuid() == 0:
            account = _unprivileged()
            os.chown(folder, account.pw_uid, account.pw_gid)
            self._as_user = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]

    def _run(self, program: str, *words: str) -> None:
        command = [*self._as_user, str(self.programs / program), *words]
        with (self.folder / "programs.txt").open("ab") as output:
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=120)

    def create(self) -> Postgres:
        """Make the cluster and start it."""
        self._run(
            "initdb", "-D", str(self.folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"
        )
        return self.start()

    def start(self) -> Postgres:
        """Start and wait until it answers."""
        options = f"-p {self.port} -h 127.0.0.1 -k {self.folder} -c max_connections=80"
        self._run(
            "pg_ctl", "-w", "-D", str(self.folder / "data"), "-l", str(self.folder / "log.txt"), "-o", options, "start"
        )
        return self

    def database(self, name: str) -> str:
        """Make an empty database; returns its address."""
        with psycopg.connect(f"{self.url}/postgres", autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return f"{self.url}/{name}"

    def pids(self) -> list[int]:
        """Return the postmaster and all its processes."""
        return family(int((self.folder / "data" / "postmaster.pid").read_text("ascii").splitlines()[0]))

    def kill(self) -> None:
        """End all of it at once; the postmaster stands still first, so that nothing is born meanwhile."""
        postmaster = self.pids()[0]
        with contextlib.suppress(ProcessLookupError):
            os.kill(postmaster, signal.SIGSTOP)
        pids = [postmaster, *family(postmaster)]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        # Not even as zombies: to a new postmaster, the id of one that nobody has collected is that of a running one.
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), 20, "PostgreSQL ends")

    def destroy(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
            thaw(*self.pids())
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    pytest.skip("no unprivileged account to run PostgreSQL with")


@contextlib.contextmanager
def postgres_cluster() -> Iterator[Postgres]:
    """A running cluster; skips where PostgreSQL's programs are missing."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    found = [folder for folder in folders if (folder / "initdb").exists()]
    on_path = shutil.which("initdb")
    if not found and not on_path:
        pytest.skip("PostgreSQL's programs (initdb, pg_ctl) are not installed")
    programs = found[-1] if found else Path(str(on_path)).parent
    cluster = Postgres(Path(tempfile.mkdtemp(prefix="jieli-postgres-")), programs)
    try:
        yield cluster.create()
    finally:
        cluster.destroy()


class Redis:
    """A Redis of the test's own, which keeps nothing."""

    def __init__(self, program: str) -> None:
        self.port = free_ports(1)[0]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Redis:
        """Start it."""
        words = [self._program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            words, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, start_new_session=True
        )
        return self

    @property
    def pid(self) -> int:
        """The running process."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End it at once."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()


@contextlib.contextmanager
def redis_server() -> Iterator[Redis]:
    """A running Redis; skips where there is none."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    server = Redis(program).start()
    try:
        yield server
    finally:
        thaw(server.pid)
        server.kill()
