"""Talk that is no task: complaints, data without a question, handing over."""

from __future__ import annotations

from rasa_sdk.events import ActiveLoop, SlotSet

from bot.actions import catalogue, words
from bot.actions.advice import tell_device
from bot.actions.answers import tell_for
from bot.actions.orders import begin
from bot.actions.skill import SkillAction
from bot.actions.turn import LISTEN, Turn

# After how many messages a device or phone still belongs to the answer just given.
LATELY = 2


class HearComplaint(SkillAction):
    """Hears a complaint first: acknowledges what it is about and offers a person."""

    def name(self) -> str:
        return "action_hear_complaint"

    async def answer(self, turn: Turn) -> None:
        hear(turn)


def hear(turn: Turn) -> None:
    """Acknowledges what a complaint is about, in the customer's terms where they are known."""
    trouble = _trouble(turn)
    if trouble:
        turn.say("utter_social/complain_about", trouble=trouble)
    else:
        turn.say("utter_social/complain")


class HandOff(SkillAction):
    """The last words before a person takes over: the trouble in the customer's terms, in one sentence, or nothing.

    In danger it is what to do at once.

    That a person comes, when, and what to do meanwhile is announced by the desk.
    """

    def name(self) -> str:
        return "action_hand_off"

    async def answer(self, turn: Turn) -> None:
        if not turn.slot("handoff"):
            turn.set("handoff", {"reason": "asked_for_person", "group": _group(turn), "priority": 3, "evidence": []})
        turn.set("awaiting", "nothing")
        turn.set("pending", None)
        if turn.loop:
            turn.events += [ActiveLoop(None), SlotSet("requested_slot", None)]
        trouble = _trouble(turn)
        handoff = turn.slot("handoff")
        if handoff.get("danger"):
            turn.say(f"utter_social/danger_{handoff['danger']}")
        elif handoff.get("grief"):
            turn.say("utter_social/grief")
        elif handoff.get("reason") == "bot_error":
            turn.say("utter_social/hand_off_error")
        elif trouble:
            turn.say("utter_social/hand_off", trouble=trouble)
        turn.follow(LISTEN)


def _group(turn: Turn) -> str:
    if turn.slot("issue"):
        return "tech"
    return "orders" if turn.slot("order_number") or turn.slot("order_task") else "care"


def _trouble(turn: Turn) -> str | None:
    """The trouble in a few words, from what the customer told: the symptom with its device, or the order."""
    issue = turn.slot("issue") or {}
    if issue.get("title") and issue.get("stage") != "solved":
        product = turn.slot("product")
        symptom = turn.local(issue["title"])
        if product not in catalogue.CATEGORIES or turn.product.lower() in symptom.lower():
            return symptom
        return turn.label("trouble_device", device=turn.product, symptom=symptom)
    trouble, number = turn.slot("order_trouble") or {}, turn.slot("order_number")
    kind = trouble.get("kind") or turn.slot("order_task")
    if number and words.knows(f"utter_label/trouble_{kind}"):
        return turn.label("trouble_order", number=number, trouble=turn.label(f"trouble_{kind}"))
    return turn.label("trouble_order_only", number=number) if number else None


class TakeInformation(SkillAction):
    """Takes data that came without a question: an order number is looked up, a device asks what is wrong with it."""

    def name(self) -> str:
        return "action_take_information"

    async def answer(self, turn: Turn) -> None:
        if "order_number" in turn.entities:
            await begin(turn, turn.slot("order_task") or "track")
        elif turn.attachments:
            turn.say("utter_social/attachment")
        elif turn.ranking[:1] == ["product_advice"] and "device_model" in turn.entities:
            await tell_device(turn, turn.entities["device_model"])
        elif turn.was_set_lately("answered", LATELY) and await tell_for(turn):
            return
        elif {"device_model", "product"} & set(turn.entities):
            model = turn.slot("device_model")
            device = (await catalogue.devices()).get(model) if model else None
            name = turn.local(device["name"]) if device else turn.product or str(model)
            turn.say("utter_social/about_device", device=name)
        elif turn.upset:
            hear(turn)
        else:
            turn.say("utter_social/what_about_it")
