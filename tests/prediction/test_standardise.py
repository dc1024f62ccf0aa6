"""Directly standardised rates against sums over strata, by hand and by differences."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import glmcount as gc

# British doctors (Doll & Hill 1966), deaths from coronary disease and person-years by age.
DOCTORS = pd.DataFrame(
    {
        "smokes": np.repeat(["yes", "no"], 5),
        "age": ["35-44", "45-54", "55-64", "65-74", "75-84"] * 2,
        "deaths": [32, 104, 206, 186, 102, 2, 12, 28, 28, 31],
        "years": [52407, 43248, 28612, 12663, 5317, 18790, 10673, 5710, 2585, 1462],
    }
)
SMOKERS, OTHERS = DOCTORS[:5], DOCTORS[5:]


def saturated():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.SampleWarning)
        return gc.fit("deaths ~ smokes * age", DOCTORS, exposure="years")


def test_a_saturated_model_gives_the_classical_estimates():
    """R = sum w d / n with variance sum w^2 d / n^2 (Rothman, Greenland & Lash 2008)."""
    found = saturated().standardised_rate(
        SMOKERS[["age", "years"]], by="smokes", weights="years", alpha=0.1
    )
    w = SMOKERS.years.to_numpy() / SMOKERS.years.sum()
    for row, group in zip((0, 1), (OTHERS, SMOKERS), strict=True):
        d, n = group.deaths.to_numpy(), group.years.to_numpy()
        rate, error = (w * d / n).sum(), np.sqrt((w**2 * d / n**2).sum())
        assert found.estimate[row] == pytest.approx(rate, rel=1e-9)
        assert found.std_error[row] == pytest.approx(error, rel=1e-8)
        factor = np.exp(stats.norm.isf(0.05) * error / rate)
        assert found.conf_low[row] == pytest.approx(rate / factor, rel=1e-8)
        assert found.conf_high[row] == pytest.approx(rate * factor, rel=1e-8)
    assert list(found.contrast) == ["no", "yes"] and set(found.term) == {"smokes"}
    assert found.statistic.isna().all() and found.attrs["conf_level"] == 0.9


def test_ratios_and_differences():
    result, reference = saturated(), SMOKERS[["age", "years"]]
    rates = result.standardised_rate(reference, by="smokes", weights="years")
    ratio = result.standardised_rate(reference, by="smokes", weights="years", compare="ratio")
    gap = result.standardised_rate(reference, by="smokes", weights="years", compare="difference")
    # Standardised to the smokers' ages: 630 deaths against those expected at the others' rates.
    expected = (SMOKERS.years.to_numpy() * (OTHERS.deaths / OTHERS.years).to_numpy()).sum()
    assert ratio.estimate[0] == pytest.approx(630 / expected, rel=1e-9)
    assert ratio.contrast[0] == "yes / no" and gap.contrast[0] == "yes - no"
    # The groups share no parameter of a saturated model: their errors add up.
    relative = np.sqrt(((rates.std_error / rates.estimate) ** 2).sum())
    assert ratio.std_error[0] == pytest.approx(ratio.estimate[0] * relative, rel=1e-7)
    assert ratio.statistic[0] == pytest.approx(np.log(ratio.estimate[0]) / relative, rel=1e-7)
    assert gap.estimate[0] == pytest.approx(rates.estimate[1] - rates.estimate[0], rel=1e-9)
    assert gap.std_error[0] == pytest.approx(np.sqrt((rates.std_error**2).sum()), rel=1e-7)


def test_without_interaction_the_ratio_is_that_of_the_model():
    result = gc.fit("deaths ~ smokes + age", DOCTORS, exposure="years")
    for weights in (SMOKERS.years, OTHERS.years):
        reference = {"age": list(SMOKERS.age), "weight": list(weights)}
        found = result.standardised_rate(reference, by="smokes", compare="ratio")
        truth = result.t_test("smokes[T.yes] = 0", exponentiate=True)
        for name in ("estimate", "std_error", "statistic", "conf_low"):
            assert found[name][0] == pytest.approx(truth[name][0], rel=1e-8)


def simulated(n=400):
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"x": rng.normal(size=n), "g": rng.choice(list("ab"), n)})
    data["t"], data["z"] = rng.uniform(0.5, 2, n), rng.normal(size=n)
    y = rng.poisson(data.t * np.exp(0.8 + 0.3 * data.x + 0.2 * (data.g == "b")))
    return data.assign(y=np.where(rng.uniform(size=n) < 0.25, 0, y))


FAMILIES = {
    "poisson": {},
    "quasipoisson": {"family": "quasipoisson"},
    "negbin1": {"family": "negbin1"},
    "pig": {"family": "pig"},
    "zip": {"inflate": "z + g"},
    "hurdle": {"hurdle": "g", "family": "geometric", "exposure": None},
    "robust": {"cov": "HC1"},
}


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_by_differences_of_predictions(name):
    """The rate is a weighted mean of predictions at an exposure of one."""
    data = simulated()
    result = gc.fit("y ~ g * x", data, **{"exposure": "t"} | FAMILIES[name])
    reference = pd.DataFrame({"x": [-1.0, 0.0, 2.0], "z": [0.5, 0.0, 1.0], "weight": [1, 2, 5]})
    found = result.standardised_rate(reference, by="g")
    w = reference.weight / reference.weight.sum()
    for row, group in enumerate("ab"):
        own = reference.assign(g=group, t=1.0)
        prediction = result.get_prediction(own)
        assert found.estimate[row] == pytest.approx((w * prediction.predicted).sum(), rel=1e-10)
        # One stratum alone has the error of its prediction.
        alone = result.standardised_rate(reference[1:2], by="g")
        assert alone.std_error[row] == pytest.approx(prediction.se[1], rel=1e-8)
    assert (found.conf_low < found.estimate).all() and (found.std_error > 0).all()


def test_groups_of_a_number_are_named():
    result = gc.fit("y ~ g + x", simulated(), exposure="t")
    reference = {"g": ["a", "b"], "weight": [3, 1]}
    found = result.standardised_rate(reference, by="x", groups=[0.0, 1.0], compare="ratio")
    assert found.estimate[0] == pytest.approx(np.exp(result.params["x"]), rel=1e-10)
    with pytest.raises(gc.errors.UsageError, match="groups=") as caught:
        result.standardised_rate(reference, by="x")
    assert caught.value.kind == "unknown_by"


@pytest.mark.parametrize(
    ("reference", "call", "kind"),
    [
        ({"age": ["35-44"], "weight": [1]}, {"by": "sex"}, "unknown_by"),
        ({"age": ["35-44"], "w": [1]}, {"by": "smokes"}, "unknown_column"),
        ({"weight": [1]}, {"by": "smokes"}, "unknown_column"),
        ({"age": ["35-44"], "weight": [-1]}, {"by": "smokes"}, "reference_weights"),
        ({"age": ["35-44"], "weight": [0]}, {"by": "smokes"}, "reference_weights"),
        ({"age": ["35-44"], "weight": ["a"]}, {"by": "smokes"}, "reference_weights"),
        ({"age": ["35-44"], "weight": [np.nan]}, {"by": "smokes"}, "reference_weights"),
        ({"age": ["0-35"], "weight": [1]}, {"by": "smokes"}, "unseen_level"),
        ({"age": [None, "35-44"], "weight": [1, 1]}, {"by": "smokes"}, "no_rate"),
        ({"age": ["35-44"], "weight": [1]}, {"by": "smokes", "compare": "odds"}, "compare"),
    ],
)
def test_what_is_no_reference_is_named(reference, call, kind):
    result = gc.fit("deaths ~ smokes + age", DOCTORS, exposure="years")
    with pytest.raises(gc.errors.GlmcountError) as caught:
        result.standardised_rate(reference, **call)
    assert caught.value.kind == kind


def test_a_stratum_without_a_rate_is_refused():
    some = DOCTORS.drop(index=9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = gc.fit("deaths ~ smokes * age", some, exposure="years")
    reference = {"age": list(SMOKERS.age), "weight": [1, 1, 1, 1, 1]}
    with pytest.raises(gc.errors.NotDefinedError, match="'no'") as caught:
        result.standardised_rate(reference, by="smokes")
    assert caught.value.kind == "no_rate"
    reference["weight"][4] = 0
    assert len(result.standardised_rate(reference, by="smokes")) == 2


def test_rates_are_those_that_predict_gives():
    """The offset of the mean is left out, that of a zero part is not."""
    rng = np.random.default_rng(7)
    n = 400
    data = pd.DataFrame({"x": rng.integers(0, 3, n), "g": rng.choice(list("ab"), n)})
    data["t"], data["s"] = rng.uniform(0.5, 2.0, n), rng.uniform(-1.0, 1.0, n)
    zero = rng.random(n) < 1 / (1 + np.exp(1 - data.s))
    data["y"] = rng.poisson(data.t * np.exp(0.3 + 0.4 * data.x)) * ~zero
    r = gc.fit("y ~ x + g", data, exposure="t", inflate="1 + offset(s)")
    strata = pd.DataFrame({"x": [0, 1, 2], "s": [-0.5, 0.0, 0.5], "weight": [1.0, 2.0, 1.0]})
    found = r.standardised_rate(strata, by="g")
    for row, group in enumerate("ab"):
        rates = r.predict(strata.assign(g=group), which="rate")
        assert found.estimate[row] == pytest.approx(np.average(rates, weights=strata.weight))
    with pytest.raises(gc.errors.UnknownColumnError, match="'s'"):
        r.standardised_rate(strata.drop(columns="s"), by="g")


def two_parts(**options):
    rng = np.random.default_rng(11)
    n = 500
    data = pd.DataFrame({"x": rng.integers(0, 3, n), "g": rng.choice(list("ab"), n)})
    data["t"] = rng.uniform(0.5, 4.0, n)
    data["y"] = rng.poisson(data.t * np.exp(0.2 * data.x)) * (rng.random(n) > 0.3)
    used = data[data.y > 0] if "truncated" in options else data
    return gc.fit("y ~ x + g", used, **options), data


@pytest.mark.parametrize(
    "options",
    [{"hurdle": "x"}, {"hurdle": "x + offset(log(t))"}, {"truncated": 0}],
)
def test_means_that_are_not_in_proportion_have_no_standardised_rate(options):
    r, data = two_parts(exposure="t", **options)
    once, twice = (r.predict(data.head(3), exposure=e) for e in (1.0, 2.0))
    assert not np.allclose(twice, 2.0 * once, rtol=1e-3)
    strata = {"x": [0, 1, 2], "weight": [1, 2, 1]}
    with pytest.raises(gc.errors.NotDefinedError, match="are not: twice the exposure") as caught:
        r.standardised_rate(strata, by="g")
    assert caught.value.kind == "not_proportional"
    caption = r.predictions(by="g", which="rate").attrs["caption"]
    assert "Means at an exposure of 1" in caption and "Per unit" not in caption


@pytest.mark.parametrize("options", [{}, {"inflate": "x"}, {"family": "negbin"}])
def test_means_in_proportion_have_one(options):
    r, data = two_parts(exposure="t", **options)
    once, twice = (r.predict(data.head(3), exposure=e) for e in (1.0, 2.0))
    np.testing.assert_allclose(twice, 2.0 * once)
    strata = {"x": [0, 1, 2], "weight": [1, 2, 1]}
    assert (r.standardised_rate(strata, by="g").estimate > 0).all()
    assert "Per unit of exposure" in r.predictions(by="g", which="rate").attrs["caption"]


def test_without_an_exposure_a_hurdle_has_standardised_means():
    r, _ = two_parts(hurdle="x + g")
    strata = pd.DataFrame({"x": [0, 1, 2], "weight": [1.0, 2.0, 1.0]})
    found = r.standardised_rate(strata, by="g")
    means = r.predict(strata.assign(g="b"))
    assert found.estimate[1] == pytest.approx(np.average(means, weights=strata.weight))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"hurdle": "x"}, True),
        ({"hurdle": "x", "family": "geometric"}, True),
        ({"hurdle": "x + offset(log(t))"}, False),
        ({"inflate": "x"}, False),
        ({}, False),
    ],
)
def test_zeros_that_do_not_see_the_exposure_are_told(options, told):
    r, data = two_parts(exposure="t", **options)
    once, twice = (r.predict(data.head(3), exposure=e, which="prob-zero") for e in (1.0, 2.0))
    if "offset" not in options.get("hurdle", "offset"):
        assert np.array_equal(once, twice) == told
    summary = " ".join(str(r.summary()).split())
    assert ("P(y > 0) does not depend on it" in summary) == told
