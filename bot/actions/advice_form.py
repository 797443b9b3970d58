"""Asks what a product is for and what it may cost, and then recommends one."""

from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActionExecutionRejected, EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.advice import (
    SHORT,
    SUM,
    USES,
    compare,
    needs_budget,
    read_budget,
    read_use,
    recommend,
    tell_detail,
    tell_device,
)
from bot.actions.clarify import clarify
from bot.actions.skill import SkillAction
from bot.actions.turn import Turn

FORM = "advice_form"
GOES_ON = re.compile(r"^\W*(?:and|what about|how about|那|还有|那么)(?![a-z]).*|呢[?？]?\s*$", re.IGNORECASE)
WISHES = re.compile(
    r"买|推荐|选|适合|送|(?<![a-z])(?:buy|recommend\w*|suggest\w*|gift|choose|which|best|cheap\w*)(?![a-z])",
    re.IGNORECASE,
)
# Of the shop and its terms of payment, not of a product.
SHOP = re.compile(
    r"门店|实体店|线下|专卖店|分期|花呗|白条|货到付款|怎么付|付款方式|支付方式|会员(?:费|卡)|学生优惠|团购|批发|几点(?:上|下)班|营业时间"
    r"|(?<![a-z])(?:instal?ments?|pay (?:monthly|later|with|by)|payment (?:methods?|options?)|store near"
    r"|physical (?:store|shop)|opening hours|student discount|wholesale)(?![a-z])",
    re.IGNORECASE,
)
TROUBLE = re.compile(
    r"[不没坏]|无法|异常|(?<![a-z])(?:not|no|broken|won'?t|can'?t|doesn'?t|isn'?t|wrong)(?![a-z])", re.IGNORECASE
)


class StartAdvice(SkillAction):
    """Notes what the question already says, so that only the rest is asked."""

    def name(self) -> str:
        return "action_start_advice"

    async def answer(self, turn: Turn) -> None:
        if await compare(turn) or await tell_detail(turn):
            return
        if SHOP.search(turn.text):
            turn.say("utter_advice/about_the_shop", buttons=[turn.button("person", "/request_human")])
            return
        if _asks_on(turn):
            clarify(turn)
            return
        if "device_model" in turn.entities and not SUM.search(turn.text):
            await tell_device(turn, turn.entities["device_model"])
            return
        product = turn.entities.get("product")
        named = next((use for use, kinds in USES.items() if kinds == (product,)), None)
        use = named or read_use(turn)
        turn.set("advice_use", use)
        turn.set("advice_detail", read_budget(turn.text) if not turn.pressed else None)
        if use and (turn.slot("advice_detail") or not needs_budget(use)):
            await recommend(turn)
        else:
            turn.follow(FORM)


def _asks_on(turn: Turn) -> bool:
    """A short question that goes on with what was said before, and wishes for no product."""
    goes_on = GOES_ON.search(turn.text) and len(turn.text) <= SHORT and turn.said_last
    return bool(goes_on) and not turn.pressed and not WISHES.search(turn.text) and read_use(turn) is None


class AskUse(SkillAction):
    """What is it for?"""

    def name(self) -> str:
        return "action_ask_advice_use"

    async def answer(self, turn: Turn) -> None:
        turn.say("utter_advice/ask_use")


class AskDetail(SkillAction):
    """The budget."""

    def name(self) -> str:
        return "action_ask_advice_detail"

    async def answer(self, turn: Turn) -> None:
        turn.say("utter_advice/ask_budget")


class ValidateAdviceForm(Action):
    """Reads use and budget; a kind with one product needs no budget, and no budget given counts as any."""

    def name(self) -> str:
        return f"validate_{FORM}"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        turn = Turn(dispatcher, tracker)
        given = tracker.slots_to_validate()
        if (
            turn.loop == FORM
            and turn.intent == "device_problem"
            and (len(turn.text) > SHORT or TROUBLE.search(turn.text))
        ):
            return [SlotSet("advice_use", None), ActionExecutionRejected(FORM)]
        use, detail = turn.slot("advice_use"), turn.slot("advice_detail")
        if given.get("advice_use") and use not in USES:
            use = read_use(turn)
            detail = detail or (read_budget(turn.text) if use and not turn.pressed else None)
        elif given.get("advice_detail"):
            detail = turn.entities.get("choice") or read_budget(str(detail)) or "any"
        if use in USES and not needs_budget(use):
            detail = detail or "any"
        missing = "advice_use" if use is None else "advice_detail" if detail is None else None
        slots = [SlotSet("advice_use", use), SlotSet("advice_detail", detail)] if given else []
        return [*slots, SlotSet("requested_slot", missing)]


class Recommend(SkillAction):
    """One recommendation with its reason and price; the closest, said so, when the budget is too small for any."""

    def name(self) -> str:
        return "action_recommend"

    async def answer(self, turn: Turn) -> None:
        await recommend(turn)
