"""What customers say in the bot's benchmarks: 12-turn conversations, 40 % order lookups, half of the texts new."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.processes import ROOT

TURNS = 12
_LOOKUPS = (5, 5, 5, 5, 4)  # of five conversations' 60 turns, 24 are order lookups: 40 %
_ORDER = [
    "帮我查下订单{number},手机尾号{phone}",
    "{number}到哪儿了?手机尾号{phone}",
    "看下物流 {number},手机尾号{phone}",
    "订单号{number},手机尾号{phone},查一下进度",
    "pls track {number} for me, last four {phone}",
]
_OTHER = [
    "你好", "谢谢", "你能做什么", "你是机器人吗", "运费怎么算", "一般发什么快递", "保修多久", "怎么升级固件",
    "在哪看固件版本", "手环2步数一直是0", "体脂秤连不上手机", "路由器老是断网", "几点发货", "周末送货吗", "hello",
    "thanks", "what can you do", "how do I update the firmware", "how long is the warranty", "今天天气不错",
]
_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕施张孔曹严华金魏陶姜"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英文玉兰红梅建国志远思雨子涵晨曦佳怡浩然"


@dataclass(frozen=True)
class Said:
    """One turn: the text, and the order number that its answer must speak of (None: no lookup)."""

    text: str
    number: str | None = None


class Customers:
    """Conversations without end, the same ones for the same seed."""

    def __init__(self, orders: list[dict[str, str]], seed: int) -> None:
        """`orders` are the shop's: number and phone_last4."""
        self._orders, self._random, self._made = orders, random.Random(seed), 0

    def conversation(self) -> list[Said]:
        """The next conversation's turns."""
        chance = self._random
        lookups = _LOOKUPS[self._made % len(_LOOKUPS)]
        self._made += 1
        about = [
            Said(text.format(number=order["number"], phone=order["phone_last4"]), order["number"])
            for text, order in zip(_ORDER, chance.sample(self._orders, lookups), strict=False)
        ]
        other = [Said(text) for text in chance.sample(_OTHER, TURNS - lookups)]
        turns = about + other
        chance.shuffle(turns)
        fresh = set(chance.sample(range(TURNS), TURNS // 2))
        return [self._never_seen(said) if index in fresh else said for index, said in enumerate(turns)]

    def _never_seen(self, said: Said) -> Said:
        """The same wish in words that nobody said before."""
        chance = self._random
        name = chance.choice(_SURNAMES) + "".join(chance.choices(_GIVEN, k=2))
        return Said(f"我是{name},{said.text}", said.number)


def shop_orders(environment: Mapping[str, str]) -> list[dict[str, str]]:
    """The orders of the running shop, with their proofs."""
    words = [sys.executable, "-m", "examples.shop", "demo-orders"]
    listed = subprocess.run(words, cwd=ROOT, env=dict(environment), capture_output=True, check=True)
    return list(json.loads(listed.stdout))

