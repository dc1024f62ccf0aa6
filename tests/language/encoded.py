"""Prints every column that a pickled design makes of new rows, bit by bit.

python -m tests.language.encoded design.pkl
"""

import pickle
import sys
from pathlib import Path

import numpy as np

from glmcount.design.recall import planned_layout
from glmcount.engine.layout import linear
from glmcount.numerics.control import Control
from glmcount.prediction.newdata import new_rows


def columns(spec, data):
    rows = new_rows(spec, data, {}, Control())[0]
    layout = planned_layout(spec)
    return [linear(layout, rows.strip(0), one, 0) for one in np.eye(layout.size)]


def told(spec, data):
    return "\n".join(" ".join(float(v).hex() for v in column) for column in columns(spec, data))


if __name__ == "__main__":
    print(told(*pickle.loads(Path(sys.argv[1]).read_bytes())))  # noqa: S301
