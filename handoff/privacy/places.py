"""Postal addresses, Chinese and English, precise enough to find a door, a building or a village; no mere cities."""

from __future__ import annotations

import re
from collections.abc import Iterator

_HAN = "[一-鿿]"
_NUMBER = r"[0-9A-Za-z零〇一二三四五六七八九十百]{1,6}(?:[-－—之][0-9A-Za-z]{1,4}){0,2}"
_ROAD = r"(?:大街|大道|路|街|巷|胡同|里弄|弄|道|公路)"
_ESTATE = (
    r"(?:小区|花园|花苑|公寓|新村|家园|大厦|广场|大楼|宿舍|社区|工业园|科技园|产业园|软件园|园区|公馆|苑|府|城|庄园|"
    r"别墅|写字楼|中心|村)"
)
_DOOR = r"(?:号楼|號樓|号院|号|號|弄|栋|幢|座|单元|單元|室|楼|樓|层|房|户|期|组|组团|门)"
_DOORS = rf"(?:\s?(?:第?{_NUMBER})\s?{_DOOR}){{1,5}}(?:\s?\d{{2,5}}(?![\d.年月日点:元块步]))?"
_ADMIN_END = r"(?:省|自治区|特别行政区|市|自治州|地区|盟|区|區|县|縣|旗|镇|鎮|乡|鄉|街道)"
_STOP = "(?![一-鿿]{0,3}(?:号线|路由))"

# Words that lead up to an address and are no part of it.
_LEAD = re.compile(
    r"^(?:.{0,6}?(?:寄到|送到|发到|寄往|发往|寄给|寄去|送去|改成|改到|改为|改寄|换成|地址是|地址为|地址|住址|住在|家住|搬到|"
    r"快递到|快递放|配送到|送货到|收货|老家|我家|家里|请寄)|在|是|到|住|寄|放)(?=[一-鿿]{2})"
)
_CITY_ROAD = re.compile(
    rf"(?:{_HAN}{{2,6}}?{_ADMIN_END}\s?){{0,3}}{_HAN}{{1,9}}?{_ROAD}\s?(?:[东南西北中]段?)?\s?{_STOP}(?:{_DOORS})"
    rf"(?:[\s,，]?{_HAN}{{1,10}}?{_ESTATE})?(?:[\s,，]?{_DOORS})?"
)
_CITY_ESTATE = re.compile(
    rf"(?:{_HAN}{{2,6}}?{_ADMIN_END}\s?){{0,3}}{_HAN}{{2,10}}?{_ESTATE}\s?(?:{_HAN}{{0,3}}区)?(?:[一二三四五六七八九十0-9]{{1,2}}期)?[\s,，]?{_DOORS}"
)
_ADMIN_PLACE = re.compile(
    rf"{_HAN}{{2,8}}?(?:省|自治区|市|自治州|地区|盟)\s?(?:{_HAN}{{1,7}}?(?:市|区|區|县|縣|旗)\s?){{1,2}}(?:{_HAN}{{1,7}}?(?:镇|乡|街道)\s?)?"
    rf"(?:{_HAN}{{1,10}}?(?:{_ROAD}|{_ESTATE}|组|屯|庄|学校|大学|学院|中学|小学|医院|酒店|宾馆|驿站|厂|公司)村?(?:\s?{_DOORS})?){{1,2}}"
)
_ADMIN_VILLAGE = re.compile(
    rf"{_HAN}{{1,6}}?(?:县|镇|乡|区|市){_HAN}{{1,8}}?(?:镇|乡|街道)?{_HAN}{{0,6}}?(?:村|庄|屯|组){_DOORS}"
)
_ROOM = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9A-Za-z]{1,3}|[一二三四五六七八九十]{1,3})\s?(?:栋|幢|座|号楼|號樓)\s?(?:(?:[0-9A-Za-z]{1,3}|[一二三四五六七八九十]{1,3})\s?单元\s?)?"
    r"(?:[0-9]{1,2}\s?(?:层|楼)\s?)?[0-9A-Za-z]{2,5}\s?(?:室|房|户|号)?(?![0-9A-Za-z.])"
)

_WORD = r"[A-Z][A-Za-z'’.-]{1,20}"
_STREET_TYPE = (
    r"(?:Street|Road|Avenue|Boulevard|Lane|Drive|Court|Terrace|Highway|Parkway|Crescent|Square|Place|Close|Gardens|"
    r"St|Rd|Ave|Blvd|Ln|Dr|Ct|Hwy|Pkwy)"
)
_UNIT = r"(?:,?\s(?:Apt|Apartment|Unit|Suite|Ste|Floor|Fl|Room|Rm|Flat|Building|Bldg|#)\.?\s?#?[0-9A-Za-z-]{1,6})"
_TAIL = (
    rf"(?:,\s?(?:{_WORD})(?:\s{_WORD}){{0,3}}){{0,4}}(?:,?\s(?:[A-Z]{{2}}\s)?\d{{5}}(?:-\d{{4}})?(?![0-9]))?"
    r"(?:,?\s[A-Z]{1,2}\d[A-Z0-9]?\s\d[A-Z]{2})?"
)
_STREET = re.compile(
    rf"(?:(?:(?:Apt|Apartment|Unit|Flat|Room|Rm|Suite|Floor|Building|Bldg)\.?\s?#?[0-9A-Za-z-]{{1,6}},?\s){{0,3}})"
    rf"(?<![0-9A-Za-z.])(?:No\.?\s?)?\d{{1,5}}[A-Za-z]?,?\s(?:[NSEW]\.?\s)?(?:(?:{_WORD}|\d{{1,3}}(?:st|nd|rd|th))\s){{1,4}}?{_STREET_TYPE}(?![A-Za-z])\.?{_UNIT}{{0,2}}{_TAIL}"
)
_SMALL_STREET = re.compile(
    r"(?<![0-9A-Za-z.])\d{1,5}[a-z]?,?\s(?:(?!steps?|on|the|in|km|miles?|m|min|minutes?|days?|hours?|of|a|my|to|down|off|times?|left|more|per|and)[a-z'’-]{2,18}\s){1,3}?"
    r"(?:street|road|avenue|boulevard|lane|drive|terrace|crescent)(?![a-z])(?:,?\s(?:apt|apartment|unit|flat|suite|room)\.?\s?#?[0-9a-z-]{1,6})?",
    re.IGNORECASE,
)
_PO_BOX = re.compile(r"(?<![A-Za-z])P\.?\s?O\.?\s?Box\s?#?\d{1,6}(?![0-9])", re.IGNORECASE)
_ROOM_ENGLISH = re.compile(
    rf"(?<![A-Za-z])(?:Room|Rm|Flat|Apt|Apartment|Unit)\.?\s?#?[0-9A-Za-z-]{{1,6}},\s?(?:(?:Block|Building|Bldg|Tower|Floor|Unit)\.?\s?[0-9A-Za-z-]{{1,5}},?\s?|\d{{1,2}}/F,?\s?){{1,3}}{_TAIL}",
    re.IGNORECASE,
)

_NO_ROAD = re.compile(
    r"(?:路上|在路|半路|一路|线路|电路|思路|网路|知道|味道|频道|渠道|通道|管道|公道|难道|报道|轨道)\s?第?[0-9]"
)
_CHINESE = (_CITY_ROAD, _CITY_ESTATE, _ADMIN_PLACE, _ADMIN_VILLAGE, _ROOM)
_ENGLISH = (_STREET, _SMALL_STREET, _PO_BOX, _ROOM_ENGLISH)
_MARK = re.compile(r"[路街巷弄道村镇乡区县市苑府城园厦场舍栋幢座楼室屯庄]|胡同|公寓|中心|公馆|别墅")
_ENGLISH_MARK = re.compile(
    r"street|road|avenue|boulevard|lane|drive|court|terrace|highway|parkway|crescent|square|place|close|gardens|box|room|rm|flat|apt|apartment|unit"
    r"|\b(?:st|rd|ave|blvd|ln|dr|ct|hwy|pkwy)\b",
    re.IGNORECASE,
)


def find_places(folded: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each address in a text that is folded to half width."""
    if _MARK.search(folded):
        for pattern in _CHINESE:
            for match in pattern.finditer(folded):
                if not _NO_ROAD.search(match.group()):
                    yield match.start() + _lead(match.group()), match.end()
    if _ENGLISH_MARK.search(folded):
        for pattern in _ENGLISH:
            for match in pattern.finditer(folded):
                yield match.start(), match.end()


def _lead(matched: str) -> int:
    """Return how many letters of the match only lead up to the address."""
    start = 0
    while lead := _LEAD.match(matched[start:]):
        start += lead.end()
    return start
