"""Arrays that lie at equal distances in memory, as the rows of one matrix that is no copy.

Columns of a table mostly do: those of a frame in one block, and long ones that were made one after
the other. One call goes over all of them then. Each call gives the interpreter lock back and waits
for it again, and with one for every column two threads wait as long as the second one saves.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glmcount.numerics import Array

__all__ = ["following", "spaced"]


def spaced(arrays: Sequence[Array | None]) -> list[tuple[int, Array]]:
    """Arrays as the rows of matrices, as many of those that follow each other as one can hold.

    Parameters
    ----------
    arrays : sequence of ndarray of shape (n,), or None
        None is left out.

    Returns
    -------
    list of (int, ndarray of shape (rows, n))
        For each matrix the number of the array that is its first row. It may only be read, and
        only while somebody holds the arrays.

    Examples
    --------
    >>> import numpy as np
    >>> table = np.arange(12.0).reshape(4, 3)
    >>> [(first, len(rows)) for first, rows in spaced([*table[:3], None, table[3]])]
    [(0, 3), (4, 1)]
    """
    places = [None if a is None else a.__array_interface__["data"][0] for a in arrays]
    out: list[tuple[int, Array]] = []
    first = 0
    while first < len(arrays):
        row, place = arrays[first], places[first]
        if row is None or place is None:
            first += 1
            continue
        last, step = first + 1, 0
        while last < len(arrays):
            other, there = arrays[last], places[last]
            if other is None or there is None or not _alike(row, other):
                break
            step = there - place if last == first + 1 else step
            if there - place != step * (last - first):
                break
            last += 1
        shape, strides = (last - first, len(row)), (step, *row.strides)
        # Each of its rows is one of the arrays: nothing else is ever read, wherever they lie.
        rows = np.lib.stride_tricks.as_strided(row, shape, strides, writeable=False)
        out.append((first, rows))
        first = last
    return out


def _alike(a: Array, b: Array) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.strides == b.strides


def following(arrays: Sequence[Array]) -> Array | None:
    """Arrays that follow each other in memory as one, which is no copy; None where they do not.

    Parameters
    ----------
    arrays : sequence of ndarray of one dimension

    Returns
    -------
    ndarray, shape (values of all,), or None
        It may only be read, and only while somebody holds the arrays.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(5.0)
    >>> following([x[:2], x[2:4]]).tolist()
    [0.0, 1.0, 2.0, 3.0]
    >>> following([x[:2], x[3:]]) is None
    True
    """
    filled = [array for array in arrays if len(array)] or [arrays[0]]
    first, end = filled[0], None
    for array in filled:
        place = array.__array_interface__["data"][0]
        if array.dtype != first.dtype or not array.flags.c_contiguous or end not in (None, place):
            return None
        end = place + array.nbytes
    count = sum(map(len, arrays))
    return np.lib.stride_tricks.as_strided(first, (count,), first.strides, writeable=False)
