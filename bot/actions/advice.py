"""Which product suits: what it is for, then one detail, then one recommendation with its reason and price."""

from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActionExecutionRejected, EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.actions import catalogue, words
from bot.actions.order_words import amount
from bot.actions.turn import SkillAction, Turn

FORM = "advice_form"
USES = {
    "sport": ("band", "watch"),
    "sleep": ("band", "watch"),
    "weight": ("scale",),
    "network": ("router",),
    "light": ("lamp",),
    "watching": ("camera",),
}
USE_PATTERNS = {
    "weight": r"体重|体脂|减肥|减脂|秤|weigh|fat|scale|diet",
    "network": r"路由|网络|上网|wifi|wi-fi|信号|router|internet|network",
    "light": r"灯|阅读|看书|护眼|lamp|light|read",
    "watching": r"摄像|监控|看家|看护|宠物|老人|camera|watch over|monitor|pet|security",
    "sleep": r"睡|sleep",
    "sport": r"运动|跑步|健身|走路|计步|游泳|手环|手表|健康|心率|sport|run|fit|step|swim|band|health|heart|watch",
}
LOW_BUDGET = 300.0
NUMBER = re.compile(r"(?<![\d.])(\d{2,5})(?![\d.])")
CHEAP = re.compile(r"便宜|实惠|性价比|不想花|省钱|入门|cheap|affordable|low|basic|budget", re.IGNORECASE)
SHORT = 24
TROUBLE = re.compile(
    r"[不没坏]|无法|异常|(?<![a-z])(?:not|no|broken|won'?t|can'?t|doesn'?t|isn'?t|wrong)(?![a-z])", re.IGNORECASE
)
RICH = re.compile(r"不限|都行|最好|高端|旗舰|无所谓|随便|any|best|no limit|top|premium|don'?t mind", re.IGNORECASE)


class StartAdvice(SkillAction):
    """Notes what the question already says, so that only the rest is asked."""

    def name(self) -> str:
        return "action_start_advice"

    async def answer(self, turn: Turn) -> None:
        if "device_model" in turn.entities:
            await tell_device(turn, turn.entities["device_model"])
            return
        product = turn.entities.get("product")
        use = next((use for use, kinds in USES.items() if product in kinds), None) or read_use(turn)
        turn.set("advice_use", use)
        turn.set("advice_detail", read_budget(turn.text) if not turn.pressed else None)
        if use and (turn.slot("advice_detail") or len(USES[use]) == 1):
            await recommend(turn)
        else:
            turn.follow(FORM)


def read_use(turn: Turn) -> str | None:
    """What the product is for, by button or from free text."""
    choice = turn.entities.get("choice")
    if choice in USES:
        return str(choice)
    text = turn.text.lower()
    return next((use for use, pattern in USE_PATTERNS.items() if re.search(pattern, text)), None)


def read_budget(text: str) -> str | None:
    """`low`, `any`, or a sum as text; None when the text names none."""
    number = NUMBER.search(text)
    if number:
        return number.group(1)
    if CHEAP.search(text):
        return "low"
    return "any" if RICH.search(text) else None


async def tell_device(turn: Turn, model: str) -> None:
    """What one device costs and does."""
    device = (await catalogue.devices())[model]
    turn.say("utter_advice/device_facts", warranty=device["warranty_months"], **_values(turn, device))


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
        if use in USES and len(USES[use]) == 1:
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


async def recommend(turn: Turn) -> None:
    """Recommends one product for the use and budget told."""
    use, detail = turn.slot("advice_use"), turn.slot("advice_detail") or "any"
    turn.set("advice_use", None)
    turn.set("advice_detail", None)
    offered = [
        device
        for device in (await catalogue.devices()).values()
        if device["for_sale"] and device["category"] in USES.get(use or "", ())
    ]
    if not offered:
        turn.say("utter_advice/nothing_fits", buttons=[turn.button("person", "/request_human")])
        return
    device, fits = _best(offered, detail)
    name = "utter_advice/recommend" if fits else "utter_advice/recommend_above_budget"
    turn.say(name, use=turn.label(f"use_{use}"), **_values(turn, device))


def _best(offered: list[dict[str, Any]], detail: str) -> tuple[dict[str, Any], bool]:
    """The best within the budget, else the cheapest; without a budget the one in the middle."""
    by_price = sorted(offered, key=lambda device: float(device["price"]))
    budget = LOW_BUDGET if detail == "low" else float(detail) if detail.isdigit() else None
    if budget is None:
        return by_price[len(by_price) // 2], True
    affordable = [device for device in by_price if float(device["price"]) <= budget]
    return (affordable[-1], True) if affordable else (by_price[0], False)


def _values(turn: Turn, device: dict[str, Any]) -> dict[str, str]:
    return {
        "device": turn.local(device["name"]),
        "price": amount(device["price"]),
        "reason": words.listed(device["highlights"][turn.language][:3], turn.language),
        "platforms": words.listed([turn.label(f"os_{os}") for os in device["platforms"]], turn.language),
    }
