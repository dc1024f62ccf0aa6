"""Loops over rows for numba: what numpy does in several steps, in one and without the lock.

Sums are added up in the order of the rows, so that no digit depends on threads. Importing this
module imports numba: only `compiled.py` does so.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from glmcount.numerics import Array

__all__ = ["gather", "join", "look_up", "narrow", "scatter"]


def _as_pointer(context: Any, address: Any) -> Any:
    """An address as a pointer; numba has no list of arrays that costs nothing to pass."""

    def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.inttoptr(values[0], cgutils.voidptr_t)

    return types.voidptr(address), generate


_pointer: Any = intrinsic(_as_pointer)


def _compiled(signature: str, **options: Any) -> Any:
    """Compile for one signature, and keep the code where that is possible."""

    def compile_(loop: Any) -> Any:
        try:
            return njit(signature, nogil=True, cache=True, **options)(loop)
        except RuntimeError:
            # Neither the package nor the user's cache can be written to.
            return njit(signature, nogil=True, **options)(loop)

    return compile_


@_compiled("void(intp[::1], intp[:, ::1], float64[:, ::1])")
def scatter(codes: Array, factors: Array, sums: Array) -> None:
    """Add products of each row to its code's sums, shape (products, levels).

    `factors` has the addresses of up to three columns for each product, then zeros.
    """
    n = len(codes)
    for k in range(len(factors)):
        own = sums[k]
        one = carray(_pointer(factors[k, 0]), (n,), np.float64)
        if factors[k, 1] == 0:
            for i in range(n):
                own[codes[i]] += one[i]
            continue
        two = carray(_pointer(factors[k, 1]), (n,), np.float64)
        if factors[k, 2] == 0:
            for i in range(n):
                own[codes[i]] += one[i] * two[i]
            continue
        three = carray(_pointer(factors[k, 2]), (n,), np.float64)
        for i in range(n):
            own[codes[i]] += one[i] * two[i] * three[i]


@_compiled("intp[::1](intp[::1], intp[::1], intp)")
def join(left: Any, right: Any, levels: int) -> Any:
    """One code for two, the left slow."""
    out = np.empty_like(left)
    for i in range(len(left)):
        out[i] = left[i] * levels + right[i]
    return out


@_compiled("void(float64[::1], intp[::1], float64[::1])")
def look_up(table: Array, codes: Array, eta: Array) -> None:
    """Add table[codes] to predictors."""
    for i in range(len(codes)):
        eta[i] += table[codes[i]]


@_compiled("void(intp[::1], float64[::1], float64[::1], float64[:, ::1], float64[::1])")
def gather(addresses: Array, shift: Array, beta: Array, columns: Array, eta: Array) -> None:
    """Copy shifted columns, and add them times their parameters to predictors.

    `addresses` are those of the first number of each column, 0 for a column of ones.
    """
    n = columns.shape[1]
    for k in range(len(addresses)):
        own, slope = columns[k], beta[k]
        if addresses[k] == 0:
            for i in range(n):
                own[i] = 1.0
                eta[i] += slope
        else:
            column = carray(_pointer(addresses[k]), (n,), np.float64)
            for i in range(n):
                value = column[i] - shift[k]
                own[i] = value
                eta[i] += slope * value


# Sums in the order of the vector unit: another than numpy's, but the same for all threads.
@_compiled(
    "void(float64[:, ::1], float64[:, ::1], float64[::1], float64[:, ::1])", fastmath={"reassoc"}
)
def narrow(left: Array, right: Array, weights: Array, out: Array) -> None:
    """left diag(weights) right' of few columns."""
    for j in range(len(left)):
        for k in range(len(right)):
            total = 0.0
            for i in range(len(weights)):
                total += left[j, i] * weights[i] * right[k, i]
            out[j, k] = total
