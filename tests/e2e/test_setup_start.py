"""What `make` and the runner say when something keeps the product from starting."""

from __future__ import annotations

import fcntl
import io
import os
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from handoff.runner.environment import SECRET_NAMES, Environment, load
from handoff.runner.errors import RunnerError
from handoff.runner.model import check_file, ensure, fingerprint
from handoff.runner.preflight import check_disk
from handoff.runner.terminal import Terminal
from tests.product import ROOT, Product, is_alive, wait_until

PORTS = [("desk", "PORT"), ("bot", "BOT_PORT"), ("actions", "ACTIONS_PORT"), ("shop", "SHOP_PORT")]


def failing_start(product: Product) -> str:
    """Start a product that cannot start; return what it says."""
    product.launch()
    assert product.runner is not None
    assert product.runner.wait(60) == 1
    assert not (product.var / "demo.json").exists()
    assert "Traceback" not in product.terminal
    return product.terminal


def write_archive(path: Path, *names: str) -> None:
    """Write a tar.gz with members of some size."""
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            content = os.urandom(50_000)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


class TestPorts:
    @pytest.mark.parametrize(("process", "variable"), PORTS)
    def test_a_taken_port_is_named_with_its_holder(self, own_product: Product, process: str, variable: str) -> None:
        with socket.create_server(("127.0.0.1", own_product.ports[process])):
            said = failing_start(own_product)
        assert f"Port {own_product.ports[process]}, which {process} needs, is in use by process {os.getpid()}" in said
        assert f"{variable}=" in said

    @pytest.mark.parametrize("value", ["eighty", "0", "65536", "８０００"])
    def test_a_port_that_is_none(self, own_product: Product, value: str) -> None:
        own_product.environment["BOT_PORT"] = value
        assert f"BOT_PORT={value} is no port number" in failing_start(own_product)

    def test_one_port_for_two(self, own_product: Product) -> None:
        own_product.environment["SHOP_PORT"] = own_product.environment["PORT"]
        assert "SHOP_PORT and PORT are both set to port" in failing_start(own_product)

    def test_a_host_that_is_not_here(self, own_product: Product) -> None:
        own_product.environment["HOST"] = "192.0.2.1"
        assert "HOST=192.0.2.1 cannot be listened on" in failing_start(own_product)


def test_a_setting_that_the_desk_refuses(own_product: Product) -> None:
    own_product.environment["ROUTING"] = "roulette"
    assert "A setting cannot be used: ROUTING:" in failing_start(own_product)


class TestFolder:
    def test_a_folder_that_cannot_be_made(self, own_product: Product, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way", "utf-8")
        own_product.environment["JIELI_VAR"] = str(tmp_path / "file" / "var")
        assert "cannot be written" in failing_start(own_product)

    def test_a_full_disk(self, tmp_path: Path) -> None:
        with pytest.raises(RunnerError, match=r"MB are free(.|\n)*Free some space"):
            check_disk(tmp_path, needed=shutil.disk_usage(tmp_path).total)

    def test_a_second_start_on_the_same_folder(self, product: Product) -> None:
        second = Product(product.var)
        with pytest.raises(subprocess.CalledProcessError) as failure:
            subprocess.run([sys.executable, "-m", "handoff.runner"], env=second.environment, cwd=ROOT, check=True,
                           capture_output=True, timeout=60)
        assert product.runner is not None
        assert f"(process {product.runner.pid})" in failure.value.stderr.decode()
        assert (product.var / "demo.json").exists()


class TestModel:
    def test_a_broken_model_ends_the_start(self, own_product: Product, tmp_path: Path) -> None:
        (tmp_path / "current.tar.gz").write_bytes(b"not an archive")
        own_product.environment["BOT_MODELS"] = str(tmp_path)
        assert "make train" in failing_start(own_product)

    def test_half_a_model_is_broken(self, tmp_path: Path) -> None:
        path = tmp_path / "model.tar.gz"
        write_archive(path, "metadata.json", "components/weights")
        check_file(path)
        path.write_bytes(path.read_bytes()[:60_000])
        with pytest.raises(RunnerError, match="make train"):
            check_file(path)

    def test_another_archive_is_no_model(self, tmp_path: Path) -> None:
        path = tmp_path / "model.tar.gz"
        write_archive(path, "holiday.jpg")
        with pytest.raises(RunnerError, match=r"metadata\.json"):
            check_file(path)

    async def test_a_model_that_fits_is_linked_not_trained(self, tmp_path: Path) -> None:
        environment = load(base={**os.environ, "JIELI_VAR": str(tmp_path), "BOT_MODELS": str(tmp_path / "models")})
        environment.models.mkdir()
        fitting = environment.models / f"{fingerprint(ROOT)}.tar.gz"
        write_archive(fitting, "metadata.json")
        assert await ensure(environment, Terminal(io.StringIO())) == fitting
        assert (environment.models / "current.tar.gz").resolve() == fitting.resolve()
        assert not (environment.logs / "train.log").exists()

    def test_the_fingerprint_follows_data_and_names(self, tmp_path: Path) -> None:
        file = tmp_path / "bot" / "data" / "nlu" / "greet.yml"
        file.parent.mkdir(parents=True)
        file.write_text("hello", "utf-8")
        first = fingerprint(tmp_path)
        (file.parent / "__pycache__").mkdir()
        (file.parent / "__pycache__" / "greet.pyc").write_bytes(b"\0")
        assert fingerprint(tmp_path) == first
        file.write_text("hullo", "utf-8")
        assert fingerprint(tmp_path) != first
        file.write_text("hello", "utf-8")
        file.rename(file.with_name("salute.yml"))
        assert fingerprint(tmp_path) != first


class TestSecrets:
    @staticmethod
    def load(var: Path, **settings: str) -> Environment:
        return load({"JIELI_VAR": str(var), "JIELI_ENV_FILE": os.devnull, **settings})

    def test_made_once_and_for_the_owner_alone(self, tmp_path: Path) -> None:
        first = self.load(tmp_path)
        made = {first.values[name] for name in SECRET_NAMES}
        assert len(made) == len(SECRET_NAMES)
        assert min(len(secret) for secret in made) >= 32
        assert stat.S_IMODE((tmp_path / "secrets.env").stat().st_mode) == 0o600
        assert self.load(tmp_path).values == first.values

    def test_the_environment_wins(self, tmp_path: Path) -> None:
        assert self.load(tmp_path, BOT_TOKEN="given").values["BOT_TOKEN"] == "given"
        assert "BOT_TOKEN" not in (tmp_path / "secrets.env").read_text("utf-8")

    def test_known_customers_can_be_switched_off(self, tmp_path: Path) -> None:
        assert self.load(tmp_path, IDENTITY_SECRET="").values["IDENTITY_SECRET"] == ""

    def test_the_env_file_stands_between_environment_and_defaults(self, tmp_path: Path) -> None:
        (tmp_path / "settings").write_text("PORT=9001\nHOST=0.0.0.0\n", "utf-8")
        given = {"JIELI_VAR": str(tmp_path), "JIELI_ENV_FILE": str(tmp_path / "settings"), "PORT": "9002"}
        environment = load(base=given)
        assert (environment.port("desk"), environment.host) == (9002, "0.0.0.0")
        assert environment.address("desk") == "http://127.0.0.1:9002"

    def test_a_shop_elsewhere_is_not_started_here(self, tmp_path: Path) -> None:
        assert self.load(tmp_path).elsewhere() == set()
        assert self.load(tmp_path, SHOP_API_URL="https://shop.example/api").elsewhere() == {"shop"}


class TestMake:
    @pytest.fixture
    def tools(self, tmp_path: Path) -> Path:
        """A PATH without any Python, and a folder with our Makefile only."""
        folder = tmp_path / "bin"
        folder.mkdir()
        for name in ("sh", "make", "df", "awk", "rm", "touch"):
            (folder / name).symlink_to(shutil.which(name) or pytest.fail(f"{name} is missing here"))
        (tmp_path / "bot").mkdir()
        for name in ("Makefile", "pyproject.toml", "uv.lock", "bot/pyproject.toml", "bot/uv.lock"):
            shutil.copy(ROOT / name, tmp_path / name)
        return folder

    @staticmethod
    def make(folder: Path, target: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["make", target], cwd=folder.parent, env={"PATH": str(folder)}, capture_output=True,
                              text=True, timeout=60, check=False)

    def test_a_missing_python_is_explained(self, tools: Path) -> None:
        outcome = self.make(tools, "run")
        assert outcome.returncode != 0
        assert "needs Python 3.11 and finds none" in outcome.stderr

    def test_a_python_of_another_version_is_not_taken(self, tools: Path) -> None:
        old = tools / "python3"
        old.write_text("#!/bin/sh\nexit 1\n", "utf-8")
        old.chmod(0o755)
        outcome = self.make(tools, "setup")
        assert outcome.returncode != 0
        assert "needs Python 3.11 and finds none" in outcome.stderr

    def test_help_needs_nothing(self, tools: Path) -> None:
        outcome = self.make(tools, "help")
        assert outcome.returncode == 0
        assert all(target in outcome.stdout for target in ("run", "test", "train", "validate", "lint", "clean"))


class TestStop:
    """With one small program in place of the four, which does not want to end."""

    @pytest.fixture
    def stubborn(self, own_product: Product, tmp_path: Path) -> Product:
        models, program, procfile = tmp_path / "models", tmp_path / "stubborn.py", tmp_path / "Procfile"
        models.mkdir()
        write_archive(models / f"{fingerprint(ROOT)}.tar.gz", "metadata.json")
        program.write_text(
            "import signal, time\nsignal.signal(signal.SIGTERM, lambda *_: print('asked to end', flush=True))\n"
            "while True: time.sleep(1)\n", "utf-8",
        )
        procfile.write_text(f"stubborn: {sys.executable} {program}\n", "utf-8")
        own_product.environment |= {"BOT_MODELS": str(models), "DEMO": "off"}
        own_product.command += ["--procfile", str(procfile)]
        return own_product

    @staticmethod
    def serving(product: Product) -> int:
        """Start; return the program's process id once the product serves."""
        product.launch()
        wait_until(lambda: "Jieli is ready" in product.terminal, 90, "start")
        pid = product.pid("stubborn")
        assert pid is not None and not (product.var / "demo.json").exists()
        return pid

    def test_a_second_ctrl_c_ends_at_once(self, stubborn: Product) -> None:
        pid = self.serving(stubborn)
        assert stubborn.runner is not None
        stubborn.runner.send_signal(signal.SIGINT)
        wait_until(lambda: "asked to end" in stubborn.log("stubborn"), 10, "the first request")
        assert stubborn.runner.poll() is None
        stubborn.runner.send_signal(signal.SIGINT)
        assert stubborn.runner.wait(10) == 0
        assert not is_alive(pid)

    def test_it_does_not_outlive_make(self, stubborn: Product) -> None:
        words = shlex.join(stubborn.command)
        stubborn.command = ["sh", "-c", f"{words} & echo $! > {stubborn.var}/runner.pid; wait"]
        pid = self.serving(stubborn)
        runner = int((stubborn.var / "runner.pid").read_text("ascii"))
        assert stubborn.runner is not None
        stubborn.runner.kill()
        wait_until(lambda: not is_alive(runner), 40, "the runner ends")
        assert not is_alive(pid)
        assert "Everything is stopped." in stubborn.terminal


def test_ctrl_c_before_anything_started_is_an_orderly_end(own_product: Product) -> None:
    models = own_product.var.parent / "models"
    models.mkdir()
    with (models / ".lock").open("w") as lock:  # as if another training were going on
        fcntl.flock(lock, fcntl.LOCK_EX)
        own_product.environment["BOT_MODELS"] = str(models)
        own_product.launch()
        with pytest.raises(subprocess.TimeoutExpired):
            own_product.runner.wait(5)
        assert own_product.stop(signal.SIGINT) == 0
    assert own_product.pids() == {}
