"""The open step or question of a trouble: what the customer's answer to it means, and what is said to it."""

from __future__ import annotations

import re
from typing import Any

from bot.actions import catalogue, words
from bot.actions.answers import UPDATE_TROUBLES, answer_topic
from bot.actions.diagnosis import Diagnosis
from bot.actions.explanations import answer_about, asks_to_charge, help_for, meaning_of_light
from bot.actions.outcomes import asks_back, asks_what_firmware_is, has_no_code, names_update, puts_off, updated
from bot.actions.questions import ask_fact
from bot.actions.tried_steps import told_in_own_words
from bot.actions.turn import Turn
from bot.nlu.text import CLAUSE_END, normalise
from bot.replies import (
    ALL_TRIED,
    ANOTHER,
    DONE,
    FACT,
    LATER,
    LOST,
    QUESTION,
    SOLVED,
    THANKS,
    TOLD,
    TRIED,
    UNABLE,
    UNKNOWN,
    UNSOLVED,
    says_still,
    says_tried,
)
from bot.statements import asks_when_fixed, says_undone

MOST_ASKED_AGAIN = 1
# Facts that are said back as they were told.
SAID_BACK = ("firmware_version", "app_version", "error_code")
SURE = 0.8
SHORT_NO = 12
WHERE_VERSION = "firmware_update/where_version"
CANNOT_SEE = re.compile(r"看不到|找不到|没看到|没找到|没有|(?:can't|cannot|cant) (?:see|find)|no such", re.IGNORECASE)
NOT_CREDITED = frozenset({"asked_before", "wait"})
DONE_VERB = re.compile(r"(?:我|也|都|已经)*([\u4e00-\u9fff])[过了]")
# "Done" said of whatever was asked for.
JUST_DONE = re.compile(
    r"(?:照做|做|弄|搞|操作|按您说的|按你说的)(?:完|好|过)?了?"
    r"|(?<![a-z])(?:(?:did|done|\w+ed|put|reset|took) (?:that|it|this|them|both)(?![a-z])|done|finished|completed)",
    re.IGNORECASE,
)
# "Done" of what was done before it was asked for.
BEFORE = re.compile(r"[\u4e00-\u9fff]过(?![来去期不敏])|早就|(?<![a-z])already(?![a-z])", re.IGNORECASE)
APP_VERSION = re.compile(r"(?<![\d.])\d+\.\d+\.\d+(?![\d.])")
# How many messages may tell something else before a person is offered beside the step.
MOST_ASIDES = 2


class OpenStep(Diagnosis):
    """The running trouble while one answer is waited for."""

    def __init__(self, turn: Turn, issue: dict[str, Any] | None) -> None:
        super().__init__(turn, issue)
        self._told: list[str] = []

    def _asks_firmware(self) -> bool:
        return self.stage == "fact" and self.issue["fact"] == "firmware_version"

    async def _take_outcome(self, reply: str | None) -> None:
        """The answer to the open step: it counts as tried only when the customer says so, and is never lost."""
        own = self._take_told()
        if reply == SOLVED:
            self._solved()
        elif reply == ALL_TRIED:
            await self._all_tried()
        elif reply in (UNABLE, ANOTHER):
            self._skip_step()
            await self.go_on()
        elif reply in (UNSOLVED, TRIED) and self._is_about_step(reply, own):
            self._pass_step()
            await self.go_on()
        elif self._did_before(reply) or (self.issue["done"] and reply in (TRIED, DONE)):
            noted = self.before_another(self._noted_done())
            self._pass_step()
            await self.go_on(noted=noted)
        elif reply in (None, TOLD) and self._is_answer_to_step():
            self._pass_step()
            await self.go_on(noted=self._light(), seen=True)
        elif reply in (QUESTION, LOST):
            await self._explain()
        elif reply == LATER:
            self._wait_for_customer()
        elif reply == THANKS:
            self.say("utter_devices/welcome")
        elif reply in (FACT, UNSOLVED) or (own and reply in (TRIED, DONE) and self._tells_of_other(own)):
            await self.go_on(noted=self.before_another(self._noted()))
        elif reply in (None, TOLD) and self._says_step_done():
            self._ask_outcome()
        elif reply in (None, TOLD) or (reply in (TRIED, DONE) and self._tells_of_other(own)):
            await self._take_aside()
        else:
            self._ask_outcome()

    async def _take_update_outcome(self, reply: str | None) -> None:
        """What became of the general advice for an update: told once more in another way, then it is reported."""
        topic = self.issue["update"]
        if has_no_code(self.turn.text):
            self.issue["asked"].append("error_code")
        if reply == SOLVED:
            self._solved()
        elif reply == ALL_TRIED or (reply == FACT and "error_code" in self.turn.entities):
            await self.go_on(noted=self._noted_before())
        elif reply in (UNSOLVED, TRIED, ANOTHER, UNABLE, QUESTION, LOST):
            if (self.turn.slot("answered") or []).count(topic) > 1:
                await self.go_on()
            else:
                await answer_topic(self.turn, topic)
        elif reply == LATER:
            self._wait_for_customer()
        elif reply == THANKS:
            self.say("utter_devices/welcome")
        elif self.issue["aside"] < MOST_ASIDES:
            self.issue["aside"] += 1
            self.say("utter_devices/ask_outcome_all", noted=self._noted_before())
        else:
            await self.go_on(noted=self._noted_before())

    async def _take_answer(self, reply: str | None) -> None:
        """The answer to the open question for a fact; what answers something else leaves it open, once."""
        fact = self.issue["fact"]
        self._take_told()
        if reply == SOLVED:
            self._solved()
        elif reply == ALL_TRIED:
            await self._all_tried()
        elif self._cannot_tell(reply):
            self.issue["cannot"].append(fact)
            await self.go_on()
        elif self.turn.slot(fact) or reply in (UNABLE, ANOTHER) or (self._asks_firmware() and self.issue["newest"]):
            await self.go_on()
        elif reply == LATER:
            self.say("utter_devices/fact_later")
        elif self.issue["asked_again"] < MOST_ASKED_AGAIN:
            self.issue["asked_again"] += 1
            noted = self._light() or self._noted_before()
            await ask_fact(self.turn, fact, self.categories(), reply in (QUESTION, LOST), noted)
        else:
            await self.go_on(noted=self._light() or self._noted_before())

    async def _take_aside(self) -> None:
        """Something is told beside the open step: noted, and the step or the question for its outcome once more."""
        self.issue["aside"] += 1
        noted = self._light() or self.before_another(self._noted())
        if self.issue["aside"] % 2 or not self.issue["step"]:
            await self.go_on(noted=noted)
            return
        person = [] if self.issue["aside"] < MOST_ASIDES else [self.turn.button("person", "/request_human")]
        self.say("utter_devices/ask_if_done", noted=noted, buttons=person)

    def _ask_outcome(self) -> None:
        """Asks what the open step did, which the customer says was done."""
        self.issue["done"] = True
        self.say("utter_devices/ask_outcome")

    def _wait_for_customer(self) -> None:
        """The step is left open for who goes and does it, or wants to do it another time."""
        self.say("utter_devices/put_off" if puts_off(self.turn.text) else "utter_devices/take_your_time")

    def _cannot_tell(self, reply: str | None) -> bool:
        """Does the customer say that the fact asked for cannot be told?"""
        if reply == LOST and self.issue["asked_again"]:
            self.lost = True
            return True
        short = not self.turn.tried and len(self.turn.text) <= SHORT_NO
        plain_no = reply == UNSOLVED and short and not says_still(self.turn.text)
        return reply == UNKNOWN or plain_no or (reply == LOST and bool(CANNOT_SEE.search(self.turn.text)))

    async def _all_tried(self) -> None:
        """The customer has done all that there is to try: no further step is proposed."""
        self.issue["all_tried"] = True
        self._pass_step()
        await self.go_on()

    def _pass_step(self) -> None:
        """The open step was tried."""
        if self.issue["step"]:
            self.issue["given"].append(self.issue["step"])
            self.issue["step"] = None

    def _skip_step(self) -> None:
        """The open step is left out: it cannot be done, or another way is asked for."""
        if self.issue["step"]:
            self.issue["skipped"].append(self.issue["step"])

    def _take_told(self) -> list[str]:
        """The codes of the steps that this message says were done, in whatever words; those of no name are kept."""
        codes = self._codes_told()
        offered = {step["code"]: self.turn.local(step) for step in self.steps()}
        others = told_in_own_words([clause for clause in self.turn.tried if clause not in codes], offered)
        update = updated(self.turn.text, offered, self.issue["step"])
        if update:
            others.append(update)
        if update == "update_firmware":
            self.turn.set("firmware_version", self.turn.entities.get("firmware_version"))
        elif update and (version := APP_VERSION.search(self.turn.text)):
            self.turn.set("app_version", version.group())
        if update and update == self.issue["step"]:
            self._pass_step()
        found = [code for code in others if code not in (*codes, self.issue["step"], *self.issue["given"])]
        self.issue["given"] += found
        self._told = [*codes, *others]
        return self._told

    def _codes_told(self) -> list[str]:
        """The known steps that this message says were tried."""
        return [code for code in self.turn.tried if code in catalogue.step_titles()]

    def _is_about_step(self, reply: str, own: list[str]) -> bool:
        """Does a message that something did not help speak of the open step?"""
        if self.issue["step"] in own:
            return reply == UNSOLVED or says_tried(self.turn.text) or self._tells_of_step()
        if self._tells_of_step():
            return True
        return not own and (reply == UNSOLVED or says_tried(self.turn.text))

    def _tells_of_other(self, own: list[str]) -> bool:
        """Does a message that something was done speak of something else than the open step?"""
        if self.issue["step"] in own or self._tells_of_step():
            return False
        return bool(own) or bool(self.turn.tried and not JUST_DONE.search(self.turn.text))

    def _tells_of_step(self) -> bool:
        """Does a clause tell of the open step in its own verb ("擦过了")?"""
        verbs = [match.group(1) for clause in self.turn.tried if (match := DONE_VERB.match(clause))]
        return any(verb in self._step_text() for verb in verbs)

    def _says_step_done(self) -> bool:
        """Does a clause say in a verb of the open step that it was done ("晾了一天了")?"""
        clauses = CLAUSE_END.split(normalise(self.turn.text))
        return any(match.group(1) in self._step_text() for clause in clauses if (match := DONE_VERB.match(clause)))

    def _did_before(self, reply: str | None) -> bool:
        """Does the message say that the open step was done before it was asked for, and so without success?"""
        if reply not in (DONE, TRIED, TOLD, None) or not BEFORE.search(self.turn.text):
            return False
        in_english = reply == DONE and self.turn.language == "en"
        return in_english or self._tells_of_step() or self._says_step_done()

    def _is_answer_to_step(self) -> bool:
        """Does the message tell what the open step asked to look at?"""
        told = self.turn.intent in ("inform", "device_problem", "nlu_fallback", "affirm")
        return told and asks_back(self._step_text()) and not says_undone(normalise(self.turn.text))

    def _step(self) -> dict[str, Any] | None:
        """The open step."""
        return next((step for step in self.steps() if step["code"] == self.issue["step"]), None)

    def _step_text(self) -> str:
        step = self._step()
        return self.turn.local(step) if step else ""

    async def _answers_question(self, reply: str | None) -> bool:
        """Answers a question that is none about how to do the open step; what is open stays open."""
        turn = self.turn
        fails = reply in (DONE, TRIED) and turn.topic in UPDATE_TROUBLES and turn.confidence >= SURE
        if turn.pressed or not (fails or reply in (None, QUESTION)):
            return False
        told = self._answer() if reply == QUESTION else None
        if told and self.stage == "step":
            self.say("utter_devices/answered", answer=told)
            return True
        if told:
            await ask_fact(turn, self.issue["fact"], self.categories(), True, noted=self.before_another(told))
            return True
        if turn.intent != "firmware_update" or (reply and turn.confidence < SURE) or self._is_no_update():
            return False
        helps_here = self._asks_firmware() and turn.topic == WHERE_VERSION
        if helps_here or turn.topic == self.issue.get("update") or asks_what_firmware_is(turn.text):
            return False
        await answer_topic(turn, turn.topic)
        return True

    def _answer(self) -> str | None:
        """What is said to a question about an action: whether a wet device may be charged, what is lost, how long."""
        if self.issue["wet"] and asks_to_charge(self.turn.text):
            return words.words("utter_help/charge_wet", self.turn.language).text
        if asks_when_fixed(normalise(self.turn.text)):
            return self._when_fixed()
        return answer_about(self.turn.text, self.issue.get("step"), self.turn.language)

    def _when_fixed(self) -> str:
        """By when the trouble can be over, as far as anybody knows: no date is made up."""
        language, known = self.turn.language, self._known()
        fix = (known or {}).get("fix") or {}
        versions = {part: fix[part] for part in ("firmware", "app") if fix.get(part)}
        if known and versions:
            part, version = next(iter(versions.items()))
            return words.words(f"utter_help/fixed_by_{part}", language, version=version).text
        if known and known.get("expected"):
            return words.words("utter_help/fixed_later", language, expected=self.turn.local(known["expected"])).text
        return words.words("utter_help/fixed_by_steps", language).text

    def _is_no_update(self) -> bool:
        """Is a message only taken for an update's trouble? One of a wet device is never answered by charging it."""
        named = names_update(self.turn.text) or self.issue["step"] == "update_firmware" or self.issue["update"]
        return self.turn.topic in UPDATE_TROUBLES and bool(self.issue["wet"] or not named)

    async def _explain(self) -> None:
        """The open step in more detail; the second time a person is offered, who can go through it."""
        if asks_what_firmware_is(self.turn.text):
            self.say("utter_devices/firmware_is")
            self._repeat()
            return
        self.issue["explained"] += 1
        if self.issue["explained"] > 1 or not self.issue["step"]:
            self.say("utter_devices/explained_again", buttons=[self.turn.button("person", "/request_human")])
            return
        at_home = bool(set(self.guide.get("categories") or ()) & catalogue.HOME_CATEGORIES)
        told = words.words(help_for(self._step() or {}, at_home), self.turn.language).text
        self.say("utter_devices/explained", help=told, step=self._step_text())

    def _repeat(self) -> None:
        self.say("utter_devices/step_again", step=self._step_text())

    def _light(self) -> str:
        """What the light that the message tells of means, as the steps explain it."""
        texts = [self.turn.local(step) for step in self.steps()]
        meaning = meaning_of_light(self.turn.text, texts, self.turn.language)
        if not meaning:
            return ""
        return self.before_another(words.words("utter_devices/light", self.turn.language, meaning=meaning).text)

    def _noted(self) -> str:
        """What this message told, said back in a few words."""
        turn, credit = self.turn, self._credit_for([*self._codes_told(), *self._told])
        if credit:
            return credit
        told = [str(turn.entities[name]) for name in SAID_BACK if name in turn.entities]
        if told:
            return words.words("utter_devices/fact_noted", turn.language, facts=words.listed(told, turn.language)).text
        device = self._named_device()
        if device:
            return words.words("utter_devices/fact_noted", turn.language, facts=device).text
        return self.fresh("utter_devices/noted").text

    def _noted_done(self) -> str:
        """The open step and what else this message told of, said back as tried."""
        return self._credit_for([self.issue["step"], *self._told]) or self.fresh("utter_devices/noted").text

    def _credit_for(self, steps: list[str]) -> str:
        """These steps said back as tried; empty where there is nothing to credit."""
        titles = catalogue.step_titles()
        uncredited = {*NOT_CREDITED, "charge_full"} if self.issue["wet"] else NOT_CREDITED
        codes = [code for code in dict.fromkeys(steps) if code in titles and code not in uncredited]
        listed = words.listed([self.turn.local(titles[code]) for code in codes], self.turn.language)
        return words.words("utter_devices/tried_noted", self.turn.language, steps=listed).text if codes else ""

    def _named_device(self) -> str:
        """The device that the message names, as it is called."""
        named = {"product", "device_model"} & set(self.turn.entities)
        return self.turn.product if named and self.turn.slot("product") else ""

    def _noted_before(self) -> str:
        reply, intent = self.turn.reply, self.turn.intent
        states = reply is None and intent in ("inform", "device_problem")
        said = states or reply in (FACT, TRIED, UNSOLVED, DONE, TOLD)
        return self.before_another(self._noted()) if said else ""

    def _take_file(self) -> None:
        """A file without words: noted, and the open question is asked once more."""
        self.say("utter_devices/ask_outcome" if self.stage == "step" else "utter_devices/file_noted")

    def _solved(self) -> None:
        self.issue["stage"] = "solved"
        self.turn.set("awaiting", "nothing")
        tip = self.guide.get("tip")
        if tip:
            self.turn.say("utter_devices/solved_tip", tip=self.turn.local(tip))
        else:
            self.turn.say("utter_devices/solved")
