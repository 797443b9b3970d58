"""Reported speech: what somebody wrote, told about them ("用户询问…", "the bot answered …"), in their own words."""

from __future__ import annotations

import re

from handoff.summary.statements import Kind, Statement

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_OPENING = re.compile(
    r"^(?:[\s,，.。:：~～!！、]+|您好|你好|哈喽|在吗|亲爱的|亲亲?(?![自手身])|请问一?下?|我?就?(?:想|要)?(?:问|咨询|请教|了解)(?:一?下|问)?(?:你们?|您)?(?=.)|我(?:想|要)知道|我(?:就)?是(?:想)?说"
    r"|那个?(?=[^个些种样天时边里款])|然后|但是?|可是?(?!以)|不过|而且|所以(?:说)?|因为|就是(?:说)?|主要是|其实|嗯+|哦+|噢+|额+|呃|哎呀?|唉|好的|对了|还有|另外|反正|结果|麻烦(?:您|你)?(?:问一?下)?|不好意思"
    r"|这边(?=[^的])|小妹|妹子|小秘书|客服(?=这边|帮)"
    r"|(?:hi|hello|hey|ok(?:ay)?|well|so|but|and|sorry|please note)(?![a-z])[,.!]*)",
    re.IGNORECASE,
)
_ENDING = re.compile(r"(?:[啊呀呢哦噢喔哈嘛哒滴喽嘞啦诶哟呦]|亲亲?|谢谢[您你]?|[\s,，.。:：~～!！?？、;；…^_^*])+$")
_SOFT = re.compile(r"[的了][呢哦哈呀啊噢喔](?=[,，])|[~～]+|亲亲|(?<=[,，])亲(?=[,，])")
_YES_NO = {"能": "能否", "可": "能否", "是": "是否", "会": "是否会", "有": "是否有", "要": "是否要"}
_YES_NO |= {"需": "是否需要", "对": "是否对"}
_A_NOT_A = re.compile(r"能不能|可不可以|可以不可以|是不是|会不会|有没有|要不要|需不需要|对不对")
_MODAL = re.compile(
    r"可以(?!不)|(?<![功性智才技不可])能(?![力量源耗])|(?<![不社机一])会(?![员议计])|(?<![不])需要|支持|包含|包括|还?有(?!限|效|时|点|些|人)|(?<![只重主需不就想])要(?!求|是)"
    r"|(?<![但还就不也只凡都老总可])是(?!否)|算(?!了)"
)
_TAIL_QUESTION = re.compile(r"[,，]?(?:(?:可以|行|好|对|是|能|成)(?:不)?[吗么]|(?:可以|行|能|是)不|[对是]吧|吗|么|不)$")


def is_chinese(text: str) -> bool:
    """Tell whether Chinese letters stand in the text."""
    return bool(_CHINESE.search(text))


def quoted(statement: Statement) -> str:
    """Return a statement's words letter for letter, without what does not belong to it at either end."""
    return statement.text.strip(" \t,，.。~～:：;；")


def reported(statement: Statement, names: dict[str, str]) -> str:
    """Return a Chinese statement's words without greeting and particles, as one reports them of a third person.

    `names` says what customer and agent are called: they stand for the "you" of the other side.
    """
    words = _SOFT.sub(lambda soft: soft.group()[0] if soft.group()[0] in "的了" else "", _trimmed(statement.text))
    if statement.service:
        words = re.sub(r"(?:^|(?<=[,，]))我们?(?:这边|这里)?(?=.)", "", words)
        return words.replace("您", names["customer"])
    words = re.sub(r"你们?(?:家|这边|这里|那边|那里)?|您们?(?:这边|这里|那边|那里)?", names["agent"], words)
    if statement.kind == Kind.QUESTION:
        words = _question(words)
    if statement.kind == Kind.WISH:
        words = re.sub(r"^我?们?(?:想要?|希望|要求|需要)(?=..)", "", words)
    words = re.sub(r"^我们?(?:的(?=.)|这边|家)?(?!国)", "", words)
    return re.sub(r"(?:我们?(?!国)(?:自己)?)", "自己", words)


def _trimmed(text: str) -> str:
    words = text.strip()
    while True:
        shorter = _ENDING.sub("", _OPENING.sub("", words, count=1))
        if shorter == words or not shorter:
            return words
        words = shorter


def _question(words: str) -> str:
    """Turn a yes-or-no question into one with "是否"; every other question asks in its own words."""
    turned = _A_NOT_A.sub(lambda found: _YES_NO[found.group()[0]], words, count=1)
    if turned != words:
        return turned
    tail = _TAIL_QUESTION.search(words)
    if tail is None or re.search(r"怎么|怎样|什么|啥|多少|多久|哪|几[点天个日号]|为何|是否", words):
        return re.sub(r"[吗么]$", "", words) if tail else words
    body = words[: tail.start()]
    if not body:
        return words
    modal = _MODAL.search(body)
    if modal is None or tail.group().endswith("吧"):
        return f"是否{body}"
    return f"{body[: modal.start()]}是否{body[modal.start() :]}"
