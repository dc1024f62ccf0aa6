"""What transforms learn is that of the rows used, however these are cut."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from glmcount.design.states import memorised
from glmcount.language.evaluate import evaluate
from glmcount.language.parse import parse
from glmcount.numerics.control import Control
from glmcount.sources import open_source
from tests.test_one_file import in_parts


@pytest.mark.parametrize("rows", [1, 7, 100])
@pytest.mark.parametrize("code", ["center(x)", "standardize(x)", "bs(x, df=4)"])
def test_strips_learn_what_the_whole_does(code, rows):
    x = np.random.default_rng(0).normal(3.0, 1.0, 100)
    keep = x < 4.5
    expression = parse(code, ("x",))
    cut = in_parts(pd.DataFrame({"x": x}), rows)
    masks = [keep[slice(*cut.span(number))] for number in range(cut.n_strips)]
    found = memorised(cut, {code: expression}, masks, Control())[code]
    whole = open_source({"x": x[keep]})
    other = memorised(whole, {code: expression}, [None], Control())[code]
    values = [evaluate(expression, each, {"x": x[keep]}, keep.sum(), {}) for each in (found, other)]
    np.testing.assert_allclose(*values, rtol=1e-10, atol=1e-12)
