"""Statements that tell no outcome by themselves: what was not done, what cannot be done, what is over, plain facts.

All patterns match the normalised text.
"""

from __future__ import annotations

import re

_STEP_VERBS = (
    "换|改|动|开|关|充|贴|摔|磕|碰|泡|沾|洗|装|设|升级|更新|拆|用|试|重启|重装|重置|恢复出厂|插|拔|登|绑|解绑|删|清|擦|按|调"
    "|弄|做|搞|取|戴|格式化|校准|卸载"
)
_LEFT_UNDONE = re.compile(
    rf"(?:没(?:有)?|从未|未)(?:再|去|怎么|给它|把它|被|敢)*(?:{_STEP_VERBS})"
    r"(?!机|进|上|出|到|住|通|动|好|完|成|电[线器头座宝]|[^,。;]{0,3}(?:成功|进去|上去|反应|出来))"
    r"|没(?:有)?错(?!误)|没(?:有)?问题(?!了)|没毛病"
    r"|(?<![a-z])(?:i|we)(?:'ve| have)? (?:did ?n[o']?t|have ?n[o']?t|had ?n[o']?t|never|not)(?: yet| even| really)?"
    r" (?:re-?)?(?:try|tried|do|done|did|chang|touch|charg|start|set|pair|drop|updat|open|switch|use|plug|turn|swap|mov"
    r"|install)"
    r"|(?<![a-z])(?:i|we) (?:don'?t|do not) have (?:the|a|an|my|any|one)(?![a-z])"
    r"|^(?:no,? )?(?:never|not|haven'?t|didn'?t)(?: yet| even| really)?"
    r" (?:re-?)?(?:tried|try|done|do|chang|touch|charg|start|set|pair|drop|updat|install|yet)"
)
_UNABLE = re.compile(
    r"(?:没法|没办法|无法|不能|不方便|不敢|做不了|弄不了|搞不了|改不了|拆不了|拔不了|换不了|试不了)"
    r"(?:去|再|给它|把它)?(?:做|弄|搞|改|拆|拔|换|试|关|按|动|$|,|。)"
    r"|^(?:我|这边|家里)*(?:做|弄|搞|改|拆|拔|换|试|关)不了"
    r"|(?:没有|没)(?:别的|其他|其它|另外?一?|第二|备用)[^,。]{0,4}(?:手机|网线|线|网络|插座|充电器|电池|路由)"
    r"|(?<![a-z])(?:i|we) (?:can ?no?t|can'?t|couldn'?t|am not able to|'m not able to|am not allowed to)"
    r" (?:do|split|change|disable|separate|turn|switch|unplug|move|swap|access|reach|get to|take|set|borrow)(?![a-z])"
    r"|(?<![a-z])(?:i |we )?(?:don'?t|do not) have (?:another|a second|a spare|any other|a different)(?![a-z])"
)
_ANOTHER = re.compile(
    r"(?:别的|其他|其它|另外的?|更好的?)(?:的)?(?:办法|方法|法子|招|步骤|方案)|(?:换|还有)(?:个|一个|啥|什么|没有)*(?:办法|方法|招)"
    r"|还能(?:怎么|做|试)|下一步|下个办法"
    r"|(?<![a-z])(?:(?:what|anything|something) else|(?:any )?(?:an)?other (?:way|idea|option|step|thing)s?"
    r"|next (?:step|one|thing)|what(?:'s| is)? next)(?![a-z])"
)
_STOPPED = re.compile(
    r"(?:暂时|目前|现在|到现在|至今|今天|刚才|后来|再也|已经|一天)(?:就|都|也|还)*没(?:有)?(?:再)?"
    r"(?:断|掉|闪|卡|重启|死机|出现|报错|发烫|转圈)(?!开|反应)"
    r"|没(?:有)?再(?:断|掉|闪|卡|重启|死机|出现|报错|发烫|转圈)"
    r"|不(?:再|会)?(?:断|掉|闪|卡|转圈|死机|报错|烫|漂|跳|自己?重启)(?:线|网|连|电)?了"
    r"|(?:换|改|挪|接|调)(?:了|成|到|个)[^,。]{0,10},?(?:现在|就|能|有|到|跑)*\d{2,}(?:多|几|兆|m|mbps)*了[。!]*$"
    r"|(?<![a-z])(?:no more (?:drop|flicker|crash|disconnect|restart)\w*"
    r"|(?:has|have) ?n[o']?t (?:dropped|flickered|crashed|disconnected|happened|restarted)(?: \w+)*"
    r"|stopped (?:dropping|flickering|crashing|disconnecting|restarting|blinking)"
    r"|(?:doesn'?t|does not|not) (?:drop|flicker|crash|disconnect|restart)\w* any ?more)(?![a-z])"
)
# After a cure: what does not work, or what else is asked.
_GOES_ON = re.compile(
    r"但|不过|可是|却|只是|就是|还(?!好|行|可以)|又|怎么|坏|断|没(?!问题|事|毛病|再|错)|不(?!用|错|客气|好意思|再|会|断|掉|闪|卡)"
    r"|(?<![a-z])(?:but|however|though|still|except|only|how|what about|not|no (?!more|problem|issue)|\w+n't)(?![a-z])"
)
_BREAK = re.compile(r"^(?:[,。;!. ]|但|不过|可是)")
_ASKED_BACK = re.compile(r"^(?:吗|么|没|嘛|\?)")
_FAULT = re.compile(
    r"坏|失灵|失败|故障|出错|报错|死机|黑屏|花屏|白屏|闪退|离线|掉线|断[网连线开电]|卡[住顿死在]|发?烫|冒烟|焦|裂|异味|着火"
    r"|[上开连进动亮充收听看用搜找登关打显测绑](?:不[了上到进动亮出来]|不能)|不(?:亮|动|响|准|走|震|转|显示|同步|更新|工作|正常|行|好用|能)"
    r"|没(?:有)?(?:反应|声音|数据|信号|显示|网|画面|图像|电了|震动|提示|收到)|一直(?:闪|转|响|断|掉|重启|显示)|总是|老是|自己(?:关|开|断|重启)"
    r"|(?:太|很|特别|越来越)(?:慢|快|烫|卡|差)|耗电|掉电"
    r"|(?<![a-z])(?:broke\w*|dead|die[sd]?|fail\w*|crash\w*|drop(?:s|ping)|disconnect\w*|freez\w*|frozen|stuck|offline"
    r"|won'?t|doesn'?t|isn'?t|cannot|can'?t|stopped|overheat\w*|hot|smoke|burn\w*|slow|flicker\w*|drain\w*|wrong|missing"
    r"|cracked|problem|issue|trouble|error)(?![a-z])"
)
_ASKS = re.compile(
    r"想|要(?!是)|帮|请|麻烦|能不能|可不可以|可以[^,。]{0,6}吗|吗|什么|怎么|多少|哪|几[天点号时]|为什么|为啥|\?|查(?:一下|下|询)"
    r"|(?<![a-z])(?:want|need|please|could|would|should|how|what|where|when|why|which|who)(?![a-z])"
)
_WHEN_FIXED = re.compile(
    r"(?:什么时候|啥时候|何时|几时|哪天|多久|多长时间)(?:才|就|可以|能|会|给|给我|帮我)*"
    r"(?:修(?:好|复)|解决|弄好|搞定|恢复|正常|好(?!用|久|好))"
    r"|等(?:到)?(?:什么时候|啥时候)|(?:要|得|还要|还得|我)等(?:上|个)?多久|准信|准话|给个(?:时间|说法|期限)"
    r"|(?<![a-z])when (?:will|is|does|can) (?:it|this|that)(?: be| get| going to be)?(?: finally)?"
    r" (?:fixed|solved|sorted|working)"
    r"|how long (?:till|until|before) (?:it|this|that)(?:'s| is| gets) (?:fixed|solved|sorted|working)"
    r"|(?<![a-z])how long (?:do i|will i|must i|should i) (?:have to )?wait|(?<![a-z])any eta(?![a-z])"
)
# What is asked for in a shop.
_MATTER = re.compile(
    r"订单|单号|下单|快递|物流|包裹|发货|到货|送货|送到|能到|收货|没收到(?!提示|通知|消息|验证码|短信)|还?没(?:发|到|寄|送)(?!热)|寄|少发|漏发|错发"
    r"|发错|少了|缺|退(?!出|到)|换货|换新|换一[个台块]|发票|抬头|地址|推荐|买|哪款|价|优惠|便宜|保修|质保|报修|维修|修|赔|投诉|取消|付款|扣款|钱"
    r"|客服|人工|真人"
    r"|(?<![a-z])(?:order|parcel|package|deliver\w*|arriv\w*|shipp\w*|send|courier|refund|return|exchange|replace\w*|invoice"
    r"|receipt|address|buy|recommend|price|cost|pay|discount|warranty|covered|repair|cancel|money|human|person|agent)(?![a-z])"
)


def says_undone(text: str) -> bool:
    """Does the customer say that something was not done or did not happen, or is as it should be?"""
    return bool(_LEFT_UNDONE.search(text))


def is_unable(text: str) -> bool:
    """Does the customer say that a step cannot be done?"""
    return bool(_UNABLE.search(text))


def asks_another(text: str) -> bool:
    """Is another way asked for?"""
    return bool(_ANOTHER.search(text))


def has_stopped(text: str) -> bool:
    """Does the customer say that what used to happen no longer does?"""
    return bool(_STOPPED.search(text)) and not _GOES_ON.search(text[_last(_STOPPED, text) :])


def goes_on(text: str, cure: re.Pattern[str]) -> bool | None:
    """What follows the last words of a cure: False when nothing, True when a matter of its own; None spoils the cure.

    "连上了没数据" tells of no cure, "连上了，但是没数据" of one and of another trouble.
    """
    rest = text[_last(cure, text) :]
    if _ASKED_BACK.search(rest):
        return None
    if not _GOES_ON.search(rest):
        return False
    return True if _BREAK.search(rest) else None


def asks_when_fixed(text: str) -> bool:
    """Does the customer ask by when the trouble will be over?"""
    return bool(_WHEN_FIXED.search(text))


def names_matter(text: str) -> bool:
    """Does it name what is asked for in a shop, such as an order or a repair?"""
    return bool(_MATTER.search(text))


def is_plain(text: str) -> bool:
    """Is it a statement that names no fault and asks for nothing?"""
    return not any(pattern.search(text) for pattern in (_FAULT, _ASKS, _MATTER))


def _last(pattern: re.Pattern[str], text: str) -> int:
    return max((match.end() for match in pattern.finditer(text)), default=0)
