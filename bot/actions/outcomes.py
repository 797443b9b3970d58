"""What a customer's message or button means to the open step or question of troubleshooting."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.actions.turn import Turn
from bot.replies import FACT, LATER, SOLVED, UNKNOWN, UNSOLVED, has_tried_all

_ASKS = re.compile(r"告诉我|(?<![a-z])(?:tell me|which colou?r|send me)(?![a-z])", re.IGNORECASE)
_NEWEST = re.compile(r"最新|(?<![a-z])(?:newest|latest|up[ -]to[ -]date|most recent)(?![a-z])", re.IGNORECASE)
_NEWEST_FIRMWARE = re.compile(
    r"固件[^,，。;；]{0,8}最新|最新[^,，。;；]{0,4}固件"
    r"|(?:newest|latest|up[ -]to[ -]date)(?: \w+)? firmware"
    r"|firmware[^,.;]{0,16} (?:newest|latest|up[ -]to[ -]date|current)",
    re.IGNORECASE,
)
_NOT_NEWEST = re.compile(
    r"不是最新|没(?:有)?(?:更新|升级)|怎么|如何|吗|[?？]|(?<![a-z])(?:not|isn'?t|how|is there|what)(?![a-z])",
    re.IGNORECASE,
)
_FIRMWARE_IS = re.compile(
    r"(?:什么|啥)(?:是|叫)(?:做)?固件|固件(?:又)?(?:是|叫)(?:个)?(?:什么|啥)(?!版本)"
    r"|what(?:'?s| is| does)(?: a| the)? firmware(?: mean)?\s*\??$",
    re.IGNORECASE,
)


_PUTS_OFF = re.compile(
    r"先(?:不|别)|不(?:弄|搞|试|折腾)了|改天|明天|周末"
    r"|(?<![a-z])(?:later|tomorrow|another (?:day|time)|leave it)(?![a-z])",
    re.IGNORECASE,
)
_UPDATED = re.compile(
    r"(?<!没)(?<!没有)(?:升级|更新|刷)(?:完|好|过|到最新)?了|(?<!没)(?:升级|更新)过"
    r"|(?<![a-z])(?:updated|upgraded|flashed)(?![a-z])",
    re.IGNORECASE,
)
_NOT_UPDATED = re.compile(
    r"(?:升级|更新)[^,，。;；]{0,3}(?:之?后|以后)|没(?:有)?(?:升级|更新)|手机|系统|n't", re.IGNORECASE
)
_NAMES_UPDATE = re.compile(r"升级|更新|固件|刷机|(?<![a-z])(?:updat|upgrad|firmware|install)", re.IGNORECASE)
_NAMES_APP = re.compile(r"(?<![a-z])app(?![a-z])|应用|软件", re.IGNORECASE)
_NAMES_FIRMWARE = re.compile(r"固件|刷机|设备|(?<![a-z])firmware", re.IGNORECASE)
_NO_CODE = re.compile(
    r"没(?:有)?[^,，。]{0,4}(?:错误码|错误代码|代码|报错码)|(?<![a-z])no (?:error )?(?:code|number)", re.IGNORECASE
)
_STUCK_AT = re.compile(
    r"(?:卡|停|stuck|frozen|hang\w*|sitting|stopped)[^,，。;；]{0,8}\d{1,2}\s?[%％]", re.IGNORECASE
)
_POWER = re.compile(r"充|电|charg|batter", re.IGNORECASE)
_WATER = re.compile(
    r"(?<!没)(?<!没有)(?<!不是)进了?水|(?<!没)泡了?水|泡在水|掉(?:进|到)?[^,，。]{0,4}水里|浸了?水|洗衣机"
    r"|(?<![a-z])(?:water (?:got|inside|in it|damage)|got (?:wet|water)|(?:fell|dropped)[^,.]{0,12}"
    r" (?:water|pool|sink|toilet)"
    r"|washing machine|fog(?:ged)? inside)",
    re.IGNORECASE,
)


def reply_to(turn: Turn) -> str | None:
    """The kind of this message as a reply (see `bot/replies.py`); None when it is none."""
    if turn.pressed:
        pressed = turn.entities.get("outcome")
        return str(pressed) if pressed in (SOLVED, UNSOLVED, UNKNOWN) else FACT
    if turn.reply:
        return turn.reply
    return {"affirm": LATER, "deny": UNSOLVED}.get(turn.intent)


def asks_back(step: str) -> bool:
    """Does the text of a step ask the customer to tell what they see?"""
    return bool(_ASKS.search(step))


def says_newest(text: str, of_firmware: bool = False) -> bool:
    """Does the customer say that the newest version is installed? `of_firmware`: only when firmware is named."""
    pattern = _NEWEST_FIRMWARE if of_firmware else _NEWEST
    return bool(pattern.search(text)) and not _NOT_NEWEST.search(text)


def says_all_tried(turn: Turn) -> bool:
    """Does the customer say that everything was tried?"""
    return not turn.pressed and has_tried_all(turn.text)


def asks_what_firmware_is(text: str) -> bool:
    """Is the question what the word firmware means?"""
    return bool(_FIRMWARE_IS.search(text))


def puts_off(text: str) -> bool:
    """Does the customer want to leave the step for another time?"""
    return bool(_PUTS_OFF.search(text))


def updated(text: str, offered: Iterable[str], open_step: str | None) -> str | None:
    """Which of the offered updates the customer says to have made against the trouble, not that it began with one.

    Where neither is named, it is the one that the open step asks for.
    """
    if not _UPDATED.search(text) or _NOT_UPDATED.search(text):
        return None
    if _NAMES_APP.search(text) or (open_step == "update_app" and not _NAMES_FIRMWARE.search(text)):
        steps: tuple[str, ...] = ("update_app",)
    else:
        steps = ("update_firmware", "update_app")
    return next((code for code in steps if code in offered), None)


def names_update(text: str) -> bool:
    """Does a message speak of an update?"""
    return bool(_NAMES_UPDATE.search(text) or _STUCK_AT.search(text))


def has_no_code(text: str) -> bool:
    """Does the customer say that no error code is shown?"""
    return bool(_NO_CODE.search(text))


def is_stuck_update(turn: Turn) -> bool:
    """Does a message of a percentage that stands still follow an answer about updating?"""
    answered = turn.slot("answered") or []
    about_updates = bool(answered) and str(answered[-1]).startswith(("firmware_update/", "whats_new"))
    return about_updates and bool(_STUCK_AT.search(turn.text)) and not _POWER.search(turn.text)


def tells_of_water(text: str) -> bool:
    """Does the customer say that water got into the device?"""
    return bool(_WATER.search(text))
