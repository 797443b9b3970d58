"""`python -m bot.validation`: Rasa's checks with every warning an error, then ours; exit code 1 for any finding."""

import argparse
import subprocess
import sys
from pathlib import Path

from bot.validation.checks import CHECKS
from bot.validation.project import Project

ROOT = Path(__file__).resolve().parents[2]
# Rasa cannot see that actions, not stories, choose most answers.
_SAID_FOR_NOTHING = "is not used in any story or rule"
_TELLING = ("rasa.validator", "UserWarning", "Error")


def main() -> int:
    """Check the project in `--root`; prints the findings, one a line."""
    parser = argparse.ArgumentParser(prog="python -m bot.validation", description=__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder with domain.yml and bot/data")
    parser.add_argument("--without-rasa", action="store_true", help="our own checks alone, which take seconds")
    options = parser.parse_args()
    failed = not options.without_rasa and not rasa_is_content(options.root)
    project = Project(options.root.resolve())
    found = sorted(finding for check in CHECKS for finding in check(project))
    for finding in found:
        print(finding)
    if failed or found:
        print(f"{len(found)} findings; correct them, then run `make validate` again.", file=sys.stderr)
        return 1
    print(f"{len(project.phrases)} phrases, {len(project.responses)} answers: the data can be trained.")
    return 0


def rasa_is_content(root: Path) -> bool:
    """Rasa's own checks; what they complain of is printed."""
    print("Rasa's checks (about half a minute) ...", flush=True)
    words = ["-m", "rasa", "data", "validate", "--fail-on-warnings", "--config", "config.yml", "--domain", "domain.yml"]
    ended = subprocess.run(  # noqa: S603
        [sys.executable, *words, "--data", "bot/data"],
        cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    lines = ended.stdout.splitlines()
    telling = [line for line in lines if any(word in line for word in _TELLING) and _SAID_FOR_NOTHING not in line]
    for line in telling if ended.returncode == 0 else telling or lines[-10:]:
        print(line)
    return ended.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
