"""What is said about a step beside its text: in other words, what it costs, what a light that it names means."""

from __future__ import annotations

import re
from typing import Any

from bot.actions import words

ANY = "utter_help/any"
# Steps of one code differ from guide to guide: an explanation fits where the step's Chinese text speaks of its matter.
FITS = {
    "check_battery_saver": r"后台",
    "check_notification": r"通知",
    "check_permission": r"权限",
    "check_settings": r"澜墨|设备 →|我的",
    "clean_contacts": r"触点",
    "factory_reset": r"Reset",
    "other_cable": r"插座",
    "other_network": r"2\.4G",
    "re_pair": r"解除绑定|重新添加|重新绑定",
    "reinstall_app": r"卸载|重装|重新安装",
    "restart_app": r"关掉",
    "restart_device": r"重启|拔电|断电",
    "restart_phone": r"重启",
    "restart_router": r"拔电|断电|重启",
    "update_app": r"更新",
    "update_firmware": r"固件更新",
    "wear_correctly": r"手腕骨",
}

# Which kind of action a question names, or a step of a code is: what is lost by it and how long it takes is the same.
KINDS = (
    (
        "reset",
        re.compile(r"恢复出厂|出厂设置|重置|清空|factory.?reset|(?<![a-z])reset|wipe", re.IGNORECASE),
        ("factory_reset",),
    ),
    ("format", re.compile(r"格式化|format", re.IGNORECASE), ()),
    ("reinstall", re.compile(r"重装|卸载|重新安装|re-?install|uninstall", re.IGNORECASE), ("reinstall_app",)),
    ("pair", re.compile(r"解绑|解除绑定|重新(?:配对|绑定|添加)|re-?pair|unpair|unbind", re.IGNORECASE), ("re_pair",)),
    ("update", re.compile(r"更新|升级|固件|updat|upgrad|firmware", re.IGNORECASE), ("update_firmware", "update_app")),
    (
        "restart",
        re.compile(r"重启|重新启动|断电|拔电|关机|restart|reboot|unplug", re.IGNORECASE),
        ("restart_device", "restart_router", "restart_phone", "restart_app"),
    ),
    ("charge", re.compile(r"充电|charg", re.IGNORECASE), ("charge_full",)),
)
_CHARGING = re.compile(r"充|charg|plug it in", re.IGNORECASE)
_LOSES = re.compile(
    r"(?:丢|没|弄没|清|删|掉)(?:了|掉|失|光|空)*[^,，。]{0,4}(?:数据|记录|录像|照片|步数|设置)|(?:数据|记录|录像|步数|设置)[^,，。]{0,8}(?:丢|没|清|删|在|影响)"
    r"|(?<![a-z])(?:lose|lost|delete|erase|wipe|keep)(?![a-z])",
    re.IGNORECASE,
)
_HOW_LONG = re.compile(
    r"多久|多长时间|几分钟|几个?小时|多少时间|(?<![a-z])how (?:long|many (?:minutes|hours))(?![a-z])", re.IGNORECASE
)
_LIGHTS = {
    "zh": (re.compile(r"([红橙黄蓝白绿紫])"), re.compile(r"灯|光|色"), re.compile(r"[，。；：、\n]")),
    "en": (
        re.compile(r"(?<![a-z])(red|orange|yellow|amber|blue|white|green)(?![a-z])", re.IGNORECASE),
        re.compile(r"light|led|blink|flash|solid|steady|it'?s|glow", re.IGNORECASE),
        re.compile(r"[,.;:\n]"),
    ),
}
_MEANS = {"zh": re.compile(r"是"), "en": re.compile(r"(?<![a-z])(?:is|means|waits|for)(?![a-z])")}


def asks_to_charge(text: str) -> bool:
    """Does a question speak of charging?"""
    return bool(_CHARGING.search(text))


def answer_about(text: str, code: str | None, language: str) -> str | None:
    """What is lost by an action, or how long it takes: of the one that the question names, else of the open step's."""
    asked = "lose" if _LOSES.search(text) else "takes" if _HOW_LONG.search(text) else None
    if asked is None:
        return None
    named = next((kind for kind, pattern, _ in KINDS if pattern.search(text)), None)
    kind = named or next((kind for kind, _, codes in KINDS if code in codes), "any")
    name = f"utter_help/{asked}_{kind}"
    return words.words(name if words.knows(name) else f"utter_help/{asked}_any", language).text


def meaning_of_light(text: str, steps: list[str], language: str) -> str | None:
    """What the steps say of a light of the colour that a message tells of."""
    colours, lights, ends = _LIGHTS[language]
    colour = colours.search(text)
    if not colour or not lights.search(text):
        return None
    clauses = [clause.strip() for step in steps for clause in ends.split(step)]
    word = colour.group(1).lower()
    explained = [one for one in clauses if word in one.lower() and _MEANS[language].search(one)]
    return explained[0] if explained else None


def help_for(step: dict[str, Any], at_home: bool) -> str:
    """The name of the text that explains a step; `at_home`: of a device that is plugged in and has no screen."""
    code = str(step.get("code") or "")
    if code not in FITS or not re.search(FITS[code], str(step.get("zh"))):
        return ANY
    own = f"utter_help/{code}_home"
    return own if at_home and words.knows(own) else f"utter_help/{code}"
