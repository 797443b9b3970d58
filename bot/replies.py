"""What a customer's reply means while troubleshooting waits for one: told by its words, whatever it was taken for."""

from __future__ import annotations

import re
from typing import Any

from bot.fact_names import FACT_NAMES
from bot.finder.answers import is_answer
from bot.nlu.lookups import device_categories, lookup
from bot.nlu.text import normalise
from bot.statements import (
    asks_another,
    asks_when_fixed,
    goes_on,
    has_stopped,
    is_plain,
    is_unable,
    names_matter,
    says_undone,
)

SOLVED, UNSOLVED, UNKNOWN = "solved", "unsolved", "unknown"
DONE, TRIED, ALL_TRIED = "done", "tried", "all_tried"
LATER, QUESTION, LOST, FACT, THANKS = "later", "question", "lost", "fact", "thanks"
# TOLD: a statement that is no outcome. UNABLE: the step cannot be done. ANOTHER: another way is asked for.
# SOLVED_BUT: this trouble is over, and the message goes on to something else.
TOLD, UNABLE, ANOTHER, SOLVED_BUT = "told", "unable", "another", "solved_but"
# Replies that tell of the trouble at hand, so that a device or a symptom named in them is not a new one.
ABOUT_STEPS = frozenset(
    {SOLVED, UNSOLVED, DONE, TRIED, ALL_TRIED, LATER, QUESTION, LOST, TOLD, UNABLE, ANOTHER}
)
FACTS = frozenset(FACT_NAMES) - {"order_number", "phone_last4", "symptom"}
# Replies that complain of nothing, whatever device they name.
_NO_TROUBLE = frozenset({TRIED, ALL_TRIED, DONE, LATER, TOLD, UNABLE, ANOTHER, SOLVED_BUT})
# The intents that the rules of troubleshooting hear while it waits.
_HEARD = frozenset(
    {"affirm", "deny", "inform", "thank", "complain", "firmware_update", "device_problem", "nlu_fallback"}
)
_TALK = frozenset({"greet", "chitchat", "out_of_scope", "capabilities", "who_are_you"})
_ANGRY = frozenset({"angry", "abusive"})
# What these surely mean is more than a statement.
_MORE_THAN_TOLD = frozenset({"deny", "thank", "goodbye"}) | _TALK
_SURE_WISH, _SURE_TALK, _SURELY_ASKED, _CERTAIN = 0.6, 0.8, 0.95, 0.999
_LONGEST_TOLD = 80
_CUE_SURE = 0.65

_AS_INFORMATION: dict[str, Any] = {
    "intent": {"name": "inform", "confidence": 1.0},
    "topic": {"name": "inform", "ranking": []},
    "wishes": [],
}

_CORRECTS = re.compile(
    r"^(?:啊|哦|哎|噢)?[,。]?\s*(?:不对|不是|错了|说错|看错|搞错|更正|等等|应该是|其实)"
    r"|^(?:oh,? |ah,? )?(?:wait|no|sorry|actually|correction|my bad|oops|scratch that|i mean)(?![a-z])"
)
_ALL_TRIED = re.compile(
    r"(?:^|[,。;!?\s]|这些|那些|上面|说的|方法|办法|步骤|能试的|该试的|几步|全部)(?:我|早就|已经|也)*(?:都|全都?|通通|统统)(?:已经)?"
    r"(?:试|做|弄|搞|操作|检查|查)(?:过|了|完|遍)"
    r"|(?<![a-z])(?:done|did|tried|doing) (?:it |them |that )?all(?: of (?:it|that|them|those|this))?(?! the)(?![a-z])"
    r"|(?<![a-z])(?:tried|did|done) (?:absolutely )?everything(?![a-z])"
    r"|(?<![a-z])all of (?:it|that|those|them|this)(?: \w+)* (?:already|done|tried|before)(?![a-z])"
    r"|(?<![a-z])already (?:done|did|tried) (?:all|everything)(?![a-z])"
)
_YES = re.compile(
    r"^(?:好|嗯|行|可以|是[的啊呀]?(?:$|[,。!])|对[的啊呀]?(?:$|[,。!])|没问题|收到|明白|知道了|懂了)"
    r"|^(?:ok|yes|yeah|yep|sure|fine|alright|all right|got it|will do|right|understood)"
)
_UNSURE = re.compile(
    r"不知道(?!怎么|在哪|哪)|不确定|不清楚|说不准|看不准"
    r"|(?<![a-z])(?:(?:don'?t|dont) know(?! how| where| what)|not sure|no idea(?! how| where| what)"
    r"|hard to say)(?![a-z])"
)
_STILL = re.compile(
    r"还是(?!说)|还不行|依然|依旧|仍然?|照样|没用(?!过)|没有用(?!过)|不行(?!了吗)|没好|没解决|没变|没效果|没什么用|不管用|不起作用|老样子"
    r"|一样的|没反应|失败|白搭|怎么(?:还|又|就是)|照(?:断|闪|掉|卡|响|旧|样)"
    r"|[了过][^,。;!?]{0,5}还(?:是|在|会|老|总|一直)?(?:闪|断|掉|卡|响|叫|热|烫|红|黑|慢|漏|抖|跳|花|重启|死机|离线|显示"
    r"|[充连开搜收看打登绑装]不|不(?:亮|动|响|准|走|转|能|对|稳)|没(?:反应|声|网|电|信号|数据|画面|显示))"
    r"|(?<![a-z])(?:still|same (?:thing|problem|issue|result|as before)|same[,.!]*$"
    r"|no (?:luck|change|difference|joy|effect)"
    r"|(?<!i )(?<!we )(?:didn'?t|doesn'?t|did not|does not|hasn'?t) (?:help|work|change|fix|solve|make)"
    r"|nope|no good|failed)(?![a-z])"
)
_LATER = re.compile(
    r"(?:^|[,。 ])先(?:不|别)(?:弄|搞|试|做|折腾|修|管它)|(?:今天|暂时)(?:就)?(?:先)?(?:不|到这)"
    r"|稍等|等等(?!级)|等一下|等下|等会|等我|过(?:一)?会|待会|晚点|回头(?!率)|改天|正在(?:更新|升级|充|试|重启|弄)|(?:更新|升级)中|我看看|我去|试试(?!了|过)|试一下|试一试"
    r"|^在(?:装|更新|升级|下载|弄|试|重启|充)[^了完好]{0,4}$|(?:装|更新|升级|下载)着呢?$"
    r"|^(?:好的?|行|嗯+|ok)[, ]*(?:我|先|去|马上|这就)*(?:更新|升级|重启|重装|装|弄|查)[^了过完好?]{0,8}$"
    r"|一会儿?(?:再|就|我)|晚上(?:回|再|到|下班)|回(?:家|去)(?:再|以?后|看|试|弄|就)|(?:下班|到家|明天|明早|周末|有空|有时间)[^,。;]{0,4}(?:再|试|看|弄|后)"
    r"|在(?:外面|外地|上班|单位|公司|忙|开会|路上)|[不没]在(?:家|身边|旁边|手边)|没带"
    r"|(?<![a-z])(?:(?:one|just a|a|gimme a|give me a|in a) (?:sec|second|moment|min|minute|bit|few)s?|hold on"
    r"|hang on|brb|be right back|bear with me|(?:^|ok(?:ay)?,? |please )wait"
    r"|(?:^|ok(?:ay)?,? |do (?:it|that|this) |maybe )later"
    r"|(?:at|in) (?:work|the office|a meeting|school)(?! (?:it|the|my))|(?:not|isn'?t|ain'?t) (?:at )?home"
    r"|(?:when|once|after) i(?:'m| am| get)? (?:home|back|there)"
    r"|i(?:'ll| will) (?:try|check|do|look|have a|get|give|see|report|come)|(?:i'?m )?trying"
    r"|(?:ok(?:ay)?,? |i'?m |now )(?:updating|installing|restarting|charging)"
    r"|let me(?! know| down)"
    r"|(?:check|try|look|do|test|see)[^.?!]{0,20} (?:tonight|tomorrow|this evening|later|after work)"
    r"|busy (?:right )?now"
    r"|don'?t have (?:it|the \w+|my \w+) (?:with me|here|on me))(?![a-z])"
)
_CONFUSED = re.compile(
    r"没懂|不懂|没?看不?懂|没?听不?懂|[没不]明白|不会(?:弄|操作|用|搞|做|点)|不知道(?:怎么|在哪|哪)|太复杂|太专业"
    r"|(?<![a-z])(?:(?:don'?t|didn'?t|dont|didnt|do not|did not|not) (?:quite |really )?"
    r"(?:get (?:it|that|this|what)|understand|follow)"
    r"|confus\w*|lost me|no idea (?:how|what|where)|(?:don'?t|dont) know (?:how|what|where)"
    r"|makes no sense|too (?:technical|complicated))(?![a-z])"
)
_LOST = re.compile(
    r"(?:找不到|没找到|看不到|没看到|没看见)(?:啊|呀|呢|这|那|入口|选项|你说|您说|按钮|设置|地方|版本|$)"
    r"|没有?(?:这个|这一|这种|那个|你说的|您说的)[^,。]{0,4}(?:选项|按钮|菜单|页面|设置|项|入口|东西|$)"
    r"|(?<![a-z])(?:can(?:'?t|not) (?:find|see) (?:it|that|this|one|any"
    r"|the (?:option|menu|button|setting|page|version|number))\w*"
    r"|(?:there'?s|there is|i have|i see|got) no (?:such )?(?:option|menu|button|setting|page|entry|version)"
    r"|no such)(?![a-z])"
)
_QUESTION = re.compile(
    r"怎么(?!还|又|就|都|也|连|老|会|没|不|办|回事|样)|怎样|如何|哪里|哪儿|在哪|哪个|哪头|哪一|哪种|(?:啥|什么)(?:意思|是|叫|东西)|是(?:什么|啥)"
    r"|干(?:嘛|什么|啥)用|会不会|会丢|有没有|要不要|需不需要|是不是(?:要|得)|该不该|用不用|多久|吗\s*[?。!]*$|\?\s*$"
    r"|(?<![a-z])(?:how (?:do|can|to|should|long|would|exactly|am)|where|what(?:'?s| is| are| does| do you| exactly)"
    r"|which (?:one|button|menu|light|way|app|cable|page|screen)|should i|do i|can i|am i supposed|you mean"
    r"|does (?:it|this|that) (?:matter|mean|delete|erase)|will (?:i|it|this|that) (?:lose|delete|erase|wipe))(?![a-z])"
)
# Questions about what was just said.
_POINTING = re.compile(
    r"意思|怎么(?:弄|做|看|操作|搞|点)|在哪(?!里买)|哪里(?:看|点|找|弄)"
    r"|(?<![a-z])(?:you mean|(?:that|this|it) mean|where is (?:it|that)"
    r"|how(?: do i)?(?: do)?(?: it| that)?\s*\?*$|where\s*\?*$)"
)
_CURED = re.compile(
    r"(?<!没)(?<!怎么)(?<!能)(?<!帮我)(?<!尽快)解决(?!不)|(?<![弄做搞装换改设充])好了(?!没|吗)|可以了|正常了|(?:都|现在|已经)正常|搞定|恢复(?!.{0,5}(?:出厂|默认))"
    r"|有了(?!别)|(?<!不)行了|能用了|出来了|连上了|成功|没问题了|好使了|好用了|(?:快|好|稳|准|清楚)多了"
    r"|(?<!at )(?<!to )(?<!for )(?<!from )(?<!after )(?<!my )(?<![a-z])"
    r"(?:works?|working|fixed(?! it\?)|solved|sorted|resolved"
    r"|(?:it|that|this) (?:did it|worked)(?! before)|all good|back to normal"
    r"|(?:syncs|connects|charges|pairs|counts|starts|turns on|lights up|records|rings|vibrates|updates|updated)"
    r"(?: fine| ok(?:ay)?)? (?:now|again))(?![a-z])"
)
# A cure that is only hoped for; and one that is granted with a but ("连是连上了，就是没网").
_HOPED_FOR = re.compile(r"(?:希望|想要?|请|赶紧|尽快|什么时候|之前|以前|必须)[^,。;!?]{0,8}解决(?!了)")
_GRANTED = re.compile(r"(.{1,2})是\1[^,。;!?]{0,6}[,，。; ]*(?:就是|但|可|不过|只是)")
_NOT_CURED = re.compile(
    r"[不没别](?:能|会|再|怎么|太)?(?:解决|好了|正常|恢复|行|成功|出来|连上)"
    r"|(?<![a-z])(?:not|isn'?t|never|no longer|stop(?:s|ped)?|n't|hardly|barely|nothing|none)(?![a-z])"
    r"(?! (?:a )?problem)"
)
_NO = re.compile(
    r"^(?:没有?|不)(?:啊|呀|呢)?$|不可以"
    r"|(?<![a-z])(?:no(?! problem| issue| worries)|not(?! a problem)"
    r"|didn'?t|doesn'?t|isn'?t|won'?t|can'?t|nothing)(?![a-z])"
)
_DONE = re.compile(
    r"照做了|(?:做|弄|操作|按|点|改|换|设|装|拔|插|更新|升级|清|擦|删|重启|试)(?:完|好|过|完毕)?了?(?:啊|呢|哈)?[。!]*$"
    r"|(?<![a-z])(?:(?:did|done) (?:that|it|this|so|as)|(?:that|it|this)(?:'?s| is) done"
    r"|finished|completed|all done)(?![a-z])"
    r"|^(?:ok(?:ay)?|yes|yep|yeah|right)?[,.]? ?(?:i )?(?:done|did)[.!]*$"
    r"|^(?:ok(?:ay)?,? |yes,? |i(?:'ve| have)? |already |just )*(?!need|want|call|text|mail|ask|order)"
    r"(?:\w+ed|put|reset|took|cut|set|held)"
    r" (?:it|them|that|those|both|both of them)(?: already| twice| now| off| out| back| in| again)*[.!]*$"
)
_TRIED = re.compile(
    r"(?<!没)(?<!没有)试(?:过|了)(?!吗)|(?<!没)试(?:过|了)?[一二两三四五六七八九十几多\d]+[次遍回]|(?<![a-z])tried(?![a-z])"
    r"|[了过][^,。]{0,4}(?:也|都)(?:还是)?(?:不|没|[^,。]不)"
)
_SAYS_TRIED = re.compile(
    r"(?<!没)(?<!没有)试(?:过|了)(?!吗)|早就|已经|(?<!没)(?<!没有)[\u4e00-\u9fff]过了?[。!]*$"
    r"|(?<![a-z])(?:tried|already)(?![a-z])"
)
_DONE_ALONE = re.compile(
    r"了|过|完|好|(?<![a-z])(?:did|done|\w+ed|put|reset|took|cut|set|held)(?![a-z])"
)
# What words say outright, the first that is said counts.
_OUTRIGHT = (
    (ALL_TRIED, _ALL_TRIED),
    (UNKNOWN, _UNSURE),
    (LOST, _CONFUSED),
    (UNSOLVED, _STILL),
    (LATER, _LATER),
    (LOST, _LOST),
    (QUESTION, _QUESTION),
)
_BEFORE_A_CURE = frozenset({ALL_TRIED, UNKNOWN, UNSOLVED})


def as_reply(parse: dict[str, Any], kind: str | None) -> dict[str, Any]:
    """The parse data of a message that comes while a step or a question is open; `kind` is the device's category.

    One that belongs to the open trouble says so in `reply`: it keeps nothing that would take it elsewhere. One that
    has a wish or a complaint of its own stays as it is.
    """
    reply = reply_of(parse) or (TOLD if _only_tells(parse) else None)
    if reply == FACT and _names_in_passing(parse, kind):
        reply = TOLD
    if reply is None or _is_weak(parse, reply) or _has_own_wish(parse, reply) or _has_own_trouble(parse, reply, kind):
        return parse
    entities = [entity for entity in parse["entities"] if entity["entity"] != "symptom"]
    if reply in ABOUT_STEPS and kind:
        entities = [entity for entity in entities if _kind_of(entity) in (None, kind)]
    told = {**parse, "reply": reply, "entities": entities}
    name = parse["intent"]["name"]
    if reply == TOLD:
        return told | _AS_INFORMATION
    misheard = name == "complain" and reply != UNSOLVED and parse["emotion"]["label"] not in _ANGRY
    if misheard or name not in _HEARD:
        told |= _AS_INFORMATION
    return told


def _names_in_passing(parse: dict[str, Any], kind: str | None) -> bool:
    """Is another kind of device only named in a statement about the one at hand? ("灯亮着", of a band's light)"""
    kinds = {found for entity in parse["entities"] if (found := _kind_of(entity))}
    text = _plain(str(parse["text"]))
    corrects = _CORRECTS.search(text) or float(parse["intent"]["confidence"] or 0.0) >= _CERTAIN
    return bool(kind and kinds - {kind}) and not corrects and is_plain(text)


def _only_tells(parse: dict[str, Any]) -> bool:
    """Is the message a statement without a wish or a fault of its own, whatever it was taken for?"""
    name, confidence = parse["intent"]["name"], float(parse["intent"]["confidence"] or 0.0)
    text = _plain(str(parse["text"]))
    if name == "affirm":
        return not _YES.search(text) and confidence < _CERTAIN and is_plain(text)
    if name in ("request_human", "complain") or (name in _MORE_THAN_TOLD and confidence >= _SURE_TALK):
        return False
    if is_answer(name) and name not in _HEARD and confidence >= _SURELY_ASKED:
        return False
    return bool(text) and len(text) <= _LONGEST_TOLD and is_plain(text)


def says_still(text: str) -> bool:
    """Does the customer say that the trouble is as before?"""
    return bool(_STILL.search(_plain(text)))


def says_tried(text: str) -> bool:
    """Does the customer say that what was asked for was tried, or was done before?"""
    return bool(_SAYS_TRIED.search(_plain(text)))


def denies(text: str) -> bool:
    """Does something not work, in whatever words?"""
    plain = _plain(text)
    return bool(_NO.search(plain) or "不" in plain or "没" in plain)


def _is_weak(parse: dict[str, Any], reply: str) -> bool:
    """Does a trouble that is surely named only happen to say "not"? ("it's not Bluetooth, the battery drains")"""
    intent = parse["intent"]
    surely = intent["name"] == "device_problem" and float(intent["confidence"] or 0.0) >= _SURE_TALK
    return surely and reply == UNSOLVED and _told(_plain(str(parse["text"]))) is None


def _has_own_wish(parse: dict[str, Any], reply: str) -> bool:
    """Does the message surely ask for what is no troubleshooting?"""
    name, confidence = parse["intent"]["name"], float(parse["intent"]["confidence"] or 0.0)
    if name == "request_human":
        return True
    if asks_when_fixed(_plain(str(parse["text"]))):
        return False
    if name in _TALK:
        beside = reply == QUESTION and not _POINTING.search(_plain(str(parse["text"])))
        return beside and confidence >= _SURE_TALK
    wishes = is_answer(name) and name not in _HEARD and confidence >= _SURE_WISH
    return wishes and names_matter(_plain(str(parse["text"])))


def _has_own_trouble(parse: dict[str, Any], reply: str, kind: str | None) -> bool:
    """Does the message complain of another device, or name a trouble besides a fact?"""
    if parse["intent"]["name"] != "device_problem" or reply in _NO_TROUBLE:
        return False
    others = [found for entity in parse["entities"] if (found := _kind_of(entity)) and found != kind]
    return bool(kind and others) or (reply == FACT and not _CORRECTS.search(_plain(str(parse["text"]))))


def _kind_of(entity: dict[str, Any]) -> str | None:
    """The category of the device that an entity names."""
    if entity.get("role"):
        return None
    if entity["entity"] == "product":
        return str(entity["value"])
    return device_categories().get(str(entity["value"])) if entity["entity"] == "device_model" else None


def reply_of(parse: dict[str, Any]) -> str | None:
    """The kind of a typed message, from its parse data; None when its words tell none."""
    text = _plain(str(parse.get("text") or ""))
    intent = parse.get("intent") or {}
    stated = {entity["entity"] for entity in parse.get("entities") or [] if not entity.get("role")} & FACTS
    certain = intent.get("name") == "inform" and float(intent.get("confidence") or 0.0) >= _CERTAIN
    if stated and (certain or _CORRECTS.search(text)):
        return FACT
    return _told(text) or _shown(text, parse, stated)


def has_tried_all(text: str) -> bool:
    """Does the customer say that all there is to try was tried?"""
    return bool(_ALL_TRIED.search(_plain(text)))


def _plain(text: str) -> str:
    return normalise(text).replace("’", "'").strip()


def _told(text: str) -> str | None:
    """What the words say outright."""
    cure = _cure(text)
    for kind, pattern in _OUTRIGHT:
        if cure == SOLVED_BUT and kind not in _BEFORE_A_CURE:
            break
        if pattern.search(text):
            return ANOTHER if kind == QUESTION and asks_another(text) else kind
    if asks_when_fixed(text):
        return QUESTION
    return ANOTHER if asks_another(text) else cure


def _cure(text: str) -> str | None:
    """Is the trouble over, or over while something else is not?"""
    if _HOPED_FOR.search(text):
        return None
    if _GRANTED.search(text):
        return UNSOLVED
    if _CURED.search(text):
        more = goes_on(text, _CURED)
        if more is None:
            return None
        if more:
            return SOLVED_BUT if not _NOT_CURED.search(text[: _CURED.search(text).end()]) else None
        return UNSOLVED if _NOT_CURED.search(text) else SOLVED
    return SOLVED if has_stopped(text) else None


def _shown(text: str, parse: dict[str, Any], stated: set[str]) -> str | None:
    """What the steps, facts and cues read in the message show."""
    codes = {step["text"] for step in parse.get("tried") or []} & set(lookup("tried_steps"))
    if codes:
        return TRIED
    if is_unable(text):
        return UNABLE
    if says_undone(text):
        return TOLD
    if _TRIED.search(text):
        return TRIED
    if stated:
        return FACT
    if _NO.search(text):
        return UNSOLVED
    if _DONE.search(text) and _DONE_ALONE.search(text):
        return DONE
    if (parse.get("intent") or {}).get("name") == "thank":
        return THANKS
    if float((parse.get("cues") or {}).get("unsolved", 0.0)) >= _CUE_SURE:
        return UNSOLVED
    return DONE if parse.get("tried") else None
