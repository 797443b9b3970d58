"""Which product suits: what it is for, then one detail, then one recommendation with its reason and price."""

from __future__ import annotations

import re
from typing import Any

from bot.actions import catalogue, words
from bot.actions.order_words import amount
from bot.actions.turn import Turn

USES = {
    "sport": ("band", "watch"),
    "sleep": ("band", "watch"),
    "weight": ("scale",),
    "network": ("router",),
    "light": ("lamp",),
    "watching": ("camera",),
    "watch": ("watch",),
    "band": ("band",),
}
SEVERAL_MODELS = frozenset({"band", "watch"})
# A product that the customer names decides, whatever else the message speaks of.
NAMED = {
    "band": r"手环|(?<![a-z])(?:band|bracelet|tracker)s?(?![a-z])",
    "watch": r"(?<![电仪])表(?![面盘示达格情现白])|(?<![a-z])(?:smart ?)?watch(?:es)?(?! ?(?:over|my|the house"
    r"|out))(?![a-z])",
    "weight": r"秤|(?<![a-z])scales?(?![a-z])",
    "network": r"路由|(?<![a-z])router",
    "light": r"台灯|(?<![a-z])lamp",
    "watching": r"摄像|监控|(?<![a-z])camera",
}
USE_PATTERNS = {
    "weight": r"体重|体脂|减肥|减脂|秤|weigh|fat|scale|diet",
    "network": r"路由|网络|上网|wifi|wi-fi|信号|router|internet|network",
    "light": r"灯|阅读|看书|护眼|lamp|light|read",
    "watching": r"摄像|监控|看家|看护|看(?:着)?(?:老人|孩子|宝宝)|宠物|camera|watch over|monitor|pet|security",
    "sleep": r"睡|sleep",
    "sport": r"运动|跑步|健身|走路|计步|游泳|手环|手表|健康|心率|sport|run|fit|step|swim|band|health|heart|watch",
}
LOW_BUDGET = 300.0
NUMBER = re.compile(r"(?<![\d.a-z/])(\d{2,5})(?![\d./]|\s?(?:h|hours?|小时|天|days?|岁|mm)(?![a-z]))", re.IGNORECASE)
SUM = re.compile(
    r"(?:预算|不超过|低于|budget|under|below|within|up to|max(?:imum)?|around|about|less than|¥|cny|rmb"
    r"|\$)\D{0,8}?(\d{2,5})(?!\d)"
    r"|(?<![\d.])(\d{2,5})\s*(?:元|块|以内|以下|左右|上下|rmb|cny|yuan)",
    re.IGNORECASE,
)
SPOKEN_SUM = re.compile(
    r"(?<![一二两三四五六七八九十百千])([一二两三四五六七八九])(百|千)([一二三四五六七八九]?)(?!万)"
)
SPOKEN_DIGITS = "一二三四五六七八九"
COMPARE = re.compile(
    r"区别|差别|不同|对比|比较|哪[个款](?:更|比较)?[好便]|选哪|还是|(?<![a-z])(?:vs|versus|compar\w*|differen\w*|better|cheaper|or)(?![a-z])",
    re.IGNORECASE,
)
FEATURES = {
    "water": (r"防水|游泳|洗澡|water|swim|shower", r"防水|潜水|water"),
    "battery": (r"续航|电池|充电|多久一充|battery|charge", r"充电|charge"),
    "calls": (r"打电话|通话|接电话|(?<![a-z])calls?(?![a-z])|esim", r"通话|来电|call"),
    "gps": (r"gps|定位", r"gps"),
    "heart": (r"心率|心电|heart|ecg", r"心率|心电|heart|ecg"),
    "nfc": (r"nfc|公交|门禁|transit", r"nfc"),
    "oxygen": (r"血氧|压力|oxygen|stress", r"血氧|oxygen"),
    "mesh": (r"mesh|组网", r"mesh"),
    "night": (r"夜视|晚上看|night", r"夜视|night"),
    "phone": (r"苹果手机|iphone|安卓|android|鸿蒙", r"(?!)"),
    "colour": (r"颜色|黑色|白色|粉色|色的|colou?r|black|white|pink|silver|gold", r"(?!)"),
    "size": (r"尺寸|多大|大小|重量|多重|size|how big|weigh", r"(?!)"),
    "stock": (r"有货|现货|in stock", r"(?!)"),
}
# A question whether a kind of device can do something, which asks for no recommendation.
ASKS_FEATURE = re.compile(
    r"^(?!.*(?:推荐|哪款|哪个|想买|要买|选|recommend|looking for|need|which))"
    r".*(?:能不能|可不可以|能[^,。]{0,8}吗|可以[^,。]{0,8}吗|支持|会不会|是不是|防水(?:吗|不)"
    r"|(?<![a-z])(?:can (?:i|you|it|the)|does|do the|is the|are the)(?![a-z]))",
    re.IGNORECASE,
)
CHEAP = re.compile(r"便宜|实惠|性价比|不想花|省钱|入门|cheap|affordable|low|basic|budget", re.IGNORECASE)
SHORT = 24
TALKED_OF = 3
RICH = re.compile(r"不限|都行|最好|高端|旗舰|无所谓|随便|any|best|no limit|top|premium|don'?t mind", re.IGNORECASE)


def needs_budget(use: str) -> bool:
    """Is there more than one model to choose from, so that the budget decides?"""
    return bool(SEVERAL_MODELS & set(USES[use]))


async def compare(turn: Turn) -> bool:
    """Puts the devices that are weighed against each other side by side; False when none are."""
    if turn.pressed or not COMPARE.search(turn.text):
        return False
    compared_devices = _weighed(turn, await catalogue.devices())
    if len(compared_devices) < 2:
        return False
    compared = sorted(compared_devices, key=lambda device: float(device["price"]))
    lines = [turn.label("compared_device", **_all_values(turn, device)) for device in compared]
    cheapest, dearest = compared[0], compared[-1]
    turn.say(
        "utter_advice/compare",
        devices="\n".join(lines),
        dearest=turn.local(dearest["name"]),
        cheapest=turn.local(cheapest["name"]),
        more=amount(float(dearest["price"]) - float(cheapest["price"])),
    )
    return True


def _weighed(turn: Turn, devices: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The devices named; of a kind that is named without its model, or with only one, all that are on sale."""
    named = [model for model in dict.fromkeys(turn.values("device_model")) if model in devices]
    kinds = {kind for kind in SEVERAL_MODELS if re.search(NAMED[kind], turn.text, re.IGNORECASE)}
    told = {devices[model]["category"] for model in named}
    wanted = kinds if len(kinds | told) == 1 and len(named) < len(SEVERAL_MODELS) else kinds - told
    return [
        device
        for model, device in devices.items()
        if device["for_sale"] and (model in named or device["category"] in wanted)
    ]


async def tell_detail(turn: Turn) -> bool:
    """Answers a question about the device just spoken of, from the catalogue; False when it is none."""
    asked = next(
        (name for name, (question, _) in FEATURES.items() if re.search(question, turn.text, re.IGNORECASE)), None
    )
    if turn.pressed or asked is None or len(turn.text) > SHORT * 2 or SUM.search(turn.text):
        return False
    spoken_of = await _on_the_table(turn)
    if not spoken_of:
        return False
    names = words.listed([turn.local(device["name"]) for device in spoken_of], turn.language)
    if asked == "phone":
        turn.say("utter_advice/detail_phone", device=names, platforms=_values(turn, spoken_of[0])["platforms"])
        return True
    told = [line for device in spoken_of if (line := _line_of(turn, device, FEATURES[asked][1]))]
    if told:
        turn.send(words.Words("\n".join(told)))
    else:
        turn.say("utter_advice/detail_unknown", device=names, buttons=[turn.button("person", "/request_human")])
    return True


def _line_of(turn: Turn, device: dict[str, Any], tells: str) -> str | None:
    """What the catalogue says of one point of a device; None when it says nothing."""
    told = [line for line in device["highlights"][turn.language] if re.search(tells, line, re.IGNORECASE)]
    if not told:
        return None
    return turn.label("detail", device=turn.local(device["name"]), detail=words.listed(told, turn.language))


async def _on_the_table(turn: Turn) -> list[dict[str, Any]]:
    """The device that the message names, else those that the bot spoke of last."""
    devices = await catalogue.devices()
    if (named := turn.entities.get("device_model")) in devices:
        return [devices[named]]
    if "product" in turn.entities and ASKS_FEATURE.search(turn.text):
        return [one for one in devices.values() if one["for_sale"] and one["category"] == turn.entities["product"]]
    if "product" in turn.entities and read_use(turn):
        return []
    for said in turn.said_lately(TALKED_OF):
        if spoken_of := _spoken_of(said, list(devices.values()), turn.language):
            return spoken_of
    return []


def _spoken_of(said: str, devices: list[dict[str, Any]], language: str) -> list[dict[str, Any]]:
    """The devices whose names stand in a text; one name may be the beginning of another."""
    found = []
    for device in sorted(devices, key=lambda device: -len(device["name"][language])):
        name = device["name"][language]
        if name in said:
            found.append(device)
            said = said.replace(name, " ")
    return sorted(found, key=lambda device: float(device["price"]))


async def take_budget(turn: Turn) -> bool:
    """A sum told after devices were compared: recommends the one that suits; False when it is none."""
    if turn.intent not in ("inform", "nlu_fallback") or not SUM.search(turn.text) or not turn.said_last:
        return False
    spoken_of = await _on_the_table(turn)
    kinds = {device["category"] for device in spoken_of}
    if len(spoken_of) < 2 or len(kinds) != 1 or not kinds <= SEVERAL_MODELS:
        return False
    turn.set("advice_use", kinds.pop())
    turn.set("advice_detail", read_budget(turn.text))
    await recommend(turn)
    return True


def read_use(turn: Turn) -> str | None:
    """What the product is for, by button or from free text."""
    choice = turn.entities.get("choice")
    if choice in USES:
        return str(choice)
    text = turn.text.lower()
    patterns = [*NAMED.items(), *USE_PATTERNS.items()]
    return next((use for use, pattern in patterns if re.search(pattern, text)), None)


def read_budget(text: str) -> str | None:
    """`low`, `any`, or a sum as text; None when the text names none."""
    if told := SUM.search(text) or NUMBER.search(text):
        return next(group for group in told.groups() if group)
    if spoken := SPOKEN_SUM.search(text):
        return str(_spoken(*spoken.groups()))
    if CHEAP.search(text):
        return "low"
    return "any" if RICH.search(text) else None


def _spoken(first: str, unit: str, second: str) -> int:
    """六百 → 600, 一千五 → 1500."""
    size = 100 if unit == "百" else 1000
    value = SPOKEN_DIGITS.index("二" if first == "两" else first) + 1
    return value * size + (SPOKEN_DIGITS.index(second) + 1 if second else 0) * size // 10


async def tell_device(turn: Turn, model: str) -> None:
    """What one device costs and does."""
    device = (await catalogue.devices())[model]
    turn.say("utter_advice/device_facts", warranty=device["warranty_months"], **_values(turn, device))


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


def _all_values(turn: Turn, device: dict[str, Any]) -> dict[str, Any]:
    """Everything the catalogue tells of a device."""
    told = words.listed(device["highlights"][turn.language], turn.language)
    return {**_values(turn, device), "reason": told, "warranty": device["warranty_months"]}
