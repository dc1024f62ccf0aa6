"""Linear hypotheses in words: the rows of R b = r as users would write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from glmcount.numerics import Array

__all__ = ["in_words", "sentences", "sums"]


def sentences(coefficients: Array, constants: Array, names: Sequence[str]) -> tuple[str, ...]:
    """Each row of R b = r as an equation, its parameters in their order.

    Parameters
    ----------
    coefficients : ndarray, shape (m, k)
    constants : ndarray, shape (m,)
    names : sequence of str

    Examples
    --------
    >>> sentences(np.array([[1.0, -1.0], [0.0, 0.5]]), np.array([0.0, 1.0]), ["a", "b"])
    ('a - b = 0', '0.5*b = 1')
    """
    pairs = zip(coefficients, constants, strict=True)
    return tuple([f"{_sum(row, names)} = {_number(value)}" for row, value in pairs])


def sums(coefficients: Array, names: Sequence[str]) -> tuple[str, ...]:
    """Each row of a matrix as a combination of parameters."""
    return tuple([_sum(row, names) for row in coefficients])


def in_words(hypothesis: Any, coefficients: Array, constants: Array, names: Sequence[str]) -> str:
    """A hypothesis as it was written; of a matrix or a mapping what its rows say."""
    if isinstance(hypothesis, str):
        return hypothesis
    return ", ".join(sentences(coefficients, constants, names))


def _number(value: float) -> str:
    # Minus zero is a zero too.
    return f"{value + 0.0:.6g}"


def _sum(row: Array, names: Sequence[str]) -> str:
    out = ""
    for j in np.flatnonzero(row).tolist():
        size = abs(row[j])
        term = names[j] if size == 1.0 else f"{_number(size)}*{names[j]}"
        if out:
            out += f" {'-' if row[j] < 0 else '+'} {term}"
        else:
            out = f"-{term}" if row[j] < 0 else term
    return out or "0"
