"""How often tests reject a true hypothesis when clusters are few: written to study_clusters.md.

    python docs/study_clusters.py [--replicates 5000] [--sizes 12] [--workers 2] [--write]

Of each replicate a quarter of G clusters is treated, a covariate varies between and within
clusters, and gamma effects of the clusters (variance 1/2) multiply the mean of counts of 20 rows a
cluster. The treatment has no effect. Every model is fitted as it was drawn but for the clusters.
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
TESTS = ("CR1, z", "CR1, t(G - 1)", "CR3, t(G - 1)", "CR2, Satterthwaite", "score bootstrap")


def drawn(model: str, count: int, rng: np.random.Generator) -> pd.DataFrame:
    """A data set of so many clusters."""
    g = np.repeat(np.arange(count), ROWS)
    n = len(g)
    treated = (np.arange(count) < count // 4)[g].astype(float)
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


def tried(task: tuple[str, int, int]) -> list[bool] | None:
    """Whether each test rejects in one replicate; None where the model has no finite fit."""
    model, count, seed = task
    rng = np.random.default_rng([seed, count, list(MODELS).index(model)])
    data = drawn(model, count, rng)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            r = gc.fit("y ~ z + treated", data, **MODELS[model])
            if not np.isfinite(r.bse["treated"]):
                return None
            plain = r.with_cov(gc.cluster("g"))
            values = [
                plain.pvalues["treated"],
                r.with_cov(gc.cluster("g", df="t")).pvalues["treated"],
                r.with_cov(gc.cluster("g", "CR3", df="t")).pvalues["treated"],
                r.with_cov(gc.cluster("g", "CR2", df="satterthwaite")).pvalues["treated"],
                plain.score_bootstrap("treated = 0", rng=seed, reps=2_047).pvalue,
            ]
        except (gc.errors.ConvergenceError, gc.errors.CovarianceError):
            return None
    return [bool(value <= 0.05) for value in values]


def table(replicates: int, sizes: list[int], workers: int) -> str:
    """The page."""
    lines = [
        "# Tests with few clusters",
        "",
        (__doc__ or "").split("\n\n")[2].replace("\n", " "),
        "",
        f"Rejections of the true hypothesis at the level of 5 %, in per cent of {replicates:,} "
        "replicates (99.9 % of such shares of a test of exact size lie within "
        f"5 ± {329 * np.sqrt(0.05 * 0.95 / replicates):.1f}). Written by `docs/study_clusters.py`.",
        "",
        "| clusters | model | " + " | ".join(TESTS) + " | without a fit |",
        "|---|---|" + "---|" * (len(TESTS) + 1),
    ]
    with ProcessPoolExecutor(workers) as pool:
        for count in sizes:
            for model in MODELS:
                tasks = [(model, count, seed) for seed in range(replicates)]
                found = list(pool.map(tried, tasks, chunksize=50))
                kept = np.array([each for each in found if each is not None])
                shares = " | ".join(f"{100 * share:.1f}" for share in kept.mean(axis=0))
                lines.append(f"| {count} | {model} | {shares} | {found.count(None)} |")
                print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run the study."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--replicates", type=int, default=5_000)
    parser.add_argument("--sizes", type=int, nargs="+", default=[12])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="write the page")
    options = parser.parse_args()
    page = table(options.replicates, options.sizes, options.workers)
    if options.write:
        PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
