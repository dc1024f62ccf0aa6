"""What the study of coverage asks of contrasts, effects, standardised rates and imputations."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
from coverage_law import MODELS, SLOPE, STEP, expected, slope_of_mean
from coverage_rows import Answer, covered
from scipy import special

import glmcount as gc

ADJUSTED = ("single-step", "sidak", "bonferroni")
STEPWISE = ("sidak", "bonferroni", "holm", "fdr")
CONTRASTS = {"b - a": STEP, "c - a": 0.0, "c - b": -STEP}
REFERENCE = {"x": [-1.0, 0.0, 1.0], "weight": [1.0, 2.0, 1.0]}
IMPUTATIONS = 10
LEVELS = np.array(list("abc"))


def effects(data: pd.DataFrame, model: str, seed: int) -> Answer:
    """Averages over the rows, and over those there might have been."""
    r = gc.fit("y ~ x + f", data, **MODELS[model])
    x, f = data.x.to_numpy(), data.f.to_numpy()
    rows = {
        "slopes": float(slope_of_mean(model, x, f).mean()),
        "comparisons": float((expected(model, x, "b") - expected(model, x, "a")).mean()),
    }
    out = {}
    for law, of, truths in (
        ("of these rows", False, rows),
        ("unconditional", True, everywhere(model)),
    ):
        for what, truth in truths.items():
            asked = "x" if what == "slopes" else {"f": ("a", "b")}
            found = getattr(r, what)(asked, unconditional=of).iloc[0]
            out[f"interval: average {what}, {law}"] = covered(
                (found.conf_low, found.conf_high), truth
            )
    rates = np.array(
        [np.average(expected(model, REFERENCE["x"], b), weights=REFERENCE["weight"]) for b in "ab"]
    )
    one = r.standardised_rate(REFERENCE, by="f").iloc[1]
    ratio = r.standardised_rate(REFERENCE, by="f", compare="ratio").iloc[0]
    out["interval: standardised rate"] = covered((one.conf_low, one.conf_high), rates[1])
    out["interval: ratio of standardised rates"] = covered(
        (ratio.conf_low, ratio.conf_high), rates[1] / rates[0]
    )
    return out | contrasts(data, model)


@cache
def everywhere(model: str) -> dict[str, float]:
    """Averages over the law of the rows."""
    node, share = special.roots_hermitenorm(60)
    x, weight = np.tile(node, 3), np.tile(share / share.sum() / 3, 3)
    f = np.repeat(LEVELS, 60)
    step = expected(model, x, "b") - expected(model, x, "a")
    return {
        "slopes": float(np.dot(weight, slope_of_mean(model, x, f))),
        "comparisons": float(np.dot(weight, step)),
    }


def contrasts(data: pd.DataFrame, model: str) -> Answer:
    """Whether all intervals of a family hold, and whether any test of one rejects."""
    r = gc.fit("y ~ x + f + h", data, **MODELS[model])
    out = {}
    for adjust in ADJUSTED:
        found = r.contrasts("f", adjust=adjust)
        truths = [CONTRASTS[name] for name in found.contrast]
        held = (found.conf_low <= truths) & (truths <= found.conf_high)
        kind = "interval" if adjust == "single-step" else "at least"
        out[f"{kind}: all of 3 contrasts, {adjust}"] = bool(held.all())
    for adjust in STEPWISE:
        found = r.contrasts("h", adjust=adjust)
        out[f"at most: any of 6 contrasts, {adjust}"] = bool((found.p_value <= 0.05).any())
    return out


def imputed(data: pd.DataFrame, model: str, seed: int) -> Answer:
    """Pooled over imputations of x where it is missing, the more often the larger y is.

    Given the count, x of two values has a logit that is linear in the count, within levels of f
    and beside an indicator of zero: so x is drawn from a Bernoulli model, whose coefficients are
    drawn from their normal law first (Rubin 1987).
    """
    rng = np.random.default_rng([seed, 1])
    y = data.y.to_numpy()
    gone = rng.random(len(y)) < np.where(y > 1, 0.45, 0.2)
    data = data.assign(nothing=(y == 0) * 1.0)
    law = gc.fit("x ~ (y + nothing)*f", data[~gone], family="bernoulli")
    design = gc.fit("x ~ (y + nothing)*f", data, family="bernoulli").design_matrix()
    design = design[law.params.index].to_numpy()
    root = np.linalg.cholesky(law.cov_params().to_numpy())
    fits = []
    for _ in range(IMPUTATIONS):
        logit = np.dot(design, law.params + np.dot(root, rng.normal(size=len(root))))
        x = np.where(gone, rng.random(len(y)) < special.expit(logit), data.x)
        fits.append(gc.fit("y ~ x + f", data.assign(x=x), **MODELS[model]))
    return {
        "interval: pooled over 10 imputations": covered(gc.pool(fits).conf_int().loc["x"], SLOPE)
    }
