"""How often intervals hold the truth, and tests reject it: written to study_coverage.md.

    python docs/study_coverage.py [--replicates 1000] [--rows 1000] [--workers 2] [--write]

Counts of two columns and a factor of three levels, drawn from the model that is fitted; under
"clusters" each of 100 clusters multiplies its means by a gamma effect of mean 1 and variance 0.1,
and columns vary between clusters; under "time" the means follow an autoregression of first order
(0.5). Intervals are of the slope of x, of level 95 %; tests are of hypotheses that hold, at 5 %.
Bootstraps have 199 draws.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

import glmcount as gc

PAGE = Path(__file__).resolve().parent / "study_coverage.md"
SLOPE = 0.3
MODELS = {
    "Poisson": {},
    "NB2": {"family": "negbin"},
    "ZIP": {"inflate": "1"},
    "hurdle": {"hurdle": "x"},
}
Answer = dict[str, bool]


def drawn(model: str, kind: str, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """A data set."""
    g = np.arange(n) % 100
    x = rng.normal(size=n)
    if kind == "clusters":
        x = 0.7 * x + 0.7 * rng.normal(size=100)[g]
    frame = pd.DataFrame({"x": x, "z": rng.normal(size=n), "g": g, "t": np.arange(n)})
    frame["f"] = np.resize(list("abc"), n)
    mean = np.exp(0.6 + SLOPE * x + 0.2 * (frame.f == "b"))
    if kind == "clusters":
        mean = mean * rng.gamma(10.0, 0.1, 100)[g]
    if kind == "time":
        noise = rng.normal(size=n)
        for i in range(1, n):
            noise[i] += 0.5 * noise[i - 1]
            frame.loc[i, "x"] = 0.5 * frame.x[i - 1] + frame.x[i]
        mean = np.exp(0.6 + SLOPE * frame.x + 0.3 * noise)
    if model == "NB2":
        mean = mean * rng.gamma(2.0, 0.5, n)
    y = rng.poisson(mean)
    if model == "ZIP":
        y = np.where(rng.random(n) < 0.25, 0, y)
    if model == "hurdle":
        while (y == 0).any():
            y = np.where(y == 0, rng.poisson(mean), y)
        y = np.where(rng.random(n) < 0.3, 0, y)
    frame["y"] = y
    return frame


def covered(ends: object, truth: float = SLOPE) -> bool:
    """Whether an interval holds the truth."""
    low, high = np.asarray(ends, dtype=float)
    return bool(low <= truth <= high)


def independent(data: pd.DataFrame, model: str, seed: int) -> Answer:
    """Intervals and tests of independent rows."""
    options = MODELS[model]
    r = gc.fit("y ~ x + z + f", data, **options)
    out = {
        "interval: Wald": covered(r.conf_int().loc["x"]),
        "interval: profile": covered(r.conf_int(method="profile", parameters="x").loc["x"]),
        "interval: Wald, HC0": covered(r.with_cov("HC0").conf_int().loc["x"]),
    }
    pairs = r.with_cov(gc.bootstrap(199, rng=seed, studentised=True))
    for kind in ("percentile", "bca", "studentised"):
        ends = pairs.conf_int(method="bootstrap", kind=kind).loc["x"]
        out[f"interval: bootstrap, {kind}"] = covered(ends)
    small = gc.fit("y ~ x + f", data, **options)
    out["test: Wald"] = r.pvalues["z"] <= 0.05
    out["test: likelihood ratio"] = gc.lr_test(small, r).pvalue <= 0.05
    out["test: Rao"] = small.score_test("z").pvalue <= 0.05
    out["test: Rao, HC0"] = small.with_cov("HC0").score_test("z").pvalue <= 0.05
    if model == "Poisson":
        for kind in ("nb1", "nb2", "dean", "lm_nb2"):
            test = r.test_dispersion(kind=kind, alternative="two-sided")
            out[f"test: dispersion, {kind}"] = test.pvalue <= 0.05
    return out


def clusters(data: pd.DataFrame, model: str, seed: int) -> Answer:
    """Of clusters."""
    r = gc.fit("y ~ x + z + f", data, **MODELS[model])
    out = {}
    for kind, df in (("CR1", "z"), ("CR2", "satterthwaite"), ("CR3", "t")):
        found = r.with_cov(gc.cluster("g", kind, df=df))
        out[f"interval: {kind}, {df}"] = covered(found.conf_int().loc["x"])
    jackknife = r.with_cov(gc.jackknife("g"))
    out["interval: jackknife of clusters"] = covered(jackknife.conf_int().loc["x"])
    ends = r.with_cov(gc.bootstrap(199, "cluster", "g", rng=seed)).conf_int(method="bootstrap")
    out["interval: bootstrap of clusters, percentile"] = covered(ends.loc["x"])
    test = r.score_bootstrap(f"x = {SLOPE}", "g", reps=499, rng=seed)
    out["test: score bootstrap"] = test.pvalue <= 0.05
    return out


def in_time(data: pd.DataFrame, model: str, seed: int) -> Answer:
    """Of a series."""
    r = gc.fit("y ~ x + z + f", data, **MODELS[model])
    return {
        "interval: HAC, lags by rule": covered(r.with_cov(gc.hac("t")).conf_int().loc["x"]),
        "interval: HAC, prewhitened": covered(
            r.with_cov(gc.hac("t", prewhiten=1)).conf_int().loc["x"]
        ),
        "interval: HC0": covered(r.with_cov("HC0").conf_int().loc["x"]),
    }


KINDS: dict[str, Callable[[pd.DataFrame, str, int], Answer]] = {
    "rows": independent,
    "clusters": clusters,
    "time": in_time,
}


def tried(task: tuple[str, str, int, int]) -> Answer:
    """What one replicate says."""
    model, kind, n, seed = task
    rng = np.random.default_rng([seed, list(MODELS).index(model), list(KINDS).index(kind)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return KINDS[kind](drawn(model, kind, n, rng), model, seed)


def table(replicates: int, n: int, workers: int) -> str:
    """The page."""
    reach = 329 * np.sqrt(0.05 * 0.95 / replicates)
    lines = [
        "# Coverage of intervals, size of tests",
        "",
        " ".join((__doc__ or "").split("\n\n")[2].split()),
        "",
        f"Per cent of {replicates:,} data sets of {n:,} rows: intervals that hold the truth, tests "
        f"that reject it. Of 95 % and 5 %, 99.9 % of such shares lie within {reach:.1f} points. "
        "Written by `docs/study_coverage.py`.",
        "",
        "| rows are | what | " + " | ".join(MODELS) + " |",
        "|---|---|" + "---:|" * len(MODELS),
    ]
    with ProcessPoolExecutor(workers) as pool:
        for kind in KINDS:
            found = {
                model: list(
                    pool.map(tried, [(model, kind, n, s) for s in range(replicates)], chunksize=10)
                )
                for model in MODELS
            }
            for what in found["Poisson"][0]:
                shares = [
                    f"{100 * np.mean([one[what] for one in each]):.1f}" if what in each[0] else ""
                    for each in found.values()
                ]
                lines.append(f"| {kind} | {what} | {' | '.join(shares)} |")
                print(lines[-1], flush=True)
    return "\n".join([*lines, "", outside(lines)]) + "\n"


def outside(lines: list[str]) -> str:
    """Which intervals hold the truth less often than 93 %, or more often than 97."""
    found = []
    for line in lines:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) < 3 or not cells[1].startswith("interval: "):
            continue
        for model, share in zip(MODELS, cells[2:], strict=True):
            if share and not 93.0 <= float(share) <= 97.0:
                found.append(f"{cells[0]}, {cells[1].removeprefix('interval: ')}, {model} {share}")
    return f"Intervals outside 93 to 97 %: {'; '.join(found) or 'none'}."


def main() -> int:
    """Run the study."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--replicates", type=int, default=1_000)
    parser.add_argument("--rows", type=int, default=1_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="write the page")
    options = parser.parse_args()
    page = table(options.replicates, options.rows, options.workers)
    if options.write:
        PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
