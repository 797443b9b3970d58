"""Troubleshooting: hears the problem, matches known issues, goes through the fix step by step, files a bug report."""

from __future__ import annotations

import copy
from typing import Any

from bot.actions import bug_reports, catalogue, words
from bot.actions.answers import answer_topic
from bot.actions.clarify import as_guess
from bot.actions.outcomes import SOLVED, TRYING, UNSOLVED, outcome_of, said_outcome
from bot.actions.questions import ask_fact
from bot.actions.social import hear
from bot.actions.turn import SkillAction, Turn, payload
from bot.finder import known_issues
from bot.nlu.lookups import device_categories

VAGUE = "other"
MOST_STEPS = 5
STEPS_BEFORE_PERSON = 2
MOST_CHOICES = 4
MATCH_FACTS = ("device_model", "os", "firmware_version", "app_version")
VERSION_STEPS = {"update_firmware": ("firmware_version", "firmware"), "update_app": ("app_version", "app")}
NOT_CREDITED = frozenset({"asked_before", "wait"})


class Troubleshoot(SkillAction):
    """One turn of troubleshooting: nothing known is asked, nothing tried is proposed, one step at a time."""

    group = "tech"

    def name(self) -> str:
        return "action_troubleshoot"

    async def answer(self, turn: Turn) -> None:
        case = Case(turn, turn.slot("issue"))
        await case.take_message()
        turn.set("issue", case.issue)


class Case:
    """The running trouble: what it is about, what was asked and given, and what comes next."""

    def __init__(self, turn: Turn, issue: dict[str, Any] | None) -> None:
        self.turn = turn
        self.issue: dict[str, Any] = copy.deepcopy(issue) if issue else {}

    @property
    def stage(self) -> str:
        """describe, choose, fact, step, reported, solved; empty before the first message."""
        return str(self.issue.get("stage") or "")

    @property
    def guide(self) -> dict[str, Any]:
        """The designers' guide of the topic; empty for a problem that has none."""
        return catalogue.guides().get(self.issue.get("topic") or "", {})

    async def take_message(self) -> None:
        """Understands the message as the start of a trouble or as the answer to the last question, and goes on."""
        topic = self._topic()
        if self._is_new(topic):
            await self._start(topic)
            return
        if self.turn.attachments and not self.turn.text:
            self._take_file()
            return
        if self.turn.intent == "firmware_update" and said_outcome(self.turn) is None:
            await answer_topic(self.turn, self.turn.topic)
            return
        if self.turn.intent == "complain" and self.stage not in ("describe", "choose"):
            hear(self.turn)
            return
        self._remember_words()
        if self.stage == "reported":
            await bug_reports.tell_again(self.turn, self.issue)
        elif self.stage in ("describe", "choose"):
            await self._take_description(topic)
        elif self.stage == "step":
            await self._take_outcome()
        else:
            await self.go_on()

    def _topic(self) -> str | None:
        name, _, topic = self.turn.topic.partition("/")
        return topic if name == "device_problem" and topic in catalogue.guides() and topic != VAGUE else None

    def _is_new(self, topic: str | None) -> bool:
        if self.turn.intent != "device_problem":
            return not self.issue
        if not self.issue or self.stage == "solved":
            return True
        if topic is None or topic == self.issue.get("topic") or self._is_of_unnamed_device(topic):
            return False
        if self.stage == "fact":
            return self.issue["fact"] not in self.turn.entities
        other_kind = self.turn.entities.get("product", "") not in ("", *self.guide.get("categories", ()))
        return self.stage == "reported" or self.turn.pressed or other_kind or said_outcome(self.turn) != UNSOLVED

    def _is_of_unnamed_device(self, topic: str) -> bool:
        """Does the trouble belong to another kind of device, though the message names none? Then it was misread: who
        goes over to another device says so.
        """
        turn = self.turn
        ours = turn.slot("product") or device_categories().get(turn.slot("device_model") or "")
        theirs = catalogue.guides()[topic].get("categories")
        named = turn.pressed or {"product", "device_model"} & set(turn.entities)
        return bool(not named and ours and theirs and ours not in theirs)

    async def _start(self, topic: str | None) -> None:
        self.issue = {"topic": topic, "asked": [], "given": [], "words": [], "known": None, "told": False}
        self._remember_words()
        if topic is None:
            self._open(VAGUE)
            self._wait("describe")
            return
        self._name_topic(topic)
        self._open(topic)
        await self.go_on()

    def _open(self, topic: str) -> None:
        """Acknowledges the trouble, and what was tried already; for a vague one this is the open question."""
        acknowledge = self.turn.local(catalogue.guides()[topic]["acknowledge"])
        opening = words.words(
            "utter_devices/opening", self.turn.language, acknowledge=acknowledge, credit=self._credit()
        )
        if topic == VAGUE:
            self.turn.send(opening)
        else:
            self.turn.send(*as_guess(self.turn, f"device_problem/{topic}", opening))

    def _name_topic(self, topic: str) -> None:
        self.issue.update(topic=topic, title=catalogue.guides()[topic]["title"])
        self.turn.set("symptom", self.issue["title"][self.turn.language])

    def _remember_words(self) -> None:
        if not self.turn.pressed:
            self.issue["words"] = [*self.issue.get("words", []), self.turn.text][-6:]

    def _tried(self) -> list[str]:
        return list(self.turn.slot("tried") or [])

    def _credit(self) -> str:
        titles = catalogue.step_titles()
        named = [
            self.turn.local(titles[code])
            for code in dict.fromkeys(self._tried())
            if code in titles and code not in NOT_CREDITED
        ]
        return self.turn.label("credit", tried=words.listed(named, self.turn.language)) if named else ""

    def _wait(self, stage: str) -> None:
        self.issue["stage"] = stage
        self.turn.set("awaiting", "troubleshooting")

    async def _take_description(self, topic: str | None) -> None:
        if topic:
            self._name_topic(topic)
            self._open(topic)
        elif self.stage == "describe":
            self._offer_topics()
            return
        else:
            self.issue["topic"] = VAGUE
        await self.go_on()

    def _offer_topics(self) -> None:
        """The second question gives choices: what the description may mean, then what the product often has."""
        product = self.turn.slot("product") or device_categories().get(self.turn.slot("device_model") or "")
        guides = catalogue.guides()
        likely = [name.partition("/")[2] for name in self.turn.ranking if name.startswith("device_problem/")]
        fitting = [
            topic
            for topic in dict.fromkeys([*likely, *guides])
            if topic in guides and topic != VAGUE and (not product or product in guides[topic]["categories"])
        ]
        self._wait("choose")
        self.turn.say(
            "utter_devices/choose",
            buttons=[
                *(
                    {
                        "title": self.turn.local(guides[topic]["title"]),
                        "payload": payload("device_problem", topic=f"device_problem/{topic}"),
                    }
                    for topic in fitting[:MOST_CHOICES]
                ),
                self.turn.button("none_of_these", payload("deny", outcome="none")),
            ],
        )

    async def _take_outcome(self) -> None:
        outcome = outcome_of(self.turn)
        if outcome == SOLVED:
            self._solved()
        elif outcome == UNSOLVED or self.turn.intent == "inform":
            await self.go_on()
        else:
            name = "utter_devices/take_your_time" if outcome == TRYING else "utter_devices/ask_outcome"
            self.turn.say(name)

    def _take_file(self) -> None:
        """A file without words: noted, and the open question is asked once more."""
        self.turn.say("utter_devices/ask_outcome" if self.stage == "step" else "utter_devices/file_noted")

    def _solved(self) -> None:
        self.issue["stage"] = "solved"
        self.turn.set("awaiting", "nothing")
        tip = self.guide.get("tip")
        if tip:
            self.turn.say("utter_devices/solved_tip", tip=self.turn.local(tip))
        else:
            self.turn.say("utter_devices/solved")

    async def go_on(self) -> None:
        """The next question, the next step, or the bug report."""
        categories = self.guide.get("categories") or list(catalogue.CATEGORIES)
        facts = self._facts(categories)
        if not self.issue.get("known"):
            fact = self._match_known_issue(facts)
            if fact and await self._ask(fact, categories):
                return
        if self.guide and not facts["os"] and self._platform_decides() and await self._ask("os", categories):
            return
        step = self._next_step(facts)
        if step and len(self.issue["given"]) < MOST_STEPS:
            self._give(step)
            return
        for fact in self.guide.get("needs") or ["device_model", "os"]:
            if not facts.get(fact) and not self.turn.slot(fact) and await self._ask(fact, categories):
                return
        self._wait("reported")
        self.turn.set("awaiting", "nothing")
        await bug_reports.file(self.turn, self.issue, facts)

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

    def _match_known_issue(self, facts: dict[str, str | None]) -> str | None:
        """Settles on a known issue when the facts decide; otherwise returns the fact that would."""
        product = self.turn.slot("product")
        asked = self.issue["asked"]
        found = known_issues.matches(self.issue.get("topic") or "", facts, product, device_categories())
        for match in found:
            open_facts = [fact for fact in match.undecided if fact not in asked]
            if open_facts:
                return open_facts[0]
            if "device_model" not in match.undecided and "os" not in match.undecided:
                self.issue["known"] = match.issue["id"]
                return None
        return None

    async def _ask(self, fact: str, categories: list[str]) -> bool:
        """Asks for a fact, once. False when it was asked before: what the customer cannot tell is not asked again."""
        if fact in self.issue["asked"]:
            return False
        self.issue["asked"].append(fact)
        self.issue["fact"] = fact
        self._wait("fact")
        await ask_fact(self.turn, fact, categories)
        return True

    def _platform_decides(self) -> bool:
        return any(step.get("platforms") for step in self.guide["steps"])

    def _known(self) -> dict[str, Any] | None:
        return next((issue for issue in known_issues.known_issues() if issue["id"] == self.issue.get("known")), None)

    def _next_step(self, facts: dict[str, str | None]) -> dict[str, Any] | None:
        """The next step that was neither given nor tried: a known issue's fix first, then the guide's."""
        known = self._known()
        steps = [*(known["fix"]["steps"] if known else []), *(self.guide.get("steps") or [])]
        done = {*self.issue["given"], *self._tried()}
        for step in steps:
            if step["code"] in done or (step.get("platforms") and facts["os"] not in step["platforms"]):
                continue
            if known and self._already_there(step["code"], known, facts):
                continue
            return dict(step)
        return None

    @staticmethod
    def _already_there(code: str, known: dict[str, Any], facts: dict[str, str | None]) -> bool:
        """Is the update that this step asks for installed already?"""
        fact, part = VERSION_STEPS.get(code, ("", ""))
        have, wanted = facts.get(fact), known["fix"].get(part)
        return bool(have and wanted and known_issues.version(have) >= known_issues.version(wanted))

    def _give(self, step: dict[str, Any]) -> None:
        known, given = self._known(), self.issue["given"]
        values = {"step": self.turn.local(step)}
        if known and not self.issue["told"]:
            name, values = self._known_words(known, values)
            self.issue["told"] = True
        else:
            name = "utter_devices/step_next" if given else "utter_devices/step_first"
            name = "utter_devices/step_heard" if given and self.turn.upset else name
        person = (
            [self.turn.button("person", "/request_human")]
            if len(given) >= STEPS_BEFORE_PERSON or self.turn.upset
            else []
        )
        given.append(step["code"])
        self._wait("step")
        self.turn.say(name, index=len(given), buttons=person, **values)

    def _known_words(self, known: dict[str, Any], values: dict[str, str]) -> tuple[str, dict[str, str]]:
        told = {**values, "cause": self.turn.local(known["cause"]), "reports": str(known["reports"])}
        if known["fix"].get("firmware") or known["fix"].get("app"):
            return "utter_devices/known_fix", told
        expected = known.get("expected")
        told["expected"] = self.turn.local(expected) if expected else ""
        return "utter_devices/known_open", told
