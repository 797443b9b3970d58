"""What the customer has tried, in their words: reports of something done, and answers to a step they were given."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest

from handoff.conversations.models import Message, Sender
from handoff.summary.evidence import clauses, excerpt, fold

LONGEST_QUOTE = 80
LONGEST_READ = 600
MOST_IN_ONE_MESSAGE = 8

_DEED = (
    r"试|换|重启|重装|重置|重新?[配连绑装登加添]|恢复|关|开|删|卸|装|配|绑|连|充|擦|清|升|更新|更到|拔|插|按"
    r"|(?<![0-9一二三四五六七八九十半两])点|问|打|联系|找"
    r"|投诉|反映|反馈|报|查|搬(?!家)|调|改|加|设|跑|去|量|称|冲|拍|挪|放(?![弃心])|拆|翻|接|退出|忽略|扫|校准|设置|检查"
    r"|申请|催|走(?=[了过完][^,.;!?、\n]{0,5}[0-9一二两三四五六七八九十百千几半步圈趟])|送|寄|洗|晒|吹|晾|贴|关闭"
    r"|打开|返修|敲|选"
    r"|测|比对|对比|登|输|提交|上传|垫|捂|烤|泡|磨|刷新|刷机|刷固件|腾|对调|借|托|自费|弄(?![坏丢错脏没懂明清])|折腾"
    r"|捣鼓|留言|聊"
)
_PAST = (
    r"tried|retried|re-?(?:started|booted|set|paired|installed|moved|connected|charged)|rebooted|turned|switched"
    r"|changed|charged|cleaned|wiped|checked"
    r"|looked|called|rang|phoned|emailed|wrote to|asked|swapped|moved|updated|upgraded|deleted|removed"
    r"|unplugged|plugged|pulled|pressed|held"
    r"|toggled|forgot|logged|signed|cleared|drove|went|contacted|complained|reported|visited|downloaded|opened"
    r"|(?:put|took|left|brought|carried|sent|mailed|shipped) (?:it|them|both|mine|the [a-z]+) ?(?:in|on|off|out|back"
    r"|up|under|next|to|near|away|into|through)?|knocked"
    r"|cancelled|synced|started it|told (?:you|your|them|support)|requested|submitted|filled|filed|uploaded"
    r"|replaced|tested|measured|compared|re-?stored|re-?added|re-?entered|re-?loaded|re-?freshed|enabled|disabled"
    r"|paired|un-?paired|added|borrowed|followed|texted|messaged|chatted|spoke|waited|rinsed|washed|dried|blew|tapped"
    r"|clicked|entered|typed|tightened|loosened|adjusted|formatted|recorded|appealed|searched|walked|drained|ran"
    r"|power[- ]cycled|(?:hard|factory|soft)[- ]?reset|did (?:a|the|two|three) [a-z ]{0,12}(?:reset|restart|reboot"
    r"|update|reinstall)|bought (?:a|another|new) [a-z ]{0,12}(?:cable"
    r"|charger|adapter|battery|batteries|card)"
)
# What customers did that was no attempt at their trouble.
_NO_DEED = (
    r"(?:received|ordered|noticed|wanted|needed|liked|loved|expected|hoped|used|lived|believed|realised|realized|agreed"
    r"|decided|purchased|missed|trusted|worked|planned|preferred|injured|burned|wasted|stopped|failed|started|assumed"
    r"|mentioned|landed|arrived|travelled|traveled|retired|moved|married|figured|learned|wondered|promised|counted"
    r"|shared|returned|tired|need|feed"
    r"|speed|indeed)(?![a-z])"
)
_GAP = r"(?:(?!不|没|就|都|后|错|坏|会|能)[^,.;!?、\n])"
_DONE = re.compile(
    rf"(?:{_DEED}){_GAP}{{0,8}}?(?:过(?![去来])|了(?!吗|没|就|再|才|一直|也不)|完|好几)"
    rf"|(?:已经?|早就?|刚|都|也|全|又){_GAP}{{0,6}}(?:{_DEED})(?:过|了|好)(?=$|[,.;!?、\s还也都])"
    r"|(?:看|用)(?:了)?过|(?<![a-z])(?!app|wifi|ok|vip)[a-z]{3,}(?:了(?!吗|没|就)|过)"
    rf"|(?:{_DEED}){_GAP}{{0,8}}(?:就(?:好|行|可以|上)|没反应|没用|不行|无效|还是|也[不没是连]|都没|照样|同样|依旧|仍"
    rf"|失败|一样|不管用|没[效变区好])"
    r"|(?<![断掉坏死黑卡响闪漏败说生动跳错闹震慢热灭])了(?:[0-9一二两三四五六七八九十几好多n]+)(?:几)?[遍次回趟](?!日)|(?:试|做|弄|换|查|找|问|翻|跑)遍"
    r"|通[过了]?(?:个|次)?电话|(?:戴|穿)[^,.;!?、\n]{1,8}(?:也|都)(?:一样|不|没|测不)|(?:已经?|就|都|本来就"
    r"|早就)是最新|权限[^,.;!?、\n]{0,4}(?:给|开|允许)了"
    r"|[a-z]{3,}[^,.;!?、\na-z]{0,2}[0-9一二两三四五六七八九十几]+[次遍回]|[都全](?:on|off|enable|allow|grant)[a-z]*了"
    r"|^(?:re-?[a-z]+|delet|updat|chang|swapp|clean|switch|turn|unplugg)[a-z]*ing(?![a-z]).*(?:doesn't|didn't"
    r"|does not|did not|did nothing|changed nothing|no (?:help|use|difference)|makes no)"
    r"|(?<![a-z])(?:been|was) on the phone (?:with|to)(?![a-z])"
    r"|怎么[^,.;!?、\n]{1,4}(?:都|也)(?:[不没]|打不|连不)|也(?:没用|不管用|无效)"
    r"|(?<![机屏坏死黑断灭])(?<=[\u4e00-\u9fff])了(?:也|都|还是)?(?:没用|不行|没反应|无效|不管用)"
    r"|[0-9一二两三四五六七八九十百几][次遍下](?:也|都|还是)?(?:没|不)"
    r"|(?<![a-z])i (?:press|restart|reset|try|change|charge|clean|reboot|reinstall|check)(?![a-z])[a-z ]* (?:but"
    r"|still)(?![a-z])"
    r"|再试[^,.;!?、\n]{0,2}(?:还|也|又|依然)|(?:按|点|插|试|充|擦|拔|重启|换|戴)了没(?:光|电|动|反|亮|声|网|信|变|用"
    r"|效)"
    r"|(?<![a-z])(?:still|nothing|same|no)(?![a-z]).* after (?:a |the |my )?(?:re-?[a-z]+|updat|chang|swapp|clean"
    r"|charg|delet)[a-z]*(?![a-z])"
    r"|照[做办](?:了|过)?|(?:跟|和|给|向)[^,.;!?、\n]{0,6}(?:客服|你们|快递|商家|店|物业|师傅|售后"
    r"|平台)[^,.;!?、\n]{0,8}(?:说|讲|聊|写|发)[过了]"
    r"|(?:别的|其[他它]|另[一外]|旧|朋友|老[公婆]|媳妇|同事|邻居|家里)[^,.;!?、\n]{0,6}(?:手机|设备|电脑|平板|账号"
    r"|插座|网|线|wifi|热点|灯|表|手环|房间|地方)[^,.;!?、\n]{0,8}(?:正常|没事|没问题|可以|能|也|都|就)"
    r"|(?<![a-z])(?:second|third|fourth|fifth|sixth|[0-9]+(?:th|rd|nd)) (?:time i|call|e?mail|chat|message"
    r"|attempt)(?![a-z])"
    r"|(?<![a-z])(?:my|his|her|another|other|different|old) (?:[a-z]+(?:'s)? )?(?:phone|laptop|tablet|charger|socket"
    r"|outlet|cable|device|account)"
    r" (?:works?|does|is|has|connects?|also|gets|too|same|sees)(?![a-z])"
    rf"|(?<![a-z])(?:i|we)(?:'ve| have| had| even| just| also| already| then| again"
    rf"| twice)* (?!{_NO_DEED})[a-z]{{2,}}ed(?![a-z])"
    r"|(?:银行|快递员?|商家|店家|物业|师傅|医生|检测|质检|邮局|驿站|电信|移动|联通)(?:那边)?(?:说|让|回)"
    r"|(?:邻居|物业|门卫|保安|前台|驿站|家人|家里人|室友)[^,.;!?、\n]{0,4}(?:说|没(?:收|拿|见|看|签))"
    r"|(?<![a-z])(?:neighbou?rs?|concierge|front desk|doorman|landlord|support|customer service|technician) (?:says?"
    r"|said|told|has(?:n't)?|have(?:n't)?|knows?)(?![a-z])"
    r"|(?<![a-z])(?:courier|bank|shop|store|seller|carrier|driver|post office|provider) (?:says|said|told|refused)"
    r"|(?:按|照)(?:着)?(?:你们?|您|说明书?|客服|步骤)[^,.;!?、\n]{0,12}(?:做|弄|操作|来|试|充|重启|换|装|绑|连|按|擦"
    r"|重置)"
    r"|第 ?[一二两三四五六七八九十几n0-9]+ ?[次回遍](?:来|去)?(?:找|联系|打|问|报|投诉|反馈|修|寄|contact|call|chat)"
    r"|(?:你们|上次|之前|刚)(?:给我)?(?:换|修|寄)(?:给我|过来|来|回来|好)?的[^,.;!?、\n]{0,4}(?:也|又|还|照样)"
    r"|你们(?:换|修)(?:给我|过来|回来)的"
    r"|(?<![说让叫要再该先])寄(?:回|去|到)[^,.;!?、\n]{0,4}(?:修|检|换)|自己[^,.;!?、\n]{0,4}(?:花钱)?买了"
    rf"|再(?:{_DEED})[^,.;!?、\n]{{0,6}}[一两三几][遍次下回] ?(?:又|还|也|没|依然|照样)"
    r"|(?:还是|一直|才|也|又|已经)(?:打|联系|问|找)不[通到上]"
    r"|(?<!给)我(?:[^,.;!?、\n能要想不让给盼]){0,4}打[^,.;!?、\n]{0,4}电话|电话[^,.;!?、\n]{0,3}(?:打不通|没人接|占线)"
    rf"|(?:(?<![a-z])(?:ive|i|we|he|she|my (?:wife|husband|son|daughter|mum|mom|dad|brother|sister|neighbou?r|friend"
    rf"|colleague)|the (?:technician"
    rf"|electrician|repairman)|already|and|also"
    rf"|have|'ve|even|just|then|both|twice|but|so|first|again)"
    rf"(?:'ve| have| had| even| just| also| already| both| then| again| twice| now| actually| obviously| manually"
    rf"| once| finally| only| of course)* |^|[.,;:] ?)(?:{_PAST})(?![a-z])"
    r"|(?<![a-z])did (?:that|it|all|both|so)(?![a-z])"
)
_NOT_DONE = re.compile(
    r"(?:没有?|不|别|未|不要|不想|没法|怎么|如何|要不要|能不能|可以|要|想|会|准备|打算|如果|要是|万一|再|帮我"
    r"|给我|求|请|等我|谁|被我|(?<!我)自己|自动|突然|无缘无故)[^,.;!?、\s（(]{0,4}$"
    r"|(?<![a-z])(?:not|no|never|n't|if|will|should|can|could|would|to|going|want|how)[a-z' ]{0,10}$"
)
_AS_BOUGHT = re.compile(
    r"(?:收货|到货|买|拿到|收到)(?:了|来|回来)?(?:以?后|之后)?[^,.;!?\n]{0,20}(?:装|连|配|绑|加|设)(?:上"
    r"|好)?了|(?:后来|然后)换"
)
# A question about a step is none that was done, unless it tells what came of it.
_ASKS_HOW = re.compile(
    r"^(?!.*(?:没用|不行|还是|也[不没]|都[不没]|失败|没反应|[次遍]))(?:.*(?:怎么|要不要|能不能|可不可以|如何|会不会"
    r"|要重新|需要重)|.*[吗么]$)"
    r"|^reset(?![a-z ]*(?:twice|times|already|again))"
)
_NO_ATTEMPT = re.compile(
    r"^(?:更新|升级)(?:完|了|好)[^,.;!?、\n]{0,4}(?:停|变|断|掉|才|少)|^[换改开搬][了过][^,.;!?、\n]{1,8}?(?:就"
    r"|后)(?:掉|断|连不|不|没|慢|速)"
    r"|^.{0,8}完再|^[^,.;!?、\n]{0,2}(?:更新|升级|刷)(?:完|了|好|过)*[^,.;!?、\n]{0,4}(?:以后|之后|后)?就(?:没|这|变"
    r"|不|黑|死|卡"
    r"|坏|连)|(.)来\1去"
)
# A deed told without "done" ("充满电重启, 没用"): what came of it says that it was.
_OUTCOME = re.compile(
    r"^(?:但是?|可是?|结果|然后)*(?:也|还是|都|依然|仍然?|照样|全都?)*(?:没用|不行|没反应|没效果|无效|失败|不管用"
    r"|没好|没变化|没区别|一样|老样子|白搭|又[坏断黑卡]"
    r"|还是|依然|照样|就好了|倒是)"
    r"|^(?:but |and )?(?:no (?:luck|change|difference|effect|help)|nothing|same|still|didn't help|did not help"
    r"|didn't work"
    r"|failed)(?![a-z])"
)
_BARE_DEED = re.compile(
    rf"^(?:我|先|又|再|也|然后|后来|先是"
    rf"|把)?[^不没别要会能,.;!?、\n]{{0,12}}(?:{_DEED})(?![吗呢么])"
)
_BARE_DEED_EN = re.compile(
    r"^(?:and |then |also )?(?:re-?(?:start|boot|set|pair|install|connect|charg|plac|add|load|fresh)|updat|upgrad"
    r"|chang|swap"
    r"|clean|charg|clear|turn|switch|unplug|factory|hard|mov|delet|remov|try|us|forget|toggl|check|clos|open)[a-z]*"
)
_ALL_OF_IT = re.compile(r"[都全](?:试|做|弄|搞|来)(?:过|了)|(?<![a-z])(?:all|both|none of)(?![a-z])")
_OF_OTHERS = re.compile(
    r"^(?:你们?|您|他们?|她|我[家爸妈]|公司|上次(?:你|他|客服|小|那)|客服|快递员?|商家|店家|机器人|it |the (?:courier"
    r"|bot|agent"
    r"|shop)|you |they )"
)
_MINE = re.compile(r"我|(?<![a-z])(?:i|me|my|we|us)(?![a-z])")
_STEP = re.compile(
    r"请(?!问|稍|放心|勿|见谅|谅解|注意|别|不要|保持|先别)(?![小老他她给拍])(?![^,。]{0,10}(?:同事|主管|专员|研发"
    r"|仓库|财务|售后|工程师|师傅|快递|网络组|人工))|试试|试一下"
    r"|试一次|先(?:把|按|长按|打开|关|重启|换|检查)"
    r"|(?:试|换|重启|重装|装|查|看|检查|更新|升级|连|配|充|擦|问|绑|清|拔)过[^。]{0,12}[吗没?？]|(?:开着|打开|关掉?"
    r"|关了"
    r"|锁|充满|插好)[^。,]{0,6}[吗没?？]|(?:是否|是不是"
    r"|有没有)[^。,]{0,8}(?:开|关|勾选|锁|允许|充|插|连|换|试)|(?:分钟|小时)[^。,]{0,4}生效"
    r"|(?:^|[,，。])麻烦您?(?!稍|等|提供|告诉|把订|发|说|报|了)|您(?:可以|再)?试着|建议您?|(?:别的|其[他它]|另一"
    r"|换[一个])[^。,]{0,8}[吗呢?？]"
    r"|(?:^|[,，:：])您?(?:先|再|就)?(?:长按|按住|打开|关掉|关闭|关一下|拔掉|插上|换[一个根]|重启|重新|退出|卸载|删掉"
    r"|进入|点[一开“]"
    r"|把[^,，转]{1,10}(?:[到放在出进上掉开关]|一下))(?![^。]{0,12}(?:同事|了[。,，]))|(?:方便|能否"
    r"|可以)[^。,，]{0,6}(?:看|检查|试|换|按|问|关|开|重启)(?![^。]{0,8}给)[^。]*[吗?？]"
    r"|(?<![a-z])(?:let's|you (?:can|could|might)(?: also| now)?|i'd suggest|i suggest|(?:may|might) help to"
    r"|would you mind|how about)"
    r" (?!see|know|have|expect|return|refuse|send|keep|choose|get|be )[a-z]+(?![a-z])"
    r"|(?<![a-z])does it [a-z ]+ (?:with|on) (?:another|a different|other)(?![a-z])"
    r"|(?<![a-z])(?:have|did) you (?:already |ever |also )?(?!get|got|receive|buy|bought|order|see|seen|hear|heard"
    r"|notice"
    r"|have|had|purchase)[a-z]+[^.]*[?]|(?<![a-z])(?:is|are) [a-z' ]{2,30} (?:on|off|in|enabled|open|connected"
    r"|charged)(?![a-z])[^.]*[?]"
    r"|(?<![a-z])(?:please|(?:could|can|would|will) you(?: please)?) (?:also |then |now |just |first |once )?"
    r"(?!tell|send|give|share|note|wait|hold on|bear|let|confirm|provide|describe|accept|say|call me|contact|e?mail"
    r"|write"
    r"|read|don't|do not|forgive|excuse|allow me|be |take (?:care|your|all))[a-z]+"
    r"|(?:^|[,:;] ?|then |first |now |also |and )(?:try|move|turn|hold"
    r"|press|restart|reset|unplug|plug|charge|remove|delete|forget"
    r"|re-?pair|pair|connect|close|update|install|reinstall|clean|wipe|switch|log|sign|clear|stand"
    r"|wear|leave|take(?! (?:all|your|care))|use|open|set|put|look|go|swap|change|allow|keep(?! (?:me|in|us))|check"
    r"|enable|disable"
    r"|scan|place|tap|pull|add)(?![a-z])"
)
# A question about how a trial goes, whatever word it asks with.
_ASKS_OUTCOME = re.compile(
    r"(?:按|插|拔|换|重启|打开|关掉|充)[^。?？]{0,14}(?:怎么样|有反应|亮不亮)[^。?？]*[?？]|(?:也|还)是?(?:这样|一样"
    r"|不行|不亮|连不上)[吗么]?[?？]"
    r"|(试|换|查|问|充|装|重启)没\1|有没有(?:试|换|重启|充|查|问|擦|装|拔|更新|联系)|(?:好|行|恢复|解决|变化"
    r"|正常)(?:些|点)?了?[吗没][?？]"
    r"|(?<![a-z])what (?:happens|do you see|does it (?:say|show|do)) (?:if|when|after|once)(?![a-z])"
    r"|(?<![a-z])(?:did (?:it|that) (?:help|work)|any (?:change|luck|better|difference)"
    r"|does (?:it|that|the same) (?:help|work|happen|change)|(?:the )?same (?:with|on|in))(?![a-z])[^.]*[?]"
)
# A sum of what was done already, which a customer confirms or corrects.
_SUMMED_UP = re.compile(
    r"您[^,。?？]{0,8}(?:试|做|重启|换|装|充|擦|绑)过(?!的)[^?？]*$|(?<![a-z])you(?:'ve"
    r"| have)? (?:already )?tried[^?]*$"
)
_CONFIRMS = re.compile(
    r"^(?:对|是的?|嗯|没错|都?试过|都?做过|(?:yes|yep|yeah|yup|right|correct|exactly|i did|all of)(?![a-z]))"
)
_ASKS = re.compile(
    r"请(?:您|再)?(?:提供|告诉|告知|发|说|描述|报|回复|留|补充|给我|把[^,。]{1,12}(?:发|报|告诉|给我))"
    r"|(?:哪|如何|多少|什么|几)[^。]*[?？]\s*$|(?<![a-z])(?:tell|send|give"
    r"|share) (?:me|us)|(?<![a-z])(?:what|which|where|how|who|or)(?![a-z])[^.]*[?]"
)
# A reply that speaks of something else than how the step went, by its first clause.
_ELSE = re.compile(
    r"凭什么|为什么|算了|人工|^你们|你们(?:这|怎么|到底|是|能|什么|就)|投诉|lm[0-9]"
    r"|尾号|^\W*[0-9]{4,}\W*$|^[0-9.\s]+$"
    r"|退[货款钱]|我要|赔|^在吗|[?？]\s*$|吗$|^(?:怎么|哪|啥|什么|在吗|喂)"
    r"|^(?:so |and |but )?(?:why|what|where|how|which|you|are you|can you|could you|do you)(?![a-z])"
    r"|(?<![a-z])(?:i(?:'m| am) (?:not|done|tired|sick|at work|leaving|out|away)|i want|i need|money|refund|human"
    r"|person)(?![a-z])"
)
# A refusal or a promise to do it later, anywhere in the reply.
_UNDONE = re.compile(
    r"没(?:有)?(?:试|装|用|买|碰|动|开|关|换|重启|重装|连|绑|点|调|设|拔|拆|充|擦|更新|升级)过|(?:还没|没来得及"
    r"|没顾上)(?:试|弄|做|有空|换|重)|没法(?:试|弄|按|做|看)|没时间|没空|没那个|没这个设备"
    r"|不想|不会(?:弄|用|操作|按|调|看|$)|不敢|不要|懒得|以后再|回家|下班|等会|晚点|^那(?:可|肯定)?不行|才来"
    r"|不在[我身家]|在外面"
    r"|(?<![a-z])(?:^later|(?:do|try) (?:it|that|this)? ?later|tonight|haven't|don't have|i won't)(?![a-z])"
)
_NOT_YET = re.compile(
    r"^(?:好的?|行|嗯|收到|知道了?|明白)?[,，\s]*(?:我|那我)?(?:马上|这就|先|去|来|等会儿?|再)*试试(?:看)?吧?$"
    r"|^(?:好的?|收到|知道了?|明白了?|谢谢您?|辛苦了?|麻烦了?)[吧啊呢,，.!\s]*(?:谢谢您?)?[,.!\s]*$"
    r"|(?<![a-z])(?:i will|(?:ok|yes|sure|and),? will|i'll|let me|gonna|going to|will (?:try|do))(?![a-z])"
    r"|^(?:ok(?:ay)?|sure|fine|alright|thanks?|thank you|got it|will do)[.,!\s]*(?:thanks?|thank you)?[.,!\s]*$"
)
_NO = re.compile(r"^(?:no|nope|not yet|没有?|没呢)\W*$")


@dataclass(frozen=True)
class Attempt:
    """Something that the customer tried: how to call it, their words, and the message.

    `confirmed` says that others named it and the customer agreed.
    """

    text: str
    quote: str
    seq: int
    confirmed: bool = False


@dataclass(frozen=True)
class _Step:
    """A sentence of the bot or an agent: a step that was asked for, or (`summed_up`) what was done as they know it."""

    text: str
    summed_up: bool = False

    def is_answered_by(self, reply: str) -> bool:
        """Tell whether a reply says how it went, and does not refuse, ask, put off or speak of something else."""
        words = fold(reply)
        if self.summed_up:
            return _CONFIRMS.search(words) is not None
        if not words or self.is_put_off_by(reply) or (self.text[-1] in "?？" and _NO.search(words)):
            return False
        first = next(iter(clauses(words)), words)
        return not (_UNDONE.search(words) or _ELSE.search(words if first == words.rstrip("?") else first))

    def is_put_off_by(self, reply: str) -> bool:
        """Tell whether a reply only takes note, so that how it went may still be told."""
        return _NOT_YET.search(fold(reply)) is not None


def attempts(messages: Iterable[Message]) -> list[Attempt]:
    """Return what the customer says they tried, in order."""
    found: list[Attempt] = []
    heard: set[str] = set()
    step: _Step | None = None
    open_still = is_told = False
    for message in messages:
        if message.sender in {Sender.BOT, Sender.AGENT}:
            step = _step(message.text) or (step if open_still else None)
            open_still, is_told = True, False
        elif message.sender == Sender.CUSTOMER and message.payload is None and message.text.strip():
            told = _reported(message, heard)
            reply = _first_answer(message.text)
            goes_on = not is_told or _OUTCOME.search(fold(reply)) is not None
            if step and goes_on and step.is_answered_by(reply):
                quote = excerpt(message.text[message.text.find(reply) :], LONGEST_QUOTE)
                first = next(iter(clauses(reply)), reply)
                told = [one for one in told if step.summed_up or one.quote not in first]
                told.insert(0, Attempt(step.text, quote, message.seq, step.summed_up))
            found += told
            is_told = is_told or bool(told)
            open_still = step is not None and step.is_put_off_by(reply)
    return found


def _reported(message: Message, heard: set[str]) -> list[Attempt]:
    """Return what the message reports as done; clauses heard before are passed over, and remembered."""
    found: dict[str, Attempt] = {}
    parts = clauses(message.text[:LONGEST_READ])
    lists, place = False, 0
    for said, after in zip_longest(parts, parts[1:], fillvalue=""):
        start = message.text.find(said, place)
        lists, place = lists and _goes_on(message.text[place:start], fold(said)), start + len(said)
        if said in heard or len(found) == MOST_IN_ONE_MESSAGE:
            continue
        heard.add(said)
        words = fold(said)
        lists = lists or _is_done(words)
        if lists or _came_to(words, fold(after)):
            quote = excerpt(message.text, LONGEST_QUOTE, said) if _ALL_OF_IT.search(words) else said
            quote = excerpt(quote, LONGEST_QUOTE)
            found[quote] = Attempt(quote, quote, message.seq)
    return list(found.values())


def _goes_on(between: str, words: str) -> bool:
    """Tell whether a clause goes on with a list of things done: "试过换网线、换信道", "tried resetting, updating"."""
    if "、" in between:
        return re.match(rf"(?:{_DEED}|[a-z])", words) is not None
    return "ing" in words and _BARE_DEED_EN.match(words) is not None


def _came_to(words: str, after: str) -> bool:
    """Tell whether a clause names a deed of the customer's and the next one says what came of it."""
    if not _OUTCOME.search(after) or _OF_OTHERS.match(words):
        return False
    return (_BARE_DEED.search(words) or _BARE_DEED_EN.search(words)) is not None


def _is_done(words: str) -> bool:
    """Tell whether a clause says that the customer has done something about it."""
    if _OF_OTHERS.match(words) and not _MINE.search(words):
        return False
    for match in _DONE.finditer(words):
        before = words[: match.start()]
        if _NO_ATTEMPT.search(words[match.start() :]) or _NOT_DONE.search(before) or _ASKS_HOW.search(words):
            continue
        if not _AS_BOUGHT.search(before + match.group()):
            return True
    return False


def _first_answer(text: str) -> str:
    """Return the first sentence that is no question back; all of it when there is none."""
    sentences = [part.strip() for part in re.split(r"(?<=[。!！?？\n])|(?<=[.])(?=\s)", text) if part.strip()]
    answers = [sentence for sentence in sentences if sentence[-1] not in "?？"]
    return (answers or sentences or [""])[0].rstrip("。!！.")


def _step(text: str) -> _Step | None:
    """Return the sentence in which a step is asked for, else the one that sums up what was done."""
    summed_up = None
    for sentence in re.split(r"(?<=[。!?！？\n])|(?<=[a-z0-9]\.)\s", text):
        words = fold(sentence.strip())
        if _ASKS_OUTCOME.search(words):
            return _Step(excerpt(sentence, LONGEST_QUOTE))
        if _ASKS.search(words):
            continue
        if _STEP.search(words):
            return _Step(excerpt(sentence, LONGEST_QUOTE))
        if summed_up is None and _SUMMED_UP.search(words):
            summed_up = _Step(excerpt(sentence, LONGEST_QUOTE), summed_up=True)
    return summed_up
