"""A response measured by a table of its counts is the response measured row by row."""

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.design import measure
from glmcount.records import replace
from glmcount.sources import base
from tests.made import OF_KINDS, columns_of_kinds

RESPONSES = {
    "zeros": [0, 3, 1, 0, 7, 2, 2],
    "no zeros": [5, 3, 1, 1, 7, 2, 2],
    "one count": [4, 4, 4, 4, 4, 4, 4],
    "more than rows": [10, 70, 200, 12, 12, 55, 256],
    "large": [10, 70, 200, 12, 12, 55, 100_000],
    "broken": [0.5, 1.0, 0.0, 2.0, 3.25, 4.0, 1.0],
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("y", RESPONSES.values(), ids=list(RESPONSES))
def test_a_table_says_what_the_rows_say(y, weighted):
    data = pd.DataFrame({"y": [1.0, 2, 3, 4, 5, 6, 7], "x": range(7), "w": [1, 2, 1, 3, 1, 2, 4]})
    state = gc.fit("y ~ x", data, weights="w" if weighted else None)._state
    strip = replace(state.rows.cache.strips[0], y=np.asarray([y], dtype=np.float64))
    table = measure._table_of_counts(strip, state.family)
    rows = measure._rows_of_response(strip, state.family)
    if max(y) > 256 or not np.array_equal(y, np.floor(y)):
        assert table is None
        return
    for name in type(rows).__dataclass_fields__:
        assert getattr(table, name) == pytest.approx(getattr(rows, name), rel=1e-14), name


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_no_table(bad):
    data = pd.DataFrame({"y": [1.0, 2, 3, 4], "x": range(4)})
    state = gc.fit("y ~ x", data)._state
    strip = replace(state.rows.cache.strips[0], y=np.array([[1.0, bad, 2.0, 0.0]]))
    assert measure._table_of_counts(strip, state.family) is None
    with pytest.raises(gc.errors.GlmcountError, match="NaN or infinite in rows"):
        measure.check_response(state.rows.spec, strip)


@pytest.fixture
def frame(monkeypatch):
    monkeypatch.setattr(base, "STRIP_ROWS", 64)
    return columns_of_kinds()


def test_the_design_is_that_of_columns_measured_in_full(frame, monkeypatch):
    found = gc.fit(OF_KINDS, frame)
    monkeypatch.setattr(measure, "_known", lambda rows, layout: None)
    alone = gc.fit(OF_KINDS, frame)
    for one, other in zip(
        found._state.fit.layout.blocks, alone._state.fit.layout.blocks, strict=True
    ):
        np.testing.assert_allclose(one.shift, other.shift, rtol=1e-14)
        np.testing.assert_allclose(one.size, other.size, rtol=1e-14)
    np.testing.assert_allclose(found.params, alone.params, rtol=1e-12)
