"""One pass of bare numpy over the data: what no fit in numpy can be without.

Both run on two threads with BLAS on one thread each, over strips or blocks that stay in cache.
"""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import ThreadpoolController

from benchmarks.fits import Estimates
from benchmarks.frames import CELL_LEVELS, STRIP, numbered

BLOCK = 16_384
# Bytes of a block above which its rows are halved: more leaves the cache of a core.
MOST = 3_000_000
THREADS = min(2, os.cpu_count())


def _folded(work, count, rows):
    """The sum, in order, of what `work` gives for each block of rows."""
    edges = [(first, min(first + rows, count)) for first in range(0, count, rows)]
    with ThreadPoolExecutor(THREADS) as pool:
        parts = list(pool.map(lambda edge: work(*edge), edges))
    return [sum(part) for part in zip(*parts, strict=True)]


def dense_pass(count):
    """Log-likelihood, score and information of a Poisson regression at one point."""

    def load(frame):
        columns = [frame[name].to_numpy() for name in numbered(count)]
        y = frame["y"].to_numpy()
        width = count + 1
        rows = BLOCK
        while rows * width * 8 > MOST:
            rows //= 2
        point = np.r_[-0.1, np.full(count, 0.001)]
        buffers = threading.local()
        blas = ThreadpoolController().select(user_api="blas")

        def work(first, last):
            if not hasattr(buffers, "block"):
                buffers.block = np.empty((width, rows))
            x = buffers.block[:, : last - first]
            x[0] = 1.0
            for j, column in enumerate(columns, 1):
                x[j] = column[first:last]
            eta = np.dot(point, x)
            mean = np.exp(eta)
            rest = y[first:last] - mean
            likelihood = np.dot(y[first:last].astype(float), eta) - mean.sum()
            score = np.dot(x, rest)
            x *= np.sqrt(mean)
            return likelihood, score, np.dot(x, x.T)

        def fit():
            with blas.limit(limits=1):
                _folded(work, len(y), rows)
            return Estimates()

        return fit

    return load


def grouping_pass(frame):
    """Counts and sums of the response in every cell of the factors."""
    codes = [frame[name].cat.codes.to_numpy() for name in CELL_LEVELS]
    sizes = list(CELL_LEVELS.values())
    y = frame["y"].to_numpy()
    cells = int(np.prod(sizes))

    def work(first, last):
        joint = codes[0][first:last].astype(np.intp)
        for size, column in zip(sizes[1:], codes[1:], strict=True):
            joint *= size
            joint += column[first:last]
        return np.bincount(joint, minlength=cells), np.bincount(joint, y[first:last], cells)

    def fit():
        _folded(work, len(y), STRIP)
        return Estimates()

    return fit
