"""A refit with a new response is the fit of that response, in every digit."""

import warnings

import numpy as np
import pandas as pd
import pytest

import glmcount as gc


def simulated(n=240, seed=5):
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "z": rng.normal(size=n),
            "t": rng.uniform(0.5, 3.0, n),
            "g": rng.choice(["a", "b", "c"], n),
            "w": rng.integers(1, 4, n).astype(float),
        },
        index=[f"row{i}" for i in range(n)],
    )
    mean = data.t * np.exp(0.6 + 0.3 * data.x + 0.4 * (data.g == "b"))
    data["y"] = rng.negative_binomial(2, 1 / (1 + mean / 2)) * (rng.random(n) > 0.15)
    data["other"] = rng.negative_binomial(2, 1 / (1 + mean / 2)) * (rng.random(n) > 0.25)
    return data


DATA = simulated()


def fitted(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call()
    return result, [(type(w.message), str(w.message)) for w in caught]


def identical(found, expected):
    pd.testing.assert_series_equal(found.params, expected.params, check_exact=True)
    pd.testing.assert_series_equal(found.bse, expected.bse, check_exact=True)
    assert found._state.fit.llf == expected._state.fit.llf
    assert found.history == expected.history


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"exposure": "t"},
        {"weights": "w"},
        {"weights": "w", "weights_type": "importance", "offset": "log(t)", "cov": "HC1"},
        {"family": "quasipoisson"},
        {"family": "negbin", "exposure": "t"},
        {"family": "negbin", "weights": "w", "dispersion": "z"},
        {"family": "negbin1"},
        {"inflate": "z"},
        {"family": "negbin", "inflate": "1"},
        {"hurdle": "z + offset(t)"},
        {"link": "sqrt"},
        {"method": "irls"},
        {"censored": 6},
        {"control": gc.Control(memory=0)},
    ],
    ids=str,
)
def test_a_new_response_gives_the_numbers_of_a_new_fit(options):
    formula = "y ~ center(x) * g + z"
    first, _ = fitted(lambda: gc.fit(formula, DATA, **options))
    found, said = fitted(lambda: first.refit(y=DATA.other))
    direct, told = fitted(lambda: gc.fit(formula, DATA.assign(y=DATA.other), **options))
    identical(found, direct)
    assert said == told
    assert [str(note) for note in found.warnings] == [str(note) for note in direct.warnings]


def test_all_that_is_read_of_it_is_of_the_new_response():
    first = gc.fit("y ~ x + g", DATA, exposure="t", family="negbin")
    before = first.summary().as_text()
    found = first.refit(y=DATA.other)
    direct = gc.fit("y ~ x + g", DATA.assign(y=DATA.other), exposure="t", family="negbin")
    for figure in ("deviance", "null_deviance", "llnull", "pearson_chi2", "aic", "nobs"):
        assert getattr(found, figure) == pytest.approx(getattr(direct, figure), rel=1e-13)
    assert found.summary().as_text() == direct.summary().as_text()
    pd.testing.assert_series_equal(found.resid_deviance, direct.resid_deviance)
    pd.testing.assert_series_equal(found.predict(DATA.head()), direct.predict(DATA.head()))
    pd.testing.assert_series_equal(found.with_cov("HC3").bse, direct.with_cov("HC3").bse)
    assert found.certificate == direct.certificate
    assert first.summary().as_text() == before


def test_rows_left_out_stay_out_and_their_values_are_not_looked_at():
    data = DATA.copy()
    data.loc["row3", "x"] = np.nan
    data["y"] = data.y.astype(float)
    data.loc["row7", "y"] = np.nan
    first, said = fitted(lambda: gc.fit("y ~ x", data))
    assert len(said) == 1
    new = data.other.astype(float)
    new.iloc[[3, 7]] = [np.nan, -5.0]
    found, again = fitted(lambda: first.refit(y=new))
    assert again == said
    direct, _ = fitted(lambda: gc.fit("y ~ x", data.assign(y=new.mask(data.y.isna()))))
    identical(found, direct)
    assert list(found.fittedvalues.index) == [name for name in data.index if name not in _OUT]
    mixed, _ = fitted(lambda: first.refit(y=new, family="negbin"))
    identical(
        mixed,
        fitted(lambda: gc.fit("y ~ x", data.assign(y=new.mask(data.y.isna())), family="negbin"))[0],
    )
    assert mixed.n_dropped == 2


_OUT = ("row3", "row7")


def test_several_strips():
    rng = np.random.default_rng(8)
    n = 140_000
    data = pd.DataFrame({"x": rng.normal(size=n), "g": rng.integers(0, 4, n)})
    data.loc[70_000, "x"] = np.nan
    mean = np.exp(0.2 + 0.3 * data.x.fillna(0.0))
    data["y"], data["other"] = rng.poisson(mean), rng.poisson(mean)
    for control in (None, gc.Control(memory=0)):
        first, _ = fitted(lambda c=control: gc.fit("y ~ x + C(g)", data, control=c))
        found, _ = fitted(lambda f=first: f.refit(y=data.other))
        changed = data.assign(y=data.other)
        direct, _ = fitted(lambda c=control, d=changed: gc.fit("y ~ x + C(g)", d, control=c))
        identical(found, direct)


def test_a_refit_is_refitted_from_its_own_response():
    first = gc.fit("y ~ x", DATA)
    found = first.refit(y=DATA.other).refit(family="geometric")
    direct = gc.fit("y ~ x", DATA.assign(y=DATA.other), family="geometric")
    identical(found, direct)
    identical(first.refit(y=DATA.other).refit(y=DATA.y), first)
    identical(first.refit(y=DATA.other).refit(data=DATA), first)
    arrays = gc.fit_arrays(DATA.y, DATA[["x", "z"]])
    again = arrays.refit(y=DATA.other).refit(family="negbin")
    identical(again, gc.fit_arrays(DATA.other, DATA[["x", "z"]], family="negbin"))


def test_rows_are_read_of_a_refit_of_a_refit():
    """Whose response took the place of one that took a place already."""
    first = gc.fit("y ~ x", DATA)
    found = first.refit(y=DATA.other).refit(y=DATA.y)
    assert found.with_cov("HC0").bse.to_list() == first.with_cov("HC0").bse.to_list()
    arrays = gc.fit_arrays(DATA.y, DATA[["x", "z"]]).refit(y=DATA.other).refit(y=DATA.y)
    direct = gc.fit_arrays(DATA.y, DATA[["x", "z"]])
    assert arrays.with_cov("HC0").bse.to_list() == direct.with_cov("HC0").bse.to_list()


COVARIANCES = {
    "by name": "HC3",
    "clusters": {"cluster": "g"},
    "an array": gc.cluster(np.arange(240) // 8),
    "draws": gc.bootstrap(20, rng=4),
}


@pytest.mark.filterwarnings("ignore::glmcount.errors.CovarianceWarning")
@pytest.mark.parametrize("cov", COVARIANCES.values(), ids=COVARIANCES)
def test_a_covariance_that_came_after_the_fit_stays(cov):
    frame = simulated()
    other = frame.y + 1.0
    later, asked = gc.fit("y ~ x", frame).with_cov(cov), gc.fit("y ~ x", frame, cov=cov)
    for changes in ({"y": other}, {"family": "negbin"}, {"data": frame.assign(y=other)}):
        found, expected = later.refit(**changes), asked.refit(**changes)
        assert found.cov_type == expected.cov_type == later.cov_type
        pd.testing.assert_series_equal(found.bse, expected.bse, rtol=1e-12)
    again = later.refit(y=other).refit(family="negbin")
    assert again.cov_type == later.cov_type
    assert later.refit(y=other, cov="nonrobust").cov_type == "nonrobust"


def test_power_is_that_of_the_covariance_of_the_result():
    frame = simulated()
    r = gc.fit("y ~ x", frame)
    found = gc.power(r.with_cov("HC1"), "x = 0", params={"x": 0.1}, reps=20, rng=1)
    wanted = gc.power(r.refit(cov="HC1"), "x = 0", params={"x": 0.1}, reps=20, rng=1)
    np.testing.assert_array_equal(found.pvalues, wanted.pvalues)
    plain = gc.power(r, "x = 0", params={"x": 0.1}, reps=20, rng=1)
    assert not np.array_equal(found.pvalues, plain.pvalues)


def test_an_offset_of_the_old_response_stays():
    data = DATA.assign(y=DATA.y + 1)
    first = gc.fit("y ~ x", data, weights="y", weights_type="importance")
    weights = data.y.to_numpy(dtype=float)
    direct = gc.fit("other ~ x", data, weights=weights, weights_type="importance")
    for found in (
        first.refit(y=data.other),
        gc.fit(
            "y ~ x",
            data,
            weights="y",
            weights_type="importance",
            control=gc.Control(memory=0),
        ).refit(y=data.other),
    ):
        np.testing.assert_allclose(found.params, direct.params, rtol=1e-12)


@pytest.mark.parametrize(
    "make",
    [
        lambda y: y.to_numpy(),
        lambda y: y.tolist(),
        lambda y: y.astype("Int64"),
        lambda y: y.astype(np.uint8).to_numpy(),
        lambda y: pd.Series(y.to_numpy(), index=DATA.index, dtype="float32"),
    ],
)
def test_every_kind_of_array_is_taken(make):
    first = gc.fit("y ~ x", DATA)
    identical(first.refit(y=make(DATA.other)), gc.fit("other ~ x", DATA))


def test_truth_values_are_counts():
    chosen = DATA.other > 0
    found = gc.fit("y ~ x", DATA).refit(y=chosen)
    identical(found, gc.fit("y ~ x", DATA.assign(y=chosen.astype(int))))


@pytest.mark.parametrize(
    ("y", "kind"),
    [
        (DATA.other.to_numpy()[1:], "y_length"),
        (DATA.other.sort_index(ascending=False), "index_mismatch"),
        (DATA.g, "response_type"),
        ("other", "y_length"),
        (DATA.other.where(DATA.other > 0), "nonfinite_design"),
        (DATA.other.astype(float).replace(0.0, np.inf), "nonfinite_design"),
        (DATA.other - 1, "negative_response"),
        (DATA.other * 0, "all_zero_response"),
    ],
)
def test_what_no_fit_would_take_is_refused(y, kind):
    first = gc.fit("y ~ x", DATA)
    with pytest.raises(gc.errors.GlmcountError) as caught:
        first.refit(y=y)
    assert caught.value.kind == kind


def test_a_refit_asks_for_options_there_are():
    with pytest.raises(gc.errors.UsageError, match="no option 'famly'"):
        gc.fit("y ~ x", DATA).refit(famly="negbin", y=DATA.other)
    with pytest.raises(gc.errors.UsageError, match="no option 'y'"):
        gc.fit("y ~ x", DATA, y=DATA.other)
