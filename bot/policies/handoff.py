"""The policy that decides when a person takes over. It reads the whole conversation, not one message."""

from typing import Any

from rasa.core.featurizers.tracker_featurizers import TrackerFeaturizer
from rasa.core.policies.policy import Policy, PolicyPrediction
from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import SlotSet
from rasa.shared.core.generator import TrackerWithCachedStates
from rasa.shared.core.trackers import DialogueStateTracker

from bot.policies.assessment import Assessor
from bot.policies.course import Course, talks
from bot.policies.told import HAND_OFF

SLOT = "handoff"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=True)
class HandoffPolicy(Policy):
    """Forces `action_hand_off` over rules and running forms when the signs weigh enough, and listening after it."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Thresholds and weights; what each means is told in config.yml."""
        return {
            "priority": 50,
            "hand_over_at": 1.0,
            "offer_at": 0.45,
            "offer_pause": 3,
            "angry_at": 0.7,
            "enraged_at": -1.4,
            "dissatisfied_at": 0.82,
            "likely_at": 0.35,
            "sure_at": 0.65,
            "danger_at": 0.5,
            "weights": {
                "asked_for_person": 1.0,
                "safety": 1.0,
                "policy_topic": 1.15,
                "many_wishes": 1.0,
                "child_alone": 1.0,
                "despair": 1.0,
                "abusive": 1.0,
                "angry": 1.0,
                "bitter": 0.95,
                "displeased": 0.14,
                "rising_anger": 0.32,
                "dissatisfied": 0.25,
                "complaint": 0.45,
                "failed_turn": 0.44,
                "same_again": 0.5,
                "bot_repeating": 0.2,
                "customer_sees_loop": 0.9,
                "unsolved": 0.36,
                "told_often": 1.0,
                "tried_all": 0.6,
                "broken_word": 1.0,
                "steps_taken": 0.09,
                "misunderstood": 0.32,
                "refuses": 0.5,
                "lost": 0.25,
                "like_handed_over": 1.0,
                "like_settled": 0.6,
            },
        }

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        featurizer: TrackerFeaturizer | None = None,
        course: Course | None = None,
    ) -> None:
        """A policy with the settings of config.yml; raises ValueError for a weight that it does not know."""
        super().__init__(config, model_storage, resource, execution_context, featurizer)
        known = self.get_default_config()["weights"]
        unknown = sorted(set(config["weights"]) - set(known))
        if unknown:
            raise ValueError(
                f"config.yml: HandoffPolicy has no weight {', '.join(unknown)}; it knows {', '.join(sorted(known))}."
            )
        self._course = course
        self._assessor = Assessor(config, course)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> "HandoffPolicy":
        """The policy with the course of talks that was learnt in training."""
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, execution_context, course=Course.load(folder))

    @property
    def assessor(self) -> Assessor:
        """What scores conversations by the present settings."""
        return self._assessor

    def use(self, settings: dict[str, Any]) -> None:
        """Decide by other settings than those that the model was trained with."""
        self._assessor = Assessor(settings, self._course)

    def train(self, training_trackers: list[TrackerWithCachedStates], domain: Domain, **kwargs: Any) -> Resource:
        """Learn where talks are heading; the weights are the designers'."""
        if HAND_OFF not in domain.action_names_or_texts:
            raise ValueError(f"domain.yml does not list {HAND_OFF}, without which nobody can be handed over.")
        course = Course.learn(talks())
        with self._model_storage.write_to(self._resource) as folder:
            course.save(folder)
        return self._resource

    def predict_action_probabilities(
        self,
        tracker: DialogueStateTracker,
        domain: Domain,
        rule_only_data: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> PolicyPrediction:
        """Force the handoff or the listening after it; otherwise stand back, without any flag that outvotes others."""
        if tracker.latest_action_name == HAND_OFF:
            return self._force(ACTION_LISTEN_NAME, domain)
        if tracker.latest_message is None or not tracker.latest_message.metadata or tracker.get_slot(SLOT):
            return self._prediction(self._default_predictions(domain))
        assessment = self._assessor.assess(tracker)
        if not assessment.hands_over:
            return self._prediction(self._default_predictions(domain))
        return self._force(HAND_OFF, domain, [SlotSet(SLOT, assessment.handoff())])

    def _force(self, action: str, domain: Domain, events: list[SlotSet] | None = None) -> PolicyPrediction:
        probabilities = self._default_predictions(domain)
        probabilities[domain.index_for_action(action)] = 1.0
        return self._prediction(probabilities, events=list(events or []), is_no_user_prediction=True)
