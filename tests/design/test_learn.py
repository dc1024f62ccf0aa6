"""What learning a design tells of plain columns is what measuring them would."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.sources import base


@pytest.fixture
def frame(monkeypatch):
    monkeypatch.setattr(base, "STRIP_ROWS", 64)
    rng = np.random.default_rng(4)
    data = pd.DataFrame(rng.normal(3.0, 2.0, (300, 2)), columns=["x", "z"])
    data["k"] = rng.integers(5, size=300)
    data["f"] = rng.normal(size=300).astype(np.float32)
    data["g"] = np.where(data["z"] > 3.0, "a", "b")
    data["y"] = rng.poisson(2.0, 300)
    return data


FORMULA = "y ~ x + k + f + z:g + np.log(x**2 + 1)"


def test_extents_of_plain_columns_of_floats(frame):
    plan = gc.fit(FORMULA, frame)._state.rows.plan
    assert set(plan.extents) == {"x", "f", "z"}
    for name, extent in plan.extents.items():
        column = frame[name].astype(float)
        expected = (column.sum(), column.min(), column.max())
        np.testing.assert_allclose(extent, expected, rtol=1e-12)


@pytest.mark.parametrize("row", [0, 299])
def test_rows_that_are_left_out_are_not_measured(frame, row):
    frame.loc[row, "k"] = 1e6
    frame.loc[row, "x"] = np.nan
    with pytest.warns(gc.errors.MissingRowsWarning):
        found = gc.fit("y ~ x + k", frame)
    assert found._state.rows.plan.extents == {}
    alone = gc.fit("y ~ x + k", frame.drop(index=row))
    np.testing.assert_allclose(found.params, alone.params, rtol=1e-12)
    np.testing.assert_allclose(
        found._state.fit.layout.sizes, alone._state.fit.layout.sizes, rtol=1e-14
    )


def test_infinity_in_a_plain_column_is_still_named(frame):
    frame.loc[200, "z"] = np.inf
    with pytest.raises(gc.errors.NonfiniteDesignError, match=r"z is NaN or infinite.*200"):
        gc.fit("y ~ x + z", frame)
