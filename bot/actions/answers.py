"""Answers to questions: firmware how-tos, delivery, warranty and return policy, filled in with the shop's figures.

The same explanation is never given twice: the second time another wording, then the offer of a person. What differs
from the questions before is called a question of its own, which these explanations do not answer.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Any

from bot.actions import catalogue, words
from bot.actions.clarify import as_guess, clarify
from bot.actions.clients.shop import shop
from bot.actions.policy_figures import policy_values
from bot.actions.skill import SkillAction
from bot.actions.turn import Turn, payload

DEVICE_VALUES = frozenset({"latest_firmware"})
ALIKE, ASKED_LATELY = 0.5, 4
# What becomes of these is heard out by troubleshooting.
UPDATE_TROUBLES = frozenset(
    f"firmware_update/{name}" for name in ("failed", "stuck_download", "stuck_transfer", "stuck_install", "bricked")
)
_NEWEST_WHICH = re.compile(
    r"最新[^,，。]{0,8}(?:哪|什么|多少|几)|(?:哪|什么|多少)[^,，。]{0,6}最新"
    r"|(?<![a-z])(?:what|which)(?:'s| is)?[^,.?]{0,24}(?:newest|latest)|(?:newest|latest)[^,.?]{0,24}(?:what|which)",
    re.IGNORECASE,
)
FIRST_TOPIC = {"delivery": "time", "warranty": "period", "firmware_update": "how", "return_exchange": "policy"}


async def answer_topic(turn: Turn, topic: str) -> None:
    """Answers one topic, asking for the device first where the answer depends on it."""
    if "/" not in topic and topic in FIRST_TOPIC:
        topic = f"{topic}/{FIRST_TOPIC[topic]}"
    devices = await catalogue.devices()
    model = _model_for(turn, devices)
    if topic == "firmware_update/where_version" and _NEWEST_WHICH.search(turn.text):
        if model:
            device = devices[model]
            turn.say("utter_answers/newest", version=device["latest_firmware"], device=turn.local(device["name"]))
        else:
            _ask_device(turn, "firmware_update/whats_new", devices)
        return
    if topic == "firmware_update/whats_new":
        if model:
            await _whats_new(turn, devices[model])
        else:
            _ask_device(turn, topic, devices)
        return
    name = f"utter_{topic}"
    if not words.knows(name):
        clarify(turn)
        return
    if DEVICE_VALUES & words.fields(name, turn.language) and not model:
        _ask_device(turn, topic, devices)
        return
    await _tell(turn, name, topic, devices.get(model or ""))


async def tell_for(turn: Turn) -> bool:
    """Goes on with the answer about updates just given, for the device or phone told after it; False where none was."""
    if not str((turn.slot("answered") or [""])[-1]).startswith("firmware_update"):
        return False
    device = (await catalogue.devices()).get(turn.entities.get("device_model") or "")
    if device:
        turn.say("utter_answers/newest", version=device["latest_firmware"], device=turn.local(device["name"]))
    elif "os" in turn.entities:
        turn.say("utter_answers/same_on_phones")
    return bool(device) or "os" in turn.entities


async def _tell(turn: Turn, name: str, topic: str, device: dict[str, Any] | None) -> None:
    said_before = (turn.slot("answered") or []).count(topic)
    turn.append("answered", topic)
    if said_before >= len(words.variations(name, turn.language)):
        _tell_no_more(turn)
        return
    values = {**await policy_values(turn), **_device_values(turn, device)}
    turn.send(*as_guess(turn, topic, words.words(name, turn.language, said_before, **values)))


def _tell_no_more(turn: Turn) -> None:
    lately = turn.heard[:ASKED_LATELY]
    asked_before = any(SequenceMatcher(None, turn.text, before).ratio() >= ALIKE for before in lately)
    turn.say("utter_answers/explained_before" if turn.pressed or asked_before else "utter_answers/not_told_here")


def _model_for(turn: Turn, devices: dict[str, Any]) -> str | None:
    """The model in question: named, or the only one of the named kind."""
    product = turn.entities.get("product") or turn.slot("product")
    model = turn.slot("device_model")
    if model in devices and (not turn.entities.get("product") or devices[model]["category"] == product):
        return str(model)
    of_kind = [slug for slug, device in devices.items() if device["category"] == product]
    return of_kind[0] if len(of_kind) == 1 else None


def _ask_device(turn: Turn, topic: str, devices: dict[str, dict[str, Any]]) -> None:
    product = turn.slot("product")
    offered = [device for device in devices.values() if not product or device["category"] == product]
    turn.set("awaiting", "firmware")
    turn.set("pending", {"topic": topic})
    turn.say(
        "utter_answers/ask_device",
        buttons=[
            {
                "title": turn.local(device["name"]),
                "payload": payload("firmware_update", topic=topic, device_model=device["model"]),
            }
            for device in offered
        ],
    )


async def _whats_new(turn: Turn, device: dict[str, Any]) -> None:
    versions = await shop().firmware(device["model"])
    asked = turn.entities.get("firmware_version")
    entry = next((one for one in versions if one["version"] == asked), None)
    values = _device_values(turn, device)
    if asked and not entry:
        turn.say("utter_answers/version_unknown", version=asked, **values)
        return
    entry = entry or versions[0]
    name, topic = "utter_firmware_update/whats_new", f"whats_new {device['model']} {entry['version']}"
    said_before = (turn.slot("answered") or []).count(topic)
    turn.append("answered", topic)
    if said_before >= len(words.variations(name, turn.language)):
        _tell_no_more(turn)
        return
    notes = "\n".join(f"· {note}" for note in entry["notes"][turn.language])
    turn.say(name, index=said_before, version=entry["version"], notes=notes, **values)


def _device_values(turn: Turn, device: dict[str, Any] | None) -> dict[str, str]:
    if not device:
        return {
            "device_name": turn.label("your_device"),
            "latest_app": "",
            "app_name": turn.label("app_any"),
            "warranty_months_device": "",
        }
    return {
        "device_name": turn.local(device["name"]),
        "latest_firmware": device["latest_firmware"],
        "latest_app": device["latest_app"],
        "app_name": turn.local(device["app"]),
        "warranty_months_device": str(device["warranty_months"]),
    }


class AnswerTopic(SkillAction):
    """Answers a question of the firmware, delivery, warranty or return topics."""

    group = "tech"

    def name(self) -> str:
        return "action_answer_topic"

    async def answer(self, turn: Turn) -> None:
        topic = turn.topic
        if turn.slot("awaiting") == "firmware":
            asked = (turn.slot("pending") or {}).get("topic")
            topic = asked if turn.intent in ("inform", "nlu_fallback") and asked else topic
            turn.set("awaiting", "nothing")
            turn.set("pending", None)
        if topic in UPDATE_TROUBLES:
            turn.follow("action_troubleshoot")
            return
        await answer_topic(turn, topic)
        pending = turn.slot("pending")
        if turn.slot("awaiting") == "confirmation" and pending:
            turn.say("utter_orders/still_to_confirm", question=pending["question"])
