"""Prints what pickled results tell, bit by bit.

Run as a program it reads a file of results with new rows, in a process that made none of them.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import numpy as np


def half(x):
    """A function that a formula calls and another process finds."""
    return x / 2.0


def bits(values):
    return " ".join(float(v).hex() for v in np.ravel(np.asarray(values)))


def told(result, newdata):
    out = [bits(result.params), bits(result.bse)]
    for which in ("mean", "linear"):
        out.append(bits(result.predict(newdata, which=which)))
    return " ".join([*result.params.index, *out])


if __name__ == "__main__":
    for case in pickle.loads(Path(sys.argv[1]).read_bytes()):  # noqa: S301
        print(told(*case))
