"""How a text model's weights are found: logistic regression, discriminant analysis, likeness, and how to mix them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from scipy.optimize import minimize
from sklearn.model_selection import StratifiedKFold

# Fewer texts than this are told apart in five rounds, each with a fifth unseen; more of them in one round.
MANY_TEXTS = 1000
ROUNDS = 5
SEED = 7
# Steps towards the weights: of the rounds, which only tell how to mix, and of the final weights.
STEPS_IN_ROUNDS, STEPS = 40, 60
SHRINKAGE = 0.6


@dataclass(frozen=True)
class Features:
    """The two groups of features of some texts, one row a text: n-grams (sparse) and sentence vectors (dense)."""

    grams: sparse.csr_matrix
    dense: np.ndarray

    @property
    def width(self) -> int:
        """Number of features."""
        return int(self.grams.shape[1] + self.dense.shape[1])

    def rows(self, chosen: np.ndarray) -> "Features":
        """The features of some of the texts."""
        return Features(self.grams[chosen], self.dense[chosen])


@dataclass(frozen=True)
class Weights:
    """A linear model: one row a feature, one column a label, and a bias for each label."""

    matrix: np.ndarray
    bias: np.ndarray

    def scores(self, features: Features) -> np.ndarray:
        """One row of scores over the labels for each text."""
        grams = features.grams.shape[1]
        return np.asarray(features.grams @ self.matrix[:grams]) + features.dense @ self.matrix[grams:] + self.bias

    def mixed(self, own: float, other: "Weights", share: float) -> "Weights":
        """The weights whose scores are `own` times these and `share` times the other's."""
        return Weights(own * self.matrix + share * other.matrix, own * self.bias + share * other.bias)


def softmax(scores: np.ndarray) -> np.ndarray:
    """Probabilities out of scores, a row a text."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def fit(
    features: Features,
    numbers: np.ndarray,
    labels: int,
    strength: float,
    likeness: Callable[[np.ndarray, np.ndarray], np.ndarray],
    kept: int = 0,
    balanced: bool = False,
) -> tuple[Weights, float]:
    """Weights for texts of the labels `numbers`, and how much the likeness to the nearest known text adds to their
    scores: logistic regression, discriminant analysis and likeness, mixed so that texts unseen in training get honest
    probabilities.

    `likeness(seen, held)` tells how near the rows `held` come to each label's rows among `seen`. `strength` is the
    inverse of the regularisation; the last `kept` rows are always trained on; `balanced` gives rare labels as much
    weight as frequent ones.
    """
    per_row = _balance(numbers, labels) if balanced else np.ones(len(numbers), dtype=np.float32)
    logistic = None
    scores: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    targets: list[np.ndarray] = []
    for seen, held in _rounds(numbers, labels, kept):
        logistic = regression(features.rows(seen), numbers[seen], per_row[seen], labels, strength, STEPS_IN_ROUNDS)
        discriminant = _discriminant(features.rows(seen), numbers[seen], labels)
        unseen = features.rows(held)
        scores.append((logistic.scores(unseen), discriminant.scores(unseen), likeness(seen, held)))
        targets.append(numbers[held])
    start = logistic if len(scores) == 1 else None
    logistic = regression(features, numbers, per_row, labels, strength, STEPS, start)
    if not scores:
        return logistic, 0.0
    own, share, near = _shares(*(np.concatenate(kind) for kind in zip(*scores, strict=True)), np.concatenate(targets))
    return logistic.mixed(own, _discriminant(features, numbers, labels), share), near


def _rounds(numbers: np.ndarray, labels: int, kept: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Row numbers to train on and to hold back; none where there are too few texts to hold any back."""
    rows, always = np.arange(len(numbers) - kept), np.arange(len(numbers) - kept, len(numbers))
    if np.bincount(numbers[rows], minlength=labels).min() < ROUNDS:
        return
    folds = StratifiedKFold(ROUNDS, shuffle=True, random_state=SEED).split(rows, numbers[rows])
    for number, (seen, held) in enumerate(folds):
        if number == 0 or len(rows) < MANY_TEXTS:
            yield np.concatenate([seen, always]), held


def _balance(numbers: np.ndarray, labels: int) -> np.ndarray:
    counts = np.bincount(numbers, minlength=labels)
    shares = len(numbers) / (np.maximum(counts, 1) * max(1, (counts > 0).sum()))
    return np.asarray(shares[numbers], dtype=np.float32)


def regression(
    features: Features,
    numbers: np.ndarray,
    per_row: np.ndarray,
    labels: int,
    strength: float,
    steps: int,
    start: Weights | None = None,
) -> Weights:
    """Multinomial logistic regression by L-BFGS in at most `steps` from `start` on; `per_row` is the weight of each
    text and `strength` the inverse of the regularisation.
    """
    rows, width = len(numbers), features.width
    one_hot = np.zeros((rows, labels), dtype=np.float32)
    one_hot[np.arange(rows), numbers] = 1.0
    transposed = features.grams.T.tocsr()

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = _weights(flat, width, labels)
        chances = softmax(weights.scores(features))
        error = (chances - one_hot) * per_row[:, None]
        gradient = np.concatenate([transposed @ error, features.dense.T @ error]) + weights.matrix / strength
        likelihood = -(per_row * np.log(np.maximum(chances[np.arange(rows), numbers], 1e-12))).sum()
        value = float(likelihood) + 0.5 / strength * float((weights.matrix * weights.matrix).sum())
        return value, np.concatenate([gradient.ravel(), error.sum(axis=0)]).astype(np.float64)

    first = np.zeros(width * labels + labels)
    if start is not None:
        first = np.concatenate([start.matrix.ravel(), start.bias]).astype(np.float64)
    found = minimize(loss, first, jac=True, method="L-BFGS-B", options={"maxiter": steps, "maxcor": 6, "ftol": 1e-5})
    return _weights(found.x, width, labels)


def _weights(flat: np.ndarray, width: int, labels: int) -> Weights:
    single = flat.astype(np.float32)
    return Weights(single[: width * labels].reshape(width, labels), single[width * labels :])


def _discriminant(features: Features, numbers: np.ndarray, labels: int) -> Weights:
    """Discriminant analysis of the sentence vectors, its covariance shrunk to a sphere; n-grams get no weight."""
    dense, size = features.dense.astype(np.float64), features.dense.shape[1]
    matrix = np.zeros((features.width, labels), dtype=np.float32)
    if not size:
        return Weights(matrix, np.zeros(labels, dtype=np.float32))
    counts = np.maximum(np.bincount(numbers, minlength=labels), 1)
    means = np.zeros((labels, size))
    np.add.at(means, numbers, dense)
    means /= counts[:, None]
    spread = dense - means[numbers]
    covariance = spread.T @ spread / max(1, len(numbers) - labels)
    sphere = np.trace(covariance) / size * np.eye(size)
    directions = np.linalg.solve((1 - SHRINKAGE) * covariance + SHRINKAGE * sphere + 1e-9 * np.eye(size), means.T)
    matrix[features.grams.shape[1] :] = directions
    return Weights(matrix, (-0.5 * (means * directions.T).sum(axis=1)).astype(np.float32))


def _shares(
    logistic: np.ndarray, discriminant: np.ndarray, nearness: np.ndarray, numbers: np.ndarray
) -> tuple[float, float, float]:
    """How much of each one's scores gives unseen texts the likeliest probabilities."""
    spread = max(float(discriminant.std()), 1e-9)
    scaled, rows = discriminant / spread, np.arange(len(numbers))

    def loss(logs: np.ndarray) -> float:
        own, share, near = np.exp(logs)
        chances = softmax(own * logistic + share * scaled + near * nearness)
        return float(-np.log(np.maximum(chances[rows, numbers], 1e-9)).mean())

    found = minimize(loss, np.array([0.0, -1.0, 1.5]), method="Nelder-Mead", options={"xatol": 0.01, "fatol": 1e-5})
    own, share, near = np.exp(found.x)
    return float(own), float(share / spread), float(near)
