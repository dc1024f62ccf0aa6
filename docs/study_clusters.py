"""How often tests reject a true hypothesis when clusters are few: written to study_clusters.md.

    python docs/study_clusters.py [--replicates 5000] [--workers 2] [--write]

Of each replicate a quarter or half of G clusters is treated, a covariate varies between and within
clusters, and gamma effects of the clusters (variance 1/2) multiply the mean of counts of 20 rows a
cluster. The treatment has no effect. Every model is fitted as it was drawn but for the clusters.
Of more than 30 clusters, or with half of them treated, there are a fifth as many replicates.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

import glmcount as gc

PAGE = Path(__file__).resolve().parent / "study_clusters.md"
ROWS = 20
MODELS = {
    "Poisson": {},
    "NB2": {"family": "negbin"},
    "ZIP": {"inflate": "1"},
    "hurdle": {"hurdle": "z + treated"},
}
TESTS = (
    "CR1, z",
    "CR1, t(G - 1)",
    "CR3, t(G - 1)",
    "CR2, Satterthwaite",
    "score bootstrap",
    "the same, expected information",
)
# Models that have another information by expectation.
EXPECTED = ("NB2",)
# How many clusters, and the share of them that is treated.
DESIGNS = ((12, 0.25), (30, 0.25), (30, 0.5), (100, 0.25), (400, 0.25))
# Of those replicates are fewer by this factor that are not these first two.
FEWER = 5
CLOSING = """\
All tend to 5 % as clusters grow, as theory has it: they are asymptotic in the number of clusters.
With three treated clusters the score statistic cannot grow much, so that the score bootstrap
rejects less often with 12 clusters than with 30. There the effects of clusters are skewed, treated
and other clusters are not as many, and signs that are as often plus as minus do not repeat the
skewness. For NB2 comes a second reason: the observed information under the hypothesis holds the
counts, and moves with the score that is tested. The expected one does not, and is as right where
the mean is: `information="expected"` for NB2."""


def drawn(model: str, count: int, share: float, rng: np.random.Generator) -> pd.DataFrame:
    """A data set of so many clusters, of which a share is treated."""
    g = np.repeat(np.arange(count), ROWS)
    n = len(g)
    treated = (np.arange(count) < int(count * share))[g].astype(float)
    z = 0.7 * rng.normal(size=count)[g] + 0.7 * rng.normal(size=n)
    mean = np.exp(0.5 + 0.3 * z) * rng.gamma(2.0, 0.5, count)[g]
    if model == "NB2":
        mean = mean * rng.gamma(2.0, 0.5, n)
    y = rng.poisson(mean)
    if model == "ZIP":
        y = np.where(rng.random(n) < 0.25, 0, y)
    if model == "hurdle":
        # Zeros of their own, and positive counts of a Poisson law by inversion of its tail.
        u = rng.uniform(np.exp(-mean), 1.0)
        y = np.where(rng.random(n) < 0.35, 0, inverse(u, mean))
    return pd.DataFrame({"y": y, "z": z, "treated": treated, "g": g})


def inverse(u: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """The smallest count k with P(Y <= k) >= u under a Poisson law."""
    below, mass, out = np.exp(-mean), np.exp(-mean), np.zeros(len(mean), dtype=int)
    while True:
        late = below < u
        if not late.any():
            return out
        out[late] += 1
        mass = np.where(late, mass * mean / np.maximum(out, 1), mass)
        below = np.where(late, below + mass, below)


def tried(task: tuple[str, int, float, int]) -> list[float] | None:
    """Whether each test rejects in one replicate; None where the model has no finite fit."""
    model, count, share, seed = task
    rng = np.random.default_rng([seed, count, list(MODELS).index(model)])
    data = drawn(model, count, share, rng)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            r = gc.fit("y ~ z + treated", data, **MODELS[model])
            if not np.isfinite(r.bse["treated"]):
                return None
            values = [
                r.with_cov(cov).pvalues["treated"]
                for cov in (
                    gc.cluster("g"),
                    gc.cluster("g", df="t"),
                    gc.cluster("g", "CR3", df="t"),
                    gc.cluster("g", "CR2", df="satterthwaite"),
                )
            ]
            fits = [r]
            if model in EXPECTED:
                fits.append(r.refit(information="expected"))
            for fit in fits:
                test = fit.score_bootstrap("treated = 0", "g", rng=seed, reps=2_047)
                values.append(test.pvalue)
        except (gc.errors.ConvergenceError, gc.errors.CovarianceError):
            return None
    return [float(value <= 0.05) for value in values]


def text(replicates: int) -> list[str]:
    """What stands above the table."""
    described = " ".join((__doc__ or "").split("\n\n")[2].split())
    many, fewer = (329 * np.sqrt(0.05 * 0.95 / n) for n in (replicates, replicates // FEWER))
    return [
        "# Tests with few clusters",
        "",
        described,
        "",
        f"Rejections of the true hypothesis at the level of 5 %, in per cent of {replicates:,} "
        f"replicates, of {replicates // FEWER:,} of the other designs (99.9 % of such "
        f"shares of a test of exact size lie within 5 ± {many:.1f}, 5 ± {fewer:.1f}). Written by "
        "`docs/study_clusters.py`.",
        "",
        "| clusters | treated | model | " + " | ".join(TESTS) + " | without a fit |",
        "|---|---|---|" + "---|" * (len(TESTS) + 1),
    ]


def table(replicates: int, workers: int) -> str:
    """The page."""
    lines = text(replicates)
    with ProcessPoolExecutor(workers) as pool:
        for count, share in DESIGNS:
            number = replicates // (1 if (count, share) in DESIGNS[:2] else FEWER)
            for model in MODELS:
                tasks = [(model, count, share, seed) for seed in range(number)]
                found = list(pool.map(tried, tasks, chunksize=50))
                kept = np.array([each for each in found if each is not None])
                cells = [f"{count}", f"{share:.0%}", model]
                cells += [f"{100 * rate:.1f}" for rate in kept.mean(axis=0)]
                cells += [""] * (len(TESTS) + 3 - len(cells))
                lines.append(f"| {' | '.join(cells)} | {found.count(None)} |")
                print(lines[-1], flush=True)
    return "\n".join([*lines, "", CLOSING]) + "\n"


def main() -> int:
    """Run the study."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--replicates", type=int, default=5_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="write the page")
    options = parser.parse_args()
    page = table(options.replicates, options.workers)
    if options.write:
        PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
