"""Which of our devices, which phone and which system a message speaks of; the failing ones, not those that work."""

import re
from dataclasses import dataclass
from functools import lru_cache

from bot.nlu.lookups import compile_all, guard, lookup
from bot.nlu.numbers import Found, Taken
from bot.nlu.text import Aligned, split

_WORKS = re.compile(
    r"(?:就|却|都|也|是|很|可以)?正常|没(?:有)?(?:任何)?(?:问题|毛病|事)|可以用|能用|好用|好使|好的|就好了|一切ok|就行|就可以|能(?:连|记|显示|同步)"
    r"|(?<![a-z])(?:works?(?: fine| well| perfectly| ok)?|working|worked|fine|no (?:problem|issue)s?"
    r"|ok(?:ay)?|without (?:any )?(?:problem|issue)s?)(?![a-z])"
)
_FAILS = re.compile(
    r"不(?:正常|能|可以|行|好)|没(?:法|办法)正常|也(?:不行|一样|这样)"
    r"|(?<![a-z])(?:doesn't|don't|not|won't|isn't|never|stopped) (?:work|fine|ok)"
)
_NOT = re.compile(r"(?:不是|并非|而不是|没有|not|isn't|instead of|than)\s*(?:a |an |the |我?的)?$")


@dataclass(frozen=True)
class Mention:
    """A name in the normal text: what it stands for, where, and whether its clause says that it works there."""

    value: str
    start: int
    end: int
    works: bool
    extra: str | None = None


@lru_cache(maxsize=1)
def _model_patterns() -> list[tuple[str, str, re.Pattern[str]]]:
    models = lookup("devices")["models"]
    return [(slug, entry["category"], compile_all(entry["patterns"])) for slug, entry in models.items()]


@lru_cache(maxsize=1)
def _category_patterns() -> list[tuple[str, str | None, re.Pattern[str]]]:
    categories = lookup("devices")["categories"]
    return [(name, entry.get("model"), compile_all(entry["patterns"])) for name, entry in categories.items()]


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


def extract(aligned: Aligned, taken: Taken, steps: list[tuple[int, int]]) -> list[Found]:
    """Device, product, phone and system; `steps` tell what was tried and name no device of the case."""
    found = _devices(aligned, steps)
    for _, _, start, end, _ in found:
        taken.take(start, end)
    phones = _phones(aligned, taken)
    systems = _systems(aligned, taken)
    phone = _failing(phones)
    system = _system_of(phone, _failing(systems), systems)
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
    stated = [m for m in models if not _NOT.search(aligned.text[: m.start])]
    model = (stated or models or [None])[-1] if _corrected(models, stated) else (stated or models or [None])[0]
    if model:
        return [
            ("device_model", model.value, model.start, model.end, None),
            ("product", model.extra or "", model.start, model.end, None),
        ]
    own = [m for m in kinds if m.value != "router"] or kinds
    if not own:
        return []
    kind = own[0]
    found: list[Found] = [("product", kind.value, kind.start, kind.end, None)]
    if kind.extra:
        found.append(("device_model", kind.extra, kind.start, kind.end, None))
    return found


def _corrected(models: list[Mention], stated: list[Mention]) -> bool:
    """True when one device was named only to be denied ("not the band 2, the band 3")."""
    return bool(stated) and len(stated) < len(models)


def _models(aligned: Aligned) -> list[Mention]:
    found: list[Mention] = []
    for slug, category, pattern in _model_patterns():
        for match in pattern.finditer(aligned.text):
            mention = Mention(slug, *match.span(), False, category)
            if not _inside(mention, [(m.start, m.end) for m in found]):
                found.append(mention)
    return sorted(found, key=lambda m: m.start)


def _categories(aligned: Aligned) -> list[Mention]:
    found: list[Mention] = []
    for name, model, pattern in _category_patterns():
        found += [Mention(name, *match.span(), False, model) for match in pattern.finditer(aligned.text)]
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


def _failing(mentions: list[Mention]) -> Mention | None:
    """The first mention that is not said to work."""
    return next((mention for mention in mentions if not mention.works), None)


def _system_of(phone: Mention | None, system: Mention | None, systems: list[Mention]) -> Mention | None:
    """The system of the failing phone, by its own name or by the phone's brand."""
    if phone and phone.extra:
        named = next((m for m in systems if m.value == phone.extra and not m.works), None)
        return named if named and named.start < phone.start else Mention(phone.extra, phone.start, phone.end, False)
    return system


def _inside(mention: Mention, spans: list[tuple[int, int]]) -> bool:
    return any(start <= mention.start and mention.end <= end for start, end in spans)
