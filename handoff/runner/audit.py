"""`make audit`: are there known flaws in what the lock files pin? pip-audit asks its advisory service about both.

Exit codes: 0 nothing known beyond `audit.toml`; 1 a finding that is not accepted; 2 something could not be checked.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LOCKS = {"product": ROOT / "uv.lock", "bot": ROOT / "bot" / "uv.lock"}
ACCEPTED = ROOT / "audit.toml"
PATIENCE_SECONDS = 600
CLEAN, FOUND, UNCHECKED = 0, 1, 2


@dataclass(frozen=True)
class Pin:
    """A package in one version, as a lock file has it."""

    name: str
    version: str


@dataclass
class Report:
    """What the advisory service said: flaws by pin (each with all its names), and what it could not check."""

    flaws: dict[Pin, list[set[str]]] = field(default_factory=dict)
    unchecked: dict[Pin, str] = field(default_factory=dict)


def pins(lock: Path) -> list[Pin]:
    """Return every package of a lock file that comes from a registry, in every version that it may be installed in."""
    packages = tomllib.loads(lock.read_text("utf8"))["package"]
    return [Pin(package["name"], package["version"]) for package in packages if "registry" in package["source"]]


def accepted(path: Path = ACCEPTED) -> dict[tuple[str, str], dict[str, str]]:
    """Return the reasons for what is accepted: (environment, package) -> finding's name -> reason."""
    found: defaultdict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for entry in tomllib.loads(path.read_text("utf8"))["accepted"]:
        for name in entry["ids"]:
            found[entry["environment"], entry["package"]][name] = entry["reason"]
    return dict(found)


def ask(wanted: list[Pin]) -> Report:
    """Ask pip-audit about these pins; two versions of one package go into two questions."""
    report = Report()
    for question in _questions(wanted):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write("".join(f"{pin.name}=={pin.version}\n" for pin in question))
            file.flush()
            _read(question, _pip_audit(file.name), report)
    return report


def _questions(wanted: list[Pin]) -> list[list[Pin]]:
    questions: list[dict[str, Pin]] = []
    for pin in wanted:
        free = next((question for question in questions if pin.name not in question), None)
        if free is None:
            free = {}
            questions.append(free)
        free[pin.name] = pin
    return [list(question.values()) for question in questions]


def _pip_audit(requirements: str) -> list[dict[str, Any]] | str:
    """Return pip-audit's findings, or why there are none."""
    words = ["-r", requirements, "--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
    try:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "pip_audit", *words], capture_output=True, text=True, timeout=PATIENCE_SECONDS
        )
    except subprocess.TimeoutExpired:
        return "the advisory service does not answer"
    try:
        return list(json.loads(done.stdout)["dependencies"])
    except (ValueError, KeyError):
        return (done.stderr.strip().splitlines() or ["pip-audit gave no answer"])[-1]


def _read(question: list[Pin], answer: list[dict[str, Any]] | str, report: Report) -> None:
    if isinstance(answer, str):
        report.unchecked |= dict.fromkeys(question, answer)
        return
    by_name = {entry["name"].lower().replace("_", "-"): entry for entry in answer}
    for pin in question:
        entry = by_name.get(pin.name)
        if entry is None or "skip_reason" in entry:
            report.unchecked[pin] = entry["skip_reason"] if entry else "pip-audit did not mention it"
        elif entry["vulns"]:
            report.flaws[pin] = [{flaw["id"], *flaw["aliases"]} for flaw in entry["vulns"]]


def judge(environment: str, report: Report, reasons: dict[tuple[str, str], dict[str, str]]) -> tuple[int, list[str]]:
    """Return the exit code for one environment and the lines that say why."""
    lines, code = [], CLEAN
    for pin, flaws in report.flaws.items():
        known = reasons.get((environment, pin.name), {})
        for names in flaws:
            title = f"{pin.name} {pin.version}: {', '.join(sorted(names))}"
            reason = next((known[name] for name in sorted(names) if name in known), None)
            lines.append(f"  accepted  {title}\n            {reason}" if reason else f"  FOUND     {title}")
            code = code if reason else FOUND
    if report.unchecked:
        lines += [f"  unchecked {len(report.unchecked)} packages: {_why(report.unchecked.values())}"]
        code = code or UNCHECKED
    return code, lines


def _why(reasons: Iterable[str]) -> str:
    return "; ".join(sorted({reason.partition(":")[0] for reason in reasons}))


def main() -> int:
    """Audit both environments and print what was found."""
    reasons, codes = accepted(), []
    for environment, lock in LOCKS.items():
        wanted = pins(lock)
        report = ask(wanted)
        code, lines = judge(environment, report, reasons)
        checked = len(wanted) - len(report.unchecked)
        print(f"{environment} ({lock.relative_to(ROOT)}): {checked} of {len(wanted)} packages checked")
        print("\n".join(lines))
        if not checked:
            print("  NOTHING COULD BE CHECKED: the advisory service cannot be reached from this machine.")
        codes.append(code)
    return FOUND if FOUND in codes else max(codes)


if __name__ == "__main__":
    sys.exit(main())
