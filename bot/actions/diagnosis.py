"""What comes next in a trouble: the fact that decides, the known issue, the next step of its fix, or a bug report."""

from __future__ import annotations

import copy
import re
from typing import Any

from bot.actions import bug_reports, catalogue, words
from bot.actions.outcomes import says_newest
from bot.actions.questions import ask_fact
from bot.actions.tried_steps import as_good_as_tried
from bot.actions.turn import Turn
from bot.finder import known_issues
from bot.nlu.lookups import device_categories

MOST_STEPS = 5
STEPS_BEFORE_PERSON = 2
MATCH_FACTS = ("device_model", "os", "os_version", "firmware_version", "app_version")
VERSION_STEPS = {"update_firmware": ("firmware_version", "firmware"), "update_app": ("app_version", "app")}
# A trouble at its start. `given`: the steps tried, by code; `skipped`: those that cannot be done or were passed over.
# `others`: what else the messages could mean. `step`: the open one; `done`: it was done, and how it is now was asked;
# `aside`: so many messages told something else since it was given. `cannot`: the facts that cannot be told. `maybe`:
# the known issue is only likely. `newest`: the customer says that the newest firmware is installed. `update`: the topic
# of the update that fails. `wet`: the kind of device that water got into.
NEW: dict[str, Any] = {
    "asked": [],
    "given": [],
    "skipped": [],
    "cannot": [],
    "words": [],
    "others": [],
    "known": None,
    "told": False,
    "maybe": False,
    "step": None,
    "done": False,
    "aside": 0,
    "explained": 0,
    "asked_again": 0,
    "all_tried": False,
    "newest": False,
    "update": None,
    "wet": None,
}
_CHARGES = re.compile(r"充(?!电口)|(?:on|接上?)(?:电源| power| the power)|charg", re.IGNORECASE)
_NOT_TO_CHARGE = re.compile(r"(?:别|不要|勿|(?:don'?t|no|not) )(?:charg\w*|充电)", re.IGNORECASE)
_LOOKED_BACK = 2


def charges(step: dict[str, Any]) -> bool:
    """Does a step ask to charge the device?"""
    return any(_CHARGES.search(_NOT_TO_CHARGE.sub("", str(step.get(language, "")))) for language in words.LANGUAGES)


class Diagnosis:
    """The running trouble: what is known of it, what was asked and given, and what comes next."""

    def __init__(self, turn: Turn, issue: dict[str, Any] | None) -> None:
        self.turn = turn
        self.lost = False
        self.issue: dict[str, Any] = {**copy.deepcopy(NEW), **copy.deepcopy(issue)} if issue else {}

    @property
    def stage(self) -> str:
        """describe, choose, fact, step, reported, solved; empty before the first message."""
        return str(self.issue.get("stage") or "")

    @property
    def guide(self) -> dict[str, Any]:
        """The designers' guide of the topic; empty for a problem that has none."""
        return catalogue.guide_of(self.issue.get("topic"))

    def wait(self, stage: str) -> None:
        """The next message is awaited at this stage."""
        self.issue["stage"] = stage
        self.turn.set("awaiting", "troubleshooting")

    def tried(self) -> list[str]:
        """The steps that the customer has told of, by code."""
        return list(self.turn.slot("tried") or [])

    def before_another(self, said: str) -> str:
        """A sentence as it stands before another one."""
        return f"{said} " if self.turn.language == "en" else said

    def categories(self) -> list[str]:
        """The kinds of devices that the trouble may be about."""
        return self.guide.get("categories") or list(catalogue.CATEGORIES)

    def fresh(self, name: str, first: int = 0, noted: str = "", **values: Any) -> words.Words:
        """A response after what is `noted`, in a wording that was not used just before; `first` is tried first."""
        lately = "\n".join(self.turn.said_lately(_LOOKED_BACK))
        count = len(words.variations(name, self.turn.language))
        found = [words.words(name, self.turn.language, first + index, **values) for index in range(count)]
        said = next((one for one in found if one.text not in lately), found[-1])
        return words.Words(noted + said.text, said.buttons)

    def say(self, name: str, noted: str = "", buttons: list[words.Button] | None = None, **values: Any) -> None:
        """Says a response in a fresh wording."""
        self.turn.send(self.fresh(name, noted=noted, **values), buttons)

    async def go_on(self, noted: str = "", seen: bool = False) -> None:
        """The next question, the next step, or the bug report.

        `noted`: what is said first, when the message told something beside an outcome. `seen`: it told what the
        step before had asked for.
        """
        categories = self.categories()
        self._facts(categories)
        await self._take_newest()
        facts = self._facts(categories)
        if self._withdraw(facts):
            noted = self.before_another(words.words("utter_devices/withdrawn", self.turn.language).text)
        fact = self._match_known_issue(facts)
        if fact and await self._ask(fact, categories, noted):
            return
        if self.guide and not facts["os"] and self._platform_decides() and await self._ask("os", categories, noted):
            return
        step = self._next_step(facts)
        if step and len(self.issue["given"]) < MOST_STEPS:
            self._give(step, noted, seen)
            return
        for fact in self.guide.get("needs") or ["device_model", "os"]:
            if not facts.get(fact) and not self.turn.slot(fact) and await self._ask(fact, categories, noted):
                return
        self.issue["step"] = None
        self.wait("reported")
        self.turn.set("awaiting", "nothing")
        await bug_reports.file(self.turn, self.issue, facts)

    async def _take_newest(self) -> None:
        """Who says that the newest firmware is installed has told the version, once the model is known."""
        self.issue["newest"] |= says_newest(self.turn.text, of_firmware=True)
        device = (await catalogue.devices()).get(self.turn.slot("device_model") or "")
        if self.issue["newest"] and device and not self.turn.slot("firmware_version"):
            self.turn.set("firmware_version", device["latest_firmware"])
        have = self.turn.slot("firmware_version")
        if device and have:
            self.issue["newest"] = known_issues.version(have) >= known_issues.version(device["latest_firmware"])

    def _facts(self, categories: list[str]) -> dict[str, str | None]:
        """What decides a match. A model of another kind than the trouble's is another device and does not count."""
        turn, kinds = self.turn, device_categories()
        named = turn.entities.get("product")
        model = turn.slot("device_model")
        if model and (kinds.get(model) not in categories or (named and named != kinds.get(model))):
            turn.set("device_model", None)
            turn.set("firmware_version", None)
            model = None
        if not model:
            product = turn.slot("product")
            possible = [product] if product in categories else categories
            fitting = [slug for slug, kind in kinds.items() if kind in possible]
            if len(fitting) == 1:
                model = fitting[0]
                turn.set("device_model", model)
        return {**{fact: turn.slot(fact) for fact in MATCH_FACTS}, "device_model": model}

    def _matches(self, facts: dict[str, str | None]) -> list[known_issues.Match]:
        product = self.turn.slot("product")
        return known_issues.matches(self.issue.get("topic") or "", facts, product, device_categories())

    def _match_known_issue(self, facts: dict[str, str | None]) -> str | None:
        """Settles on a known issue when the facts decide; otherwise returns the fact that would.

        Where a fact cannot be told, the issue is one that may be the customer's.
        """
        for match in self._matches(facts):
            open_facts = [fact for fact in match.undecided if fact not in self.issue["asked"]]
            if open_facts:
                return open_facts[0]
            told = set(match.undecided) <= set(self.issue["cannot"])
            if told and "device_model" not in match.undecided and "os" not in match.undecided:
                self._settle_on(match.issue["id"], bool(match.undecided))
                return None
        return None

    def _settle_on(self, known: str, maybe: bool) -> None:
        if (known, maybe) != (self.issue["known"], self.issue["maybe"]):
            self.issue.update(known=known, maybe=maybe, told=False)

    def _withdraw(self, facts: dict[str, str | None]) -> bool:
        """Drops a known issue that the facts have come to contradict; True when it had been named."""
        known = self.issue["known"]
        if not known or any(match.issue["id"] == known for match in self._matches(facts)):
            return False
        if not self.issue["maybe"] and self._is_updated(facts):
            return False
        named = bool(self.issue["told"])
        self.issue.update(known=None, maybe=False, told=False)
        return named

    def _is_updated(self, facts: dict[str, str | None]) -> bool:
        """Has the customer installed meanwhile what mends the known issue? It was theirs all the same."""
        fix = (self._known() or {}).get("fix") or {}
        made = {"update_firmware", "update_app"} & {*self.issue["given"], *self.tried(), self.issue["step"]}
        return any(
            code in made and fix.get(part) and _reaches(facts.get(fact), fix[part])
            for code, (fact, part) in VERSION_STEPS.items()
        )

    async def _ask(self, fact: str, categories: list[str], noted: str = "") -> bool:
        """Asks for a fact, once. False when it was asked before: what the customer cannot tell is not asked again."""
        if fact in self.issue["asked"]:
            return False
        self.issue["asked"].append(fact)
        self.issue["fact"] = fact
        self.issue["asked_again"] = 0
        self.wait("fact")
        await ask_fact(self.turn, fact, categories, noted=noted)
        return True

    def _platform_decides(self) -> bool:
        return any(step.get("platforms") for step in self.guide["steps"])

    def _known(self) -> dict[str, Any] | None:
        return next((issue for issue in known_issues.known_issues() if issue["id"] == self.issue.get("known")), None)

    def steps(self) -> list[dict[str, Any]]:
        """All steps there are: a known issue's fix, then the guide's."""
        known = self._known()
        return [*(known["fix"]["steps"] if known else []), *(self.guide.get("steps") or [])]

    def _next_step(self, facts: dict[str, str | None]) -> dict[str, Any] | None:
        """The next step that was neither given nor tried: a known issue's fix first, then the guide's."""
        if self.issue["all_tried"]:
            return None
        known = self._known()
        tried = [*self.issue["given"], *self.tried()]
        done = as_good_as_tried(tried, self.issue["words"], self.guide.get("categories") or [])
        done.update(self.issue["skipped"])
        if self.issue["newest"]:
            done.add("update_firmware")
        for step in self.steps():
            if step["code"] in done or (step.get("platforms") and facts["os"] not in step["platforms"]):
                continue
            if self.issue["wet"] and charges(step):
                continue
            if known and self._already_there(step["code"], known, facts):
                continue
            return dict(step)
        return None

    @staticmethod
    def _already_there(code: str, known: dict[str, Any], facts: dict[str, str | None]) -> bool:
        """Is the update that this step asks for installed already?"""
        fact, part = VERSION_STEPS.get(code, ("", ""))
        return _reaches(facts.get(fact), known["fix"].get(part))

    def _give(self, step: dict[str, Any], noted: str = "", seen: bool = False) -> None:
        turn, known, passed = self.turn, self._known(), len(self.issue["given"])
        values = {"step": turn.local(step)}
        if known and not self.issue["told"]:
            name, values = self._known_words(known, values)
            self.issue["told"] = True
        else:
            name = self._step_words(step, noted, seen)
        person = (
            [turn.button("person", "/request_human")]
            if self.lost or passed >= STEPS_BEFORE_PERSON or turn.upset
            else []
        )
        if self.issue["step"] != step["code"]:
            self.issue.update(step=step["code"], done=False, explained=0, aside=0)
        self.wait("step")
        turn.send(self.fresh(name, 0 if noted else passed + 1, noted, **values), person)

    def _step_words(self, step: dict[str, Any], noted: str, seen: bool) -> str:
        """How a step is introduced: again, instead of the open one, after what was seen, or as the next."""
        passed, before = self.issue["given"], self.issue["step"]
        if noted and before == step["code"]:
            stands_there = any(self.turn.local(step) in said for said in self.turn.said_lately(1))
            return "utter_devices/ask_if_done" if stands_there else "utter_devices/step_again"
        if noted and before:
            return "utter_devices/step_replaced"
        if seen:
            return "utter_devices/step_seen"
        if before in self.issue["skipped"]:
            return "utter_devices/step_other"
        if not passed or noted:
            return "utter_devices/step_first"
        return "utter_devices/step_heard" if self.turn.upset else "utter_devices/step_next"

    def _known_words(self, known: dict[str, Any], values: dict[str, str]) -> tuple[str, dict[str, str]]:
        told = {**values, "cause": self.turn.local(known["cause"]), "reports": str(known["reports"])}
        if self.issue["maybe"]:
            return "utter_devices/known_maybe", told
        if known["fix"].get("firmware") or known["fix"].get("app"):
            return "utter_devices/known_fix", told
        expected = known.get("expected")
        told["expected"] = self.turn.local(expected) if expected else ""
        return "utter_devices/known_open", told


def _reaches(have: str | None, wanted: str | None) -> bool:
    """Is a version at least the one that is wanted?"""
    return bool(have and wanted and known_issues.version(have) >= known_issues.version(wanted))
