"""Rows are known again by what a design makes of them, however a table holds them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.design.prints import check_prints, prints_of
from glmcount.errors import DataChangedError


def table(n=300):
    rng = np.random.default_rng(4)
    out = pd.DataFrame({"x": rng.normal(size=n), "g": rng.choice(list("abc"), n)})
    return out.assign(y=rng.poisson(2.0, n), w=rng.integers(1, 4, n))


def rows_of(data):
    return gc.fit("y ~ x + g", data, weights="w")._state.rows


def test_the_same_rows_are_known_whatever_holds_them():
    data = table()
    prints = prints_of(rows_of(data))
    for same in (data.copy(), data.to_dict("list"), data.astype({"g": "category"})):
        check_prints(rows_of(same), prints)


@pytest.mark.parametrize(
    ("column", "said"), [("x", "x"), ("g", "g"), ("y", "response y"), ("w", "weights")]
)
def test_others_are_refused_by_what_differs(column, said):
    data = table()
    prints = prints_of(rows_of(data))
    other = data.copy()
    other.loc[7, column] = other.loc[8, column] if column == "g" else other.loc[7, column] + 1
    if column == "g":
        other.loc[7, "g"] = "a" if data.loc[7, "g"] != "a" else "b"
    with pytest.raises(DataChangedError, match=said):
        check_prints(rows_of(other), prints)


def test_another_order_and_another_number_of_rows_are_refused():
    data = table()
    prints = prints_of(rows_of(data))
    with pytest.raises(DataChangedError):
        check_prints(rows_of(data.iloc[::-1].reset_index(drop=True)), prints)
    with pytest.raises(DataChangedError):
        check_prints(rows_of(data.iloc[:-1]), prints)
