"""The environment that the processes get: the caller's, then `.env`, then generated secrets, then defaults."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

from handoff.runner.errors import RunnerError

ROOT = Path(__file__).resolve().parents[2]
PORT_NAMES = {"actions": "ACTIONS_PORT", "bot": "BOT_PORT", "shop": "SHOP_PORT", "desk": "PORT"}
SECRET_NAMES = ("BOT_TOKEN", "SHOP_API_TOKEN", "IDENTITY_SECRET", "SECRET_KEY")
MAY_BE_EMPTY = "IDENTITY_SECRET"  # empty on purpose: no known customers
EASY_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike
LOOPBACK = "127.0.0.1"
ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - what HOST may say, not a default
DEFAULTS = {
    "HOST": LOOPBACK,
    "PORT": "8000",
    "BOT_PORT": "5005",
    "ACTIONS_PORT": "5055",
    "SHOP_PORT": "8100",
    "DEMO": "on",
    # The bot: silent about its 2022 libraries, no reports to anybody, one thread a process on small machines.
    "RASA_TELEMETRY_ENABLED": "false",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "PYTHONUNBUFFERED": "1",
}
PROCESSORS = Path("/proc/cpuinfo")
# What a processor must be capable of for OpenBLAS's quick ways, the quickest first.
KERNELS = {
    "SkylakeX": {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"},
    "Haswell": {"avx2", "fma"},
}


@dataclass(frozen=True)
class Environment:
    """Everything the runner and its processes are told; `values` is what the processes inherit."""

    values: Mapping[str, str]
    root: Path = ROOT

    @property
    def var(self) -> Path:
        """The folder of all run-time files."""
        return Path(self.values["JIELI_VAR"])

    @property
    def logs(self) -> Path:
        """The folder with one log a process."""
        return self.var / "log"

    @property
    def models(self) -> Path:
        """The folder of trained models."""
        return Path(self.values["BOT_MODELS"])

    @property
    def host(self) -> str:
        """Where the desk listens; all other processes stay on loopback."""
        return self.values["HOST"]

    @property
    def demo(self) -> bool:
        """Whether demo accounts and the demo page are wanted."""
        return self.values["DEMO"].strip().lower() in {"1", "on", "true", "yes"}

    def port(self, process: str) -> int:
        """Return the port of a process of `PORT_NAMES`. RunnerError when it is no port number."""
        name = PORT_NAMES[process]
        text = self.values[name].strip()
        if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
            raise RunnerError("setting_number", name=name, value=text)
        return int(text)

    def address(self, process: str) -> str:
        """Return the base address at which this machine reaches a process."""
        host = self.host if process == "desk" and self.host not in ANY_ADDRESS else LOOPBACK
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port(process)}"

    def elsewhere(self) -> set[str]:
        """Return the processes that need no start here, because the environment names others in their place."""
        shop = self.values.get("SHOP_API_URL", "")
        return {"shop"} if shop and not _is_here(shop, self.port("shop")) else set()


def _is_here(url: str, port: int) -> bool:
    parts = urlsplit(url)
    return parts.hostname in {LOOPBACK, "localhost", "::1"} and (parts.port or 80) == port


def _file_values(path: Path) -> dict[str, str]:
    """Return the settings of an env file; none when there is no such file."""
    return {name: value for name, value in dotenv_values(path).items() if value is not None} if path.is_file() else {}


def _kept_secrets(var: Path, names: Iterable[str]) -> dict[str, str]:
    """Return secrets from `secrets.env`, making those that are missing; only the owner may read the file."""
    path = var / "secrets.env"
    kept = _file_values(path)
    made = {name: _new_secret(name) for name in names if not kept.get(name)}
    try:
        if made:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write("".join(f"{name}={value}\n" for name, value in made.items()))
        path.chmod(0o600)
    except OSError as error:
        raise RunnerError("folder_not_writable", path=var, reason=error.strerror) from None
    return {name: made.get(name) or kept[name] for name in names}


def _new_secret(name: str) -> str:
    """Return a random word: one that people can type for a login, a long one for programs."""
    if not name.startswith("DEMO_PASSWORD_"):
        return secrets.token_urlsafe(32)
    return "".join(secrets.choice(EASY_LETTERS) for _ in range(12))


def load(base: Mapping[str, str] | None = None, root: Path = ROOT) -> Environment:
    """Return the environment for this start; makes `$JIELI_VAR/secrets.env` on the first one."""
    base = os.environ if base is None else base
    given = {**_file_values(root / base.get("JIELI_ENV_FILE", ".env")), **base}
    values = DEFAULTS | {name: value for name, value in given.items() if value or name not in DEFAULTS}
    var = (root / (values.get("JIELI_VAR") or "var")).resolve()
    values["JIELI_VAR"] = str(var)
    for name, default in _derived(values, var).items():
        values[name] = values.get(name) or default
    values["BOT_MODELS"] = str((root / values["BOT_MODELS"]).resolve())
    values["PYTHONPATH"] = os.pathsep.join([str(root), *filter(None, [values.get("PYTHONPATH", "")])])
    off = {MAY_BE_EMPTY} if values.get(MAY_BE_EMPTY) == "" else set()
    return with_secrets(Environment(values, root), [name for name in SECRET_NAMES if name not in off])


def defaults(base: Mapping[str, str]) -> dict[str, str]:
    """Return `base` with the defaults of everything that it lacks; makes and reads no file."""
    values = DEFAULTS | {name: value for name, value in base.items() if value or name not in DEFAULTS}
    var = (ROOT / (values.get("JIELI_VAR") or "var")).resolve()
    return {name: default for name, default in _derived(values, var).items()} | values


def with_secrets(environment: Environment, names: Iterable[str]) -> Environment:
    """Return the environment with these secrets in it: the given ones, else those kept from the first start."""
    wanted = [name for name in names if not environment.values.get(name)]
    made = _kept_secrets(environment.var, wanted) if wanted else {}
    return Environment({**environment.values, **made}, environment.root)


def _derived(values: Mapping[str, str], var: Path) -> dict[str, str]:
    """Defaults that follow from other settings."""
    return {
        "SHOP_DATABASE": str(var / "shop.db"),
        "BOT_TRACKERS": str(var / "trackers.db"),
        "BOT_MODELS": str(var / "models"),
        "BOT_URLS": f"http://{LOOPBACK}:{values['BOT_PORT']}",
        "SHOP_API_URL": f"http://{LOOPBACK}:{values['SHOP_PORT']}",
        "ACTIONS_URL": f"http://{LOOPBACK}:{values['ACTIONS_PORT']}",
        **_kernels(PROCESSORS),
    }


def _kernels(processors: Path) -> dict[str, str]:
    """Name OpenBLAS's kernels: the bot's is of 2022 and takes the slowest ones on processors that came later."""
    flags = set(processors.read_text(encoding="utf-8").split()) if processors.is_file() else set()
    name = next((name for name, needed in KERNELS.items() if needed <= flags), None)
    return {"OPENBLAS_CORETYPE": name} if name else {}
