"""What the designers wrote for troubleshooting, read from their files: guides, known issues and their steps."""

from __future__ import annotations

import yaml

from tests.bot.conftest import ROOT

FIRMWARE = ROOT / "bot" / "data" / "firmware"


def guide(topic: str) -> dict:
    for path in sorted(FIRMWARE.glob("guides_*.yml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        if topic in content:
            return content[topic]
    raise KeyError(topic)


def known(name: str) -> dict:
    content = yaml.safe_load((FIRMWARE / "known_issues.yml").read_text(encoding="utf-8"))
    return next(issue for issue in content if issue["id"] == name)


def step_text(issue: dict, code: str, language: str) -> str:
    return next(step[language] for step in issue["fix"]["steps"] if step["code"] == code)


def first_steps(topic: str, language: str) -> list[str]:
    return [step[language] for step in guide(topic)["steps"]]
