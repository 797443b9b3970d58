"""The bot's model: trained when its data, configuration, components or libraries changed, and only then.

A model is a file named after a fingerprint of all that it was made from; `current.tar.gz` links to the one that serves.
`python -m handoff.runner.model` trains when needed, with `--force` always (`make train`).
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import sys
import tarfile
import tempfile
import time
import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TextIO

from handoff.runner.environment import Environment, load
from handoff.runner.errors import RunnerError
from handoff.runner.messages import say
from handoff.runner.preflight import check_disk, check_python
from handoff.runner.steps import run_step
from handoff.runner.terminal import Terminal

INGREDIENTS = ("bot/data", "bot/finder", "bot/nlu", "bot/policies", "bot/importer.py", "config.yml", "domain.yml",
               "bot/uv.lock")
CURRENT = "current.tar.gz"
MIXED = "mixed.tar.gz"
KEPT_MODELS = 3


def fingerprint(root: Path) -> str:
    """Return a short hash over the names and contents of everything that a training reads."""
    digest = hashlib.sha256()
    for path in _ingredients(root):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _ingredients(root: Path) -> Iterator[Path]:
    for name in INGREDIENTS:
        path = root / name
        if path.is_file():
            yield path
            continue
        yield from sorted(
            file for file in path.rglob("*")
            if file.is_file() and not any(part == "__pycache__" or part.startswith(".")
                                          for part in file.relative_to(root).parts)
        )


def check_file(path: Path) -> None:
    """Raise RunnerError unless `path` is a whole Rasa model archive (read to its end: half a file is noticed)."""
    try:
        with tarfile.open(path, "r:gz") as archive:
            names = {os.path.normpath(member.name) for member in archive}
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise RunnerError("model_broken", path=path, reason=str(error) or type(error).__name__) from None
    if "metadata.json" not in names:
        raise RunnerError("model_broken", path=path, reason="no metadata.json")


async def ensure(environment: Environment, terminal: Terminal, force: bool = False) -> Path:
    """Return the model that fits the present data, training it when there is none (or `force`).

    RunnerError when a model is there but damaged (nothing is thrown away unasked), or when the training fails.
    """
    current = environment.models / CURRENT
    model = environment.models / f"{fingerprint(environment.root)}.tar.gz"
    if not force:
        for path in {current, model}:
            if path.exists():
                check_file(path)
    async with _one_training(environment.models, terminal):
        if force or not model.exists():
            model = await _train(environment, model, terminal)
        _link(current, model)
        _prune(environment.models, model)
    return model


@contextlib.asynccontextmanager
async def _one_training(models: Path, terminal: Terminal) -> AsyncIterator[None]:
    """Two trainings at once would only slow each other down: the second one waits and finds the work done."""
    with _lock_file(models) as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                terminal.progress(say("model_waiting"))
                await asyncio.sleep(0.5)
        yield


def _lock_file(models: Path) -> TextIO:
    models.mkdir(parents=True, exist_ok=True)
    return (models / ".lock").open("w")


async def _train(environment: Environment, model: Path, terminal: Terminal) -> Path:
    """Train into `model`, or into `mixed.tar.gz` when somebody edited meanwhile: it serves until the next training."""
    check_disk(model.parent)
    log = environment.logs / "train.log"
    with tempfile.TemporaryDirectory(prefix=".training-", dir=model.parent) as scratch:
        values = {name: value for name, value in environment.values.items() if not name.endswith("_THREADS")}
        # Rasa's cache does not see changes in lookups and in the components' own helpers, so it is not used.
        values |= {"RASA_CACHE_DIRECTORY": str(Path(scratch) / "cache"), "RASA_MAX_CACHE_SIZE": "0",
                   "PYTHONWARNINGS": "ignore"}
        words = [
            str(environment.root / "bot" / ".venv" / "bin" / "python"), "-m", "rasa", "train",
            "--config", "config.yml", "--domain", "domain.yml", "--data", "bot/data",
            "--out", scratch, "--fixed-model-name", "model",
        ]
        await run_step(say("model_training"), words, values, environment.root, log, terminal)
        made = Path(scratch) / "model.tar.gz"
        if not made.exists():
            raise RunnerError("model_no_output", log=log)
        check_file(made)
        if f"{fingerprint(environment.root)}.tar.gz" != model.name:
            terminal.line(say("model_mixed"))
            model = model.with_name(MIXED)
        return made.replace(model)


def _link(current: Path, model: Path) -> None:
    """Point `current` at `model` in one move, so that a starting bot never finds nothing."""
    if current.is_symlink() and current.resolve() == model.resolve():
        return
    fresh = current.with_name(".current")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(model.name)
    fresh.replace(current)


def _prune(models: Path, serving: Path) -> None:
    """Keep the newest few models, so that going back is possible and the disk does not fill."""
    trained = [path for path in models.glob("*.tar.gz") if not path.is_symlink() and path != serving]
    trained.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in trained[KEPT_MODELS - 1:]:
        path.unlink(missing_ok=True)


async def _main(force: bool) -> None:
    terminal = Terminal()
    environment = load()
    check_python(environment)
    check_disk(environment.var)
    began = time.time()
    model = await ensure(environment, terminal, force)
    fresh = model.stat().st_mtime >= began
    terminal.line(say("model_trained" if fresh else "model_current", name=model.name))


def main() -> None:
    """Train for `make train` and `make test`; exit code 1 and a sentence when it cannot be done."""
    try:
        asyncio.run(_main("--force" in sys.argv[1:]))
    except RunnerError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(say("interrupted"))


if __name__ == "__main__":
    main()
