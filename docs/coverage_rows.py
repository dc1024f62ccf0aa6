"""What the study of coverage asks of independent rows, and what bootstraps cost."""

from __future__ import annotations

import numpy as np
import pandas as pd
from coverage_law import MODELS, SLOPE, ZEROS, counts

import glmcount as gc

Answer = dict[str, bool]
# Parameters beside those of the mean, and their values.
BESIDE = {
    "NB2": ("alpha", 0.5),
    "ZIP": ("inflate_Intercept", np.log(ZEROS["ZIP"] / (1 - ZEROS["ZIP"]))),
    "hurdle": ("hurdle_x", 0.0),
}
DRAWS = 199
OF_RATIO = 99


def covered(ends: object, truth: float = SLOPE) -> bool:
    """Whether an interval holds the truth."""
    low, high = np.asarray(ends, dtype=float)
    return bool(low <= truth <= high)


def rejects(pvalue: float) -> bool:
    """Whether a test rejects at 5 %."""
    return bool(pvalue <= 0.05)


def independent(data: pd.DataFrame, model: str, seed: int) -> Answer:
    """Intervals and tests without draws."""
    options = MODELS[model]
    r = gc.fit("y ~ x + z + f", data, **options)
    out = {
        "interval: Wald": covered(r.conf_int().loc["x"]),
        "interval: profile": covered(r.conf_int(method="profile", parameters="x").loc["x"]),
    }
    # Leverages are those of one mean.
    for kind in ("HC0", "HC1") if model in ZEROS else ("HC0", "HC1", "HC2", "HC3"):
        out[f"interval: Wald, {kind}"] = covered(r.with_cov(kind).conf_int().loc["x"])
    if model in BESIDE:
        name, truth = BESIDE[model]
        ends = r.conf_int(method="profile", parameters=name).loc[name]
        out["interval: Wald, of alpha or the zero part"] = covered(r.conf_int().loc[name], truth)
        out["interval: profile, of alpha or the zero part"] = covered(ends, truth)
    return out | tests(data, model, r)


def tests(data: pd.DataFrame, model: str, r: gc.Results) -> Answer:
    """Of hypotheses that hold."""
    options = MODELS[model]
    small = gc.fit("y ~ x + f", data, **options)
    out = {
        "test: Wald": rejects(r.pvalues["z"]),
        "test: likelihood ratio": rejects(gc.lr_test(small, r).pvalue),
        "test: Rao": rejects(small.score_test("z").pvalue),
        "test: Rao, HC0": rejects(small.with_cov("HC0").score_test("z").pvalue),
        "test: equivalence, at the bound": rejects(r.equivalence("x", -SLOPE, SLOPE).pvalue),
    }
    crossed = gc.fit("y ~ x + z*C(f, Sum)", data, **options)
    for number, test, term in ((1, "lr", "z:C(f, Sum)"), (2, "wald", "z"), (3, "score", "z")):
        p = crossed.anova(type=number, test=test).loc[term, "pvalue"]
        out[f"test: anova, type {number}, {test}"] = rejects(p)
    if model == "Poisson":
        for kind in ("nb1", "nb2", "dean", "lm_nb2"):
            test = r.test_dispersion(kind=kind, alternative="two-sided")
            out[f"test: dispersion, {kind}"] = rejects(test.pvalue)
        wide = gc.fit("y ~ x + z + f", data, family="negbin")
        out["test: likelihood ratio, NB2, half chi-squared"] = rejects(gc.lr_test(r, wide).pvalue)
    return out


def alike(data: pd.DataFrame, model: str, seed: int) -> Answer:
    """Vuong's test of two models that are as wrong as each other."""
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(2, len(data)))
    both = data.assign(first=first, second=second)
    both["y"] = counts(model, np.exp(0.6 + SLOPE * (first + second)), rng)
    fits = [gc.fit(f"y ~ {name} - 1 + f", both, **MODELS[model]) for name in ("first", "second")]
    return {"test: Vuong": rejects(gc.vuong_test(*fits).pvalue)}


def with_draws(data: pd.DataFrame, model: str, seed: int) -> Answer:
    """Bootstraps."""
    options = MODELS[model]
    r = gc.fit("y ~ x + z + f", data, **options)
    pairs = r.with_cov(gc.bootstrap(DRAWS, rng=seed, studentised=True))
    out = {}
    for kind in ("percentile", "bca", "studentised"):
        ends = pairs.conf_int(method="bootstrap", kind=kind).loc["x"]
        out[f"interval: bootstrap of rows, {kind}"] = covered(ends)
    for kind in ("parametric", "bayesian"):
        ends = r.with_cov(gc.bootstrap(DRAWS, kind, rng=seed)).conf_int(method="bootstrap")
        out[f"interval: {kind} bootstrap, percentile"] = covered(ends.loc["x"])
    return out


def left_out(data: pd.DataFrame, model: str, seed: int) -> Answer:
    """The jackknife, and a likelihood ratio whose law is drawn."""
    options = MODELS[model]
    r = gc.fit("y ~ x + z + f", data, **options)
    small = gc.fit("y ~ x + f", data, **options)
    p = gc.lr_test(small, r, bootstrap=OF_RATIO, rng=seed).pvalue
    return {
        "interval: jackknife of rows": covered(r.with_cov(gc.jackknife()).conf_int().loc["x"]),
        "test: likelihood ratio, parametric bootstrap": rejects(p),
    }
