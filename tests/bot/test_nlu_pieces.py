"""Products in pieces are the ordinary ones, however many rows there are."""

import numpy as np
import pytest

from bot.nlu.pieces import InPieces


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 13, 16, 40, 61, 62, 300])
@pytest.mark.parametrize(
    ("depth", "columns"), [(32, 5000), (128, 1000), (256, 256), (320, 512), (512, 768), (1280, 256)]
)
def test_products_are_the_ordinary_ones(rows: int, depth: int, columns: int) -> None:
    numbers = np.random.default_rng(depth + rows)
    left = numbers.standard_normal((rows, depth + 3), dtype=np.float32)[:, :depth]
    right = numbers.standard_normal((depth, columns), dtype=np.float32)
    product = left @ InPieces(right)
    assert product.shape == (rows, columns) and product.dtype == np.float32
    assert np.allclose(product, left @ right, atol=1e-3)
