"""The trained part of reading a feeling: a linear model of the text, then a small one that weighs it with its words."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from bot.nlu.emotion_words import Evidence, evidence
from bot.nlu.lookups import read_yaml
from bot.nlu.model import TextModel

LABELS = ("calm", "pleased", "anxious", "disappointed", "angry", "abusive", "sarcastic")
SATISFACTION = (-2, -1, 0, 1, 2)

_FOLDS = 3
_TINY = 1e-4


@dataclass(frozen=True)
class Example:
    """A message of `bot/data/emotion`: its feeling and how content the customer is with the service, -2 to 2."""

    text: str
    label: str
    satisfaction: int

    @property
    def both(self) -> str:
        """Feeling and satisfaction as one label."""
        return f"{self.label}/{self.satisfaction}"


@dataclass(frozen=True)
class Judgement:
    """The chance of each of `LABELS` (their sum is 1), the satisfaction expected (-2 to 2), and what the words tell."""

    chances: dict[str, float]
    satisfaction: float
    evidence: Evidence


def read_examples(folder: Path) -> list[Example]:
    """The messages of all files of a folder; raises ValueError for a feeling or degree that does not exist."""
    examples = []
    for path in sorted(folder.glob("*.yml")):
        for label, degrees in read_yaml(path).items():
            for degree, messages in degrees.items():
                if label not in LABELS or degree not in SATISFACTION:
                    raise ValueError(f"{path.name}: there is no feeling {label} with satisfaction {degree}.")
                examples += [Example(text.strip(), label, degree) for text in messages.splitlines() if text.strip()]
    if not examples:
        raise ValueError(f"There are no messages in {folder}.")
    return examples


class EmotionModel:
    """Judges messages. The second step is fitted on messages that the first has not seen, so its chances are true."""

    def __init__(self, weights: dict[str, float]) -> None:
        """An untrained model; `weights` scale the features `characters`, `words` and `sentence`."""
        self._weights = weights
        self._linear: TextModel | None = None
        self._feeling = np.zeros((0, 0), dtype=np.float32)
        self._satisfaction = np.zeros(0, dtype=np.float32)

    def train(self, examples: list[Example], strength: float) -> None:
        """Fit both steps. `strength` is the inverse of the first one's regularisation."""
        texts, targets = [example.text for example in examples], [example.both for example in examples]
        labels = sorted(set(targets))
        unseen = np.zeros((len(texts), len(labels)))
        folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=7)
        for seen, held in folds.split(texts, targets):
            linear = TextModel(labels, self._weights)
            linear.train([texts[i] for i in seen], [targets[i] for i in seen], strength, balanced=True)
            unseen[held] = linear.probabilities([texts[i] for i in held])
        rows = _rows(unseen, labels, [evidence(text) for text in texts])
        self._feeling = _weigh(rows, np.array([LABELS.index(example.label) for example in examples]), len(LABELS))
        degrees = np.array([SATISFACTION.index(example.satisfaction) for example in examples])
        self._satisfaction = _weigh(rows, degrees, len(SATISFACTION))
        self._linear = TextModel(labels, self._weights)
        self._linear.train(texts, targets, strength, balanced=True)

    def judge(self, texts: list[str]) -> list[Judgement]:
        """The judgement of each text."""
        if self._linear is None:
            raise RuntimeError("The model is not trained.")
        found = [evidence(text) for text in texts]
        rows = _rows(self._linear.probabilities(texts), self._linear.labels, found)
        chances = _chances(rows, self._feeling)
        satisfaction = _chances(rows, self._satisfaction) @ np.array(SATISFACTION)
        return [
            Judgement(dict(zip(LABELS, (float(value) for value in row), strict=True)), float(degree), told)
            for row, degree, told in zip(chances, satisfaction, found, strict=True)
        ]

    def save(self, folder: Path) -> None:
        """Write the model as plain arrays and JSON."""
        if self._linear is None:
            raise RuntimeError("The model is not trained.")
        self._linear.save(folder)
        np.savez_compressed(folder / "emotion.npz", feeling=self._feeling, satisfaction=self._satisfaction)
        (folder / "emotion.json").write_text(json.dumps(self._weights), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "EmotionModel":
        """Read a model that `save` wrote."""
        model = cls(json.loads((folder / "emotion.json").read_text(encoding="utf-8")))
        model._linear = TextModel.load(folder)
        with np.load(folder / "emotion.npz") as arrays:
            model._feeling, model._satisfaction = arrays["feeling"], arrays["satisfaction"]
        return model


def _rows(chances: np.ndarray, labels: list[str], found: list[Evidence]) -> np.ndarray:
    """What the second step reads: log chances of each feeling and degree, the evidence, and a one."""
    feelings = np.array([[label.startswith(f"{name}/") for name in LABELS] for label in labels])
    degrees = np.array([[label.endswith(f"/{degree}") for degree in SATISFACTION] for label in labels])
    sums = np.hstack([chances @ feelings, chances @ degrees])
    told = np.array([one.numbers() for one in found])
    return np.hstack([np.log(sums + _TINY), told, np.ones((len(found), 1))])


def _weigh(rows: np.ndarray, targets: np.ndarray, classes: int) -> np.ndarray:
    """The weights of a multinomial logistic regression, one column a class."""
    fitted = LogisticRegression(C=0.3, max_iter=500, fit_intercept=False).fit(rows, targets)
    weights = np.full((rows.shape[1], classes), 0.0, dtype=np.float32)
    weights[:, fitted.classes_] = fitted.coef_.T
    return weights


def _chances(rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    scores = rows @ weights
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
