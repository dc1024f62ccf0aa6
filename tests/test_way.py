"""How long the way is from a formula to a summary: the functions that a fit enters."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

import glmcount as gc

PACKAGE = str(Path(gc.__file__).parent)
# Of some 1,800 functions, those that who follows a fit has to read.
MOST = 300


def test_a_second_fit_with_its_summary_enters_few_functions():
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"x": rng.normal(size=200), "g": rng.choice(list("abc"), 200)})
    data["y"] = rng.poisson(np.exp(0.2 + 0.3 * data.x))
    gc.fit("y ~ x + g", data).summary()
    entered = set()

    def told(frame, event, _):
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(PACKAGE) and code.co_name[0] != "<":
            entered.add((code.co_filename, code.co_qualname))

    sys.setprofile(told)
    try:
        gc.fit("y ~ x + g", data).summary()
    finally:
        sys.setprofile(None)
    assert 100 < len(entered) <= MOST
