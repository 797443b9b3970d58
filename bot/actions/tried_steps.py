"""Which steps of a guide count as tried, beside those that were told by their own names."""

from __future__ import annotations

import re
from collections.abc import Iterable

# What a step done includes, by code.
INCLUDED = {
    "factory_reset": ("restart_device", "restart_router"),
    "reinstall_app": ("restart_app", "update_app"),
}
# Steps in the words of certain kinds of devices, where the general words of a step mean something else.
ALSO_TRIED = (
    (
        frozenset({"router"}),
        re.compile(
            r"换(?:了|过)[^,，。;；]{0,4}网线|网线[^,，。;；]{0,4}换(?:了|过)"
            r"|(?:new|another|different|swapped|changed|replaced)[^,.;]{0,16}(?:ethernet|lan|network|cat) ?\w* ?cable",
            re.IGNORECASE,
        ),
        "other_cable",
    ),
    (
        frozenset({"router", "lamp", "camera"}),
        re.compile(r"拔(?:了|过)?(?:又|再|下来|掉)?(?:重新)?插(?:了|过|上|也)|插拔(?:了|过)|unplugg?ed", re.IGNORECASE),
        "restart_device",
    ),
    (
        frozenset({"band", "watch", "scale"}),
        re.compile(
            r"(?:两个|手机和(?:设备|手环|手表|秤))(?:都|也|全)*重启|(?:restart|reboot)\w* (?:them )?both", re.IGNORECASE
        ),
        "restart_device",
    ),
    (
        frozenset({"scale"}),
        re.compile(
            r"换(?:了|过)[^,，。;；]{0,4}电池|电池[^,，。;；]{0,6}换(?:了|过|新|成)|新(?:的)?电池"
            r"|(?:new|fresh|replaced|changed|swapped)[^,.;]{0,14}batter",
            re.IGNORECASE,
        ),
        "charge_full",
    ),
)


def as_good_as_tried(tried: Iterable[str], spoken: Iterable[str], categories: Iterable[str]) -> set[str]:
    """The codes of all steps done: `tried` and what these include, and what the customer's words tell.

    `categories` are the kinds of devices of the trouble: the same words mean different steps with different devices.
    """
    kinds, text = set(categories), "\n".join(spoken)
    done = set(tried)
    done |= {code for step in tried for code in INCLUDED.get(step, ())}
    done |= {code for of, pattern, code in ALSO_TRIED if of & kinds and pattern.search(text)}
    if "router" in kinds and "restart_device" in done:
        done.add("restart_router")
    return done


def told_in_own_words(clauses: Iterable[str], offered: dict[str, str]) -> list[str]:
    """The codes of those offered steps (code to text) of whose matter a clause tells that it was done ("格式化过了").

    A clause speaks of a step when both have a stretch of three Chinese characters or a long English word in common,
    which no other step has.
    """
    matters = [matter for clause in clauses for matter in _matters(clause)]
    named = [[code for code, text in offered.items() if matter in text.lower()] for matter in matters]
    return list(dict.fromkeys(codes[0] for codes in named if len(codes) == 1))


def _matters(clause: str) -> list[str]:
    chinese = [run[at : at + 3] for run in re.findall(r"[\u4e00-\u9fff]{3,}", clause) for at in range(len(run) - 2)]
    return [*chinese, *(word.lower() for word in re.findall(r"[A-Za-z]{7,}", clause))]
