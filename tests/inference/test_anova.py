"""Tables term by term: what each type drops, what is refused, what is held."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import glmcount as gc
from glmcount.errors import BoundaryWarning, GlmcountError, NoLikelihoodError
from tests.made import counts

DATA = pd.DataFrame(counts(120, 4)).assign(h=lambda d: np.where(d.t > 1.2, "u", "v"))


def fit(formula, **options):
    return gc.fit(formula, DATA, **options)


def ratio(large, small, **options):
    return 2.0 * (fit(large, **options).llf - fit(small, **options).llf)


FORMULA = "y ~ x + g*h + g:x"
DROPPED = {
    1: [
        ("x", "y ~ x", "y ~ 1"), ("g", "y ~ x + g", "y ~ x"), ("h", "y ~ x + g + h", "y ~ x + g"),
        ("g:h", "y ~ x + g*h", "y ~ x + g + h"), ("g:x", FORMULA, "y ~ x + g*h"),
    ],
    2: [
        ("x", "y ~ x + g*h", "y ~ g*h"), ("g", "y ~ x + g + h", "y ~ x + h"),
        ("h", "y ~ x + g + h + g:x", "y ~ x + g + g:x"),
        ("g:h", FORMULA, "y ~ x + g + h + g:x"), ("g:x", FORMULA, "y ~ x + g*h"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("type", DROPPED)
@pytest.mark.parametrize("family", ["poisson", "negbin"])
def test_what_a_type_drops(type, family):
    found = fit(FORMULA, family=family).anova(type)
    assert found.index.tolist() == [term for term, _, _ in DROPPED[type]]
    for term, large, small in DROPPED[type]:
        expected = ratio(large, small, family=family)
        assert found.loc[term, "statistic"] == pytest.approx(expected, abs=2e-6)
        df = len(fit(large, family=family).params) - len(fit(small, family=family).params)
        assert found.loc[term, "df"] == df
        tail = stats.chi2.sf(found.loc[term, "statistic"], df)
        assert found.loc[term, "pvalue"] == pytest.approx(tail, rel=1e-9)


def test_type_3_drops_from_all():
    formula = "y ~ x + C(g, Sum)*C(h, Sum)"
    r = fit(formula, family="negbin")
    found = r.anova(3, "wald")
    assert found.index[0] == "Intercept"
    names = [n for n in r.params.index if n.startswith("C(g") and ":" not in n]
    one = r.wald_test([f"{n} = 0" for n in names])
    assert found.loc["C(g, Sum)", "statistic"] == pytest.approx(one.statistic, rel=1e-9)
    assert "Intercept" not in r.anova(3).index
    assert "Intercept" not in r.anova(2, "wald").index


def test_terms_of_other_parts():
    r = fit("y ~ x + g", hurdle="z + g", family="negbin1")
    found = r.anova()
    assert found.index.tolist() == ["x", "g", "hurdle_z", "hurdle_g"]
    without = fit("y ~ x + g", hurdle="z", family="negbin1")
    expected = 2.0 * (r.llf - without.llf)
    assert found.loc["hurdle_g", "statistic"] == pytest.approx(expected, abs=1e-5)
    spread = fit("y ~ x", family="negbin", dispersion="z")
    found = spread.anova().loc["dispersion_z", "statistic"]
    plain = fit("y ~ x", family="negbin")
    assert found == pytest.approx(2.0 * (spread.llf - plain.llf), abs=1e-6)


def test_offsets_and_weights():
    options = {"exposure": "t", "weights": "w"}
    found = fit("y ~ x + g", **options).anova()
    expected = ratio("y ~ x + g", "y ~ x", **options)
    assert found.loc["g", "statistic"] == pytest.approx(expected, abs=1e-7)


def test_arrays():
    X = np.column_stack([np.ones(120), DATA.x, DATA.z])
    found = gc.fit_arrays(DATA.y, X, names=["one", "x", "z"]).anova()
    assert found.loc["x", "statistic"] == pytest.approx(ratio("y ~ x + z", "y ~ z"), abs=1e-7)
    assert found.index.tolist() == ["one", "x", "z"]


def test_aliased_columns_have_no_degrees_of_freedom():
    with pytest.warns(gc.errors.DroppedColumnWarning):
        r = fit("y ~ x + I(2 * x) + z")
    for test in ("lr", "wald", "score"):
        with warnings.catch_warnings():
            # By its estimates x has no test: without it the other column takes its place.
            warnings.simplefilter("ignore" if test == "wald" else "error")
            found = r.anova(2, test)
        assert found.loc["I(2 * x)", "df"] == 0
        assert np.isnan(found.loc["I(2 * x)", "pvalue"])


def test_f_of_a_quasi_likelihood():
    r = fit("y ~ x + g", family="quasipoisson")
    found = r.anova().loc["g"]
    deviances = [fit(f).deviance for f in ("y ~ x", "y ~ x + g")]
    f = (deviances[0] - deviances[1]) / 2 / r.scale
    assert found["statistic"] == pytest.approx(f, rel=1e-9)
    assert found["pvalue"] == pytest.approx(stats.f.sf(f, 2, r.df_resid), rel=1e-9)


def test_a_boundary_of_the_smaller_model_counts():
    # Every model estimates its own dispersion, though this one's is on its boundary.
    rng = np.random.default_rng(0)
    x = np.repeat([0.0, 1.0], 60)
    data = {"y": rng.binomial(12, 0.3 + 0.3 * x).astype(float), "x": x, "z": rng.normal(size=120)}
    with pytest.warns(BoundaryWarning):
        r = gc.fit("y ~ x + z", data, family="negbin")
    with pytest.warns(BoundaryWarning):
        without = gc.fit("y ~ x", data, family="negbin")
    expected = 2.0 * (r.llf - without.llf)
    assert r.anova().loc["z", "statistic"] == pytest.approx(expected, abs=1e-7)
    held = r.anova(nuisance="held").loc["z", "statistic"]
    assert held == pytest.approx(expected, abs=1e-7)


def test_a_robust_covariance_has_wald_and_score():
    r = fit("y ~ x + g", family="negbin", cov="HC1")
    one = r.wald_test("g[T.b] = 0, g[T.c] = 0")
    assert r.anova(2, "wald").loc["g", "statistic"] == pytest.approx(one.statistic, rel=1e-9)
    score = fit("y ~ x", family="negbin", cov="HC1").score_test("g")
    assert r.anova(2, "score").loc["g", "statistic"] == pytest.approx(score.statistic, rel=1e-6)


def kind_of(ask):
    with pytest.raises(GlmcountError) as caught:
        ask()
    return caught.value.kind


def test_refusals():
    r = fit("y ~ x + g*h")
    assert kind_of(lambda: r.anova(3)) == "type_3_coding"
    assert kind_of(lambda: r.anova(4)) == "anova_type"
    assert kind_of(lambda: r.anova(test="f")) == "unknown_test"
    assert kind_of(lambda: r.anova(nuisance="x")) == "unknown_nuisance"
    assert kind_of(lambda: r.anova(test="wald", nuisance="held")) == "wald_nuisance"
    assert kind_of(lambda: fit("y ~ 1").anova()) == "no_terms"
    robust = r.with_cov("HC0")
    assert kind_of(robust.anova) == "robust_likelihood"
    assert kind_of(lambda: robust.anova(test="score", nuisance="held")) == "robust_likelihood"


@pytest.mark.filterwarnings("ignore::glmcount.errors.CovarianceWarning")
def test_sampling_weights_have_no_likelihood_ratio_whatever_the_covariance():
    sampled = fit("y ~ x", weights="w", weights_type="probability")
    for r in (sampled, sampled.with_cov("nonrobust")):
        for ask in (
            {},
            {"nuisance": "held"},
            {"test": "score", "nuisance": "held"},
        ):
            with pytest.raises(NoLikelihoodError, match="not defined under probability") as caught:
                r.anova(**ask)
            assert "nonrobust" not in str(caught.value)
    quasi = fit("y ~ x", family="quasipoisson", weights="w", weights_type="probability")
    with pytest.raises(NoLikelihoodError, match=r"Write r.anova\(test='wald'\)"):
        quasi.anova()
    assert sampled.anova(test="wald").loc["x", "df"] == 1
    # Copies of rows have one: the weights alone are no reason to refuse.
    assert fit("y ~ x", weights="w").anova().loc["x", "df"] == 1


def test_infinite_coefficients_have_no_wald_row():
    data = {"y": [1, 2, 3, 0, 0, 2], "d": [0, 0, 0, 1, 1, 0], "x": [1.0, 2, 1, 2, 1, 3]}
    r = gc.fit("y ~ d + x", data, separation="ignore")
    with pytest.warns(BoundaryWarning, match="d has a coefficient that is infinite"):
        found = r.anova(test="wald")
    assert np.isnan(found.loc["d", "pvalue"])
    assert np.isfinite(found.loc["x", "pvalue"])
    expected = 2.0 * (r.llf - gc.fit("y ~ x", data).llf)
    assert r.anova().loc["d", "statistic"] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("family", ["poisson", "quasipoisson", "negbin"])
@pytest.mark.parametrize(
    "ask",
    [{}, {"nuisance": "held"}, {"test": "score"}, {"test": "score", "nuisance": "held"}],
    ids=str,
)
def test_a_term_whose_columns_others_give_has_no_test(family, ask):
    frame = DATA.assign(double=2.0 * DATA.x)
    with pytest.warns(gc.errors.DroppedColumnWarning):
        r = gc.fit("y ~ x + double + z", frame, family=family)
    found = r.anova(**ask)
    assert found.loc["double", "df"] == 0
    assert np.isnan(found.loc["double", "pvalue"])
    alone = gc.fit("y ~ x + z", frame, family=family).anova(**ask)
    np.testing.assert_allclose(found.loc["z"], alone.loc["z"], rtol=1e-7)
