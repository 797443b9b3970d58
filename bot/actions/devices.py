"""Troubleshooting: what the customer's message means for the running trouble."""

from __future__ import annotations

import copy
import re

from bot.actions import bug_reports, catalogue, words
from bot.actions.answers import UPDATE_TROUBLES, answer_topic
from bot.actions.clarify import as_guess
from bot.actions.diagnosis import NEW
from bot.actions.open_step import NOT_CREDITED, OpenStep
from bot.actions.outcomes import asks_back, is_stuck_update, reply_to, says_all_tried, says_newest, tells_of_water
from bot.actions.skill import SkillAction
from bot.actions.social import hear
from bot.actions.turn import Turn, payload
from bot.nlu.lookups import device_categories
from bot.replies import FACT, SOLVED_BUT, TOLD, UNSOLVED, denies

VAGUE = "other"
MOST_CHOICES = 4
SURE_TROUBLE = 0.8
SHORT_ANSWER = 24
MOST_OTHERS = 12
UPDATES = frozenset({"update_firmware"})
FAILED_UPDATE, STUCK_UPDATE = "firmware_update/failed", "firmware_update/stuck_install"
SHORT_MODEL = re.compile(r"[0-9]|pro|[a-z]{1,2}[0-9]")


class Troubleshoot(SkillAction):
    """One turn of troubleshooting: nothing known is asked, nothing tried is proposed, one step at a time."""

    group = "tech"

    def name(self) -> str:
        return "action_troubleshoot"

    async def answer(self, turn: Turn) -> None:
        case = Case(turn, turn.slot("issue"))
        await case.take_message()
        turn.set("issue", case.issue)


class Case(OpenStep):
    """The running trouble, as the messages about it are understood."""

    async def take_message(self) -> None:
        """Understands the message as the start of a trouble or as the answer to the last question, and goes on."""
        topic = self._topic()
        update = self._failed_update()
        if update:
            await self._start_update(update)
            return
        if self._is_new(topic):
            await self._start(topic or (self._fitting_topic(self.turn.ranking) if self.issue else None))
            return
        if self.turn.attachments and not self.turn.text:
            self._take_file()
            return
        reply = self._reply() if self.stage in ("fact", "step") else None
        if await self._answers_question(reply):
            return
        vents = reply is None or (reply in (FACT, TOLD) and self.turn.upset)
        if vents and self.turn.intent == "complain" and self.stage not in ("describe", "choose"):
            hear(self.turn)
            return
        self._remember_words()
        if reply == SOLVED_BUT:
            await self._take_next_trouble(topic)
        elif self.stage == "reported":
            await bug_reports.tell_again(self.turn, self.issue)
        elif self.stage in ("describe", "choose"):
            await self._take_description(topic)
        elif self.stage == "step" and self.issue["update"] and not self.issue["step"]:
            await self._take_update_outcome(reply)
        elif self.stage == "step":
            await self._take_outcome(reply)
        else:
            await self._take_answer(reply)

    def _reply(self) -> str | None:
        about_firmware = self._asks_firmware() or self.turn.intent == "firmware_update" or self.issue["step"] in UPDATES
        if about_firmware and not self.turn.pressed and says_newest(self.turn.text):
            self.issue["newest"] = True
            return FACT
        if self._names_model():
            return FACT
        same = self.turn.intent == "device_problem" and self._topic() == self.issue.get("topic")
        if same and not self.turn.reply and self.stage == "step" and denies(self.turn.text) and self._names_nothing():
            return UNSOLVED
        return reply_to(self.turn)

    def _names_nothing(self) -> bool:
        """Does the message name no device, so that it speaks of the open step?"""
        return not {"product", "device_model"} & set(self.turn.entities)

    def _names_model(self) -> bool:
        """Does a bare "3" or "pro" name a model of the kind that the trouble is about?"""
        word = self.turn.text.strip(" .,。，!！").lower()
        if self.turn.slot("device_model") or not SHORT_MODEL.fullmatch(word):
            return False
        product = self.turn.slot("product")
        kinds = [product] if product else self.guide.get("categories", ())
        named = [slug for slug, kind in device_categories().items() if kind in kinds and slug.endswith(f"-{word}")]
        if len(named) == 1:
            self.turn.set("device_model", named[0])
        return len(named) == 1

    def _topic(self) -> str | None:
        name, _, topic = self.turn.topic.partition("/")
        kinds = catalogue.guide_of(topic).get("categories") or []
        kind = self._kind() or (kinds[0] if len(kinds) == 1 else None)
        own = catalogue.guide_told(self.turn.text, kind) if name == "device_problem" else None
        if own and not self.turn.pressed:
            return own
        return topic if name == "device_problem" and topic in catalogue.guides() and topic != VAGUE else None

    def _kind(self) -> str | None:
        """The kind of device that the message is about, as far as it is known."""
        told = self.turn.entities.get("product") or self.turn.slot("product")
        return str(told) if told else device_categories().get(self.turn.slot("device_model") or "")

    def _fitting_topic(self, labels: list[str]) -> str | None:
        """The first of these labels that is a trouble of the kind of device that the message is about."""
        kind = self._kind()
        named = [name.partition("/")[2] for name in labels if name.startswith("device_problem/")]
        known = [topic for topic in named if topic != VAGUE]
        return next((topic for topic in known if kind in catalogue.guide_of(topic).get("categories", ())), None)

    def _is_new(self, topic: str | None) -> bool:
        """Does the message tell of another trouble than the one at hand?"""
        if self.turn.intent != "device_problem":
            return not self.issue
        if not self.issue or self.stage == "solved":
            return True
        other_kind = self.turn.entities.get("product", "") not in ("", *self.guide.get("categories", ()))
        if topic is None and other_kind and not self.turn.reply:
            return self.turn.confidence >= SURE_TROUBLE
        if self.turn.reply or topic is None or topic == self.issue.get("topic") or self._is_of_unnamed_device(topic):
            return False
        if self.stage == "reported" or self.turn.pressed or other_kind:
            return True
        return self.turn.confidence >= SURE_TROUBLE and not self._is_short_answer()

    def _is_short_answer(self) -> bool:
        """Is it what the customer sees, which the open step asked for? ("slow blinking")"""
        return self.stage == "step" and asks_back(self._step_text()) and len(self.turn.text) <= SHORT_ANSWER

    def _is_of_unnamed_device(self, topic: str) -> bool:
        """Does the trouble belong to another kind of device, though the message names none? Then it was misread: who
        goes over to another device says so.
        """
        turn = self.turn
        ours = turn.slot("product") or device_categories().get(turn.slot("device_model") or "")
        theirs = catalogue.guide_of(topic).get("categories")
        named = turn.pressed or {"product", "device_model"} & set(turn.entities)
        return bool(not named and ours and theirs and ours not in theirs)

    def _failed_update(self) -> str | None:
        """The topic of an update that fails and is no open step's."""
        turn = self.turn
        if is_stuck_update(turn) and not self.issue:
            return STUCK_UPDATE
        if turn.topic not in UPDATE_TROUBLES or (self.issue and turn.topic == self.issue["update"]):
            return None
        if self.issue and (self._wet() or (self.stage != "solved" and self._is_no_update())):
            return None
        another = not turn.reply and turn.confidence >= SURE_TROUBLE and self.issue.get("step") not in UPDATES
        waits_for_nothing = self.stage in ("", "solved", "reported")
        return turn.topic if another or waits_for_nothing else None

    async def _start_update(self, topic: str) -> None:
        """An update fails: in general what helps, at once; step by step for who told what was tried."""
        self.issue = {**copy.deepcopy(NEW), "topic": catalogue.UPDATE_GUIDE, "update": topic}
        self._remember_words()
        title = words.both(f"utter_label/topic_{topic.replace('/', '_')}")
        self.issue["title"] = title
        self.turn.set("symptom", title[self.turn.language])
        stepwise = topic == FAILED_UPDATE and (self._codes_told() or "error_code" in self.turn.entities)
        if stepwise or says_all_tried(self.turn):
            self.issue["all_tried"] = says_all_tried(self.turn)
            self._open(catalogue.UPDATE_GUIDE)
            await self.go_on()
            return
        await answer_topic(self.turn, topic)
        self.issue["given"] = [step["code"] for step in self.guide["steps"]]
        self.wait("step")

    async def _start(self, topic: str | None) -> None:
        before = self.issue
        self.issue = {**copy.deepcopy(NEW), "topic": topic, "wet": self._wet()}
        self._remember_words()
        if topic is not None and topic == before.get("topic"):
            self.issue["skipped"] = [*before["given"], *before["skipped"], before["step"]]
            self._name_topic(topic)
            await self.go_on()
            return
        if topic is None:
            self._open(VAGUE)
            self.wait("describe")
            return
        self._name_topic(topic)
        self.issue["all_tried"] = says_all_tried(self.turn)
        self._open(topic)
        await self.go_on()

    def _wet(self) -> str | None:
        """The kind of device that water got into, as told now or before; None when the trouble is another device's."""
        kind, before = self._kind() or "", self.issue.get("wet")
        if tells_of_water(self.turn.text) or self.turn.topic == "device_problem/water":
            return kind
        return before if before in ("", kind) or not kind else None

    async def _take_next_trouble(self, topic: str | None) -> None:
        """This trouble is over and the message names the next: the same device's, or another's."""
        self.say("utter_devices/solved_next")
        if self.turn.entities.get("product", "") not in ("", *self.guide.get("categories", ())):
            await self._start(self._fitting_topic(self.issue["others"]))
        else:
            fitting = None if topic and self._is_of_unnamed_device(topic) else topic
            await self._start(fitting or self._fitting_topic(self.turn.ranking) or self.issue.get("topic"))

    def _open(self, topic: str) -> None:
        """Acknowledges the trouble, and what was tried already; for a vague one this is the open question."""
        acknowledge = self.turn.local(catalogue.guide_of(topic)["acknowledge"])
        opening = words.words(
            "utter_devices/opening", self.turn.language, acknowledge=acknowledge, credit=self._credit()
        )
        if topic == VAGUE:
            self.turn.send(opening)
        else:
            self.turn.send(*as_guess(self.turn, f"device_problem/{topic}", opening))

    def _name_topic(self, topic: str) -> None:
        self.issue.update(topic=topic, title=catalogue.guide_of(topic)["title"])
        self.turn.set("symptom", self.issue["title"][self.turn.language])

    def _remember_words(self) -> None:
        if not self.turn.pressed:
            self.issue["words"] = [*self.issue.get("words", []), self.turn.text][-6:]
            if self.turn.intent == "device_problem":
                self.issue["others"] = [*self.turn.ranking, *self.issue.get("others", [])][:MOST_OTHERS]

    def _credit(self) -> str:
        titles = catalogue.step_titles()
        named = [
            self.turn.local(titles[code])
            for code in dict.fromkeys(self.tried())
            if code in titles and code not in NOT_CREDITED
        ]
        return self.turn.label("credit", tried=words.listed(named, self.turn.language)) if named else ""

    async def _take_description(self, topic: str | None) -> None:
        if topic and self._is_of_unnamed_device(topic):
            topic = self._fitting_topic(self.turn.ranking)
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
        self.wait("choose")
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
