"""A real, small disk, and filling it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

DISK_BYTES = 6 * 1024 * 1024


@contextlib.contextmanager
def mounted_disk(folder: Path) -> Iterator[Path]:
    """Mount a file system of a few megabytes (needs root); skips with the reason where none can be mounted."""
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    if os.getuid() != 0 or mount is None or unmount is None:
        pytest.skip("only root can mount a small disk")
    words = [mount, "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    mounted = subprocess.run(words, capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run([unmount, "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Write until nothing more fits; returns the file to remove for space."""
    ballast = folder / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    assert shutil.disk_usage(folder).free < 4096
    return ballast
