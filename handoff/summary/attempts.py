"""What the customer has tried, in their words: reports of something done, and answers to a step they were given."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from handoff.conversations.models import Message, Sender
from handoff.summary.evidence import clauses, excerpt, fold

LONGEST_QUOTE = 80
LONGEST_READ = 600
MOST_IN_ONE_MESSAGE = 8

_DEED = (
    r"试|换|重启|重装|重置|重新?[配连绑装登加添]|恢复|关|开|删|卸|装|配|绑|连|充|擦|清|升|更新|更到|拔|插|按"
    r"|(?<![0-9一二三四五六七八九十半两])点|问|打|联系|找"
    r"|投诉|反映|反馈|报|查|搬(?!家)|调|改|加|设|跑|去|量|称|冲|拍|挪|放|拆|翻|接|退出|忽略|扫|校准|设置|检查"
    r"|申请|催|走|送|寄|洗|晒|吹|晾|贴|关闭|打开|返修|敲|选"
)
_PAST = (
    r"tried|re-?(?:started|booted|set|paired|installed|moved|connected|charged)|rebooted|turned|switched"
    r"|changed|charged|cleaned|wiped|checked"
    r"|looked|called|rang|phoned|emailed|wrote to|asked|swapped|moved|updated|upgraded|deleted|removed"
    r"|unplugged|plugged|pulled|pressed|held"
    r"|toggled|forgot|logged|signed|cleared|drove|went|contacted|complained|reported|visited|downloaded|opened"
    r"|put it|took it|knocked"
    r"|cancelled|synced|started it|told (?:you|your|them|support)"
)
_GAP = r"(?:(?!不|没|就|都|后|错|坏|会|能)[^,.;!?、\n])"
_DONE = re.compile(
    rf"(?:{_DEED}){_GAP}{{0,8}}?(?:过|了(?!吗|没|就|再|才|一直|也不)|完|好几)"
    rf"|(?:已经?|早就?|刚|都|也|全|又){_GAP}{{0,6}}(?:{_DEED})(?:过|了|好)(?=$|[,.;!?、\s还也都])"
    r"|(?:看|用)(?:了)?过|(?<![a-z])(?!app|wifi|ok|vip)[a-z]{3,}(?:了(?!吗|没|就)|过)"
    rf"|(?:{_DEED}){_GAP}{{0,8}}(?:就(?:好|行|可以|上)|没反应|没用|不行|无效|还是|也没|都没|失败|一样)"
    r"|(?:银行|快递员?|商家|店家|物业|师傅|医生|邮局|驿站|电信|移动|联通)(?:那边)?(?:说|让|回)"
    r"|(?<![a-z])(?:courier|bank|shop|store|seller|carrier|driver|post office|provider) (?:says|said|told|refused)"
    r"|(?:按|照)(?:着)?(?:你们?|您|说明书?|客服|步骤)[^,.;!?、\n]{0,10}(?:做|弄|操作|来|试)"
    r"|我(?:[^,.;!?、\n能要想不让给盼]){0,4}打[^,.;!?、\n]{0,4}电话|电话[^,.;!?、\n]{0,3}(?:打不通|没人接|占线)"
    rf"|(?:(?<![a-z])(?:i|we|he|she|my (?:wife|husband|son|daughter|mum|dad|neighbou?r|friend)|already|and|also"
    rf"|have|'ve|even|just|then|both|twice)"
    rf"(?:'ve| have| had| even| just| also| already| both| then)* |^|[.,;] ?)(?:{_PAST})(?![a-z])"
    r"|(?<![a-z])did (?:that|it|all|both|so)(?![a-z])"
)
_NOT_DONE = re.compile(
    r"(?:没有?|不|别|未|不要|不想|没法|怎么|如何|要不要|能不能|可以|要|想|会|准备|打算|如果|要是|万一|再|帮我"
    r"|给我|求|请)[^,.;!?、\s（(]{0,4}$"
    r"|(?<![a-z])(?:not|never|n't|if|will|should|can|could|would|to|going|want|how)[a-z' ]{0,10}$"
)
_AS_BOUGHT = re.compile(
    r"(?:收货|到货|买|拿到|收到)(?:了|来|回来)?(?:以?后|之后)?[^,.;!?\n]{0,20}(?:装|连|配|绑|加|设)(?:上"
    r"|好)?了|(?:后来|然后)换"
)
_ALL_OF_IT = re.compile(r"[都全](?:试|做|弄|搞|来)(?:过|了)|(?<![a-z])(?:all|both|none of)(?![a-z])")
_OF_OTHERS = re.compile(
    r"^(?:你们?|您|他们?|她|我[家爸妈]|公司|上次|客服|快递员?|商家|店家|机器人|it |the (?:courier|bot|agent"
    r"|shop)|you |they )"
)
_STEP = re.compile(
    r"请(?!问|稍|放心|勿|见谅|谅解|注意|别|不要|保持)(?![小老他她给拍])(?![^,。]{0,3}(?:同事|主管|专员|研发"
    r"|仓库|财务|售后|工程师|师傅|快递|网络组|人工))|试试|试一下"
    r"|试一次|先(?:把|按|长按|打开|关|重启|换|检查)"
    r"|(?:试|换|重启|重装|装|查|看|检查|更新|升级|连|配)过[^。]{0,12}[吗没?？]|(?:开着|打开|关掉?|关了"
    r"|锁)[^。,]{0,6}[吗没?？]|(?:是否|是不是"
    r"|有没有)[^。,]{0,8}(?:开|关|勾选|锁|允许)"
    r"|(?<![a-z])(?:have|did) you (?:already )?(?:tr|re|ch|up|tu)|(?<![a-z])is [a-z' ]{2,30} (?:on|off|enabled"
    r"|open)[?]"
    r"|(?:^|[,.:;] ?|please |(?:could|can|would) you |then |first |now |also |and |to )(?:try|move|turn|hold"
    r"|press|restart|reset|unplug|plug|charge|remove|delete|forget"
    r"|re-?pair|pair|connect|open|close|update|install|reinstall|clean|wipe|set|put|switch|log|sign|clear|stand"
    r"|wear|leave|take|use"
    r"|look|go|swap|change|enable|disable|allow|scan|place|tap|keep|check)(?![a-z])"
)
_ASKS = re.compile(
    r"请(?:您|再)?(?:提供|告诉|告知|发|说|描述|报|回复|留|补充|给我|把[^,。]{1,12}(?:发|报|告诉|给我))"
    r"|(?<![a-z])(?:tell|send|give"
    r"|share) (?:me|us)"
)
_NOTHING_DONE = re.compile(
    r"没(?:试|装|用|买|碰|动)过|没法|没时间|没空|没那个|没这个设备|不想|不会|不敢|不要|懒得|凭什么|为什么"
    r"|以后再|回家再|等会|晚点|算了|人工|你们|投诉|lm[0-9]|[0-9]{4,}"
    r"|退[货款钱]|我要|赔"
    r"|[?？]\s*$|吗$|^(?:怎么|哪|啥|什么|在吗|喂)"
    r"|(?<![a-z])(?:why|what|where|how|which|later|tonight|haven't|don't have|i'm|i am|i want|i need|i won't"
    r"|you|money|refund|human|person)(?![a-z])"
)


@dataclass(frozen=True)
class Attempt:
    """Something that the customer tried: how to call it, their words, and the message."""

    text: str
    quote: str
    seq: int


def attempts(messages: Iterable[Message]) -> list[Attempt]:
    """Return what the customer says they tried, in order."""
    found: list[Attempt] = []
    heard: set[str] = set()
    step: str | None = None
    for message in messages:
        if message.sender in {Sender.BOT, Sender.AGENT}:
            step = _step(message.text)
        elif message.sender == Sender.CUSTOMER and message.payload is None and message.text.strip():
            told = _reported(message, heard)
            reply = excerpt(_first_sentence(message.text), LONGEST_QUOTE)
            if step and _answers(reply) and not any(one.quote in reply for one in told):
                told.insert(0, Attempt(step, reply, message.seq))
            found += told
            step = step if not told else None
    return found


def _reported(message: Message, heard: set[str]) -> list[Attempt]:
    """Return what the message reports as done; clauses heard before are passed over, and remembered."""
    found: dict[str, Attempt] = {}
    for said in clauses(message.text[:LONGEST_READ]):
        if said in heard or len(found) == MOST_IN_ONE_MESSAGE:
            continue
        heard.add(said)
        words = fold(said)
        if _is_done(words):
            quote = excerpt(message.text, LONGEST_QUOTE, said) if _ALL_OF_IT.search(words) else said
            quote = excerpt(quote, LONGEST_QUOTE)
            found[quote] = Attempt(quote, quote, message.seq)
    return list(found.values())


def _is_done(words: str) -> bool:
    """Tell whether a clause says that the customer has done something about it."""
    if _OF_OTHERS.match(words) and "我" not in words:
        return False
    for match in _DONE.finditer(words):
        before = words[: match.start()]
        if not _NOT_DONE.search(before) and not _AS_BOUGHT.search(before + match.group()):
            return True
    return False


def _answers(reply: str) -> bool:
    """Tell whether a reply to a step says how it went, and does not refuse, ask or speak of something else."""
    return bool(reply) and not _NOTHING_DONE.search(fold(reply))


def _first_sentence(text: str) -> str:
    words = text.strip()
    return words[: end.start()] if (end := re.search(r"[。!！\n]|[.](?=\s)", words)) else words


def _step(text: str) -> str | None:
    """Return the sentence in which a step is asked for, if the message gives one."""
    for sentence in re.split(r"(?<=[。!?！？\n])|(?<=[a-z0-9]\.)\s", text):
        words = fold(sentence.strip())
        if _STEP.search(words) and not _ASKS.search(words):
            return excerpt(sentence, LONGEST_QUOTE)
    return None
