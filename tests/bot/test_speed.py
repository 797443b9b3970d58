"""Rasa with its patches does what it does without them, and says so when it no longer looks as they expect."""

import json
import random
import subprocess
import sys
import tarfile
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from jsonschema import ValidationError
from rasa.core.actions.action import RemoteAction
from rasa.core.policies.rule_policy import RulePolicy
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActiveLoop,
    BotUttered,
    Event,
    FollowupAction,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

from bot import speed
from bot.server import tensorflow_free
from bot.speed import action_results, event_types, rules
from bot.speed.patch import Patch
from bot.trackers import STATES_KEPT, LiveTracker

ROOT = Path(__file__).resolve().parents[2]


def test_every_patch_fits_the_installed_rasa() -> None:
    """In a process of its own: in this one, others may have applied them already."""
    code = "from bot import speed; print({p.name: f for p in speed.PATCHES if (f := speed.fits(p))})"
    asked = subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert asked.stdout.strip().splitlines()[-1:] == ["{}"], asked.stdout + asked.stderr[-2000:]


def test_a_patch_that_does_not_fit_is_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    applied: list[str] = []
    odd = Patch("Something", {"rasa.core.processor.MessageProcessor.nothing": "0"}, lambda: applied.append("odd"))
    changed = Patch("Another", {"rasa.core.processor": "other"}, lambda: applied.append("changed"))
    monkeypatch.setattr(speed, "PATCHES", (odd, changed))
    assert speed.apply() == [] and applied == []
    assert "rasa.core.processor.MessageProcessor.nothing looks different" in caplog.text


class TestRules:
    @pytest.fixture(scope="class")
    def lookup(self, model: Path) -> dict[str, str]:
        with tarfile.open(model) as archive:
            name = next(name for name in archive.getnames() if name.endswith("rule_policy.json"))
            content = json.load(archive.extractfile(name))  # type: ignore[arg-type]
        return dict(content.get("lookup", content)["rules"])

    def test_no_rule_looks_back_further_than_a_tracker_does(self, lookup: dict[str, str]) -> None:
        assert max(len(json.loads(key)) for key in lookup) < STATES_KEPT

    def test_the_same_rules_are_found(self, lookup: dict[str, str]) -> None:
        policy = RulePolicy.__new__(RulePolicy)
        original = RulePolicy._get_possible_keys
        chance = random.Random(7)
        states = [state for key in lookup for state in json.loads(key)]
        parts = {name: [state[name] for state in states if name in state] for name in ("prev_action", "user", "slots")}
        found = 0
        for number in range(1500):
            talk = [self._state(chance, parts, number) for _ in range(chance.randint(1, 5))]
            expected = original(policy, lookup, talk)
            assert rules._get_possible_keys(policy, lookup, talk) == expected, talk
            found += bool(expected)
        assert found > 300

    @staticmethod
    def _state(chance: random.Random, parts: dict[str, list[Any]], number: int) -> dict[str, Any]:
        state = {name: chance.choice(choices) for name, choices in parts.items() if chance.random() < 0.8}
        if number % 3 == 0:
            state["prev_action"] = {"action_name": "action_listen"}
        if "slots" in state:
            state["slots"] = {name: tuple(value) for name, value in state["slots"].items() if isinstance(value, list)}
        return state


class TestActionResults:
    @pytest.mark.parametrize(
        "result",
        [
            {},
            {"events": [], "responses": []},
            {"events": [{"event": "slot", "timestamp": None, "name": "os", "value": [1, {"a": 2}]}]},
            {"events": [{"event": "followup", "timestamp": None, "name": "action_listen"}], "responses": [{}]},
            {"events": [{"event": "action", "name": "a", "policy": None, "confidence": None}]},
            {"events": {}},
            {"events": [{"name": "os"}]},
            {"events": ["slot"]},
            {"events": [{"event": "slot", "name": 5, "value": 1}]},
            {"events": [{"event": "slot", "value": 1}]},
            {"events": [{"event": "no such event"}]},
            {"events": [{"event": ["slot"]}]},
            {"responses": ["hello"]},
            {"responses": "hello"},
        ],
    )
    def test_the_same_verdict(self, result: dict[str, Any]) -> None:
        action = RemoteAction("action_x", None)
        try:
            RemoteAction._validate_action_result(action, result)
        except ValidationError:
            with pytest.raises(ValidationError, match="make sure your response"):
                action_results._validate(action, result)
        else:
            assert action_results._validate(action, result)


def test_every_event_is_found_by_its_name() -> None:
    for cls, _ in product((SlotSet, UserUttered, BotUttered, ActionExecuted, SessionStarted), range(2)):
        assert event_types.resolve_by_type(cls.type_name) is cls
    with pytest.raises(ValueError, match="Unknown event"):
        event_types.resolve_by_type("nothing")
    assert event_types.resolve_by_type("nothing", SlotSet) is SlotSet
    assert event_types.resolve_by_type("topic") is None


class TestTracker:
    DOMAIN = Domain.from_yaml(
        """
version: "3.1"
intents: [inform, greet]
entities: [os]
slots:
  os: {type: text, influence_conversation: true, mappings: [{type: custom}]}
  mood: {type: categorical, values: [good, bad], mappings: [{type: custom}]}
forms: {form: {required_slots: [os]}}
actions: [action_a, action_b]
"""
    )

    def _random(self, chance: random.Random, length: int) -> list[Event]:
        listen = ActionExecuted("action_listen")
        events: list[Event] = [ActionExecuted("action_session_start"), SessionStarted(), listen]
        for _ in range(length):
            intent = {"name": chance.choice(["inform", "greet"])}
            events.append(UserUttered("hi", intent, [{"entity": "os", "value": "x"}]))
            if chance.random() < 0.5:
                events.append(SlotSet(chance.choice(["os", "mood"]), chance.choice(["good", "bad", None])))
            if chance.random() < 0.3:
                events += [ActionExecuted("form"), ActiveLoop(chance.choice(["form", None]))]
            events += [ActionExecuted(chance.choice(["action_a", "action_b"])), BotUttered("ok")]
            events.append(ActionExecuted("action_listen"))
        return events

    def test_states_and_copies_are_rasas(self) -> None:
        chance = random.Random(3)
        for length in (0, 1, 3, 6, 15):
            plain = DialogueStateTracker("c", self.DOMAIN.slots)
            live = LiveTracker("c", self.DOMAIN.slots)
            for event in self._random(chance, length):
                plain.update(event, self.DOMAIN)
                live.update(event, self.DOMAIN)
                assert live.past_states(self.DOMAIN) == plain.past_states(self.DOMAIN)[-STATES_KEPT:]
            assert live.applied_events() == plain.applied_events()
            twin = live.copy()
            assert twin.current_state() == live.current_state()
            twin.update_with_events([SlotSet("os", "new"), FollowupAction("action_a")], self.DOMAIN)
            assert live.get_slot("os") != "new" and len(twin.events) == len(live.events) + 2
            live.past_states(self.DOMAIN)[-1].clear()
            assert live.past_states(self.DOMAIN) == plain.past_states(self.DOMAIN)[-STATES_KEPT:]


class TestWithoutTensorFlow:
    def test_what_needs_it_says_so(self) -> None:
        script = """
from pathlib import Path
from bot.server import tensorflow_free
assert tensorflow_free.leave_out(Path("/no/such/model"))
import rasa.core.agent
for name in ("rasa.core.policies.ted_policy", "rasa.nlu.classifiers.diet_classifier"):
    try:
        __import__(name)
    except tensorflow_free.MissingTensorFlowError as error:
        print("BOT_TENSORFLOW" in str(error))
"""
        words = [sys.executable, "-W", "ignore", "-c", script]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
        assert done.stdout.split() == ["True", "True"], done.stderr[-2000:]

    def test_our_model_needs_none(self, model: Path) -> None:
        assert tensorflow_free.components_that_may_need_it(model) == []

    def test_a_model_with_diet_does(self, model: Path, tmp_path: Path) -> None:
        with tarfile.open(model) as archive:
            metadata = json.load(archive.extractfile("metadata.json"))  # type: ignore[arg-type]
        diet = "rasa.nlu.classifiers.diet_classifier.DIETClassifier"
        next(iter(metadata["predict_schema"]["nodes"].values()))["uses"] = diet
        (tmp_path / "metadata.json").write_text(json.dumps(metadata))
        with tarfile.open(tmp_path / "diet.tar.gz", "w:gz") as archive:
            archive.add(tmp_path / "metadata.json", "metadata.json")
        assert tensorflow_free.components_that_may_need_it(tmp_path / "diet.tar.gz") == [diet]
        assert not tensorflow_free.leave_out(tmp_path / "diet.tar.gz")
