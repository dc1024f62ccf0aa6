"""What learning a design tells of plain columns is what measuring them would."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.columns.column import Column
from glmcount.design.learn import complete_rows, learn_variables
from glmcount.language.parse import parse
from glmcount.numerics.control import Control
from glmcount.sources import base
from glmcount.sources.base import open_source
from tests.made import OF_KINDS, columns_of_kinds


@pytest.fixture
def frame(monkeypatch):
    monkeypatch.setattr(base, "STRIP_ROWS", 64)
    return columns_of_kinds()


def test_extents_of_plain_columns_of_floats(frame):
    plan = gc.fit(OF_KINDS, frame)._state.rows.plan
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


def learnt(codes, data, weights=None):
    source = open_source(data)
    names = source.names
    expressions = {code: parse(code, names) for code in codes}
    return learn_variables(source, expressions, weights, Control())


def test_variables_plan_and_account(frame):
    frame.loc[[3, 70], "x"] = np.nan
    frame["w"] = np.where(frame.index == 200, 0.0, 2.0)
    variables, plan, _ = learnt(["x", "C(k)", "g", "center(z)", "bs(f, df=4)", "w"], frame, "w")
    used = frame.drop(index=[3, 70, 200])
    assert plan.account.n_dropped == 3
    assert plan.account.reasons == {"x missing": 2, "w zero": 1}
    assert [plan.where(n, 64) is None for n in range(4)] == [False, False, True, False]
    kinds = {code: (v.kind, v.width, v.levels) for code, v in variables.items()}
    assert kinds["x"] == ("numerical", 1, None)
    assert kinds["bs(f, df=4)"] == ("numerical", 4, None)
    assert kinds["C(k)"] == ("categorical", 1, (0, 1, 2, 3, 4))
    assert kinds["g"] == ("categorical", 1, ("a", "b")) and variables["g"].text
    assert variables["center(z)"].state.learnt[0].mean()[0] == pytest.approx(used.z.mean())


def test_levels_are_those_of_the_rows_used(frame):
    frame["g"] = np.where(frame.index == 5, "only here", frame["g"])
    frame.loc[5, "x"] = np.nan
    variables, _, source = learnt(["x", "g"], frame)
    assert variables["g"].levels == ("a", "b")
    # Text is read once: the source comes back with its codes.
    assert isinstance(source.strip(0, ("g",))[1]["g"], Column)


def test_a_reference_that_no_row_has_is_noted(frame):
    frame["g"] = pd.Categorical(frame["g"], ["none", "a", "b"])
    assert learnt(["g"], frame)[0]["g"].unused == "none"
    assert learnt(["C(g, Treatment('b'))"], frame)[0]["C(g, Treatment('b'))"].unused is None


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (-1.0, "negative_weights"),
        (np.inf, "negative_weights"),
        (np.nan, "missing_weights"),
        (1e80, "weights_range"),
    ],
)
def test_weights_that_are_none(frame, value, kind):
    frame["w"] = np.where(frame.index == 100, value, 1.0)
    with pytest.raises(gc.errors.DataError, match="100") as caught:
        learnt(["x", "w"], frame, "w")
    assert caught.value.kind == kind


def test_a_function_that_looks_beyond_its_row(frame):
    source = open_source(frame)
    expressions = {"f(x)": parse("f(x)", source.names, {"f": lambda x: x - x.mean()})}
    with pytest.raises(gc.errors.FormulaError, match="row by row") as caught:
        learn_variables(source, expressions, None, Control())
    assert caught.value.kind == "not_by_row"


def test_new_rows_are_complete_where_no_variable_is_missing(frame):
    variables, _, _ = learnt(["x", "where(isnan(z), 0, z)"], frame)
    frame.loc[[10, 290], "x"] = np.nan
    frame.loc[20, "z"] = np.nan
    plan, _ = complete_rows(open_source(frame), variables, 2)
    assert plan.account.n_dropped == 2
    assert 10 not in plan.where(0, 64) and 20 in plan.where(0, 64)
    assert plan.where(1, 64) is None and plan.where(4, 44).tolist() == [
        k for k in range(44) if k != 34
    ]


def test_a_partition_without_rows_fixes_no_order_of_levels():
    texts = ["c", "b"] * 10, [], ["a", "b"] * 10
    parts = [
        {"g": np.array(own, "U1"), "y": k + np.arange(float(len(own)))}
        for k, own in enumerate(texts)
    ]
    source = base.streamed(("g", "y"), lambda names: [{n: p[n] for n in names} for p in parts])
    found = gc.fit("y ~ g", source)
    # Levels of text are sorted, as R's are; one factor fits the mean of each of its levels.
    g, y = (np.concatenate([part[name] for part in parts]) for name in ("g", "y"))
    means = [y[g == level].mean() for level in "abc"]
    assert list(found.params.index) == ["Intercept", "g[T.b]", "g[T.c]"]
    first, *others = found.params
    np.testing.assert_allclose(np.exp([first, *(first + b for b in others)]), means, rtol=1e-12)
