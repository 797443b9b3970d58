"""`make validate`: each check finds its fault in a small broken data set, says where, and is content with ours."""

import subprocess
import sys
from pathlib import Path

import pytest

from bot.validation import answers, firmware, phrases
from bot.validation.checks import CHECKS, Check
from bot.validation.project import Project
from tests.bot.conftest import ROOT

DOMAIN = """
intents: [delivery, device_problem, refund]
entities: [product, device_model, os, topic]
"""
NLU = """
nlu:
- intent: delivery/time
  examples: |
    - 我买的[手环](product)几天能送到
    - when will it arrive
- intent: device_problem/steps_zero
  examples: |
    - [手环2](device_model)不计步
    - no steps at all
"""
RESPONSES = """
responses:
  utter_delivery/time:
  - condition: [{type: slot, name: language, value: zh}]
    text: 三天
    buttons: [{title: 运费, payload: '/delivery{"topic": "delivery/time"}'}]
  - condition: [{type: slot, name: language, value: en}]
    text: three days
  utter_label/topic_delivery_time:
  - text: delivery
"""
GUIDES = """
steps_zero:
  title: {zh: 不计步, en: No steps}
  categories: [band]
  steps:
  - {code: restart_device, zh: 重启, en: restart}
"""
ISSUES = """
- id: steps-zero
  topic: steps_zero
  devices: [band-2]
  platforms: [ios]
  cause: {zh: 固件, en: firmware}
  fix: {steps: [{code: restart_device, zh: 重启, en: restart}]}
"""
FILES = {
    "domain.yml": DOMAIN,
    "bot/data/nlu/all.yml": NLU,
    "bot/data/rules/all.yml": "rules: []\n",
    "bot/data/responses/all.yml": RESPONSES,
    "bot/data/firmware/guides_all.yml": GUIDES,
    "bot/data/firmware/known_issues.yml": ISSUES,
    "bot/data/lookups/devices.yml": (
        "models:\n  band-2: {category: band, patterns: [手环\\s*2]}\ncategories:\n  band: {patterns: [手环, band]}\n"
    ),
    "bot/data/lookups/systems.yml": "ios: [iphone]\n",
    "bot/data/lookups/phones.yml": "- {brand: iPhone, patterns: ['iphone\\s*(?P<model>\\d+)']}\n",
    "bot/data/lookups/tried_steps.yml": "restart_device:\n  title: {zh: 重启设备, en: Restarted}\n  patterns: [重启]\n",
    "bot/actions/words.py": 'button("other", payload("delivery", topic="delivery/time"), "/device_problem")\n',
}

# check, file, what stands there, what breaks it, line of the fault, words of the finding
BROKEN = [
    (phrases.same_phrase, "bot/data/nlu/all.yml", "no steps at all", "When will it arrive?", 10, "delivery/time"),
    (phrases.near_duplicate, "bot/data/nlu/all.yml", "no steps at all", "so when will it arrive", 10, "nearly"),
    (phrases.missing_language, "bot/data/nlu/all.yml", "    - no steps at all\n", "", 9, "0 phrases in en"),
    (phrases.unknown_value, "bot/data/nlu/all.yml", "[手环]", "[收音机]", 5, "收音机"),
    (phrases.unknown_value, "bot/data/nlu/all.yml", "(product)", "(colour)", 5, "colour"),
    (phrases.personal_data, "bot/data/nlu/all.yml", "no steps", "call 139 1728 5563, no steps", 10, "phone"),
    (phrases.personal_data, "bot/data/nlu/all.yml", "no steps", "身份证11010519491231002X", 10, "ID number"),
    (phrases.personal_data, "bot/data/nlu/all.yml", "no steps", "li.na@mail.cn no steps", 10, "e-mail"),
    (phrases.personal_data, "bot/data/nlu/all.yml", "no steps", "寄到滨江路88号", 10, "address"),
    (answers.missing_language, "bot/data/responses/all.yml", "value: en", "value: zh", 3, "nothing in en"),
    (answers.unknown_button, "bot/data/responses/all.yml", '"delivery/time"', '"delivery/fee"', 3, "delivery/fee"),
    (answers.unknown_button, "bot/data/responses/all.yml", "/delivery{", "/post{", 3, "post"),
    (answers.unknown_button, "bot/data/responses/all.yml", '"topic"', '"colour"', 3, "colour"),
    (answers.unknown_button, "bot/actions/words.py", "/device_problem", "/device_trouble", 1, "device_trouble"),
    (answers.unknown_button, "bot/actions/words.py", '"delivery/time"', '"delivery/fee"', 1, "delivery/fee"),
    (answers.unused_answer, "bot/data/responses/all.yml", "utter_delivery/time", "utter_delivery/tiem", 3, "tiem"),
    (answers.unused_answer, "bot/data/responses/all.yml", "topic_delivery_time", "topic_delivery_fee", 9, "fee"),
    (firmware.missing_language, "bot/data/firmware/guides_all.yml", ", en: restart", "", 6, "nothing in en"),
    (firmware.missing_language, "bot/data/lookups/tried_steps.yml", ", en: Restarted", "", 2, "nothing in en"),
    (firmware.unknown_name, "bot/data/firmware/known_issues.yml", "band-2", "band-9", 2, "band-9"),
    (firmware.unknown_name, "bot/data/firmware/known_issues.yml", "[ios]", "[windows]", 2, "windows"),
    (firmware.unknown_name, "bot/data/firmware/guides_all.yml", "restart_device", "pray", 6, "pray"),
]


def write(root: Path, changed: dict[str, str] | None = None) -> Project:
    """The small data set below `root`, with some files changed."""
    for name, content in {**FILES, **(changed or {})}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return Project(root)


@pytest.mark.parametrize("check", [check for check in CHECKS if check is not phrases.missing_language])
def test_a_sound_data_set_has_no_findings(check: Check, tmp_path: Path) -> None:
    assert list(check(write(tmp_path))) == []


@pytest.mark.parametrize(
    ("check", "file", "there", "broken", "line", "words"),
    BROKEN,
    ids=[f"{check.__module__.rpartition('.')[2]}-{check.__name__}-{words}" for check, *_, words in BROKEN],
)
def test_each_fault_is_found_with_its_place(
    check: Check, file: str, there: str, broken: str, line: int, words: str, tmp_path: Path
) -> None:
    assert there in FILES[file]
    found = [str(finding) for finding in check(write(tmp_path, {file: FILES[file].replace(there, broken, 1)}))]
    assert any(words in one for one in found), found
    assert any(one.startswith(f"{file}:{line}: ") for one in found), found


def test_a_topic_without_a_title_is_found_at_its_phrases(tmp_path: Path) -> None:
    file = "bot/data/responses/all.yml"
    project = write(tmp_path, {file: FILES[file].replace("topic_delivery_time", "topic_post")})
    assert [str(one.place) for one in answers.topic_without_title(project)] == ["bot/data/nlu/all.yml:5"]


def test_every_check_has_a_broken_data_set() -> None:
    assert set(CHECKS) == {check for check, *_ in BROKEN} | {answers.topic_without_title}


def test_a_finding_makes_the_command_fail(tmp_path: Path) -> None:
    write(tmp_path)
    words = [sys.executable, "-m", "bot.validation", "--without-rasa", "--root", str(tmp_path)]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "bot/data/nlu/all.yml:5: a language is missing" in ended.stdout


def test_our_own_data_has_no_findings() -> None:
    project = Project(ROOT)
    assert [str(finding) for check in CHECKS for finding in check(project)] == []
