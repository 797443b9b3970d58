"""Conversations told line by line, as the records from which summaries are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from handoff.agents.models import Group
from handoff.conversations.models import Conversation, Message, Sender
from handoff.customers.models import Customer
from handoff.promises.models import Promise
from handoff.queue.models import Handoff, Reason
from handoff.summary.models import Fact, TriedStep
from handoff.summary.record import Record

START = datetime(2026, 11, 21, 6, 30, tzinfo=UTC)


class Story:
    """One conversation in the making; every line is a minute later than the one before."""

    def __init__(self, name: str | None = None) -> None:
        self.name = name
        self.messages: list[Message] = []
        self.facts: list[Fact] = []
        self.steps: list[TriedStep] = []
        self.promises: list[Promise] = []
        self.handoff: Handoff | None = None
        self.ends: list[datetime] = []

    @property
    def seq(self) -> int:
        """The number of the newest message."""
        return len(self.messages)

    def _at(self) -> datetime:
        return START + timedelta(minutes=len(self.messages))

    def _say(self, sender: Sender, words: str, **more: Any) -> int:
        self.messages.append(
            Message(seq=self.seq + 1, sender=sender, sender_name=str(sender), text=words, created_at=self._at(), **more)
        )
        return self.seq

    def customer(
        self, words: str, intent: str | None = None, mood: str = "calm", score: float = 0.8, payload: str | None = None
    ) -> int:
        """The customer says something; without `intent` nobody understood it."""
        nlu = (
            {"intent": intent, "confidence": 0.9, "language": "zh", "emotion": {"label": mood, "score": score}}
            if intent
            else None
        )
        return self._say(Sender.CUSTOMER, words, nlu=nlu, payload=payload)

    def bot(self, words: str) -> int:
        """The bot says something."""
        return self._say(Sender.BOT, words)

    def agent(self, words: str) -> int:
        """A person says something."""
        return self._say(Sender.AGENT, words)

    def fact(
        self, name: str, value: str, quote: str | None = None, seq: int | None = None, lookup: str | None = None
    ) -> None:
        """A fact with its evidence."""
        self.facts.append(
            Fact(id=len(self.facts) + 1, name=name, value=value, quote=quote, source_seq=seq, lookup=lookup)
        )

    def tried(self, code: str, quote: str, seq: int) -> None:
        """A step that the customer tried."""
        self.steps.append(TriedStep(id=len(self.steps) + 1, text=code, quote=quote, source_seq=seq))

    def promise(self, due_in: timedelta, state: str = "open", seq: int | None = None) -> None:
        """A bug report's promise."""
        self.promises.append(
            Promise(
                id=len(self.promises) + 1,
                kind="bug_report",
                reference="BR-1001",
                text_zh="研发会答复您。",
                text_en="R&D will answer you.",
                seq=seq,
                due_at=datetime.now(UTC) + due_in,
                state=state,
            )
        )

    def handed_over(self, reason: Reason, evidence: list[int] | None = None) -> None:
        """The conversation is in the queue, or was."""
        self.handoff = Handoff(id="h1", reason=reason, evidence=evidence or [], created_at=self._at())

    def end(self) -> None:
        """What was talked about so far is settled."""
        self.ends.append(self._at() - timedelta(seconds=30))

    def record(self) -> Record:
        """The record as the database would hold it."""
        conversation = Conversation(id="c1", owner="bot", last_seq=self.seq)
        group = Group(name="tech", title_zh="技术", title_en="Tech", timezone="Asia/Shanghai")
        return Record(
            conversation,
            Customer(id="u1", name=self.name),
            self.messages,
            self.facts,
            self.steps,
            self.promises,
            self.handoff,
            group,
            self.ends,
        )


STEPS_STORY = (
    "前几天买了个手环2,收货后在手机(iPhone 6)上装了澜墨健康APP,发现APP上手环步数一直显示 0 。"
    "后来换 Andriod 手机装APP则可以正常计步。固件是1.0.0.39,我已经重启过手环,也重新配对过了,还是没用!"
)


def steps_story() -> Story:
    """The seed case, told in one long mixed-language message."""
    story = Story("王女士")
    story.customer("你好", "greet")
    story.bot("您好,我是小墨,一个机器人。有什么可以帮您?")
    seq = story.customer(STEPS_STORY, "device_problem/steps_zero", "anxious", 0.7)
    story.fact("device_model", "band-2", "手环2", seq)
    story.fact("phone_model", "iPhone 6", "iPhone 6", seq)
    story.fact("os", "ios", "iPhone", seq)
    story.fact("firmware_version", "1.0.0.39", "1.0.0.39", seq)
    story.fact("symptom", "步数一直为 0", "手环步数一直显示 0", seq)
    story.tried("restart_device", "重启过手环", seq)
    story.tried("re_pair", "重新配对过", seq)
    return story
