"""Checks of the training phrases."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.sparse as sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from bot.nlu.encoder import encoder
from bot.nlu.lookups import compile_all, guard
from bot.nlu.model import model_text
from bot.nlu.text import CJK, align
from bot.validation.project import Finding, Phrase, Project

LEAST = {"zh": 25, "en": 12}
# Two phrases of different intents are near duplicates from both of these on: cosine of their character pairs, and of
# their sentence vectors. Below them, pairs differ in the word that decides ("refund" or "return"); chosen on our data.
SAME_LETTERS, SAME_MEANING = 0.86, 0.93
# How many phrases are compared with all others at once; bounds the memory.
BLOCK = 1000

_CHINESE = re.compile(f"[{CJK}]")
_NOT_LETTERS = re.compile(r"[\W_]+")
_EXAMPLE = re.compile("示例|样板|某|Example|Sample")
_PERSONAL = {
    "a phone number": re.compile(r"(?<!\d)1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}(?!\d)"),
    "an ID number": re.compile(r"(?<!\d)\d{6}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\d{3}[\dXx](?!\d)"),
    "a card number": re.compile(r"(?<!\d)[3-6]\d{3}(?:[\s-]?\d{4}){3}(?:[\s-]?\d{1,3})?(?!\d)"),
    "an e-mail address": re.compile(r"[\w.+-]+@(?!example\.)[\w-]+(?:\.[\w-]+)+"),
    "a street address": re.compile(
        r"[\u4e00-\u9fff]{2,}(?:路|街|大道|巷|弄)\s*\d+\s*号|\d+\s*(?:栋|幢|号楼|单元)\s*\d+"
        r"|(?<!\w)\d{1,5}\s+(?:[A-Z][a-z]+\s+){1,3}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Drive|Boulevard|Blvd)\b"
    ),
}


def bare(text: str) -> str:
    """The normal form of a phrase, letters and digits alone."""
    return _NOT_LETTERS.sub("", model_text(text))


def language_of(text: str) -> str:
    """`zh` for a phrase with a Chinese character, else `en`."""
    return "zh" if _CHINESE.search(text) else "en"


def same_phrase(project: Project) -> Iterator[Finding]:
    """The same phrase under two intents: the model can learn neither."""
    first: dict[str, Phrase] = {}
    for phrase in project.phrases:
        other = first.setdefault(bare(phrase.text), phrase)
        if other.label != phrase.label:
            yield Finding(
                phrase.place,
                "the same phrase in two intents",
                f"“{phrase.text}” stands under {phrase.label} and, at {other.place}, under {other.label}",
                "Keep it where the answer fits better.",
            )


def near_duplicate(project: Project) -> Iterator[Finding]:
    """Phrases of two intents that say nearly the same in nearly the same letters."""
    phrases = list({bare(phrase.text): phrase for phrase in reversed(project.phrases)}.values())
    for one, other in alike([phrase.text for phrase in phrases], [phrase.label for phrase in phrases]):
        late, early = sorted((phrases[one], phrases[other]), key=lambda phrase: phrase.place, reverse=True)
        yield Finding(
            late.place,
            "near duplicates in two intents",
            f"“{late.text}” ({late.label}) is nearly “{early.text}” ({early.label}, {early.place})",
            "Word one of them as only its own intent would be asked, or remove it.",
        )


def alike(texts: list[str], labels: list[str]) -> list[tuple[int, int]]:
    """Pairs of texts with different labels that reach both thresholds; only likely pairs are encoded."""
    prepared = [model_text(text) for text in texts]
    try:
        grams = TfidfVectorizer(analyzer="char", ngram_range=(2, 2), use_idf=False).fit_transform(prepared)
    except ValueError:
        return []
    pairs = [
        (one, other)
        for start in range(0, len(texts), BLOCK)
        for one, other in _close(grams[start : start + BLOCK] @ grams.T, start)
        if labels[one] != labels[other]
    ]
    sentences = encoder()
    if not pairs or sentences is None:
        return pairs
    chosen = sorted({number for pair in pairs for number in pair})
    vectors = dict(zip(chosen, sentences.encode([prepared[number] for number in chosen]), strict=True))
    return [(one, other) for one, other in pairs if float(np.dot(vectors[one], vectors[other])) >= SAME_MEANING]


def _close(likeness: sparse.csr_matrix, start: int) -> Iterator[tuple[int, int]]:
    """The pairs of a block of rows, the first of which is row `start` of all, that are alike enough in letters."""
    table = likeness.tocoo()
    close = (table.data >= SAME_LETTERS) & (table.col > table.row + start)
    return ((int(row) + start, int(col)) for row, col in zip(table.row[close], table.col[close], strict=True))


def missing_language(project: Project) -> Iterator[Finding]:
    """An intent or topic with too few phrases in one of the languages."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for phrase in project.phrases:
        counts[phrase.label][language_of(phrase.text)] += 1
    for label, place in project.labels.items():
        for language, least in LEAST.items():
            if counts[label][language] < least:
                yield Finding(
                    place,
                    "a language is missing",
                    f"{label} has {counts[label][language]} phrases in {language}",
                    f"Write at least {least}.",
                )


def unknown_value(project: Project) -> Iterator[Finding]:
    """A marked stretch that the lookups do not know, or with a value or entity that does not exist."""
    known = _vocabulary(project)
    entities = set(project.domain.get("entities") or [])
    for phrase in project.phrases:
        for text, entity, value in phrase.entities:
            problem = None
            if entity not in entities:
                problem = f"the entity {entity} is not in domain.yml", "Use one of those, or add it."
            elif entity in known:
                patterns, values = known[entity]
                if value is not None and values and value not in values:
                    problem = f"{value!r} is no value of {entity}", f"Use one of {', '.join(sorted(values))}."
                elif value is None and not _recognised(patterns, phrase.text, text):
                    problem = (
                        f"no lookup reads “{text}” as {entity}",
                        "Add it to bot/data/lookups, or take the mark away.",
                    )
            if problem:
                yield Finding(phrase.place, "an unknown value", *problem)


def _vocabulary(project: Project) -> dict[str, tuple[re.Pattern[str], set[str]]]:
    """For each entity that lookups read: what they recognise, and the values they give (empty: any)."""
    devices = project.lookup("devices")
    models, categories = devices["models"], devices["categories"]
    systems, phones = project.lookup("systems"), project.lookup("phones")
    of_models = [pattern for entry in models.values() for pattern in entry["patterns"]]
    of_kinds = [pattern for entry in categories.values() for pattern in _patterns(entry)]
    only_one = [pattern for entry in categories.values() if entry.get("model") for pattern in _patterns(entry)]
    return {
        "product": (_any([*of_models, *of_kinds]), set(categories)),
        "device_model": (_any([*of_models, *only_one]), set(models)),
        "os": (_any([pattern for patterns in systems.values() for pattern in patterns]), set(systems)),
        "phone_model": (re.compile("|".join(_phone_patterns(phones)) or r"(?!)"), set()),
    }


def _patterns(kind: dict[str, Any]) -> list[Any]:
    return [*kind["patterns"], *(kind.get("weak_patterns") or [])]


def _recognised(patterns: re.Pattern[str], phrase: str, marked: str) -> bool:
    """Do the patterns find the marked stretch, by itself or where it stands? Some look at what is around it."""
    stretch = align(marked).text
    found = (match.group() for match in patterns.finditer(align(phrase).text))
    return bool(patterns.search(stretch)) or any(one in stretch or stretch in one for one in found if one)


def _any(patterns: list[Any]) -> re.Pattern[str]:
    return compile_all([str(pattern) for pattern in patterns])


def _phone_patterns(phones: list[dict[str, Any]]) -> list[str]:
    """The patterns with their group unnamed, so that many fit into one."""
    return [guard(str(pattern).replace("?P<model>", "?:")) for entry in phones for pattern in entry["patterns"]]


def personal_data(project: Project) -> Iterator[Finding]:
    """A phrase with what could be a real person's number, address or e-mail."""
    for phrase in project.phrases:
        for what, pattern in _PERSONAL.items():
            match = pattern.search(phrase.text)
            if match and not _invented(match.group()):
                yield Finding(
                    phrase.place,
                    "personal data",
                    f"“{match.group()}” looks like {what}",
                    "Put an evidently invented one (13800000000, name@example.com, 示例路1号, 1 Example Road) or none.",
                )
                break


def _invented(text: str) -> bool:
    """A number whose last eight digits are of at most two kinds is nobody's, and so is an address named an example."""
    if _EXAMPLE.search(text):
        return True
    digits = re.sub(r"\D", "", text)
    return len(digits) >= 11 and len(set(digits[-8:])) <= 2
