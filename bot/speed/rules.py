"""Finding the rules that fit: Rasa compares every rule with every state of the conversation, back to its beginning."""

import json
from typing import Any

from rasa.core.policies.rule_policy import RulePolicy
from rasa.shared.core.constants import PREVIOUS_ACTION, USER
from rasa.shared.core.domain import State
from rasa.shared.nlu.constants import INTENT

from bot.speed.patch import Patch

Rule = tuple[str, list[State]]


class _Rules:
    """The rules of one lookup, sorted by what their last state asks for: the action before it, then the intent."""

    def __init__(self, keys: list[str]) -> None:
        self._sorted: dict[str, dict[str | None, list[Rule]]] = {}
        for key in keys:
            states = list(reversed(json.loads(key)))
            after = self._sorted.setdefault(_action(states[0]), {})
            after.setdefault(_intent(states[0]), []).append((key, states))

    def fitting(self, states: list[State]) -> set[str]:
        """The keys of all rules that fit the conversation."""
        backwards = list(reversed(states))
        return {key for key, rule in self._candidates(backwards[0]) if all(map(_fits, rule, backwards))}

    def _candidates(self, last: State) -> list[Rule]:
        after = self._sorted.get(_action(last), {})
        if not last.get(PREVIOUS_ACTION):  # the beginning fits every rule that begins
            return [rule for rules in after.values() for rule in rules]
        intent = _intent(last)
        return [*after.get(intent, []), *(after.get(None, []) if intent is not None else [])]


def _action(state: State) -> str:
    return json.dumps(state.get(PREVIOUS_ACTION) or {}, sort_keys=True)


def _intent(state: State) -> Any:
    return (state.get(USER) or {}).get(INTENT)


def _fits(rule_state: State, state: State) -> bool:
    """Whether one state of a rule fits one of the conversation; both are the beginning, or neither is."""
    at_the_beginning, rule_begins = not state.get(PREVIOUS_ACTION), not rule_state.get(PREVIOUS_ACTION)
    if at_the_beginning or rule_begins:
        return at_the_beginning and rule_begins
    return bool(RulePolicy._does_rule_match_state(rule_state, state))


def _get_possible_keys(self: RulePolicy, lookup: dict[str, str], states: list[State]) -> set[str]:
    """The same keys as Rasa's own search finds. The lookups of a loaded model never change."""
    known: dict[int, _Rules] = self.__dict__.setdefault("_sorted_rules", {})
    if id(lookup) not in known:
        known[id(lookup)] = _Rules(list(lookup))
    return known[id(lookup)].fitting(states)


def _apply() -> None:
    RulePolicy._get_possible_keys = _get_possible_keys


PATCH = Patch(
    "Finding rules",
    {
        "rasa.core.policies.rule_policy.RulePolicy._get_possible_keys": "2915fd81711e",
        "rasa.core.policies.rule_policy.RulePolicy._is_rule_applicable": "64a108b016b4",
        "rasa.core.policies.rule_policy.RulePolicy._does_rule_match_state": "d3109c1a97de",
    },
    _apply,
)
