"""Which of our devices, which phone and which system a message speaks of; the failing ones, not those that work."""

import re
from dataclasses import dataclass
from functools import lru_cache

from bot.nlu.lookups import compile_all, guard, lookup
from bot.nlu.numbers import Found, Taken
from bot.nlu.text import Aligned, align, split

_WORKS = re.compile(
    r"(?:就|却|都|也|是|很|可以)?正常|没(?:有)?(?:任何)?(?:问题|毛病|事)|可以用|能用|好用|好使|好的|就好了|一切ok|就行|(?<!不)可以了(?!吗)|就可以|能(?:连|记|显示|同步)|都连上了"
    r"|(?<![a-z])(?:works?(?: fine| well| perfectly| ok)?|working|worked|fine|no (?:problem|issue)s?"
    r"|ok(?:ay)?|without (?:any )?(?:problem|issue)s?)(?![a-z])"
)
_FAILS = re.compile(
    r"不(?:正常|能|可以|行|好)|没(?:法|办法)正常|也(?:不行|一样|这样)"
    r"|(?<![a-z])(?:doesn't|don't|not|won't|isn't|never|stopped) (?:work|fine|ok)"
)
_NOT = re.compile(
    r"(?:不是|并非|而不是|没有|不管|别管|不说|不谈|不关|除了|not|isn't|instead of|than|never mind|forget(?: about)?)"
    r"\s*(?:a |an |the |my |我家?的?|那个|这个)?$"
)


_COMPARED = re.compile(r"(?:比|(?<![a-z])than)[^,。!?;]{0,6}$")
_CHOICE = re.compile(
    r"哪(?:个|款|一个|一款|种|块)|区别|差别|不同|对比|相比|比较|贵在哪|怎么选|选谁"
    r"|(?<![a-z])(?:which|differences?|better|compared?|vs|versus|choose|worth)(?![a-z])"
    r"|比[^,。!?;]{0,8}(?:好|准|贵|强|久|大|快|便宜|值)"
)
_ORDINARY = re.compile(r"(?:普通|标准|基础|另一)(?:版|款)|(?<![a-z])(?:normal|standard|regular|plain) (?:one|version)")
_CORRECTED = re.compile(
    r"不对|哦不|[说写搞看记打弄]错了?|不是[,，]?是|应该是|更正"
    r"|(?<![a-z])(?:no,? wait|wait,? no|sorry|i mean|i meant|scratch that)(?![a-z])"
)
_SWITCHED_TO = re.compile(
    r"(?:换成|换到|换了[个部台]?新?的?|改用|(?<![a-z])(?:switched|moved|changed) to(?: an?| the)?)\s*$"
)
# A light that tells something is part of another device.
_SIGNAL = re.compile(r"(?:[红绿黄蓝白橙紫](?:色的?|的)?|信号|指示|电源|状态|红外|呼吸|闪光|背|[一二两三四五几]个)$")
_SIGNALS = re.compile(r"^(?:是[红绿蓝橙]|都|全|先[红绿黄蓝白橙紫])")


@dataclass(frozen=True)
class Mention:
    """A name in the normal text: what it stands for, where, and whether its clause says that it works there.

    A `weak` one is a word that names a device only where no other is named.
    """

    value: str
    start: int
    end: int
    works: bool
    extra: str | None = None
    weak: bool = False


@lru_cache(maxsize=1)
def _model_patterns() -> list[tuple[str, str, re.Pattern[str]]]:
    models = lookup("devices")["models"]
    return [(slug, entry["category"], compile_all(entry["patterns"])) for slug, entry in models.items()]


@lru_cache(maxsize=1)
def _category_patterns() -> list[tuple[str, str | None, re.Pattern[str], bool]]:
    return [
        (name, entry.get("model"), compile_all(entry[strength]), strength == "weak_patterns")
        for name, entry in lookup("devices")["categories"].items()
        for strength in ("patterns", "weak_patterns")
        if strength in entry
    ]


@lru_cache(maxsize=1)
def _phone_patterns() -> list[tuple[str, str | None, re.Pattern[str]]]:
    found: list[tuple[str, str | None, re.Pattern[str]]] = []
    for entry in lookup("phones"):
        for pattern in entry["patterns"]:
            found.append((entry["brand"], entry.get("os"), re.compile(guard(pattern))))
    return found


@lru_cache(maxsize=1)
def _system_patterns() -> list[tuple[str, re.Pattern[str]]]:
    return [(name, compile_all(patterns)) for name, patterns in lookup("systems").items()]


def named(raw: str) -> set[str]:
    """The categories of all devices that a text names, working or not."""
    aligned = align(raw)
    return {m.extra or "" for m in _models(aligned)} | {m.value for m in _categories(aligned)}


def extract(aligned: Aligned, taken: Taken, steps: list[tuple[int, int]]) -> list[Found]:
    """Device, product, phone and system; `steps` tell what was tried and name no device of the case."""
    found = _devices(aligned, steps)
    for _, _, start, end, _ in found:
        taken.take(start, end)
    phones = _phones(aligned, taken)
    systems = _systems(aligned, taken)
    phone = _failing(phones, aligned)
    system = _system_of(phone, _failing(systems, aligned), systems)
    if phone:
        found.append(("phone_model", phone.value, phone.start, phone.end, None))
    if system:
        found.append(("os", system.value, system.start, system.end, None))
    return found


def _devices(aligned: Aligned, steps: list[tuple[int, int]]) -> list[Found]:
    models = [m for m in _models(aligned) if not _inside(m, steps)]
    kinds = [
        m for m in _categories(aligned) if not _inside(m, steps) and not _inside(m, [(x.start, x.end) for x in models])
    ]
    if _is_choice(aligned.text, models, kinds):
        return _chosen_among(models, kinds)
    stated = [m for m in models if not _NOT.search(aligned.text[: m.start])]
    failing = [m for m in stated or models if not m.works] or stated or models
    if failing:
        last = (stated and len(stated) < len(models)) or _is_corrected(aligned.text, failing)
        model = failing[-1 if last else 0]
        return [
            ("device_model", model.value, model.start, model.end, None),
            ("product", model.extra or "", model.start, model.end, None),
        ]
    meant = [m for m in kinds if not _NOT.search(aligned.text[: m.start])] or kinds
    own = [m for m in meant if not m.works] or meant
    own = [m for m in own if not m.weak and m.value != "router"] or [m for m in own if not m.weak] or own
    if not own:
        return []
    kind = own[-1 if _is_corrected(aligned.text, own) else 0]
    found: list[Found] = [("product", kind.value, kind.start, kind.end, None)]
    if kind.extra:
        found.append(("device_model", kind.extra, kind.start, kind.end, None))
    return found


def _is_choice(text: str, models: list[Mention], kinds: list[Mention]) -> bool:
    """True when devices are only compared ("Band 2 or Band 3, which is better?")."""
    named = {m.value for m in models} | {m.value for m in kinds if m.value not in {x.extra for x in models}}
    return bool(models) and bool(_CHOICE.search(text)) and (len(named) > 1 or bool(_ORDINARY.search(text)))


def _chosen_among(models: list[Mention], kinds: list[Mention]) -> list[Found]:
    """None of the compared devices is the customer's; their kind is known when it is the same for all."""
    found: list[Found] = [("device_model", m.value, m.start, m.end, "compared") for m in models]
    categories = {m.extra or "" for m in models} | {m.value for m in kinds}
    first = models[0]
    if len(categories) == 1:
        found.append(("product", categories.pop(), first.start, first.end, None))
    return found


def _is_corrected(text: str, mentions: list[Mention]) -> bool:
    """True when words of correction stand between the first and the last of several names."""
    return len(mentions) > 1 and bool(_CORRECTED.search(text, mentions[0].end, mentions[-1].start))


def _models(aligned: Aligned) -> list[Mention]:
    found: list[Mention] = []
    for slug, category, pattern in _model_patterns():
        for match in pattern.finditer(aligned.text):
            mention = Mention(slug, *match.span(), _works_at(aligned, match.start()), category)
            if not _inside(mention, [(m.start, m.end) for m in found]):
                found.append(mention)
    return sorted(found, key=lambda m: m.start)


def _categories(aligned: Aligned) -> list[Mention]:
    found: list[Mention] = []
    for name, model, pattern, weak in _category_patterns():
        for match in pattern.finditer(aligned.text):
            before, after = aligned.text[: match.start()], aligned.text[match.end() :]
            if _COMPARED.search(before) or (weak and (_SIGNAL.search(before) or _SIGNALS.match(after))):
                continue
            found.append(Mention(name, *match.span(), _works_at(aligned, match.start()), model, weak))
    return sorted(found, key=lambda m: m.start)


def _phones(aligned: Aligned, taken: Taken) -> list[Mention]:
    found: list[Mention] = []
    for brand, system, pattern in _phone_patterns():
        for match in pattern.finditer(aligned.text):
            if not taken.free(*match.span()) or _inside(
                Mention("", *match.span(), False), [(m.start, m.end) for m in found]
            ):
                continue
            name = f"{brand} {_model_name(match.group('model'))}"
            found.append(Mention(name, *match.span(), _works_at(aligned, match.start()), system))
    return sorted(found, key=lambda m: m.start)


def _model_name(model: str) -> str:
    """`mate60pro` → `Mate 60 Pro`, `6s` → `6s`, `xs max` → `XS Max`."""
    spaced = re.sub(r"(?<=[a-z]{2})(?=\d)|(?<=\d)(?=(?:pro|plus|ultra|mini|max|se|lite|fe|gt|turbo)\b)", " ", model)
    spaced = re.sub(r"(?<=pro)(?=max)|(?<=s)(?=plus)|(?<=xs)(?=max)", " ", spaced)
    words = []
    for word in spaced.split():
        if word in ("x", "xs", "xr", "se", "fe", "gt", "k", "p", "a", "m", "s", "y", "t", "r", "n"):
            words.append(word.upper())
        elif word[0].isdigit():
            words.append(word)
        else:
            words.append(word.capitalize())
    return " ".join(words)


def _systems(aligned: Aligned, taken: Taken) -> list[Mention]:
    found: list[Mention] = []
    for name, pattern in _system_patterns():
        for match in pattern.finditer(aligned.text):
            mention = Mention(name, *match.span(), _works_at(aligned, match.start()))
            if taken.free(*match.span()):
                found.append(mention)
    return sorted(found, key=lambda m: m.start)


def _works_at(aligned: Aligned, position: int) -> bool:
    """True when the clause at `position`, or the short one that ends the thought, says that all is well there."""
    clauses = split(aligned)
    for index, (start, end) in enumerate(clauses):
        if not start <= position < end:
            continue
        text = aligned.text[position:end]
        if _WORKS.search(text) or _FAILS.search(text):
            return bool(_WORKS.search(text)) and not _FAILS.search(text)
        following = aligned.text[slice(*clauses[index + 1])] if index + 1 < len(clauses) else ""
        switched = re.search(r"换|另|(?<![a-z])(?:another|other|different|but|while)(?![a-z])", aligned.text[start:end])
        return bool(switched and len(following) <= 14 and _WORKS.search(following) and not _FAILS.search(following))
    return False


def _failing(mentions: list[Mention], aligned: Aligned) -> Mention | None:
    """The one that the customer has changed to, else the first that is not said to work."""
    now = [mention for mention in mentions if _SWITCHED_TO.search(aligned.text[: mention.start]) and not mention.works]
    if not now and _is_corrected(aligned.text, mentions):
        return mentions[-1]
    return now[-1] if now else next((mention for mention in mentions if not mention.works), None)


def _system_of(phone: Mention | None, system: Mention | None, systems: list[Mention]) -> Mention | None:
    """The system of the failing phone, by its own name or by the phone's brand."""
    if phone and phone.extra:
        named = next((m for m in systems if m.value == phone.extra and not m.works), None)
        return named if named and named.start < phone.start else Mention(phone.extra, phone.start, phone.end, False)
    return system


def _inside(mention: Mention, spans: list[tuple[int, int]]) -> bool:
    return any(start <= mention.start and mention.end <= end for start, end in spans)
