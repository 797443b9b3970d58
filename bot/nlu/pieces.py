"""Products of a few rows with a big matrix, without copying the matrix first."""

import numpy as np

# OpenBLAS calls a product small up to so many multiplications, and takes its matrices as they lie then.
SMALL = 1_000_000
# Pieces of so many rows; narrower ones than this gain nothing.
DEPTH, NARROWEST, STEP = 256, 64, 32


class InPieces:
    """A matrix that is multiplied piece by piece, as `rows @ InPieces(matrix)`, when there are few rows.

    BLAS copies a big matrix into another order before it multiplies, which costs more than the product with the few
    rows that a short text has. With many rows the copy pays, and the product is the ordinary one.
    """

    # numpy leaves `rows @ pieces` to `__rmatmul__` then.
    __array_ufunc__ = None

    def __init__(self, matrix: np.ndarray) -> None:
        """`matrix`: rows to be multiplied and added up, columns to be kept."""
        self._matrix = matrix

    def __rmatmul__(self, rows: np.ndarray) -> np.ndarray:
        """The product of some rows with the matrix."""
        depth, columns = self._matrix.shape
        width = SMALL // max(1, len(rows) * min(depth, DEPTH)) // STEP * STEP
        if width < NARROWEST:
            return np.asarray(rows @ self._matrix)
        product = np.empty((len(rows), columns), dtype=np.result_type(rows, self._matrix))
        for column in range(0, columns, width):
            piece, matrix = product[:, column : column + width], self._matrix[:, column : column + width]
            np.matmul(rows[:, :DEPTH], matrix[:DEPTH], out=piece)
            for start in range(DEPTH, depth, DEPTH):
                piece += rows[:, start : start + DEPTH] @ matrix[start : start + DEPTH]
        return product
