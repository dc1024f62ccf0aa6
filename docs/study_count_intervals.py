"""How often intervals of new counts hold: averaged over rows, exactly under the law drawn from.

    python docs/study_count_intervals.py            # print
    python docs/study_count_intervals.py --write    # rewrite docs/study_count_intervals.md

Each data set is drawn from a model with known parameters and fitted; of each of 200 of its rows the
interval of a new count, and under the true law the probability that a count falls into it. Beside
it the same for the interval at the true parameters, which is as wide as whole numbers ask, and for
the one at the estimates, which leaves out that these are estimated.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import glmcount as gc
from glmcount.families.distribution import stacked, tails
from glmcount.families.model import model_family
from glmcount.families.quantiles import quantiles

PAGE = Path(__file__).resolve().with_name("study_count_intervals.md")
LEVEL = 0.95
SIZES = (200, 1000)
SETS, TOLD = 50, 200
SEED = 2026
MODELS = {
    "Poisson": ("poisson", None),
    "negative binomial (NB2)": ("negbin", None),
    "zero-inflated Poisson": ("poisson", "inflate"),
    "hurdle negative binomial": ("negbin", "hurdle"),
}
HEAD = """\
# Coverage of intervals of new counts

Written by `python docs/study_count_intervals.py --write`. 95 % intervals by
`r.get_prediction(rows).count_interval()`, {sets} data sets each: the probability that a new count
falls into the interval of its row, averaged over 200 rows and the data sets, exact under the law
from which the data were drawn. *At the truth* is the interval at the true parameters: more than
95 %, since its ends are whole numbers. *At the estimates* is that at the estimates, as if these
were the truth. *Told* is the coverage that the intervals say of themselves. Asked: at least 94.5 %,
and at most one point above the interval at the truth.

| model | rows | coverage | at the truth | at the estimates | told | holds |
|---|---:|---:|---:|---:|---:|---|
"""


def law(family: str, part: str | None, x: np.ndarray):
    """The family and its predictors in rows x."""
    model = model_family(family, part=part)
    values = {
        "mean": 0.9 + 0.5 * x,
        "inflate": -1.0 + 0.5 * x,
        "hurdle": 0.7 + 0.5 * x,
        "alpha": np.full(len(x), np.log(0.5)),
    }
    return model, [values[equation.name] for equation in model.equations]


def held(model, etas, low: np.ndarray, high: np.ndarray) -> float:
    """The average probability of counts from low to high."""
    below, _, _, _ = tails(model, stacked(model, np.maximum(low, 0.0)), etas)
    _, upto, _, _ = tails(model, stacked(model, high), etas)
    below = np.where(low > 0, np.exp(below), 0.0)
    return float(np.mean(np.exp(upto) - below))


def ends(model, etas, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The interval of counts at given predictors."""
    tail = 0.5 * (1.0 - LEVEL)
    return quantiles(model, etas, tail, n), quantiles(model, etas, 1.0 - tail, n)


def one(family: str, part: str | None, n: int, seed: int) -> list[float]:
    """Coverages of one data set: ours, at the truth, at the estimates, and told."""
    index = [family == "negbin", part is not None, n, seed, SEED]
    rng = np.random.default_rng(np.random.SeedSequence([int(i) for i in index]))
    x = rng.normal(size=n)
    model, etas = law(family, part, x)
    data = pd.DataFrame({"x": x, "y": model.sample(rng, etas)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        r = gc.fit("y ~ x", data, family=family, **({part: "x"} if part else {}))
        told, etas = data[:TOLD], [eta[:TOLD] for eta in etas]
        found = r.get_prediction(told).count_interval(LEVEL)
        low, high = found.lower.to_numpy(), found.upper.to_numpy()
        tail = 0.5 * (1.0 - LEVEL)
        plain = [r.predict(told, which="quantile", at=at).to_numpy() for at in (tail, 1.0 - tail)]
    return [
        held(model, etas, low, high),
        held(model, etas, *ends(model, etas, TOLD)),
        held(model, etas, *plain),
        float(found.coverage.mean()),
    ]


def page() -> str:
    """The table."""
    lines = [HEAD.format(sets=SETS)]
    for name, (family, part) in MODELS.items():
        for n in SIZES:
            every = np.array([one(family, part, n, seed) for seed in range(SETS)])
            own, truth, plain, told = 100.0 * every.mean(axis=0)
            good = "yes" if 94.5 <= own <= truth + 1.0 else "**no**"
            figures = " | ".join(f"{each:.2f}" for each in (own, truth, plain, told))
            lines.append(f"| {name} | {n:,} | {figures} | {good} |\n")
            print(lines[-1], end="", flush=True)
    return "".join(lines)


def main() -> None:
    """Print or rewrite the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="rewrite the page")
    options = parser.parse_args()
    text = page()
    if options.write:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
