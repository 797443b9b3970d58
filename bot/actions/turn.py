"""What an action knows of the turn it answers, and what it leaves behind."""

from __future__ import annotations

import json
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.actions import words
from bot.fact_names import FACT_NAMES

HAND_OFF = "action_hand_off"
LISTEN = "action_listen"
MOST_MESSAGES = 2
UPSET = frozenset({"angry", "abusive", "disappointed", "sarcastic"})


class Turn:
    """The customer's message, the conversation's memory, and what is said and set in answer."""

    def __init__(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> None:
        self._dispatcher = dispatcher
        self._slots: dict[str, Any] = dict(tracker.slots)
        self._message: dict[str, Any] = tracker.latest_message or {}
        self._events: list[dict[str, Any]] = list(tracker.events)
        self.conversation: str = tracker.sender_id
        self.loop: str | None = (tracker.active_loop or {}).get("name")
        self._spoken = self._answered_already()
        self.events: list[EventType] = []

    def _answered_already(self) -> bool:
        """Did an action before this one say something in this turn?"""
        for event in reversed(self._events):
            if event["event"] == "user":
                return False
            if event["event"] == "bot":
                return True
        return False

    @property
    def alone(self) -> bool:
        """Has this action said one message, and is it the only one of this turn?"""
        return len(self._dispatcher.messages) == 1 and not self._answered_already()

    @property
    def language(self) -> str:
        """`zh` or `en`."""
        return "en" if self._slots.get("language") == "en" else "zh"

    @property
    def text(self) -> str:
        """What the customer typed; for a pressed button its payload."""
        return str(self._message.get("text") or "")

    @property
    def pressed(self) -> bool:
        """Was this a button and not typed text?"""
        return self.text.startswith("/")

    @property
    def intent(self) -> str:
        """The base intent of the message."""
        return str((self._message.get("intent") or {}).get("name") or "")

    @property
    def confidence(self) -> float:
        """How sure the intent is, 0 to 1."""
        return float((self._message.get("intent") or {}).get("confidence") or 0.0)

    @property
    def reply(self) -> str | None:
        """What the message means to the open step or question of troubleshooting (`bot/replies.py`), if anything."""
        return self._message.get("reply")

    @property
    def tried(self) -> list[str]:
        """What this message says was tried: codes of known steps, and clauses that tell of others."""
        return [str(step["text"]) for step in self._message.get("tried") or []]

    @property
    def turn_id(self) -> str:
        """The desk's id of this turn; what is done in the shop is keyed by it."""
        return str(self._slots.get("turn_id") or "")

    @property
    def entities(self) -> dict[str, Any]:
        """The entities of this message by name; the first where there are several."""
        found: dict[str, Any] = {}
        for entity in self._message.get("entities") or []:
            found.setdefault(entity["entity"], entity["value"])
        return found

    @property
    def topic(self) -> str:
        """The fine label of the message (`device_problem/steps_zero`); the base intent when there is no finer one."""
        chosen = self.entities.get("topic")
        if chosen:
            return chosen if "/" in chosen else f"{self.intent}/{chosen}"
        name = str((self._message.get("topic") or {}).get("name") or "")
        return name if name.split("/")[0] == self.intent else self.intent

    @property
    def ranking(self) -> list[str]:
        """The fine labels that the message could mean, best first."""
        ranking = (self._message.get("topic") or {}).get("ranking") or []
        return [str(entry["name"]) for entry in ranking]

    @property
    def answers(self) -> list[str]:
        """The answers that the message could ask for, best first: topics and `known_issue/<id>`."""
        return [str(entry["id"]) for entry in self._found.get("answers") or []]

    @property
    def doubtful(self) -> bool:
        """Is it likely but not sure which answer the message asks for?"""
        return not self.pressed and self._found.get("level") == "likely"

    @property
    def _found(self) -> dict[str, Any]:
        return dict(self._message.get("found") or {})

    @property
    def wishes(self) -> list[dict[str, Any]]:
        """What the message asks for, in its order: `intent`, `topic`, `confidence`."""
        return list(self._message.get("wishes") or [])

    @property
    def attachments(self) -> list[dict[str, Any]]:
        """The files sent with this message."""
        return list((self._message.get("metadata") or {}).get("attachments") or [])

    @property
    def network(self) -> str | None:
        """A name for where the customer writes from, the same for the same place; None when the desk does not say."""
        return (self._message.get("metadata") or {}).get("network")

    @property
    def upset(self) -> bool:
        """Does this message vent anger or disappointment?"""
        return (self._message.get("emotion") or {}).get("label") in UPSET

    @property
    def said_last(self) -> list[str]:
        """What the bot said in answer to the customer's previous message."""
        return self.said_lately(1)

    def said_lately(self, turns: int) -> list[str]:
        """What the bot said in answer to the customer's last messages before this one, newest first."""
        said: list[str] = []
        users = 0
        for event in reversed(self._events):
            users += event["event"] == "user"
            if users > turns:
                break
            if event["event"] == "bot" and users >= 1:
                said.append(str(event.get("text") or ""))
        return said

    def was_set_lately(self, slot: str, turns: int) -> bool:
        """Was a slot set in answer to one of the customer's last messages before this one?"""
        users = 0
        for event in reversed(self._events):
            users += event["event"] == "user"
            if users > turns:
                return False
            if users >= 1 and event["event"] == "slot" and event.get("name") == slot:
                return True
        return False

    @property
    def heard(self) -> list[str]:
        """What the customer typed before this message, newest first."""
        texts = [str(event.get("text") or "") for event in reversed(self._events) if event["event"] == "user"]
        return [text for text in texts[1:] if text and not text.startswith("/")]

    @property
    def opening(self) -> bool:
        """Is this the first action after the customer's message? A form that checks its slots has only just begun."""
        for event in reversed(self._events):
            if event["event"] == "user":
                return True
            if event["event"] == "action" and event.get("name") != self.loop:
                return event.get("name") == LISTEN
        return False

    def values(self, entity: str) -> list[Any]:
        """All values that this message names of an entity, in its order."""
        return [one["value"] for one in self._message.get("entities") or [] if one["entity"] == entity]

    def times(self, action: str) -> int:
        """How often an action has run in this conversation, this turn's first run not yet counted."""
        return sum(event["event"] == "action" and event.get("name") == action for event in self._events)

    @property
    def round(self) -> int:
        """How many messages the customer has sent; chooses among wordings of the same question."""
        return sum(event["event"] == "user" for event in self._events)

    def slot(self, name: str) -> Any:
        """A slot's value, as it will be after this action; the first of several values."""
        value = self._slots.get(name)
        return value[0] if name in FACT_NAMES and isinstance(value, list) and value else value

    @property
    def product(self) -> str:
        """What the customer's kind of device is called; one that has no label here is called as it was told."""
        product = str(self.slot("product") or "")
        known = words.knows(f"utter_label/product_{product}")
        return self.label(f"product_{product}") if known else product

    def set(self, name: str, value: Any) -> None:
        """Sets a slot when that changes it."""
        if self._slots.get(name) != value:
            self._slots[name] = value
            self.events.append(SlotSet(name, value))

    def append(self, name: str, *values: Any) -> None:
        """Adds to a list slot."""
        self.set(name, [*(self._slots.get(name) or []), *values])

    def say(self, name: str, index: int = 0, buttons: list[words.Button] | None = None, **values: Any) -> None:
        """Sends a response; `buttons` come after its own."""
        self.send(words.words(name, self.language, index, **values), buttons)

    def send(self, said: words.Words, buttons: list[words.Button] | None = None) -> None:
        """Sends a prepared text; `buttons` come after its own. The first one acknowledges a file that came along.

        What is more than an answer may have messages joins the last.
        """
        text, buttons = said.text.strip(), [*said.buttons, *(buttons or [])]
        if self.attachments and not self._spoken:
            text = self.label("with_image" if self._image else "with_file", text=text)
        self._spoken = True
        if len(self._dispatcher.messages) >= MOST_MESSAGES:
            last = self._dispatcher.messages.pop()
            text, buttons = f"{last['text']}\n\n{text}", [*(last["buttons"] or []), *buttons]
        self._dispatcher.utter_message(text=text, buttons=buttons or None)

    @property
    def _image(self) -> bool:
        return any(str(file.get("type", "")).startswith("image/") for file in self.attachments)

    def label(self, name: str, **values: Any) -> str:
        """A label in the customer's language."""
        return words.label(name, self.language, **values)

    def button(self, label_name: str, payload: str, **values: Any) -> words.Button:
        """A button titled with a label."""
        return words.button(label_name, self.language, payload, **values)

    def local(self, text: Any) -> str:
        """The customer's language of a text that comes in both."""
        return words.in_language(text, self.language)

    @property
    def followed(self) -> bool:
        """Is another action to run right after this one?"""
        return any(event["event"] == "followup" for event in self.events)

    def follow(self, action: str) -> None:
        """Runs another action right after this one."""
        self.events.append(FollowupAction(action))

    def settle(self) -> None:
        """Ends the turn where no rule can: rules look at `awaiting` and lose the thread when it changes."""
        if not self.followed and self.loop is None and self._changed("awaiting"):
            self.follow(LISTEN)

    def _changed(self, slot: str) -> bool:
        return any(event["event"] == "slot" and event["name"] == slot for event in self.events)

    def hand_over(self, reason: str, group: str = "care", priority: int = 3) -> None:
        """Asks for a person to take over, in this turn."""
        self.set("handoff", {"reason": reason, "group": group, "priority": priority, "evidence": []})
        self.follow(HAND_OFF)


def payload(intent: str, **entities: Any) -> str:
    """A button's payload in Rasa's form."""
    return f"/{intent}{json.dumps(entities, ensure_ascii=False)}" if entities else f"/{intent}"
