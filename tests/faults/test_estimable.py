"""A new row of which the data tell nothing is not predicted, and the warning says why.

Whether a row is a combination of the rows fitted is asked of its rank, by numpy's own.
"""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pandas as pd
import patsy
import pytest

import glmcount as gc

CELLS = [(a, b) for a in "pqr" for b in "stu"]
EMPTY = ("q", "t")


def quietly(call, *args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call(*args, **options)


def told(call, *args, **options):
    """A value, and the warnings of kind ``not_estimable``."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = call(*args, **options)
    kinds = [(getattr(w.message, "kind", ""), str(w.message)) for w in caught]
    return value, [text for kind, text in kinds if kind == "not_estimable"]


def table(gone=(EMPTY,)):
    rng = np.random.default_rng(5)
    rows = [cell for cell in CELLS if cell not in gone for _ in range(3)]
    data = pd.DataFrame(rows, columns=["a", "b"])
    data["x"] = rng.normal(size=len(data)).round(2)
    return data.assign(y=rng.poisson(4, len(data)) + 1)


FULL = pd.DataFrame(CELLS, columns=["a", "b"]).assign(x=0.3)


@pytest.mark.parametrize("first", list(itertools.product("pqr", "stu")))
@pytest.mark.parametrize("family", ["poisson", "negbin"])
def test_an_empty_cell_is_not_predicted_whatever_the_reference(first, family):
    data = table()
    means = data.groupby(["a", "b"]).y.mean()
    formula = "y ~ C(a, Treatment('{}'))*C(b, Treatment('{}'))".format(*first)
    result = quietly(gc.fit, formula, data, family=family)
    predicted, notes = told(result.predict, FULL)
    for cell, value in zip(CELLS, predicted, strict=True):
        if cell == EMPTY:
            assert np.isnan(value)
        else:
            assert value == pytest.approx(means[cell], rel=1e-7)
    assert len(notes) == 1 and "a = 'q', b = 't'" in notes[0]
    frame, notes = told(lambda: result.get_prediction(FULL).summary_frame())
    assert len(notes) == 1
    assert frame.isna().all(axis=1).tolist() == [cell == EMPTY for cell in CELLS]
    assert frame.notna().all(axis=1).sum() == 8


@pytest.mark.parametrize("which", ["mean", "linear", "var", "prob-zero", "prob-positive"])
def test_no_quantity_of_it_is_predicted(which):
    result = quietly(gc.fit, "y ~ a*b + x", table())
    predicted, notes = told(result.predict, FULL, which=which)
    assert np.isnan(predicted).tolist() == [cell == EMPTY for cell in CELLS] and len(notes) == 1
    assert "row 4" in notes[0] or "0) 4" in notes[0]


@pytest.mark.parametrize(("which", "at"), [("prob", 2), ("cdf", 2), ("quantile", 0.5)])
def test_nor_a_probability(which, at):
    result = quietly(gc.fit, "y ~ a*b + x", table())
    predicted, _ = told(result.predict, FULL, which=which, at=at)
    assert np.isnan(predicted).tolist() == [cell == EMPTY for cell in CELLS]


def test_a_column_that_repeats_another():
    x = np.arange(8.0)
    data = {"y": [1, 2, 2, 4, 3, 7, 8, 12], "x": x, "x2": 2 * x, "c": 3.0 * np.ones(8)}
    result = quietly(gc.fit, "y ~ x + x2 + c", data)
    right = gc.fit("y ~ x", data)
    new = {"x": [1, 2.5, 2.5, 1], "x2": [2, 5, 6, 2], "c": [3, 3, 3, 4]}
    predicted, notes = told(result.predict, new)
    assert np.isnan(predicted).tolist() == [False, False, True, True]
    np.testing.assert_allclose(predicted[:2], right.predict({"x": [1, 2.5]}), rtol=1e-10)
    assert len(notes) == 1 and "'x2'" in notes[0] and "2 rows" in notes[0]
    assert quietly(gc.fit, "y ~ x + x2 + c", data).predict(data).notna().all()


@pytest.mark.parametrize("seed", range(6))
def test_exactly_the_row_space_is_predicted(seed):
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(rng.integers(0, 3, size=(9, 3)), columns=["x", "z", "w"])
    data["s"] = data.x + 2 * data.z
    data["y"] = rng.poisson(5, 9) + 1
    formula = "y ~ x + z + s + x:w + z:w + s:w"
    new = pd.DataFrame(rng.integers(0, 4, size=(30, 4)), columns=["x", "z", "w", "s"])
    new.loc[::2, "s"] = new.x + 2 * new.z
    old = np.asarray(patsy.dmatrix(formula[4:], data))
    asked = np.asarray(patsy.dmatrix(formula[4:], new))
    rank = np.linalg.matrix_rank(old)
    inside = [np.linalg.matrix_rank(np.vstack([old, row])) == rank for row in asked]
    result = quietly(gc.fit, formula, data)
    predicted, notes = told(result.predict, new)
    assert predicted.notna().tolist() == inside
    assert len(notes) == (0 if all(inside) else 1)


def test_a_part_that_does_not_count_is_no_hindrance():
    data = table()
    data["y"] = np.where(np.arange(len(data)) % 3 == 0, 0, data.y)
    result = quietly(gc.fit, "y ~ x", data, hurdle="a*b")
    predicted, notes = told(result.predict, FULL)
    assert np.isnan(predicted).tolist() == [cell == EMPTY for cell in CELLS] and len(notes) == 1
    main, none = told(result.predict, FULL, which="linear")
    assert main.notna().all() and none == []


def test_what_is_estimable_says_nothing(recwarn):
    gc.fit("y ~ a + b + x", table()).predict(FULL)
    assert not [w for w in recwarn if getattr(w.message, "kind", "") == "not_estimable"]


@pytest.mark.parametrize("coding", ["Sum", "Diff", "Poly", "Helmert"])
def test_the_fit_s_own_rows_are_estimable_under_every_coding(coding):
    g = [0, 1, 2, 3] * 10
    data = {"y": np.arange(40) * 7 % 5, "site": [f"s{i}" for i in g], "region": [i + 1 for i in g]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        for other in ("Sum", "Diff", "Poly", "Helmert"):
            r = gc.fit(f"y ~ C(site, {coding}) + C(region, {other})", data)
            np.testing.assert_allclose(r.predict(data), r.fittedvalues, rtol=1e-9)


@pytest.mark.parametrize("coding", ["Treatment", "Sum", "Diff", "Poly", "Helmert"])
def test_the_fit_s_own_rows_are_predicted_beside_separated_ones(coding):
    data = {
        "y": [2, 3, 2, 0, 2, 3, 4, 0, 3, 1],
        "g": list("ddaabcdbdb"),
        "k": [4, 3, 3, 1, 3, 4, 4, 4, 4, 1],
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        r = gc.fit(f"y ~ C(g) * C(k, {coding})", data)
        np.testing.assert_allclose(r.predict(data), r.fittedvalues, rtol=1e-6, atol=1e-6)


def test_a_column_of_one_truth_predicts_with_no_columns_left():
    """A boolean that is always true leaves a block without columns; its rows still predict."""
    with pytest.warns(gc.errors.DroppedColumnWarning):
        result = gc.fit("y ~ x", {"y": [1, 2, 4], "x": [True] * 3})
    frame = result.get_prediction().summary_frame()
    np.testing.assert_allclose(frame["mean"], 7 / 3, rtol=1e-12)
    assert len(result.augment()) == 3
