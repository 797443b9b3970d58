"""What a customer's own words tell of a change to an order: a new address, an invoice's title, a return's reason."""

from __future__ import annotations

import re

from bot.actions.said import ends_as_question, is_no_value, is_question, plain

Details = dict[str, str]

ORDER_NUMBER = re.compile(r"LM[\s-]*(?:\d[\s-]*){9}\d", re.IGNORECASE)
MOBILE = re.compile(r"(?<!\d)(?:\+?86[\s-]?)?(1[3-9]\d)[\s-]?(\d{4})[\s-]?(\d{4})(?!\d)")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)
ADDRESS_PARTS = ("recipient", "phone", "address")
_TAX_NUMBER = re.compile(r"(?<![0-9A-Za-z])(?=[0-9A-Za-z]*\d)[0-9A-Za-z]{15,20}(?![0-9A-Za-z])")
_NO_TAX_NUMBER = re.compile(
    r"(?:没有?|无|不用|不填|不需要|不知道)(?:写|填)?税号|税号(?:没有|不用|不填|不知道)"
    r"|(?<![a-z])(?:no|without|don'?t have|haven'?t got)(?: an?| any| the| my)? tax",
    re.IGNORECASE,
)
_LABELS = re.compile(
    r"(?:新的?|收货|详细)?(?:收货人|收件人|姓名|电话(?:号码)?|手机号?码?|联系方式|地址|发票抬头|抬头|税号|公司名称|邮箱)"
    r"(?:是|为)?|改成|改到|改为|换成|寄到|送到"
    r"|(?<![a-z])(?:new|name|phone|mobile|address|title|tax (?:number|id)|e-?mail|attention|attn|recipient)(?=\s*:)"
    r"|(?<![a-z])(?:phone|mobile|tel)(?: number)?\s*(?=\x1f|,\x1f|$)",
    re.IGNORECASE,
)
_TITLE_LABELS = re.compile(
    r"发票抬头|抬头|税号|公司名称|邮箱|(?<![a-z])(?:my )?(?:title|tax (?:number|id)|vat (?:number|id)|e?-?mail"
    r"|company name)"
    r"(?: is)?(?![a-z])",
    re.IGNORECASE,
)
_STATED_DIGITS = re.compile(
    r"(?:尾号|后四位|手机后?|(?:phone|mobile|last four|last 4|ending|ends)(?: (?:number|digits|in|with|ends?|is))*)"
    r"[\s:是为]*\d{4}(?!\d)",
    re.IGNORECASE,
)
_NUMBER_AND_PROOF = re.compile(ORDER_NUMBER.pattern + r"(?:[\s,(]*\d{4}(?!\d)[\s)]*:?)?", re.IGNORECASE)
_SHORTEST_ADDRESS = 6
_STRAY = " ,.:;。!"
_BEFORE_ADDRESS = re.compile(r"^[就请是在到寄送给]+(?=[\u4e00-\u9fff]{2})")
_PHONE_MARK = "\x1f"
_PLACE = re.compile(
    r"[省市区县镇乡村路街道号弄栋幢座楼层室]|单元"
    r"|(?<![a-z])(?:road|street|avenue|lane|building|room|floor|flat|district|city|province|no|rd|st|ave|suite|unit)(?![a-z])",
    re.IGNORECASE,
)
_PLACE_NAME = re.compile(r"[省市区县].*[路街道镇村]|\d")
# What stands before the new value in speech ("哦写错了，应该是…", "顺便把…") and is no part of it.
_BEFORE_VALUE = re.compile(
    r"^(?:[^\d]*?(?:错了?|不对))?(?:[啊哦噢哎呃嗯]|顺便|另外|还有|然后|麻烦|应该|其实|帮我|给我|[是就也还再把将请]"
    r"|(?:oh|sorry|actually|wait|no|typo|my (?:bad|mistake)|it'?s|it is|(?:it )?should be|i mean|also)(?![a-z.])"
    r"[\s,]*)*",
    re.IGNORECASE,
)
_NAME_LABEL_ZH = re.compile(
    r"(?:收货人|收件人|姓名|名字)(?:改成|改为|换成|(?:写|打|填|弄|搞)?错了?|应该|其实|写|是|为|叫|也|都|就|:|,|\s)*"
    r"(?:我?(?:老婆|老公|爸爸?|妈妈?|朋友|同事|爱人|妻子|丈夫|儿子|女儿|[妹弟姐哥]+)(?:的|\s)*)?"
    r"([\u4e00-\u9fff·]{2,4}?)(?=$|[\s,;。、]|电话|手机|地址)"
)
_NAME_LABEL_EN = re.compile(
    r"(?i:(?<![a-z])(?:attention|attn|recipient(?:'s name)?|name|c/o)\.?(?:\s+(?:is|to|of|changed to|should be))*)"
    r"\s*:?\s*([A-Z][\w'’-]*(?:\s[A-Z][\w'’-]*){0,3})"
)
_NO_NAME = re.compile(
    r"(?<![a-z])(?:i|my|me|you|it|the|a|an|is|are|and|can|to|for|same|new|change|number|address|phone|name|please"
    r"|thanks?|send|moved|old|order|yes|no|ok|company|personal)(?![a-z])|[我你您的了吗吧改寄送换是错]|不变|不对|应该|地址|电话|谢|订单|公司",
    re.IGNORECASE,
)
_UNCHANGED = re.compile(
    r"[^\s,;。]*(?:不变|照旧|不用改)|[^,;]*(?<![a-z])(?:unchanged|the same|stays?)(?![a-z])[^,;]*", re.IGNORECASE
)
_LEAD_IN = re.compile(
    r"^(?=[^\d]*(?<![a-z])(?:send|ship|deliver|move|moved|change|my|new|it)(?![a-z]))[^\d]*(?<![a-z])(?:to|at|is)(?![a-z])\s*:?\s*",
    re.I,
)
_SWAP = re.compile(
    r"(?P<old>[\w-]+?)\s*(?:改成|改为|换成|->|→)\s*(?P<new>[\w-]+)"
    r"|(?P<new2>[\w-]+),?\s*(?:而?不是|not|instead of)\s*(?P<old2>[\w-]+)"
    r"|(?:不是|not)\s*(?P<old3>[\w-]+?)\s*,?\s*(?:而?是|应该是|but|it'?s|,)\s*(?P<new3>[\w-]+)",
    re.IGNORECASE,
)
_COMPANY_WORDS = frozenset(
    ["公司", "公司的", "单位", "单位的", "企业", "企业的", "公司抬头", "开公司", "开公司的", "company", "business"]
)
_COMPANY_KIND = re.compile(
    r"公司抬头|(?:写|开|是|用|填|按|要)(?:的)?(?:公司|单位|企业)|^\W*(?:公司|单位|企业)的?\W*$"
    r"|^\W*(?:a |the |my |for (?:a |my |the )?)?(?:company|business)\W*$|(?<![a-z])(?:company invoice"
    r"|(?:for|to) (?:a|my|our|the) (?:company|business))(?![a-z])",
    re.IGNORECASE,
)
_PERSONAL_KIND = re.compile(
    r"个人|私人|(?<![a-z])(?:personal|private|individual|(?:for|to) (?:me|myself)|my own name)(?![a-z])", re.IGNORECASE
)
_COMPANY = re.compile(
    r"[\u4e00-\u9fffA-Za-z0-9()·&]{2,40}(?:公司|集团|事务所|工作室|研究[院所]|合作社|商行|经营部|中心|大学|学院|中学|小学|医院|厂)"
    r"|[A-Z][\w&.'-]*(?:\s(?:&|and|of|[A-Z][\w&.'-]*))*\s(?:Ltd|Limited|Inc|LLC|LLP|GmbH|Corp|Corporation|Company|Co|PLC|Group)"
    r"(?![a-z])\.?(?:,?\sLtd\.?)?"
)
_BEFORE_COMPANY = re.compile(
    r"^(?:请|麻烦|帮我?|给|我们?|要|把|发票|抬头|公司名称|名称|开|写|填|成|是|为|改|换|用|叫)+(?=..)"
)
_TITLE_TOLD = re.compile(
    r"(?:抬头|公司名称?|单位名称|开给)(?:都|全|统一|是|为|写|填|叫|改成|改为|换成|用|:|\s)*(?P<zh>[^\s,;、。]{2,60})"
    r"|(?<![a-z])(?:in the name of|company name|made? (?:it )?out to|title|name(?= (?:is|to|should))"
    r"|bill(?:ed)? (?:it )?to|addressed to)"
    r"(?:\s+(?:is|to|should be|as|of))*\s*:?\s*(?P<en>[^,;\n]{2,60}?)(?=[,;\n]|$|\.\s|\.?$|\s(?:and"
    r"|with|tax|vat|e-?mail|please)(?![a-z]))",
    re.IGNORECASE,
)
_SAME_AS_BEFORE = re.compile(
    r"上次|之前|以前|老样子|一样|照旧|(?<![a-z])(?:same|as (?:last|before)|previous|usual)", re.IGNORECASE
)
_NOT_AS_TITLE = re.compile(r"^(?:开|写|填|打)?错|^要?(?:写|开)(?:成)?(?:公司|个人)|^(?:但|不过|可是)|重开|重新开")
_NO_TITLE = re.compile(
    r"[我你您]|发票|开票|[了吧呗呀啊哦嗯的]$|(?<![a-z])(?:i|i'm|you|it|please|my|me|want|need|invoice|sec|moment|yes|no|ok)(?![a-z])",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"买错|拍错|下错|不想要|不要了|不喜欢|不合适|不适合|降价|便宜|色差|颜色|图片|描述|尺寸|大小|太[大小重轻吵暗亮慢丑难贵]|坏|裂|划痕|刮|瑕疵"
    r"|质量|不好用|没用|用不[上到了着]|重复|多买|买多|不能用|故障|发错|少发|破|碎|变形|漏|后悔|不习惯|不满意|不舒服|失灵|开不了机|坏点"
    r"|(?<![a-z])(?:changed? (?:my|our) mind|don'?t (?:want|need|like)|do not (?:want|need|like)|no longer|too \w+"
    r"|wrong|mistake|broke[n]?|crack\w*|scratch\w*|defect\w*|fault\w*|dead|doesn'?t|does not|didn'?t"
    r"|not (?:working|as|what)"
    r"|price|cheaper|colou?r|different|twice|duplicate|never worked|quality|uncomfortable|smash\w*|dent\w*|damag\w*"
    r"|stopped|torn|flicker\w*|regret|unwanted)(?![a-z])",
    re.IGNORECASE,
)
_TROUBLE = re.compile(
    r"坏|裂|划痕|刮|瑕疵|质量|故障|发错|破|碎|变形|失灵|开不了机|坏点|色差|买错|拍错|降价|便宜了|不合适|不喜欢"
    r"|不舒服|不习惯|不好用|不满意|用不[上到着]|买多|多买|后悔|太[大小重轻吵暗亮慢丑难贵硬软紧松长短厚薄]"
    r"|(?<![a-z])(?:broke[n]?|crack\w*|scratch\w*|defect\w*|fault\w*|dead|doesn'?t (?:work|fit|turn)|not working"
    r"|smash\w*|dent\w*|damag\w*|torn|too (?:big|small|heavy|loud)|by mistake|changed my mind"
    r"|don'?t like|cheaper|price drop\w*)(?![a-z])",
    re.IGNORECASE,
)
_WISH_BEFORE = re.compile(r"^(?:(?:我|想|要|申请|订单|的|这个|把)*(?:退货|换货|退掉|换新)\s*)+")
_CLAUSES = re.compile(r"[,。;!?\n]|\.\s")
LONGEST_REASON = 200
_UNITS = "号楼|号院|号|弄|栋|幢|座|单元|室|楼|层"
_HOUSE = r"(?:\d+[A-Za-z]?|(?<![A-Za-z])[A-Za-z]\d{0,2})"
_IN_BUILDING = re.compile(rf"(?:{_HOUSE}\s*(?:{_UNITS})\s*)*{_HOUSE}\s*(?:{_UNITS})(?:\s*\d+)?")
_ONE_UNIT = re.compile(rf"{_HOUSE}\s*({_UNITS})")
_ROOM = re.compile(r"\d+[A-Za-z]?(?=室?$)")
_ANY_NUMBER = re.compile(r"(?<![\dA-Za-z])\d+[A-Za-z]?(?![\dA-Za-z])")
_STREET = re.compile(r"(?:是|叫|改成|改为|换成)([\u4e00-\u9fff]{1,5}(?:路|街|大道|巷|胡同))")
_OLD_STREET = re.compile(r"(?<=[区市县镇])(?:(?![区市县镇])[\u4e00-\u9fff]){1,6}?(?:路|街|大道|巷|胡同)")
_STREET_EN = re.compile(
    r"(?<!\w)\d+[a-z]? (?:[A-Z][\w'-]* ){1,3}(?:Road|Street|Avenue|Lane|Rd|St|Ave)(?![a-z])", re.IGNORECASE
)
_NUMBER_EN = re.compile(
    r"(?P<kind>flat|room|unit|apt|apartment|suite|floor)?(?:\s|number|no\.?|#|it|to|is|be|should|actually|make)*"
    r"(?<![\w])(?P<number>\d+[a-z]?)(?!\w)",
    re.IGNORECASE,
)
_NOT_THIS = re.compile(r"(?:而)?不是[^,。;]*|(?<![a-z])(?:not|instead of) [^,.;]*", re.IGNORECASE)
_LEFT_OUT = re.compile(
    r"少写|漏|补充|后面|加上|还有|忘了?写|(?<![a-z])(?:add|plus|forgot|missing|left out|also)(?![a-z])", re.IGNORECASE
)
_OTHER_PART = re.compile(
    r"地址|小区|大厦|门牌|楼|栋|单元|路|街|[区市省县]|号|电话|手机|抬头|税"
    r"|(?<![a-z])(?:address|street|road|house|flat|room|city|number|phone|mobile|title|tax)(?![a-z])",
    re.IGNORECASE,
)
_CORRECTS = re.compile(
    r"(?:写|打|填|弄|搞|输)错|错了|不对|应该是|反了|(?<![a-z])(?:actually|wrong|typo|mistake|mistyped|should be|make it"
    r"|misspel\w+|incorrect)(?![a-z])",
    re.IGNORECASE,
)


def of_task(text: str, task: str) -> Details:
    """What a message that asks for `task` tells of it at once; a message that only asks tells nothing."""
    if task == "invoice":
        return read_invoice(text)
    if task == "address":
        return read_address(text)
    reason = told_reason(text) if task in ("return", "exchange", "refund") else None
    return {"reason": reason} if reason else {}


def read_address(text: str, asked: bool = False) -> Details:
    """Recipient, phone and address out of free text, in either language; only what is there.

    `asked`: the message answers the question for them, so that a name standing alone is the recipient's.
    """
    text = _UNCHANGED.sub(" ", _STATED_DIGITS.sub(" ", plain(text)))
    phone = MOBILE.search(text)
    named = _NAME_LABEL_ZH.search(text) or _NAME_LABEL_EN.search(text)
    rest = text[: named.start()] + "," + text[named.end() :] if named else text
    pieces = _address_pieces(_short_swap_left_out(rest))
    alone = asked and not is_no_value(text)
    recipient = named.group(1) if named else _recipient(pieces) if alone or phone else None
    address = _address([piece for piece in pieces if piece != recipient])
    found = {"recipient": recipient, "phone": "".join(phone.groups()) if phone else None, "address": address}
    return {name: part for name, part in found.items() if part}


def _short_swap_left_out(text: str) -> str:
    """ "301 not 302" corrects an address and is none."""
    swap = _SWAP.search(text)
    short = swap and all(re.search(r"^\w{0,2}\d\w{0,4}$", part) for part in swap.groupdict().values() if part)
    return text[: swap.start()] + " " + text[swap.end() :] if swap and short else text


def _address_pieces(text: str) -> list[str]:
    text = _NUMBER_AND_PROOF.sub(",", MOBILE.sub(f",{_PHONE_MARK},", text))
    text = _LABELS.sub(",", text)
    chinese = bool(re.search(r"[\u4e00-\u9fff]", text))
    cut = r"[,;、。\n\s:]+" if chinese else r"[,;\n]+|(?<!\bNo)(?<!\bSt)(?<!\bRd)\.\s+"
    pieces = [_without_talk(piece) for piece in re.split(cut, text)]
    return [piece for piece in pieces if piece and not re.fullmatch(r"\d{4}", piece)]


def _without_talk(piece: str) -> str:
    """A piece without what leads to its value."""
    return _BEFORE_VALUE.sub("", _LEAD_IN.sub("", piece.strip(_STRAY)).strip(_STRAY)).strip(_STRAY)


def _address(pieces: list[str]) -> str | None:
    """The pieces from the first that names a place on, joined; talk before it is no part of an address."""
    pieces = [piece for piece in pieces if piece != _PHONE_MARK]
    first = next((at for at, piece in enumerate(pieces) if _PLACE.search(piece) and _PLACE_NAME.search(piece)), None)
    if first is None:
        return None
    before = [piece for piece in pieces[:first] if _PLACE.search(piece) and not _NO_NAME.search(piece)]
    kept = before + [piece for piece in pieces[first:] if not is_no_value(piece)]
    chinese = bool(re.search(r"[\u4e00-\u9fff]", "".join(kept)))
    address = _BEFORE_ADDRESS.sub("", ("" if chinese else ", ").join(kept))
    return address if len(address) >= _SHORTEST_ADDRESS else None


def _recipient(pieces: list[str]) -> str | None:
    """The name: it stands beside the phone in any language, else last in Chinese and first in English."""
    if _PHONE_MARK in pieces:
        at = pieces.index(_PHONE_MARK)
        likely = [*pieces[max(at - 1, 0) : at], *pieces[at + 1 : at + 2], *pieces[:1], *pieces[-1:]]
    else:
        chinese = any(re.search(r"[\u4e00-\u9fff]", piece) for piece in pieces)
        likely = [*pieces[-1:], *pieces[:1]] if chinese else pieces[:1]
    return next((piece for piece in likely if _looks_like_name(piece)), None)


def _looks_like_name(piece: str) -> bool:
    """Short, without digits, without the words that places are made of and those of talk."""
    if re.search(r"[\d\x1f]", piece) or _PLACE.search(piece) or _NO_NAME.search(piece) or is_no_value(piece):
        return False
    if re.search(r"[\u4e00-\u9fff]", piece):
        return bool(re.fullmatch(r"[\u4e00-\u9fff·]{2,4}", piece))
    return 1 <= len(piece.split()) <= 3


def read_invoice(text: str, asked: bool = False) -> Details:
    """`title`, `tax_number` (`-` when there is none), `email` and `kind` (company, personal); only what is there.

    `asked`: the message answers the question whom the invoice is for, so that bare words are the title.
    """
    text = ORDER_NUMBER.sub(" ", plain(text))
    email, tax = EMAIL.search(text), _TAX_NUMBER.search(EMAIL.sub(" ", text))
    rest = _TAX_NUMBER.sub(" ", EMAIL.sub(" ", text))
    title, kind = _title(rest, asked), _kind(rest)
    found = {
        "title": title,
        "tax_number": tax.group().upper() if tax else "-" if _NO_TAX_NUMBER.search(text) else None,
        "email": email.group().rstrip(".") if email else None,
        "kind": "company" if title and _COMPANY.search(title) else kind,
    }
    return {name: part for name, part in found.items() if part}


def _kind(text: str) -> str | None:
    company, personal = bool(_COMPANY_KIND.search(text)), bool(_PERSONAL_KIND.search(text))
    if company == personal or is_question(text):
        return None
    return "company" if company else "personal"


def _title(text: str, asked: bool) -> str | None:
    if _SAME_AS_BEFORE.search(text):
        return None
    company = None if is_question(text) else _COMPANY.search(text)
    if company and (title := _as_title(_BEFORE_COMPANY.sub("", company.group()))):
        return title
    told = _TITLE_TOLD.search(text)
    if told and (title := _as_title(told.group("zh") or told.group("en"))):
        return title
    told_otherwise = (_COMPANY_KIND, _PERSONAL_KIND, _NO_TAX_NUMBER)
    if not asked or is_no_value(text) or any(pattern.search(text) for pattern in told_otherwise):
        return None
    pieces = [piece.strip() for piece in re.split(r"[,;、\n]", _TITLE_LABELS.sub(" ", text))]
    piece = re.sub(r"\s+", " ", next((piece for piece in pieces if piece.strip(_STRAY)), "")).strip(_STRAY)
    return None if _NO_TITLE.search(piece) else _as_title(piece)


def _as_title(text: str) -> str | None:
    """A title of words that mean one: not "company", nor "personal", nor a question."""
    title = text.strip(_STRAY)
    if _NOT_AS_TITLE.search(title):
        return None
    if len(title) < 2 or title.lower() in _COMPANY_WORDS or _PERSONAL_KIND.fullmatch(title) or is_question(title):
        return None
    return title


def is_reason(text: str) -> bool:
    """Do these words tell why something is sent back?"""
    return bool(_REASON.search(text)) and not ends_as_question(text)


def told_reason(text: str) -> str | None:
    """The clauses of a wish that tell what is wrong; None when it tells nothing."""
    clauses = [clause.strip() for clause in _CLAUSES.split(_STATED_DIGITS.sub(" ", ORDER_NUMBER.sub(" ", plain(text))))]
    telling = [clause for clause in clauses if _TROUBLE.search(clause) and not is_question(clause)]
    told = re.sub(r"\s+", " ", re.sub(r"(?<!\d)\d{4}(?!\d)", " ", ", ".join(telling)))
    return _WISH_BEFORE.sub("", told.strip())[:LONGEST_REASON].strip() or None


def corrects(text: str) -> bool:
    """Does the customer say that something stands there wrongly, or is missing?"""
    text = plain(text)
    return bool(_CORRECTS.search(text) or _LEFT_OUT.search(text)) and not is_question(text)


def address_told(before: Details, text: str, asked: bool = False) -> Details:
    """The parts of a new address that a message tells or corrects, beside those told before; only what changes.

    `asked`: the message answers the question for them, so that a name standing alone is the recipient's.
    """
    found = read_address(text, asked or _corrects_name(text))
    address, told = before.get("address"), found.get("address", "")
    if address and not is_whole_address(told):
        found.pop("address", None)
        part = None if is_question(text) else _continued(address, told) or amended_address(address, text)
        found |= {"address": part} if part else {}
    if not found and not is_question(text):
        found = corrected(before, text) or {}
    return {name: part for name, part in found.items() if before.get(name) != part}


def _corrects_name(text: str) -> bool:
    """Does a message correct something and name no part of an address, so that the name is meant?"""
    return bool(_CORRECTS.search(plain(text))) and not is_question(text) and not _OTHER_PART.search(text)


def _continued(address: str, told: str) -> str | None:
    """An address that had no house yet, with the street and house that follow it."""
    return address + told if told and not re.search(r"\d", address) else None


def amended_address(address: str, text: str) -> str | None:
    """An address with the part that a message corrects or adds ("是15号", "漏了 3楼"); None when it tells no part."""
    said = _NOT_THIS.sub(" ", MOBILE.sub(" ", plain(text)))
    if re.search(r"[\u4e00-\u9fff]", address):
        changed = _amended_chinese(address, said)
    elif street := _STREET_EN.search(said):
        changed = _STREET_EN.sub(street.group(), address, count=1)
    elif number := _NUMBER_EN.search(said):
        kind = number.group("kind")
        old = re.compile(rf"(?<=\b{kind}\s)\w+" if kind else r"(?<!\w)\d+[a-z]?(?!\w)", re.IGNORECASE)
        changed = old.sub(number.group("number"), address, count=1)
    else:
        return None
    return changed if changed != address else None


def _amended_chinese(address: str, said: str) -> str:
    if street := _STREET.search(said):
        address = _OLD_STREET.sub(street.group(1), address, count=1)
    told = _IN_BUILDING.search(said)
    if not told:
        return _other_number(address, said) if _CORRECTS.search(said) and not street else address
    known = [_unit(part.group(1)) for part in _ONE_UNIT.finditer(told.group())]
    added = _LEFT_OUT.search(said) or told.group() == said.strip(_STRAY)
    if added and not any(pattern.search(address) for pattern in known):
        return address + re.sub(r"\s", "", told.group())
    for part in _ONE_UNIT.finditer(told.group()):
        old = _unit(part.group(1))
        address = old.sub(part.group(), address, count=1) if len(old.findall(address)) == 1 else address
    room = re.search(r"\d+$", told.group())
    return _ROOM.sub(room.group(), address) if room else address


def _unit(name: str) -> re.Pattern[str]:
    """The number of a house, a floor or the like in an address."""
    return re.compile(rf"{_HOUSE}\s*{name}(?!楼|院)")


def _other_number(address: str, said: str) -> str:
    """An address with its room, or its only number, in place of the one number that is said."""
    numbers = _ANY_NUMBER.findall(said)
    if len(numbers) != 1:
        return address
    if _ROOM.search(address):
        return _ROOM.sub(numbers[0], address)
    return re.sub(r"\d+", numbers[0], address) if len(re.findall(r"\d+", address)) == 1 else address


def is_whole_address(address: str) -> bool:
    """Does an address name its place, and not only a house or a floor?"""
    return bool(_PLACE_NAME.search(address)) and bool(re.search(r"[省市区县].*[路街道镇村巷]|[a-z]+,", address, re.I))


def corrected(told: dict[str, str], text: str) -> dict[str, str] | None:
    """`told` with one value put in the place of another ("21, not 12"); None when the text corrects nothing of it."""
    for swap in _SWAP.finditer(plain(text)):
        parts = swap.groupdict()
        old = parts["old"] or parts["old2"] or parts["old3"]
        new = re.sub(r"^(?:应该|其实|就)?是(?=.)", "", parts["new"] or parts["new2"] or parts["new3"])
        for name, value in told.items():
            at = re.search(rf"(?<![0-9A-Za-z]){re.escape(old)}(?![0-9A-Za-z])", value, re.IGNORECASE)
            if at and old != new:
                return {**told, name: value[: at.start()] + new + value[at.end() :]}
    return None
