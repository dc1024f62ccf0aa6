"""What the study of coverage asks of clusters, panels and series."""

from __future__ import annotations

import pandas as pd
from coverage_law import MODELS, limit
from coverage_rows import DRAWS, Answer, covered, rejects

import glmcount as gc


def clusters(data: pd.DataFrame, model: str, seed: int) -> Answer:
    """Of clusters, without refits."""
    truth = limit(model, "clusters")
    r = gc.fit("y ~ x + z + f", data, **MODELS[model])
    out = {}
    for kind, df in (("CR1", "z"), ("CR2", "satterthwaite"), ("CR3", "t")):
        found = r.with_cov(gc.cluster("g", kind, df=df))
        out[f"interval: {kind}, {df}"] = covered(found.conf_int().loc["x"], truth)
    test = r.score_bootstrap(f"x = {truth!r}", "g", reps=499, rng=seed)
    out["test: score bootstrap"] = rejects(test.pvalue)
    return out


def refitted(data: pd.DataFrame, model: str, seed: int) -> Answer:
    """The same, and of refits."""
    truth = limit(model, "clusters")
    r = gc.fit("y ~ x + z + f", data, **MODELS[model])
    jackknife = r.with_cov(gc.jackknife("g"))
    bootstrap = r.with_cov(gc.bootstrap(DRAWS, "cluster", "g", rng=seed))
    ends = bootstrap.conf_int(method="bootstrap").loc["x"]
    return clusters(data, model, seed) | {
        "interval: jackknife of clusters": covered(jackknife.conf_int().loc["x"], truth),
        "interval: bootstrap of clusters, percentile": covered(ends, truth),
    }


def two_ways(data: pd.DataFrame, model: str, seed: int) -> Answer:
    """Of clusters two ways."""
    truth = limit(model, "two ways")
    r = gc.fit("y ~ x + z + f", data, **MODELS[model])
    return {
        f"interval: CR1 two ways, {df}": covered(
            r.with_cov(gc.cluster(["g", "k"], df=df)).conf_int().loc["x"], truth
        )
        for df in ("z", "t")
    }


def in_time(data: pd.DataFrame, model: str, seed: int) -> Answer:
    """Of a series."""
    truth = limit(model, "time")
    r = gc.fit("y ~ x + z + f", data, **MODELS[model])
    asked = {
        "interval: HAC, lags by rule": gc.hac("t"),
        "interval: HAC, prewhitened": gc.hac("t", prewhiten=1),
        "interval: HAC, QS, Andrews": gc.hac("t", kernel="qs", bandwidth="andrews"),
        "without theory: HC0": "HC0",
    }
    return {
        what: covered(r.with_cov(cov).conf_int().loc["x"], truth) for what, cov in asked.items()
    }


def against_another(data: pd.DataFrame, model: str, seed: int) -> Answer:
    """Of a series, held against the slope of the mean instead of that of the fit."""
    ends = gc.fit("y ~ x + z + f", data, cov=gc.hac("t"), **MODELS[model]).conf_int().loc["x"]
    return {"without theory: HAC, held against 0.3": covered(ends)}


def panels(data: pd.DataFrame, model: str, seed: int) -> Answer:
    """Of series that have shocks in common."""
    truth = limit(model, "panels")
    r = gc.fit("y ~ x + z + f", data, **MODELS[model])
    asked = {
        "interval: Driscoll-Kraay": gc.driscoll_kraay("g"),
        "without theory: HC0": "HC0",
    }
    return {
        what: covered(r.with_cov(cov).conf_int().loc["x"], truth) for what, cov in asked.items()
    }
