"""Whole numbers where they are whole, parameters of every part, and tables with their rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.errors import DataChangedError, DataError, UnknownColumnError, UsageError

RNG = np.random.default_rng(4)
N = 80
DATA = pd.DataFrame(
    {
        "x": RNG.normal(size=N),
        "z": RNG.normal(size=N),
        "w": RNG.integers(1, 4, N),
        "city": RNG.choice(["Oslo", "Bern"], N),
    },
    index=pd.Index([f"r{i}" for i in range(N)], name="row"),
)
DATA["y"] = RNG.poisson(np.exp(0.8 + 0.3 * DATA.x) * RNG.gamma(2.0, 0.5, N))
DATA["y"] *= RNG.random(N) > 0.25
GAPS = DATA.assign(x=DATA.x.where(np.arange(N) % 9 != 4))
quiet = pytest.mark.filterwarnings("ignore::glmcount.errors.GlmcountWarning")


# Counts -------------------------------------------------------------------------------


def test_whole_numbers_of_observations():
    r = gc.fit("y ~ x", DATA)
    assert (r.nobs, r.df_resid) == (80, 78)
    assert type(r.nobs) is int and type(r.df_resid) is int
    weighted = gc.fit("y ~ x", DATA, weights="w")
    assert weighted.nobs == DATA.w.sum() and type(weighted.nobs) is int
    with pytest.warns(gc.errors.WeightsWarning):
        halves = gc.fit("y ~ x", DATA, weights="w / 2")
    assert halves.nobs == pytest.approx(DATA.w.sum() / 2)
    assert r.glance()[["nobs", "df_residual", "df_null"]].dtypes.map(str).tolist() == ["int64"] * 3


@pytest.mark.parametrize("options", [{}, {"family": "negbin"}, {"inflate": "1"}, {"hurdle": "x"}])
def test_draws_are_whole(options):
    drawn = gc.fit("y ~ x", DATA, **options).simulate(3, rng=1)
    assert (drawn.dtypes == np.int64).all()
    assert drawn.index.equals(DATA.index)


def test_draws_beyond_whole_doubles_stay_doubles():
    data = {"y": [2.0**60, 2.0**60 + 2.0**20], "x": [0, 1]}
    assert (gc.fit("y ~ 1", data).simulate(1, rng=1).dtypes == np.float64).all()


@quiet
@pytest.mark.parametrize(
    ("options", "parts", "left"),
    [
        ({}, {"mean": 3}, 77),
        ({"family": "negbin"}, {"mean": 3, "alpha": 1}, 77),
        ({"family": "negbin", "dispersion": "x"}, {"mean": 3, "alpha": 2}, 77),
        ({"inflate": "z"}, {"mean": 3, "inflate": 2}, 75),
        ({"hurdle": "z + x"}, {"mean": 3, "hurdle": 3}, 74),
        ({"family": "negbin", "hurdle": "z"}, {"mean": 3, "hurdle": 2, "alpha": 1}, 75),
        (
            {"hurdle": "z", "zero": "negbin"},
            {"mean": 3, "hurdle": 2, "hurdle_alpha": 1},
            75,
        ),
    ],
)
def test_parameters_of_every_part(options, parts, left):
    r = gc.fit("y ~ x + z", DATA, **options)
    row = r.glance().iloc[0]
    found = {name[2:]: row[name] for name in row.index if name.startswith("k_")}
    assert found == parts
    assert row["k"] == sum(parts.values()) == len(r.params)
    assert row["df_model"] == r.df_model == 2
    assert row["AIC"] == pytest.approx(-2 * r.llf + 2 * row["k"])
    if r.converged and not r.certificate.boundary:
        # The coefficients of means and zero parts, dispersion aside.
        assert row["df_residual"] == r.df_resid == left


# Tables -------------------------------------------------------------------------------


@quiet
def test_a_table_with_its_rows():
    r = gc.fit("y ~ x", GAPS)
    found = r.augment(GAPS)
    assert found.index.equals(GAPS.index)
    pd.testing.assert_frame_equal(found[list(GAPS)], GAPS)
    assert list(found)[5:] == [".fitted", ".resid", ".resid_pearson", ".hat", ".cooksd"]
    assert found[".fitted"].isna().tolist() == GAPS.x.isna().tolist()
    for name, own in r.augment().items():
        np.testing.assert_array_equal(found[f".{name}"].dropna(), own)
    used = GAPS.x.notna()
    expected = np.exp(r.params["Intercept"] + r.params["x"] * GAPS.x[used])
    np.testing.assert_allclose(found[".fitted"][used], expected)
    np.testing.assert_allclose(found[".resid"][used], GAPS.y[used] - expected)


@quiet
def test_a_table_in_another_order_keeps_it():
    r = gc.fit("y ~ x", GAPS)
    turned = GAPS.sort_values("city").assign(more=1)
    found = r.augment(turned)
    assert found.index.equals(turned.index) and found.more.eq(1).all()
    pd.testing.assert_frame_equal(found.loc[GAPS.index, [".fitted"]], r.augment(GAPS)[[".fitted"]])


@quiet
def test_tables_of_other_kinds():
    plain = {name: GAPS[name].to_numpy() for name in GAPS}
    r = gc.fit("y ~ x", plain)
    found = r.augment(plain)
    assert len(found) == N
    np.testing.assert_array_equal(found[".fitted"], gc.fit("y ~ x", GAPS).augment(GAPS)[".fitted"])
    polars = pytest.importorskip("polars")
    other = r.augment(polars.DataFrame(plain))
    np.testing.assert_array_equal(other[".fitted"], found[".fitted"])
    X, y = DATA[["x", "z"]].assign(Intercept=1.0), DATA["y"]
    arrays = gc.fit_arrays(y.to_numpy(), X.to_numpy())
    assert arrays.augment(DATA)[".fitted"].tolist() == arrays.fittedvalues.tolist()


@quiet
def test_two_part_models_have_what_they_have():
    found = gc.fit("y ~ x", GAPS, hurdle="z").augment(GAPS)
    assert list(found)[5:] == [".fitted", ".resid", ".resid_pearson"]


@quiet
def test_with_arrays_beside_the_table():
    r = gc.fit("y ~ x", GAPS, exposure=np.full(N, 2.0))
    assert r.augment(GAPS)[".fitted"].notna().sum() == r.nobs


def test_other_tables_are_refused():
    r = gc.fit("y ~ x", DATA)
    with pytest.raises(UsageError, match="all of its 80 rows; this one has 10"):
        r.augment(DATA.head(10))
    with pytest.raises(DataChangedError):
        r.augment(DATA.assign(y=DATA.y + 1))
    with pytest.raises(UnknownColumnError, match="'x'"):
        r.augment(DATA.drop(columns="x"))
    with pytest.raises(DataChangedError):
        # Of rows without labels the order is that of the fit.
        r.augment({name: DATA[name].to_numpy()[::-1] for name in DATA})
    with pytest.raises(DataError, match="different indices"):
        r.augment(DATA.reset_index())
    with pytest.raises(DataError, match=r"'\.hat' already"):
        r.augment(DATA.assign(**{".hat": 1}))
    with pytest.raises(UsageError, match="DataFrame or a dict"):
        r.augment("data.csv")
