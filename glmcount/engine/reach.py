"""How far a step moves the predictors at most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from glmcount.engine.block import Block
from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = ["Bound"]


@dataclass(frozen=True)
class Bound:
    """The blocks' bounds of the move of a predictor in one matrix.

    Parameters
    ----------
    matrix : ndarray, shape (levels of all blocks, p)
        By how much each level of each block moves at most.
    blocks, equations : ndarray of int, shape (blocks,) and (equations,)
        First row of each block, first block of each equation that has any.
    """

    matrix: Array
    blocks: NDArray[np.intp]
    equations: NDArray[np.intp]

    @staticmethod
    def of(
        equations: Sequence[Sequence[Block]], tables: Sequence[Array | None], size: int
    ) -> Bound | None:
        """Of the blocks of each equation; None where one has several numeric columns by level."""
        matrices: list[Array] = []
        first: list[int] = []
        begun: list[int] = []
        rows = 0
        spread = iter(tables)
        for own in equations:
            begun += [len(first)] if own else []
            for block in own:
                full = next(spread)
                if block.table is not None and block.v > 1:
                    return None
                table = np.diag(block.size) if full is None else full * block.size
                wide = np.zeros((len(table), size))
                wide[:, block.positions] = table
                # Numeric columns move each on its own, the levels of a factor one at a time.
                first += [rows] if block.table is not None else range(rows, rows + len(table))
                matrices.append(wide)
                rows += len(table)
        return Bound(np.concatenate(matrices), np.array(first), np.array(begun))
