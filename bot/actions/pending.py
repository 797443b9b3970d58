"""Doing what the customer said yes to, or leaving it after a no."""

from __future__ import annotations

import re
from typing import Any

from bot.actions import words
from bot.actions.answers import answer_topic
from bot.actions.clients.shop import NotAllowed, ShopRefused, shop
from bot.actions.order_changes import NEEDED, insists
from bot.actions.order_tasks import task_of
from bot.actions.orders import POLICY, begin, do_task, go_on
from bot.actions.said import has_a_but, is_question
from bot.actions.skill import SkillAction
from bot.actions.turn import Turn

YES = re.compile(
    r"确认|确定|是的|对的|好的|可以|没错|(?<![a-z])(?:yes|yeah|sure|confirm|ok|okay|go ahead|do it)(?![a-z])", re.I
)
NO = re.compile(r"不|别|没想|先等|(?<![a-z])(?:no|not|don'?t|wait|never)(?![a-z])", re.I)
REFUSES = re.compile(
    r"算了|[不别](?:想|要|用)?(?:取消|退货?|换货?|改地?址?|开票?)了|(?<![a-z])(?:never ?mind|forget it|keep (?:it"
    r"|the order|my order)"
    r"|don'?t (?:cancel|return|exchange|change)|do not (?:cancel|return|exchange|change))(?![a-z])",
    re.IGNORECASE,
)
LOOKING = frozenset({"track", "refund_status"})
NOT_SENT = frozenset({"task", "number", "question"})


class DoPending(SkillAction):
    """Does what the customer just said yes to, once."""

    group = "orders"

    def name(self) -> str:
        return "action_do_pending"

    async def answer(self, turn: Turn) -> None:
        pending = turn.slot("pending")
        task = task_of(turn)
        other_order = turn.entities.get("order_number", pending["number"]) != pending["number"]
        if not turn.pressed and not other_order and self._refuses(turn, pending):
            await self._drop(turn, pending)
            return
        if task in LOOKING and not other_order:
            await self._look(turn, pending, task)
            return
        instead = task == "refund" and pending["task"] == "exchange"
        if other_order or instead or task not in (None, "refund", pending["task"]):
            await begin(turn, task or pending["task"])
            return
        if not self._meant(turn, pending):
            if turn.topic == POLICY and is_question(turn.text):
                await answer_topic(turn, POLICY)
            turn.say("utter_orders/still_to_confirm", question=pending["question"])
            return
        await self._do(turn, pending)
        await self._what_else(turn)

    @staticmethod
    async def _look(turn: Turn, pending: dict[str, Any], task: str) -> None:
        """A question about the order in between: answered, and the open question is put once more."""
        turn.set("order_task", task)
        await do_task(turn)
        turn.say("utter_orders/still_to_confirm", question=pending["question"])

    @staticmethod
    def _refuses(turn: Turn, pending: dict[str, Any]) -> bool:
        return bool(REFUSES.search(turn.text)) and not insists(turn.text, pending["task"])

    @staticmethod
    def _meant(turn: Turn, pending: dict[str, Any]) -> bool:
        """Is this a yes to this question, just asked, and not to something said in between?

        A question is none, nor a yes with a but.
        """
        if not turn.pressed and insists(turn.text, pending["task"]):
            return True
        if not turn.pressed and (is_question(turn.text) or has_a_but(turn.text)):
            return False
        just_asked = any(pending["question"] in said for said in turn.said_last)
        plain_yes = turn.intent == "affirm" or (bool(YES.search(turn.text)) and not NO.search(turn.text))
        return just_asked and plain_yes

    async def _drop(self, turn: Turn, pending: dict[str, Any]) -> None:
        turn.set("pending", None)
        turn.set("awaiting", "nothing")
        turn.say("utter_orders/pending_dropped", number=pending.get("number", ""))
        await self._what_else(turn)

    @staticmethod
    async def _what_else(turn: Turn) -> None:
        """Goes on with the next order, else with what else was told in the beginning."""
        await go_on(turn)

    @staticmethod
    async def _do(turn: Turn, pending: dict[str, Any]) -> None:
        turn.set("pending", None)
        turn.set("awaiting", "nothing")
        task, number = pending["task"], pending["number"]
        body = {**_body(pending), **_proof(turn, number)}
        try:
            answer = await shop().change(number, NEEDED[task], body, key=f"{turn.turn_id}:{task}")
        except NotAllowed as refusal:
            turn.say("utter_refused/by_shop", number=number, reason=turn.local(refusal.reason))
            return
        except ShopRefused:
            turn.say("utter_refused/not_accepted", number=number)
            return
        turn.set("order", {**turn.slot("order"), **answer["order"]})
        turn.append("done", {"name": task, "text": words.both(f"utter_done/{task}", number=number)})
        turn.say("utter_orders/done", message=turn.local(answer["message"]))


def _body(pending: dict[str, Any]) -> dict[str, Any]:
    task = pending["task"]
    if task in ("return", "exchange"):
        return {"kind": task, "reason": pending["reason"]}
    return {name: value for name, value in pending.items() if name not in NOT_SENT and value is not None}


def _proof(turn: Turn, number: str) -> dict[str, str]:
    """The known customer's token for their own orders, else the digits that found the order."""
    if any(order["number"] == number for order in turn.slot("orders_known") or []):
        return {"customer_token": turn.slot("customer_token")}
    return {"phone_last4": turn.slot("order")["proof"]}


class DropPending(DoPending):
    """The customer says no: nothing is done. "确认取消" is a yes that looks like a no."""

    group = "orders"

    def name(self) -> str:
        return "action_drop_pending"

    async def answer(self, turn: Turn) -> None:
        pending = turn.slot("pending") or {}
        if pending.get("question") and not turn.pressed and self._meant(turn, pending):
            await self._do(turn, pending)
            await self._what_else(turn)
            return
        await self._drop(turn, pending)
