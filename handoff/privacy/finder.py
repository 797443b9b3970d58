"""Finding personal data in what people write: phones, ID and bank card numbers, postal and e-mail addresses.

The text is folded letter by letter (full width to half width), so a finding's positions are those of the original.
What only looks alike is left alone: order and tracking numbers, versions, dates, times, device names, amounts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from handoff.privacy.places import find_places

EMAIL, IDENTITY, BANK_CARD, PHONE, ADDRESS = "email", "identity", "bank_card", "phone", "address"
PERSONAL = frozenset({EMAIL, IDENTITY, BANK_CARD, PHONE, ADDRESS})


class Found(NamedTuple):
    """One piece of personal data: its kind and where it stands in the text."""

    kind: str
    start: int
    end: int


_WRITTEN = ("零〇○", "一壹幺", "二贰两", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖")
_HAN_DIGITS = {letter: str(value) for value, letters in enumerate(_WRITTEN) for letter in letters}
_PLAIN_ENGLISH_MIGHT_HOLD = re.compile(r"[0-9@]|(?<![a-z])(?:at|one|two|three|four|oh|zero)(?![a-z])", re.IGNORECASE)

# Between the digits of a number people put blanks, dashes, dots, and what keyboards and chat apps add unseen.
_UNSEEN = "\u200b\u200c\u200d\u2060\ufe0f\u20e3\ufeff\u00ad"
_GAP = rf"[\s{_UNSEEN}.·•_/~—–*-]{{0,3}}"

_PHONE_WORD = (
    r"(?:电\s?话|手\s?机|電話|手機|座机|号码是|联系方式|联系我|打给我|致电|加我|微信|威信|薇信|短信|"
    r"(?<![a-z])(?:tel|telephone|phone|mobile|cell|whats\s?app|we\s?chat|weixin|wx|vx|v信|qq|call me|text me|reach me|"
    r"call|ring|dial)(?![a-z]))"
)
_BETWEEN = r"(?:\s|[:：=,，.。是为號号码碼#（(]|no\b|num\b|number|is|at|on|me|my){0,8}"
_NOT_A_PERSON = (
    r"(?:订单|订单号|運單|运单|单号|快递|物流|流水|交易号|序列号|串号|编号|工单|错误码|型号|追踪|取件码|"
    r"(?<![a-z])(?:order|tracking|waybill|parcel|serial|s/?n|imei|iccid|meid|ticket|transaction|invoice|case|ref\w*|error))"
    r"(?:\s|[:：=#.,，是为號号码碼]|no|num|number|code|is|id){0,8}$"
)
_IDENTITY_WORD = (
    r"(?:身\s?份\s?证|身分證|证件|證件|护照|護照|通行证|居住证|驾驶证|港澳|台胞证|回乡证|"
    r"(?<![a-z])(?:id card|id no|id number|identity|passport|hkid|ssn|social security|national id|my id))"
)
_CARD_WORD = (
    r"(?:卡\s?号|银行卡|储蓄卡|信用卡|借记卡|账号|帐号|帳號|"
    r"(?<![a-z])(?:card|account|visa|mastercard|iban|debit|credit))"
)


def fold(text: str) -> str:
    """Return the text in half width, letter by letter: positions stay those of the original."""
    if text.isascii():
        return text
    return "".join(_fold_letter(letter) for letter in text)


@lru_cache(maxsize=4096)
def _fold_letter(letter: str) -> str:
    if letter in "…":
        return letter
    plain = unicodedata.normalize("NFKC", letter)
    if len(plain) == 1:
        letter = plain
    return str(unicodedata.digit(letter, letter)) if letter.isdigit() else letter


def digits_of(text: str) -> str:
    """Return nothing but the digits, written ones included: what two spellings of a number have in common."""
    plain = (_HAN_DIGITS.get(letter, letter) for letter in fold(text))
    return "".join(letter for letter in plain if letter.isdecimal())


def _luhn(digits: str) -> bool:
    total = 0
    for place, letter in enumerate(reversed(digits)):
        value = int(letter) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def identity_checksum_fits(number: str) -> bool:
    """Tell whether the last sign of an 18-place Chinese ID number follows from the others."""
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], _WEIGHTS, strict=True))
    return "10X98765432"[total % 11] == number[17].upper()


def _before(folded: str, start: int, pattern: re.Pattern[str]) -> bool:
    return pattern.search(folded, max(0, start - 24), start) is not None


_PHONE_BEFORE = re.compile(rf"{_PHONE_WORD}{_BETWEEN}[^0-9]{{0,6}}$", re.IGNORECASE)
_NOT_A_PERSON_BEFORE = re.compile(_NOT_A_PERSON, re.IGNORECASE)
_IDENTITY_BEFORE = re.compile(rf"{_IDENTITY_WORD}[^0-9]{{0,10}}$", re.IGNORECASE)
_CARD_BEFORE = re.compile(rf"{_CARD_WORD}[^0-9]{{0,12}}$", re.IGNORECASE)


def _digits(match: re.Match[str]) -> str:
    return re.sub(r"[^0-9Xx]", "", match.group())


# --- e-mail ---------------------------------------------------------------------------------------------------------

_FILE_ENDINGS = "png|jpe?g|gif|svg|webp|ico|css|js|ts|py|txt|pdf|zip|gz|mp[34]|json|ya?ml|html?|bin|apk|exe"
_EMAIL = re.compile(
    rf"(?<![A-Za-z0-9._%+-])(?!git@)[A-Za-z0-9_%+][A-Za-z0-9._%+-]{{0,63}}\s?@\s?"
    rf"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{{0,61}}[A-Za-z0-9])?\s?[.。]\s?){{1,5}}(?!(?:{_FILE_ENDINGS})(?![A-Za-z]))[A-Za-z]{{2,18}}"
    r"(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_EMAIL_SPELLED = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._+-]{1,40}\s*(?:[\[({]\s*at\s*[\])}]|艾特|圈a|\sat\s|@|#at#)\s*"
    r"[A-Za-z0-9-]{2,30}(?:\s*(?:[\[({]\s*dot\s*[\])}]|点|點|\sdot\s|\.)\s*(?:com|net|org|edu|gov|cn|hk|tw|io|co|uk|de|fr|jp|me)){1,3}(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_EMAIL_AT_A_PROVIDER = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._+-]{1,40}\s+at\s+"
    r"(?:qq|foxmail|163|126|yeah|139|189|sina|sohu|aliyun|gmail|googlemail|outlook|hotmail|live|msn|yahoo|icloud|me|proton(?:mail)?)"
    r"\s?\.\s?(?:com|net|cn|me|co\.uk)(?:\.cn)?(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_SPELLED_MARK = re.compile(r"dot|点|點|[\[({]|艾特|圈a", re.IGNORECASE)


def _emails(folded: str) -> Iterator[Found]:
    for match in _EMAIL.finditer(folded):
        yield Found(EMAIL, *match.span())
    for match in _EMAIL_AT_A_PROVIDER.finditer(folded):
        yield Found(EMAIL, *match.span())
    for match in _EMAIL_SPELLED.finditer(folded):
        if _SPELLED_MARK.search(match.group()):
            yield Found(EMAIL, *match.span())


# --- identity cards ---------------------------------------------------------------------------------------------------

_BIRTHDAY = (
    rf"(?:1{_GAP}[89]|2{_GAP}0)(?:{_GAP}\d){{2}}{_GAP}(?:0{_GAP}[1-9]|1{_GAP}[0-2]){_GAP}"
    rf"(?:0{_GAP}[1-9]|[12]{_GAP}\d|3{_GAP}[01])"
)
_IDENTITY_18 = re.compile(
    rf"(?<![0-9A-Za-z])[1-9](?:{_GAP}\d){{5}}{_GAP}{_BIRTHDAY}(?:{_GAP}\d){{3}}{_GAP}[0-9Xx](?![0-9A-Za-z])"
)
_IDENTITY_15 = re.compile(r"(?<![0-9A-Za-z])[1-9]\d{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}(?![0-9A-Za-z])")
_IDENTITY_OTHER = re.compile(
    r"(?<![0-9A-Za-z])(?:[A-Z]{1,2}\s?\d{6,9}(?:\s?\([0-9A]\))?|\d{8,9}|\d{17,18}[Xx]?)(?![0-9A-Za-z])", re.IGNORECASE
)
_HONG_KONG = re.compile(r"(?<![0-9A-Za-z])[A-Z]{1,2}\d{6}\s?\([0-9A]\)(?![0-9A-Za-z])", re.IGNORECASE)
_SOCIAL_SECURITY = re.compile(r"(?<![0-9A-Za-z-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![0-9A-Za-z-])")


def _identities(folded: str) -> Iterator[Found]:
    for match in _IDENTITY_18.finditer(folded):
        if not _before(folded, match.start(), _NOT_A_PERSON_BEFORE):
            yield Found(IDENTITY, *match.span())
    for pattern in (_IDENTITY_15, _IDENTITY_OTHER):
        for match in pattern.finditer(folded):
            if _before(folded, match.start(), _IDENTITY_BEFORE):
                yield Found(IDENTITY, *match.span())
    for pattern in (_HONG_KONG, _SOCIAL_SECURITY):
        for match in pattern.finditer(folded):
            if not _before(folded, match.start(), _NOT_A_PERSON_BEFORE):
                yield Found(IDENTITY, *match.span())


# --- bank cards -------------------------------------------------------------------------------------------------------

_CARD = re.compile(rf"(?<![0-9A-Za-z])(?<![0-9A-Za-z][-_.])[2-6]\d(?:{_GAP}\d){{11,17}}(?![0-9A-Za-z])")
_CARD_START = re.compile(r"62|4|5[1-5]|5[06-8]|6[0357]|2[2-7]|3[47]|35|36|9")
_ACCOUNT = re.compile(rf"(?<![0-9A-Za-z])\d(?:{_GAP}\d){{13,18}}(?![0-9A-Za-z])")
_IBAN = re.compile(
    r"(?<![0-9A-Za-z])[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){3,7}(?:\s?[A-Z0-9]{1,3})?(?![0-9A-Za-z])", re.IGNORECASE
)


def _iban_fits(written: str) -> bool:
    plain = re.sub(r"\s", "", written).upper()
    return int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])) % 97 == 1


def _looks_like_card(digits: str) -> bool:
    american = len(digits) == 15 and digits[:2] in {"34", "37"}
    return (american or 16 <= len(digits) <= 19) and _CARD_START.match(digits) is not None and _luhn(digits)


def _bank_cards(folded: str) -> Iterator[Found]:
    for match in _CARD.finditer(folded):
        if _looks_like_card(_digits(match)) and not _before(folded, match.start(), _NOT_A_PERSON_BEFORE):
            yield Found(BANK_CARD, *match.span())
    for match in _ACCOUNT.finditer(folded):
        if _before(folded, match.start(), _CARD_BEFORE):
            yield Found(BANK_CARD, *match.span())
    for match in _IBAN.finditer(folded):
        if _iban_fits(match.group()):
            yield Found(BANK_CARD, *match.span())


# --- phones -----------------------------------------------------------------------------------------------------------

_PREFIX = rf"(?:[(（]?(?:\+|00)\s?86[)）]?{_GAP}|(?<![0-9])86{_GAP})?"
_LATIN_BEFORE = (
    r"(?:(?<![0-9A-Za-z])|(?<=[Tt][Ee][Ll])|(?<=[Vv][Xx])|(?<=[Ww][Xx])|(?<=[Hh][Oo][Nn][Ee])|(?<=[Qq][Qq]))"
    r"(?<!\d[.,:/-])(?<![A-Za-z]-)"
)
_MOBILE = re.compile(
    rf"{_LATIN_BEFORE}{_PREFIX}1{_GAP}[3-9](?:{_GAP}\d){{9}}(?![0-9])(?![A-Za-z][0-9A-Za-z])(?!\.\d)(?!:\d)"
)
_GROUPS_OF_A_MOBILE = {
    (11,), (3, 4, 4), (3, 3, 5), (3, 5, 3), (3, 8), (7, 4), (5, 6), (3, 2, 2, 2, 2), (2, 3, 3, 3), (3, 2, 3, 3),
    (3, 4, 2, 2), (2, 2, 2, 2, 3), (2, 2, 2, 2, 2, 1), (3, 3, 3, 2), (3, 3, 2, 3), (1,) * 11, (6, 5), (2, 9), (4, 7),
}  # fmt: skip
_LANDLINE = re.compile(
    rf"{_LATIN_BEFORE}(?:(?:\+|00)\s?86[\s-]?)?(?:[(（]0?(?:10|2\d|[3-9]\d{{2}})[)）]\s?-?\s?|0?(?<=0)(?:10|2\d|[3-9]\d{{2}})\s?[-—–]\s?|"
    rf"0(?:10|2\d|[3-9]\d{{2}})\s)[2-9]\d{{2,3}}[\s-]?\d{{4}}(?:\s?(?:转|ext\.?|x|-)\s?\d{{1,6}})?(?![0-9])(?![-.]\d)"
)
_LANDLINE_PLAIN = re.compile(r"(?<![0-9A-Za-z])0(?:10|2\d|[3-9]\d{2})[2-9]\d{6,7}(?![0-9A-Za-z])")
_INTERNATIONAL = re.compile(
    r"(?<![0-9A-Za-z+])(?<!UTC)(?<!GMT)(?:\+|00(?=[1-9]))\s?[1-9]\d{0,2}(?:[\s.()/-]{0,3}\d){6,13}(?![0-9])(?!:\d)"
)
_NORTH_AMERICAN = re.compile(
    r"(?<![0-9A-Za-z.-])(?:1[-. ])?(?:\((?!8\d\d|400)[2-9]\d{2}\)\s?|(?!400|800|888|877|866|855|844|833)[2-9]\d{2}[-.])"
    r"[2-9]\d{2}[-.\s]\d{4}(?![0-9A-Za-z])(?![-.]\d)"
)
_NAMED = re.compile(r"(?<![0-9A-Za-z.])[(+]?\d(?:[\s()-]{0,2}\d){6,14}(?![0-9A-Za-z])(?!\.\d)")
_NAMED_CONTACT = re.compile(
    r"(?<![a-z])(?:微信|威信|薇信|微信号|qq号?|wx|vx|v信|we\s?chat(?:\s?id)?|whats\s?app|telegram)(?:\s|[:：=是为号码]|id|is)*\s?"
    r"(?P<contact>(?=[a-z_-]*\d)[a-z_][a-z0-9_-]{5,19}|\d{5,12})(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_ANY_DIGIT = f"[0-9{''.join(_WRITTEN)}]"
_HAN_RUN = re.compile(rf"{_ANY_DIGIT}(?:{_GAP}{_ANY_DIGIT}){{10,19}}(?![十百千万亿])")
_WORD_DIGIT = r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)"
_WORD_RUN = re.compile(
    rf"(?<![a-z])(?:(?:double|triple)\s)?{_WORD_DIGIT}(?:[\s,-]{{1,3}}(?:(?:double|triple)\s)?{_WORD_DIGIT}){{6,19}}(?![a-z])",
    re.IGNORECASE,
)


def _group_sizes(written: str) -> tuple[int, ...]:
    return tuple(len(group) for group in re.findall(r"\d+", written))


def _mobiles(folded: str) -> Iterator[Found]:
    for match in _MOBILE.finditer(folded):
        written = re.sub(r"^[(（]?(?:\+|00)?\s?86[)）]?\D{0,5}(?=1)", "", match.group())
        prefixed = written != match.group()
        sizes = _group_sizes(written)
        usual = sizes == (3, 4, 4) if "." in written else sizes in _GROUPS_OF_A_MOBILE
        if (usual or prefixed or _before(folded, match.start(), _PHONE_BEFORE)) and not _before(
            folded, match.start(), _NOT_A_PERSON_BEFORE
        ):
            yield Found(PHONE, *match.span())


def _phones(folded: str) -> Iterator[Found]:
    for pattern in (_INTERNATIONAL, _LANDLINE, _NORTH_AMERICAN):
        for match in pattern.finditer(folded):
            if not _before(folded, match.start(), _NOT_A_PERSON_BEFORE):
                yield Found(PHONE, *match.span())
    yield from _mobiles(folded)
    for pattern in (_LANDLINE_PLAIN, _NAMED):
        for match in pattern.finditer(folded):
            if _before(folded, match.start(), _PHONE_BEFORE) and not _before(
                folded, match.start(), _NOT_A_PERSON_BEFORE
            ):
                yield Found(PHONE, *match.span())
    for match in _NAMED_CONTACT.finditer(folded):
        yield Found(PHONE, *match.span("contact"))
    for match in _WORD_RUN.finditer(folded):
        yield Found(PHONE, *match.span())


def _written_out(folded: str) -> Iterator[Found]:
    """Numbers spelled with Chinese digits, alone or mixed with figures."""
    for match in _HAN_RUN.finditer(folded):
        plain = digits_of(match.group())
        if plain == re.sub(r"\D", "", match.group()):
            continue  # figures only: the other patterns have judged it
        if len(plain) == 11 and re.match("1[3-9]", plain):
            yield Found(PHONE, *match.span())
        elif len(plain) == 18 and identity_checksum_fits(plain):
            yield Found(IDENTITY, *match.span())
        elif _looks_like_card(plain):
            yield Found(BANK_CARD, *match.span())


def _addresses(folded: str) -> Iterator[Found]:
    for start, end in find_places(folded):
        yield Found(ADDRESS, start, end)


_SEEKERS: tuple[Callable[[str], Iterator[Found]], ...] = (
    _emails,
    _identities,
    _bank_cards,
    _phones,
    _written_out,
    _addresses,
)


def find(text: str) -> list[Found]:
    """Return the personal data in `text` in the order in which it stands there; findings never overlap."""
    if text.isascii() and not _PLAIN_ENGLISH_MIGHT_HOLD.search(text):
        return []
    folded = fold(text)
    found: list[Found] = []
    for seek in _SEEKERS:
        for one in seek(folded):
            if all(one.end <= other.start or one.start >= other.end for other in found):
                found.append(one)
    return sorted(found, key=lambda one: one.start)
