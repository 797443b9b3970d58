"""Signs that a conversation belongs to a person, or not. Each looks at the whole conversation up to its last turn."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bot.nlu.emotion import dissatisfaction
from bot.nlu.guards import refuses_person, wants_person
from bot.policies.course import Course
from bot.policies.told import FALLBACK, TurnTold
from bot.policies.wording import denies_danger, insisted_on, letters, likeness, nearness, speaks_of

_COURSE = 5
_A_COURSE = 3
_REMEMBERED_TURNS = 8
_SAME_LENGTH, _SAME_LIKENESS, _SAME_NEARNESS, _RESTATED_NEARNESS = 5, 0.75, 0.75, 0.2
_STILL_STUCK, _CLEARLY_MORE = 0.4, 0.25
_PILING_UP = 3
_STEPS = 5
_MOST_REPEATS = 2
_HINT, _TRACE = 0.3, 0.15
_DANGERS = ("danger_life", "danger_watched", "danger_swallowed")
_ASKS_SURELY = 0.72
_SWEARING = 0.85
_SURELY_CALM = 0.8
_COURTESIES = frozenset({"affirm", "thank", "greet", "goodbye"})
_CLOSINGS = frozenset({"deny", "goodbye", "affirm", "thank"})
_CERTAIN, _FURIOUS = 0.9, -1.6
_AS_LIKELY = 0.1
_DISPLEASED_CUES = ("angry", "bitter", "despair", "personal_matter", "misunderstood", "loop")
_EXPLANATION_LENGTH, _EXPLANATION_LIKENESS = 20, 0.9
# From where on it counts where a talk is heading, in e-folds of the odds for a person, and up to how many more of them.
# For a person that is just enough for one, so that what shows more plainly why comes first in the explanation.
# An end without one must be likelier by a little where the wording itself speaks for a person.
_FOR_A_PERSON, _MOST_FOR_ONE = 1.0, 1.0
_AGAINST_ONE, _SPOKEN_AGAINST_ONE, _MOST_AGAINST_ONE = 0.5, 0.0, 3.0
_SPEAKING_FOR_ONE = ("policy", "still", "told_often", "tried_all", "restates", "several", "listed")
# What an end without one never outweighs: these signs, these words, and so much of what builds up turn by turn.
_ALWAYS_CERTAIN = frozenset({"safety", "child_alone"})
_PLAIN_WORDS = frozenset({"person_only", "grief"})
_PILING_SIGNS, _PILED_UP = ("unsolved", "refuses", "misunderstood"), 1.0
_DISPLEASED = frozenset({"angry", "abusive", "sarcastic", "disappointed"})


@dataclass(frozen=True)
class Signal:
    """One sign: its name in `weights`, the contract's reason it stands for, the messages that show it.

    One that speaks against a person weighs less than nothing.
    """

    name: str
    reason: str
    evidence: tuple[int, ...]
    weight: float


class Signals:
    """Finds the signs of a conversation with the designers' weights."""

    def __init__(self, config: dict[str, Any], course: Course | None = None) -> None:
        """`config` is the policy's part of config.yml; without a `course` nothing is told by talks alike."""
        self._course = course
        self._weights: dict[str, float] = config["weights"]
        self._angry_at = float(config["angry_at"])
        self._enraged_at = float(config["enraged_at"])
        self._dissatisfied_at = float(config["dissatisfied_at"])
        self._danger_at = float(config["danger_at"])
        self._likely_at, self._sure_at = float(config["likely_at"]), float(config["sure_at"])
        self._rather_at = (self._likely_at + self._sure_at) / 2

    def find(self, turns: list[TurnTold], form: bool) -> list[Signal]:
        """All signs that weigh something; `form`: a form waits for what the customer says."""
        now = turns[-1]
        stuck = since_progress(turns, self._sure_at)[-_REMEMBERED_TURNS:]
        found = [
            self._person(now),
            self._safety(now),
            self._policy(turns),
            self._wishes(turns),
            self._child_alone(turns),
            *self._feelings(turns),
            self._failures(turns, form),
            self._same_again(turns),
            self._bot_repeating(turns),
            self._cued("customer_sees_loop", "bot_repeating", stuck, "loop"),
            self._unsolved(turns, stuck),
            self._told_often(now),
            self._tried_all(stuck),
            self._broken_word(now),
            self._steps(stuck),
            self._cued("misunderstood", "repeated_failure", stuck, "misunderstood"),
            self._cued("refuses", "repeated_failure", stuck, "refuses"),
            self._cued("lost", "repeated_failure", stuck, "lost"),
        ]
        signs = [signal for signal in found if signal is not None]
        heading = self._heading(turns, self._certain(now, signs))
        return [*signs, heading] if heading else signs

    def _signal(self, name: str, reason: str, turns: Iterable[TurnTold], times: float) -> Signal | None:
        weight = self._weights.get(name, 0.0) * times
        return Signal(name, reason, tuple(seq for turn in turns for seq in turn.seqs), weight) if weight else None

    def _certain(self, now: TurnTold, signs: list[Signal]) -> bool:
        """Whether the signs are so plain that it does not matter how talks like this one ended."""
        weights = {sign.name: sign.weight for sign in signs}
        whole = {name for name, weight in weights.items() if weight >= self._weights[name]}
        spoken = {topic for topic in (*_PLAIN_WORDS, "policy") if not now.pressed and speaks_of(topic, now.text)}
        return (
            not weights.keys().isdisjoint(_ALWAYS_CERTAIN)
            or not spoken.isdisjoint(_PLAIN_WORDS)
            or "asked_for_person" in whole
            or ("policy" in spoken and "policy_topic" in whole)
            or self._tells_broken_word(now)
            or sum(weights.get(name, 0.0) for name in _PILING_SIGNS) >= _PILED_UP
            or (self._furious(now) and not self._harmless(now, swears=False, furious=True))
        )

    def _grade(self, chance: float) -> float:
        """1 for a sure cue, a half for a likely one, else nothing."""
        return 1.0 if chance >= self._sure_at else 0.5 if chance >= self._likely_at else 0.0

    def _hint(self, chance: float) -> float:
        return 1.0 if chance >= self._rather_at else chance if chance >= _HINT else 0.0

    def _cued(self, name: str, reason: str, turns: list[TurnTold], cue: str) -> Signal | None:
        """A cue of being stuck, summed over turns: hints add up too."""
        shown = [(turn, self._hint(turn.cue(cue))) for turn in turns if not turn.pressed]
        shown = [(turn, grade) for turn, grade in shown if grade]
        return self._signal(name, reason, (turn for turn, _ in shown), sum(grade for _, grade in shown))

    def _unsolved(self, turns: list[TurnTold], stuck: list[TurnTold]) -> Signal | None:
        """Steps that did not help: by the cue, or because something is "still" so after the first message."""
        shown = []
        for turn in stuck:
            still = turn is not turns[0] and not turn.pressed and speaks_of("still", turn.text)
            grade = max(self._hint(turn.cue("unsolved")), 0.6 if still else 0.0)
            if grade:
                shown.append((turn, grade))
        return self._signal(
            "unsolved", "repeated_failure", (turn for turn, _ in shown), sum(grade for _, grade in shown)
        )

    def _told_often(self, now: TurnTold) -> Signal | None:
        often = not now.pressed and speaks_of("told_often", now.text)
        return self._signal("told_often", "repeated_failure", [now], float(often))

    def _tried_all(self, stuck: list[TurnTold]) -> Signal | None:
        """Everything there is to try was tried."""
        shown = [turn for turn in stuck if not turn.pressed and speaks_of("tried_all", turn.text)]
        return self._signal("tried_all", "repeated_failure", shown, float(bool(shown)))

    def _broken_word(self, now: TurnTold) -> Signal | None:
        """What the company had promised by a time did not come."""
        grade = 0.0 if now.pressed else self._grade(now.cue("broken_word"))
        if self._tells_broken_word(now):
            grade = 1.0
        return self._signal("broken_word", "broken_promise", [now], grade)

    def _tells_broken_word(self, now: TurnTold) -> bool:
        """Is it told what was promised, and how long ago?"""
        return not now.pressed and now.cue("broken_word") >= _HINT and speaks_of("broken_word", now.text)

    def _steps(self, stuck: list[TurnTold]) -> Signal | None:
        """Steps taken without success so far."""
        taken = frozenset(step for turn in stuck for step in turn.tried)
        return self._signal(
            "steps_taken", "repeated_failure", (turn for turn in stuck if turn.tried), min(_STEPS, len(taken))
        )

    def _person(self, now: TurnTold) -> Signal | None:
        """Asked by button or in certain words; in others when the two models of intents and of cues agree.

        What a form asked for ("个人" for an invoice's title) asks for nobody.
        """
        asked, chance = now.intent == "request_human", now.cue("person")
        fills_in = now.in_form and now.intent == "inform"
        if asked and (now.pressed or wants_person(now.text)):
            grade = 1.0
        elif now.pressed or fills_in or declines(now) or now.cue("no_person") > max(_HINT, chance):
            grade = 0.0
        else:
            grade = 1.0 if chance >= (self._likely_at if asked else _ASKS_SURELY) else 0.5 * (chance >= self._likely_at)
        return self._signal("asked_for_person", "asked_for_person", [now], grade)

    def _safety(self, now: TurnTold) -> Signal | None:
        if now.pressed:
            return None
        danger, asked = now.cue("danger"), now.cue("danger_asked")
        hinted = danger >= _TRACE and any(speaks_of(kind, now.text) for kind in ("hurt", *_DANGERS))
        if speaks_of("safety", now.text):
            in_fun = danger < _TRACE and now.cue("strong_words") >= self._sure_at
            only_asked = danger < _TRACE and asked >= self._likely_at and speaks_of("asking", now.text)
            grade = float(not only_asked and not in_fun)
        elif denies_danger(now.text):
            grade = float(danger >= _CERTAIN)
        elif now.cue("strong_words") >= self._likely_at and danger < _HINT:
            grade = 0.0
        else:
            told = danger >= self._danger_at and asked < danger
            grade = float(told or (hinted and asked < self._likely_at))
        return self._signal("safety", "safety", [now], grade)

    def _backed(self, told: float, asked: float) -> float:
        """How much a certain wording counts: whole when the cues agree, a half when silent, nothing when against it."""
        if asked >= max(self._likely_at, told):
            return 0.0
        return 1.0 if told >= _TRACE else 0.5

    def _policy(self, turns: list[TurnTold]) -> Signal | None:
        """A matter that is a person's: said clearly now, or hinted at more than once of late."""
        shown = []
        for turn in turns[-_PILING_UP:]:
            chance = turn.cue("personal_matter")
            grade = 1.0 if chance >= self._sure_at else chance if chance >= _HINT else 0.0
            if speaks_of("policy", turn.text):
                grade = max(grade, self._backed(turn.cue("personal_matter"), turn.cue("policy_asked")))
            if speaks_of("person_only", turn.text):
                grade = 1.0
            if grade and not turn.pressed:
                shown.append((turn, grade))
        if not shown or shown[-1][0] is not turns[-1]:
            return None
        return self._signal(
            "policy_topic", "policy_topic", [turn for turn, _ in shown], min(1.0, sum(grade for _, grade in shown))
        )

    def _wishes(self, turns: list[TurnTold]) -> Signal | None:
        """Three things at once; half as much when several pile up on those of the last messages."""
        now, lately = turns[-1], turns[-_PILING_UP:]
        piled = frozenset(subject for turn in lately for subject in turn.subjects)
        listed = len(now.subjects) >= 2 and speaks_of("listed", now.text)
        many = len(now.subjects) >= 3 and not speaks_of("two_things", now.text)
        if not now.pressed and (many or listed or speaks_of("several", now.text)):
            return self._signal("many_wishes", "complex", [now], 1.0)
        if len(now.subjects) >= 2 and len(piled) >= 3:
            return self._signal("many_wishes", "complex", [turn for turn in lately if turn.subjects], 0.5)
        return None

    def _child_alone(self, turns: list[TurnTold]) -> Signal | None:
        """A child writes, and is alone, shut out, afraid or cannot read what is there."""
        typed = [turn for turn in turns if not turn.pressed]
        signs = [[turn for turn in typed if speaks_of(sign, turn.text)] for sign in ("child", "helpless")]
        shown = [turn for turn in typed if any(turn in sign for sign in signs)]
        return self._signal("child_alone", "emotion", shown, float(all(signs)))

    def _heading(self, turns: list[TurnTold], certain: bool) -> Signal | None:
        """What became of talks like this one: a person, or an end without one, which what is `certain` outweighs."""
        now, typed = turns[-1], [turn.text for turn in turns if not turn.pressed]
        if self._course is None or now.pressed:
            return None
        heading = self._course.heading(typed)
        person = heading.leaning - _FOR_A_PERSON
        if person > 0 and not (heading.reason == "asked_for_person" and declines(now)):
            return self._signal("like_handed_over", heading.reason, [now], min(person, _MOST_FOR_ONE))
        spoken = any(speaks_of(topic, now.text) for topic in _SPEAKING_FOR_ONE)
        settled = (_SPOKEN_AGAINST_ONE if spoken else _AGAINST_ONE) - heading.leaning
        if settled > 0 and not certain:
            return self._signal("like_settled", heading.reason, [now], -min(settled, _MOST_AGAINST_ONE))
        return None

    def _feelings(self, turns: list[TurnTold]) -> list[Signal | None]:
        """The strongest feeling of this turn, and how it has built up; two signs of one feeling count once."""
        now = turns[-1]
        name, times = self._feeling(now)
        too_early = now.intent in _CLOSINGS and all(turn.intent in _COURTESIES for turn in turns[:-1])
        plain_no = now.intent == "deny" and len(turns) > 1 and turns[-2].yes_or_no
        if name == "despair" and (too_early or plain_no):
            times = 0.0  # "never mind" before anything went wrong, or as the answer to "shall I?"
        before = [turn for turn in turns[-_COURSE:-1] if self._feeling(turn)[1]]
        complaints = [turn for turn in turns if self._complains(turn)]
        return [
            self._signal(name, "emotion", [now], times),
            self._signal("dissatisfied", "emotion", [now], float(self._dissatisfied(turns))),
            self._signal("rising_anger", "emotion", before, min(2, len(before)) if times else 0),
            self._signal("complaint", "emotion", complaints, len(complaints) if now in complaints else 0),
        ]

    def _feeling(self, turn: TurnTold) -> tuple[str, float]:
        """The name of the weightiest feeling in a turn, and how clear it is (0: none)."""
        label, score = turn.emotion.get("label"), float(turn.emotion.get("score", 0.0))
        swears = label == "abusive" and score >= _SWEARING
        furious = self._furious(turn)
        if turn.pressed or self._harmless(turn, swears, furious):
            return "displeased", 0.0
        mildness = 0.5 if label == "pleased" and turn.cue("bitter") < _CERTAIN else 1.0
        quiet = 0.5 if label == "calm" and score >= _SURELY_CALM and turn.cue("despair") < _CERTAIN else 1.0
        kinds = {
            "despair": max(
                float(bool(turn.emotion.get("despair"))),
                self._grade(turn.cue("despair")) * quiet,
                float(speaks_of("grief", turn.text)),
            ),
            "abusive": 1.0 if swears and turn.cue("strong_words") >= _HINT else self._felt(label == "abusive", turn),
            "angry": max(
                self._felt(label == "angry" and score >= self._angry_at and self._enraged(turn), turn),
                self._grade(turn.cue("angry")),
                float(furious),
            ),
            "bitter": max(0.5 * (label == "sarcastic"), self._grade(turn.cue("bitter")) * mildness),
            "displeased": float(label in _DISPLEASED),
        }
        return max(kinds.items(), key=lambda kind: self._weights.get(kind[0], 0.0) * kind[1])

    def _harmless(self, turn: TurnTold, swears: bool, furious: bool) -> bool:
        """Are strong words said in fun, or at oneself?"""
        earnest = max(turn.cue("angry"), turn.cue("bitter"))
        in_fun = turn.cue("strong_words") >= max(self._likely_at, earnest - _AS_LIKELY)
        curses_us = swears and turn.cue("strong_words") < self._sure_at
        at_others = turn.cue("strong_words") >= self._sure_at and turn.cue("angry") < _HINT
        return speaks_of("self_blame", turn.text) or (in_fun and (at_others or not furious) and not curses_us)

    def _furious(self, turn: TurnTold) -> bool:
        """Whether the reader of emotions is so sure of so much anger that no cue can make it harmless."""
        sure = float(turn.emotion.get("score", 0.0)) >= _CERTAIN
        malcontent = float(turn.emotion.get("satisfaction", 0.0)) <= _FURIOUS
        return turn.emotion.get("label") in ("angry", "abusive") and sure and malcontent

    def _enraged(self, turn: TurnTold) -> bool:
        return float(turn.emotion.get("satisfaction", -2)) <= self._enraged_at

    def _dissatisfied(self, turns: list[TurnTold]) -> bool:
        """Whether the course of the conversation, not one message of it, leaves the customer dissatisfied."""
        told = [
            {"text": turn.text, "emotion": turn.emotion}
            for turn in turns
            if not turn.pressed and "satisfaction" in turn.emotion
        ]
        return len(told) >= _A_COURSE and dissatisfaction(told) >= self._dissatisfied_at

    def _complains(self, turn: TurnTold) -> bool:
        """Does the turn complain, in other ways than of what counts as a matter for a person already?"""
        apart = turn.cue("personal_matter") < self._likely_at
        return turn.intent == "complain" and apart and _sounds_displeased(turn)

    def _felt(self, there: bool, turn: TurnTold) -> float:
        """A feeling that words tell: whole when the cues agree, a half when they do not."""
        return 0.0 if not there else 1.0 if _sounds_displeased(turn) else 0.5

    def _failures(self, turns: list[TurnTold], form: bool) -> Signal | None:
        """Turns in a row that the bot did not understand, this one included when it is about to fail."""
        now = turns[-1]
        if not (now.failed or (not now.said and now.intent == FALLBACK and not form)):
            return None
        row = [now]
        for turn in reversed(turns[:-1]):
            if not turn.failed:
                break
            row.insert(0, turn)
        return self._signal("failed_turn", "repeated_failure", row, len(row))

    def _same_again(self, turns: list[TurnTold]) -> Signal | None:
        """The same thing said before, in the same or in other words, or a part of it with emphasis ("I said Android").

        It counts half when only the customer says so.
        """
        now = turns[-1]
        comparable = now.intent != "inform" and len(letters(now.text)) >= _SAME_LENGTH
        insists = now.intent not in (*_COURTESIES, *_CLOSINGS) and insisted_on(now.text)
        if now.pressed or not (comparable or insists):
            return None
        before = [turn for turn in turns[-_REMEMBERED_TURNS:-1] if not turn.pressed]
        same = [
            turn for turn in before if (comparable and _same(turn, now)) or (insists and insists in letters(turn.text))
        ]
        says_so = len(turns) > 1 and speaks_of("restates", now.text)
        return self._signal("same_again", "repeated_failure", [*same, now], len(same) or 0.5 * says_so)

    def _bot_repeating(self, turns: list[TurnTold]) -> Signal | None:
        """Explanations that the bot gave before."""
        now = turns[-1]
        if now.intent in _COURTESIES:
            return None
        before = [text for turn in turns[-_REMEMBERED_TURNS:-1] for text in turn.said]
        times = max((_times(text, before) for text in now.said if len(text) >= _EXPLANATION_LENGTH), default=0)
        return self._signal("bot_repeating", "bot_repeating", [now], min(_MOST_REPEATS, times))


def since_progress(turns: list[TurnTold], sure_at: float) -> list[TurnTold]:
    """The turns after the last one that got somewhere; none when this one did."""

    def got_somewhere(turn: TurnTold) -> bool:
        stuck = max(turn.cue(cue) for cue in ("unsolved", "misunderstood", "loop", "lost", "despair"))
        works = turn.cue("progress")
        return works >= sure_at and (stuck < _STILL_STUCK or works >= stuck + _CLEARLY_MORE)

    last = max((index for index, turn in enumerate(turns) if got_somewhere(turn)), default=-1)
    return turns[last + 1 :]


def declines(turn: TurnTold) -> bool:
    """Does the customer say that no person is needed?"""
    return not turn.pressed and not wants_person(turn.text) and refuses_person(turn.text)


def _sounds_displeased(turn: TurnTold) -> bool:
    return max(turn.cue(cue) for cue in _DISPLEASED_CUES) >= _TRACE


def _same(one: TurnTold, other: TurnTold) -> bool:
    if likeness(one.text, other.text) >= _SAME_LIKENESS:
        return True
    comparable = len(letters(one.text)) >= _SAME_LENGTH and one.intent == other.intent != FALLBACK
    near = _RESTATED_NEARNESS if speaks_of("restates", other.text) else _SAME_NEARNESS
    return comparable and nearness(one.text, other.text) >= near


def _times(text: str, before: list[str]) -> int:
    return sum(other == text or likeness(other, text) >= _EXPLANATION_LIKENESS for other in before)
