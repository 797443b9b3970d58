"""What goes wrong with a parcel: lost, stuck, damaged, wrong or missing things, signed for but not received."""

from __future__ import annotations

from typing import Any

from bot.actions.clients.shop import shop
from bot.actions.order_words import allowed_buttons, order_values, state_name
from bot.actions.turn import SkillAction, Turn, payload
from bot.actions.words import Button

EVIDENCE_KINDS = frozenset({"damaged", "wrong_item", "missing_item"})
ARRIVED = frozenset({"delivered", "returning", "refunded"})


async def answer(turn: Turn, order: dict[str, Any], kind: str) -> None:
    """The next step for a parcel in trouble, by what the shop knows of it."""
    if order["status"] == "lost":
        _offer_choice(turn, order, "lost", "utter_parcel/lost_confirmed")
    elif kind in EVIDENCE_KINDS and order["status"] in ARRIVED:
        if turn.attachments:
            await take_evidence(turn, order, kind)
        else:
            _wait(turn, kind, "photo")
            turn.say(f"utter_parcel/ask_photo_{kind}", **order_values(turn, order))
    elif kind in ("not_received", "lost", "stuck") and order["status"] == "delivered":
        _wait(turn, "not_received", "check")
        turn.say("utter_parcel/check_around", **order_values(turn, order))
    elif kind in ("lost", "stuck") and order["status"] in ("shipped", "delayed"):
        turn.say(
            "utter_parcel/still_moving", buttons=[turn.button("person", "/request_human")], **order_values(turn, order)
        )
    else:
        turn.say(state_name(order), buttons=allowed_buttons(turn, order), **order_values(turn, order))


async def take_evidence(turn: Turn, order: dict[str, Any], kind: str) -> None:
    """A picture came: what the policy gives for this trouble, to choose from."""
    await _say_ways_out(turn, order, kind, f"utter_parcel/evidence_{kind}")


async def _say_ways_out(turn: Turn, order: dict[str, Any], kind: str, name: str) -> None:
    policies = await shop().policies()
    _wait(turn, kind, "choice")
    turn.say(
        name,
        buttons=[*_exchange_or_return(turn, order, kind), turn.button("person", "/request_human")],
        exchange_days=policies["exchange"]["days"],
        return_days=policies["return"]["days"],
        **order_values(turn, order),
    )


def _exchange_or_return(turn: Turn, order: dict[str, Any], kind: str) -> list[Button]:
    """What the customer can do alone; a missing piece is sent after by a person."""
    if "return" not in order["allowed"] or kind == "missing_item":
        return []
    return [
        turn.button("exchange", payload("return_exchange", topic="return_exchange/exchange")),
        turn.button("return", payload("return_exchange", topic="return_exchange/return")),
    ]


def _offer_choice(turn: Turn, order: dict[str, Any], kind: str, name: str) -> None:
    _wait(turn, kind, "choice")
    turn.say(name, **order_values(turn, order))


def _wait(turn: Turn, kind: str, stage: str) -> None:
    turn.set("order_trouble", {"kind": kind, "stage": stage, "number": turn.slot("order")["number"]})
    turn.set("awaiting", "parcel")


class ParcelEvidence(SkillAction):
    """Goes on with a parcel's trouble: a picture, none to be had, what was found when looking around, a choice."""

    group = "orders"

    def name(self) -> str:
        return "action_parcel_evidence"

    async def answer(self, turn: Turn) -> None:
        trouble, order = turn.slot("order_trouble") or {}, turn.slot("order")
        kind, stage = trouble.get("kind"), trouble.get("stage")
        found = turn.entities.get("outcome") == "found" or turn.intent == "thank"
        if turn.attachments and kind in EVIDENCE_KINDS:
            await take_evidence(turn, order, kind)
        elif stage == "check" and found:
            turn.set("awaiting", "nothing")
            turn.set("order_trouble", None)
            turn.say("utter_parcel/found", **order_values(turn, order))
        elif stage == "photo" and turn.intent in ("affirm", "greet") and not turn.pressed:
            turn.say("utter_parcel/waiting_for_photo")
        elif stage == "photo":
            await _without_picture(turn, order, kind)
        else:
            turn.set("awaiting", "nothing")
            turn.hand_over("policy_topic", "orders")


async def _without_picture(turn: Turn, order: dict[str, Any], kind: str) -> None:
    """No picture: the way out stays open, else a person looks at it."""
    if _exchange_or_return(turn, order, kind):
        await _say_ways_out(turn, order, kind, "utter_parcel/no_photo")
    else:
        turn.set("awaiting", "nothing")
        turn.hand_over("policy_topic", "orders")
