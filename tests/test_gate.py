"""Data that are changed in place after a fit are told by everything that reads rows."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.errors import CovarianceError, DataChangedError
from glmcount.inference.covariance import Estimator
from glmcount.inference.setting import Needs
from tests.made import sums_by_group

N = 200_000


BY_FIRM = Estimator("firm", "by firm", sums_by_group, Needs(scores=True, groups=("firm",)))

READERS = {
    "fittedvalues": lambda r: r.fittedvalues,
    "predict": lambda r: r.predict(),
    "get_prediction": lambda r: r.get_prediction().summary_frame(),
    "resid_response": lambda r: r.resid_response,
    "resid_pearson": lambda r: r.resid_pearson,
    "resid_deviance": lambda r: r.resid_deviance,
    "resid_anscombe": lambda r: r.resid_anscombe,
    "resid_working": lambda r: r.resid_working,
    "resid_quantile": lambda r: r.resid_quantile(1),
    "deviance": lambda r: r.deviance,
    "pearson_chi2": lambda r: r.pearson_chi2,
    "null_deviance": lambda r: r.null_deviance,
    "llnull": lambda r: r.llnull,
    "llr": lambda r: r.llr,
    "llr_pvalue": lambda r: r.llr_pvalue,
    "prsquared": lambda r: r.prsquared,
    "with_cov opg": lambda r: r.with_cov("opg").bse,
    "with_cov HC0": lambda r: r.with_cov("HC0").bse,
    "with_cov HC1": lambda r: r.with_cov("HC1").bse,
    "with_cov HC2": lambda r: r.with_cov("HC2").bse,
    "with_cov HC3": lambda r: r.with_cov("HC3").bse,
    "with_cov columns": lambda r: r.with_cov(BY_FIRM).bse,
    "simulate": lambda r: r.simulate(1, rng=1),
    "refit y": lambda r: r.refit(y=np.ones(r._state.rows.source.n_rows)).params,
    "get_influence": lambda r: r.get_influence().cooks_distance[0],
    "augment": lambda r: r.augment(),
    "summary": lambda r: str(r.summary()),
    "glance": lambda r: r.glance(),
    "slopes": lambda r: r.slopes(),
    "slopes by rows": lambda r: r.slopes("x", by=False),
    "slopes by groups": lambda r: r.slopes("x", by="firm"),
    "comparisons": lambda r: r.comparisons("x"),
    "predictions": lambda r: r.predictions(),
    "predictions by groups": lambda r: r.predictions(by="g"),
    "grid": lambda r: r.grid(x=[0.0, 1.0]),
    "design_matrix": lambda r: r.design_matrix(),
    "score_obs": lambda r: r.score_obs(),
    "conf_int profile": lambda r: r.with_cov("nonrobust").conf_int(method="profile"),
    "anova": lambda r: r.with_cov("nonrobust").anova(),
    "anova score": lambda r: r.anova(test="score"),
    "anova held": lambda r: r.with_cov("nonrobust").anova(nuisance="held"),
    "score_test": lambda r: r.score_test("g:x"),
    "score_bootstrap": lambda r: r.score_bootstrap("x = 0", "firm", reps=99, rng=1),
    "test_dispersion": lambda r: r.test_dispersion(),
}
# What opens the data anew: it would read them as they are now.
REFITS = {
    "refit family": lambda r: r.refit(family="quasipoisson"),
    "refit cov": lambda r: r.refit(cov="HC1"),
    "refit link": lambda r: r.refit(link="sqrt"),
    "refit y and family": lambda r: r.refit(
        y=np.ones(r._state.rows.source.n_rows), family="geometric"
    ),
    "refit nothing": lambda r: r.refit(),
}
# What the fit itself has told, and what is given data.
ROWLESS = {
    "params", "bse", "tvalues", "pvalues", "conf_int", "cov_params", "cov_type", "with_data",
    "nobs", "df_model", "df_resid", "llf", "llr_df", "aic", "bic", "aicc", "scale", "method",
    "converged", "n_cells", "history", "certificate", "warnings", "separation", "aliased",
    "dropped", "n_dropped", "model", "wald_test", "t_test", "tidy", "contrasts", "equivalence",
    "standardised_rate",
}  # fmt: skip


def columns(n):
    rng = np.random.default_rng(2)
    x, z = rng.normal(size=(2, n))
    t, w = rng.uniform(0.5, 2.0, n), rng.integers(1, 4, n).astype(float)
    y = rng.poisson(np.exp(0.2 + 0.4 * x) * t).astype(float)
    g, firm = rng.choice(list("abc"), n), rng.integers(0, 20, n)
    return {"y": y, "x": x, "z": z, "t": t, "w": w, "g": g, "firm": firm}


def one(values, rng):
    place = rng.integers(len(values))
    values[place] = values[place] * 1.5 + 1.0


def swapped(values, rng):
    values[:] = values[::-1].copy()


def changed(name, edit, n, **options):
    data = columns(n)
    result = gc.fit("y ~ x + z", data, exposure="t", weights="w", **options)
    edit(data[name], np.random.default_rng(5))
    return result


def test_every_method_is_known_here():
    public = {name for name in dir(gc.api.Results) if name[0] != "_"}
    assert public == {name.split()[0] for name in READERS | REFITS} | ROWLESS


@pytest.mark.parametrize("read", (READERS | REFITS).values(), ids=READERS | REFITS)
@pytest.mark.parametrize("edit", [one, swapped])
def test_one_value_or_an_order_is_told_by_every_reader(read, edit):
    r = changed("x", edit, 2_000)
    with pytest.raises(DataChangedError, match="column 'x' has changed in the rows 0 to 1999"):
        read(r)


@pytest.mark.parametrize("name", ["y", "x", "z", "t", "w"])
@pytest.mark.parametrize("edit", [one, swapped])
def test_every_column_is_looked_at(name, edit):
    with pytest.raises(DataChangedError):
        _ = changed(name, edit, 500).resid_pearson


@pytest.mark.parametrize("name", ["y", "x", "t", "w"])
def test_one_value_of_200_000(name):
    r = changed(name, one, N, compress=False)
    with pytest.raises(DataChangedError, match="in the rows"):
        _ = r.pearson_chi2


@pytest.mark.parametrize("compress", [True, False])
def test_rows_behind_cells(compress):
    data = columns(3_000)
    data["x"] = np.round(data["x"])
    r = gc.fit("y ~ x", data, compress=compress)
    data["x"][7] += 1.0
    for name in ("resid_pearson", "deviance", "HC1"):
        with pytest.raises(DataChangedError):
            READERS.get(name, READERS["with_cov HC1"])(r)


def test_separated_fits_too():
    data = {"y": np.array([1.0, 2, 3, 0, 0]), "d": np.array([0.0, 0, 0, 1, 1])}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        r = gc.fit("y ~ d", data)
    data["y"][0] = 2.0
    with pytest.raises(DataChangedError, match="column 'y'"):
        _ = r.fittedvalues


def test_parts_and_limits_too():
    data = columns(400)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        r = gc.fit("y ~ x", data, family="negbin", inflate="z")
    assert np.isfinite(r.fittedvalues).all()
    data["z"][3] += 1.0
    with pytest.raises(DataChangedError):
        r.simulate(1, rng=1)


def test_arrays_of_fit_arrays():
    rng = np.random.default_rng(1)
    X, y = np.column_stack([np.ones(50), rng.normal(size=50)]), rng.poisson(2.0, 50).astype(float)
    r = gc.fit_arrays(y, X)
    X[4, 1] += 0.5
    with pytest.raises(DataChangedError):
        _ = r.fittedvalues


def test_unchanged_data_are_never_refused():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(5, 70_000))
        data = {"x": 1e6 + rng.standard_t(1.5, n), "y": rng.poisson(3.0, n).astype(float)}
        r = gc.fit("y ~ x", data)
        _ = r.fittedvalues, r.deviance, r.with_cov("HC0").bse
        r._state.rows.cache.strips.clear()
        data["x"] = np.concatenate([[0.0], data["x"]])[1:]
        assert np.isfinite(r.resid_pearson).all()


def test_what_a_user_holds_is_not_what_is_computed_with():
    r = gc.fit("y ~ x", columns(100))
    before = r.conf_int().to_numpy().copy()
    cooks = gc.fit("y ~ x", columns(100)).get_influence().cooks_distance[0]
    params, bse, residuals = r.params, r.bse, r.resid_pearson
    params.loc["x"] = 5.0
    bse.loc["x"] = 5.0
    residuals.iloc[:] = 0.0
    np.testing.assert_array_equal(r.conf_int(), before)
    np.testing.assert_array_equal(r.get_influence().cooks_distance[0], cooks)
    assert float(r.wald_test("x = 0").statistic) == pytest.approx(float(r.tvalues["x"]) ** 2)


def as_frame(**kinds):
    return lambda data: pd.DataFrame(data).astype(kinds)


MAKES = {
    "arrays": dict,
    "lists": lambda data: {name: values.tolist() for name, values in data.items()},
    "tuples": lambda data: {name: tuple(values) for name, values in data.items()},
    "series": lambda data: {name: pd.Series(values) for name, values in data.items()},
    "frame": as_frame(),
    "objects": as_frame(g=object, firm=object),
    "categories": as_frame(g="category", firm="category"),
    "text": as_frame(g="string", firm="string"),
    "nullable": as_frame(y="Int64", x="Float64", firm="Int64"),
}


def held_by(make, data):
    if make == "polars":
        return pytest.importorskip("polars").DataFrame(data)
    return MAKES[make](data)


def rewritten(data, name, values):
    """Another column in the place of one: what a table of any make lets its owner do."""
    old = data[name]
    if hasattr(data, "get_column"):
        data.replace_column(data.columns.index(name), type(old)(name, values))
    elif isinstance(data, dict):
        kind = type(old)
        data[name] = np.array(values) if kind is np.ndarray else kind(values)
    else:
        data[name] = pd.Series(values, index=data.index).astype(old.dtype)


def in_place(data, name, place, value):
    if isinstance(data, pd.DataFrame):
        data.loc[place, name] = value
    elif hasattr(data, "get_column"):
        data[place, name] = value
    elif isinstance(data[name], tuple):
        rewritten(data, name, [*data[name][:place], value, *data[name][place + 1 :]])
    else:
        data[name][place] = value


def other(data, name):
    """A value of a column that is not the one in row 3."""
    values = list(data[name])
    return next(value for value in values if value != values[3])


EDITS = {
    "one value": lambda data: in_place(data, "x", 3, 9.0),
    "an order": lambda data: rewritten(data, "x", list(data["x"])[::-1]),
    "a level": lambda data: in_place(data, "g", 3, other(data, "g")),
    "a group": lambda data: in_place(data, "firm", 3, other(data, "firm")),
    "every level": lambda data: rewritten(
        data, "g", [{"a": "a", "b": "b", "c": "d"}[level] for level in data["g"]]
    ),
}
EVERY = [(make, edit) for make in (*MAKES, "polars") for edit in EDITS]
EVERY.remove(("categories", "every level"))


def fitted(make, n):
    data = held_by(make, columns(n))
    return gc.fit("y ~ x + g", data, exposure="t", weights="w", cov=BY_FIRM, compress=False), data


def anew(result):
    """The same, of which nothing was asked yet."""
    return gc.api.Results(result._state, BY_FIRM)


def told(read, result):
    try:
        return read(anew(result))
    except DataChangedError as error:
        return error


def same(found, wanted):
    if isinstance(wanted, pd.Series | pd.DataFrame):
        return found.equals(wanted)
    return found == wanted


@pytest.fixture(scope="module")
def untouched():
    known = {}

    def values(make, n):
        if (make, n) not in known:
            result = fitted(make, n)[0]
            known[make, n] = {name: read(result) for name, read in READERS.items()}
        return known[make, n]

    return values


@pytest.mark.parametrize(("make", "edit"), EVERY)
def test_no_reader_and_no_refit_mixes_edited_rows_with_those_of_the_fit(make, edit, untouched):
    """Readers tell, or give what they gave of the rows fitted; refits tell."""
    result, data = fitted(make, 300)
    wanted = untouched(make, 300)
    EDITS[edit](data)
    for name, read in READERS.items():
        found = told(read, result)
        assert isinstance(found, DataChangedError) or same(found, wanted[name]), name
    for name, read in REFITS.items():
        with pytest.raises(DataChangedError, match="has changed in the rows 0 to 299") as caught:
            read(anew(result))
        assert "refit(data=..." in str(caught.value), name
    again = result.refit(data=data)
    assert np.isfinite(again.fittedvalues).all()


@pytest.mark.parametrize("make", ["arrays", "lists", "frame", "objects", "nullable", "polars"])
@pytest.mark.parametrize("edit", ["one value", "a level", "a group"])
def test_of_several_strips_too(make, edit, untouched):
    n = 66_000
    result, data = fitted(make, n)
    EDITS[edit](data)
    for name in ("resid_pearson", "with_cov HC1", "with_cov columns"):
        found = told(READERS[name], result)
        assert isinstance(found, DataChangedError) or same(found, untouched(make, n)[name]), name
    column = {"one value": "x", "a level": "g", "a group": "firm"}[edit]
    with pytest.raises(
        DataChangedError, match=f"column '{column}' has changed in the rows 0 to 32999"
    ):
        result.refit(family="quasipoisson")


@pytest.mark.parametrize("make", [*MAKES, "polars"])
def test_what_the_fit_does_not_use_is_no_change(make):
    data = columns(300)
    data["unused"] = np.arange(300.0)
    data = held_by(make, data)
    result = gc.fit("y ~ x + g", data, exposure="t", weights="w")
    in_place(data, "unused", 3, 9.0)
    if hasattr(data, "insert_column"):
        data.insert_column(0, type(data["x"])("more", np.ones(300)))
    else:
        data["more"] = list(np.cos(np.arange(300.0)))
        assert "more" in result.refit(formula="y ~ x + g + more").params
    for read in (READERS | REFITS).values():
        if read is not READERS["with_cov columns"]:
            read(anew(result))


def without_rows(make, data):
    with warnings.catch_warnings():
        # Of pandas 3, whose inplace= goes.
        warnings.simplefilter("ignore")
        if make == "frame":
            data.drop(index=3, inplace=True)
    if make == "lists":
        for values in data.values():
            del values[3]


@pytest.mark.parametrize("make", ["frame", "lists"])
def test_rows_that_are_gone_are_told(make):
    result, data = fitted(make, 300)
    residuals = result.with_cov("HC1").bse
    without_rows(make, data)
    for read in REFITS.values():
        with pytest.raises(DataChangedError, match="they have 299 rows, and had 300"):
            read(anew(result))
    pd.testing.assert_series_equal(anew(result).with_cov("HC1").bse, residuals)


def test_a_frame_sorted_in_place_keeps_its_rows_together():
    """A covariance that reads a column only after the fit reads it in the rows' order."""
    data = pd.DataFrame(columns(300))
    result = gc.fit("y ~ x + g", data)
    wanted = gc.fit("y ~ x + g", data).with_cov(BY_FIRM).bse
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data.sort_values("x", inplace=True)
    try:
        found = result.with_cov(BY_FIRM).bse
    except DataChangedError:
        return
    pd.testing.assert_series_equal(found, wanted)


@pytest.mark.parametrize(
    "cov",
    [
        {"cluster": "firm"},
        gc.cluster(["firm", "day"], psd=True),
        gc.hac("day"),
        gc.driscoll_kraay("day"),
    ],
    ids=["cluster", "two ways", "hac", "driscoll_kraay"],
)
def test_a_covariance_of_columns_that_a_fit_is_asked_for_is_of_the_rows_as_they_were(cov):
    """It is made with the fit, so that it needs none of the rows later."""
    data = pd.DataFrame(columns(300)).assign(day=np.repeat(np.arange(150), 2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = gc.fit("y ~ x + g", data, cov=cov)
        wanted = gc.fit("y ~ x + g", data).with_cov(cov).cov_params()
        data.loc[:, "x"] = 0.0
        data.loc[:, "firm"] = 1
    pd.testing.assert_frame_equal(result.cov_params(), wanted, rtol=1e-13)


@pytest.mark.parametrize("n", [100, 300, 70_000])
@pytest.mark.parametrize("edit", [one, swapped])
@pytest.mark.parametrize(
    ("term", "cov"),
    [
        ("firm", {"cluster": "firm"}),
        ("C(firm)", gc.cluster(["g", "firm"])),
        ("firm", BY_FIRM),
        ("day", gc.hac("day")),
        ("day", gc.driscoll_kraay("day")),
    ],
)
@pytest.mark.filterwarnings("ignore::glmcount.errors.CovarianceWarning")
def test_a_column_that_the_model_and_a_covariance_read(term, cov, edit, n):
    data = columns(n) | {"day": np.repeat(np.arange(n // 2), 2)}
    result = gc.fit(f"y ~ x + {term}", data)
    name = term.removeprefix("C(").removesuffix(")")
    edit(data[name], np.random.default_rng(5))
    with pytest.raises(DataChangedError, match=f"column '{name}' has changed"):
        _ = result.with_cov(cov).bse


def test_why_a_fit_has_no_covariance_of_columns_is_told_when_it_is_asked_for():
    data = pd.DataFrame(columns(300))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = gc.fit("y ~ x + g", data, cov=gc.cluster(["firm", "g"]))
    pd.testing.assert_series_equal(result.params, gc.fit("y ~ x + g", data).params)
    for _ in range(2):
        with pytest.raises(CovarianceError, match="not positive semidefinite"):
            _ = result.bse


@pytest.mark.parametrize("what", ["weights", "offset"])
@pytest.mark.parametrize("kind", [list, np.array, pd.Series])
def test_what_was_given_beside_the_table(what, kind):
    data, values = columns(300), kind(np.random.default_rng(4).uniform(0.5, 1.5, 300))
    how = {what: values, "weights_type": "importance"}
    result = gc.fit("y ~ x", data, **how)
    values[5] = 1.25
    with pytest.raises(DataChangedError, match=f"column '<{what}>' has changed"):
        result.refit(family="quasipoisson")
    with pytest.raises(DataChangedError):
        result.refit(**{what: None})


@pytest.mark.parametrize("kind", [np.array, pd.DataFrame])
def test_a_matrix_and_its_parts(kind):
    rng = np.random.default_rng(6)
    y, X, Z = (
        rng.poisson(1.0, 300),
        kind(rng.normal(size=(300, 2))),
        kind(rng.normal(size=(300, 1))),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        result = gc.fit_arrays(y, X, inflate=Z)
        assert result.refit(names=["a", "b"]).model.exog_names[:2] == ("a", "b")
        assert np.isfinite(result.refit(inflate=None).llf)
        if kind is np.array:
            Z[3, 0] += 1.0
        else:
            Z.iloc[3, 0] += 1.0
        with pytest.raises(
            DataChangedError, match=r"'<inflate> z?0' has changed.*X=..., y=..., inf"
        ):
            result.refit(cov="HC1")
        assert np.isfinite(result.refit(X=X, inflate=Z).llf)


def test_a_response_that_took_the_place_of_another():
    data, y = pd.DataFrame(columns(300)), np.random.default_rng(7).poisson(2.0, 300).astype(float)
    result = gc.fit("y ~ x", data).refit(y=y)
    assert result.refit(family="quasipoisson").scale > 0
    again = result.refit(family="quasipoisson").refit(family="geometric")
    pd.testing.assert_series_equal(again.params, result.refit(family="geometric").params)
    y[3] += 1.0
    for read in REFITS.values():
        with pytest.raises(DataChangedError, match="'<response>' has changed"):
            read(anew(result))
