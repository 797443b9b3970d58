"""What is asked of an order that was shown a moment ago: why, who says so, can it be undone, where is the money."""

from __future__ import annotations

import re
from typing import Any

from bot.actions import words
from bot.actions.clients.shop import shop
from bot.actions.order_details import read_address
from bot.actions.order_words import SHOWN_LATELY, WITH_COURIER, order_values, was_shown
from bot.actions.said import plain
from bot.actions.turn import Turn

# What was given up or sent back: its money is on the way, and only a person may undo it.
GIVEN_BACK = frozenset({"cancelled", "returning", "refunded"})
# Another matter than the order's, however a message sounds.
ELSEWHERE = frozenset({"firmware_update", "product_advice", "warranty", "request_human", "complain"})
NOT_MINE = re.compile(
    r"不是我(?:自己)?(?:取消|退|申请|点|操作|改)|我没(?:有)?(?:取消|退|申请|点过?取消)"
    r"|(?<![a-z])i (?:didn'?t|never|did not) (?:cancel|return|ask|request)",
    re.IGNORECASE,
)
UNDO = re.compile(
    r"恢复|撤[回销]|反悔|后悔|手滑|点错|误操作|取消错|不想退了|不退了|(?:还|又)?想(?:要|留着?)(?:它|了|回来)?\s*$"
    r"|(?<![a-z])(?:undo|restore|reinstate|un-?cancel|by mistake|changed my mind|keep it after all)(?![a-z])",
    re.IGNORECASE,
)
MONEY_MISSING = re.compile(
    r"(?:没|未)(?:有)?(?:收到|到账|看到|到|见)|里没有|还没退"
    r"|(?<![a-z])(?:not|\w+n'?t|never|no)(?: \w+){0,3}"
    r" (?:received?|arrived?|there|got|see|seen|money|refund|in my (?:account|bank))",
    re.IGNORECASE,
)
FOR_COURIER = re.compile(
    r"驿站|代收|自提|放(?:在|到)?(?:门口|前台|门卫|物业|柜|邻居)"
    r"|(?:晚|推迟|延后|延迟)[^,。到]{0,4}(?:送|派)|改天[再]?送"
    r"|(?:快递员|配送员|小哥).{0,6}(?:电话|号码|联系)|改(?:个)?(?:时间|派送)"
    r"|(?<![a-z])(?:neighbou?r|pick-?up point|leave it|at (?:the|my) door|(?:days?|week) later|another day"
    r"|(?:driver|courier)'?s? (?:number|phone)"
    r"|redeliver\w*|safe place)(?![a-z])",
    re.IGNORECASE,
)
HURRY = re.compile(
    r"催|必须.{0,6}到|快(?:点|些)|赶紧|抓紧|加急"
    r"|(?<![a-z])(?:hurry|speed (?:it|this) up|faster|urge|chase (?:it|them)|expedite)",
    re.IGNORECASE,
)
WHY = re.compile(
    r"为(?:什么|啥|何)|怎么会|怎么(?:还|又|就)|什么原因|(?<![a-z])(?:why|what happened|how come)(?![a-z])",
    re.IGNORECASE,
)
PAYS = re.compile(
    r"(?:我[要想来去]|怎么|咋|如何|哪[里儿]|能|可以|忘[了记]?|马上|现在)[^,。不]{0,4}付(?!过|的)|付款(?:方式|链接|入口|页面)"
    r"|(?<![a-z])(?:(?:how|where|can|could|want|forgot|need|like|still)(?: \w+){0,4} pay|pay (?:for it|now)"
    r"|payment (?:method|link|page))(?![a-z])",
    re.IGNORECASE,
)
GIVES_UP = re.compile(r"取消|[不别]|退|(?<![a-z])(?:cancel\w*|not|\w+n'?t)(?![a-z])", re.IGNORECASE)
TOTAL = re.compile(
    r"(?:一共|总共|总价|合计|花了?|付了?|实付).{0,4}(?:多少|几|钱)|^\W*(?:这单|这个订单|订单)?多少钱\W*$"
    r"|(?<![a-z])(?:how much (?:was|did|is) (?:it|i|that|the order|this)|(?:order )?total)(?![a-z])",
    re.IGNORECASE,
)
OTHER_MONEY = re.compile(
    r"[运邮]费|退|修|换|(?<![a-z])(?:shipping|delivery|refund\w*|repair\w*|fee)(?![a-z])", re.IGNORECASE
)
WHICH_ACCOUNT = re.compile(
    r"退(?:到|去|回)(?:了)?(?:哪|什么|谁)|哪[张个](?:银行)?(?:卡|账[户号])|(?:微信|支付宝|卡)[^,。]{0,3}还是"
    r"|(?<![a-z])(?:(?:which|what) (?:bank )?(?:card|account|bank)"
    r"|where (?:did|does|will|is) (?:it|the (?:money|refund)))(?![a-z])",
    re.IGNORECASE,
)
SURE_OF_DATE = re.compile(
    r"^\W*(?:[那这个的]|时间|日期|预计|到底|一定)*(?:准|靠谱|确定)(?:[吗么嘛]|不准|不)\W*$"
    r"|(?<![a-z])is (?:that|the|this)(?: date| day)? (?:certain|sure|accurate|guaranteed|reliable|right)(?![a-z])",
    re.IGNORECASE,
)
LONGEST_ASIDE = 30
HOW_LONG = re.compile(
    r"多久|多长时间|几天|什么时候|啥时候|何时|(?<![a-z])(?:how long|when|how soon|how many days)", re.IGNORECASE
)


async def answered(turn: Turn, order: dict[str, Any]) -> bool:
    """Answers a message about the order just shown; False when it is about something else."""
    other = turn.entities.get("order_number", order["number"]) != order["number"]
    if other or not was_shown(turn, order):
        return False
    if tells_how_to_pay(turn, order):
        return True
    name = _short_question(turn, order)
    if not name and turn.intent in ELSEWHERE:
        return False
    if order["status"] in GIVEN_BACK and NOT_MINE.search(turn.text):
        turn.hand_over("policy_topic", "orders", priority=2)
        return True
    name = name or _name(turn, order)
    if not name:
        return False
    policies = await shop().policies()
    said = words.words(
        f"utter_orders/{name}",
        turn.language,
        inspection_days=policies["refund"]["days_inspection"],
        refund_days=policies["refund"]["days_original"],
        invoice_hours=policies["invoice"]["hours"],
        **order_values(turn, order),
    )
    if said.text.strip() in (before.strip() for before in turn.said_lately(SHOWN_LATELY)):
        turn.say("utter_answers/not_told_here")
    else:
        turn.send(said, [turn.button("person", "/request_human")])
    return True


def tells_how_to_pay(turn: Turn, order: dict[str, Any]) -> bool:
    """Says how an unpaid order is paid, where that is asked; False where it is not."""
    if order["status"] != "unpaid" or not asks_to_pay(turn.text):
        return False
    turn.say("utter_orders/how_to_pay", buttons=[turn.button("person", "/request_human")], **order_values(turn, order))
    return True


def asks_to_pay(text: str) -> bool:
    """Does the customer want to pay for an order, and not to give it up?"""
    return bool(PAYS.search(text)) and not GIVES_UP.search(text)


def _short_question(turn: Turn, order: dict[str, Any]) -> str | None:
    """The answer's name for a question so short that only the order just shown tells what it is about."""
    text = plain(turn.text)
    if len(text) > LONGEST_ASIDE or {"device_model", "product"} & set(turn.entities):
        return None
    if TOTAL.search(text) and not OTHER_MONEY.search(text):
        return "total"
    if order.get("refund") and WHICH_ACCOUNT.search(text):
        return "which_account"
    return "expected" if order.get("expected_date") and SURE_OF_DATE.search(text) else None


def _name(turn: Turn, order: dict[str, Any]) -> str | None:
    """The answer's name; None when the message asks for none of them."""
    text, status = turn.text, order["status"]
    if status in GIVEN_BACK and order.get("refund") and MONEY_MISSING.search(text):
        return "money_missing"
    if status in GIVEN_BACK and UNDO.search(text):
        return "undo"
    if status in WITH_COURIER and turn.slot("order_task") == "address" and read_address(text).get("address"):
        return "new_address"
    if status in WITH_COURIER:
        for pattern, name in ((FOR_COURIER, "with_courier"), (HURRY, "hurry"), (WHY, "why")):
            if pattern.search(text):
                return name
    if HOW_LONG.search(text) and turn.said_last:
        return _how_long(order, turn.said_last)
    return None


def _how_long(order: dict[str, Any], said_last: list[str]) -> str | None:
    """How long what was just done takes; None when nothing was."""
    said = " ".join(said_last)
    if (order.get("invoice") or {}).get("status") == "requested" and re.search("发票|invoice", said):
        return "how_long_invoice"
    if order["status"] == "returning":
        return "how_long_exchange" if re.search("换货|新的|exchange", said) else "how_long_return"
    return None
